/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store: the only code that writes to sysfs. It runs in a child, since a write may block. */
#ifndef VFIO_BOOT_STORE_H
#define VFIO_BOOT_STORE_H

#include "act.h"

/*
 * Writes a value with a single write() to the file below /sys/bus whose path is `before`, `name` and `after` together.
 * Notes in m->step what it does. Returns 0 or -errno; a short write is -EIO. After the time limit, writes nothing and
 * returns -EBUSY.
 */
int store(const struct act *act, const char *value, const char *before, const char *name, const char *after)
	__attribute__((nonnull));

/* Likewise after the time limit: for what must not stay as it is, and never blocks. */
int store_past_deadline(const struct act *act, const char *value, const char *before, const char *name,
			const char *after) __attribute__((nonnull));

#endif
