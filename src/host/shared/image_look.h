/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_look: looks for what vfio-boot needs in an initramfs image, and compares its settings. Host program only. */
#ifndef VFIO_BOOT_IMAGE_LOOK_H
#define VFIO_BOOT_IMAGE_LOOK_H

#include "image.h"

/* The modules that vfio-boot needs. image_content.modules has a bit for each. */
enum image_module { IMAGE_VFIO, IMAGE_TYPE1, IMAGE_VFIO_PCI, IMAGE_MODULES };
extern const char *const image_module[IMAGE_MODULES];

enum image_builder {
	BUILDER_UNKNOWN, /* mkinitcpio, tiny-initramfs, mkosi: nobody here knows how it starts the claim */
	BUILDER_INITRAMFS_TOOLS,
	BUILDER_DRACUT,
};

#define IMAGE_DIFFERENCES 4

struct image_content {
	bool init; /* /init exists: it is an initramfs */
	enum image_builder builder;
	bool claim;	      /* the claim program is in it */
	bool claim_runs;      /* it may be executed */
	bool claim_same;      /* it is identical to the installed program */
	bool claim_installed; /* there is an installed program */
	/* of initramfs-tools */
	bool ordered; /* the claim is a script of init-top */
	bool first;   /* it comes before udev */
	/* of dracut */
	bool systemd;
	bool unit;   /* the unit of the claim */
	bool wanted; /* which sysinit.target wants */
	bool hook;   /* the script that starts it without systemd */

	unsigned modules;     /* a bit for each module in the image */
	bool selects;	      /* its settings files select a device */
	bool settings_differ; /* one of the differences is in the settings, not in the protect file */
	unsigned differences; /* between the files of the image and of the host */
	struct text difference[IMAGE_DIFFERENCES];
};

enum image_look {
	LOOK_DONE,
	LOOK_MISSING,	 /* there is no image */
	LOOK_UNIFIED,	 /* it is part of an EFI program */
	LOOK_NO_RIGHT,	 /* no right to read the image */
	LOOK_UNREADABLE, /* its compression is not known here */
	LOOK_FAILED,	 /* it is damaged, or no initramfs */
};

/*
 * Reads the image of a kernel release, which takes up to some seconds. *c is valid for LOOK_DONE. The context has its
 * settings already.
 */
enum image_look image_look(struct image_content *c, const struct image *i, const struct context *ctx,
			   const char *release) __attribute__((nonnull, warn_unused_result));

#endif
