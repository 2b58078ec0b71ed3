// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "need.h"
#include "request.h"
#include "sysfs.h"

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

void thing_end(struct living *v)
{
	for (unsigned i = 0; i < v->causes.count; i++)
		add_note(v->lives, written("%s: %s", v->what, v->causes.word[i]));
	words_free(&v->causes);
	words_free(&v->seen);
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

/*
 * In a chroot /proc and /sys, where they are there, tell of the system around it, and it is not this one's root that is
 * mounted. Who may not look at process 1 is not asked.
 */
static bool is_chroot(const struct living *v)
{
	struct stat ours, first;

	if (faccessat(v->root, "proc/self", F_OK, 0) && faccessat(v->root, "proc/mounts", F_OK, 0))
		return true;
	return !v->job->root.sysroot && !fstat(v->root, &ours) && !fstatat(v->root, "proc/1/root", &first, 0) &&
	       (ours.st_dev != first.st_dev || ours.st_ino != first.st_ino);
}

/* In address order; else as they were found, what protects before what reserves, which qsort() does not promise. */
static void sort_needs(struct lives *l)
{
	for (unsigned i = 1; i < l->needs; i++) {
		struct need n = l->need[i];
		unsigned to = i;

		for (; to && l->need[to - 1].device > n.device; to--)
			l->need[to] = l->need[to - 1];
		l->need[to] = n;
	}
}

void lives_find(struct lives *l, struct job *j)
{
	struct living v = { .lives = l, .job = j, .root = j->root.fd };

	memset(l, 0, sizeof(*l));
	if (is_chroot(&v)) {
		l->unknown = written("this is a chroot");
		return;
	}
	live_on_storage(&v);
	live_on_network(&v);
	live_on_console(&v);
	words_free(&v.mapped);
	sort_needs(l);
}

void lives_free(struct lives *l)
{
	struct words notes = { l->note, l->notes };

	for (unsigned i = 0; i < l->needs; i++)
		free(l->need[i].why);
	free(l->need);
	words_free(&notes);
	free(l->unknown);
	memset(l, 0, sizeof(*l));
}
