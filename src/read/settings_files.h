/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings_files: reads the settings of a machine from their files and the kernel command line. */
#ifndef VFIO_BOOT_SETTINGS_FILES_H
#define VFIO_BOOT_SETTINGS_FILES_H

#include "settings.h"

#define DROP_INS_MAX 64
#define DROP_IN_NAME 128

/* What the settings keep pointing into. */
struct settings_buffers {
	char *file; /* where the next file goes, */
	char *end;  /* and the end of the room for it */
	unsigned drop_ins;
	const char *cmdline_used;		  /* buffers->cmdline, or that of the caller */
	char drop_in[DROP_INS_MAX][DROP_IN_NAME]; /* their paths, in order */
	char cmdline[CMDLINE_MAX + 2];		  /* with its line feed */
	char files[SETTINGS_TEXT_MAX + 1];
	char protect[SETTINGS_TEXT_MAX + 1];
};

/* A place to read from. */
struct root {
	int fd;	      /* the directory that stands for / */
	bool sysroot; /* it is not the real one */
};

/*
 * Reads all settings into *s. cmdline, where not NULL, takes the place of /proc/cmdline. Whatever cannot be read is a
 * problem in *s. Returns why nothing is to be claimed in this boot (a constant), or NULL.
 */
const char *settings_load(struct settings *s, struct settings_buffers *buffers, const struct root *root,
			  const char *cmdline) __attribute__((nonnull(1, 2, 3), warn_unused_result));

#endif
