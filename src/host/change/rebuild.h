/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebuild: the image of the initramfs, made anew by what makes it on this system. Host program only. */
#ifndef VFIO_BOOT_REBUILD_H
#define VFIO_BOOT_REBUILD_H

#include "pipeline.h"

/*
 * Runs update-initramfs -u, or where there is none dracut --force, with nothing to read, and passes on what it says; on
 * a terminal it shows how long it has been at work. With --sysroot nothing is run. Returns an exit status; what failed
 * was said then. It is the last thing that a verb does: SIGINT and SIGQUIT, which are for what is run, stay ignored.
 */
int rebuild_image(const struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
