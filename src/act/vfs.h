/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfs: makes the virtual functions of a PF, and takes them away. Both run in a child and may block. */
#ifndef VFIO_BOOT_VFS_H
#define VFIO_BOOT_VFS_H

#include "act.h"

/*
 * Makes the VFs that the entry pf->asked.vfs asks for. No driver of the host binds to them: sriov_drivers_autoprobe is
 * off meanwhile. Stores in found.vfs how many there are then. If these are others, stores REASON_VFS in done.error, and
 * what the kernel says in done.errnum, or 0. `data` is a struct act.
 */
void vfs_make(const void *data, struct device *pf) __attribute__((nonnull));

/*
 * Lets the drivers of the host have a VF that was made and is not claimed, since they were kept from it. `data` is a
 * struct act.
 */
void vfs_leave_to_host(const void *data, struct device *vf) __attribute__((nonnull));

/* Takes all VFs of a PF away. Nobody may have one open: the kernel would wait for it. Stores like vfs_make(). */
void vfs_take_away(const void *data, struct device *pf) __attribute__((nonnull));

/* Puts sriov_drivers_autoprobe back if a child died in vfs_make(). */
void vfs_put_back(const void *data, struct device *pf) __attribute__((nonnull));

#endif
