/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run: what every run that changes something begins with, at boot and by hand. */
#ifndef VFIO_BOOT_CONTEXT_H
#define VFIO_BOOT_CONTEXT_H

#include "child.h"
#include "listener.h"
#include "pipeline.h"

/* An empty job in memory that is shared with children, which note in it what they found and did; never NULL. */
struct job *shared_job(void) __attribute__((returns_nonnull, warn_unused_result));

/*
 * Reads the machine and decides, in a child: reading can block as well, on a device whose driver is at work or a disk
 * that does not answer. False where that failed, or did not end before the deadline; then the child may be writing to
 * the job still.
 */
bool decide_in_time(struct job *j, clock_t deadline, const struct listener *log)
	__attribute__((nonnull, warn_unused_result));

#endif
