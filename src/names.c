// SPDX-License-Identifier: GPL-2.0-or-later
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

static struct pci_access *database;
static jmp_buf no_database;

/* libpci ends the program by itself where it is not told otherwise. */
static void ignore_message(char *fmt, ...)
{
	(void)fmt;
}

static void give_up(char *fmt, ...) __attribute__((noreturn));
static void give_up(char *fmt, ...)
{
	(void)fmt;
	longjmp(no_database, 1);
}

void names_open(void)
{
	char name[NAME_SIZE];

	database = pci_alloc();
	if (setjmp(no_database)) {
		database = NULL;
		return;
	}
	database->error = give_up;
	database->warning = database->debug = ignore_message;
	/* pci_init() would look for devices, which only the eyes do. What is asked for here is nobody's: the database
	 * of udev is opened when that of libpci has no answer. */
	pci_load_name_list(database);
	pci_lookup_name(database, name, sizeof(name), PCI_LOOKUP_VENDOR, 0xff00);
}

static const char *look_up(char *buf, int what, const struct device *d)
{
	const char *name = NULL;

	buf[0] = '\0';
	if (!database)
		return buf;
	if (what == PCI_LOOKUP_CLASS)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->class >> 8);
	else if (what & PCI_LOOKUP_SUBSYSTEM)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->ids.vendor, d->ids.device, d->ids.subvendor,
				       d->ids.subdevice);
	else
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->ids.vendor, d->ids.device);
	/* It may return a text of its own, such as that there is no room. */
	if (name != buf)
		snprintf(buf, NAME_SIZE, "%s", name);
	return buf;
}

const char *device_name(char *buf, const struct device *d)
{
	return look_up(buf, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, d);
}

const char *class_name(char *buf, const struct device *d)
{
	return look_up(buf, PCI_LOOKUP_CLASS, d);
}

const char *subsystem_name(char *buf, const struct device *d)
{
	return look_up(buf, PCI_LOOKUP_SUBSYSTEM | PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, d);
}
