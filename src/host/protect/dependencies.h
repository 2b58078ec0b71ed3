/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dependencies: finds the PCI functions that this host depends on, and why (doc/interface.md, "Protection"). libmount
 * tells what is mounted, udev's links or libblkid resolve tags, sysfs tells the rest. Host program only.
 */
#ifndef VFIO_BOOT_DEPENDENCIES_H
#define VFIO_BOOT_DEPENDENCIES_H

#include "pipeline.h"

/* One reason why the host needs a function. */
struct need {
	struct device *device; /* in the machine of the context */
	bool reserve;	       /* claim it only if the settings name it; else never claim it */
	char *why;	       /* "/ on nvme0n1p2", "swap on sda3", "default route through enp4s0" */
};

/* A set of strings, which it owns. */
struct string_set {
	char **string;
	unsigned count;
};

struct dependencies {
	struct need *need; /* in address order; a function may have several needs */
	unsigned needs;
	struct string_set notes; /* what could not be found out, one sentence each */
	char *unknown;		 /* why the devices of the root filesystem are unknown, or NULL */
	bool chroot;		 /* that is because this is a chroot, or has no /proc: no host that could be judged */
};

/*
 * Finds the dependencies. request_read() has read the context for PHASE_NOW. Problems become notes, no error is
 * returned. The caller owes a dependencies_free(). The devices belong to the context.
 */
void dependencies_find(struct dependencies *deps, struct context *ctx) __attribute__((nonnull));
void dependencies_free(struct dependencies *deps) __attribute__((nonnull));

#endif
