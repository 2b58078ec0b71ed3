// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "plan.h"
#include "settings.h"

bool plan_ignores_groups(const struct machine *m)
{
	return m->settings->group == GROUP_IGNORE && m->kernel >= KERNEL_DMA_OWNER;
}

static bool is_marked(const struct device *d)
{
	return d->asked.selected || d->asked.guard_failed;
}

/* Memory, bridges of every kind, IOMMU, root complex event collector, SMBus, and functions with others below them. */
static bool is_platform(const struct device *d)
{
	unsigned class = d->found.class >> 8, base = base_class(d);

	return base == 0x05 || base == 0x06 || class == 0x0806 || class == 0x0807 || class == 0x0c05 ||
	       d->found.parent_of_pci;
}

enum reserved plan_reserved(const struct machine *m, const struct device *d, enum reserved rule)
{
	const struct settings *s = m->settings;
	const bool applies[] = {
		[RESERVED_BY_ENTRY] = d->asked.reserves != NULL,
		[RESERVED_DISPLAY] = d->found.boot_display,
		[RESERVED_TWIN] = d->asked.twin != NULL,
		[RESERVED_STORAGE] = base_class(d) == 0x01 && s->protect_unknown && !s->list[LIST_PROTECT].off,
		[RESERVED_PLATFORM] = is_platform(d),
		[RESERVED_UNREADABLE] = settings_unreadable(s) != NULL,
	};

	while (rule < ARRAY_SIZE(applies) && !applies[rule])
		rule++;
	return rule;
}

/*
 * The denylist of vfio-pci (vfio_pci_dev_in_denylist() in Linux 6.10 and later). All are devices of Intel: QuickAssist
 * DH895XCC, C3XXX and C62X with their VFs, and the first generation of DSA and IAX.
 */
static bool is_on_denylist(const struct device *d)
{
	static const uint16_t denied[] = { 0x0435, 0x0443, 0x19e2, 0x19e3, 0x37c8, 0x37c9, 0x0b25, 0x0cfe };
	unsigned i = 0;

	while (i < ARRAY_SIZE(denied) && denied[i] != d->found.ids.device)
		i++;
	return d->found.ids.vendor == 0x8086 && i < ARRAY_SIZE(denied);
}

enum unusable plan_unusable(const struct machine *m, const struct device *d)
{
	/* Variant drivers have no such list. */
	if (!m->denylist_off && d->found.target == m->vfio_pci && is_on_denylist(d))
		return UNUSABLE_DENYLIST;
	return d->group && d->group->flags & GROUP_DIRECT ? UNUSABLE_DIRECT : UNUSABLE_NOT;
}

bool plan_rule(const struct machine *m, const struct device *d, bool named, enum reason rule)
{
	switch (rule) {
	case REASON_BRIDGE:
		return is_bridge(d);
	case REASON_GUARD_MISMATCH:
		return d->asked.guard_failed;
	case REASON_BEHIND_PARENT:
		return parent_that_is_no_bridge(d);
	case REASON_PROTECTED:
		return d->asked.protects;
	case REASON_IN_USE:
		return d->found.use;
	case REASON_OVERRIDDEN:
		return d->found.override && d->found.override != d->found.target && d->found.driver != d->found.target;
	case REASON_NO_IOMMU:
		return !has_group(d) && !d->found.later;
	case REASON_UNUSABLE:
		return plan_unusable(m, d) != UNUSABLE_NOT;
	case REASON_RESERVED:
		return !named && plan_reserved(m, d, RESERVED_BY_ENTRY) != RESERVED_NOT;
	default:
		return false;
	}
}

enum reason plan_own_reason(const struct machine *m, const struct device *d, bool named)
{
	for (enum reason rule = REASON_BRIDGE; rule <= REASON_RESERVED; rule++) {
		if (plan_rule(m, d, named, rule))
			return rule;
	}
	return REASON_NONE;
}

/* 4: if a member is selected, group=whole selects all others that are not exempt. It does not name them. */
static void take_whole_group(struct group *g)
{
	struct device *d;
	bool has_wanted = false;

	g->flags &= (uint8_t)~GROUP_NAMED;
	for_each_member(g, d) {
		if (!is_wanted(d) || is_exempt(d))
			continue;
		has_wanted = true;
		if (d->asked.named)
			g->flags |= GROUP_NAMED;
	}
	for_each_member(g, d) {
		if (has_wanted && !is_marked(d) && !is_exempt(d))
			d->asked.selected = d->asked.taken = true;
	}
}

