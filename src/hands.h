/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hands: the only place that writes to sysfs or loads a module. Runs in a child of apply.c and may block.
 *
 * A unit is what is claimed or given back together: the members of a group, or with group=ignore one device alone. It
 * goes by its first device.
 */
#ifndef VFIO_BOOT_HANDS_H
#define VFIO_BOOT_HANDS_H

#include "child.h"
#include "load.h"
#include "message.h"

struct hands {
	struct machine *m;
	const struct root *root;
	const struct listener *log;
	clock_t deadline;
	bool alone; /* each device is a unit of its own */
};

/* The member of a unit after this one, or NULL. */
static inline struct device *unit_next(const struct hands *h, const struct device *d)
{
	return h->alone ? NULL : d->next;
}

/* Claims what is to be claimed in the unit; false where it did not come whole, and then unit_give_back() is owed. */
bool unit_claim(const struct hands *h, struct device *unit) __attribute__((nonnull, warn_unused_result));

/* Undoes what was done to the unit: the overrides that were there before, and a probe for each device. */
void unit_give_back(const struct hands *h, struct device *unit) __attribute__((nonnull));

/*
 * Loads vfio-pci and what it needs, and the variant drivers that are wanted. A device that is to be claimed and whose
 * driver is not there afterwards has the trouble REASON_NO_DRIVER.
 */
void load_drivers(const struct hands *h) __attribute__((nonnull));

#endif
