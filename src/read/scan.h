/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan: reads the machine into a snapshot. It reads no more than the name of a device that no selector is about, and
 * only the IDs of one that an ID or a class may select, with three system calls. It reads everything that plan.c needs
 * about selected devices and the members of their groups.
 */
#ifndef VFIO_BOOT_SCAN_H
#define VFIO_BOOT_SCAN_H

#include "firmware.h"
#include "machine.h"
#include "settings_files.h"

/* The state of a scan. */
struct scan {
	struct machine *m;
	int root;	     /* the directory that stands for / */
	int pci;	     /* /sys/bus/pci/devices */
	const char *release; /* of the kernel to plan for, or NULL for the running one */
	int error;	     /* the first -errno that keeps the machine from being judged, or 0 */
	bool displays_read;  /* found.boot_display is valid for every device */
	bool screen_read;    /* framebuffer is valid */
	struct group *group; /* the group that is being read */
	struct framebuffer framebuffer[FRAMEBUFFERS_MAX + 2]; /* those of the kernel, and that of the boot loader */
};

/*
 * A scan has three parts. Call scan_devices(), then scan_places(), then select_devices(), then scan_details().
 *
 * scan_devices() stores the functions below root in address order, follows the paths of selectors, and reads the IDs
 * that select_devices() needs; with m->read_all, of all devices. Returns 0, -E2BIG if there are more than DEVICES_MAX,
 * or another -errno if /sys/bus/pci/devices or what is in it cannot be read. After a failure *m is unusable. The caller
 * must call scan_end() in any case.
 */
int scan_devices(struct scan *s, struct machine *m, const struct root *root, const char *release)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Finds what selectors need besides IDs: VFs, and the boot display if a selector is boot-vga. */
void scan_places(struct scan *s) __attribute__((nonnull));

/*
 * Reads the details of the selected devices, of those that an earlier run left open, and of the members of their
 * groups; with m->read_all, of all devices. Returns 0 or -errno, as scan_devices() does.
 */
int scan_details(struct scan *s) __attribute__((nonnull, warn_unused_result));

void scan_end(struct scan *s) __attribute__((nonnull));

/*
 * Follows the path of a selector down the bridges, stores sel->target and sel->behind. pci is /sys/bus/pci/devices.
 * find_paths() does it for all selectors.
 */
void find_path(struct machine *m, int pci, struct selector *sel) __attribute__((nonnull));
void find_paths(struct machine *m, int pci) __attribute__((nonnull));

/* Marks the selectors of `ids` that mean a virtual function, which is left out of a snapshot for the next boot. */
void mark_virtual(struct machine *m, const struct device *vf) __attribute__((nonnull));

/* Each reads one thing about the device whose name is in *d, and stores it there. IDs are not read twice. */
int scan_ids(int root, struct device *d) __attribute__((nonnull, warn_unused_result)); /* 0 or -errno */
void scan_override(struct machine *m, int root, struct device *d) __attribute__((nonnull));
void scan_vfs(int root, struct device *d) __attribute__((nonnull));

/*
 * in_use.c: finds which of the detailed devices the host uses now. For each device it stores the strongest use in the
 * order of enum use, and of equal uses the name that sorts first (name_precedes()). Returns 0, or -errno if it cannot
 * tell.
 *
 * With `only`, looks at this device alone, and opens disks exclusively to find the uses that show nowhere else. During
 * such an open a mount of the disk fails, so only a claim may do that, right before it acts.
 */
int scan_use(struct machine *m, int root, struct device *only) __attribute__((nonnull(1), warn_unused_result));

/*
 * Stores in t the disk nvmeXnZ if `name` is one of its hidden paths nvmeXcYnZ (doc/kernel-facts.md, "More traps").
 * Returns false for any other name.
 */
bool hidden_path_disk(struct text *t, const char *name) __attribute__((nonnull, warn_unused_result));

/*
 * Calls each() for every function of the snapshot whose address is a component of `link`, a link to a directory of
 * /sys/devices. Begins with the function next to the root.
 */
void each_function_of_link(struct machine *m, const char *link, void (*each)(void *data, struct device *d), void *data)
	__attribute__((nonnull(1, 2, 3)));

#endif
