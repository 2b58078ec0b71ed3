/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply: carries out the plan in child processes, and waits for them until the time limit. */
#ifndef VFIO_BOOT_APPLY_H
#define VFIO_BOOT_APPLY_H

#include "act.h"
#include "child.h"
#include "listener.h"
#include "message.h"
#include "scan.h"

/*
 * Claims every device whose verdict is VERDICT_CLAIM. A device that could not be claimed gets VERDICT_FAILED or
 * VERDICT_REFUSED, with a reason. A group is claimed as a whole or given back.
 *
 * *m must be in memory that is shared with children (mmap() with MAP_SHARED). They write to the devices, and store in
 * *m how far they came. At the deadline, this stops waiting and leaves the child behind. A device whose claim has not
 * ended then, or not begun, gets VERDICT_FAILED with REASON_TIMEOUT. With log=debug, `log` gets a message about each
 * write.
 */
void apply_plan(struct machine *m, const struct root *root, clock_t deadline, const struct listener *log)
	__attribute__((nonnull));

/*
 * Gives a unit back in a child, until the deadline. body() calls unit_release() for the unit, and gets `data`. If the
 * child dies, tries once more, because it may have unbound a driver before. Returns how the last child ended.
 */
enum ending release_in_child(const struct act *act, struct device *unit, clock_t deadline,
			     void (*body)(const void *data, struct device *unit), const void *data)
	__attribute__((nonnull, warn_unused_result));

#endif
