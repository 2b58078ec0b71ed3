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

static bool host_bridge(const struct device *d)
{
	return d->found.class >> 8 == 0x0600;
}

/* Rule 1: what stays with the host whoever selects it. */
static bool bridge(const struct device *d)
{
	unsigned class = d->found.class >> 8;

	return class == 0x0604 || class == 0x0607 || class == 0x0609 || host_bridge(d);
}

static bool behind_parent(const struct device *d)
{
	for (d = d->parent; d; d = d->parent) {
		if (!bridge(d))
			return true;
	}
	return false;
}

bool oracle_stays(const struct device *d)
{
	return bridge(d) || behind_parent(d);
}

/* A member of the group of d that starts group=whole. */
static bool starts(const struct machine *m, const struct device *d)
{
	return selected(m, d) && !oracle_stays(d);
}

/* Would group=whole take it, were it not for an exclusion? */
static bool would_be_taken(const struct machine *m, const struct device *d)
{
	const struct device *other;

	if (m->settings->group != GROUP_WHOLE || !d->group || oracle_stays(d) || matched(m, d, MEANT) ||
	    guard_fails(m, d))
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

/* Is this the driver that d is to be claimed for? */
static bool right(const struct device *d, const char *driver)
{
	return driver && !strcmp(driver, d->found.target);
}

/* "Not judged for the next boot." */
static bool in_use(const struct machine *m, const struct device *d)
{
	return m->phase != PHASE_NEXT_BOOT && d->found.use != USE_NONE;
}

static bool overridden(const struct machine *m, const struct device *d)
{
	return m->phase != PHASE_NEXT_BOOT && d->found.override && !right(d, d->found.override) &&
	       !right(d, d->found.driver);
}

/*
 * "VFIO will never give it to anybody": the IDs are those of vfio_pci_dev_in_denylist(), with the names that pci_ids.h
 * has for them.
 */
static bool unusable(const struct machine *m, const struct device *d)
{
	bool variant = strcmp(d->found.target, "vfio-pci") != 0, denied = false;

	if (d->found.ids.vendor == 0x8086) {
		switch (d->found.ids.device) {
		case 0x19e2: /* QAT_C3XXX */
		case 0x19e3: /* QAT_C3XXX_VF */
		case 0x37c8: /* QAT_C62X */
		case 0x37c9: /* QAT_C62X_VF */
		case 0x0435: /* QAT_DH895XCC */
		case 0x0443: /* QAT_DH895XCC_VF */
		case 0x0b25: /* DSA_SPR0 */
		case 0x0cfe: /* IAX_SPR0 */
			denied = true;
		}
	}
	return (denied && !variant && !m->denylist_off) || (d->group && d->group->flags & GROUP_DIRECT);
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
		if (other->found.ids.vendor == d->found.ids.vendor && other->found.ids.device == d->found.ids.device &&
		    oracle_in_list(m, LIST_PROTECT, other))
			return true;
	}
	return false;
}

bool oracle_only_named(const struct machine *m)
{
	const struct settings *s = m->settings;

	for (unsigned list = 0; list < LISTS; list++) {
		if (s->unreadable[list].source && (list == LIST_IDS || !s->list[list].off))
			return true;
	}
	return false;
}

/* Is d claimed only where it is named? */
static bool oracle_reserved(const struct machine *m, const struct device *d)
{
	const struct settings *s = m->settings;
	bool unknown = s->protect_unknown && !s->list[LIST_PROTECT].off;

	return oracle_in_list(m, LIST_RESERVE, d) || d->found.boot_display || twin_is_protected(m, d) ||
	       (d->found.class >> 16 == 1 && unknown) || platform(m, d) || oracle_only_named(m);
}

