/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_row: reads and writes a row of the report. No other module knows its format. */
#ifndef VFIO_BOOT_REPORT_ROW_H
#define VFIO_BOOT_REPORT_ROW_H

#include "machine.h"
#include "text.h"

#define REPORT_FIRST_LINE "vfio-boot-report 1"

/*
 * The columns (doc/interface.md, "The report and the log"). A column that does not apply is "-". The last two are left
 * out if neither applies.
 */
enum report_column {
	REPORT_ADDRESS,
	REPORT_ID,
	REPORT_GROUP,
	REPORT_VERDICT,
	REPORT_REASON,
	REPORT_DRIVER,
	REPORT_SELECTOR,
	REPORT_MESSAGE,
	REPORT_WORKER, /* PID@START of the process that is at work on the device past its time limit */
	REPORT_NOTES,  /* comma-separated words for NOTE_* */
	REPORT_COLUMNS,
};

enum report_kind {
	ROW_DEVICE,
	ROW_ABSENT, /* a selector that matches nothing */
	ROW_IDLE,   /* a broad selector that claims nothing */
	ROW_RUN,    /* a run that could not read the devices */
};

enum {
	NOTE_OPTIONAL = 1 << 0, /* an absent selector is optional, so it is no fault */
	NOTE_OVERRIDE = 1 << 1, /* the override could not be restored */
	NOTE_DRIVER = 1 << 2,	/* the driver that was unbound did not come back */
	NOTE_OPEN = 1 << 3,	/* the device was left alone, because a VFIO user has the group open */
	NOTE_HELD = 1 << 4,	/* its vfio driver could not be unbound when it was given back */
	NOTE_ROOT = 1 << 6,	/* it is to be given back, since the root did not appear */
	NOTE_LATE = 1 << 7,	/* it, or one of its group, came after the claim of this boot */
	NOTE_BEFORE = 1 << 5,	/* somebody else's override was there before, and has to be there in the end */
};

struct report_row {
	uint8_t kind;		     /* enum report_kind */
	uint8_t verdict;	     /* enum verdict; VERDICT_NONE for a selector */
	uint8_t reason;		     /* enum reason */
	uint8_t notes;		     /* NOTE_* */
	struct worker worker;	     /* pid 0: there is none */
	uint16_t at[REPORT_COLUMNS]; /* where each column begins in text */
	char text[TEXT_SIZE];
};

/* What the host has not got back. */
#define NOTES_OWED (NOTE_OVERRIDE | NOTE_DRIVER | NOTE_HELD)

/* Returns the text of a column, which is valid as long as the row. */
static inline const char *report_column(const struct report_row *r, enum report_column c)
{
	return r->text + r->at[c];
}

/* Returns true if the row has the ID of this function. */
bool report_row_has_id(const struct report_row *r, const struct device *d) __attribute__((nonnull));

/* Reads a line. Returns NULL, or a constant that tells what is wrong with the line. *r is invalid then. */
const char *report_row_read(struct report_row *r, const char *line) __attribute__((nonnull, warn_unused_result));

/*
 * These fill a row: of a device that was decided on, of a selector that is absent or idle, and of a run that could not
 * read the devices. `why` must not have tabs.
 */
void report_row_of_device(struct report_row *r, const struct machine *m, const struct device *d)
	__attribute__((nonnull));
void report_row_of_selector(struct report_row *r, const struct machine *m, const struct selector *sel)
	__attribute__((nonnull));
void report_row_of_failure(struct report_row *r, const char *why) __attribute__((nonnull));

/* Changes one column of a row. The text may be that of the row itself. */
void report_row_change(struct report_row *r, enum report_column which, const char *text) __attribute__((nonnull));

/* Stores in t the line of a row, as report_row_read() reads it. Returns t->p. */
const char *report_row_line(struct text *t, const struct report_row *r) __attribute__((nonnull, returns_nonnull));

#endif
