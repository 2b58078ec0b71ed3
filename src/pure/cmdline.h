/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmdline: splits a kernel command line into words. Pure. */
#ifndef VFIO_BOOT_CMDLINE_H
#define VFIO_BOOT_CMDLINE_H

#include "text.h"

struct cmdline_word {
	struct span name;
	struct span value; /* without the quotes that the kernel strips */
	bool has_value;
};

/* Reads the word at *p into *w, whose spans point into the line, and moves *p behind it. Returns false at the end. */
bool cmdline_next(const char **p, const char *end, struct cmdline_word *w) __attribute__((nonnull, warn_unused_result));

/* Like cmdline_next(), but returns false at a -- as well, behind which are the words of init (parse_args()). */
bool cmdline_next_parameter(const char **p, const char *end, struct cmdline_word *w)
	__attribute__((nonnull, warn_unused_result));

/* Returns true if the kernel understands the value, or a word without one, as true (kstrtobool(), param_set_bool()). */
bool cmdline_is_true(const struct cmdline_word *w) __attribute__((nonnull));

/* Returns true if one of the words between commas is this one, in which - in the list stands for _. */
bool cmdline_list_has(struct span list, const char *word) __attribute__((nonnull(2)));

/* Returns a constant that says why a boot with this command line must not claim anything, or NULL if it may. */
const char *cmdline_rescue(const char *line, size_t len) __attribute__((nonnull, warn_unused_result));

#endif
