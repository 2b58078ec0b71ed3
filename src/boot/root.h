/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root: the host comes first (doc/interface.md). Gives back what may be the root, where the root does not appear. */
#ifndef VFIO_BOOT_ROOT_H
#define VFIO_BOOT_ROOT_H

#include <time.h>

#include "context.h"
#include "listener.h"

/* Notes that the boot begins to wait for its root. To be called after a claim. */
void begin_root_wait(int root);

/*
 * To be called again and again while the boot waits for its root. Does nothing before the root has been waited for
 * root-wait seconds, or before the third call. Then gives back, once in a boot, the groups that hold a disk with the ID
 * of a protected one; at a later call, if the root still stays away, all other disks that were claimed.
 * /run/vfio-boot/root-wait has when the waiting began, the number of calls, and the next step.
 *
 * Stores what was given back in the report, and says a line each. `ctx` has the settings. Returns the exit status.
 */
int give_back_root(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, warn_unused_result));

#endif
