/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard: the selector that goes on to name a device whatever happens to bus numbers. Host program only. */
#ifndef VFIO_BOOT_GUARD_H
#define VFIO_BOOT_GUARD_H

#include "pipeline.h"

/*
 * A guarded selector that stays right when bus numbers shift: PATH@VVVV:DDDD; where no path leads to the function
 * alone (two buses below one bridge, more than 16 hops), ADDRESS@VVVV:DDDD. Returns t->p.
 */
const char *guarded_path(struct context *ctx, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

#endif
