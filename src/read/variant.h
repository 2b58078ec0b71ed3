/* SPDX-License-Identifier: GPL-2.0-or-later */
/* variant: the variant drivers of vfio-pci (driver=auto), from modules.alias. alias_fits() is pure, the others read. */
#ifndef VFIO_BOOT_VARIANT_H
#define VFIO_BOOT_VARIANT_H

#include "machine.h"

#define ALIAS_FIELDS 7 /* v d sv sd bc sc i */

/*
 * Does an alias fit a device with this modalias, both from the v on? Each field of an alias is as in a modalias or a
 * *, and after a blank comes the module (do_pci_entry() of scripts/mod/file2alias.c). Returns the module's name, which
 * stands in the alias, and stores how many of the fields are no *; or returns NULL.
 */
const char *alias_fits(const char *alias, const char *modalias, uint8_t *exact) __attribute__((nonnull));

/*
 * Makes the best variant driver of the kernel `release` the target of each device that was read in detail and that one
 * fits: the one with the fewest wildcards, of equal ones the first. A module that is not loaded does not tell what its
 * driver is called, and stands for it until then. Where modules.alias cannot be read m->no_aliases is set.
 */
void find_variants(struct machine *m, int root, const char *release) __attribute__((nonnull(1)));

/* The PCI driver of a loaded module, a name of *m; or the module's own name where it is not loaded. */
const char *driver_of_module(struct machine *m, int root, const char *module) __attribute__((nonnull, returns_nonnull));

#endif
