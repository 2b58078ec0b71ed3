// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "plan.h"
#include "settings.h"

bool plan_ignores_groups(const struct machine *m)
{
	return m->settings->group == GROUP_IGNORE && m->kernel >= KERNEL_DMA_OWNER;
}

static bool asked_for(const struct device *d)
{
	return d->asked.selected || d->asked.guard_failed;
}

const struct device *protected_twin(const struct machine *m, const struct device *d)
{
	const struct device *other;

	for_each_device(m, other) {
		if (other->asked.protects && other->found.ids.vendor == d->found.ids.vendor &&
		    other->found.ids.device == d->found.ids.device)
			return other;
	}
	return NULL;
}

/* Memory, bridges of every kind, IOMMU, root complex event collector, SMBus; and what has PCI functions below it. */
static bool is_platform(const struct device *d)
{
	unsigned class = d->found.class >> 8, base = base_class(d);

	return base == 0x05 || base == 0x06 || class == 0x0806 || class == 0x0807 || class == 0x0c05 ||
	       d->found.parent_of_pci;
}

bool plan_only_named(const struct machine *m)
{
	const struct settings *s = m->settings;

	/* What is overruled does no harm by being malformed. */
	return s->only_named & ~(s->list[LIST_PROTECT].off << LIST_PROTECT | s->list[LIST_RESERVE].off << LIST_RESERVE);
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
		if (d->asked.protects)
			return true;
		return !named && ((base_class(d) == 0x01 && m->settings->protect_unknown &&
				   !m->settings->list[LIST_PROTECT].off) ||
				  protected_twin(m, d));
	case REASON_IN_USE:
		return d->found.use;
	case REASON_OVERRIDDEN:
		return d->found.override && d->found.override != d->found.target && d->found.driver != d->found.target;
	case REASON_NO_IOMMU:
		return !has_group(d);
	case REASON_BOOT_VGA:
		return !named && d->found.boot_display;
	case REASON_RESERVED:
		return !named && (plan_only_named(m) || d->asked.reserves || is_platform(d));
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

/* 4: group=whole takes every member that has to be taken, if it is not excluded; nobody is named by that. */
static void take_whole_group(const struct group *g)
{
	struct device *d;
	bool starts = false;

	for_each_member(g, d)
		starts |= is_wanted(d) && !is_exempt(d);
	for_each_member(g, d) {
		if (starts && !asked_for(d) && !is_exempt(d))
			d->asked.selected = d->asked.taken = true;
	}
}

/* 3: what speaks against the device itself. */
static void judge_device(const struct machine *m, struct device *d)
{
	bool may_come = m->phase == PHASE_INIT_TOP || (m->phase == PHASE_NEXT_BOOT && !m->any_group && m->firmware);

	d->decided.verdict = VERDICT_NONE;
	d->decided.reason = REASON_NONE;
	/* Also of what nobody asks for any more: a process is at work on it. */
	if (d->done.worker_pid) {
		d->decided.verdict = VERDICT_FAILED;
		d->decided.reason = REASON_TIMEOUT;
	}
	if (d->done.worker_pid || !asked_for(d))
		return;
	if (d->asked.excluded) {
		d->decided.verdict = VERDICT_EXCLUDED;
		return;
	}
	d->decided.reason = (uint8_t)plan_own_reason(m, d, d->asked.named);
	if (d->decided.reason)
		d->decided.verdict =
			d->decided.reason == REASON_NO_IOMMU && may_come ? VERDICT_PENDING : VERDICT_REFUSED;
}

bool blocks_group(const struct device *d, const char *driver)
{
	/* Drivers with driver_managed_dma, of those that can be there (kernel-facts.md, "When a group is usable"). */
	if (!driver || !strcmp(driver, "pci-stub"))
		return false;
	return is_host_bridge(d) ? strncmp(driver, "vfio", 4) != 0 : strcmp(driver, "pcieport") != 0;
}

bool held_fast(const struct machine *m, const struct device *d)
{
	unsigned base = base_class(d);

	if (is_exempt(d)) {
		if (!(is_bridge(d) || is_host_bridge(d)) || !blocks_group(d, d->found.driver))
			return false;
		return m->settings->unbind == NO || (is_host_bridge(d) && d->asked.excluded);
	}
	if (!d->found.driver || d->found.driver == d->found.target)
		return false;
	return m->settings->unbind == NO || (m->phase == PHASE_SECOND_LOOK && base - 1 <= 2 && !(d->asked.named));
}

bool is_missing(const struct device *d)
{
	return !is_exempt(d) && !is_wanted(d);
}

/* The reasons are tried in their order; of one reason the first member is the one that is shown. */
static void refuse_group(struct group *g, enum reason reason, struct device *about)
{
	if (g->reason && g->reason <= reason)
		return;
	g->reason = (uint8_t)reason;
	g->culprit = about;
}

static void judge_group(const struct machine *m, struct group *g)
{
	struct device *d;

	g->reason = REASON_NONE;
	g->culprit = NULL;
	if (g->non_pci_member)
		refuse_group(g, REASON_GROUP_MEMBER_REFUSED, NULL);
	for_each_member(g, d) {
		/* 4: some members keep the others back, whether they were selected or not. */
		if (d->asked.protects ||
		    (!is_exempt(d) && (d->decided.verdict == VERDICT_REFUSED || d->found.use || d->done.worker_pid)))
			refuse_group(g, REASON_GROUP_MEMBER_REFUSED, d);
		else if (is_missing(d))
			refuse_group(g, REASON_GROUP_INCOMPLETE, d);
		else if (held_fast(m, d))
			refuse_group(g, REASON_UNBIND_NOT_ALLOWED, d);
	}
}

/* What the group has to say of a member that nothing else speaks against. */
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

/* Do only broad selectors mean d, and does one of them claim some other device? */
static bool is_served(const struct machine *m, const struct device *d)
{
	const struct selector *sel;

	if (d->asked.named)
		return false;
	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (sel->flags & SELECTOR_CLAIMS && selector_match(sel, d) == SELECTOR_YES)
			return true;
	}
	return false;
}

