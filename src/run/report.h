/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: what a run did, for the running system; /run/vfio-boot/report. */
#ifndef VFIO_BOOT_REPORT_H
#define VFIO_BOOT_REPORT_H

#include "listener.h"
#include "machine.h"
#include "report_row.h"

/*
 * Recalls from the report of an earlier run of this boot what was left open (done.due; where that is
 * all, m->settle is off), the child of that run that is still at work on a device (done.worker), and what one that has
 * ended may have written (PROGRESS_OVERRIDDEN, see report_recall_overrides()). Needs the devices in order.
 */
void report_recall(struct machine *m, int root) __attribute__((nonnull));

/*
 * Once the drivers and overrides have been read: what a run wrote that did not come to its end is ours, to be completed
 * or given back. Where it was never written, or somebody wrote something else since, there is nothing of ours.
 */
void report_recall_overrides(struct machine *m) __attribute__((nonnull));

/*
 * Merges the report of an earlier run of this boot into the snapshot: what it had claimed and is there still counts as
 * claimed again, and what it had said already is marked (said). No report is fine.
 */
void report_merge(struct machine *m, int root) __attribute__((nonnull));

/*
 * Writes the report beside the old one and renames it, so that a reader, or a program killed at any write, finds a
 * whole one. What an earlier run claimed and is no longer there is kept as vanished, and said to log; with m->settle
 * all that this run had nothing to do with is kept. 0 or an errno.
 */
int report_write(struct machine *m, int root, const struct listener *log) __attribute__((nonnull, warn_unused_result));

/*
 * What report_amend() asks once for each device, with the record that the report has of it, or NULL: returns true where
 * it has put another one into *row.
 */
typedef bool report_amend_fn(const void *data, struct report_row *row, const struct device *d,
			     const struct report_row *old);

/*
 * Changes single records of the report, after a run that looked at some devices only, and leaves all the others as they
 * are; without a report it begins one where there is something to say. One that cannot be read, or is of another
 * version, stays. 0 or an errno.
 */
int report_amend(struct machine *m, int root, report_amend_fn *amend, const void *data)
	__attribute__((nonnull(1, 3), warn_unused_result));

#endif
