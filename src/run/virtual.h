/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual: makes the virtual functions that `vfs` asks for, before the run decides on them. */
#ifndef VFIO_BOOT_VIRTUAL_H
#define VFIO_BOOT_VIRTUAL_H

#include "pipeline.h"

/*
 * Waits until the PFs of which VFs are to be made have their drivers, which udev may still be loading, at most for half
 * of the time. Decides for that, and returns a context for a decision of its own. Holds no lock, since others have work
 * to do meanwhile.
 */
struct context *await_physical(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, returns_nonnull, warn_unused_result));

/*
 * Decides like decide_in_time(). If VFs are to be made, makes those of the PFs that have drivers, stores in ctx->pf
 * what went wrong, and decides anew. Returns the context with the decision.
 */
struct context *make_virtual(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, returns_nonnull, warn_unused_result));

/*
 * Leaves those VFs of `vfs` to the host that are not claimed and have no driver: the excluded ones. To be called after
 * the claim.
 */
void leave_virtual(struct context *ctx, clock_t deadline, const struct listener *log) __attribute__((nonnull));

#endif
