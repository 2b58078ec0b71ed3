/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: writes what a run did to /run/vfio-boot/report, for the running system and for later runs, and reads it. */
#ifndef VFIO_BOOT_REPORT_H
#define VFIO_BOOT_REPORT_H

#include "listener.h"
#include "machine.h"
#include "report_row.h"

/*
 * Recalls from the report what an earlier run of this boot left open, and notes it at the devices, which are in address
 * order already:
 * - done.due: it was left open, pending or past its time limit.
 * - done.worker: a child of that run that is still at work on the device.
 * - PROGRESS_OVERRIDDEN: that child has ended. report_recall_overrides() checks what it wrote.
 *
 * Clears m->settle if that run could not read the devices, because it left all of them open.
 */
void report_recall(struct machine *m, int root) __attribute__((nonnull));

/*
 * Sets done.due of each device that a selector matches which the report calls absent: it has come since. To be called
 * by a run that only completes what is open, after select_devices().
 */
void report_recall_arrived(struct machine *m, int root) __attribute__((nonnull));

/*
 * Checks which overrides are those of an interrupted run, after the drivers and overrides have been read. Such an
 * override is ours to complete or to give back, so found.override becomes NULL. If the run did not write it, or if
 * somebody has written something else since, PROGRESS_OVERRIDDEN is cleared.
 */
void report_recall_overrides(struct machine *m) __attribute__((nonnull));

/* Returns true if there is a report: the claim of this boot has run. */
bool report_is_there(int root);

/* Calls each() with the name of every function that the report has as claimed. */
void report_each_claimed(int root, void (*each)(void *data, const char *name), void *data) __attribute__((nonnull(2)));

/* Returns true if the report says that the function of this name was claimed. */
bool report_has_claimed(int root, const char *name) __attribute__((nonnull));

/*
 * Merges the report of an earlier run of this boot into the decision. A device that the earlier run claimed, and that
 * is still claimed, counts as claimed by this run. Sets done.said of a device if its row would not change. Does nothing
 * without a report.
 */
void report_merge(struct machine *m, int root) __attribute__((nonnull));

/*
 * Writes the report to a new file and renames that, so that a reader finds a whole report even if the program is killed
 * at any write. A device that an earlier run claimed and that is gone is kept as vanished, and reported to log. With
 * m->settle every row is kept with which this run had nothing to do. Returns 0 or an errno.
 */
int report_write(struct machine *m, int root, const struct listener *log) __attribute__((nonnull, warn_unused_result));

/*
 * Is called by report_amend() once for each device. `old` is its row in the report, or NULL. Returns true if it has
 * stored another row in *row. With VERDICT_NONE in row->verdict, the old row is left out.
 */
typedef bool report_amend_fn(const void *data, struct report_row *row, const struct device *d,
			     const struct report_row *old);

/*
 * Changes the rows for which amend() returns true and leaves the others alone, after a run that looked at some devices
 * only. Begins a report if there is none and a row is to be written. Returns 0 or an errno. EINVAL means that the
 * report is of another version; it stays as it is, like one that cannot be read.
 */
int report_amend(struct machine *m, int root, report_amend_fn *amend, const void *data)
	__attribute__((nonnull(1, 3), warn_unused_result));

#endif