/* The same; of a device that group=whole took the selectors of the members that started it count. */
static bool may_be_kept(const struct machine *m, const struct device *d)
{
	const struct device *other;
	bool served = false;

	if (!(d->asked.taken))
		return is_served(m, d);
	for_each_member(d->group, other) {
		if (!is_wanted(other) || other->asked.taken || is_exempt(other))
			continue;
		if (other->asked.named)
			return false;
		served |= is_served(m, other);
	}
	return served;
}

/* 7: what the host may well keep. */
static void keep_what_is_fine(struct machine *m)
{
	const unsigned reasons = 1U << REASON_BRIDGE | 1U << REASON_BEHIND_PARENT | 1U << REASON_PROTECTED |
				 1U << REASON_BOOT_VGA | 1U << REASON_RESERVED | 1U << REASON_GROUP_MEMBER_REFUSED;
	struct selector *sel;
	struct device *d;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		for_each_device(m, d) {
			if (is_claimed(d) && !(sel->flags & SELECTOR_EXCLUDES) &&
			    selector_match(sel, d) == SELECTOR_YES)
				sel->flags |= SELECTOR_CLAIMS;
		}
	}
	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_REFUSED && reasons >> d->decided.reason & 1 && may_be_kept(m, d))
			d->decided.verdict = VERDICT_KEPT;
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
		if (asked_for(d) && d->decided.verdict == VERDICT_NONE)
			judge_member(m, d);
	}
	keep_what_is_fine(m);
}

void plan_settle(struct machine *m)
{
	struct device *d, *other;

	for_each_device(m, d) {
		bool due = d->done.due;

		if (d->group && !plan_ignores_groups(m)) {
			for_each_member(d->group, other)
				due |= other->done.due;
		}
		if (!due)
			d->decided.verdict = VERDICT_NONE;
	}
}

int plan_status(const struct machine *m)
{
	const struct selector *sel;
	const struct device *d;

	if (m->settings->problems)
		return 2;
	for_each_device(m, d) {
		if (d->decided.verdict >= VERDICT_REFUSED)
			return 1;
	}
	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (!m->no_claim_reason && !(sel->flags & (SELECTOR_MATCHED | SELECTOR_OPTIONAL | SELECTOR_EXCLUDES)))
			return 1;
	}
	return 0;
}
