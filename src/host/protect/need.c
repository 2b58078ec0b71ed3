// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "request.h"
#include "scan.h"

char *written(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return text;
}

bool words_have(const struct words *w, const char *word)
{
	for (unsigned i = 0; i < w->count; i++) {
		if (!strcmp(w->word[i], word))
			return true;
	}
	return false;
}

bool words_take(struct words *w, char *word)
{
	if (words_have(w, word)) {
		free(word);
		return false;
	}
	w->word = reallocarray(w->word, w->count + 1, sizeof(*w->word));
	if (!w->word)
		abort();
	w->word[w->count++] = word;
	return true;
}

void words_free(struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->word[i]);
	free(w->word);
	*w = (struct words){ NULL, 0 };
}

FILE *open_stream(const struct living *v, const char *path)
{
	int fd = openat(v->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !in)
		abort();
	return in;
}

/* A sentence each, and each once. */
static void add_note(struct lives *l, char *note)
{
	struct words w = { l->note, l->notes };

	words_take(&w, note);
	l->note = w.word;
	l->notes = w.count;
}

void thing_begin(struct living *v, const char *what, bool early)
{
	v->what = what;
	v->early = early;
	v->reserve = false;
	v->found = 0;
	v->why = NULL;
}

void thing_why(struct living *v, char *why)
{
	free(v->why);
	v->why = why;
}

void thing_cause(struct living *v, char *cause)
{
	words_take(&v->causes, cause);
}

void thing_note(struct living *v, char *note)
{
	add_note(v->lives, written("%s: %s", v->what, note));
	free(note);
}

void need_later(struct living *v, enum way way, const char *name)
{
	v->later = reallocarray(v->later, v->laters + 1, sizeof(*v->later));
	if (!v->later)
		abort();
	v->later[v->laters++] = (struct later){ way, written("%s", name) };
}

void thing_end(struct living *v)
{
	for (unsigned i = 0; i < v->causes.count; i++)
		add_note(v->lives, written("%s: %s", v->what, v->causes.word[i]));
	words_free(&v->causes);
	words_free(&v->seen);
	free(v->later);
	v->later = NULL;
	v->laters = 0;
	free(v->why);
	v->why = NULL;
}

static void add_need(struct living *v, struct device *d)
{
	struct lives *l = v->lives;

	v->found++;
	for (unsigned i = 0; i < l->needs; i++) {
		if (l->need[i].device == d && l->need[i].reserve == v->reserve && !strcmp(l->need[i].why, v->why))
			return;
	}
	l->need = reallocarray(l->need, l->needs + 1, sizeof(*l->need));
	if (!l->need)
		abort();
	l->need[l->needs++] = (struct need){ d, v->reserve, written("%s", v->why) };
}

void need_function(void *living, struct device *d)
{
	struct living *v = living;
	struct device *physical;
	struct text t;

	add_need(v, d);
	physical_function(v->root, &t, d);
	physical = machine_find_name(&v->job->machine, t.p, t.len);
	if (physical)
		add_need(v, physical);
}

void need_functions(struct living *v, const char *link)
{
	each_function_of_link(&v->job->machine, link, need_function, v);
}
