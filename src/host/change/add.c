// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot add: adds devices to the settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "dependencies.h"
#include "format.h"
#include "guarded_path.h"
#include "image_judge.h"
#include "listener.h"
#include "log.h"
#include "menu.h"
#include "pci_names.h"
#include "plan.h"
#include "plan_log.h"
#include "settings.h"

static const char header[] = "# Written by vfio-boot add and remove; yours to edit. See vfio-boot.conf(5).\n";

struct addition {
	struct change change;
	FILE *to; /* stream of the new lines */
	char *lines;
	size_t size;
	int entries;
	bool has_line[DEVICES_MAX]; /* devices that have a line of their own */
	struct dependencies deps;   /* what the host depends on now */
};

/* Adds a line of `ids`, or, with a number of VFs, of `vfs`. */
static void add_line(struct addition *a, const char *selector, unsigned vfs, const struct device *d)
{
	char name[NAME_SIZE];

	if (vfs)
		fprintf(a->to, "vfs = %s=%u", selector, vfs);
	else
		fprintf(a->to, "ids = %s", selector);
	/* Tell a later reader what the entry is. */
	if (d)
		fprintf(a->to, "  # %s %s", d->name, device_name(name, d));
	fputc('\n', a->to);
	a->entries++;
}

/*
 * Adds a device by its guarded path, unless an entry selects it. If only a broad selector selects it and it is not
 * claimed, it gets a line of its own: the boot display and reserved devices must be named.
 */
static void add_device_line(struct addition *a, const struct device *d)
{
	bool *has_line = &a->has_line[d - a->change.before->machine.device];
	struct text t;

	if (*has_line)
		return;
	*has_line = true;
	if (!is_wanted(d) || !(d->asked.named || is_claimed(d)))
		add_line(a, guarded_path(a->change.before, &t, d), 0, d);
	else
		say(&complaints, LEVEL_DONE, "%pd is selected already: %pe", d, d->asked.selector);
}

/* Returns true if the settings have the same entry. Chooses the devices of that entry then. */
static bool is_in_settings(struct change *c, const struct selector *wanted)
{
	const struct machine *m = &c->before->machine;
	const struct selector *sel;
	const struct device *d;

	for_each_selector(&c->before->settings.list[LIST_IDS], sel) {
		if (!is_same_entry(sel, wanted))
			continue;
		say(&complaints, LEVEL_DONE, "%pe is in the settings already", sel);
		for_each_device(m, d) {
			if (!(sel->flags & SELECTOR_EXCLUDES) && selector_match(sel, d) == SELECTOR_YES)
				c->chosen[d - m->device] = true;
		}
		return true;
	}
	return false;
}

/* Returns true if an earlier word of the command line is the same. */
static bool is_repeated(const struct change *c, char *const *word, const struct selector *wanted)
{
	struct selector earlier;

	for (char *const *w = c->r->word; w < word; w++) {
		if (!selector_parse(&earlier, *w, strlen(*w)) && is_same_entry(&earlier, wanted))
			return true;
	}
	return false;
}

/*
 * Returns true, after a message, if an exclusion covers this device. A person wrote it, and it wins over any line that
 * is added.
 */
static bool is_excluded(const struct change *c, const struct device *d)
{
	const struct selector *sel;

	for_each_selector(&c->before->settings.list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) || !selector_covers(sel, d))
			continue;
		say(&complaints, LEVEL_REFUSED, "%pd is excluded by %pe (remove that exclusion first)", d, sel);
		return true;
	}
	return false;
}

