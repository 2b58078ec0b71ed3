/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drift: compares the report of this boot with the settings and the machine as they are now. Some of it needs a
 * decision about the machine, which is made once, and only if something asks for it. Host program only.
 */
#ifndef VFIO_BOOT_DRIFT_H
#define VFIO_BOOT_DRIFT_H

#include "pipeline.h"
#include "report.h"

/* A row of the report. */
struct row {
	struct report_row report;
	unsigned number;	      /* its line in the report */
	struct text now;	      /* the driver that holds the device now, or empty */
	struct text drift;	      /* what is not as the report says any more, or empty */
	const struct device *arrived; /* what an absent selector matches now, or NULL */
	bool optional;		      /* it is gone, and its selector is optional now */
	bool wrong;		      /* something is not as it should be */
};

/* The report of this boot. */
struct rows {
	struct context *ctx; /* for drift_*() its settings have been read for PHASE_NOW, with read_all */
	struct row *row;
	unsigned n;
	bool found;   /* there is a report */
	bool tried;   /* the machine was to be read and decided on */
	bool decided; /* and that succeeded */
};

/*
 * Reads the report into s, of which only ctx is set. No report is no error. Returns false and stores a message in
 * *wrong if the file is no report. The caller owes a rows_free() in both cases.
 */
bool rows_read(struct rows *s, struct text *wrong) __attribute__((nonnull, warn_unused_result));
void rows_free(struct rows *s) __attribute__((nonnull));

/*
 * Compares each row with the machine as it is now, and stores the result in the row. Returns true if something is not
 * as it should be.
 */
bool rows_judge(struct rows *s) __attribute__((nonnull));

/* Returns the driver that holds the device of a row at this moment, or NULL. rows_judge() has read it. */
const char *driver_now(const struct row *r) __attribute__((nonnull));

/*
 * Reads the machine as it is now and decides, at the first call. Returns false if the devices cannot be read. The
 * caller has read the settings into the context, for PHASE_NOW and with read_all.
 */
bool rows_decide(struct rows *s) __attribute__((nonnull, warn_unused_result));

/* Returns true if the device was claimed in this boot. */
bool was_claimed(const struct row *r) __attribute__((nonnull));

/* Returns the row of an address, or NULL. */
struct row *row_of(const struct rows *s, const char *address) __attribute__((nonnull));

/* Returns the device at the address of a row, or NULL if there is none. */
struct device *device_of(struct rows *s, const struct row *r) __attribute__((nonnull));

/*
 * Returns the function to which a claimed device that is gone may have moved, or NULL. It has the ID of the device, and
 * the report does not have that ID at its address.
 */
const struct device *drift_moved(struct rows *s, const struct row *r) __attribute__((nonnull));

/*
 * Calls each() with the addresses of the functions that make the group of a device incomplete now, by the current
 * settings. The message of the row names those of the boot.
 */
void drift_missing(struct rows *s, const struct row *r, void (*each)(void *data, const char *address), void *data)
	__attribute__((nonnull(1, 2, 3)));

/*
 * Returns a device that the selector of an absent row selects now, if possible one that no vfio driver holds, or NULL.
 */
const struct device *drift_arrived(struct rows *s, const struct row *r) __attribute__((nonnull));

/*
 * Warns of each device that the settings select and that this boot did not claim: because it came late, or because they
 * did not select it then. If the settings are newer than the image of the running kernel, warns of that, too, and of
 * each claimed device that they do not select any more. rows_judge() has judged the rows.
 *
 * Returns true if they select a device that they did not select in this boot, and are newer than the image. A device
 * that came late for a selector that the boot knew is no such device, nor is one that was claimed or released at run
 * time. An mtime alone is no drift.
 */
bool drift_settings(struct rows *s, void (*warn)(void *data, const char *text), void *data)
	__attribute__((nonnull(1, 2)));

#endif
