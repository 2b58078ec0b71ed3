/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc: texts of any length. Host program only. Without memory the program aborts. */
#ifndef VFIO_BOOT_ALLOC_H
#define VFIO_BOOT_ALLOC_H

#include <stdio.h>

/*
 * Formats like asprintf() and aborts if there is no memory. The caller frees the text. A control character becomes a
 * question mark, so that it neither ends a line nor controls a terminal.
 */
char *alloc_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), nonnull(1), returns_nonnull));

/*
 * Opens a stream whose text is at *text, and *size bytes long, once it is closed (open_memstream()). The caller closes
 * the stream, and frees the text then.
 */
FILE *open_text(char **text, size_t *size) __attribute__((nonnull, returns_nonnull));

#endif