/*
 * Returns what an earlier look has left of this device, if the next one must not try again, or REASON_NONE: a process
 * still works on it (even if no setting selects it any more), it did not bind and has its driver back (5), or it was
 * given back to a boot without its root.
 */
static enum reason lasting_reason(const struct device *d)
{
	if (d->done.worker.pid)
		return REASON_TIMEOUT;
	if (d->done.tried && d->found.driver && d->found.driver != d->found.target)
		return REASON_BIND;
	return d->done.given_back ? REASON_ROOT_MISSING : REASON_NONE;
}

/* 3: the reasons that concern the device itself. */
static void judge_device(const struct machine *m, struct device *d)
{
	bool group_may_come =
		m->phase == PHASE_INIT_TOP || (m->phase == PHASE_NEXT_BOOT && !m->any_group && m->firmware);

	d->decided.verdict = VERDICT_NONE;
	d->decided.reason = (uint8_t)lasting_reason(d);
	if (d->decided.reason == REASON_ROOT_MISSING && !is_vfio_driver(d->found.driver))
		d->decided.verdict = VERDICT_GIVEN_BACK;
	else if (d->decided.reason)
		d->decided.verdict = VERDICT_FAILED;
	if (d->decided.reason || !is_marked(d))
		return;
	if (d->asked.excluded) {
		d->decided.verdict = VERDICT_EXCLUDED;
		return;
	}
	d->decided.reason = (uint8_t)plan_own_reason(m, d, d->asked.named);
	if (d->decided.reason)
		d->decided.verdict =
			d->decided.reason == REASON_NO_IOMMU && group_may_come ? VERDICT_PENDING : VERDICT_REFUSED;
}

enum vfs_fault plan_vfs(const struct machine *m, const struct device *pf)
{
	unsigned wanted = pf->asked.vfs->vfs, there = m->phase == PHASE_NEXT_BOOT ? 0 : pf->found.vfs;

	if (!pf->found.vfs_total)
		return VFS_NONE;
	if (wanted > pf->found.vfs_total)
		return VFS_TOO_MANY;
	if (there && there != wanted)
		return VFS_OTHERS;
	if (!there && m->phase != PHASE_NEXT_BOOT && is_vfio_driver(pf->found.driver))
		return VFS_TAKEN;
	return pf->done.error == REASON_VFS ? VFS_FAILED : VFS_FINE;
}

bool blocks_group(const char *driver)
{
	return driver && !is_vfio_driver(driver) && strcmp(driver, "pcieport") != 0 && strcmp(driver, "pci-stub") != 0;
}

bool held_fast(const struct machine *m, const struct device *d)
{
	/* At the second look the host may use its storage, network and display already. */
	bool late = m->phase == PHASE_SECOND_LOOK && base_class(d) >= 0x01 && base_class(d) <= 0x03;

	if (is_bridge(d))
		return blocks_group(d->found.driver) && (m->settings->unbind == NO || d->asked.excluded);
	if (is_exempt(d) || !d->found.driver || d->found.driver == d->found.target)
		return false;
	return m->settings->unbind == NO || (late && !d->asked.named);
}

bool is_missing(const struct device *d)
{
	return !is_exempt(d) && !is_wanted(d);
}

/* Refuses the group. Keeps the first reason in the order of enum reason, and the first member that has it. */
static void refuse_group(struct group *g, enum reason reason, struct device *culprit)
{
	if (g->reason && g->reason <= reason)
		return;
	g->reason = (uint8_t)reason;
	g->culprit = culprit;
}

/* 4: returns why this member blocks the others of its group, or REASON_NONE. It need not be selected. */
static enum reason blocking_reason(const struct device *d)
{
	if (d->asked.protects)
		return REASON_PROTECTED;
	if (is_exempt(d))
		return REASON_NONE;
	if (lasting_reason(d))
		return lasting_reason(d);
	if (d->decided.verdict == VERDICT_REFUSED)
		return d->decided.reason;
	return d->found.use ? REASON_IN_USE : REASON_NONE;
}

