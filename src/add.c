// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot add: one device more, or a few. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "guard.h"
#include "names.h"
#include "voice.h"

static const char header[] = "# Written by vfio-boot add and remove; yours to edit. See vfio-boot.conf(5).\n";

struct addition {
	struct change change;
	FILE *to; /* the lines */
	char *lines;
	size_t size;
	int entries;
};

static void add_line(struct addition *a, const char *selector, const struct device *d)
{
	char name[NAME_SIZE];

	fprintf(a->to, "ids = %s", selector);
	/* What a person would want to know who reads it in a year. */
	if (d)
		fprintf(a->to, "  # %s %s", d->name, device_name(name, d));
	fputc('\n', a->to);
	a->entries++;
}

/* By its guarded path, unless something selects it already. */
static void add_device_line(struct addition *a, const struct device *d)
{
	struct text t;

	if (!is_wanted(d))
		add_line(a, guarded_path(a->change.before, &t, d), d);
	else
		say(&complaints, LEVEL_DONE, "%pd is selected already: %pe", d, d->selector);
}

/* Is there a settings entry of this very text? */
static bool is_there(const struct change *c, const struct selector *wanted)
{
	const struct selector *sel;

	for_each_selector(&c->before->settings.list[LIST_IDS], sel) {
		if (!span_cmp(sel->text, wanted->text) && !((sel->flags ^ wanted->flags) & SELECTOR_EXCLUDES)) {
			say(&complaints, LEVEL_DONE, "%pe is there already", sel);
			return true;
		}
	}
	return false;
}

/* One word of the command line; 0, or an exit status where it may not be added, which was said then. */
static int add_word(struct addition *a, char *word)
{
	static bool meant[DEVICES_MAX];
	struct change *c = &a->change;
	const struct machine *m = &c->before->machine;
	char *const words[] = { word, NULL };
	struct selector sel;
	const char *wrong = selector_parse(&sel, word, strlen(word));
	const struct device *d;

	if (wrong) {
		say(&complaints, LEVEL_FAILED, "%s: %s", word, wrong);
		return STATUS_WRONG;
	}
	if (is_there(c, &sel))
		return 0;
	if (sel.flags & (SELECTOR_EXCLUDES | SELECTOR_OPTIONAL)) {
		add_line(a, word, NULL);
		return 0;
	}
	if (!choose(c->before, words, meant) && !asked(c->r, OPTION_FORCE))
		return 1;
	for_each_device(m, d)
		c->chosen[d - m->device] |= meant[d - m->device];
	/* What names a device is written so that it goes on to name this one. */
	if (!selector_names(&sel) || sel.kind == SELECT_BOOT_VGA || sel.flags & SELECTOR_GUARDED ||
	    asked(c->r, OPTION_AS_WRITTEN)) {
		add_line(a, word, NULL);
		return 0;
	}
	for_each_device(m, d) {
		if (meant[d - m->device])
			add_device_line(a, d);
	}
	return 0;
}

/* Adds what keeps the groups of these devices incomplete, as far as that can be claimed. */
static void add_rest_of_groups(struct addition *a)
{
	struct change *c = &a->change;
	const struct machine *m = &c->after->machine;
	const struct device *d, *member;

	for_each_device(m, d) {
		if (!c->chosen[d - m->device] || !d->group)
			continue;
		for_each_member(d->group, member) {
			if (!is_missing(member) || c->chosen[member - m->device])
				continue;
			c->chosen[member - m->device] = true;
			add_device_line(a, &c->before->machine.device[member - m->device]);
		}
	}
}

static bool is_incomplete(const struct change *c)
{
	const struct machine *m = &c->after->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (c->chosen[d - m->device] && d->reason == REASON_GROUP_INCOMPLETE)
			return true;
	}
	return false;
}

/* The settings with what is added, decided. */
static bool decide_with(struct addition *a)
{
	fflush(a->to);
	return change_decide(&a->change, a->lines);
}

static int add_to_settings(struct addition *a)
{
	struct change *c = &a->change;
	int status = 0;
	char *text;

	for (char **word = c->r->word; *word; word++) {
		int wrong = add_word(a, *word);

		if (wrong > status)
			status = wrong;
	}
	if (status)
		return nothing_changed(status);
	if (!decide_with(a))
		return STATUS_FAILED;
	if (asked(c->r, OPTION_WHOLE)) {
		add_rest_of_groups(a);
		if (!decide_with(a))
			return STATUS_FAILED;
	}
	if (!a->entries)
		return nothing_changed(0);
	if (c->after->settings.problems) {
		say_problems(&c->after->machine, &complaints);
		return nothing_changed(STATUS_WRONG);
	}
	if (!asked(c->r, OPTION_FORCE) && change_is_refused(c)) {
		change_say(c, &complaints);
		say(&complaints, LEVEL_REFUSED, "the next boot would refuse that (%s--force adds it all the same)",
		    is_incomplete(c) && !asked(c->r, OPTION_WHOLE) ? "--whole adds the rest of the group; " : "");
		return nothing_changed(1);
	}
	if (asprintf(&text, "%s%s%s", c->old_len ? c->old : header,
		     c->old_len && c->old[c->old_len - 1] != '\n' ? "\n" : "", a->lines) < 0)
		abort();
	status = change_write(c, text, a->entries);
	free(text);
	return status;
}

int verb_add(struct request *r)
{
	static struct addition a;
	int status = change_begin(&a.change, r);

	a.to = open_memstream(&a.lines, &a.size);
	if (!a.to)
		abort();
	if (!status)
		status = add_to_settings(&a);
	fclose(a.to);
	free(a.lines);
	change_end(&a.change);
	return status;
}
