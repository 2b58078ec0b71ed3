/* SPDX-License-Identifier: GPL-2.0-or-later */
/* variant: finds the variant drivers of vfio-pci (driver=auto) in modules.alias. Writes nothing. */
#ifndef VFIO_BOOT_VARIANT_H
#define VFIO_BOOT_VARIANT_H

#include "machine.h"

/*
 * Sets the target of each device whose details were read to the variant driver that fits it best: the one with the
 * fewest wildcards, and of several such the first. `release` is the kernel, or NULL for the running one. A module that
 * is not loaded does not tell the name of its driver, so that the name of the module stands for it. Sets m->no_aliases
 * if modules.alias cannot be read.
 */
void find_variants(struct machine *m, int root, const char *release) __attribute__((nonnull(1)));

/*
 * Returns the name of the PCI driver of a loaded module, or the name of a module that is not loaded. *m owns the
 * string.
 */
const char *driver_of_module(struct machine *m, int root, const char *module) __attribute__((nonnull, returns_nonnull));

#endif
