/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root: the host comes first (doc/interface.md). Gives back what may be the root, where the root does not appear. */
#ifndef VFIO_BOOT_ROOT_H
#define VFIO_BOOT_ROOT_H

#include <time.h>

#include "context.h"
#include "listener.h"

/*
 * To be called again and again while the boot waits for its root. Does nothing before the root has been waited for
 * root-wait seconds. Then gives back, once in a boot, the groups that hold a disk with the ID of a protected one; at a
 * later call, if the root still stays away, all other disks that were claimed, and network cards if the root comes over
 * the network. /run/vfio-boot/root-wait has how long the calls have waited, and the next step.
 *
 * Stores what was given back in the report, and says a line each. `ctx` has the settings. Returns the exit status.
 */
int give_back_root(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, warn_unused_result));

#endif
