/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modalias: does an alias of a module fit a device? Pure. */
#ifndef VFIO_BOOT_MODALIAS_H
#define VFIO_BOOT_MODALIAS_H

#include "machine.h"

#define ALIAS_FIELDS 7 /* v d sv sd bc sc i */

/*
 * Does this alias fit the device? It is read from the v on: v0000VVVVd0000DDDDsv0000SSSSsd0000SSSSbcBBscSSiPP, where
 * each field may be a *, and a * may end it (do_pci_entry() of scripts/mod/file2alias.c). Returns where it ends, and
 * stores in *exact how many of the fields are no *; or returns NULL.
 */
const char *alias_fits(const char *alias, const struct device *d, uint8_t *exact) __attribute__((nonnull));

#endif
