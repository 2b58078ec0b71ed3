/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack: shows what is in an image of an initramfs, by the tools that this machine has for it. Host program only. */
#ifndef VFIO_BOOT_UNPACK_H
#define VFIO_BOOT_UNPACK_H

#include <stdio.h>
#include <sys/stat.h>

#include "image.h"

/* How long it may take. With software emulation an image with most modules takes half a minute. */
#define UNPACK_SECONDS 120

/* See image_begin(). */
void unpack_begin(void);

/*
 * Unpacks an image, calls see() for each thing in it that is no directory, with its path in the image and, of a file,
 * an open descriptor (-1 of what is none), and removes all of it again. The path is as the caller of the program has
 * it. What came out of a damaged image is shown as well. Where a signal comes meanwhile, it is passed on at the end.
 */
enum image_look unpack(const char *path, void (*see)(void *data, int fd, const char *path, const struct stat *st),
		       void *data) __attribute__((nonnull(1, 2), warn_unused_result));

#endif
