/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modalias: does an alias of a module fit a device? Pure. */
#ifndef VFIO_BOOT_MODALIAS_H
#define VFIO_BOOT_MODALIAS_H

#include <stdint.h>

#define ALIAS_FIELDS 7 /* v d sv sd bc sc i */

/*
 * Does an alias fit a device with this modalias, both from the v on? Each field of an alias is as in a modalias or a
 * *, and after a blank comes the module (do_pci_entry() of scripts/mod/file2alias.c). Returns the module's name, which
 * stands in the alias, and stores how many of the fields are no *; or returns NULL.
 */
const char *alias_fits(const char *alias, const char *modalias, uint8_t *exact) __attribute__((nonnull));

#endif
