/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel: what the host program knows about an installed kernel. Host program only. */
#ifndef VFIO_BOOT_KERNEL_H
#define VFIO_BOOT_KERNEL_H

/* Is that module part of a kernel, as a file of its own or built in? */
enum has_module { MODULE_MISSING, MODULE_FILE, MODULE_BUILT_IN };
enum has_module kernel_module(int root, const char *release, const char *name) __attribute__((nonnull));

#endif
