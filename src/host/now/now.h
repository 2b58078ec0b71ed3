/* SPDX-License-Identifier: GPL-2.0-or-later */
/* now: begins and ends a run on the running system, for claim and release. Host program only. */
#ifndef VFIO_BOOT_NOW_H
#define VFIO_BOOT_NOW_H

#include "child.h"
#include "progress.h"
#include "report.h"
#include "request.h"

/* A run that a user starts. */
struct by_hand {
	struct context *ctx; /* shared with children */
	clock_t deadline;
	int lock;
	struct progress progress;
};

/*
 * Reads the settings, takes the lock, reads the machine and decides, all before the deadline. The words of the request
 * replace what `ids` selects; messages give `source` as their place, which has to outlive the run. If the run `claims`,
 * the exclusions of the settings stay, and nothing is done in a boot that claims nothing.
 *
 * Returns 0, or an exit status after a message. After 0 the caller owes a by_hand_end().
 */
int by_hand_begin(struct by_hand *b, const struct request *r, const char *source, bool claims)
	__attribute__((nonnull, warn_unused_result));

/*
 * Changes the report with report_amend() and releases the lock. Returns false, after a message, if the report could not
 * be written.
 */
bool by_hand_end(struct by_hand *b, report_amend_fn *amend, const void *data)
	__attribute__((nonnull(1, 2), warn_unused_result));

/*
 * For report_amend(): returns true, with VERDICT_NONE in *row, if the run has ended what an earlier one left open of
 * the group, and has nothing else to say of d (a bridge). Then the old row is true no more.
 */
bool drop_settled(struct report_row *row, const struct device *d, const struct report_row *old)
	__attribute__((nonnull(1, 2), warn_unused_result));

#endif
