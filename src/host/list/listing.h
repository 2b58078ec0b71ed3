/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listing: what `list` shows, and its parts: the marks of a device, and all of it as JSON. Host program only. */
#ifndef VFIO_BOOT_LISTING_H
#define VFIO_BOOT_LISTING_H

#include <libmount.h>

#include "inventory.h"

struct listing {
	struct inventory v;
	struct request *r;
	bool domains;		     /* bus indices with their domain */
	int width;		     /* of the column of drivers */
	bool all;		     /* no selector was given */
	struct libmnt_table *mounts; /* or NULL */
	bool chosen[DEVICES_MAX];
};

static inline bool is_chosen(const struct listing *l, const struct device *d)
{
	return l->all || l->chosen[d - l->v.now->machine.device];
}

/* Do the settings select what the next boot begins without: a VF, which is made later? */
bool is_selected_too_early(const struct listing *l, const struct device *d) __attribute__((nonnull));

/* Where what uses the device is mounted, or NULL. */
const char *mounted_on(const struct listing *l, const struct device *d) __attribute__((nonnull));

/* What matters for giving a device away, one after the other, in one text, which the caller frees; may be empty. */
char *marks_of(const struct listing *l, const struct device *d) __attribute__((nonnull, returns_nonnull));

/* Prints it all as one JSON object; true where that failed, which was said then. */
bool print_json_list(const struct listing *l) __attribute__((nonnull, warn_unused_result));

#endif
