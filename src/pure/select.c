// SPDX-License-Identifier: GPL-2.0-or-later
#include "select.h"

bool more_specific(const struct selector *a, const struct selector *b)
{
	if (!b)
		return true;
	return a->kind != b->kind ? a->kind < b->kind : span_cmp(a->text, b->text) < 0;
}

struct device *candidates(struct machine *m, const struct selector *sel, struct device **end)
{
	struct device *first;
	pciaddr last;

	*end = m->end;
	if (!selector_has_place(sel))
		return m->device;
	last = sel->kind == SELECT_PATH ? sel->target : sel->address;
	first = machine_from(m, last);
	if (sel->flags & SELECTOR_SLOT)
		last |= 7;
	for (*end = first; *end < m->end && (*end)->address <= last;)
		++*end;
	return first;
}

/* A selector of `ids` selects the device, unless its guard fails. */
static void apply_selector(struct selector *sel, struct device *d)
{
	enum selector_match match = selector_match(sel, d);

	if (match == SELECTOR_NO)
		return;
	sel->flags |= SELECTOR_MATCHED;
	if (match == SELECTOR_GUARD_FAILS) {
		/* A failing guard counts only if nothing else selects the device. */
		if (d->asked.selected)
			return;
		d->asked.guard_failed = true;
	} else {
		if (d->asked.guard_failed)
			d->asked.selector = NULL;
		d->asked.guard_failed = false;
		d->asked.selected = true;
		if (selector_names(sel))
			d->asked.named = true;
	}
	if (more_specific(sel, d->asked.selector))
		d->asked.selector = sel;
}

/* Returns true if the selector has a guard that no device fits. */
static bool is_stale(struct machine *m, const struct selector *sel)
{
	struct device *d, *end;

	if (!(sel->flags & SELECTOR_GUARDED))
		return false;
	for (d = candidates(m, sel, &end); d < end; d++) {
		if (selector_match(sel, d) == SELECTOR_YES)
			return false;
	}
	return true;
}

bool selector_needs_ids(struct machine *m, const struct selector *sel, enum list_name list)
{
	const bool covers = list == LIST_PROTECT || list == LIST_RESERVE || sel->flags & SELECTOR_EXCLUDES;
	struct device *first, *end;

	if (!selector_has_place(sel))
		return true;
	if (covers)
		return is_stale(m, sel);
	/* What is nearest to an absent one is a question of IDs. */
	first = candidates(m, sel, &end);
	return first == end && !m->settle;
}

/* An exclusion, or an entry of `protect` or `reserve`, marks the devices that it covers. */
static void apply_cover(struct selector *sel, struct machine *m, enum list_name list)
{
	struct device *d, *end;

	d = candidates(m, sel, &end);
	if (is_stale(m, sel)) {
		sel->flags |= SELECTOR_STALE;
		d = m->device;
		end = m->end;
	}
	for (; d < end; d++) {
		if (!selector_covers(sel, d))
			continue;
		sel->flags |= SELECTOR_MATCHED;
		if (list == LIST_IDS)
			d->asked.excluded = true;
		else if (list == LIST_PROTECT && more_specific(sel, d->asked.protects))
			d->asked.protects = sel;
		else if (list == LIST_RESERVE && more_specific(sel, d->asked.reserves))
			d->asked.reserves = sel;
	}
}

void select_twins(struct machine *m)
{
	const struct device *protected;
	struct device *d;

	for_each_device(m, protected) {
		/* One with a twin had its ID looked for already. */
		if (!protected->asked.protects || protected->asked.twin)
			continue;
		for_each_device(m, d) {
			if (has_same_id(d, protected))
				d->asked.twin = protected;
		}
	}
}

struct selector *vfs_entry(const struct machine *m, const struct device *pf)
{
	const struct list *list = &m->settings->list[LIST_VFS];
	struct selector *sel, *best = NULL;

	for_each_selector(list, sel) {
		if (!list->off && selector_match(sel, pf) == SELECTOR_YES && more_specific(sel, best))
			best = sel;
	}
	return best;
}

/* The functions that an entry of `vfs` matches are PFs. One whose guard fails is refused for that. */
static void apply_vfs(struct selector *sel, struct machine *m)
{
	struct device *d, *end;

	for (d = candidates(m, sel, &end); d < end; d++) {
		enum selector_match match = selector_match(sel, d);

		if (match == SELECTOR_NO)
			continue;
		sel->flags |= SELECTOR_MATCHED;
		if (match != SELECTOR_GUARD_FAILS || d->asked.selected)
			continue;
		d->asked.guard_failed = true;
		if (more_specific(sel, d->asked.selector))
			d->asked.selector = sel;
	}
}

/* Selects the VFs of each PF for which there is an entry of `vfs`. They are named if it names the PF. */
static void select_virtual(struct machine *m)
{
	struct device *pf, *d;

	for_each_device(m, pf) {
		pf->asked.vfs = vfs_entry(m, pf);
		if (pf->asked.vfs && !pf->asked.selector)
			pf->asked.selector = pf->asked.vfs;
	}
	for_each_device(m, d) {
		pf = d->found.pf ? machine_find(m, d->found.pf) : NULL;
		/* VFs in another number are somebody else's. */
		if (!pf || !pf->asked.vfs || (!d->found.later && pf->found.vfs != pf->asked.vfs->vfs))
			continue;
		if (d->asked.guard_failed || !d->asked.selector)
			d->asked.selector = pf->asked.vfs;
		d->asked.guard_failed = false;
		d->asked.selected = true;
		d->asked.named |= selector_names(pf->asked.vfs);
	}
}

static void apply_entry(struct selector *sel, struct machine *m, enum list_name list)
{
	struct device *d, *end;

	sel->flags &= SELECTOR_KEPT;
	if (list == LIST_VFS) {
		apply_vfs(sel, m);
		return;
	}
	if (list != LIST_IDS || sel->flags & SELECTOR_EXCLUDES) {
		if (list == LIST_IDS || !m->settings->list[list].off)
			apply_cover(sel, m, list);
		return;
	}
	for (d = candidates(m, sel, &end); d < end; d++)
		apply_selector(sel, d);
}

void select_devices(struct machine *m)
{
	struct device *d;

	for_each_device(m, d)
		memset(&d->asked, 0, sizeof(d->asked));
	for (enum list_name i = 0; i < LISTS; i++) {
		struct selector *sel;

		for_each_selector(&m->settings->list[i], sel)
			apply_entry(sel, m, i);
	}
	if (!list_is_empty(&m->settings->list[LIST_VFS]))
		select_virtual(m);
}
