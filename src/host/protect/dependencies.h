/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dependencies: which PCI functions this host lives on, and why (interface.md, "Protection"). Host program only; what
 * is mounted comes from libmount, what a tag means from udev's links or libblkid, the rest from sysfs.
 */
#ifndef VFIO_BOOT_DEPENDENCIES_H
#define VFIO_BOOT_DEPENDENCIES_H

#include "pipeline.h"

/* One reason why the host needs one function. */
struct need {
	struct device *device; /* of the context's machine */
	bool reserve;	       /* to be claimed only when it is named, rather than never */
	char *why;	       /* "/ on nvme0n1p2", "swap on sda3", "default route through enp4s0" */
};

struct dependencies {
	struct need *need; /* in address order; a function may have several */
	unsigned needs;
	char **note; /* what could not be found out, a sentence each */
	unsigned notes;
	char *unknown; /* why what the root lives on cannot be told, or NULL */
};

/* Finds out; of a context that request_read() has read for PHASE_NOW. dependencies_free() is owed afterwards. */
void dependencies_find(struct dependencies *l, struct context *ctx) __attribute__((nonnull));
void dependencies_free(struct dependencies *l) __attribute__((nonnull));

#endif
