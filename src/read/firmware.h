/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firmware: reads the version of the kernel, the IOMMU table of the firmware and its framebuffers.
 */
#ifndef VFIO_BOOT_FIRMWARE_H
#define VFIO_BOOT_FIRMWARE_H

#include "machine.h"

/* A range of addresses, including its end. If the end is 0, there is no range. */
struct range {
	uint64_t start;
	uint64_t end;
};

struct framebuffer {
	struct range at;
	const char *owner; /* name in /proc/iomem, a constant */
};

#define FRAMEBUFFERS_MAX 4

/*
 * Stores the first framebuffers of the firmware that /proc/iomem shows. The entry after the last one has no end. Finds
 * none without the right to see addresses.
 */
void firmware_framebuffers(int root, struct framebuffer found[FRAMEBUFFERS_MAX + 1]);

/*
 * Stores the framebuffer that the boot loader handed over, as the kernel keeps it on x86 (boot_params), and after it an
 * entry that has no end. It stays the same when a driver takes the framebuffer over, and needs no right to be read.
 * Stores only the latter if there is none.
 */
void firmware_screen(int root, struct framebuffer found[2]);

/*
 * Returns the first of these framebuffers that overlaps a range of a function's `resource` attribute (start, end and
 * flags on each line), or NULL.
 */
const struct framebuffer *framebuffer_in(const struct framebuffer *f, const char *resource) __attribute__((nonnull));

/* Returns the name of the firmware's IOMMU table, a constant, or NULL if there is none. */
const char *firmware_iommu(int root) __attribute__((warn_unused_result));

/* Returns `release`, or if it is NULL the release of the running kernel, which is stored in t and empty if unknown. */
const char *kernel_release(struct text *t, int root, const char *release) __attribute__((nonnull(1)));

/*
 * Returns version << 8 | patchlevel of a kernel release, or of the running kernel if `release` is NULL; 0 if unknown.
 */
uint32_t firmware_kernel(int root, const char *release);

/* Returns true if the path is the file of this module, compressed or not. - and _ are equal in names of modules. */
bool module_is(const char *path, const char *name) __attribute__((nonnull));

#endif
