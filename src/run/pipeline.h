/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline: reads settings and machine and decides, in the same way for both programs. Prints the plan as text. */
#ifndef VFIO_BOOT_PIPELINE_H
#define VFIO_BOOT_PIPELINE_H

#include <time.h>

#include "context.h"
#include "listener.h"

/*
 * Reads the settings. Returns false if they select nothing, or if nothing is claimed in this boot. The machine of the
 * context has the reason then (no_claim_reason).
 */
bool decide_settings(struct context *ctx) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the machine and decides. Returns false, after a message to l, if the devices cannot be read. Problems of the
 * settings are no failure; ctx->settings has them.
 */
bool decide_machine(struct context *ctx, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/*
 * Calls decide_machine() in a child, because a read can block: a device whose driver is at work and a disk that does
 * not answer make it wait. The context is shared with children (context_shared()).
 *
 * A device that a child waits for is left alone by another child, and gets REASON_TIMEOUT, so that it does not cost the
 * others the decision. Returns the context with the decision: `ctx`, or a new one, since a child that was left behind
 * may write to the old one. If the machine could not be read before the deadline, the machine of the context has no
 * device and `failed` is set.
 */
struct context *decide_in_time(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, returns_nonnull, warn_unused_result));

/* Calls decide_settings(), and decide_machine() if something is selected. Returns false if the latter fails. */
bool decide(struct context *ctx, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/* The note for a plan that ignores the one-time `off` of this boot. */
#define LEFT_OUT_OFF "vfio.ids=off of this boot is ignored"

/* Decides, and prints the plan on standard output and problems on standard error. Returns the exit status. */
int print_plan(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
