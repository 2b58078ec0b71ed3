/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select: which devices the settings mean. Pure. */
#ifndef VFIO_BOOT_SELECT_H
#define VFIO_BOOT_SELECT_H

#include "machine.h"
#include "selector.h"

/*
 * Rule 2: marks which devices the settings mean. Needs the IDs of all devices, the targets of paths and, where a
 * selector asks for it, the boot display; what is selected tells the scan of which devices it has to read more.
 */
void select_devices(struct machine *m) __attribute__((nonnull));

/* Is `a` a better name for what it means than `b`, or is b NULL? More specific first, then in lexical order. */
bool more_specific(const struct selector *a, const struct selector *b) __attribute__((nonnull(1)));

#endif
