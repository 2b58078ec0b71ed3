/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply: carries out the plan, in children that are never waited for longer than the time limit. */
#ifndef VFIO_BOOT_APPLY_H
#define VFIO_BOOT_APPLY_H

#include "child.h"
#include "listener.h"
#include "message.h"
#include "scan.h"

/*
 * Does what was decided: every device whose verdict is VERDICT_CLAIM keeps it where it was really claimed and gets
 * VERDICT_FAILED or VERDICT_REFUSED, with a reason, where it was not. A group ends whole, or as it was before.
 *
 * *m has to be in memory that is shared with children (mmap with MAP_SHARED): they do all the writing to devices and
 * note in it how far they came. They are waited for until the deadline and no longer. What was under way then, and what
 * was not begun, is VERDICT_FAILED with REASON_TIMEOUT, and the child is left behind. log hears of each write with
 * log=debug.
 */
void apply_plan(struct machine *m, const struct root *root, clock_t deadline, const struct listener *log)
	__attribute__((nonnull));

#endif
