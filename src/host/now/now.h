/* SPDX-License-Identifier: GPL-2.0-or-later */
/* now: what claim and release have in common: a run by hand, on the running system. Host program only. */
#ifndef VFIO_BOOT_NOW_H
#define VFIO_BOOT_NOW_H

#include "child.h"
#include "progress.h"
#include "report.h"
#include "request.h"

struct by_hand {
	struct context *ctx; /* shared with children */
	clock_t deadline;
	int turn;
	struct progress progress;
};

/*
 * Reads the settings, in which the words of the request stand in the place of what `ids` selects, waits for our turn,
 * reads the machine and decides, all before the deadline. `source` is said to be where the words stand. 0, and then
 * by_hand_end() is owed, or the exit status, and why was said. Where it `claims`, what the settings exclude stays
 * excluded, and where nothing is to be claimed at all, that is the end.
 */
int by_hand_begin(struct by_hand *b, const struct request *r, const char *source, bool claims)
	__attribute__((nonnull, warn_unused_result));

/* Writes into the report what amend() says, see report_amend(), and ends our turn. False where that failed, as said. */
bool by_hand_end(struct by_hand *b, report_amend_fn *amend, const void *data)
	__attribute__((nonnull(1, 2), warn_unused_result));

#endif
