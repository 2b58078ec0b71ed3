/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * act: what all functions of this layer work on. A unit is what is claimed or given back together: the members of a
 * group, or with group=ignore a single device. A pointer to its first device stands for the unit.
 */
#ifndef VFIO_BOOT_ACT_H
#define VFIO_BOOT_ACT_H

#include "child.h"
#include "listener.h"
#include "message.h"
#include "settings_files.h"

struct act {
	struct machine *m;
	const struct root *root;
	const struct listener *log;
	clock_t deadline;
	bool alone; /* each device is a unit of its own (group=ignore) */
};

/* Returns the next member of the unit, or NULL. */
static inline struct device *unit_next(const struct act *act, const struct device *d)
{
	return act->alone ? NULL : d->next;
}

/* Returns true if this or an earlier run wrote the override of the device or unbound its driver. */
static inline bool is_touched(const struct device *d)
{
	return d->done.progress & (PROGRESS_OVERRIDDEN | PROGRESS_UNBOUND);
}

/* Returns the first unit from this device on, or NULL. */
static inline struct device *unit_from(const struct act *act, struct device *d)
{
	while (d < act->m->end && !act->alone && !(d->group && d->group->first == d))
		d++;
	return d < act->m->end ? d : NULL;
}

#define for_each_unit(act, u) for ((u) = unit_from(act, (act)->m->device); (u); (u) = unit_from(act, (u) + 1))

#endif
