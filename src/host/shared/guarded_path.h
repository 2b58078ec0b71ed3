/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guarded_path: writes a selector that goes on to name a device when bus numbers change. Host program only. */
#ifndef VFIO_BOOT_GUARDED_PATH_H
#define VFIO_BOOT_GUARDED_PATH_H

#include "pipeline.h"

/*
 * Writes PATH@VVVV:DDDD to t. If no path leads to this function alone (two buses below a bridge, more than 16 hops),
 * writes ADDRESS@VVVV:DDDD. Returns t->p.
 */
const char *guarded_path(struct context *ctx, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

#endif
