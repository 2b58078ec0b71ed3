/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: compares what this boot did, as its report says, with what is true now. Host program only. */
#ifndef VFIO_BOOT_STATUS_H
#define VFIO_BOOT_STATUS_H

#include "pipeline.h"

/*
 * Prints the report of this boot and what has drifted since, as lines like those of a plan or as one JSON object. Also
 * prints what is wrong with the settings, and which devices vfio-pci holds that this boot did not claim.
 *
 * Returns the exit status of doc/interface.md. It is 1 as well if a claimed device has lost its driver, if its group is
 * not usable any more, or if the settings select a device that they did not select in this boot (drift.h). It is 3 if
 * the report is none.
 */
int print_status(struct context *ctx, bool json) __attribute__((nonnull, warn_unused_result));

#endif
