/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bind: the only place that writes to sysfs. Runs in a child of apply.c or release.c and may block. */
#ifndef VFIO_BOOT_BIND_H
#define VFIO_BOOT_BIND_H

#include "act.h"

/* Claims what is to be claimed in the unit; false where it did not come whole, and then unit_give_back() is owed. */
bool unit_claim(const struct act *act, struct device *unit) __attribute__((nonnull, warn_unused_result));

/* Undoes what was done to the unit: the overrides that were there before, and a probe for each device. */
void unit_give_back(const struct act *act, struct device *unit) __attribute__((nonnull));

/*
 * What the kernel may leave on a display that was claimed: a firmware framebuffer in a BAR, which no guest can use
 * then. vfio-pci removes it from a class 0300 function, from Linux 6.0 on (aperture_remove_conflicting_pci_devices()).
 * With unbind=yes its driver is taken off; what stays is noted (done.framebuffer). `data` is a struct act.
 */
void free_framebuffer(const void *data, struct device *d) __attribute__((nonnull));

/* Has a VFIO user the group of that number open? A group can be opened once (vfio_group_fops_open()). */
bool group_is_open(int root, unsigned number);

/* Does it have an override as a claim writes it, or one of an earlier run (report_recall_overrides())? Any other one
 * is somebody else's. */
bool is_claim_override(const struct device *d) __attribute__((nonnull));

/*
 * Gives a unit back to its own drivers, which are loaded, whoever claimed it: the overrides of a claim are cleared,
 * vfio drivers taken off, and all that is without a driver is probed. Afterwards done.driver is what was read back, a
 * device that something went wrong with has its error and errno, and the unit is PROGRESS_ENDED, or PROGRESS_OPEN
 * where somebody had opened it meanwhile.
 */
void unit_release(const struct act *act, struct device *unit) __attribute__((nonnull));

#endif
