/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel: tells what an installed kernel has. Reads what depmod wrote below lib/modules. Host program only. */
#ifndef VFIO_BOOT_KERNEL_H
#define VFIO_BOOT_KERNEL_H

enum has_module {
	MODULE_MISSING,
	MODULE_FILE, /* a file of its own */
	MODULE_BUILT_IN,
};

/*
 * Tells whether the kernel of a release has a module. `root` is a descriptor of the root directory. - and _ are equal
 * in `name`. Returns MODULE_MISSING as well if the lists of the kernel cannot be read.
 */
enum has_module kernel_module(int root, const char *release, const char *name) __attribute__((nonnull));

#endif
