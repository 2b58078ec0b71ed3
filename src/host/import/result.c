// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "legacy_ids.h"
#include "listener.h"
#include "log.h"
#include "plan_json.h"
#include "request.h"
#include "result.h"

static void *checked(void *p)
{
	if (!p)
		abort();
	return p;
}

static char *copy(const char *text)
{
	return checked(strdup(text));
}

const char *result_place(struct text *t, const char *source, unsigned line)
{
	text_set(t, "%s", source);
	if (line)
		text_add(t, ":%u", line);
	return t->p;
}

static void add_line(struct found_list *list, const struct place *at, char *text)
{
	list->line = checked(reallocarray(list->line, list->lines + 1, sizeof(*list->line)));
	list->line[list->lines++] = (struct result_line){ copy(at->source), at->line, text };
}

void result_line(struct result *f, const struct place *at, enum fate fate, const char *text)
{
	add_line(&f->fate[fate], at, copy(text));
}

void result_at_work(struct result *f, const struct place *at, const char *text)
{
	add_line(&f->at_work, at, copy(text));
}

void result_ids(struct result *f, const struct place *at, struct span value)
{
	add_line(&f->ids, at, checked(strndup(value.p, value.len)));
}

void result_warning(struct result *f, const struct place *at, const char *fmt, ...)
{
	struct text t, words;
	va_list ap;

	words.len = 0;
	va_start(ap, fmt);
	text_vadd(&words, fmt, ap);
	va_end(ap);
	result_place(&t, at->source, at->line);
	text_add(&t, ": %s", words.p);
	if (!f->quiet)
		complaints.say(&complaints, LEVEL_REFUSED, t.p);
	f->warning = checked(reallocarray(f->warning, f->warnings + 1, sizeof(*f->warning)));
	f->warning[f->warnings++] = copy(t.p);
}

static struct result_setting *find_setting(const struct result *f, const char *selector)
{
	for (struct result_setting *s = f->setting; s < f->setting + f->settings; s++) {
		if (!strcmp(s->selector, selector))
			return s;
	}
	return NULL;
}

void result_setting(struct result *f, const struct place *at, const char *selector)
{
	struct result_setting *s = find_setting(f, selector);
	struct text t;
	char *from;

	result_place(&t, at->source, at->line);
	if (!s) {
		f->setting = checked(reallocarray(f->setting, f->settings + 1, sizeof(*f->setting)));
		s = &f->setting[f->settings++];
		*s = (struct result_setting){ copy(selector), copy(at->source), at->line, copy(t.p) };
		return;
	}
	/* A line may have the same entry twice. */
	if (ends_with(s->from, t.p))
		return;
	if (asprintf(&from, "%s, %s", s->from, t.p) < 0)
		abort();
	free(s->from);
	s->from = from;
}

/*
 * Moves the lines of a place from TO_DELETE to TO_LOOK_AT: a user must not delete unseen what could not become a
 * setting.
 */
static void move_to_look_at(struct result *f, const struct place *at)
{
	struct found_list *from = &f->fate[TO_DELETE], *to = &f->fate[TO_LOOK_AT];
	unsigned n = 0;

	while (n < from->lines) {
		struct result_line *l = &from->line[n];

		if (l->line != at->line || strcmp(l->source, at->source) != 0) {
			n++;
			continue;
		}
		add_line(to, at, l->text);
		free(l->source);
		from->lines--;
		memmove(l, l + 1, (from->lines - n) * sizeof(*l));
	}
}

/*
 * Turns the entries of an `ids=` into settings if it is `last`, the one that counts. Otherwise warns about those that
 * are lost.
 */
