/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: finds the initramfs image of a kernel, and tells whether it is older than the settings and what is in it.
 * image_find() and image_newer_settings() cost a few system calls. image_look() unpacks the image, which takes seconds
 * and needs a tool. Host program only.
 */
#ifndef VFIO_BOOT_IMAGE_H
#define VFIO_BOOT_IMAGE_H

#include <time.h>

#include "pipeline.h"

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

/* The modules that vfio-boot needs. image_content.modules has a bit for each, in this order. */
#define IMAGE_MODULES 3
extern const char *const image_module[IMAGE_MODULES];

#define IMAGE_DIFFERENCES 4

struct image_content {
	bool init;	      /* /init exists: it is an initramfs, and it was unpacked */
	bool dracut;	      /* dracut made it, which has no ORDER */
	bool claim;	      /* the claim program is in it */
	bool claim_runs;      /* it may be executed */
	bool claim_same;      /* it is identical to the installed program */
	bool claim_installed; /* there is an installed program */
	bool ordered;	      /* the claim is a script of init-top */
	bool first;	      /* it comes before udev */
	unsigned modules;     /* a bit for each module in the image */
	unsigned differences; /* number of differences in the settings */
	struct text difference[IMAGE_DIFFERENCES];
};

enum image_look {
	LOOK_DONE,
	LOOK_NO_RIGHT, /* no right to read the image */
	LOOK_NO_TOOL,  /* neither unmkinitramfs nor lsinitrd exists */
	LOOK_NO_ROOM,  /* no directory could be made, or the content did not fit */
	LOOK_TIME,     /* unpacking took too long */
	LOOK_FAILED,   /* the result is no initramfs */
};

/*
 * Unpacks the image of a kernel release into a directory of its own, inspects the content, and removes the directory,
 * even if a signal ends the program. *c is valid for LOOK_DONE. The context has its settings already.
 */
enum image_look image_look(struct image_content *c, const struct image *i, const struct context *ctx,
			   const char *release) __attribute__((nonnull, warn_unused_result));

#endif
