/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attached: finds what hangs on a PCI function, which is what people choose a device by: disks, network interfaces, USB
 * devices, sound cards, monitors. Reads sysfs alone. Host program only.
 */
#ifndef VFIO_BOOT_ATTACHED_H
#define VFIO_BOOT_ATTACHED_H

#include <stdio.h>

#include "machine.h"

enum attached_kind { ATTACHED_DISK, ATTACHED_NETWORK, ATTACHED_USB, ATTACHED_MONITOR, ATTACHED_SOUND };

struct attached {
	const struct device *device; /* the function next to it */
	enum attached_kind kind;
	char *name;		 /* of the kernel: "nvme0n1", "enp4s0", "1-2", "card1-DP-1", "card0" */
	char *model;		 /* what it calls itself: UTF-8 without control characters; or NULL */
	unsigned long long size; /* of a disk, in bytes, or 0 if unknown */
	const char *link;	 /* of a network interface: "link", "no link", "down"; or NULL if unknown */
};

/* All of a machine, by device, kind and name. */
struct attachments {
	struct attached *item;
	unsigned count;
};

/*
 * Finds them. `root` is a descriptor of the root directory. What cannot be read is left out. Aborts if there is no
 * memory. The caller owes an attachments_free(). The devices belong to the machine.
 */
void attachments_find(struct attachments *a, struct machine *m, int root) __attribute__((nonnull));
void attachments_free(struct attachments *a) __attribute__((nonnull));

#define for_each_attached(a, i) for ((i) = (a)->item; (i) < (a)->item + (a)->count; (i)++)

/* Returns the word for programs: "disk", "network", "usb", "monitor", "sound". */
const char *attached_kind_name(enum attached_kind kind) __attribute__((returns_nonnull));

/* Prints what a person calls it: "disk nvme0n1: Samsung SSD 980, 1.0 TB", "network enp4s0 (no link)". */
void attached_print(FILE *to, const struct attached *i) __attribute__((nonnull));

#endif
