/* SPDX-License-Identifier: GPL-2.0-or-later */
/* legacy_ids: how the kernel and modprobe are told of devices for vfio-pci, as selectors. Host program only. */
#ifndef VFIO_BOOT_LEGACY_IDS_H
#define VFIO_BOOT_LEGACY_IDS_H

#include "machine.h"

/*
 * Each makes *out the selector that means the same, and returns NULL; or returns what is wrong, a constant, and *out is
 * of no use.
 *
 * The first takes one entry of `ids=` of vfio-pci, as vfio_pci_fill_ids() reads it; *remark is a constant, what the
 * selector leaves out since the kernel ignores it, or NULL.
 */
const char *selector_of_id(struct text *out, struct span id, const char **remark)
	__attribute__((nonnull, warn_unused_result));

/* The pattern of an alias, pci:v000010DEd00002204sv*sd*bc*sc*i*; what follows a * at its end is any. */
const char *selector_of_alias(struct text *out, struct span alias) __attribute__((nonnull, warn_unused_result));

/* The bus index of one function, guarded with that ID (two fields, as written), or where it is empty with the ID of the
 * device that is there. */
const char *selector_of_address(struct text *out, struct machine *m, struct span address, struct span id)
	__attribute__((nonnull, warn_unused_result));

#endif
