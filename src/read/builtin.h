/* SPDX-License-Identifier: GPL-2.0-or-later */
/* builtin: which drivers are part of a kernel itself, and have the devices before the initramfs runs. Reads. */
#ifndef VFIO_BOOT_BUILTIN_H
#define VFIO_BOOT_BUILTIN_H

#include "machine.h"

/*
 * For the next boot: makes the driver of each device that was read in detail the one that is built into the kernel
 * `release` (NULL: the running one) and that an alias of modules.builtin.modinfo gives it, or NULL. Modules are not loaded
 * before the claim. Where there is no such file, the driver that holds the device now counts if modules.builtin names
 * it; so it does for bridges in any case, since the aliases of shpchp and of the AGP drivers fit bridges that they do
 * not take.
 */
void find_builtin_drivers(struct machine *m, int root, const char *release) __attribute__((nonnull(1)));

#endif
