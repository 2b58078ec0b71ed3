// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "oracle.h"

enum match { NOT, MEANT, GUARD_FAILS };

static bool same(uint32_t wanted, uint32_t id)
{
	return wanted == ANY_ID || wanted == id;
}

static bool has_ids(const struct selector *sel, const struct device *d)
{
	return same(sel->ids.vendor, d->found.ids.vendor) && same(sel->ids.device, d->found.ids.device) &&
	       same(sel->ids.subvendor, d->found.ids.subvendor) && same(sel->ids.subdevice, d->found.ids.subdevice);
}

static enum match match(const struct selector *sel, const struct device *d)
{
	bool there = false;

	if (sel->kind == SELECT_ADDRESS && sel->flags & SELECTOR_SLOT)
		there = d->address / 8 == sel->address / 8;
	else if (sel->kind == SELECT_ADDRESS)
		there = d->address == sel->address;
	else if (sel->kind == SELECT_PATH)
		there = d->address == sel->target;
	else if (sel->kind == SELECT_BOOT_VGA)
		there = d->found.boot_display;
	else
		return has_ids(sel, d) && !((d->found.class ^ sel->class) & sel->class_mask) ? MEANT : NOT;
	if (!there)
		return NOT;
	return sel->flags & SELECTOR_GUARDED && !has_ids(sel, d) ? GUARD_FAILS : MEANT;
}

/* "One whose guard does not fit any more protects both the function it leads to and every function with that ID." */
static bool covers(const struct machine *m, const struct selector *sel, const struct device *d)
{
	const struct device *other;

	if (match(sel, d) == MEANT)
		return true;
	if (!(sel->flags & SELECTOR_GUARDED))
		return false;
	for_each_device(m, other) {
		if (match(sel, other) == MEANT)
			return false;
	}
	return match(sel, d) == GUARD_FAILS || has_ids(sel, d);
}

bool oracle_in_list(const struct machine *m, enum list_name list, const struct device *d)
{
	const struct list *l = &m->settings->list[list];
	const struct selector *sel;

	if (list != LIST_IDS && l->off)
		return false;
	for_each_selector(l, sel) {
		if ((list != LIST_IDS || sel->flags & SELECTOR_EXCLUDES) && covers(m, sel, d))
			return true;
	}
	return false;
}

static bool broad(const struct selector *sel)
{
	return sel->kind == SELECT_ID || sel->kind == SELECT_CLASS;
}

/* Does any selector of ids match d in this way? */
static bool matched(const struct machine *m, const struct device *d, enum match how)
{
	const struct selector *sel;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && match(sel, d) == how)
			return true;
	}
	return false;
}

bool oracle_named(const struct machine *m, const struct device *d)
{
	const struct selector *sel;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && !broad(sel) && match(sel, d) == MEANT)
			return true;
	}
	return false;
}

static bool excluded(const struct machine *m, const struct device *d)
{
	return oracle_in_list(m, LIST_IDS, d);
}

/* By a selector, and not taken away again. */
static bool selected(const struct machine *m, const struct device *d)
{
	return matched(m, d, MEANT) && !excluded(m, d);
}

static bool guard_fails(const struct machine *m, const struct device *d)
{
	return matched(m, d, GUARD_FAILS) && !matched(m, d, MEANT);
}

static bool bridge(const struct device *d)
{
	unsigned class = d->found.class >> 8;

	return class == 0x0604 || class == 0x0607 || class == 0x0609;
}

static bool behind_parent(const struct device *d)
{
	for (d = d->parent; d; d = d->parent) {
		if (!bridge(d))
			return true;
	}
	return false;
}

static bool host_bridge(const struct device *d)
{
	return d->found.class >> 8 == 0x0600;
}

static bool exempt(const struct machine *m, const struct device *d)
{
	return bridge(d) || behind_parent(d) || (host_bridge(d) && !selected(m, d));
}

bool oracle_stays(const struct machine *m, const struct device *d)
{
	return exempt(m, d);
}

/* A member of the group of d that starts group=whole. */
static bool starts(const struct machine *m, const struct device *d)
{
	return selected(m, d) && !exempt(m, d);
}

