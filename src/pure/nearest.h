/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest: finds the selectors that match no device, and the device nearest to each. Pure. */
#ifndef VFIO_BOOT_NEAREST_H
#define VFIO_BOOT_NEAREST_H

#include "machine.h"
#include "selector.h"

/*
 * Returns the absent selector that follows `after`, or the first one if that is NULL; NULL at the end. They come in
 * lexical order, and each text comes once.
 */
const struct selector *next_absent(const struct machine *m, const struct selector *after) __attribute__((nonnull(1)));

/*
 * add_absent() appends that there is no such device, and the nearest one that exists. set_absent_line() stores a whole
 * line with the selector.
 */
void add_absent(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));
void set_absent_line(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));

#endif
