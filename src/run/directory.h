/* SPDX-License-Identifier: GPL-2.0-or-later */
/* directory: removes a directory of files from /run. */
#ifndef VFIO_BOOT_DIRECTORY_H
#define VFIO_BOOT_DIRECTORY_H

/* Removes a directory, relative to root, and the files in it. What a symbolic link leads to stays. */
void directory_remove(int root, const char *path) __attribute__((nonnull));

#endif