static void judge_group(const struct machine *m, struct group *g)
{
	struct device *d;

	g->reason = g->culprit_reason = REASON_NONE;
	g->culprit = NULL;
	if (g->non_pci_member)
		refuse_group(g, REASON_GROUP_MEMBER_REFUSED, NULL);
	for_each_member(g, d) {
		if (blocking_reason(d))
			refuse_group(g, REASON_GROUP_MEMBER_REFUSED, d);
		else if (is_missing(d))
			refuse_group(g, REASON_GROUP_INCOMPLETE, d);
		else if (held_fast(m, d))
			refuse_group(g, REASON_UNBIND_NOT_ALLOWED, d);
	}
	if (g->reason == REASON_GROUP_MEMBER_REFUSED && g->culprit)
		g->culprit_reason = (uint8_t)blocking_reason(g->culprit);
}

/* Decides about a member that has no reason of its own against it: its group decides. */
static void judge_member(const struct machine *m, struct device *d)
{
	if (!plan_ignores_groups(m)) {
		d->decided.reason = d->group->reason;
	} else if (held_fast(m, d)) {
		d->decided.reason = REASON_UNBIND_NOT_ALLOWED;
	}
	d->decided.verdict = VERDICT_CLAIM;
	if (d->decided.reason)
		d->decided.verdict = VERDICT_REFUSED;
	else if (d->found.driver == d->found.target && m->phase != PHASE_NEXT_BOOT && !d->done.progress)
		d->decided.verdict = VERDICT_ALREADY;
}

/*
 * Returns true if only broad selectors match the device. For a device that group=whole selected, the selectors of the
 * other members count.
 */
static bool is_broadly_selected(const struct device *d)
{
	return d->asked.taken ? !(d->group->flags & GROUP_NAMED) : d->asked.selected && !d->asked.named;
}

/* 7: `kept` instead of `refused`, if it is fine that the host keeps the device. */
static void keep_broadly_selected(struct machine *m)
{
	const unsigned reasons = 1U << REASON_BRIDGE | 1U << REASON_BEHIND_PARENT | 1U << REASON_PROTECTED |
				 1U << REASON_UNUSABLE | 1U << REASON_RESERVED | 1U << REASON_GROUP_MEMBER_REFUSED;
	struct device *d;

	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_REFUSED && reasons >> d->decided.reason & 1 && is_broadly_selected(d))
			d->decided.verdict = VERDICT_KEPT;
	}
}

/* A VF that will be made is pending, unless its PF is selected itself. */
static void judge_later(struct machine *m, struct device *d)
{
	const struct device *pf = machine_find(m, d->found.pf);

	d->decided.reason = REASON_VFS;
	d->decided.verdict = pf && pf->decided.itself ? VERDICT_REFUSED : VERDICT_PENDING;
}

/* A PF that stays with the host has a verdict for its VFs if they are not to be had. */
static void judge_physical(const struct machine *m, struct device *pf)
{
	enum vfs_fault fault = plan_vfs(m, pf);

	pf->decided.itself = pf->decided.verdict != VERDICT_NONE && pf->decided.verdict != VERDICT_EXCLUDED &&
			     pf->decided.verdict != VERDICT_KEPT;
	if (pf->decided.itself || fault == VFS_FINE || m->late)
		return;
	/* An ID or a class means more than PFs. */
	if (fault == VFS_NONE && !selector_names(pf->asked.vfs))
		return;
	pf->decided.verdict = fault == VFS_FAILED ? VERDICT_FAILED : VERDICT_REFUSED;
	pf->decided.reason = REASON_VFS;
}

/* Decides about PFs and VFs of `vfs`, when it is known what becomes of each PF itself. */
static void judge_virtual(struct machine *m)
{
	struct device *d;

	for_each_device(m, d) {
		if (d->asked.vfs)
			judge_physical(m, d);
	}
	for_each_device(m, d) {
		if (d->found.later && is_marked(d) && d->decided.verdict == VERDICT_NONE)
			judge_later(m, d);
	}
}

