/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * late: functions that came after the claim of this boot (doc/interface.md, "What comes later"). udev starts a run for
 * each of them. A run notes its function, and then waits for the lock. Who has the lock decides on all functions that
 * are noted: they are one batch.
 */
#ifndef VFIO_BOOT_LATE_H
#define VFIO_BOOT_LATE_H

#include <time.h>

#include "machine.h"

/*
 * Makes or removes what udev looks for (conf/60-vfio-boot.rules): the directory of the notes, a file that asks for runs
 * of LATE_REBOUND, and one that asks for a run of --settle when a PF has got its driver. `on`: the settings select
 * something, and the claim of this boot has run. `settled`: the VFs of this boot have been made.
 */
void late_enable(const struct settings *settings, int root, bool on, bool settled) __attribute__((nonnull));

/* What has happened to a function. */
enum late_event {
	LATE_COME,    /* it has come */
	LATE_REBOUND, /* a driver of the host was bound to it; this counts only if it was claimed before (`keep`) */
};

/*
 * Returns true if the settings may mean the function of this name, as far as can be told without the others. An answer
 * costs a few system calls, however many functions there are.
 */
bool late_concerns(const struct settings *settings, int root, const char *name) __attribute__((nonnull));

/* Notes a function. Returns false if there is no directory of notes, or if the name is none of a function. */
bool late_note(int root, const char *name, enum late_event event) __attribute__((nonnull, warn_unused_result));

/* The functions that a run decides on. The notes of more are left to the next run. */
#define LATE_MAX 256

struct late {
	unsigned functions;
	struct {
		char name[PCIADDR_TEXT];
		uint8_t event; /* enum late_event */
	} function[LATE_MAX];
};

/* Returns true if a vfio driver has the function, and the report has it as claimed: there is nothing to do. */
bool late_is_done(int root, const char *name) __attribute__((nonnull, warn_unused_result));

/* Takes a note away without deciding on it. */
void late_drop(int root, const char *name, enum late_event event) __attribute__((nonnull));

/* Returns true if the function is still noted: no other run has taken it. */
bool late_is_noted(int root, const char *name, enum late_event event) __attribute__((nonnull, warn_unused_result));

/*
 * Takes the notes of all functions, that of `name` first if it is not NULL. What comes from now on is for the next run.
 */
void late_take(struct late *late, int root, const char *name, enum late_event event) __attribute__((nonnull(1)));

/* Waits until no function has come or gone for a moment, at most for some seconds. */
void late_wait(int root, clock_t deadline);

/*
 * Sets done.due and done.late of the functions that were taken. For a run with m->late, what an earlier run of this
 * boot left open of others is none of its business.
 */
void late_recall(const struct late *late, struct machine *m) __attribute__((nonnull));

#endif
