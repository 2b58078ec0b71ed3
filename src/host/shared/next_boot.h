/* SPDX-License-Identifier: GPL-2.0-or-later */
/* next_boot: the plan for the next boot of a machine that has just been read as it is now. Host program only. */
#ifndef VFIO_BOOT_NEXT_BOOT_H
#define VFIO_BOOT_NEXT_BOOT_H

#include "request.h"

/*
 * Does what request_read(next, PHASE_NEXT_BOOT) does, and takes what a reboot does not change from `now`, which
 * request_read() has read for PHASE_NOW. That is cheaper than to read it again, and both say the same of a device that
 * comes or goes meanwhile. Returns false, after a message, if the devices cannot be read.
 */
bool request_read_next(struct context *next, const struct context *now) __attribute__((nonnull, warn_unused_result));

#endif
