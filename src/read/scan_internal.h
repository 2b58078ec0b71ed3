/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan_internal: what scan.c and detail.c share, and nobody else. */
#ifndef VFIO_BOOT_SCAN_INTERNAL_H
#define VFIO_BOOT_SCAN_INTERNAL_H

#include "scan.h"

/* An attribute of a device, see read_attribute(); and one of its links. */
int read_of(const struct scan *s, struct text *t, const struct device *d, const char *attribute)
	__attribute__((nonnull));
int link_of(const struct scan *s, struct text *t, const struct device *d, const char *name) __attribute__((nonnull));

/* Learns what is above a device from the text of its link, which is the path of its directory. */
void read_parents(const struct scan *s, const struct device *d) __attribute__((nonnull));

/* Is it the boot display? By its own word, or by a firmware framebuffer in it (doc/interface.md, "What is decided, and
 * why", 3). */
void read_display(const struct scan *s, struct device *d) __attribute__((nonnull));

/* All that the decision needs of a device, and of those that share its group; once. */
void read_details(struct scan *s, struct device *d) __attribute__((nonnull));

#endif
