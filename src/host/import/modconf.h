/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modconf: what a file of modprobe.d, or of modules to load, has to do with vfio-pci. Host program only. */
#ifndef VFIO_BOOT_MODCONF_H
#define VFIO_BOOT_MODCONF_H

#include "result.h"

/* Reads the text of one file, which is terminated, into *f. */
void modconf_read(struct result *f, const char *source, const char *text, size_t len) __attribute__((nonnull));

/* The same of the modules of initramfs-tools: in each line one, with its parameters. */
void modconf_read_modules(struct result *f, const char *source, const char *text, size_t len) __attribute__((nonnull));

#endif
