/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio_users: finds the processes that use an IOMMU group through VFIO. Host program only. */
#ifndef VFIO_BOOT_VFIO_USERS_H
#define VFIO_BOOT_VFIO_USERS_H

#include "text.h"

/*
 * Returns true if a process has the IOMMU group of this number open, or a device of it, and appends to t who:
 * "qemu-system-x86 (process 1234), ...". If /proc shows none, opens the group for a moment, which fails if somebody has
 * it open (group_is_open()). `root` is a descriptor of the root directory.
 */
bool add_group_users(struct text *t, int root, unsigned group) __attribute__((nonnull, warn_unused_result));

/*
 * Returns true if somebody has a VF of the PF of this name open, and stores in t who. When vfio-pci is unbound from a
 * PF, it removes the VFs (vfio_pci_core_unregister_device() calls pci_disable_sriov()) and waits for everybody who has
 * one open. VFs that nobody has open are removed, as by every other PF driver.
 */
bool find_vf_users(struct text *t, int root, const char *pf) __attribute__((nonnull));

#endif
