/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules: the only code that loads kernel modules. It runs in a child of apply.c or release.c and may block. */
#ifndef VFIO_BOOT_MODULES_H
#define VFIO_BOOT_MODULES_H

#include "act.h"

/*
 * Loads the drivers of the devices to claim, and vfio_iommu_type1, as far as they are not there. Sets done.error to
 * REASON_NO_DRIVER for a device to claim whose driver does not exist afterwards.
 */
void load_drivers(const struct act *act) __attribute__((nonnull));

/*
 * Lets pci-stub, which does nothing with a device, have each function without a driver for a moment. Up to Linux 6.14
 * the kernel of most architectures makes the IOMMU group of a function when a driver is about to have it (dma_configure
 * of its bus); x86 makes all at once, where this is never needed. Does nothing if pci-stub is there already.
 */
void make_groups(const void *act, struct device *unit) __attribute__((nonnull(1)));

/* Loads the modules whose aliases match a device, as udev does. Honours a blacklist (modprobe -b). */
void load_own_drivers(const struct act *act, const struct device *d) __attribute__((nonnull));

#endif
