/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan: reads the machine into a snapshot. Of a device that nobody selected it reads the IDs alone, with three system
 * calls; of the others, and of what shares a group with them, all that the decision needs.
 */
#ifndef VFIO_BOOT_SCAN_H
#define VFIO_BOOT_SCAN_H

#include "machine.h"
#include "settings_files.h"

/*
 * Reads the machine below root into *m and marks in both what *s selects (select_devices()); plan_decide() can follow.
 * `release` is the kernel to plan for, or NULL for the running one. Returns 0; -E2BIG if there are more than
 * DEVICES_MAX functions; or another -errno if /sys/bus/pci/devices cannot be read. *m is of no use then.
 */
int scan_machine(struct machine *m, const struct root *root, const char *release)
	__attribute__((nonnull(1, 2), warn_unused_result));

/* Follows a path down the bridges, and notes in the selector where it ends. `pci` is /sys/bus/pci/devices. */
void find_path(struct machine *m, int pci, struct selector *sel) __attribute__((nonnull));

/* use.c: finds out what of the detailed devices the host is using at this moment. 0, or -errno if it cannot be told. */
int scan_use(struct machine *m, int root) __attribute__((nonnull, warn_unused_result));

/*
 * Calls each() for the functions of the snapshot whose addresses are in a link to a directory of /sys/devices, from the
 * root down.
 */
void each_function_of_link(struct machine *m, const char *link, void (*each)(void *ctx, struct device *d), void *ctx)
	__attribute__((nonnull(1, 2, 3)));

#endif
