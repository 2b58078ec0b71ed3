/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebuild: rebuilds the initramfs image with the tool of this system. Host program only. */
#ifndef VFIO_BOOT_REBUILD_H
#define VFIO_BOOT_REBUILD_H

#include "pipeline.h"

/*
 * Runs update-initramfs -u, or dracut --force if that does not exist, without standard input, and passes on its output.
 * On a terminal shows the elapsed time. With --sysroot only says that no image is rebuilt. Returns an exit status,
 * after a message on failure.
 *
 * A verb calls this last: SIGINT and SIGQUIT are for the tool and stay ignored.
 */
int rebuild_image(const struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
