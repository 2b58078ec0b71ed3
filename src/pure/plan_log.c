// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan_log.h"
#include "format.h"
#include "listener.h"
#include "message.h"
#include "nearest.h"
#include "plan.h"
#include "select.h"
#include "settings.h"

static void add_problem(struct text *t, const struct problem *p)
{
	/* The text can be as long as a file. */
	if (p->text.len)
		text_add(t, "%.*s: ", (int)(p->text.len < 80 ? p->text.len : 80), p->text.p);
	text_add(t, "%s", p->what);
}

void set_problem(struct text *t, const struct problem *p)
{
	t->len = 0;
	add_problem(t, p);
}

void say_problems(const struct machine *m, const struct listener *l)
{
	unsigned n = m->settings->problems < PROBLEMS_MAX ? m->settings->problems : PROBLEMS_MAX;
	struct text t;

	for (const struct problem *p = m->settings->problem; n; p++, n--) {
		t.len = 0;
		add_place(&t, &p->at);
		text_add(&t, ": ");
		add_problem(&t, p);
		l->say(l, LEVEL_FAILED, t.p);
	}
}

/* A fallback is what the user asked for, and no user expects it. */
static unsigned note_level(const struct machine *m)
{
	if (m->failed)
		return LEVEL_FAILED;
	return m->fallback ? LEVEL_REFUSED : LEVEL_DONE;
}

void say_notes(const struct machine *m, const struct listener *l)
{
	if (m->settings->problems > PROBLEMS_MAX)
		say(l, LEVEL_FAILED, "%u more errors in the settings", m->settings->problems - PROBLEMS_MAX);
	if (m->no_claim_reason)
		say(l, note_level(m), "nothing is claimed: %s", m->no_claim_reason);
}

/* Warns if the guard fails on a device that other selectors select. Without these, the device is refused for it. */
static void warn_of_guard(const struct machine *m, const struct selector *sel, const struct listener *l)
{
	const struct device *d;

	for_each_device(m, d) {
		if (is_wanted(d) && selector_match(sel, d) == SELECTOR_GUARD_FAILS)
			say(l, LEVEL_REFUSED, "%pe: its guard fails, but other selectors select %pd", sel, d);
	}
}

/* Warns of an exclusion, or an entry of `protect` or `reserve`, that matches no device or whose guard fits none. */
static void warn_of_cover(const struct selector *sel, enum list_name list, const struct listener *l)
{
	static const char *const prefix[LISTS] = { "!", "protect = ", "reserve = ", "vfs = " };
	const bool matched = sel->flags & SELECTOR_MATCHED, stale = sel->flags & SELECTOR_STALE;

	if (matched ? !stale : sel->flags & SELECTOR_OPTIONAL || !(stale || list == LIST_IDS))
		return;
	say(l, LEVEL_REFUSED,
	    matched ? "%s%pe: no device fits its guard; it covers that address and that ID"
		    : "%s%pe: matches no device",
	    prefix[list], sel);
}

static void warn_of_entry(const struct machine *m, const struct selector *sel, enum list_name list,
			  const struct listener *l)
{
	if (list == LIST_VFS || (list == LIST_IDS && !(sel->flags & SELECTOR_EXCLUDES)))
		warn_of_guard(m, sel, l);
	else
		warn_of_cover(sel, list, l);
}

/* Warns of a group that is claimed only in part (group=ignore). */
static void warn_of_group(const struct group *g, const struct listener *l)
{
	bool claimed = false;
	const struct device *d;
	struct text t;
	unsigned before;

	text_set(&t, "group %u is not usable until these are unbound:", g->number);
	before = t.len;
	for_each_member(g, d) {
		if (is_claimed(d)) {
			claimed = true;
		} else if (is_bridge(d) ? blocks_group(d->found.driver) : !is_exempt(d)) {
			text_add(&t, " %pd", d);
		}
	}
	if (g->non_pci_member)
		text_add(&t, " %s", g->non_pci_member);
	if (claimed && t.len > before)
		l->say(l, LEVEL_REFUSED, t.p);
}

/* Warns of entries of `vfs` that ask for different numbers of VFs of one PF. */
static void warn_of_numbers(const struct machine *m, const struct device *pf, const struct listener *l)
{
	const struct selector *sel;

	for_each_selector(&m->settings->list[LIST_VFS], sel) {
		if (sel->vfs != pf->asked.vfs->vfs && selector_match(sel, pf) == SELECTOR_YES)
			say(l, LEVEL_REFUSED, "%pe: not used for %pd, %pe counts", sel, pf, pf->asked.vfs);
	}
}