/* Adds the devices that a selector matches. Returns 0, or an exit status after a message. */
static int add_matches(struct addition *a, char *word, const struct selector *sel)
{
	static bool matched[DEVICES_MAX];
	struct change *c = &a->change;
	const struct machine *m = &c->before->machine;
	char *const words[] = { word, NULL };
	const struct device *d;
	bool found, excluded = false;

	found = !choose(c->before, words, matched);
	if (!found && !asked(c->r, OPTION_FORCE))
		return 1;
	for_each_device(m, d) {
		if (!matched[d - m->device])
			continue;
		c->chosen[d - m->device] = true;
		excluded |= selector_names(sel) && is_excluded(c, d);
	}
	if (excluded && !asked(c->r, OPTION_FORCE))
		return 1;
	/*
	 * An entry that names a device is written as a guarded path, so that it goes on to name this device. --force
	 * allows a device that is not there yet.
	 */
	if (!found || !selector_names(sel) || sel->kind == SELECT_BOOT_VGA || sel->flags & SELECTOR_GUARDED ||
	    asked(c->r, OPTION_AS_WRITTEN)) {
		add_line(a, word, 0, NULL);
		return 0;
	}
	for_each_device(m, d) {
		if (matched[d - m->device])
			add_device_line(a, d);
	}
	return 0;
}

/* Returns true, after a message, if the settings ask for VFs of this function already. */
static bool has_vfs(const struct device *d, unsigned number)
{
	if (!d->asked.vfs)
		return false;
	if (number == d->asked.vfs->vfs)
		say(&complaints, LEVEL_DONE, "%pe is in the settings already", d->asked.vfs);
	else
		say(&complaints, LEVEL_REFUSED, "%pe is in the settings (remove it first)", d->asked.vfs);
	return true;
}

/*
 * Adds an entry of `vfs` for each PF that a word names, by its guarded path, or for the word as it is. Returns 0, or an
 * exit status after a message.
 */
static int add_vfs(struct addition *a, char *word)
{
	static bool matched[DEVICES_MAX];
	struct change *c = &a->change;
	const struct machine *m = &c->before->machine;
	char *const words[] = { word, NULL };
	const struct device *d;
	struct selector sel;
	struct text t;
	const char *wrong;
	bool as_written, found, has = false;

	text_set(&t, "%s=%s", word, c->r->vfs);
	wrong = selector_parse_vfs(&sel, t.p, t.len);
	if (wrong) {
		say(&complaints, LEVEL_FAILED, "%s: %s", t.p, wrong);
		return STATUS_WRONG;
	}
	found = !choose(c->before, words, matched);
	if (!found && !asked(c->r, OPTION_FORCE))
		return 1;
	/* --force allows a card that is not there yet. */
	as_written = !found || !selector_names(&sel) || sel.flags & SELECTOR_GUARDED || asked(c->r, OPTION_AS_WRITTEN);
	for_each_device(m, d) {
		if (!matched[d - m->device])
			continue;
		if (d->found.virtual) {
			say(&complaints, LEVEL_REFUSED, "%pd: it is a virtual function itself, and has none", d);
			return 1;
		}
		c->chosen[d - m->device] = true;
		has = has_vfs(d, sel.vfs) || has;
		if (!as_written && !d->asked.vfs)
			add_line(a, guarded_path(c->before, &t, d), sel.vfs, d);
	}
	if (as_written && !has)
		add_line(a, word, sel.vfs, NULL);
	return 0;
}

/* Adds a word of the command line. Returns 0, or an exit status after a message. */
static int add_word(struct addition *a, char *const *at)
{
	struct change *c = &a->change;
	char *word = *at;
	struct selector sel;
	const char *wrong = selector_parse(&sel, word, strlen(word));

	if (wrong)
		return no_selector(word, wrong);
	if (is_repeated(c, at, &sel) || is_in_settings(c, &sel))
		return 0;
	if (sel.flags & (SELECTOR_EXCLUDES | SELECTOR_OPTIONAL)) {
		add_line(a, word, 0, NULL);
		return 0;
	}
	return add_matches(a, word, &sel);
}

/*
 * Returns true if a member has to be added for the sake of d. Where d is named, its group is wanted, and a member may
 * be one that only naming takes. Where d is matched by an ID, a group that is not claimed for another reason than a
 * missing member gets none: an ID also means the card of the host.
 */
