/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_group: finds out whether somebody uses an IOMMU group through VFIO. */
#ifndef VFIO_BOOT_OPEN_GROUP_H
#define VFIO_BOOT_OPEN_GROUP_H

#include <stdbool.h>

/*
 * Returns true if a VFIO user has the group open. The kernel opens the device file of a group only once, and not while
 * somebody has one of its devices open (vfio_group_fops_open()). A kernel without VFIO groups (Linux 6.6 and later,
 * CONFIG_VFIO_GROUP=n) has no such file, and opens that of a device as often as somebody asks: there the descriptors of
 * all processes are looked at. `root` is a descriptor of the root directory.
 */
bool group_is_open(int root, unsigned number);

/*
 * Calls each() with the name below /proc of every process that has the device file of the group open, or that of one of
 * its devices, until it returns nonzero. Processes whose descriptors this one may not see are left out.
 */
void each_group_user(int root, unsigned number, int (*each)(void *data, const char *pid), void *data)
	__attribute__((nonnull(3)));

#endif
