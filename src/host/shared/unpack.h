/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack: lists the content of an initramfs image with the tools of this system. Host program only. */
#ifndef VFIO_BOOT_UNPACK_H
#define VFIO_BOOT_UNPACK_H

#include <sys/stat.h>

#include "image.h"

/* The limit for unpacking. With software emulation an image with most modules takes half a minute. */
#define UNPACK_SECONDS 120

/* Call this once, before a chroot() to --sysroot: the tools that unpack images are programs of the running system. */
void unpack_begin(void);

/*
 * Unpacks an image, calls each() for everything in it but directories, and removes what it unpacked. each() gets the
 * path in the image, and an open descriptor of a regular file, or -1. An absolute `path` begins at the real root, a
 * relative one at the working directory.
 *
 * Calls each() for what came out of a damaged image, too. Raises a signal that arrives meanwhile after the clean-up.
 */
enum image_look unpack(const char *path, void (*each)(void *data, int fd, const char *path, const struct stat *st),
		       void *data) __attribute__((nonnull(1, 2), warn_unused_result));

#endif
