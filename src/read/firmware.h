/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firmware: what kernel and firmware say of themselves: version, built-in drivers, IOMMU tables, framebuffers. Reads.
 */
#ifndef VFIO_BOOT_FIRMWARE_H
#define VFIO_BOOT_FIRMWARE_H

#include "machine.h"

/* Addresses, the last one included; the end is 0 where there is none. */
struct range {
	uint64_t start;
	uint64_t end;
};

struct framebuffer {
	struct range at;
	const char *owner; /* who holds it, a constant */
};

#define FRAMEBUFFERS_MAX 4

/* The framebuffers of the firmware as /proc/iomem has them, the first ones; none without the right to see addresses.
 * The one behind the last has no end. */
void firmware_framebuffers(int root, struct framebuffer found[FRAMEBUFFERS_MAX + 1]);

/* The first of these that lies in a range of this `resource` attribute of a function (start end flags, a line each), or
 * NULL. */
const struct framebuffer *framebuffer_in(const struct framebuffer *f, const char *resource) __attribute__((nonnull));

/* The name of the firmware's IOMMU table, a constant, or NULL. */
const char *firmware_iommu(int root) __attribute__((warn_unused_result));

/* The release of the running kernel, which is put into t, or `release` where it is not NULL; empty if unknown. */
const char *kernel_release(struct text *t, int root, const char *release) __attribute__((nonnull(1)));

/* Version and patchlevel of a release, or of the running kernel where it is NULL; 0 if unknown. */
uint32_t firmware_kernel(int root, const char *release);

/* Is this the path of that module's file, whatever it is compressed with? - and _ are alike. */
bool module_is(const char *path, const char *name) __attribute__((nonnull));

#endif
