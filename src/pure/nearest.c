// SPDX-License-Identifier: GPL-2.0-or-later
#include "nearest.h"
#include "format.h"
#include "settings.h"

/* Returns the one of two absent selectors, behind `after`, that comes first. */
static const struct selector *next_in(const struct list *list, const struct selector *after,
				      const struct selector *next)
{
	const struct selector *sel;
	int order;

	for_each_selector(list, sel) {
		if (list->off || sel->flags & (SELECTOR_MATCHED | SELECTOR_EXCLUDES))
			continue;
		if (after && span_cmp(sel->text, after->text) <= 0)
			continue;
		/* Of equal texts, prefer the one that is not optional, because its absence is a fault. */
		order = next ? span_cmp(sel->text, next->text) : -1;
		if (order < 0 || (!order && next->flags & SELECTOR_OPTIONAL))
			next = sel;
	}
	return next;
}

const struct selector *next_absent(const struct machine *m, const struct selector *after)
{
	const struct list *list = m->settings->list;

	if (m->no_claim_reason)
		return NULL;
	return next_in(&list[LIST_VFS], after, next_in(&list[LIST_IDS], after, NULL));
}

#define NEAR_CLASS 1
#define NEAR_ID	   0x10000 /* the same device; less for other devices of the vendor */
#define NEAR_PLACE (NEAR_ID + 1)

/*
 * Returns how near a device is to what a selector is about besides its place. An ID is nearest to the next one of its
 * vendor, since a vendor numbers what is alike in a row. A bridge is no answer: all machines with an Intel processor
 * have one of Intel, and nobody can claim it.
 */
static unsigned nearness_of_kind(const struct selector *sel, const struct device *d)
{
	unsigned id = d->found.ids.device, wanted = sel->ids.device == ANY_ID ? id : sel->ids.device;

	if (sel->kind == SELECT_CLASS)
		return sel->class >> 16 == base_class(d) ? NEAR_CLASS : 0;
	if (sel->kind == SELECT_BOOT_VGA)
		return base_class(d) == 0x03 ? NEAR_CLASS : 0;
	if (d->found.ids.vendor != sel->ids.vendor || (sel->ids.device != id && is_bridge(d)))
		return 0;
	return NEAR_ID - (id < wanted ? wanted - id : id - wanted);
}

/*
 * Returns how near a device is to an absent selector, or 0 if it has nothing in common with it. Nearest are those that
 * are where the selector leads: the functions behind the last bridge of a path that exists, or those of the same slot.
 */
static unsigned nearness(const struct selector *sel, const struct device *d)
{
	bool there = sel->behind != PCIADDR_NONE ? PCIADDR_BUS(d->address) == PCIADDR_BUS(sel->behind)
						 : PCIADDR_SLOT(d->address) == PCIADDR_SLOT(sel->address);

	return there ? NEAR_PLACE : nearness_of_kind(sel, d);
}

/* How many functions behind a bridge a message lists. */
#define BEHIND_SHOWN 8

static void add_nearest(struct text *t, const struct machine *m, const struct selector *sel)
{
	const struct device *nearest = NULL, *d;
	unsigned best = 0, shown = 0;

	for_each_device(m, d) {
		unsigned near = nearness(sel, d);

		if (near > best) {
			best = near;
			nearest = d;
		}
	}
	if (!nearest)
		return;
	text_add(t, "; nearest: %pd", nearest);
	/* All of those behind a bridge are as near as the first one. */
	if (sel->behind == PCIADDR_NONE)
		return;
	for (d = nearest + 1; d < m->end && nearness(sel, d) == NEAR_PLACE && ++shown < BEHIND_SHOWN; d++)
		text_add(t, ", %pd", d);
}

void add_absent(struct text *t, const struct machine *m, const struct selector *sel)
{
	text_add(t, "no such device");
	if (sel->flags & SELECTOR_VIRTUAL)
		text_add(t, " at boot (virtual functions are made later: set vfs)");
	add_nearest(t, m, sel);
	if (sel->flags & SELECTOR_OPTIONAL)
		text_add(t, " (optional)");
}

void set_absent_line(struct text *t, const struct machine *m, const struct selector *sel)
{
	text_set(t, "%.*s: absent: ", (int)sel->text.len, sel->text.p);
	add_absent(t, m, sel);
}
