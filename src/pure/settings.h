/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: what the user asked for, from files and from the kernel command line. Pure. */
#ifndef VFIO_BOOT_SETTINGS_H
#define VFIO_BOOT_SETTINGS_H

#include "selector.h"

#define SETTINGS_TEXT_MAX 65536 /* bytes of settings files, all of them together; the protect file has as many */
#define CMDLINE_MAX	  4096
#define SELECTORS_MAX	  256 /* of one list */
#define PROBLEMS_MAX	  64  /* kept; the number of all is counted */

enum list_name {
	LIST_IDS,
	LIST_PROTECT,
	LIST_RESERVE,
	LISTS,
};

enum group_policy { GROUP_REFUSE, GROUP_WHOLE, GROUP_IGNORE };
enum driver_choice { DRIVER_VFIO_PCI, DRIVER_AUTO };
enum yes_no { NO, YES };
enum log_level { LOG_INFO, LOG_QUIET, LOG_DEBUG };

struct problem {
	const char *what; /* a constant */
	struct span text; /* the words that it is about, may be empty */
	struct place at;
};

struct list {
	struct selector *selector; /* the first one */
	struct selector *end;	   /* behind the last one */
	bool full;		   /* there were more than SELECTORS_MAX, and that was said */
	bool off;		   /* protect=off, reserve=off on the kernel command line; ids=off in a file */
};

struct settings {
	uint16_t timeout; /* seconds */
	uint8_t group;
	uint8_t driver;
	uint8_t unbind;
	uint8_t log;
	bool off_now;	      /* the rescue switch on the kernel command line */
	bool ids_replaced;    /* by the kernel command line */
	bool protect_unknown; /* what the host lives on is not known */
	bool unprotected;     /* more protects than there is room for: nothing is claimed */
	unsigned problems;
	struct span comment; /* of the line that is being read */
	/* What is long comes last: a short way to the rest is short code. */
	struct list list[LISTS];
	struct place unreadable[LISTS]; /* of each list what could not be read and may protect, `ids` for a whole file;
					   the source is NULL where there is nothing */
	struct problem problem[PROBLEMS_MAX];
	struct selector selector[LISTS][SELECTORS_MAX]; /* of the lists */
};

#define for_each_selector(list, sel) for ((sel) = (list)->selector; (sel) < (list)->end; (sel)++)

/* The defaults, nothing selected. */
void settings_init(struct settings *s) __attribute__((nonnull));

/*
 * Reads the text of one settings file; a NUL has to follow it. Selectors and problems keep pointing into it. A file
 * with a NUL in it is no text: nothing is taken from it, and only named devices are claimed.
 */
void settings_parse_file(struct settings *s, const char *source, const char *p, size_t len) __attribute__((nonnull));

/* Reads a kernel command line, after the files. */
void settings_parse_cmdline(struct settings *s, const char *source, const char *p, size_t len) __attribute__((nonnull));

/*
 * What could not be read and may protect something, or NULL: while it is so, only named devices are claimed
 * (doc/interface.md, "Selectors"). protect=off and reserve=off overrule their own list.
 */
const struct place *settings_unreadable(const struct settings *s) __attribute__((nonnull));

/* Notes that something of this list (LIST_IDS: a whole file, a line, an exclusion) could not be read. */
void settings_note_unreadable(struct settings *s, enum list_name list, const struct place *at) __attribute__((nonnull));

/* Notes a problem; at most PROBLEMS_MAX are kept, s->problems counts all. */
void settings_problem(struct settings *s, const struct place *at, struct span text, const char *what)
	__attribute__((nonnull(1, 2, 4)));

/*
 * One setting, from wherever; `at` is the place of its name, and the value is in the same line of text. The kernel
 * command line (line 0) gives an empty list, `+` and `off` their own meaning. Shared by the two parsers above.
 */
void settings_set(struct settings *s, const struct place *at, struct span name, struct span value)
	__attribute__((nonnull));

#endif
