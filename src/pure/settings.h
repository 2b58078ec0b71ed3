/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: parses settings files and the kernel command line. Pure. */
#ifndef VFIO_BOOT_SETTINGS_H
#define VFIO_BOOT_SETTINGS_H

#include "selector.h"

#define SETTINGS_TEXT_MAX 65536 /* bytes of all settings files together; the protect file may have as many */
#define CMDLINE_MAX	  4096
#define SELECTORS_MAX	  256 /* in one list */
#define PROBLEMS_MAX	  64  /* that are kept; all are counted */

enum list_name {
	LIST_IDS,
	LIST_PROTECT,
	LIST_RESERVE,
	LIST_VFS,
	LISTS,
};

enum group_policy { GROUP_REFUSE, GROUP_WHOLE, GROUP_IGNORE };
enum driver_choice { DRIVER_VFIO_PCI, DRIVER_AUTO };
enum yes_no { NO, YES };
enum log_level { LOG_INFO, LOG_QUIET, LOG_DEBUG };

struct problem {
	const char *what; /* a constant */
	struct span text; /* the words it is about, may be empty */
	struct place at;
};

struct list {
	struct selector *selector; /* the first selector */
	struct selector *end;	   /* behind the last one */
	bool full;		   /* there are more than SELECTORS_MAX, and a problem says so */
	bool off;		   /* LIST=off on the kernel command line, or for ids in a file */
	bool replaced;		   /* the kernel command line replaced what the files have in it */
};

struct settings {
	uint16_t timeout;   /* seconds */
	uint16_t root_wait; /* seconds; 0 is never */
	uint8_t group;
	uint8_t driver;
	uint8_t unbind;
	uint8_t log;
	uint8_t keep;	      /* whether what a host driver has taken back is claimed again */
	uint8_t no_fallback;  /* whether a boot claims though those before it did not come up */
	bool off_now;	      /* the rescue switch on the kernel command line */
	bool protect_unknown; /* what the host depends on is unknown */
	bool denylist_off;    /* vfio-pci.disable_denylist is on the kernel command line */
	bool unprotected;     /* an entry that protects did not fit: claim nothing */
	unsigned problems;
	struct span comment; /* of the line that is being parsed */
	/* The large members come last, because short offsets make short code. */
	struct list list[LISTS];
	struct place unreadable[LISTS]; /* see settings_note_unreadable(); the source is NULL if all could be read */
	/* Few of them are touched, and no page for the problems if there are none. */
	struct selector selector[LISTS][SELECTORS_MAX]; /* the entries of the lists */
	struct problem problem[PROBLEMS_MAX];
};

#define for_each_selector(list, sel) for ((sel) = (list)->selector; (sel) < (list)->end; (sel)++)

static inline bool list_is_empty(const struct list *list)
{
	return list->off || list->end == list->selector;
}

/* Stores the defaults, with empty lists. */
void settings_init(struct settings *s) __attribute__((nonnull));

/* Copies the settings, which go on pointing into the same texts. */
void settings_copy(struct settings *to, const struct settings *from) __attribute__((nonnull));

/*
 * Parses the text of one settings file: len bytes at p, with a NUL behind them. Selectors and problems point into the
 * text and keep `source`, so both must live as long as *s. If the text contains a NUL, notes the file as unreadable and
 * uses nothing of it.
 */
void settings_parse_file(struct settings *s, const char *source, const char *p, size_t len) __attribute__((nonnull));

/* Parses a kernel command line like a file. Call it after the files, because the command line overrides them. */
void settings_parse_cmdline(struct settings *s, const char *source, const char *p, size_t len) __attribute__((nonnull));

/*
 * Returns the place of an entry that could not be read and may protect something, or NULL. If there is one, only named
 * devices are claimed (doc/interface.md, "Selectors"). protect=off and reserve=off remove those of their own list.
 */
const struct place *settings_unreadable(const struct settings *s) __attribute__((nonnull));

/* Notes that an entry of this list could not be read. LIST_IDS stands for exclusions, and for whole lines and files. */
void settings_note_unreadable(struct settings *s, enum list_name list, const struct place *at) __attribute__((nonnull));

/* Adds a problem. Keeps the first PROBLEMS_MAX; s->problems counts all. `what` must be a constant. */
void settings_problem(struct settings *s, const struct place *at, struct span text, const char *what)
	__attribute__((nonnull(1, 2, 4)));

/*
 * Parses one setting for the two parsers above. `at` is the place of its name, and the value is in the same line of
 * text. An empty list, `+` and `off` have a meaning of their own on the kernel command line (at->line is 0).
 */
void settings_set(struct settings *s, const struct place *at, struct span name, struct span value)
	__attribute__((nonnull));

#endif
