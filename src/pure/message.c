// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "errtext.h"
#include "format.h"
#include "message.h"
#include "plan.h"
#include "select.h"
#include "settings.h"

const char *verdict_name(enum verdict v)
{
	return nth_word("-\0claim\0already\0kept\0excluded\0given-back\0refused\0pending\0failed", v);
}

const char *outcome_name(enum verdict v)
{
	return v == VERDICT_CLAIM ? "claimed" : verdict_name(v);
}

const char *reason_name(enum reason r)
{
	return nth_word(
		"-\0bridge\0guard-mismatch\0behind-parent\0protected\0in-use\0overridden\0no-iommu\0"
		"unusable\0reserved\0group-member-refused\0group-incomplete\0unbind-not-allowed\0no-driver\0bind\0"
		"timeout\0vanished\0root-missing\0vfs",
		r);
}

/* The words of use_name() and use_phrase(). */
static const char *const use_words[][2] = {
	[USE_NONE] = { "in use", "is in use" },	  [USE_MOUNTED] = { "mounted", "is mounted" },
	[USE_SWAP] = { "swap", "is swap" },	  [USE_HOLDER] = { "held", "is held (LVM, LUKS, RAID)" },
	[USE_OPEN] = { "open", "is open" },	  [USE_NET_UP] = { "up", "is up" },
	[USE_VFS] = { "VFs", "has VFs enabled" },
};

const char *use_name(enum use use)
{
	return use_words[use][0];
}

const char *use_phrase(enum use use)
{
	return use_words[use][1];
}

/* How many members that are not selected a message lists. */
#define MEMBERS_SHOWN 8

void add_binding(struct text *t, const char *driver)
{
	if (driver)
		text_add(t, "bound to %s", driver);
	else
		text_add(t, "without a driver");
}

static void add_use(struct text *t, const struct device *d)
{
	if (d->found.used_by)
		text_add(t, "%s on it", d->found.used_by);
	else
		text_add(t, "it");
	text_add(t, " %s (free it first)", use_phrase(d->found.use));
}

/* Appends an entry that protects or reserves a device, with its comment in the file. */
static void add_entry_and_why(struct text *t, const char *list, const struct selector *sel)
{
	text_add(t, "%s = %pe", list, sel);
	/* A comment can be as long as a file, and must not push out what is still to come. */
	if (sel->comment.len)
		text_add(t, ": %.*s", (int)(sel->comment.len < 200 ? sel->comment.len : 200), sel->comment.p);
}

void add_reserved(struct text *t, const struct machine *m, const struct device *d, enum reserved rule)
{
	switch (rule) {
	case RESERVED_BY_ENTRY:
		add_entry_and_why(t, "reserve", d->asked.reserves);
		break;
	case RESERVED_DISPLAY:
		text_add(t, "it is the boot display");
		break;
	case RESERVED_TWIN:
		text_add(t, "it has the ID of the protected %s", d->asked.twin->name);
		break;
	case RESERVED_STORAGE:
		text_add(t, "it is storage, and it is unknown whether the host lives on it");
		break;
	case RESERVED_PLATFORM:
		text_add(t, "it is part of the platform (class %04x)", d->found.class >> 8);
		break;
	default:
		text_add(t, "settings that may protect it are unreadable; fix ");
		add_place(t, settings_unreadable(m->settings));
	}
}

static void add_no_iommu(struct text *t, const struct machine *m, const struct device *d)
{
	if (d->group)
		text_add(t, "its group %u is vfio-noiommu, which isolates nothing", d->group->number);
	else if (m->phase == PHASE_INIT_TOP)
		text_add(t, "no IOMMU group yet (checked again at local-top)");
	else if (m->any_group)
		text_add(t, "it has no IOMMU group, but others do");
	else if (m->firmware && strcmp(m->firmware, "DMAR"))
		text_add(t, "the kernel does not use the IOMMU of table %s (iommu=off on its command line? no driver?)",
			 m->firmware);
	else
		text_add(t, "the IOMMU is off (%s)",
			 m->firmware ? "put intel_iommu=on on the kernel command line"
				     : "switch on VT-d, AMD-Vi or SMMU in the firmware");
}

static void add_unusable(struct text *t, const struct machine *m, const struct device *d)
{
	if (plan_unusable(m, d) == UNUSABLE_DENYLIST)
		text_add(t, "it is on the denylist of vfio-pci, as not safe to pass on "
			    "(vfio-pci.disable_denylist=1 on the kernel command line overrules that)");
	else
		text_add(t,
			 "the firmware works through its group %u (RMRR, `direct` in reserved_regions), so that VFIO "
			 "cannot have it (leave it out)",
			 d->group->number);
}

