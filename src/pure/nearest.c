// SPDX-License-Identifier: GPL-2.0-or-later
#include "nearest.h"
#include "format.h"
#include "settings.h"

const struct selector *next_absent(const struct machine *m, const struct selector *after)
{
	const struct selector *next = NULL, *sel;
	int order;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (m->no_claim_reason || sel->flags & (SELECTOR_MATCHED | SELECTOR_EXCLUDES))
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

/*
 * Returns how near a device is to an absent selector: 3 for another function of the slot, 2 for the same device at
 * another address or with another subsystem or class, 1 for the same vendor or base class, 0 for anything else.
 */
static unsigned nearness(const struct selector *sel, const struct device *d)
{
	if (sel->kind <= SELECT_ADDRESS && PCIADDR_SLOT(d->address) == PCIADDR_SLOT(sel->address))
		return 3;
	if (sel->kind == SELECT_CLASS)
		return sel->class >> 16 == base_class(d);
	if (sel->kind == SELECT_BOOT_VGA)
		return base_class(d) == 0x03;
	if (d->found.ids.vendor != sel->ids.vendor)
		return 0;
	return d->found.ids.device == sel->ids.device ? 2 : 1;
}

void add_absent(struct text *t, const struct machine *m, const struct selector *sel)
{
	const struct device *nearest = NULL, *d;
	unsigned best = 0;

	for_each_device(m, d) {
		unsigned near = nearness(sel, d);

		if (near > best) {
			best = near;
			nearest = d;
		}
	}
	text_add(t, "no such device");
	if (sel->flags & SELECTOR_VIRTUAL)
		text_add(t, " at boot (virtual functions are made later)");
	if (nearest)
		text_add(t, "; nearest: %pd", nearest);
	if (sel->flags & SELECTOR_OPTIONAL)
		text_add(t, " (optional)");
}

void set_absent_line(struct text *t, const struct machine *m, const struct selector *sel)
{
	text_set(t, "%.*s: absent: ", (int)sel->text.len, sel->text.p);
	add_absent(t, m, sel);
}
