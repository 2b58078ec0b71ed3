/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decide: settings, snapshot and decision in one go, the same for both programs; and the plan as text. */
#ifndef VFIO_BOOT_PIPELINE_H
#define VFIO_BOOT_PIPELINE_H

#include "listener.h"
#include "message.h"
#include "scan.h"

#define STATUS_WRONG  2 /* wrong use or wrong settings */
#define STATUS_FAILED 3 /* the system failed */

/* What follows these options of both programs: DIR, or the real root; TEXT, or that of this boot; VERSION. */
enum { ARGUMENT_SYSROOT, ARGUMENT_CMDLINE, ARGUMENT_RELEASE, ARGUMENTS };

/* All the memory that is needed, two thirds of a mebibyte of it touched at the most; nothing is ever allocated. */
struct job {
	/* what is asked */
	const char *argument[ARGUMENTS]; /* NULL where not given */
	enum phase phase;
	bool settle; /* no more than what an earlier run of this boot left open */
	bool every;  /* all is to be read of every device, whether it is selected or not */
	struct root root;
	/* what was found */
	bool decided;	   /* by decide_machine() in a child */
	bool ran;	   /* what was decided has been done, as far as the verdicts say */
	bool left_out_off; /* a plan for the next boot leaves the one-time `off` of this one out */
	struct machine machine;
	struct settings settings;
	struct paper paper;
};

/* Opens the root; where that fails it says so on standard error and returns false. */
bool decide_begin(struct job *j) __attribute__((nonnull, warn_unused_result));

/* Reads the settings; false where they ask for nothing, or nothing is to be claimed in this boot. */
bool decide_settings(struct job *j) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the machine and decides. Where the machine cannot be read, says so to l and returns false. Problems of the
 * settings are no failure: they are in j->settings.
 */
bool decide_machine(struct job *j, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/* Both of them. */
bool decide(struct job *j, const struct listener *l) __attribute__((nonnull, warn_unused_result));

/* What is said of a plan that leaves out the one-time `off` of this boot. */
#define LEFT_OUT_OFF "vfio.ids=off of this boot is left out"

/* Decides and prints the plan on standard output, what is wrong on standard error; returns the exit status. */
int print_plan(struct job *j) __attribute__((nonnull, warn_unused_result));

#endif