void add_own_reason(struct text *t, const struct machine *m, const struct device *d, enum reason reason)
{
	const struct device *parent;
	enum reserved reserved;

	switch (reason) {
	case REASON_BRIDGE:
		text_add(t, "it is a bridge, which stays with the host (leave it out)");
		break;
	case REASON_GUARD_MISMATCH:
		text_add(t, "%pe: found %04x:%04x there (card moved? correct the guard)", d->asked.selector,
			 d->found.ids.vendor, d->found.ids.device);
		break;
	case REASON_BEHIND_PARENT:
		parent = parent_that_is_no_bridge(d);
		text_add(t, "it can only be used through %pd", parent);
		if (!plan_own_reason(m, parent, true) && !is_claimed(parent) && !parent->asked.excluded)
			text_add(t, " (select that one)");
		break;
	case REASON_PROTECTED:
		text_add(t, "the host lives on it: ");
		add_entry_and_why(t, "protect", d->asked.protects);
		break;
	case REASON_IN_USE:
		add_use(t, d);
		break;
	case REASON_OVERRIDDEN:
		text_add(t, "somebody set its driver_override to %s (clear it first)", d->found.override);
		break;
	case REASON_NO_IOMMU:
		add_no_iommu(t, m, d);
		break;
	case REASON_UNUSABLE:
		add_unusable(t, m, d);
		break;
	case REASON_RESERVED:
		reserved = plan_reserved(m, d, RESERVED_BY_ENTRY);
		add_reserved(t, m, d, reserved);
		/* Of an entry that is unreadable the text says already what to do. */
		if (reserved != RESERVED_UNREADABLE)
			text_add(t, " (name it by bus index to claim it)");
		break;
	default:
		break;
	}
}

/* What keeps the user from selecting the missing members of a group. */
struct obstacles {
	const struct device *refused;  /* would be refused even if a selector names it */
	const struct device *excluded; /* an exclusion covers it */
	const struct device *held;     /* its driver must not be unbound; need not be missing */
	bool named_only;	       /* one of them is claimed only if a selector names it */
	bool several;		       /* more than one is missing */
};

static void note_obstacles(struct obstacles *o, const struct machine *m, const struct device *missing)
{
	if (missing->asked.excluded)
		o->excluded = missing;
	if (plan_own_reason(m, missing, false))
		o->named_only = true;
	if (plan_own_reason(m, missing, true))
		o->refused = missing;
}

/* Appends "A, B and 3 more are not selected (", and finds the obstacles. */
static struct obstacles add_missing(struct text *t, const struct machine *m, const struct group *g)
{
	struct obstacles o = { NULL };
	const struct device *d;
	unsigned n = 0;

	for_each_member(g, d) {
		if (held_fast(m, d))
			o.held = d;
		if (!is_missing(d))
			continue;
		note_obstacles(&o, m, d);
		if (n++ < MEMBERS_SHOWN)
			text_add(t, n > 1 ? ", %pd" : "%pd", d);
	}
	o.several = n > 1;
	if (n > MEMBERS_SHOWN)
		text_add(t, " and %u more", n - MEMBERS_SHOWN);
	text_add(t, " %s not selected (", o.several ? "are" : "is");
	return o;
}

/* Appends which members of the group are not selected, and a hint that never says "add it" if that would be refused. */
static void add_incomplete(struct text *t, const struct machine *m, const struct group *g)
{
	const struct obstacles o = add_missing(t, m, g);

	if (o.refused) {
		text_add(t, "%s cannot be: ", o.refused->name);
		add_own_reason(t, m, o.refused, plan_own_reason(m, o.refused, true));
	} else if (o.excluded) {
		text_add(t, "%s is excluded; a group is claimed whole or not at all", o.excluded->name);
	} else if (o.held && m->settings->unbind == YES && !is_bridge(o.held)) {
		text_add(t, "name the whole group by bus index");
	} else {
		text_add(t, o.several ? "add them" : "add it");
		text_add(t, o.named_only ? " by bus index" : ", or set group=whole");
		if (o.held)
			text_add(t, m->settings->unbind == NO ? "; and set unbind=yes" : "; and do not exclude %s",
				 o.held->name);
	}
	text_add(t, ")");
}

