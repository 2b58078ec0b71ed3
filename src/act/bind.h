/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bind: binds and unbinds drivers. Only this file writes to sysfs. Its functions run in a child of apply.c or
 * release.c, because a write may block.
 */
#ifndef VFIO_BOOT_BIND_H
#define VFIO_BOOT_BIND_H

#include "act.h"

/*
 * Claims the devices of the unit whose verdict is VERDICT_CLAIM. Returns false if the unit is not claimed as a whole.
 * Then the caller must call unit_give_back(). Errors are in done.error and done.errnum of the device.
 */
bool unit_claim(const struct act *act, struct device *unit) __attribute__((nonnull, warn_unused_result));

/*
 * Undoes a claim: restores the overrides, unbinds the target drivers and probes the devices. If a VFIO user has the
 * group open, changes nothing but the progress of the unit. The result is in done.progress.
 */
void unit_give_back(const struct act *act, struct device *unit) __attribute__((nonnull));

/*
 * Removes the firmware framebuffer from a display that was claimed. As long as it occupies a BAR, no guest can use that
 * BAR. Since Linux 6.0, vfio-pci removes it itself from functions of class 0300
 * (aperture_remove_conflicting_pci_devices()).
 *
 * Unbinds the driver of the framebuffer if unbind=yes. Stores the owner of what remains in done.framebuffer, or NULL.
 * `data` is a struct act.
 */
void free_framebuffer(const void *data, struct device *d) __attribute__((nonnull));

/*
 * Returns true if the override of the device is one that a claim writes, or that an earlier run wrote
 * (report_recall_overrides()). Others have written any other override.
 */
bool is_claim_override(const struct device *d) __attribute__((nonnull));

/*
 * Gives a unit back to its own drivers, and loads these. Any process may have claimed it: this clears the overrides of
 * claims, unbinds vfio drivers and probes all devices without a driver. Stores in done.driver what holds each device
 * then, and in done.error and done.errnum what failed. The unit gets PROGRESS_ENDED, or PROGRESS_OPEN if a VFIO user
 * opened the group meanwhile.
 */
void unit_release(const struct act *act, struct device *unit) __attribute__((nonnull));

#endif
