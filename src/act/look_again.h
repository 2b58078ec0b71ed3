/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * look_again: looks right before the act whether what was judged is still true (doc/interface.md, "What is done", 2).
 * Loading modules and claiming other groups come between the decision and the act.
 *
 * All return true if it is. Otherwise they store in the device, or in its group, what has changed since: done.error,
 * and what a message needs for both facts. They run in a child, because a read may block.
 */
#ifndef VFIO_BOOT_LOOK_AGAIN_H
#define VFIO_BOOT_LOOK_AGAIN_H

#include "act.h"

/* Looks at the IDs and the override of each device to claim, and at the group. To be called before the first write. */
bool look_at_unit(const struct act *act, struct device *unit) __attribute__((nonnull, warn_unused_result));

/* Looks for a device that has joined the group. */
bool look_at_group(const struct act *act, struct device *unit) __attribute__((nonnull, warn_unused_result));

/* Looks whether somebody uses the device by now. To be called before its driver is unbound. */
bool look_at_use(const struct act *act, struct device *d) __attribute__((nonnull, warn_unused_result));

#endif
