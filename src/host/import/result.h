/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result: what an import found, and how it is told. Host program only. */
#ifndef VFIO_BOOT_RESULT_H
#define VFIO_BOOT_RESULT_H

#include "selector.h"

enum fate {
	TO_DELETE,
	TO_LOOK_AT, /* there may be more to it */
	FATES,
};

struct result_setting {
	char *selector;
	char *source;
	unsigned line;
	char *from; /* all places that say the same */
};

struct result_line {
	char *source;
	unsigned line;
	char *text;
};

struct found_list {
	struct result_line *line;
	unsigned lines;
};

struct result {
	struct result_setting *setting;
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
void result_setting(struct result *f, const struct place *at, const char *selector) __attribute__((nonnull));
void result_ids(struct result *f, const struct place *at, struct span value) __attribute__((nonnull));
void result_line(struct result *f, const struct place *at, enum fate fate, const char *text) __attribute__((nonnull));
void result_at_work(struct result *f, const struct place *at, const char *text) __attribute__((nonnull));

/* FILE:LINE, or what has no lines alone; returns t->p. */
const char *result_place(struct text *t, const char *source, unsigned line) __attribute__((nonnull));

/* Says something of that place on standard error, and keeps it; see text_set(). */
void result_warning(struct result *f, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/* Turns the last `ids=` into settings; a module has one such parameter (module_param_string()). */
void result_settle(struct result *f) __attribute__((nonnull));

/* Print it on standard output, as settings with comments or as one JSON object; true where that failed. */
int result_print(const struct result *f) __attribute__((nonnull, warn_unused_result));
int result_print_json(const struct result *f) __attribute__((nonnull, warn_unused_result));

void result_free(struct result *f) __attribute__((nonnull));

#endif
