/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: shows on a terminal what the program waits for, if that takes more than a second. Host program only. */
#ifndef VFIO_BOOT_PROGRESS_H
#define VFIO_BOOT_PROGRESS_H

#include <sys/types.h>

#include "text.h"

struct progress {
	pid_t pid; /* 0: nothing is shown */
	int stop;
};

/*
 * Shows *step on standard error once a second, from a child process. *step must be in memory shared with children. Does
 * nothing without a terminal, or if the child cannot be made.
 */
void progress_begin(struct progress *p, const struct text *step) __attribute__((nonnull));

/* Erases the line that was shown. */
void progress_end(struct progress *p) __attribute__((nonnull));

/*
 * Shows a line on standard error, a terminal, in place of the last one, cut to its columns. Returns how many it takes,
 * for progress_erase().
 */
int progress_show(const char *text) __attribute__((nonnull));

/* Erases a line that takes so many columns; 0 is none. */
void progress_erase(int columns);

#endif
