/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folders: the files of settings that are spread over several folders. Host program only. Reads. */
#ifndef VFIO_BOOT_DROPINS_H
#define VFIO_BOOT_DROPINS_H

#include <stdbool.h>

/*
 * Calls each() with the paths of the files of these folders, up to a NULL, whose names is() takes: in the order of
 * their names, whichever folder they are in, and of one name that in the first folder alone (modprobe.d(5)). A folder
 * that cannot be listed, and is there, goes to failed() with its errno.
 */
void folders_each(int root, const char *const *folder, bool (*is)(const char *name),
		  void (*each)(void *ctx, const char *path), void (*failed)(void *ctx, const char *folder, int error),
		  void *ctx) __attribute__((nonnull(2, 3, 4, 5)));

#endif