/* Would group=whole take it, were it not for an exclusion? */
static bool would_be_taken(const struct machine *m, const struct device *d)
{
	const struct device *other;

	if (m->settings->group != GROUP_WHOLE || !d->group || exempt(m, d) || matched(m, d, MEANT) || guard_fails(m, d))
		return false;
	for_each_member(d->group, other) {
		if (starts(m, other))
			return true;
	}
	return false;
}

static bool taken(const struct machine *m, const struct device *d)
{
	return would_be_taken(m, d) && !excluded(m, d);
}

static bool is_vfio(const char *driver)
{
	return driver && !strcmp(driver, "vfio-pci");
}

static bool platform(const struct machine *m, const struct device *d)
{
	unsigned class = d->found.class >> 8;
	const struct device *other;

	if (class >> 8 == 5 || class >> 8 == 6 || class == 0x0806 || class == 0x0807 || class == 0x0c05)
		return true;
	for_each_device(m, other) {
		if (other->parent == d && !bridge(d))
			return true;
	}
	return false;
}

static bool twin_is_protected(const struct machine *m, const struct device *d)
{
	const struct device *other;

	for_each_device(m, other) {
		if (!memcmp(&other->found.ids, &d->found.ids, 2 * sizeof(d->found.ids.vendor)) &&
		    oracle_in_list(m, LIST_PROTECT, other))
			return true;
	}
	return false;
}

/* Rules 3 and 6: what speaks against d itself. */
static enum reason own_reason(const struct machine *m, const struct device *d)
{
	const struct settings *s = m->settings;
	bool named = oracle_named(m, d);
	bool unknown = s->protect_unknown && !s->list[LIST_PROTECT].off;
	const struct {
		bool applies;
		enum reason reason;
	} reasons[] = {
		{ bridge(d), REASON_BRIDGE },
		{ guard_fails(m, d), REASON_GUARD_MISMATCH },
		{ behind_parent(d), REASON_BEHIND_PARENT },
		{ oracle_in_list(m, LIST_PROTECT, d), REASON_PROTECTED },
		{ !named && twin_is_protected(m, d), REASON_PROTECTED },
		{ !named && d->found.class >> 16 == 1 && unknown, REASON_PROTECTED },
		{ d->found.use != USE_NONE, REASON_IN_USE },
		{ d->found.override && !is_vfio(d->found.override) && !is_vfio(d->found.driver), REASON_OVERRIDDEN },
		{ !d->group || d->group->flags & GROUP_NOIOMMU, REASON_NO_IOMMU },
		{ !named && d->found.boot_display, REASON_BOOT_VGA },
		{ !named && (oracle_in_list(m, LIST_RESERVE, d) || platform(m, d) || s->only_named), REASON_RESERVED },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].applies)
			return reasons[i].reason;
	}
	return REASON_NONE;
}

/* Is it dealt with at all, other than by an exclusion? */
static bool concerned(const struct machine *m, const struct device *d)
{
	return !excluded(m, d) && (matched(m, d, MEANT) || guard_fails(m, d) || taken(m, d));
}

static bool refused_for_itself(const struct machine *m, const struct device *d)
{
	return concerned(m, d) && own_reason(m, d);
}

/* Rule 5 */
static bool holds_back(const struct machine *m, const struct device *d)
{
	bool keep = m->settings->unbind == NO;
	unsigned base = d->found.class >> 16;

	if (!d->found.driver)
		return false;
	if (bridge(d))
		return keep && strcmp(d->found.driver, "pcieport") && strcmp(d->found.driver, "pci-stub");
	if (host_bridge(d) && exempt(m, d))
		return (keep || excluded(m, d)) && strncmp(d->found.driver, "vfio", 4) &&
		       strcmp(d->found.driver, "pci-stub");
	if (behind_parent(d))
		return false;
	if (is_vfio(d->found.driver))
		return false;
	return keep || (m->phase == PHASE_SECOND_LOOK && (base == 1 || base == 2 || base == 3) && !oracle_named(m, d));
}

