/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock: makes runs that change devices or the report wait for each other. */
#ifndef VFIO_BOOT_LOCK_H
#define VFIO_BOOT_LOCK_H

#include <time.h>

/*
 * Takes /run/vfio-boot/lock below the directory `root`, and waits for it until the deadline. Returns a descriptor for
 * lock_release(), or -EAGAIN if another run still holds the lock. Returns 0 if the lock file cannot be made: no other
 * run can write a report there either.
 *
 * Children inherit the lock. If the parent is killed, the lock is held until the last child has ended.
 */
int lock_take(int root, clock_t deadline) __attribute__((warn_unused_result));
void lock_release(int lock);

#endif
