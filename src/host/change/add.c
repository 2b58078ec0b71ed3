// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot add: one device more, or a few. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "dependencies.h"
#include "guard.h"
#include "listener.h"
#include "log.h"
#include "pci_names.h"
#include "plan.h"
#include "plan_log.h"
#include "settings.h"

static const char header[] = "# Written by vfio-boot add and remove; yours to edit. See vfio-boot.conf(5).\n";

struct addition {
	struct change change;
	FILE *to; /* the lines */
	char *lines;
	size_t size;
	int entries;
	bool written[DEVICES_MAX]; /* those that have a line of their own */
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

/*
 * By its guarded path, unless something selects it already. What a broad selector alone selects, and does not get, is
 * named: for the boot display and what is reserved that is the difference.
 */
static void add_device_line(struct addition *a, const struct device *d)
{
	bool *written = &a->written[d - a->change.before->machine.device];
	struct text t;

	if (*written)
		return;
	*written = true;
	if (!is_wanted(d) || !(d->asked.named || is_claimed(d)))
		add_line(a, guarded_path(a->change.before, &t, d), d);
	else
		say(&complaints, LEVEL_DONE, "%pd is selected already: %pe", d, d->asked.selector);
}

static bool is_same(const struct selector *a, const struct selector *b)
{
	return !span_cmp(a->text, b->text) && !((a->flags ^ b->flags) & SELECTOR_EXCLUDES);
}

/* Is there a settings entry of this very text? Then it is about what that means. */
static bool is_there(struct change *c, const struct selector *wanted)
{
	const struct machine *m = &c->before->machine;
	const struct selector *sel;
	const struct device *d;

	for_each_selector(&c->before->settings.list[LIST_IDS], sel) {
		if (!is_same(sel, wanted))
			continue;
		say(&complaints, LEVEL_DONE, "%pe is there already", sel);
		for_each_device(m, d) {
			if (!(sel->flags & SELECTOR_EXCLUDES) && selector_match(sel, d) == SELECTOR_YES)
				c->chosen[d - m->device] = true;
		}
		return true;
	}
	return false;
}

/* Was it said before on the command line? */
static bool is_repeated(const struct change *c, char *const *word, const struct selector *wanted)
{
	struct selector earlier;

	for (char *const *w = c->r->word; w < word; w++) {
		if (!selector_parse(&earlier, *w, strlen(*w)) && is_same(&earlier, wanted))
			return true;
	}
	return false;
}

/* Does an exclusion take away what is named here? It is a person's, and wins over every line that is added. */
static bool is_excluded(const struct change *c, const struct device *d)
{
	const struct selector *sel;

	for_each_selector(&c->before->settings.list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) || !selector_covers(sel, d))
			continue;
		say(&complaints, LEVEL_REFUSED, "%pd is excluded by %pe (take that exclusion out first)", d, sel);
		return true;
	}
	return false;
}

/* One word of the command line; 0, or an exit status where it may not be added, which was said then. */
static int add_word(struct addition *a, char *const *at)
{
	static bool meant[DEVICES_MAX];
	struct change *c = &a->change;
	const struct machine *m = &c->before->machine;
	char *word = *at;
	char *const words[] = { word, NULL };
	struct selector sel;
	const char *wrong = selector_parse(&sel, word, strlen(word));
	const struct device *d;
	bool found, excluded = false;

	if (wrong) {
		say(&complaints, LEVEL_FAILED, "%s: %s", word, wrong);
		return STATUS_WRONG;
	}
	if (is_repeated(c, at, &sel) || is_there(c, &sel))
		return 0;
	if (sel.flags & (SELECTOR_EXCLUDES | SELECTOR_OPTIONAL)) {
		add_line(a, word, NULL);
		return 0;
	}
	found = !choose(c->before, words, meant);
	if (!found && !asked(c->r, OPTION_FORCE))
		return 1;
	for_each_device(m, d) {
		if (!meant[d - m->device])
			continue;
		c->chosen[d - m->device] = true;
		excluded |= selector_names(&sel) && is_excluded(c, d);
	}
	if (excluded && !asked(c->r, OPTION_FORCE))
		return 1;
	/* What names a device is written so that it goes on to name this one; by force one that is still to come. */
	if (!found || !selector_names(&sel) || sel.kind == SELECT_BOOT_VGA || sel.flags & SELECTOR_GUARDED ||
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
		if (c->chosen[d - m->device] && d->decided.reason == REASON_GROUP_INCOMPLETE)
			return true;
	}
	return false;
}

static bool is_asked_for(const struct change *c, const struct device *d)
{
	return c->chosen[d - c->after->machine.device] && (is_claimed(d) || d->decided.verdict == VERDICT_PENDING);
}

/* Is it to be claimed for this change, or taken from the host by a claim of its group? */
static bool is_taken_with(const struct change *c, const struct device *d)
{
	const struct device *member;

	if (!d->group)
		return is_asked_for(c, d);
	for_each_member(d->group, member) {
		if (is_asked_for(c, member))
			return true;
	}
	return false;
}

/*
 * Says what would be taken of what the host lives on at this moment. The protect file that the plan reads is written
 * when an image is made: on day one there is none, and one that is older than a disk knows nothing of it.
 */
static bool is_lived_on(const struct change *c)
{
	static struct context now;
	struct dependencies deps;
	bool found = false;

	context_like(&now, c->before);
	if (!request_read(&now, PHASE_NOW))
		return true;
	dependencies_find(&deps, &now);
	for (unsigned i = 0; i < deps.needs; i++) {
		const struct need *need = &deps.need[i];
		const struct device *d = machine_find(&c->after->machine, need->device->address);

		if (need->reserve || !d || !is_taken_with(c, d))
			continue;
		say(&complaints, LEVEL_REFUSED, "%pd: the host lives on it: %s", d, need->why);
		found = true;
	}
	dependencies_free(&deps);
	return found;
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
		int wrong = add_word(a, word);

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
	if (!a->entries) {
		status = change_is_refused(c);
		if (status)
			change_say(c, &complaints);
		return nothing_changed(status);
	}
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
	if (is_lived_on(c) && !asked(c->r, OPTION_FORCE)) {
		say(&complaints, LEVEL_REFUSED, "the image would protect that (--force adds it all the same)");
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
