/* SPDX-License-Identifier: GPL-2.0-or-later */
/* context: what a run is asked, and all the memory that it needs. */
#ifndef VFIO_BOOT_CONTEXT_H
#define VFIO_BOOT_CONTEXT_H

#include "machine.h"
#include "settings_files.h"

#define STATUS_WRONG  2 /* wrong use or wrong settings */
#define STATUS_FAILED 3 /* the system failed */

/* What follows these options of both programs: DIR, or the real root; TEXT, or that of this boot; VERSION. */
enum { ARGUMENT_SYSROOT, ARGUMENT_CMDLINE, ARGUMENT_RELEASE, ARGUMENTS };

/* All the memory that is needed, two thirds of a mebibyte of it touched at the most; nothing is ever allocated. */
struct context {
	/* what is asked */
	const char *argument[ARGUMENTS]; /* NULL where not given */
	enum phase phase;
	bool settle;   /* no more than what an earlier run of this boot left open */
	bool read_all; /* all is to be read of every device, whether it is selected or not */
	struct root root;
	/* what was found */
	bool decided;	   /* by decide_machine() in a child */
	bool ran;	   /* what was decided has been done, as far as the verdicts say */
	bool left_out_off; /* a plan for the next boot leaves the one-time `off` of this one out */
	struct machine machine;
	struct settings settings;
	struct settings_buffers buffers;
};

/* An empty context in memory that is shared with children, which note in it what they found and did; never NULL. */
struct context *context_shared(void) __attribute__((returns_nonnull, warn_unused_result));

/*
 * Opens the root and looks whether the kernel is there that is asked for. Returns 0 or an exit status, and then it has
 * said why on standard error.
 */
int context_open(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
