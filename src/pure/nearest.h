/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest: selectors that mean nothing on this machine, and the nearest thing that is there. Pure. */
#ifndef VFIO_BOOT_NEAREST_H
#define VFIO_BOOT_NEAREST_H

#include "machine.h"
#include "selector.h"

/*
 * The absent selectors in lexical order, each text once: the one that follows `after` (NULL: the first), or NULL at
 * the end. And what is said of it, with the nearest thing that exists.
 */
const struct selector *next_absent(const struct machine *m, const struct selector *after) __attribute__((nonnull(1)));
void add_absent(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));
void set_absent_line(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));

#endif