bool oracle_keeps_back_as_member(const struct machine *m, const struct device *d)
{
	return host_bridge(d) && selected(m, d) && (own_reason(m, d) || holds_back(m, d));
}

/* Rule 4, for a device that nothing of its own speaks against. */
static enum reason group_reason(const struct machine *m, const struct device *d)
{
	bool member_refused = d->group->non_pci_member != NULL, incomplete = false, held = false;
	const struct device *o;

	if (m->settings->group == GROUP_IGNORE && m->kernel >> 8 >= 5 &&
	    (m->kernel >> 8 > 5 || (m->kernel & 0xff) >= 19))
		return holds_back(m, d) ? REASON_UNBIND_NOT_ALLOWED : REASON_NONE;
	for_each_member(d->group, o) {
		member_refused |= oracle_in_list(m, LIST_PROTECT, o);
		held |= holds_back(m, o);
		if (exempt(m, o))
			continue;
		member_refused |= refused_for_itself(m, o) || o->found.use;
		incomplete |= !selected(m, o) && !taken(m, o);
	}
	return member_refused ? REASON_GROUP_MEMBER_REFUSED
	       : incomplete   ? REASON_GROUP_INCOMPLETE
	       : held	      ? REASON_UNBIND_NOT_ALLOWED
			      : REASON_NONE;
}

static struct fate judge(const struct machine *m, const struct device *d)
{
	enum reason reason;

	if (excluded(m, d))
		return (struct fate){ matched(m, d, MEANT) || guard_fails(m, d) || would_be_taken(m, d)
					      ? VERDICT_EXCLUDED
					      : VERDICT_NONE,
				      REASON_NONE };
	if (!concerned(m, d))
		return (struct fate){ VERDICT_NONE, REASON_NONE };
	reason = own_reason(m, d);
	if (reason == REASON_NO_IOMMU &&
	    (m->phase == PHASE_INIT_TOP || (m->phase == PHASE_NEXT_BOOT && !m->any_group && m->firmware)))
		return (struct fate){ VERDICT_PENDING, reason };
	if (!reason)
		reason = group_reason(m, d);
	if (reason)
		return (struct fate){ VERDICT_REFUSED, reason };
	return (struct fate){ is_vfio(d->found.driver) && m->phase != PHASE_NEXT_BOOT ? VERDICT_ALREADY : VERDICT_CLAIM,
			      REASON_NONE };
}

/* Do only broad selectors match d, and does one of them claim another device? */
static bool served(const struct machine *m, const struct fate *fates, const struct device *d)
{
	const struct selector *sel;
	const struct device *other;

	if (oracle_named(m, d))
		return false;
	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (sel->flags & SELECTOR_EXCLUDES || match(sel, d) != MEANT)
			continue;
		for_each_device(m, other) {
			enum verdict verdict = fates[other - m->device].verdict;

			if (match(sel, other) == MEANT && (verdict == VERDICT_CLAIM || verdict == VERDICT_ALREADY))
				return true;
		}
	}
	return false;
}

/* Rule 7 */
static bool kept(const struct machine *m, const struct fate *fates, const struct device *d)
{
	const struct device *other;
	bool any = false;

	switch (fates[d - m->device].reason) {
	case REASON_BRIDGE:
	case REASON_BEHIND_PARENT:
	case REASON_PROTECTED:
	case REASON_BOOT_VGA:
	case REASON_RESERVED:
	case REASON_GROUP_MEMBER_REFUSED:
		break;
	default:
		return false;
	}
	if (!taken(m, d))
		return served(m, fates, d);
	for_each_member(d->group, other) {
		if (starts(m, other) && oracle_named(m, other))
			return false;
		any |= starts(m, other) && served(m, fates, other);
	}
	return any;
}

void oracle_decide(const struct machine *m, struct fate *fates)
{
	const struct device *d;

	for_each_device(m, d)
		fates[d - m->device] = judge(m, d);
	for_each_device(m, d) {
		struct fate *fate = &fates[d - m->device];

		if (fate->verdict == VERDICT_REFUSED && kept(m, fates, d))
			fate->verdict = VERDICT_KEPT;
	}
}
