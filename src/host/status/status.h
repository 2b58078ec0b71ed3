/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: what `status --json` says, for other verbs. Host program only. */
#ifndef VFIO_BOOT_STATUS_H
#define VFIO_BOOT_STATUS_H

#include "pipeline.h"

/*
 * Returns the object that `status --json` prints, and stores its exit status in *status. The caller owns the object.
 * The context has only its root open yet.
 */
struct json_object *status_json(struct context *ctx, int *status) __attribute__((nonnull, warn_unused_result));

#endif
