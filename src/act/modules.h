/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules: the only place that loads one. Runs in a child of apply.c or release.c and may block. */
#ifndef VFIO_BOOT_MODULES_H
#define VFIO_BOOT_MODULES_H

#include "act.h"

/*
 * Loads vfio-pci and what it needs, and the variant drivers that are wanted. A device that is to be claimed and whose
 * driver is not there afterwards has the trouble REASON_NO_DRIVER.
 */
void load_drivers(const struct act *act) __attribute__((nonnull));

/* Loads what offers itself for a device, as udev does; a blacklist is honoured (modprobe -b). */
void load_own_drivers(const struct act *act, const struct device *d) __attribute__((nonnull));

#endif