/* 7: returns true if the selector matches devices that are not excluded, and none of them is claimed. */
static bool claims_nothing(const struct machine *m, const struct selector *sel)
{
	const struct device *d;
	bool any = false;

	for_each_device(m, d) {
		if (d->asked.excluded || selector_match(sel, d) != SELECTOR_YES)
			continue;
		/* A pending device may still be claimed. */
		if (is_claimed(d) || d->decided.verdict == VERDICT_PENDING)
			return false;
		any = true;
	}
	return any;
}

/* Returns true if an entry of `vfs` matches functions, and none of them is one that has VFs or a fault of its own. */
static bool makes_nothing(const struct machine *m, const struct selector *entry)
{
	const struct device *d;
	bool any = false;

	for_each_device(m, d) {
		if (d->asked.vfs != entry)
			continue;
		if (!d->decided.itself && (d->found.vfs_total || d->decided.reason == REASON_VFS))
			return false;
		any = true;
	}
	return any;
}

/* 7: a broad selector that claims nothing is a mistake, even if each verdict is fine. So are VFs of what is no PF. */
static void mark_idle_selectors(const struct machine *m)
{
	struct selector *sel;

	for_each_selector(&m->settings->list[LIST_VFS], sel) {
		if (makes_nothing(m, sel))
			sel->flags |= SELECTOR_IDLE;
	}
	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (!selector_names(sel) && !(sel->flags & SELECTOR_EXCLUDES) && claims_nothing(m, sel))
			sel->flags |= SELECTOR_IDLE;
	}
}

void plan_decide(struct machine *m)
{
	struct group *g;
	struct device *d;

	for_each_group(m, g) {
		if (m->settings->group == GROUP_WHOLE)
			take_whole_group(g);
	}
	for_each_device(m, d)
		judge_device(m, d);
	for_each_group(m, g)
		judge_group(m, g);
	for_each_device(m, d) {
		if (is_marked(d) && !d->found.later && d->decided.verdict == VERDICT_NONE)
			judge_member(m, d);
	}
	keep_broadly_selected(m);
	judge_virtual(m);
	mark_idle_selectors(m);
}

/* Returns true if a run that settles has to do with it: it was left open, has come since, or is a VF of `vfs`. */
static bool is_due(const struct machine *m, const struct device *d)
{
	return d->done.due || (d->found.pf && !m->late && !d->done.released);
}

/* Returns true if the verdict is about the VFs of a PF, or about the guard of its entry of `vfs`. */
static bool is_about_vfs(const struct device *d)
{
	return d->decided.reason == REASON_VFS ||
	       (d->asked.guard_failed && d->asked.selector && d->asked.selector->vfs);
}

void plan_settle(struct machine *m)
{
	bool with_groups = !plan_ignores_groups(m);
	struct device *d;
	struct group *g;

	for_each_group(m, g)
		g->flags &= (uint8_t)~GROUP_DUE;
	for_each_device(m, d) {
		if (with_groups && d->group && is_due(m, d))
			d->group->flags |= GROUP_DUE;
	}
	for_each_device(m, d) {
		if (is_due(m, d) || (d->group && d->group->flags & GROUP_DUE) || (is_about_vfs(d) && !m->late))
			continue;
		d->decided.verdict = VERDICT_NONE;
		/* What an earlier run left open of others is not given back for this one. */
		if (m->late)
			d->done.progress = 0;
	}
}

/* Returns true if the verdict is none of a machine that does what the settings say. */
static bool is_fault(const struct device *d)
{
	return (d->decided.verdict >= VERDICT_REFUSED && !is_to_be_made(d)) || d->decided.reason == REASON_ROOT_MISSING;
}

/* Returns true if a selector of the list matches nothing, and is not optional, or claims nothing. */
static bool misses_one_of(const struct list *list)
{
	const struct selector *sel;

	for_each_selector(list, sel) {
		bool absent = !(sel->flags & (SELECTOR_MATCHED | SELECTOR_OPTIONAL | SELECTOR_EXCLUDES));

		if (!list->off && (absent || sel->flags & SELECTOR_IDLE))
			return true;
	}
	return false;
}

int plan_status(const struct machine *m)
{
	const struct device *d;

	if (m->settings->problems)
		return 2;
	for_each_device(m, d) {
		if (is_fault(d))
			return 1;
	}
	return !m->no_claim_reason &&
	       (misses_one_of(&m->settings->list[LIST_IDS]) || misses_one_of(&m->settings->list[LIST_VFS]));
}
