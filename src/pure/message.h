/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message: what was decided, in words. Pure; the same words go to the terminal, the kernel log and the report. */
#ifndef VFIO_BOOT_MESSAGE_H
#define VFIO_BOOT_MESSAGE_H

#include "machine.h"
#include "plan.h"

/* The words of the contract. */
const char *verdict_name(enum verdict v);
const char *outcome_name(enum verdict v); /* of what was done: claimed instead of claim */
const char *reason_name(enum reason r);

/* What a use is called, for programs ("mounted"), and what is said of what uses a device ("is mounted"). Not of
 * USE_NONE. */
const char *use_name(enum use use) __attribute__((returns_nonnull));
const char *use_phrase(enum use use) __attribute__((returns_nonnull));

/* Why the device got its verdict and what to do about it; nothing for a claim. */
void add_message(struct text *t, const struct machine *m, const struct device *d) __attribute__((nonnull));

/* What a rule, of those up to REASON_RESERVED, has against the device itself (plan_rule()). */
void add_own_reason(struct text *t, const struct machine *m, const struct device *d, enum reason reason)
	__attribute__((nonnull));

/* Adds "bound to DRIVER", or "without a driver" if driver is NULL. */
void add_binding(struct text *t, const char *driver) __attribute__((nonnull(1)));

/* Why a device is taken only when it is named, by the rule that plan_reserved() gave. */
void add_reserved(struct text *t, const struct machine *m, const struct device *d, enum reserved rule)
	__attribute__((nonnull));

/* The whole line of a device. `ran` tells of what was done rather than of what will be. */
void set_device_line(struct text *t, const struct machine *m, const struct device *d, bool ran)
	__attribute__((nonnull));

#endif
