/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: the initramfs of a kernel: where it is, whether it is older than the settings, and what is in it. Host program
 * only. The first two cost a few system calls; image_look() unpacks it, which takes seconds and needs a tool for it.
 */
#ifndef VFIO_BOOT_IMAGE_H
#define VFIO_BOOT_IMAGE_H

#include <time.h>

#include "pipeline.h"

enum image_kind {
	IMAGE_NONE,
	IMAGE_INITRAMFS,
	IMAGE_UNIFIED, /* part of an EFI program, which is not looked into */
};

struct image {
	enum image_kind kind;
	struct text path;	 /* below the root, without its first slash */
	struct timespec changed; /* its mtime */
};

/* Once, before a --sysroot shuts it out: what unpacks images is a program of the machine that we run on. */
void image_begin(void);

/* Finds the image of a kernel. */
void image_find(struct image *i, const struct root *root, const char *release) __attribute__((nonnull));

/* Adds the places where image_find() looks. */
void add_image_places(struct text *t, const char *release) __attribute__((nonnull));

/*
 * The first file of the settings, or their directory, that was changed after the image was written; NULL where there is
 * none, or no image. It tells nothing of the content. The buffers is that of settings_load().
 */
const char *image_newer_settings(const struct image *i, const struct root *root, const struct settings_buffers *buffers)
	__attribute__((nonnull, warn_unused_result));

/* The modules that matter, a bit each; their names in this order. */
#define IMAGE_MODULES 3
extern const char *const image_module[IMAGE_MODULES];

#define IMAGE_DIFFERENCES 4

struct image_content {
	bool init;	      /* there is an /init: it is an initramfs, and it was unpacked */
	bool dracut;	      /* and made by dracut, which has no ORDER */
	bool claim;	      /* the claim program is in it, */
	bool claim_runs;      /* may be executed, */
	bool claim_same;      /* and has the bytes of the one that is installed */
	bool claim_installed; /* there is one to compare it with */
	bool ordered;	      /* the claim is a script of init-top, */
	bool first;	      /* and comes before udev */
	unsigned modules;     /* a bit of each that is in it */
	unsigned differences; /* in the settings; the first ones: */
	struct text difference[IMAGE_DIFFERENCES];
};

enum image_look {
	LOOK_DONE,
	LOOK_NO_RIGHT, /* to read the image */
	LOOK_NO_TOOL,  /* neither unmkinitramfs nor lsinitrd */
	LOOK_NO_ROOM,  /* no directory could be made for it, or it did not fit in */
	LOOK_TIME,     /* it took too long */
	LOOK_FAILED,   /* nothing that is an initramfs came out of it */
};

/*
 * Unpacks the image of that kernel into a directory of its own, compares, and removes the directory, also where a
 * signal ends the program. *c is good with LOOK_DONE. The settings of the context have been read.
 */
enum image_look image_look(struct image_content *c, const struct image *i, const struct context *ctx,
			   const char *release) __attribute__((nonnull, warn_unused_result));

#endif