/* Returns true if the act found, before it began, that what was decided is true no more. */
static bool is_changed(const struct device *d)
{
	return d->done.error && d->done.error < REASON_NO_DRIVER;
}

/* What was true when the plan was made, and is true no more, right before the act. */
static void add_change(struct text *t, const struct machine *m, const struct device *d)
{
	const struct function_ids *was = &d->found.ids, *is = &d->done.ids;

	text_add(t, "since the decision ");
	if (d->done.error == REASON_GUARD_MISMATCH)
		text_add(t, "another device is there: %04x:%04x:%04x:%04x, not %04x:%04x:%04x:%04x", is->vendor,
			 is->device, is->subvendor, is->subdevice, was->vendor, was->device, was->subvendor,
			 was->subdevice);
	else
		add_own_reason(t, m, d, d->done.error);
}

static void add_failure(struct text *t, const struct device *d, enum reason reason)
{
	switch (reason) {
	case REASON_NO_DRIVER:
		text_add(t, "%s cannot be loaded (is it in the image?)", d->found.target);
		break;
	case REASON_VANISHED:
		text_add(t, "it disappeared");
		break;
	case REASON_TIMEOUT:
		if (!d->done.worker.pid)
			text_add(t, "not started in time");
		else
			text_add(t, "process %u is still running after the time limit", d->done.worker.pid);
		if (d->done.waits_for)
			text_add(t, ", waiting for: %s", d->done.waits_for);
		return;
	case REASON_ROOT_MISSING:
		text_add(t, "the host has it back, since the root did not appear");
		break;
	default:
		if (is_wanted(d))
			text_add(t, "%s did not bind to it", d->found.target);
		else if (d->done.progress & PROGRESS_OWED)
			text_add(t, "it could not be given back");
		else
			text_add(t, "a driver that blocks the group holds it");
	}
	if (d->done.errnum)
		text_add(t, ": %s", error_text(d->done.errnum));
}

static void add_unbind_not_allowed(struct text *t, const struct machine *m, const struct device *holder)
{
	text_add(t, "%pd is bound to %s", holder, holder->found.driver);
	if (is_bridge(holder) && holder->asked.excluded)
		text_add(t, ", and is excluded (remove the exclusion)");
	else if (m->settings->unbind == NO)
		text_add(t, ", and unbind=no (set unbind=yes)");
	else
		text_add(t, " (name it by bus index to unbind it)");
}

static void add_group_reason(struct text *t, const struct machine *m, const struct device *d)
{
	const struct device *other = plan_ignores_groups(m) ? d : d->group->culprit;
	enum reason reason;

	if (d->decided.reason == REASON_GROUP_INCOMPLETE) {
		add_incomplete(t, m, d->group);
		return;
	}
	if (!other) {
		text_add(t,
			 d->group->newcomer ? "%s has joined its group since the decision"
					    : "%s is in its group, but is not a known PCI device",
			 d->group->newcomer ? d->group->newcomer : d->group->non_pci_member);
		return;
	}
	if (d->decided.reason == REASON_UNBIND_NOT_ALLOWED) {
		add_unbind_not_allowed(t, m, other);
		return;
	}
	reason = other->done.error ? other->done.error : other->group->culprit_reason;
	text_add(t, "%pd shares its group: ", other);
	if (is_changed(other))
		add_change(t, m, other);
	else if (reason >= REASON_NO_DRIVER)
		add_failure(t, other, reason);
	else
		add_own_reason(t, m, other, reason);
}

/* Appends what could not be given back, for all members of the group of the device. */
static void add_leftovers(struct text *t, const struct device *d)
{
	for_each_member(d->group, d) {
		if (d->done.progress & PROGRESS_STUCK)
			text_add(t, "; override-left: %s", d->name);
		if (d->done.progress & PROGRESS_LOST)
			text_add(t, "; %s did not get %s back", d->name,
				 d->found.driver ? d->found.driver : "its driver");
		if (d->done.progress & PROGRESS_HELD)
			text_add(t, "; %s is still bound to %s", d->name, d->found.target);
		if (d->done.progress & PROGRESS_OPEN)
			text_add(t, "; not changed: a VFIO user has the group open");
	}
}

static void add_framebuffer(struct text *t, const struct machine *m, const struct device *d)
{
	text_add(t, "%s holds a BAR that guests need%s", d->done.framebuffer,
		 m->settings->unbind == NO ? ", and unbind=no (set unbind=yes)"
					   : " (boot with initcall_blacklist=sysfb_init)");
}

