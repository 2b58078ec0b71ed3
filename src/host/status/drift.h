/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drift: the report of this boot beside what settings and machine say now. Host program only. All of it needs a
 * decision over the machine as it is, which is made once and only where something asks for it.
 */
#ifndef VFIO_BOOT_DRIFT_H
#define VFIO_BOOT_DRIFT_H

#include "pipeline.h"
#include "report.h"

/* A row of the report. */
struct row {
	struct report_row report;
	struct text now;   /* the driver that holds it at this moment, or empty */
	struct text drift; /* what is no longer as it was reported, or empty */
};

/* The report, and the context, whose settings have been read for PHASE_NOW. */
struct rows {
	struct context *ctx;
	struct row *row;
	unsigned n;
	bool found;  /* there is a report */
	bool looked; /* the machine was looked at, */
	bool seen;   /* and could be read */
};

/* Reads the report of this boot, if there is one. False where it is none, and *wrong says so; rows_free() is owed. */
bool rows_read(struct rows *s, struct text *wrong) __attribute__((nonnull, warn_unused_result));
void rows_free(struct rows *s) __attribute__((nonnull));

/* Is it not as it should be, as the boot has it? */
bool is_fault(const struct row *r) __attribute__((nonnull));

/* Was it claimed in this boot? */
bool was_claimed(const struct row *r) __attribute__((nonnull));

/* The row of an address, or NULL. */
struct row *row_of(const struct rows *s, const char *address) __attribute__((nonnull));

/* Where a claimed device that is gone may be now: a function with its ID that the report does not have there; or NULL.
 */
const struct device *drift_moved(struct rows *s, const struct row *r) __attribute__((nonnull));

/*
 * Calls each() with the addresses of the functions that make the group of a device incomplete now. That is what the
 * machine and the settings say at this moment; the message of the row names what did at boot.
 */
void drift_missing(struct rows *s, const struct row *r, void (*each)(void *data, const char *address), void *data)
	__attribute__((nonnull(1, 2, 3)));

/*
 * Where the settings are newer than the image of the running kernel: warns of that, of each device that they select now
 * and did not in this boot, and of each that was claimed, by the boot or since, and that they do not select. True where
 * there is one of the first kind: mtimes alone are no drift, nor is a device that came late for a selector that the
 * boot knew, or that somebody claimed at run time.
 */
bool drift_settings(struct rows *s, void (*warn)(void *data, const char *text), void *data)
	__attribute__((nonnull(1, 2)));

#endif
