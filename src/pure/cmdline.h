/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmdline: the words of a kernel command line. Pure. */
#ifndef VFIO_BOOT_CMDLINE_H
#define VFIO_BOOT_CMDLINE_H

#include "text.h"

struct cmdline_word {
	struct span name;
	struct span value; /* without the quotes that the kernel takes off */
	bool has_value;
};

/* Takes the next word from *p on and moves *p behind it; false at the end. */
bool cmdline_next(const char **p, const char *end, struct cmdline_word *w) __attribute__((nonnull, warn_unused_result));

/* Why nothing is to be claimed in a boot with this command line, a constant; or NULL. */
const char *cmdline_rescue(const char *line, size_t len) __attribute__((nonnull, warn_unused_result));

#endif
