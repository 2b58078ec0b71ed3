/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the checks of the doctor share. Host program only. */
#ifndef VFIO_BOOT_CHECK_H
#define VFIO_BOOT_CHECK_H

#include "image.h"

#define CHECK_LINES 7

enum check_state {
	CHECK_OK,
	CHECK_NONE, /* the check does not apply, or could not be made */
	CHECK_FAULT,
};

/* The result of a check. */
struct check {
	enum check_state state;
	unsigned lines;
	unsigned remedies;
	bool rebuild;			 /* the image of the next boot has to be rebuilt */
	struct text line[CHECK_LINES];	 /* what was found */
	struct text remedy[CHECK_LINES]; /* what to do */
};

/* What all checks work on. */
struct check_input {
	struct context *ctx; /* decided for the next boot */
	bool readable;	     /* the machine could be read */
	const char *release; /* the kernel of the next boot, or "" if it is unknown */
	const char *nothing; /* why nothing is claimed in this boot, or NULL */
	const struct image *image;
	bool image_is_wrong; /* once a check has said that it has to be rebuilt */
};

/*
 * Append a finding, and a remedy. The state of the check becomes `state` if that is worse. Lines beyond CHECK_LINES are
 * counted in the last one.
 */
void check_say(struct check *c, enum check_state state, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void check_remedy(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The checks. Each fills a zeroed struct check. */
void check_iommu(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_this_kernel(const struct check_input *in, struct check *c) __attribute__((nonnull)); /* no image */
void check_kernel(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_image(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_conflicts(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_display(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_settings(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_protect(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_plan(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_boot(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_service(const struct check_input *in, struct check *c) __attribute__((nonnull));
void check_report(const struct check_input *in, struct check *c) __attribute__((nonnull));

#endif
