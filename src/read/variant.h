/* SPDX-License-Identifier: GPL-2.0-or-later */
/* variant: the variant drivers of vfio-pci (driver=auto), from modules.alias. Reads. */
#ifndef VFIO_BOOT_VARIANT_H
#define VFIO_BOOT_VARIANT_H

#include "machine.h"

/*
 * Makes the best variant driver of the kernel `release` the target of each device that was read in detail and that one
 * fits: the one with the fewest wildcards, of equal ones the first. A module that is not loaded does not tell what its
 * driver is called, and stands for it until then. Where modules.alias cannot be read m->no_aliases is set.
 */
void find_variants(struct machine *m, int root, const char *release) __attribute__((nonnull(1)));

/* The PCI driver of a loaded module, a name of *m; or the module's own name where it is not loaded. */
const char *driver_of_module(struct machine *m, int root, const char *module) __attribute__((nonnull, returns_nonnull));

#endif
