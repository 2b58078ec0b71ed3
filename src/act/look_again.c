// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "look_again.h"
#include "plan.h"
#include "scan.h"
#include "sysfs.h"

struct newcomer {
	struct machine *m;
	struct group *group;
};

static int find_newcomer(void *data, const char *name)
{
	const struct newcomer *n = data;
	const struct device *d = machine_find_name(n->m, name, strlen(name));

	if (d && d->group == n->group)
		return 0;
	n->group->newcomer = machine_name(n->m, name);
	return 1;
}

bool look_at_group(const struct act *act, struct device *unit)
{
	struct newcomer n = { act->m, unit->group };
	struct text t;

	return act->alone ||
	       !list_directory(act->root->fd, text_set(&t, "sys/kernel/iommu_groups/%u/devices", unit->group->number),
			       find_newcomer, &n);
}

/* Another device can be at an address than the one that the settings mean. */
static bool has_same_ids(const struct act *act, struct device *d)
{
	struct device now = { 0 };

	memcpy(now.name, d->name, sizeof(now.name));
	if (scan_ids(act->root->fd, &now)) {
		d->done.error = REASON_VANISHED;
		return false;
	}
	if (!memcmp(&now.found.ids, &d->found.ids, sizeof(now.found.ids)) && now.found.class == d->found.class)
		return true;
	d->done.ids = now.found.ids;
	d->done.error = REASON_GUARD_MISMATCH;
	return false;
}

static bool has_free_override(const struct act *act, struct device *d)
{
	/* One that an earlier run wrote is ours. */
	if (d->done.progress & PROGRESS_OVERRIDDEN)
		return true;
	scan_override(act->m, act->root->fd, d);
	if (!plan_rule(act->m, d, true, REASON_OVERRIDDEN))
		return true;
	d->done.error = REASON_OVERRIDDEN;
	return false;
}

bool look_at_unit(const struct act *act, struct device *unit)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict == VERDICT_CLAIM && (!has_same_ids(act, d) || !has_free_override(act, d)))
			return false;
	}
	return look_at_group(act, unit);
}

bool look_at_use(const struct act *act, struct device *d)
{
	scan_vfs(act->root->fd, d);
	if (scan_use(act->m, act->root->fd, d) || d->found.use) {
		d->done.error = REASON_IN_USE;
		return false;
	}
	return true;
}
