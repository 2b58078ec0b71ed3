/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_log: tells a listener about problems in the settings, verdicts and warnings. Pure. */
#ifndef VFIO_BOOT_PLAN_LOG_H
#define VFIO_BOOT_PLAN_LOG_H

#include "listener.h"
#include "machine.h"
#include "settings.h"

/* Stores what is wrong, without the place. */
void set_problem(struct text *t, const struct problem *p) __attribute__((nonnull));

/* Says each problem in the settings, with its place. */
void say_problems(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Says how many more problems there are than PROBLEMS_MAX, and if nothing is claimed at all, why. */
void say_notes(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/* Returns the message about an idle selector: a broad one that claims nothing, or one of `vfs` that makes nothing. */
const char *idle_text(const struct selector *sel) __attribute__((nonnull, returns_nonnull));

/* Says each warning about the settings and the plan. Says nothing if the snapshot is empty. */
void say_warnings(const struct machine *m, const struct listener *l) __attribute__((nonnull));

/*
 * Says the verdict of each device, unless an earlier run of this boot has said it. From the second look on, says the
 * absent selectors as well. `ran` says that the plan was carried out.
 */
void say_verdicts(const struct machine *m, bool ran, const struct listener *l) __attribute__((nonnull));

#endif
