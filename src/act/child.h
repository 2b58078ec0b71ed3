/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child: runs work that may block in a child process, and waits for it until a deadline. */
#ifndef VFIO_BOOT_CHILD_H
#define VFIO_BOOT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct device;
struct worker;

enum ending {
	ENDED,
	DIED,	    /* or fork() failed */
	TIME_IS_UP, /* the child goes on by itself */
};

/* Returns the time `seconds` from now, in ticks of times(). Setting the clock does not move it. */
clock_t deadline_after(unsigned seconds);

bool is_past(clock_t deadline);

/*
 * Returns when the process of that number (or "self") began, in ticks since the boot, from its stat file below root; 0
 * if it is not there. Two processes of one number began at different times.
 */
uint32_t process_start(int root, const char *pid) __attribute__((nonnull));

/* Stores the process that calls it. */
void this_process(int root, struct worker *out) __attribute__((nonnull));

/*
 * Runs body(data, unit) in a child and waits for its end until the deadline. Starts nothing and returns TIME_IS_UP if
 * the deadline has passed. The child's changes are visible only in memory mapped with MAP_SHARED.
 */
enum ending run_in_child(clock_t deadline, void (*body)(const void *data, struct device *unit), const void *data,
			 struct device *unit) __attribute__((nonnull(2, 3)));

#endif
