/* SPDX-License-Identifier: GPL-2.0-or-later */
/* obstacle: tells what keeps this system from building an image, whoever asks for one. Host program only. */
#ifndef VFIO_BOOT_OBSTACLE_H
#define VFIO_BOOT_OBSTACLE_H

#include "pipeline.h"

struct obstacle {
	struct text what;
	struct text remedy; /* a command, or what to change */
};

#define OBSTACLES_MAX 2

/*
 * Finds what makes update-initramfs do nothing and succeed: a boot directory that is mounted read-only, where dracut
 * fails as well, and update_initramfs=no in its settings. Stores each in o[], and returns how many there are. What
 * cannot be read is no obstacle.
 */
unsigned obstacles_find(struct obstacle o[OBSTACLES_MAX], const struct root *root) __attribute__((nonnull));

#endif
