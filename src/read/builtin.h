/* SPDX-License-Identifier: GPL-2.0-or-later */
/* builtin: finds the drivers that a kernel has built in. They take their devices before the initramfs runs. */
#ifndef VFIO_BOOT_BUILTIN_H
#define VFIO_BOOT_BUILTIN_H

#include "machine.h"

/*
 * Replaces found.driver of each detailed device by the driver that will hold it first at the next boot, or NULL. This
 * is the driver that is built into the kernel `release` (NULL: the running one) and has an alias for the device in
 * modules.builtin.modinfo. Drivers that are modules do not count, because the claim comes before they are loaded.
 *
 * A built-in driver of which the file has no alias counts for the devices that it holds now. So it is on kernels whose
 * file has no device tables (Debian's 6.1 and 6.12). The same is true for all bridges, because shpchp and the AGP
 * drivers have aliases for bridges that they do not take.
 */
void find_builtin_drivers(struct machine *m, int root, const char *release) __attribute__((nonnull(1)));

#endif
