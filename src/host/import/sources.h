/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sources: the places where devices were given to vfio-pci before there was vfio-boot. Host program only. Reads. */
#ifndef VFIO_BOOT_SOURCES_H
#define VFIO_BOOT_SOURCES_H

#include "pipeline.h"
#include "result.h"

/*
 * Reads modprobe.d, the kernel command line, the modules of initramfs-tools, what driverctl has saved, and Unraid's
 * list. What cannot be read is said, and f->failed then. The machine of the context has been read, or has no device.
 */
void sources_read_all(struct result *f, struct context *ctx) __attribute__((nonnull));

/* Reads files of those kinds instead, up to a NULL; a path that is absolute begins at the root of the context. */
void sources_read(struct result *f, struct context *ctx, char *const *path) __attribute__((nonnull));

#endif
