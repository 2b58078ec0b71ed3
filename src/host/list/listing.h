/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing: what the sources of `list` share: the marks of a device, and the list as JSON. Host program only. */
#ifndef VFIO_BOOT_LISTING_H
#define VFIO_BOOT_LISTING_H

#include <libmount.h>
#include <stdio.h>

#include "inventory.h"
#include "listener.h"

#define TABLE_COLUMNS 32

/* The columns of a table, as numbers that table.c knows. */
struct table {
	unsigned char column[TABLE_COLUMNS];
	unsigned columns;
};

struct listing {
	struct inventory v;
	struct request *r;
	bool domains;		     /* print bus indices with their domain */
	size_t columns;		     /* of a line */
	int index_width;	     /* of the column of bus indices */
	int width;		     /* of the column of drivers */
	struct table table;	     /* what it shows, if is_table() */
	bool all;		     /* no selector was given */
	struct libmnt_table *mounts; /* what is mounted, or NULL if that is unknown */
	bool chosen[DEVICES_MAX];    /* the selectors match it; unused if all is set */
	bool fault;		     /* the protect file or the image is not what the list goes by */
};

static inline bool is_chosen(const struct listing *l, const struct device *d)
{
	return l->all || l->chosen[d - l->v.now->machine.device];
}

/* Returns true if the list is a table: --flat or --output. */
static inline bool is_table(const struct listing *l)
{
	return asked(l->r, OPTION_FLAT | OPTION_OUTPUT);
}

/* Returns the address of a device, without its domain if all devices are in domain 0, like lspci. */
const char *bus_index(const struct listing *l, const struct device *d) __attribute__((nonnull, returns_nonnull));

/*
 * table.c: sets the columns that a request asks for. Returns false, after a message with all columns, if there is no
 * such one.
 */
bool table_begin(struct table *t, const struct request *r) __attribute__((nonnull, warn_unused_result));

/* Prints the chosen devices as a table, a line each. */
void print_table(const struct listing *l) __attribute__((nonnull));

/* Prints the names of all columns, and what is in them. */
void print_columns(FILE *to) __attribute__((nonnull));

/* Returns true if the settings select a device that the next boot does not have: a VF, which is created later. */
bool is_selected_too_early(const struct listing *l, const struct device *d) __attribute__((nonnull));

/* Returns the mount point of what uses the device, or NULL. It belongs to l->mounts. */
const char *mounted_on(const struct listing *l, const struct device *d) __attribute__((nonnull));

/*
 * Returns what matters before a device is given away: who needs it, who uses it, what the next boot does. May be empty.
 * The caller frees the text.
 */
char *marks_of(const struct listing *l, const struct device *d) __attribute__((nonnull, returns_nonnull));

/* Says why the next boot claims nothing at all, if that is so. */
void say_no_claim(const struct listing *l, const struct listener *to) __attribute__((nonnull));

/* Prints the list as one JSON object. Returns true, after a message, if that failed. */
bool print_json_list(struct listing *l) __attribute__((nonnull, warn_unused_result));

#endif
