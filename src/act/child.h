/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child: runs work that may block in a child process, and waits for it until a deadline. */
#ifndef VFIO_BOOT_CHILD_H
#define VFIO_BOOT_CHILD_H

#include <stdbool.h>
#include <time.h>

struct device;

enum ending {
	ENDED,
	DIED,	    /* or fork() failed */
	TIME_IS_UP, /* the child goes on by itself */
};

/* Returns the time `seconds` from now, in ticks of times(). Setting the clock does not move it. */
clock_t deadline_after(unsigned seconds);

bool is_past(clock_t deadline);

/*
 * Runs work(data, unit) in a child and waits for its end until the deadline. Starts nothing and returns TIME_IS_UP if
 * the deadline has passed. The child's changes are visible only in memory mapped with MAP_SHARED.
 */
enum ending run_in_child(clock_t deadline, void (*work)(const void *data, struct device *unit), const void *data,
			 struct device *unit) __attribute__((nonnull(2, 3)));

#endif
