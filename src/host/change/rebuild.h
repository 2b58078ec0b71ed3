/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebuild: rebuilds initramfs images with the tool of this system, and looks into them. Host program only. */
#ifndef VFIO_BOOT_REBUILD_H
#define VFIO_BOOT_REBUILD_H

#include "pipeline.h"

/*
 * Rebuilds the image of every installed kernel that has one, or of the newest alone, with update-initramfs, or dracut
 * if that does not exist. If none is found, the tool is left to choose. It has no standard input, and its output is
 * passed on. On a terminal shows the elapsed time. With --sysroot only says that no image is rebuilt.
 *
 * Says first what keeps images from being built (obstacle.h), and tries it all the same.
 *
 * Reads the settings anew and judges the new images. Returns an exit status, after a message on failure: 1 if an image
 * is not right or could not be made, or there is no tool; 3 if one could not be built.
 *
 * A verb calls this last: SIGINT and SIGQUIT are for the tool and stay ignored.
 */
int rebuild_images(const struct context *ctx, bool newest_only) __attribute__((nonnull, warn_unused_result));

#endif
