/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conflicts: who else wants to give devices to vfio-pci or pci-stub, on the old ways. Host program only. Reads. */
#ifndef VFIO_BOOT_CONFLICTS_H
#define VFIO_BOOT_CONFLICTS_H

/*
 * Calls found() with a line, FILE:LINE: WORDS, for each: ids on the kernel command line, lines of modprobe.d(5) that
 * are about vfio-pci, and what driverctl has saved.
 */
void conflicts_find(int root, const char *cmdline, void (*found)(void *ctx, const char *what), void *ctx)
	__attribute__((nonnull(2, 3)));

#endif