static void settle_ids(struct result *f, const struct result_line *l, const struct result_line *last)
{
	const struct place at = { l->source, l->line, 0 };
	char *rest = l->text, *entry;
	struct text selector, t;

	while ((entry = strsep(&rest, ","))) {
		const struct span id = { entry, (unsigned)strlen(entry) };
		const char *remark, *wrong;

		if (!id.len)
			continue;
		wrong = selector_of_id(&selector, id, &remark);
		if (l != last) {
			if (wrong || !find_setting(f, selector.p))
				result_warning(f, &at,
					       "%s has no effect and is left out: %s has the last ids=, which counts",
					       entry, result_place(&t, last->source, last->line));
			continue;
		}
		if (wrong) {
			result_warning(f, &at, "%s cannot be a setting: %s", entry, wrong);
			f->untold = true;
			move_to_look_at(f, &at);
			continue;
		}
		result_setting(f, &at, selector.p);
		if (remark)
			result_warning(f, &at, "%s: %s", entry, remark);
	}
}

void result_settle(struct result *f)
{
	const struct result_line *last;

	if (!f->ids.lines)
		return;
	last = &f->ids.line[f->ids.lines - 1];
	settle_ids(f, last, last);
	for (const struct result_line *l = f->ids.line; l < last; l++)
		settle_ids(f, l, last);
}

/* Prints text from outside in a comment. It must not end the line, nor send control sequences to a terminal. */
static void print_clean(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_list(const struct found_list *list, const char *title)
{
	struct text t;

	if (list->lines)
		printf("# %s\n", title);
	for (const struct result_line *l = list->line; l < list->line + list->lines; l++) {
		printf("#   %s: ", result_place(&t, l->source, l->line));
		print_clean(l->text);
		putchar('\n');
	}
}

int result_print(const struct result *f)
{
	for (const struct result_setting *s = f->setting; s < f->setting + f->settings; s++) {
		printf("ids = %s # ", s->selector);
		print_clean(s->from);
		putchar('\n');
	}
	for (unsigned i = 0; i < f->warnings; i++)
		printf("# %s\n", f->warning[i]);
	print_list(&f->fate[TO_DELETE],
		   "Delete these, or they still apply beside vfio-boot (then update-initramfs -u):");
	print_list(&f->fate[TO_LOOK_AT], "Look at these, they may be for the same devices:");
	return cannot_print();
}

static void add_place_to(struct json_object *o, const char *source, unsigned line)
{
	json_object_object_add(o, "source", json_text(source));
	json_object_object_add(o, "line", line ? json_object_new_int64(line) : NULL);
}

static struct json_object *json_list(const struct found_list *list)
{
	struct json_object *array = json_object_new_array();

	for (const struct result_line *l = list->line; l < list->line + list->lines; l++) {
		struct json_object *o = json_object_new_object();

		add_place_to(o, l->source, l->line);
		json_object_object_add(o, "text", json_text(l->text));
		json_object_array_add(array, o);
	}
	return array;
}

int result_print_json(const struct result *f)
{
	struct json_object *all = json_object_new_object(), *settings = json_object_new_array();
	struct json_object *warnings = json_object_new_array();

	for (const struct result_setting *s = f->setting; s < f->setting + f->settings; s++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "selector", json_text(s->selector));
		add_place_to(o, s->source, s->line);
		json_object_array_add(settings, o);
	}
	for (unsigned i = 0; i < f->warnings; i++)
		json_object_array_add(warnings, json_text(f->warning[i]));
	json_object_object_add(all, "format", json_object_new_int(1));
	json_object_object_add(all, "settings", settings);
	json_object_object_add(all, "delete", json_list(&f->fate[TO_DELETE]));
	json_object_object_add(all, "look", json_list(&f->fate[TO_LOOK_AT]));
	json_object_object_add(all, "warnings", warnings);
	return json_print(all);
}

static void free_list(struct found_list *list)
{
	for (struct result_line *l = list->line; l < list->line + list->lines; l++) {
		free(l->source);
		free(l->text);
	}
	free(list->line);
}

void result_free(struct result *f)
{
	for (struct result_setting *s = f->setting; s < f->setting + f->settings; s++) {
		free(s->selector);
		free(s->source);
		free(s->from);
	}
	free(f->setting);
	for (unsigned i = 0; i < f->warnings; i++)
		free(f->warning[i]);
	free(f->warning);
	free_list(&f->ids);
	free_list(&f->at_work);
	for (unsigned i = 0; i < FATES; i++)
		free_list(&f->fate[i]);
}