/* Rules 3 and 6: what speaks against d itself. */
static enum reason own_reason(const struct machine *m, const struct device *d)
{
	const struct {
		bool applies;
		enum reason reason;
	} reasons[] = {
		{ bridge(d), REASON_BRIDGE },
		{ guard_fails(m, d), REASON_GUARD_MISMATCH },
		{ behind_parent(d), REASON_BEHIND_PARENT },
		{ oracle_in_list(m, LIST_PROTECT, d), REASON_PROTECTED },
		{ in_use(m, d), REASON_IN_USE },
		{ overridden(m, d), REASON_OVERRIDDEN },
		{ !d->group || d->group->flags & GROUP_NOIOMMU, REASON_NO_IOMMU },
		{ unusable(m, d), REASON_UNUSABLE },
		{ !oracle_named(m, d) && oracle_reserved(m, d), REASON_RESERVED },
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

/* "any but the vfio drivers, pcieport and pci-stub" */
static bool blocks(const struct device *d)
{
	const char *driver = d->found.driver;

	return driver && !strstr(driver, "vfio") && strcmp(driver, "pcieport") && strcmp(driver, "pci-stub");
}

/* Rule 5: does a driver hold d that may not be taken off? */
static bool holds_back(const struct machine *m, const struct device *d)
{
	bool keep = m->settings->unbind == NO;
	unsigned base = d->found.class >> 16;

	if (bridge(d))
		return blocks(d) && (keep || excluded(m, d));
	if (!d->found.driver || right(d, d->found.driver) || behind_parent(d))
		return false;
	return keep || (m->phase == PHASE_SECOND_LOOK && (base == 1 || base == 2 || base == 3) && !oracle_named(m, d));
}

/* group=ignore holds from Linux 5.19 on. */
static bool ignores_groups(const struct machine *m)
{
	unsigned version = m->kernel >> 8, patchlevel = m->kernel & 0xff;

	return m->settings->group == GROUP_IGNORE && (version > 5 || (version == 5 && patchlevel >= 19));
}

/* Rule 4, for a device that nothing of its own speaks against. */
static enum reason group_reason(const struct machine *m, const struct device *d)
{
	bool member_refused = d->group->non_pci_member != NULL, incomplete = false, held = false;
	const struct device *o;

	if (ignores_groups(m))
		return holds_back(m, d) ? REASON_UNBIND_NOT_ALLOWED : REASON_NONE;
	for_each_member(d->group, o) {
		member_refused |= oracle_in_list(m, LIST_PROTECT, o);
		held |= holds_back(m, o);
		if (oracle_stays(o))
			continue;
		member_refused |= refused_for_itself(m, o) || in_use(m, o);
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
	return (struct fate){ right(d, d->found.driver) && m->phase != PHASE_NEXT_BOOT ? VERDICT_ALREADY
										       : VERDICT_CLAIM,
			      REASON_NONE };
}

static bool is_claim(const struct fate *fate)
{
	return fate->verdict == VERDICT_CLAIM || fate->verdict == VERDICT_ALREADY;
}

static bool only_broad(const struct machine *m, const struct device *d)
{
	return matched(m, d, MEANT) && !oracle_named(m, d);
}

/* Rule 7, of a device that is refused. */
static bool kept(const struct machine *m, const struct device *d, enum reason reason)
{
	const struct device *other;

	switch (reason) {
	case REASON_BRIDGE:
	case REASON_BEHIND_PARENT:
	case REASON_PROTECTED:
	case REASON_UNUSABLE:
	case REASON_RESERVED:
	case REASON_GROUP_MEMBER_REFUSED:
		break;
	default:
		return false;
	}
	if (!taken(m, d))
		return only_broad(m, d);
	for_each_member(d->group, other) {
		if (starts(m, other) && !only_broad(m, other))
			return false;
	}
	return true;
}

void oracle_decide(const struct machine *m, struct fate *fates)
{
	const struct device *d;

	for_each_device(m, d) {
		struct fate *fate = &fates[d - m->device];

		*fate = m->no_claim_reason ? (struct fate){ VERDICT_NONE, REASON_NONE } : judge(m, d);
		if (fate->verdict == VERDICT_REFUSED && kept(m, d, fate->reason))
			fate->verdict = VERDICT_KEPT;
	}
}

/* A failing guard is there, too: its device has a verdict. */
static bool absent(const struct machine *m, const struct selector *sel)
{
	const struct device *d;

	for_each_device(m, d) {
		if (match(sel, d) != NOT)
			return false;
	}
	return true;
}

bool oracle_is_idle(const struct machine *m, const struct fate *fates, const struct selector *sel)
{
	const struct device *d;
	bool any = false;

	if (m->no_claim_reason || sel->flags & SELECTOR_EXCLUDES || !broad(sel))
		return false;
	for_each_device(m, d) {
		if (match(sel, d) != MEANT)
			continue;
		/* What is pending may still be claimed. */
		if (is_claim(&fates[d - m->device]) || fates[d - m->device].verdict == VERDICT_PENDING)
			return false;
		any |= !excluded(m, d);
	}
	return any;
}

int oracle_status(const struct machine *m, const struct fate *fates)
{
	const struct selector *sel;
	const struct device *d;

	if (m->settings->problems)
		return 2;
	if (m->no_claim_reason)
		return 0;
	for_each_device(m, d) {
		enum verdict verdict = fates[d - m->device].verdict;

		if (verdict == VERDICT_REFUSED || verdict == VERDICT_PENDING)
			return 1;
	}
	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (oracle_is_idle(m, fates, sel))
			return 1;
		if (!(sel->flags & (SELECTOR_EXCLUDES | SELECTOR_OPTIONAL)) && absent(m, sel))
			return 1;
	}
	return 0;
}
