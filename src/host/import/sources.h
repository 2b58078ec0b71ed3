/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sources: reads the places that gave devices to vfio-pci before vfio-boot. Host program only. Writes nothing. */
#ifndef VFIO_BOOT_SOURCES_H
#define VFIO_BOOT_SOURCES_H

#include "pipeline.h"
#include "result.h"

/*
 * Reads modprobe.d, the kernel command line, the modules of initramfs-tools, the overrides of driverctl and Unraid's
 * list. Prints a message and sets f->failed if something cannot be read. The context has its machine already, or a
 * machine without devices.
 */
void sources_read_all(struct result *f, struct context *ctx) __attribute__((nonnull));

/* Reads the files at these paths instead, up to a NULL. An absolute path begins at the root of the context. */
void sources_read(struct result *f, struct context *ctx, char *const *path) __attribute__((nonnull));

#endif
