/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: decides what happens to each device, and why. Reads settings and snapshot, and writes the verdicts into the
 * snapshot. Pure. Numbers of rules in comments are those of doc/interface.md, "What is decided, and why".
 */
#ifndef VFIO_BOOT_PLAN_H
#define VFIO_BOOT_PLAN_H

#include "machine.h"
#include "settings.h"

/* Since Linux 5.19 the kernel refuses a driver that joins a group in use. Before, that is a BUG. */
#define KERNEL_DMA_OWNER (5U << 8 | 19)

/*
 * Applies the rules 3 to 7. Writes a verdict for every device that select_devices() has marked, a reason for every
 * group that cannot be claimed, and SELECTOR_IDLE.
 */
void plan_decide(struct machine *m) __attribute__((nonnull));

/*
 * Withdraws the verdict of every device, unless an earlier run left it or a member of its group open (done.due), or it
 * is about VFs of `vfs`. With m->late, done.due alone counts.
 */
void plan_settle(struct machine *m) __attribute__((nonnull));

/* Returns true if group=ignore is set and the kernel allows it. */
bool plan_ignores_groups(const struct machine *m) __attribute__((nonnull));

/*
 * Returns true if this reason, one up to REASON_RESERVED, applies to the device itself. `named` says whether a selector
 * names the device.
 */
bool plan_rule(const struct machine *m, const struct device *d, bool named, enum reason rule) __attribute__((nonnull));

/* Returns the first of these reasons that applies, or REASON_NONE. The device need not be selected. */
enum reason plan_own_reason(const struct machine *m, const struct device *d, bool named) __attribute__((nonnull));

/* Why VFIO will never give a device to anybody (3, unusable). */
enum unusable {
	UNUSABLE_NOT,
	UNUSABLE_DENYLIST, /* vfio-pci refuses it */
	UNUSABLE_DIRECT,   /* GROUP_DIRECT */
};

enum unusable plan_unusable(const struct machine *m, const struct device *d) __attribute__((nonnull));

/* Why a device is claimed only if a selector names it (3, reserved). The first one that applies counts. */
enum reserved {
	RESERVED_BY_ENTRY,   /* a `reserve` entry matches it */
	RESERVED_DISPLAY,    /* it is the boot display */
	RESERVED_TWIN,	     /* it has the ID of a protected function */
	RESERVED_STORAGE,    /* it is mass storage, and what the host depends on is unknown */
	RESERVED_PLATFORM,   /* it belongs to the platform */
	RESERVED_UNREADABLE, /* an entry that protects could not be read */
	RESERVED_NOT,
};

/* Returns the first one from `rule` on that applies to the device, or RESERVED_NOT. */
enum reserved plan_reserved(const struct machine *m, const struct device *d, enum reserved rule)
	__attribute__((nonnull));

/*
 * Returns true if VFIO cannot use a group while this driver holds a member or a bridge of it. Drivers with
 * driver_managed_dma do not block a group (doc/kernel-facts.md, "When a group is usable"). `driver` may be NULL.
 */
bool blocks_group(const char *driver);

/* Returns true if a driver holds this member and must not be unbound (5). */
bool held_fast(const struct machine *m, const struct device *d) __attribute__((nonnull));

/* Why the VFs that `vfs` asks for cannot be made of a PF, or are not there. */
enum vfs_fault {
	VFS_FINE,
	VFS_NONE,     /* the function can have none */
	VFS_TOO_MANY, /* it can have fewer */
	VFS_OTHERS,   /* others are there, in another number */
	VFS_TAKEN,    /* a vfio driver has the PF */
	VFS_FAILED,   /* it was tried: done.errnum, or 0 if it has no driver */
};

/* Returns the first fault that applies to a PF with asked.vfs. */
enum vfs_fault plan_vfs(const struct machine *m, const struct device *pf) __attribute__((nonnull));

/* Returns true if the group is incomplete because this member is not selected. */
bool is_missing(const struct device *d) __attribute__((nonnull));

/* Returns the exit status of a plan or a report: 0, 1 or 2 (doc/interface.md). */
int plan_status(const struct machine *m) __attribute__((nonnull));

#endif
