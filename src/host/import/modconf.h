/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modconf: finds what a file of modprobe.d, or a list of modules to load, has to do with vfio-pci. Host program only.
 */
#ifndef VFIO_BOOT_MODCONF_H
#define VFIO_BOOT_MODCONF_H

#include "result.h"

/*
 * Reads the text of a modprobe.d file into *f. The text ends with a NUL, which len does not count. `source` names the
 * file.
 */
void modconf_read(struct result *f, const char *source, const char *text, size_t len) __attribute__((nonnull));

/* Reads the modules file of initramfs-tools in the same way. Each line is a module with its parameters. */
void modconf_read_modules(struct result *f, const char *source, const char *text, size_t len) __attribute__((nonnull));

#endif
