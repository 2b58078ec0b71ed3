// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "request.h"
#include "scan.h"

bool string_set_has(const struct string_set *set, const char *string)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (!strcmp(set->string[i], string))
			return true;
	}
	return false;
}

bool string_set_add(struct string_set *set, char *string)
{
	if (string_set_has(set, string)) {
		free(string);
		return false;
	}
	set->string = reallocarray(set->string, set->count + 1, sizeof(*set->string));
	if (!set->string)
		abort();
	set->string[set->count++] = string;
	return true;
}

void string_set_free(struct string_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		free(set->string[i]);
	free(set->string);
	*set = (struct string_set){ NULL, 0 };
}

FILE *open_stream(const struct search *s, const char *path)
{
	int fd = openat(s->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !in)
		abort();
	return in;
}

void need_begin(struct search *s, const char *what, bool in_initramfs)
{
	s->what = what;
	s->in_initramfs = in_initramfs;
	s->reserve = false;
	s->found = 0;
	s->why = NULL;
}

void need_why(struct search *s, char *why)
{
	free(s->why);
	s->why = why;
}

void need_problem(struct search *s, char *problem)
{
	string_set_add(&s->problems, problem);
}

void need_note(struct search *s, char *note)
{
	string_set_add(&s->deps->notes, alloc_printf("%s: %s", s->what, note));
	free(note);
}

void queue_work(struct search *s, enum work_kind kind, const char *name)
{
	s->work = reallocarray(s->work, s->work_count + 1, sizeof(*s->work));
	if (!s->work)
		abort();
	s->work[s->work_count++] = (struct work){ kind, alloc_printf("%s", name) };
}

void need_end(struct search *s)
{
	follow_queued(s);
	for (unsigned i = 0; i < s->problems.count; i++)
		string_set_add(&s->deps->notes, alloc_printf("%s: %s", s->what, s->problems.string[i]));
	string_set_free(&s->problems);
	string_set_free(&s->seen);
	free(s->work);
	s->work = NULL;
	free(s->why);
	s->why = NULL;
}

static void add_need(struct search *s, struct device *d)
{
	struct dependencies *deps = s->deps;

	/* If no setting is about it, the scan knows no more than its name. */
	(void)!scan_ids(s->root, d);
	s->found++;
	for (unsigned i = 0; i < deps->needs; i++) {
		if (deps->need[i].device == d && deps->need[i].reserve == s->reserve &&
		    !strcmp(deps->need[i].why, s->why))
			return;
	}
	deps->need = reallocarray(deps->need, deps->needs + 1, sizeof(*deps->need));
	if (!deps->need)
		abort();
	deps->need[deps->needs++] = (struct need){ d, s->reserve, alloc_printf("%s", s->why) };
}

void need_function(void *search, struct device *d)
{
	struct search *s = search;
	struct device *physical;
	struct text t;

	add_need(s, d);
	physical_function(s->root, &t, d);
	physical = machine_find_name(&s->ctx->machine, t.p, t.len);
	if (physical)
		add_need(s, physical);
}

void need_functions(struct search *s, const char *link)
{
	each_function_of_link(&s->ctx->machine, link, need_function, s);
}

bool has_option(const char *options, const char *name)
{
	return options && !mnt_optstr_get_option(options, name, NULL, NULL);
}

bool is_optional(const char *options)
{
	return has_option(options, "noauto") || has_option(options, "nofail");
}
