/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child: what may block runs in a child, which is waited for until a deadline and no longer. */
#ifndef VFIO_BOOT_CHILD_H
#define VFIO_BOOT_CHILD_H

#include <stdbool.h>
#include <time.h>

struct device;

enum ending {
	ENDED,
	DIED,	    /* or could not be made */
	TIME_IS_UP, /* it goes on by itself */
};

/* The moment so many seconds from now, in ticks of times(), which no setting of the clock moves. */
clock_t deadline_after(unsigned seconds);

bool is_past(clock_t deadline);

/* Runs context() in a child and waits for its end, not beyond the deadline. They share what was mapped with MAP_SHARED.
 */
enum ending run_in_child(clock_t deadline, void (*work)(const void *data, struct device *unit), const void *data,
			 struct device *unit) __attribute__((nonnull(2, 3)));

#endif
