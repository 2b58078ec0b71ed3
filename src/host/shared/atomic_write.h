/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atomic_write: writes a file whole or not at all. Host program only. */
#ifndef VFIO_BOOT_ATOMIC_WRITE_H
#define VFIO_BOOT_ATOMIC_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file into memory that the caller frees, with a NUL after its end. `path` is relative to `root`. A file that
 * does not exist is an empty text. Returns 0. On failure returns -errno and sets *text to NULL: -ELOOP for a symbolic
 * link, which replace_file() would destroy, and -EFBIG for a file larger than settings may be.
 */
int read_text(int root, const char *path, char **text, size_t *len) __attribute__((nonnull, warn_unused_result));

/* Returns true if the file has this text, as read_text() reads it. */
bool has_text(int root, const char *path, const char *text, size_t len) __attribute__((nonnull));

/*
 * Replaces a file by this text: writes a temporary file beside it, flushes it to the disk and renames it. The file gets
 * this mode; if that is 0, the mode and owner of the old file, or 0644 if there is none. Creates missing directories.
 * Waits for another run in the same directory. Returns 0, or -errno if nothing was replaced.
 */
int replace_file(int root, const char *path, const char *text, size_t len, mode_t mode)
	__attribute__((nonnull, warn_unused_result));

#endif
