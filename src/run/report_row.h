/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_row: one record of the report, read and written. The only place that knows how it looks. */
#ifndef VFIO_BOOT_REPORT_ROW_H
#define VFIO_BOOT_REPORT_ROW_H

#include "machine.h"
#include "text.h"

#define REPORT_FIRST_LINE "vfio-boot-report 1"

/*
 * The columns (doc/interface.md, "The report and the log"). What does not apply is a -. The last two are left out where
 * neither applies.
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
	REPORT_NOTES,  /* words with commas between them, see NOTE_* */
	REPORT_COLUMNS,
};

enum report_kind {
	ROW_DEVICE,
	ROW_ABSENT, /* a selector that matches nothing */
	ROW_IDLE,   /* a broad selector that claims nothing */
	ROW_RUN,    /* a run that could not read the devices */
};

enum {
	NOTE_OPTIONAL = 1 << 0, /* of an absent selector: it is no fault */
	NOTE_OVERRIDE = 1 << 1, /* the override could not be put back */
	NOTE_DRIVER = 1 << 2,	/* the driver that was taken off did not come back */
	NOTE_OPEN = 1 << 3,	/* left as it is, since a VFIO user has the group open */
};

struct report_row {
	uint8_t kind;		     /* enum report_kind */
	uint8_t verdict;	     /* enum verdict; of a selector VERDICT_NONE */
	uint8_t reason;		     /* enum reason */
	uint8_t notes;		     /* NOTE_* */
	struct worker worker;	     /* its pid is 0 for none */
	uint16_t at[REPORT_COLUMNS]; /* where each column begins in text */
	char text[TEXT_SIZE];
};

/* The text of a column, which lives as long as the row; "-" where it does not apply. */
static inline const char *report_column(const struct report_row *r, enum report_column c)
{
	return r->text + r->at[c];
}

/* Reads a line. Returns NULL, or what is wrong with it, a constant, and then *r is of no use. */
const char *report_row_read(struct report_row *r, const char *line) __attribute__((nonnull, warn_unused_result));

/* The row of a device that was decided on; of a selector that is absent or idle; of a run that failed, and why. */
void report_row_of_device(struct report_row *r, const struct machine *m, const struct device *d)
	__attribute__((nonnull));
void report_row_of_selector(struct report_row *r, const struct machine *m, const struct selector *sel)
	__attribute__((nonnull));
void report_row_of_failure(struct report_row *r, const char *why) __attribute__((nonnull));

/* Changes one column of a row. */
void report_row_change(struct report_row *r, enum report_column which, const char *text) __attribute__((nonnull));

/* Makes t the line of a row, as report_row_read() takes it, and returns it. */
const char *report_row_line(struct text *t, const struct report_row *r) __attribute__((nonnull, returns_nonnull));

#endif
