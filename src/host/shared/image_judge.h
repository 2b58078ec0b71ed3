/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_judge: judges whether the initramfs image of a kernel will do what the settings say, and how to mend it
 * (doc/interface.md, "The image is looked into"). Host program only.
 */
#ifndef VFIO_BOOT_IMAGE_JUDGE_H
#define VFIO_BOOT_IMAGE_JUDGE_H

#include "image_look.h"
#include "listener.h"

enum image_state {
	IMAGE_RIGHT,
	IMAGE_UNSEEN, /* it was not looked into, and the only fault says why */
	IMAGE_FAULT,
};

/* One for the program, one for its start, one for each module, and what image_content tells of differences. */
#define IMAGE_FAULTS (2 + IMAGE_MODULES + IMAGE_DIFFERENCES + 1)

struct image_verdict {
	enum image_state state;
	bool older; /* nothing but the settings is wrong */
	enum image_look look;
	unsigned faults;
	struct text what;		 /* the path of the image, or the kernel that has none */
	struct text fault[IMAGE_FAULTS]; /* each to follow `what` and before_fault() */
	struct text remedy;		 /* what mends all of them */
};

/*
 * Judges the image of a kernel. The context has its settings already. If they select nothing, an image that claims
 * nothing either is right: `selects` says that they do.
 */
void image_judge(struct image_verdict *v, const struct image *i, const struct context *ctx, const char *release,
		 bool selects) __attribute__((nonnull));

/* Returns what stands between v->what and the first fault; `otherwise` where the fault alone says it. */
const char *before_fault(const struct image_verdict *v, const char *otherwise)
	__attribute__((nonnull, returns_nonnull));

/* Stores the verdict of an image that is not right in one line, with the first fault and the remedy. */
void set_image_line(struct text *t, const struct image_verdict *v) __attribute__((nonnull));

/* Returns the command that rebuilds the images of all kernels here. */
const char *rebuild_all_command(const struct root *root) __attribute__((nonnull, returns_nonnull));

/* Returns true if the settings of the context select a device, whatever keeps this boot from claiming it. */
bool settings_select(const struct context *ctx) __attribute__((nonnull));

/*
 * Says in one line why the image of the planned kernel will not do what the plan of this context says. Says as well, as
 * LEVEL_DONE, if it was not looked into. Returns true if the image has a fault. A boot that claims nothing for another
 * reason than the settings has none. Nor has a root without a boot directory.
 */
bool say_image(const struct context *ctx, const struct listener *l) __attribute__((nonnull));

#endif
