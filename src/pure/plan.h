/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: what becomes of each device, and why. Pure: (settings, snapshot) in, verdicts out, written into the snapshot.
 * The rules are those of doc/interface.md, "What is decided, and why", and are numbered as there.
 */
#ifndef VFIO_BOOT_PLAN_H
#define VFIO_BOOT_PLAN_H

#include "machine.h"
#include "settings.h"

/* The kernel from which on a driver that joins a group in use is refused instead of being a BUG: 5.19. */
#define KERNEL_DMA_OWNER (5U << 8 | 19)

/* Rules 3 to 7: a verdict for every device that was asked for, a reason for every group that is refused. */
void plan_decide(struct machine *m) __attribute__((nonnull));

/* Withdraws what was decided of every device in whose group nothing was left open (due). */
void plan_settle(struct machine *m) __attribute__((nonnull));

/* Does group=ignore hold with this kernel? */
bool plan_ignores_groups(const struct machine *m) __attribute__((nonnull));

/* Does this rule, of those up to REASON_RESERVED, speak against claiming the device? */
bool plan_rule(const struct machine *m, const struct device *d, bool named, enum reason rule) __attribute__((nonnull));

/* What speaks against claiming the device itself, whether it was selected or not; REASON_NONE if nothing does. */
enum reason plan_own_reason(const struct machine *m, const struct device *d, bool named) __attribute__((nonnull));

/* Why a device is taken only when it is named (rule 3, reserved), in the order in which it is tried. */
enum reserved {
	RESERVED_BY_ENTRY,   /* a `reserve` entry matches it */
	RESERVED_DISPLAY,    /* it is the boot display */
	RESERVED_TWIN,	     /* it has the ID of a protected function */
	RESERVED_STORAGE,    /* it is mass storage, and what the host lives on is unknown */
	RESERVED_PLATFORM,   /* it belongs to the platform */
	RESERVED_UNREADABLE, /* an entry that protects could not be read */
	RESERVED_NOT,
};

/* The first of these from `rule` on that applies to the device, or RESERVED_NOT. */
enum reserved plan_reserved(const struct machine *m, const struct device *d, enum reserved rule)
	__attribute__((nonnull));

/*
 * Does a group mate (or a bridge) that is bound to this driver keep its group from being used? The drivers that do not
 * are those with driver_managed_dma that can be there (doc/kernel-facts.md, "When a group is usable"). NULL is no
 * driver.
 */
bool blocks_group(const char *driver);

/* Rule 5: does a driver hold this member that must not be taken off? */
bool held_fast(const struct machine *m, const struct device *d) __attribute__((nonnull));

/* Does this member keep its group incomplete? */
bool is_missing(const struct device *d) __attribute__((nonnull));

/* The exit status of a plan or a report: 0, 1 or 2 (doc/interface.md). */
int plan_status(const struct machine *m) __attribute__((nonnull));

#endif