/* Appends the most specific exclusion that covers the device. */
static void add_exclusion(struct text *t, const struct machine *m, const struct device *d)
{
	const struct selector *sel, *best = NULL;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (sel->flags & SELECTOR_EXCLUDES && selector_covers(sel, d) && more_specific(sel, best))
			best = sel;
	}
	if (best)
		text_add(t, "by !%pe", best);
}

static void add_root_missing(struct text *t, const struct machine *m, const struct device *d)
{
	text_add(t, "the root did not appear in %u s, %s, ", m->settings->root_wait,
		 d->decided.verdict == VERDICT_GIVEN_BACK ? "so the host has it again" : "and it cannot be given back");
	add_binding(t, d->done.driver ? d->done.driver : d->found.driver);
	if (d->asked.selector)
		text_add(t, " (if the root is on it, correct %pe)", d->asked.selector);
}

/* Appends why there are no VFs of a PF, or not these. */
static void add_vfs_fault(struct text *t, const struct machine *m, const struct device *pf)
{
	const struct selector *sel = pf->asked.vfs;

	switch (plan_vfs(m, pf)) {
	case VFS_NONE:
		text_add(t, "it can have no virtual functions (is SR-IOV on in the firmware?)");
		break;
	case VFS_TOO_MANY:
		text_add(t, "it can have %u virtual functions, not %u (correct vfs = %pe)", pf->found.vfs_total,
			 sel->vfs, sel);
		break;
	case VFS_OTHERS:
		text_add(t, "it has %u virtual functions already, not %u (vfio-boot release --remove-vfs %s)",
			 pf->found.vfs, sel->vfs, pf->name);
		break;
	case VFS_TAKEN:
		text_add(t, "%s has it, so it has no virtual functions (vfio-boot release %s)", pf->found.driver,
			 pf->name);
		break;
	default:
		text_add(t, "its %u virtual functions could not be made", sel->vfs);
		if (pf->done.errnum)
			text_add(t, ": %s (see the kernel log)", error_text(pf->done.errnum));
		else if (pf->found.driver)
			text_add(t, ": %s made %u", pf->found.driver, pf->found.vfs);
		else
			text_add(t, ": no driver has it (is its module installed?)");
	}
}

static void add_vfs(struct text *t, const struct machine *m, const struct device *d)
{
	if (!d->found.later) {
		add_vfs_fault(t, m, d);
	} else if (d->decided.verdict == VERDICT_REFUSED) {
		text_add(t, "its physical function ");
		add_bus_index(t, d->found.pf);
		text_add(t, " is selected itself, and has none then (leave out one of the two)");
	} else {
		text_add(t, "virtual function %u of ", d->found.vf);
		add_bus_index(t, d->found.pf);
		text_add(t, ", made when that one has its driver");
	}
}

void add_message(struct text *t, const struct machine *m, const struct device *d)
{
	if (d->decided.reason == REASON_VFS) {
		add_vfs(t, m, d);
	} else if (d->decided.reason == REASON_ROOT_MISSING) {
		add_root_missing(t, m, d);
	} else if (is_claimed(d)) {
		if (d->done.framebuffer)
			add_framebuffer(t, m, d);
	} else if (is_changed(d)) {
		add_change(t, m, d);
	} else if (d->decided.verdict == VERDICT_FAILED) {
		add_failure(t, d, d->decided.reason);
	} else if (d->decided.reason >= REASON_GROUP_MEMBER_REFUSED) {
		add_group_reason(t, m, d);
	} else if (d->decided.verdict != VERDICT_EXCLUDED) {
		add_own_reason(t, m, d, d->decided.reason);
	} else {
		add_exclusion(t, m, d);
	}
	if (d->decided.verdict >= VERDICT_REFUSED && d->group)
		add_leftovers(t, d);
}

void set_device_line(struct text *t, const struct machine *m, const struct device *d, bool ran)
{
	const char *verdict = ran ? outcome_name(d->decided.verdict) : verdict_name(d->decided.verdict);

	if (has_group(d))
		text_set(t, "%pd group %u: %s", d, d->group->number, verdict);
	else
		text_set(t, "%pd no group: %s", d, verdict);
	if (is_claimed(d)) {
		text_add(t, d->decided.verdict == VERDICT_CLAIM ? " for %s" : " bound to %s", d->found.target);
		if (!d->done.framebuffer)
			return;
	} else if (d->decided.reason) {
		text_add(t, ", %s", reason_name(d->decided.reason));
	}
	text_add(t, ": ");
	add_message(t, m, d);
}
