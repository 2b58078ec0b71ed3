/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_log: tells a listener what is wrong with the settings, what was decided, and what to be warned of. Pure. */
#ifndef VFIO_BOOT_PLAN_LOG_H
#define VFIO_BOOT_PLAN_LOG_H

#include "listener.h"
#include "machine.h"
#include "settings.h"

/* What is wrong, without its place; and says each problem of the settings with it. */
void set_problem(struct text *t, const struct problem *p) __attribute__((nonnull));
void say_problems(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says how many problems were too many to keep, and why nothing is claimed at all where that is so. */
void say_notes(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* What is said of a broad selector that claims nothing. */
#define IDLE_TEXT "matches devices and claims nothing"

/* Says each warning about the settings and the plan. */
void say_warnings(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says the verdict of each device, then, from the second look on, the absent selectors; leaves out what an earlier run
 * of this boot said. */
void say_verdicts(const struct machine *m, bool ran, const struct listener *l) __attribute__((nonnull));

#endif
