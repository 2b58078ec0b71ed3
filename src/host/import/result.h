/* SPDX-License-Identifier: GPL-2.0-or-later */
/* found: what an import found, and how it is told. Host program only. */
#ifndef VFIO_BOOT_RESULT_H
#define VFIO_BOOT_RESULT_H

#include "selector.h"

enum fate {
	TO_DELETE,
	TO_LOOK_AT, /* there may be more to it */
	FATES,
};

struct found_setting {
	char *selector;
	char *source;
	unsigned line;
	char *from; /* all places that say the same */
};

struct found_line {
	char *source;
	unsigned line;
	char *text;
};

struct found_list {
	struct found_line *line;
	unsigned lines;
};

struct found {
	struct found_setting *setting;
	unsigned settings;
	struct found_list ids;	       /* values of `ids=` of vfio-pci, of which the last one counts */
	struct found_list fate[FATES]; /* lines, by what is to become of them */
	struct found_list at_work;     /* those among them that do give devices away, or keep vfio-pci from it */
	char **warning;
	unsigned warnings;
	bool quiet;  /* warnings are kept alone, not said */
	bool untold; /* something could not be turned into a setting */
	bool failed; /* something could not be read */
};

/* All of these take copies of their texts. Of a place the line is 0 where there is none, the column is not looked at.
 */
void found_setting(struct found *f, const struct place *at, const char *selector) __attribute__((nonnull));
void found_ids(struct found *f, const struct place *at, struct span value) __attribute__((nonnull));
void found_line(struct found *f, const struct place *at, enum fate fate, const char *text) __attribute__((nonnull));
void found_at_work(struct found *f, const struct place *at, const char *text) __attribute__((nonnull));

/* FILE:LINE, or what has no lines alone; returns t->p. */
const char *found_place(struct text *t, const char *source, unsigned line) __attribute__((nonnull));

/* Says something of that place on standard error, and keeps it; see text_set(). */
void found_warning(struct found *f, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/* Turns the last `ids=` into settings; a module has one such parameter (module_param_string()). */
void found_settle(struct found *f) __attribute__((nonnull));

/* Print it on standard output, as settings with comments or as one JSON object; true where that failed. */
int found_print(const struct found *f) __attribute__((nonnull, warn_unused_result));
int found_print_json(const struct found *f) __attribute__((nonnull, warn_unused_result));

void found_free(struct found *f) __attribute__((nonnull));

#endif