static bool needs_member(const struct device *d, const struct device *member)
{
	if (d->group->reason == REASON_GROUP_INCOMPLETE && is_missing(member))
		return true;
	return d->asked.named && !is_claimed(d) && !is_exempt(member) && !member->asked.named &&
	       !member->asked.excluded;
}

/* Adds what the groups of the chosen devices need. */
static void add_rest_of_groups(struct addition *a)
{
	struct change *c = &a->change;
	const struct device *d, *member, *was;

	for_each_device(&c->after->machine, d) {
		if (!change_chose(c, d) || !d->group)
			continue;
		for_each_member(d->group, member) {
			was = change_before(c, member);
			if (change_chose(c, member) || !was || !needs_member(d, member))
				continue;
			c->chosen[was - c->before->machine.device] = true;
			add_device_line(a, was);
		}
	}
}

static bool is_incomplete(const struct change *c)
{
	const struct device *d;

	for_each_device(&c->after->machine, d) {
		if (change_chose(c, d) && d->decided.reason == REASON_GROUP_INCOMPLETE)
			return true;
	}
	return false;
}

static bool change_claims(const struct change *c, const struct device *d)
{
	return change_chose(c, d) && (is_claimed(d) || d->decided.verdict == VERDICT_PENDING);
}

/* Returns true if the change takes d from the host, by a claim of d itself or of a device of its group. */
static bool change_takes(const struct change *c, const struct device *d)
{
	const struct device *member;

	if (!d->group)
		return change_claims(c, d);
	for_each_member(d->group, member) {
		if (change_claims(c, member))
			return true;
	}
	return false;
}

/*
 * Finds what the host depends on now. The protect file that the plan reads is written with an image: at first there is
 * none, and an old one does not know a new disk. Returns false, after a message, if the machine cannot be read.
 */
static bool find_dependencies(struct addition *a)
{
	static struct context now;

	context_like(&now, a->change.before);
	if (!request_read(&now, PHASE_NOW))
		return false;
	dependencies_find(&a->deps, &now);
	return true;
}

/* Prints which dependencies of the host this change would take, and returns true if there is one. */
static bool takes_dependency(const struct addition *a)
{
	const struct change *c = &a->change;
	bool found = false;

	for (unsigned i = 0; i < a->deps.needs; i++) {
		const struct need *need = &a->deps.need[i];
		const struct device *d = machine_find(&c->after->machine, need->device->address);

		if (need->reserve || !d || !change_takes(c, d))
			continue;
		say(&complaints, LEVEL_REFUSED, "%pd: the host lives on it: %s", d, need->why);
		found = true;
	}
	return found;
}

/* Warns of a device that the host wants to keep, but that a `reserve` entry does not name yet: the plan cannot. */
static void warn_of_reserve(const struct addition *a, const struct device *d)
{
	for (unsigned i = 0; i < a->deps.needs; i++) {
		const struct need *need = &a->deps.need[i];

		if (need->reserve && need->device->address == d->address && !d->asked.reserves)
			say(&complaints, LEVEL_REFUSED, "%pd is claimed, and the host cannot use it: %s", d, need->why);
	}
}

/* Returns the first other function with the ID of d that is protected, or that the host lives on now; or NULL. */
static const struct device *find_twin(const struct addition *a, const struct device *d)
{
	for (unsigned i = 0; i < a->deps.needs; i++) {
		const struct need *need = &a->deps.need[i];

		if (!need->reserve && need->device->address != d->address && has_same_id(need->device, d))
			return need->device;
	}
	return d->asked.twin != d ? d->asked.twin : NULL;
}

static void warn_of_twin(const struct addition *a, const struct device *d)
{
	const struct device *twin = find_twin(a, d);

	if (twin)
		say(&complaints, LEVEL_REFUSED,
		    "%pd: the host lives on %s, which has the same ID: only their slots tell the two apart (boot with "
		    "vfio.ids=off after cards were moved)",
		    d, twin->name);
}

