/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atomic_write: files that are written whole or not at all. Host program only. */
#ifndef VFIO_BOOT_ATOMIC_WRITE_H
#define VFIO_BOOT_ATOMIC_WRITE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file below root, by its path without the leading slash, into memory of the caller's, with a NUL behind its
 * end; one that is not there is an empty text. Returns 0, or -errno and *text is NULL; -ELOOP where it is a symbolic
 * link, which replacing it would destroy, -EFBIG where it is larger than settings may be.
 */
int read_text(int root, const char *path, char **text, size_t *len) __attribute__((nonnull, warn_unused_result));

/*
 * Replaces a file by this text: written beside it, flushed to the disk and renamed, with this mode, or where that is 0
 * with the mode and the owner of the old one, or 0644. Folders are made where they are missing. Waits for another run
 * that is at work in the same directory. Returns 0, or -errno, and then nothing has changed.
 */
int replace_file(int root, const char *path, const char *text, size_t len, mode_t mode)
	__attribute__((nonnull, warn_unused_result));

#endif
