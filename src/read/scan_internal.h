/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scan_internal: what scan.c and detail.c share. No other file includes it. */
#ifndef VFIO_BOOT_SCAN_INTERNAL_H
#define VFIO_BOOT_SCAN_INTERNAL_H

#include "scan.h"

/* Like read_attribute() and read_link(), for an attribute or a link of a device. */
int read_of(const struct scan *s, struct text *t, const struct device *d, const char *attribute)
	__attribute__((nonnull));
int link_of(const struct scan *s, struct text *t, const struct device *d, const char *name) __attribute__((nonnull));

/*
 * Reads the IDs and the class of a device, unless they have been read. Returns false if it went away, or if they cannot
 * be read (s->error).
 */
bool identify(struct scan *s, struct device *d) __attribute__((nonnull, warn_unused_result));

/*
 * Stores the parents of a device and of all functions above it. They are in the text of its link, which is the path of
 * its directory.
 */
void read_parents(struct scan *s, struct device *d) __attribute__((nonnull));

/*
 * Stores whether the device is the boot display: its boot_vga is 1, or a firmware framebuffer is in one of its BARs
 * (doc/interface.md, "What is decided, and why", 3).
 */
void read_display(struct scan *s, struct device *d) __attribute__((nonnull));

/*
 * virtual.c: reads of each PF that `vfs` means how many VFs it can have, and how many there are. Marks these with their
 * PF and number (found.pf, found.vf). For the next boot, adds those that will be made (found.later).
 */
void read_virtual(struct scan *s) __attribute__((nonnull));

/* Reads the details of a device and of the members of its group. Reads nothing twice. */
void read_details(struct scan *s, struct device *d) __attribute__((nonnull));

#endif
