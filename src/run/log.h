/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: listeners that write lines to the kernel log, to standard error, or to a file in few writes. */
#ifndef VFIO_BOOT_LOG_H
#define VFIO_BOOT_LOG_H

#include "child.h"
#include "listener.h"
#include "message.h"

/*
 * Writes to the kernel log of a machine, in a child: with a slow console, the kernel takes its time for each line, and
 * for those of others. A line that cannot be written there goes to standard error, so that none is lost silently.
 */
struct kernel_log {
	struct listener listener;
	int root;			 /* descriptor of the directory whose dev/kmsg is written to */
	const struct settings *settings; /* log=quiet drops lines of LEVEL_DONE */
	clock_t deadline;		 /* a line that the child has not taken by then is dropped; the report has it */
	int owner;			 /* the process that began it, which alone starts the child */
	bool started;			 /* the child was to be started */
	int lines[2];			 /* the pipe to the child */
	struct child child;
};

/* Prepares a log. The caller owes a kernel_log_end(). */
void kernel_log_begin(struct kernel_log *l, int root, const struct settings *settings, clock_t deadline)
	__attribute__((nonnull));

/* Waits until the child has written all lines, or until the deadline. The child goes on by itself then. */
void kernel_log_end(struct kernel_log *l) __attribute__((nonnull));

/* Collects lines and writes them to a descriptor, which stays the caller's, in few writes. */
struct output {
	struct listener listener;
	int fd;
	int error; /* errno of the first write that failed, or 0 */
	unsigned len;
	char buf[4096];
};

void output_init(struct output *o, int fd) __attribute__((nonnull));

/* Writes the lines that are left. Returns 0, or the errno of the first write that failed. */
int output_flush(struct output *o) __attribute__((nonnull, warn_unused_result));

/* Writes to standard error, with the name of the program before each line. */
extern const struct listener complaints;

#endif
