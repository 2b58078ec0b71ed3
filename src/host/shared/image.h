/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: finds the initramfs image of a kernel, and tells whether it is older than the settings. This costs a few
 * system calls; image_look.h has what is in it. Host program only.
 */
#ifndef VFIO_BOOT_IMAGE_H
#define VFIO_BOOT_IMAGE_H

#include <time.h>

#include "pipeline.h"

/* Where an ESP, or a boot partition beside it, is mounted; relative to the root. */
#define ESPS 3
extern const char *const esps[ESPS];

enum image_kind {
	IMAGE_NONE,
	IMAGE_INITRAMFS,
	IMAGE_UNIFIED, /* part of an EFI program, which nobody looks into */
};

struct image {
	enum image_kind kind;
	struct text path;	 /* relative to the root */
	struct timespec changed; /* its mtime */
};

/* Finds the image of a kernel release. i->kind is IMAGE_NONE if there is none. */
void image_find(struct image *i, const struct root *root, const char *release) __attribute__((nonnull));

/* Appends the paths that image_find() tries for a release. */
void add_image_places(struct text *t, const char *release) __attribute__((nonnull));

/*
 * Returns the first settings file, or the directory of the drop-ins, that was changed after the image was written.
 * Returns NULL if there is none, or no image. Does not compare contents. settings_load() has filled `buffers`.
 */
const char *image_newer_settings(const struct image *i, const struct root *root, const struct settings_buffers *buffers)
	__attribute__((nonnull, warn_unused_result));

/* An installed kernel with an image of its own, which has its release in its name. */
struct kernel_image {
	struct text release;
	struct image image;
};

#define KERNELS_MAX 64

struct kernels {
	const struct root *root;
	unsigned n;
	unsigned more; /* older ones that did not fit */
	struct kernel_image kernel[KERNELS_MAX];
};

/* Finds the installed kernels that have an image, the newest one first (strverscmp()). */
void kernels_find(struct kernels *k, const struct root *root) __attribute__((nonnull));

#endif
