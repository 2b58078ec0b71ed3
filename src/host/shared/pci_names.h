/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_names: looks up the names of vendors, devices and classes in libpci's database. Host program only. */
#ifndef VFIO_BOOT_PCI_NAMES_H
#define VFIO_BOOT_PCI_NAMES_H

#include "machine.h"

#define NAME_SIZE 200

/*
 * Loads the database, which the first name that is looked up does as well. Call it before a chroot() to --sysroot.
 * Without a database, names consist of numbers.
 */
void pci_names_open(void);

/* Puts a question mark in place of each byte that is no UTF-8, or that controls a terminal. */
void make_printable(char *text) __attribute__((nonnull));

/* Store a name in buf, which has NAME_SIZE bytes, and return buf. The name is UTF-8 without control characters. */
const char *device_name(char *buf, const struct device *d) __attribute__((nonnull));	/* vendor and device */
const char *class_name(char *buf, const struct device *d) __attribute__((nonnull));	/* VGA compatible controller */
const char *subsystem_name(char *buf, const struct device *d) __attribute__((nonnull)); /* vendor and device */

#endif
