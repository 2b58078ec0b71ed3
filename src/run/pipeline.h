/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline: settings, snapshot and decision in one go, the same for both programs; and the plan as text. */
#ifndef VFIO_BOOT_PIPELINE_H
#define VFIO_BOOT_PIPELINE_H

#include <time.h>

#include "context.h"
#include "listener.h"

/* Reads the settings; false where they ask for nothing, or nothing is to be claimed in this boot. */
bool decide_settings(struct context *ctx) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the machine and decides. Where the machine cannot be read, says so to l and returns false. Problems of the
 * settings are no failure: they are in ctx->settings.
 */
bool decide_machine(struct context *ctx, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the machine and decides, in a child: reading can block as well, on a device whose driver is at work or a disk
 * that does not answer. False where that failed, or did not end before the deadline; then the child may be writing to
 * the context still.
 */
bool decide_in_time(struct context *ctx, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, warn_unused_result));

/* Both of them. */
bool decide(struct context *ctx, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/* What is said of a plan that leaves out the one-time `off` of this boot. */
#define LEFT_OUT_OFF "vfio.ids=off of this boot is left out"

/* Decides and prints the plan on standard output, what is wrong on standard error; returns the exit status. */
int print_plan(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