/* Warns of what the plan does not know of the claimed devices of this change. */
static void warn_of_host(const struct addition *a)
{
	const struct machine *m = &a->change.after->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (!change_claims(&a->change, d))
			continue;
		warn_of_reserve(a, d);
		warn_of_twin(a, d);
	}
}

static bool decide_added(struct addition *a)
{
	fflush(a->to);
	return change_decide(&a->change, a->lines);
}

static int add_words(struct addition *a)
{
	int status = 0;

	for (char **word = a->change.r->word; *word; word++) {
		int wrong = a->change.r->vfs ? add_vfs(a, *word) : add_word(a, word);

		if (wrong > status)
			status = wrong;
	}
	return status;
}

/* Returns 0 if the addition may be written, or an exit status after a message. */
static int check_addition(struct addition *a)
{
	const struct change *c = &a->change;
	const bool force = asked(c->r, OPTION_FORCE);

	if (c->after->settings.problems) {
		say_problems(&c->after->machine, &complaints);
		return nothing_changed(STATUS_WRONG);
	}
	if (!force && change_is_refused(c)) {
		change_say(c, &complaints);
		say(&complaints, LEVEL_REFUSED, "the next boot would refuse it (%s--force adds it anyway)",
		    is_incomplete(c) && !asked(c->r, OPTION_WHOLE) ? "--whole adds the rest of the group; " : "");
		return nothing_changed(1);
	}
	if ((!find_dependencies(a) || takes_dependency(a)) && !force) {
		say(&complaints, LEVEL_REFUSED, "the image would protect it (--force adds it anyway)");
		return nothing_changed(1);
	}
	return 0;
}

/* Appends the new lines to the text of OWN_FILE. */
static int write_addition(struct addition *a)
{
	struct change *c = &a->change;
	char *text;
	int status;

	if (asprintf(&text, "%s%s%s", c->old_len ? c->old : header,
		     c->old_len && c->old[c->old_len - 1] != '\n' ? "\n" : "", a->lines) < 0)
		abort();
	status = change_write(c, text, a->entries);
	free(text);
	return status;
}

/* Says how to boot if the host needs what the next boot takes. */
static void say_rescue(const struct change *c)
{
	static struct menu m[MENUS_MAX];
	unsigned n = menus_find(m, &c->before->root), i = 0;

	while (i < n && !m[i].choose)
		i++;
	say(&complaints, LEVEL_DONE,
	    "if that boot does not come up, %s%s%sappend vfio.ids=off to the kernel command line%s",
	    i < n ? "choose " : "", i < n ? m[i].choose : "", i < n ? ", or " : "",
	    i < n ? "" : " at the boot loader's prompt");
}

/*
 * All is selected already. Returns the exit status, after a message: the next boot may refuse it all the same, or an
 * image may not have it, because it could not be built then.
 */
static int nothing_to_add(const struct change *c)
{
	int status = change_is_refused(c);

	if (status)
		change_say(c, &complaints);
	else if (!asked(c->r, OPTION_NO_REBUILD))
		status = say_image(c->before, &complaints);
	return nothing_changed(status);
}

static int add_to_settings(struct addition *a)
{
	struct change *c = &a->change;
	int status = add_words(a);

	if (status)
		return nothing_changed(status);
	if (!decide_added(a))
		return STATUS_FAILED;
	if (asked(c->r, OPTION_WHOLE)) {
		add_rest_of_groups(a);
		if (!decide_added(a))
			return STATUS_FAILED;
	}
	if (!a->entries)
		return nothing_to_add(c);
	status = check_addition(a);
	if (status)
		return status;
	warn_of_host(a);
	status = write_addition(a);
	if (!status)
		say_rescue(c);
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
	/* What it prints of the plan points into the lines. */
	status = change_end(&a.change, status);
	fclose(a.to);
	free(a.lines);
	dependencies_free(&a.deps);
	return status;
}
