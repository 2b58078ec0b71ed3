/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * availability: tells whether a device can be had for a guest at the next boot. It does so by the decision itself: as
 * if the settings named every device. Host program only.
 */
#ifndef VFIO_BOOT_AVAILABILITY_H
#define VFIO_BOOT_AVAILABILITY_H

#include <stdio.h>

#include "dependencies.h"

struct json_object;

enum available {
	AVAILABLE_NOT,	   /* why says why */
	AVAILABLE_CLAIMED, /* the plan claims it already */
	AVAILABLE_ALONE,   /* it is all that is missing of its IOMMU group */
	AVAILABLE_GROUP,   /* together with others of its IOMMU group, which are still missing */
};

struct availability {
	enum available state;
	char *why; /* or NULL */
};

/*
 * Stores the availability of each device of a plan (request_read()), indexed like ctx->machine.device. `deps` is what
 * the host lives on now, or NULL if that is not to be looked at. The plan is the same afterwards. The caller owes an
 * availability_free(). Aborts if there is no memory.
 */
void availability_find(struct availability a[DEVICES_MAX], struct context *ctx, const struct dependencies *deps)
	__attribute__((nonnull(1, 2)));
void availability_free(struct availability a[DEVICES_MAX]) __attribute__((nonnull));

/*
 * Plans the next boot of a machine that has been read, finds what the host lives on, and stores the availability of
 * each device of that plan. Returns false, after a message, if it cannot be planned. After success the caller owes a
 * dependencies_free() and an availability_free().
 */
bool availability_next(struct availability a[DEVICES_MAX], struct context *next, struct context *now,
		       struct dependencies *deps) __attribute__((nonnull, warn_unused_result));

/*
 * Returns the availability of a device of another plan or moment, by its address, or NULL: a virtual function does not
 * exist before it is made.
 */
const struct availability *availability_at(const struct availability a[DEVICES_MAX], struct context *ctx,
					   const struct device *d) __attribute__((nonnull));

/* Returns the word for programs: "no", "claimed", "free", "group". */
const char *available_name(enum available state) __attribute__((returns_nonnull));

/* Prints the other members of its group that a claim of d needs, and that the plan does not claim, with ", " between.
 */
void print_companions(FILE *to, const struct device *d) __attribute__((nonnull));

/*
 * Adds "available", "available_with" and "available_message" to a device in JSON. `of` is NULL for a function that the
 * plan does not have.
 */
void json_add_availability(struct json_object *o, const struct availability *of, const struct device *d)
	__attribute__((nonnull(1, 3)));

/* Returns true if everything of a group that a guest would get has a vfio driver now, and there is such a thing. */
bool is_ready(const struct group *g) __attribute__((nonnull));

#endif
