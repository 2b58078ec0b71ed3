/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: what a run did, for the running system; /run/vfio-boot/report. */
#ifndef VFIO_BOOT_REPORT_H
#define VFIO_BOOT_REPORT_H

#include "message.h"

/*
 * Merges the report of an earlier run of this boot into the snapshot: what it had claimed and is there still counts as
 * claimed again, and what it had said already is marked (DEVICE_SAID). No report is fine.
 */
void report_merge(struct machine *m, int root) __attribute__((nonnull));

/*
 * Writes the report beside the old one and renames it, so that a reader, or a program killed at any write, finds a
 * whole one. 0 or an errno.
 */
int report_write(const struct machine *m, int root) __attribute__((nonnull, warn_unused_result));

#endif
