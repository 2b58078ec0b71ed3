// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "errtext.h"
#include "message.h"

const char *verdict_name(enum verdict v)
{
	return nth_word("-\0claim\0already\0kept\0excluded\0refused\0pending\0failed", v);
}

const char *reason_name(enum reason r)
{
	return nth_word("-\0bridge\0guard-mismatch\0behind-parent\0protected\0in-use\0overridden\0no-iommu\0boot-vga\0"
			"reserved\0group-member-refused\0group-incomplete\0unbind-not-allowed\0no-driver\0bind\0"
			"timeout\0vanished",
			r);
}

void add_device(struct text *t, const struct device *d)
{
	text_add(t, "%s [%04x:%04x]", d->name, d->ids.vendor, d->ids.device);
}

void add_place(struct text *t, const struct place *at)
{
	text_add(t, "%s", at->source);
	if (at->line)
		text_add(t, ":%u:%u", at->line, at->column);
	else if (at->column)
		text_add(t, ", byte %u", at->column);
}

void add_entry(struct text *t, const struct selector *sel)
{
	text_add(t, "%.*s (", (int)sel->text.len, sel->text.p);
	add_place(t, &sel->at);
	text_add(t, ")");
}

static const char *const to_name_it = " (name it by bus index to claim it)";

static void add_use(struct text *t, const struct device *d)
{
	static const char *const uses = "is mounted\0is swap\0is held (LVM, LUKS, RAID)\0is open\0is up";

	if (d->use == USE_VFS)
		text_add(t, "its VFs are enabled");
	else
		text_add(t, "%s on it %s", d->used_by, nth_word(uses, d->use - USE_MOUNTED));
	text_add(t, " (free it first)");
}

static void add_protection(struct text *t, const struct machine *m, const struct device *d)
{
	const struct device *twin;

	if (d->protects) {
		text_add(t, "the host lives on it: protect = %pe", d->protects);
		return;
	}
	twin = protected_twin(m, d);
	if (twin)
		text_add(t, "it has the ID of the protected %s", twin->name);
	else
		text_add(t, "it is storage, and what the host lives on is unknown");
	text_add(t, to_name_it);
}

static void add_no_iommu(struct text *t, const struct machine *m, const struct device *d)
{
	if (d->group)
		text_add(t, "its group %u is vfio-noiommu, which isolates nothing", d->group->number);
	else if (m->phase == PHASE_INIT_TOP)
		text_add(t, "no IOMMU group yet (looked at again at local-top)");
	else if (m->any_group)
		text_add(t, "it has no IOMMU group, though others have");
	else
		text_add(t, "the IOMMU is off (%sput intel_iommu=on on the kernel command line)",
			 m->firmware ? "" : "switch on VT-d, AMD-Vi or SMMU in the firmware; ");
}

/* What speaks against the device itself. */
static void add_own_reason(struct text *t, const struct machine *m, const struct device *d, enum reason reason)
{
	switch (reason) {
	case REASON_BRIDGE:
		text_add(t, "it is a bridge, which vfio-pci cannot take (leave it out)");
		break;
	case REASON_GUARD_MISMATCH:
		text_add(t, "%pe is not %04x:%04x (card moved? put the guard right)", d->selector, d->ids.vendor,
			 d->ids.device);
		break;
	case REASON_BEHIND_PARENT:
		text_add(t, "it can only be used through %pd (select that one)", parent_that_is_no_bridge(d));
		break;
	case REASON_PROTECTED:
		add_protection(t, m, d);
		break;
	case REASON_IN_USE:
		add_use(t, d);
		break;
	case REASON_OVERRIDDEN:
		text_add(t, "somebody set its driver_override to %s (clear it first)", d->override);
		break;
	case REASON_NO_IOMMU:
		add_no_iommu(t, m, d);
		break;
	case REASON_BOOT_VGA:
		text_add(t, "it is the boot display%s", to_name_it);
		break;
	case REASON_RESERVED:
		if (d->reserves) {
			text_add(t, "reserve = %pe", d->reserves);
		} else if (m->settings->only_named) {
			text_add(t, "what protects it could not be read");
		} else {
			text_add(t, "it is part of the platform (class %04x)", d->class >> 8);
		}
		text_add(t, to_name_it);
		break;
	default:
		break;
	}
}

