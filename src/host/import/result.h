/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result: collects what an import found, and prints it. Host program only. */
#ifndef VFIO_BOOT_RESULT_H
#define VFIO_BOOT_RESULT_H

#include "selector.h"

enum fate {
	TO_DELETE,
	TO_LOOK_AT, /* the line may have other effects as well */
	FATES,
};

struct result_setting {
	char *selector;
	char *source;
	unsigned line;
	char *from; /* all places that mean the same */
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
	struct found_list fate[FATES]; /* lines, by what the user should do with them */
	struct found_list at_work;     /* those that do bind devices, or keep vfio-pci from binding them */
	char **warning;
	unsigned warnings;
	bool quiet;  /* keep warnings, do not print them */
	bool untold; /* something could not become a setting */
	bool failed; /* something could not be read */
};

/* These add to the result and copy their texts. A place without lines has line 0. The column is ignored. */
void result_setting(struct result *f, const struct place *at, const char *selector) __attribute__((nonnull));
void result_ids(struct result *f, const struct place *at, struct span value) __attribute__((nonnull));
void result_line(struct result *f, const struct place *at, enum fate fate, const char *text) __attribute__((nonnull));
void result_at_work(struct result *f, const struct place *at, const char *text) __attribute__((nonnull));

/* Writes FILE:LINE, or the source alone for line 0. Returns t->p. */
const char *result_place(struct text *t, const char *source, unsigned line) __attribute__((nonnull));

/* Prints a warning about a place on standard error, unless f->quiet, and keeps it. The format is that of text_set(). */
void result_warning(struct result *f, const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull));

/*
 * Turns the last `ids=` into settings. The earlier ones have no effect, because a module parameter has one value
 * (module_param_string()).
 */
void result_settle(struct result *f) __attribute__((nonnull));

/* Print the result on standard output, as settings with comments or as a JSON object. Return nonzero if that failed. */
int result_print(const struct result *f) __attribute__((nonnull, warn_unused_result));
int result_print_json(const struct result *f) __attribute__((nonnull, warn_unused_result));

void result_free(struct result *f) __attribute__((nonnull));

#endif
