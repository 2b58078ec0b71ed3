/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot_count: an EFI variable that counts boots which claimed something and did not come up, as a file of efivarfs. It
 * has the attributes of a variable that stays (4 bytes), then one digit.
 */
#ifndef VFIO_BOOT_BOOT_COUNT_H
#define VFIO_BOOT_BOOT_COUNT_H

#include "act.h"

/* After so many of these boots in a row the next one claims nothing. */
#define FAILED_BOOTS_MAX 2

/* In memory that is shared with children. */
struct boot_count {
	const struct root *root;
	bool clear;	/* remove the variable, rather than raise it */
	uint8_t failed; /* results: how many boots it has counted before this one; what is none of our numbers is 0 */
	uint8_t errnum; /* why it could not be written, or 0 */
};

/* Returns true if the machine has EFI variables. */
bool boot_count_can_be(int root);

/*
 * Raises the count by one, if it is below FAILED_BOOTS_MAX, or clears it. Mounts efivarfs where it is not mounted, and
 * only for that; a mount that is read-only is writable for that long. Firmware may hang, so all of it is done in a
 * child. Stores the results, and ETIMEDOUT if the child has not ended at the deadline.
 */
void boot_count_change(struct boot_count *c, clock_t deadline) __attribute__((nonnull));

#endif
