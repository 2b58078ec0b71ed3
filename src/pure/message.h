/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message: what was decided, in words. Pure; the same words go to the terminal, the kernel log and the report. */
#ifndef VFIO_BOOT_MESSAGE_H
#define VFIO_BOOT_MESSAGE_H

#include "plan.h"

/* The words of the contract. */
const char *verdict_name(enum verdict v);
const char *reason_name(enum reason r);

/* DDDD:BB:DD.F [VVVV:DDDD] */
void add_device(struct text *t, const struct device *d) __attribute__((nonnull));

/* SOURCE:LINE:COLUMN, or "SOURCE, byte N" of the kernel command line, or SOURCE where it is about the whole. */
void add_place(struct text *t, const struct place *at) __attribute__((nonnull));

/* An entry of the settings as written, with its place. */
void add_entry(struct text *t, const struct selector *sel) __attribute__((nonnull));

/* Why the device got its verdict and what to do about it; nothing for a claim. */
void add_message(struct text *t, const struct machine *m, const struct device *d) __attribute__((nonnull));

/* What a rule, of those up to REASON_RESERVED, has against the device itself (plan_rule()). */
void add_own_reason(struct text *t, const struct machine *m, const struct device *d, enum reason reason)
	__attribute__((nonnull));

/* The whole line of a device. `ran` tells of what was done rather than of what will be. */
void set_device_line(struct text *t, const struct machine *m, const struct device *d, bool ran)
	__attribute__((nonnull));

/*
 * The absent selectors in lexical order, each text once: the one that follows `after` (NULL: the first), or NULL at
 * the end. And what is said of it, with the nearest thing that exists.
 */
const struct selector *next_absent(const struct machine *m, const struct selector *after) __attribute__((nonnull(1)));
void add_absent(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));
void set_absent_line(struct text *t, const struct machine *m, const struct selector *sel) __attribute__((nonnull));

/* Whom to tell. */
struct listener {
	void (*say)(const struct listener *l, unsigned level, const char *text);
};

/* Tells l what fmt says, see text_set(). */
void say(const struct listener *l, unsigned level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

/* What is wrong, without its place; and says each problem of the settings with it. */
void set_problem(struct text *t, const struct problem *p) __attribute__((nonnull));
void say_problems(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says how many problems were too many to keep, and why nothing is claimed at all where that is so. */
void say_notes(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says each warning about the settings and the plan. */
void say_warnings(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says the verdict of each device, then, from the second look on, the absent selectors; leaves out what an earlier run
 * of this boot said. */
void say_verdicts(const struct machine *m, bool ran, const struct listener *l) __attribute__((nonnull));

/* Levels of the kernel log. */
#define LEVEL_FAILED  3
#define LEVEL_REFUSED 4
#define LEVEL_DONE    6
#define LEVEL_DEBUG   7

#endif
