/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: one thing that the doctor looks at, and what came of it. Host program only. */
#ifndef VFIO_BOOT_CHECK_H
#define VFIO_BOOT_CHECK_H

#include "image.h"

#define CHECK_LINES 7

enum check_state {
	CHECK_OK,
	CHECK_NONE, /* it does not apply, or could not be looked at */
	CHECK_FAULT,
};

struct check {
	enum check_state state;
	unsigned lines; /* [0] is what is so, the others are more of that */
	unsigned remedies;
	struct text line[CHECK_LINES];
	struct text remedy[CHECK_LINES]; /* what to do */
};

/* What all checks look at. */
struct patient {
	struct context *ctx; /* decided for the next boot */
	bool readable;	     /* the machine was read */
	const char *release; /* the kernel of the next boot; empty if unknown */
	const char *nothing; /* why nothing is claimed in the boot that is running, or NULL */
	const struct image *image;
};

/* Say what is so; of a check whose state is worse already only the text is added, as a further line. */
void check_say(struct check *c, enum check_state state, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void check_remedy(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The checks; each fills an empty one. */
void check_iommu(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_kernel(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_image(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_conflicts(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_display(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_settings(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_protect(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_plan(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_service(const struct patient *p, struct check *c) __attribute__((nonnull));
void check_report(const struct patient *p, struct check *c) __attribute__((nonnull));

#endif
