/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dropins: the files of settings that are spread over several directories. Host program only. Reads. */
#ifndef VFIO_BOOT_DROPINS_H
#define VFIO_BOOT_DROPINS_H

#include <stdbool.h>

/*
 * Calls each() with the paths of the files of these directories, up to a NULL, whose names is() takes: in the order of
 * their names, whichever directory they are in, and of one name that in the first directory alone (modprobe.d(5)). A
 * directory that cannot be listed, and is there, goes to failed() with its errno.
 */
void directories_each(int root, const char *const *directory, bool (*is)(const char *name),
		      void (*each)(void *data, const char *path),
		      void (*failed)(void *data, const char *directory, int error), void *data)
	__attribute__((nonnull(2, 3, 4, 5)));

#endif
