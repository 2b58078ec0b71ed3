/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dropins: finds configuration files that are spread over several directories. Host program only. Writes nothing. */
#ifndef VFIO_BOOT_DROPINS_H
#define VFIO_BOOT_DROPINS_H

#include <stdbool.h>

/*
 * Calls each() with the path of every file in these directories whose name accepts() takes. `directory` ends with a
 * NULL. The files come in the order of their names, whatever their directory. Of several files with one name, only that
 * in the first directory counts (modprobe.d(5)). Calls failed(), with an errno, for a directory that exists and cannot
 * be listed.
 */
void directories_each(int root, const char *const *directory, bool (*accepts)(const char *name),
		      void (*each)(void *data, const char *path),
		      void (*failed)(void *data, const char *directory, int error), void *data)
	__attribute__((nonnull(2, 3, 4, 5)));

#endif
