/* SPDX-License-Identifier: GPL-2.0-or-later */
/* directory: leaves marks in /run, which others look for, and removes directories of files from there. */
#ifndef VFIO_BOOT_DIRECTORY_H
#define VFIO_BOOT_DIRECTORY_H

#include <stdbool.h>

/* Makes or removes an empty file, relative to root. */
void mark(int root, const char *path, bool on) __attribute__((nonnull));

/* Removes a directory, relative to root, and the files in it. What a symbolic link leads to stays. */
void directory_remove(int root, const char *path) __attribute__((nonnull));

#endif
