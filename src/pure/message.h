/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message: puts decisions into words, for the terminal, the kernel log and the report alike. Pure. */
#ifndef VFIO_BOOT_MESSAGE_H
#define VFIO_BOOT_MESSAGE_H

#include "machine.h"
#include "plan.h"

/*
 * Return the words of doc/interface.md. outcome_name() is for what was done: it returns "claimed" instead of "claim".
 * All are constants.
 */
const char *verdict_name(enum verdict v);
const char *outcome_name(enum verdict v);
const char *reason_name(enum reason r);

/*
 * use_name() returns the word for programs ("mounted"), use_phrase() the one that follows the name of a disk or an
 * interface in a message ("is mounted").
 */
const char *use_name(enum use use) __attribute__((returns_nonnull));
const char *use_phrase(enum use use) __attribute__((returns_nonnull));

/* Appends why the device has its verdict, and what the user can do about it. Appends nothing for a plain claim. */
void add_message(struct text *t, const struct machine *m, const struct device *d) __attribute__((nonnull));

/* Appends this reason, one that plan_rule() knows, and what the user can do about it. */
void add_own_reason(struct text *t, const struct machine *m, const struct device *d, enum reason reason)
	__attribute__((nonnull));

/* Appends "bound to DRIVER", or "without a driver" if driver is NULL. */
void add_binding(struct text *t, const char *driver) __attribute__((nonnull(1)));

/* Appends why the device is claimed only if a selector names it. `rule` comes from plan_reserved(). */
void add_reserved(struct text *t, const struct machine *m, const struct device *d, enum reserved rule)
	__attribute__((nonnull));

/* Stores the whole line of a device. `ran` says that the plan was carried out. */
void set_device_line(struct text *t, const struct machine *m, const struct device *d, bool ran)
	__attribute__((nonnull));

#endif
