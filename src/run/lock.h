/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock: of several runs that change devices or the report one is at work at a time. */
#ifndef VFIO_BOOT_LOCK_H
#define VFIO_BOOT_LOCK_H

#include <time.h>

/*
 * Waits for /run/vfio-boot/lock until the deadline. Returns a descriptor for lock_release(), 0 where there is no place
 * for a lock (nor for the report of another run), or -EAGAIN where another run holds it still. Children inherit it:
 * where the parent is killed it is held until the last of them has ended.
 */
int lock_take(int root, clock_t deadline) __attribute__((warn_unused_result));
void lock_release(int lock);

#endif