/* Which members are not selected, and what can be done, which is never "add it" of one that would be refused. */
static void add_missing(struct text *t, const struct machine *m, const struct group *g)
{
	const struct device *d, *refused = NULL;
	bool excluded = false, named_only = false, held = false;
	unsigned n = 0;

	for_each_member(g, d) {
		if (!is_missing(d))
			continue;
		if (d->facts & DEVICE_EXCLUDED)
			excluded = true;
		if (plan_own_reason(m, d, false))
			named_only = true;
		if (held_fast(m, d))
			held = true;
		if (plan_own_reason(m, d, true))
			refused = d;
		text_add(t, n++ ? ", %pd" : "%pd", d);
	}
	text_add(t, " %s not selected (", n > 1 ? "are" : "is");
	if (refused) {
		text_add(t, "%s cannot be: ", refused->name);
		add_own_reason(t, m, refused, plan_own_reason(m, refused, true));
	} else if (excluded) {
		text_add(t, "excluded; a group is claimed whole or not at all");
	} else if (held && m->settings->unbind == NO) {
		text_add(t, "held by a driver: set unbind=yes");
	} else {
		text_add(t, n > 1 ? "add them" : "add it");
		text_add(t, named_only || held ? " by bus index" : ", or set group=whole");
	}
	text_add(t, ")");
}

static void add_failure(struct text *t, const struct device *d, enum reason reason)
{
	switch (reason) {
	case REASON_NO_DRIVER:
		text_add(t, "%s cannot be loaded (is it in the image?)", d->target);
		break;
	case REASON_VANISHED:
		text_add(t, "it went away meanwhile");
		break;
	case REASON_TIMEOUT:
		text_add(t, "not done at the time limit");
		break;
	default:
		text_add(t, "%s did not take it", d->target);
	}
	if (d->error)
		text_add(t, ": %s", error_text(d->error));
	if (d->done & HANDS_STUCK)
		text_add(t, "; override-left");
}

static void add_group_reason(struct text *t, const struct machine *m, const struct device *d)
{
	const struct device *other = plan_ignores_groups(m) ? d : d->group->about;

	if (d->reason == REASON_GROUP_INCOMPLETE) {
		add_missing(t, m, d->group);
		return;
	}
	if (!other) {
		text_add(t, "%s shares its group and is no PCI device", d->group->stranger);
		return;
	}
	if (d->reason == REASON_UNBIND_NOT_ALLOWED) {
		text_add(t, "%pd is held by %s", other, other->driver);
		if (is_host_bridge(other) && other->facts & DEVICE_EXCLUDED)
			text_add(t, ", and is excluded");
		else if (m->settings->unbind == NO)
			text_add(t, ", and unbind=no (set unbind=yes)");
		else
			text_add(t, ", too late to be unbound (name it by bus index)");
		return;
	}
	text_add(t, "%pd shares its group: ", other);
	if (other->trouble)
		add_failure(t, other, other->trouble);
	else
		add_own_reason(t, m, other,
			       other->verdict == VERDICT_REFUSED || other->verdict == VERDICT_KEPT ? other->reason
			       : other->protects						   ? REASON_PROTECTED
												   : REASON_IN_USE);
}

void add_message(struct text *t, const struct machine *m, const struct device *d)
{
	const struct selector *sel, *best = NULL;

	if (d->verdict == VERDICT_FAILED) {
		add_failure(t, d, d->reason);
	} else if (d->reason >= REASON_GROUP_MEMBER_REFUSED) {
		add_group_reason(t, m, d);
	} else if (d->verdict != VERDICT_EXCLUDED) {
		add_own_reason(t, m, d, d->reason);
	} else {
		for_each_selector(&m->settings->list[LIST_IDS], sel) {
			if (sel->flags & SELECTOR_EXCLUDES && selector_covers(sel, d) && more_specific(sel, best))
				best = sel;
		}
		if (!best)
			return;
		text_add(t, "by !%pe", best);
	}
}

void set_device_line(struct text *t, const struct machine *m, const struct device *d, bool ran)
{
	const char *verdict = ran && d->verdict == VERDICT_CLAIM ? "claimed" : verdict_name(d->verdict);

	if (has_group(d))
		text_set(t, "%pd group %u: %s", d, d->group->number, verdict);
	else
		text_set(t, "%pd no group: %s", d, verdict);
	if (is_claimed(d)) {
		text_add(t, d->verdict == VERDICT_CLAIM ? " for %s" : " with %s", d->target);
		return;
	}
	if (d->reason)
		text_add(t, ", %s", reason_name(d->reason));
	text_add(t, ": ");
	add_message(t, m, d);
}
