/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: listeners that pass on what is said: to the kernel log, to standard error, or to a file in few writes. */
#ifndef VFIO_BOOT_LOG_H
#define VFIO_BOOT_LOG_H

#include "listener.h"
#include "message.h"

/* The kernel log of a machine; where there is none, standard error. Nothing is lost without a word. */
struct kernel_log {
	struct listener listener;
	int root;			 /* the directory whose dev/kmsg is written to */
	const struct settings *settings; /* log=quiet leaves out what is as it should be */
};

void kernel_log_init(struct kernel_log *l, int root, const struct settings *settings) __attribute__((nonnull));

/* Lines to a descriptor, in few writes. */
struct output {
	struct listener listener;
	int fd;
	int error; /* errno of the first write that failed, or 0 */
	unsigned len;
	char buf[4096];
};

void output_init(struct output *o, int fd) __attribute__((nonnull));

/* Writes what is left; 0, or the errno of the first write that failed. */
int output_flush(struct output *o) __attribute__((nonnull, warn_unused_result));

/* Standard error, behind the name of the program. */
extern const struct listener complaints;

#endif
