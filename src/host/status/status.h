/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: what this boot did, as its report has it, beside what is true now. Host program only. */
#ifndef VFIO_BOOT_STATUS_H
#define VFIO_BOOT_STATUS_H

#include "pipeline.h"

/*
 * Prints the report of this boot with what has drifted since, as lines like those of a plan or as one JSON object; what
 * is wrong with the settings, and what vfio-pci holds unasked, beside it. Returns the exit status of doc/interface.md,
 * in which a claimed device that is no longer with its driver, or whose group is no longer usable, counts as 1, as does
 * one that the settings select since (drift.h), and a report that is none as 3.
 */
int print_status(struct context *ctx, bool json) __attribute__((nonnull, warn_unused_result));

#endif
