/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_files: reads the settings of a machine from files and the kernel command line. */
#ifndef VFIO_BOOT_SETTINGS_FILES_H
#define VFIO_BOOT_SETTINGS_FILES_H

#include "settings.h"

#define DROP_INS_MAX 64
#define DROP_IN_NAME 128

/* The texts that the settings point into. Must live as long as the settings. */
struct settings_buffers {
	char *file; /* where to store the next file */
	char *end;  /* the end of the space for it */
	unsigned drop_ins;
	const char *cmdline_used; /* the command line that was parsed: buffers->cmdline or that of the caller */
	char drop_in[DROP_INS_MAX][DROP_IN_NAME]; /* their paths, sorted */
	char cmdline[CMDLINE_MAX + 2];		  /* with a line feed and a NUL */
	char files[SETTINGS_TEXT_MAX + 1];
	char protect[SETTINGS_TEXT_MAX + 1];
};

/* The root directory to read from. */
struct root {
	int fd;			   /* the directory that stands for / */
	bool sysroot;		   /* it is not the real root directory */
	struct span settings;	   /* text to read in place of the settings files, or without a text: these files */
	const char *settings_name; /* what messages call it */
};

/*
 * Reads all settings into *s, which points into *buffers. `cmdline` replaces /proc/cmdline if it is not NULL; it must
 * live as long as *s. Adds a problem to *s for everything that cannot be read. Returns a constant that says why this
 * boot must not claim anything, or NULL.
 */
const char *settings_load(struct settings *s, struct settings_buffers *buffers, const struct root *root,
			  const char *cmdline) __attribute__((nonnull(1, 2, 3), warn_unused_result));

#endif