const char *idle_text(const struct selector *sel)
{
	return sel->vfs ? "no virtual function is made (ids selects that function itself, or it can have none)"
			: "matches devices and claims nothing";
}

/* Warns of selectors that match devices and claim or make nothing (7). */
static void warn_of_idle(const struct machine *m, const struct listener *l)
{
	const struct selector *sel;

	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel) {
			if (sel->flags & SELECTOR_IDLE)
				say(l, LEVEL_REFUSED, "%pe: %s", sel, idle_text(sel));
		}
	}
}

/* Returns true if a card is incomplete without this function. VFs are no part of it, and no driver wants class 13. */
static bool is_missed(const struct device *d)
{
	return !is_claimed(d) && !d->found.virtual && base_class(d) != 0x13;
}

/* Warns if the host keeps a function of the card in another group (8). */
static void warn_of_card(const struct machine *m, const struct device *d, const struct listener *l)
{
	const struct device *other = d;

	/* On a root bus, functions with the same slot number need not be one card. */
	if (!d->parent || d->found.virtual)
		return;
	while (other > m->device && PCIADDR_SLOT(other[-1].address) == PCIADDR_SLOT(d->address))
		other--;
	for (; other < m->end && PCIADDR_SLOT(other->address) == PCIADDR_SLOT(d->address); other++) {
		if (other->group == d->group || !is_missed(other))
			continue;
		say(l, LEVEL_REFUSED, "%s: the card is claimed in part, the host keeps %s", d->name, other->name);
		return;
	}
}

/* Warns of what the claim costs the host (8). */
static void warn_of_cost(const struct machine *m, const struct device *d, const struct listener *l)
{
	static const struct {
		enum reserved rule;
		const char *cost;
	} costs[] = {
		{ RESERVED_DISPLAY, "the screen stays dark from the initramfs on" },
		{ RESERVED_BY_ENTRY, "the host cannot use it" },
		{ RESERVED_PLATFORM, "the host cannot use it" },
	};
	struct text t;

	for (unsigned i = 0; i < ARRAY_SIZE(costs); i++) {
		if (plan_reserved(m, d, costs[i].rule) != costs[i].rule)
			continue;
		text_set(&t, "%pd is claimed, and %s: ", d, costs[i].cost);
		add_reserved(&t, m, d, costs[i].rule);
		l->say(l, LEVEL_REFUSED, t.p);
	}
}

void say_warnings(const struct machine *m, const struct listener *l)
{
	const struct selector *sel;
	const struct device *d;
	const struct group *g;

	/* Without a snapshot no selector matches, so all warnings would be wrong. */
	if (m->end == m->device)
		return;
	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel)
			warn_of_entry(m, sel, i, l);
	}
	if (m->no_aliases)
		l->say(l, LEVEL_REFUSED, "driver=auto: modules.alias cannot be read, vfio-pci is used");
	if (plan_ignores_groups(m)) {
		for_each_group(m, g)
			warn_of_group(g, l);
	} else if (m->settings->group == GROUP_IGNORE) {
		l->say(l, LEVEL_REFUSED, "group=ignore acts as refuse before Linux 5.19");
	}
	warn_of_idle(m, l);
	for_each_device(m, d) {
		if (d->asked.vfs)
			warn_of_numbers(m, d, l);
		if (!is_claimed(d))
			continue;
		warn_of_cost(m, d, l);
		warn_of_card(m, d, l);
	}
}

void say_verdicts(const struct machine *m, bool ran, const struct listener *l)
{
	const struct selector *sel = NULL;
	const struct device *d;
	struct text t;

	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE || d->done.said)
			continue;
		set_device_line(&t, m, d, ran);
		l->say(l,
		       d->decided.verdict == VERDICT_FAILED			      ? LEVEL_FAILED
		       : d->decided.verdict == VERDICT_REFUSED || d->done.framebuffer ? LEVEL_REFUSED
										      : LEVEL_DONE,
		       t.p);
	}
	/* Before the second look, a slow bus may still bring the device. */
	while (m->phase != PHASE_INIT_TOP && !m->settle && (sel = next_absent(m, sel))) {
		set_absent_line(&t, m, sel);
		l->say(l, sel->flags & SELECTOR_OPTIONAL ? LEVEL_DONE : LEVEL_REFUSED, t.p);
	}
}
