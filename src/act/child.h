/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: runs work that may block in a child process, and waits for it until a deadline. in_time.c has what needs no
 * system calls of its own: share_of() and run_in_child().
 */
#ifndef VFIO_BOOT_CHILD_H
#define VFIO_BOOT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct device;
struct worker;

#define TICKS 100 /* of times() in a second (USER_HZ) */

enum ending {
	ENDED,
	DIED,	    /* or fork() failed */
	TIME_IS_UP, /* the child goes on by itself */
};

/* Returns the time `seconds` from now, in ticks of times(). Setting the clock does not move it. */
clock_t deadline_after(unsigned seconds);

bool is_past(clock_t deadline);

/* Returns the end of one of n equal shares of the time that is left until the deadline. */
clock_t share_of(clock_t deadline, unsigned n);

/*
 * Returns when the process of that number began, in ticks since the boot, from its stat file below root; 0
 * if it is not there. Two processes of one number began at different times.
 */
uint32_t process_start(int root, const char *pid) __attribute__((nonnull));

/* Stores the process of that number. */
void note_process(int root, int pid, struct worker *out) __attribute__((nonnull));

/* Waits for these events of poll() until the deadline. Returns true if one has come. */
bool wait_until_ready(int fd, short events, clock_t deadline) __attribute__((warn_unused_result));

/* A child that works on a unit. */
struct child {
	int pid;
	int end; /* a descriptor that is readable when the child has ended, or -1 */
};

/*
 * Runs body(data, unit) in a child. The child's changes are visible only in memory mapped with MAP_SHARED. The caller
 * owes a child_wait(). If no child can be made, that returns DIED.
 */
struct child child_start(void (*body)(const void *data, struct device *unit), const void *data, struct device *unit)
	__attribute__((nonnull(1, 2), warn_unused_result));

/*
 * Waits for the end of the child until the deadline. After TIME_IS_UP it may be waited for again, and the caller owes a
 * child_leave().
 */
enum ending child_wait(const struct child *child, clock_t deadline) __attribute__((nonnull, warn_unused_result));

/* Leaves a child behind, which goes on by itself. */
void child_leave(const struct child *child) __attribute__((nonnull));

/* Starts a child and waits for it. Starts nothing and returns TIME_IS_UP if the deadline has passed. */
enum ending run_in_child(clock_t deadline, void (*body)(const void *data, struct device *unit), const void *data,
			 struct device *unit) __attribute__((nonnull(2, 3)));

/*
 * Runs a program with its arguments, and with an environment that has nothing but a PATH. Waits until it has ended.
 * `path` is relative to the directory `root`.
 */
void run_program(int root, const char *path, const char *const argv[]) __attribute__((nonnull));

/* All children that are started after family_begin(), and their children. */
struct family {
	int ends[2];
};

void family_begin(struct family *f) __attribute__((nonnull));

/* Waits until all of them have ended, or until the deadline. To be called once. */
void family_wait(const struct family *f, clock_t deadline) __attribute__((nonnull));

#endif
