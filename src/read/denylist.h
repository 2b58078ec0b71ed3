/* SPDX-License-Identifier: GPL-2.0-or-later */
/* denylist: finds whether the denylist of vfio-pci is in force. Writes nothing. */
#ifndef VFIO_BOOT_DENYLIST_H
#define VFIO_BOOT_DENYLIST_H

#include "machine.h"

/*
 * Sets m->denylist_off if the parameter disable_denylist of vfio-pci is set: that of the loaded module, and for the
 * next boot or where it is not loaded, that of the kernel command line or of an options line in modprobe.d. Reads
 * nothing unless a device whose details were read is on the list.
 */
void find_denylist(struct machine *m, int root) __attribute__((nonnull));

#endif
