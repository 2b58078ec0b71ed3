/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_names: what vendors, devices and classes are called, from libpci's database. Host program only. */
#ifndef VFIO_BOOT_PCI_NAMES_H
#define VFIO_BOOT_PCI_NAMES_H

#include "machine.h"

#define NAME_SIZE 200

/* Loads the database; before a --sysroot shuts it out. Without one, names are made of the numbers. */
void pci_names_open(void);

/* Put the name into buf, of NAME_SIZE bytes, UTF-8 without control characters, and return it. */
const char *device_name(char *buf, const struct device *d) __attribute__((nonnull));	/* vendor and device */
const char *class_name(char *buf, const struct device *d) __attribute__((nonnull));	/* VGA compatible controller */
const char *subsystem_name(char *buf, const struct device *d) __attribute__((nonnull)); /* vendor and device */

#endif
