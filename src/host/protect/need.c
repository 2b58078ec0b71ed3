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

FILE *open_stream(const struct finder *f, const char *path)
{
	int fd = openat(f->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !in)
		abort();
	return in;
}

/* A sentence each, and each once. */
static void add_note(struct dependencies *l, char *note)
{
	struct words w = { l->note, l->notes };

	words_take(&w, note);
	l->note = w.word;
	l->notes = w.count;
}

void need_begin(struct finder *f, const char *what, bool early)
{
	f->what = what;
	f->early = early;
	f->reserve = false;
	f->found = 0;
	f->why = NULL;
}

void need_why(struct finder *f, char *why)
{
	free(f->why);
	f->why = why;
}

void need_cause(struct finder *f, char *cause)
{
	words_take(&f->causes, cause);
}

void need_note(struct finder *f, char *note)
{
	add_note(f->deps, written("%s: %s", f->what, note));
	free(note);
}

void need_later(struct finder *f, enum way way, const char *name)
{
	f->later = reallocarray(f->later, f->laters + 1, sizeof(*f->later));
	if (!f->later)
		abort();
	f->later[f->laters++] = (struct later){ way, written("%s", name) };
}

void need_end(struct finder *f)
{
	for (unsigned i = 0; i < f->causes.count; i++)
		add_note(f->deps, written("%s: %s", f->what, f->causes.word[i]));
	words_free(&f->causes);
	words_free(&f->seen);
	free(f->later);
	f->later = NULL;
	f->laters = 0;
	free(f->why);
	f->why = NULL;
}

static void add_need(struct finder *f, struct device *d)
{
	struct dependencies *l = f->deps;

	f->found++;
	for (unsigned i = 0; i < l->needs; i++) {
		if (l->need[i].device == d && l->need[i].reserve == f->reserve && !strcmp(l->need[i].why, f->why))
			return;
	}
	l->need = reallocarray(l->need, l->needs + 1, sizeof(*l->need));
	if (!l->need)
		abort();
	l->need[l->needs++] = (struct need){ d, f->reserve, written("%s", f->why) };
}

void need_function(void *finder, struct device *d)
{
	struct finder *f = finder;
	struct device *physical;
	struct text t;

	add_need(f, d);
	physical_function(f->root, &t, d);
	physical = machine_find_name(&f->ctx->machine, t.p, t.len);
	if (physical)
		add_need(f, physical);
}

void need_functions(struct finder *f, const char *link)
{
	each_function_of_link(&f->ctx->machine, link, need_function, f);
}
