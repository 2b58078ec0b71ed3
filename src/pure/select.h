/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select: marks the devices that the settings select, exclude, protect or reserve. Pure. */
#ifndef VFIO_BOOT_SELECT_H
#define VFIO_BOOT_SELECT_H

#include "machine.h"
#include "selector.h"

/*
 * Writes `asked` of all devices, and the flags of all selectors (doc/interface.md, "What is decided, and why", 2).
 * Needs the IDs of all devices, the targets of paths and, if a selector is boot-vga, the boot display. The scan reads
 * the details of selected devices later.
 */
void select_devices(struct machine *m) __attribute__((nonnull));

/* Returns the most specific entry of `vfs` that asks for VFs of this function, or NULL. */
struct selector *vfs_entry(const struct machine *m, const struct device *pf) __attribute__((nonnull));

/*
 * Returns true if messages should name selector `a` rather than `b`, which may be NULL. The more specific kind wins,
 * then the text that sorts first.
 */
bool more_specific(const struct selector *a, const struct selector *b) __attribute__((nonnull(1)));

#endif
