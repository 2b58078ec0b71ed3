/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: shows on a terminal what is being waited for, where that takes longer than a second. Host program only. */
#ifndef VFIO_BOOT_PROGRESS_H
#define VFIO_BOOT_PROGRESS_H

#include <sys/types.h>

#include "text.h"

struct progress {
	pid_t pid; /* 0 where there is no terminal */
	int stop;
};

/* From now on *step, which has to be in memory shared with children, is shown on standard error once a second. */
void progress_begin(struct progress *p, const struct text *step) __attribute__((nonnull));

/* Takes away what was shown; nothing is left of it. */
void progress_end(struct progress *p) __attribute__((nonnull));

#endif
