/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select: marks the devices that the settings select, exclude, protect or reserve. Pure. */
#ifndef VFIO_BOOT_SELECT_H
#define VFIO_BOOT_SELECT_H

#include "machine.h"
#include "selector.h"
#include "settings.h"

/*
 * Writes `asked` of all devices except twins, and the flags of all selectors (doc/interface.md, "What is decided, and
 * why", 2). Needs the targets of paths and, if a selector is boot-vga, the boot display. Needs the IDs of those devices
 * at the places of selectors, and of all if selector_needs_ids(). The scan reads the details of selected devices later.
 */
void select_devices(struct machine *m) __attribute__((nonnull));

/*
 * Marks the devices with the ID of a protected function: one of them may be that function, moved to another address.
 * Needs the IDs of the protected functions and of all members of groups with selected devices.
 */
void select_twins(struct machine *m) __attribute__((nonnull));

/*
 * Returns the first of the devices that a selector can match, and stores in *end where they end: those at its place, or
 * all if it has none.
 */
struct device *candidates(struct machine *m, const struct selector *sel, struct device **end) __attribute__((nonnull));

/*
 * Returns true if the IDs of all devices count for what this selector covers, or for the message that it is absent.
 * Needs the IDs of those at its place.
 */
bool selector_needs_ids(struct machine *m, const struct selector *sel, enum list_name list) __attribute__((nonnull));

/* Returns the most specific entry of `vfs` that asks for VFs of this function, or NULL. */
struct selector *vfs_entry(const struct machine *m, const struct device *pf) __attribute__((nonnull));

/*
 * Returns true if messages should name selector `a` rather than `b`, which may be NULL. The more specific kind wins,
 * then the text that sorts first.
 */
bool more_specific(const struct selector *a, const struct selector *b) __attribute__((nonnull(1)));

#endif
