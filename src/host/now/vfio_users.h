/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio_users: which processes use a group through VFIO. Host program only. */
#ifndef VFIO_BOOT_VFIO_USERS_H
#define VFIO_BOOT_VFIO_USERS_H

#include "text.h"

/*
 * Does anybody have the IOMMU group of that number open, or a device of it? Then it adds to *t who: "qemu-system-x86
 * (process 1234), ..." It opens the group, which is what tells (group_is_open()), for a moment.
 */
bool add_group_users(struct text *t, int root, unsigned group) __attribute__((nonnull, warn_unused_result));

#endif
