/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_faults: tells what plan and explain go by and what is not true any more. Host program only. */
#ifndef VFIO_BOOT_PLAN_FAULTS_H
#define VFIO_BOOT_PLAN_FAULTS_H

#include "listener.h"
#include "request.h"

/*
 * Says what the claim program does not know: what the host lives on now, and for the next boot whether its image has
 * these settings. Returns true if there is a fault. The plan has been decided.
 */
bool say_plan_faults(const struct request *r, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/* Says the second of these alone. */
bool say_image_fault(const struct request *r, const struct listener *l) __attribute__((nonnull, warn_unused_result));

#endif
