/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * legacy_ids: turns what the kernel and modprobe were told about devices for vfio-pci into selectors. Host program
 * only.
 */
#ifndef VFIO_BOOT_LEGACY_IDS_H
#define VFIO_BOOT_LEGACY_IDS_H

#include "machine.h"

/*
 * These functions write to *out the selector that means the same, and return NULL. On failure they return a constant
 * that says what is wrong, and *out is undefined.
 *
 * The first takes one entry of `ids=` of vfio-pci and reads it as vfio_pci_fill_ids() does. *remark becomes a constant
 * that says what the selector leaves out because the kernel ignores it, or NULL.
 */
const char *selector_of_id(struct text *out, struct span id, const char **remark)
	__attribute__((nonnull, warn_unused_result));

/* Takes the pattern of an alias, such as pci:v000010DEd00002204sv*sd*bc*sc*i*. Any text may follow a * at its end. */
const char *selector_of_alias(struct text *out, struct span alias) __attribute__((nonnull, warn_unused_result));

/*
 * Takes the PCI address of a function and writes a guarded selector. `id` is the ID for the guard as somebody wrote it
 * (two fields). If it is empty, the ID of the device at that address is used.
 */
const char *selector_of_address(struct text *out, struct machine *m, struct span address, struct span id)
	__attribute__((nonnull, warn_unused_result));

#endif
