/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan: reads the machine into a snapshot. Of a device that nobody selected it reads the IDs alone, with three system
 * calls; of the others, and of what shares a group with them, all that the decision needs.
 */
#ifndef VFIO_BOOT_SCAN_H
#define VFIO_BOOT_SCAN_H

#include "firmware.h"
#include "machine.h"
#include "settings_files.h"

/* A scan that is under way. */
struct scan {
	struct machine *m;
	int root;
	int pci;	     /* /sys/bus/pci/devices */
	const char *release; /* the kernel to plan for, or NULL for the running one */
	bool displays_read;
	struct group *group; /* the one that is being read */
	struct framebuffer framebuffer[FRAMEBUFFERS_MAX + 1];
};

/*
 * The three parts of a scan, in this order; between them the caller recalls what an earlier run left, and selects.
 *
 * scan_devices() lists the functions below root, in address order, with their IDs. Returns 0; -E2BIG if there are more
 * than DEVICES_MAX; or another -errno if /sys/bus/pci/devices cannot be read, and then *m is of no use. scan_end() is
 * owed in each case.
 */
int scan_devices(struct scan *s, struct machine *m, const struct root *root, const char *release)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Finds out what the selectors ask for beyond IDs: where paths end, and which function is the boot display. */
void scan_places(struct scan *s) __attribute__((nonnull));

/* Reads all that the decision needs of what is selected (all of every device with m->every) and of its groups. */
void scan_details(struct scan *s) __attribute__((nonnull));

void scan_end(struct scan *s) __attribute__((nonnull));

/* Follows a path down the bridges, and notes in the selector where it ends. `pci` is /sys/bus/pci/devices. */
void find_path(struct machine *m, int pci, struct selector *sel) __attribute__((nonnull));

/*
 * use.c: finds which of the detailed devices the host uses now. For each device it stores the strongest use in the
 * order of enum use, and of equal uses the name that sorts first (name_precedes()). Returns 0, or -errno if it cannot
 * tell.
 */
int scan_use(struct machine *m, int root) __attribute__((nonnull, warn_unused_result));

/*
 * Calls each() for the functions of the snapshot whose addresses are in a link to a directory of /sys/devices, from the
 * root down.
 */
void each_function_of_link(struct machine *m, const char *link, void (*each)(void *data, struct device *d), void *data)
	__attribute__((nonnull(1, 2, 3)));

#endif
