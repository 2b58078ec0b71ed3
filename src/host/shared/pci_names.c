// SPDX-License-Identifier: GPL-2.0-or-later
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "pci_names.h"

static struct pci_access *database;
static jmp_buf list_ends;

/* libpci ends the program by itself where it is not told otherwise. */
static void ignore_message(char *fmt, ...)
{
	(void)fmt;
}

static void end_list(char *fmt, ...) __attribute__((noreturn));
static void end_list(char *fmt, ...)
{
	(void)fmt;
	longjmp(list_ends, 1);
}

/* After that there is one error left: out of memory. */
static void give_up(char *fmt, ...) __attribute__((noreturn));
static void give_up(char *fmt, ...)
{
	(void)fmt;
	abort();
}

void pci_names_open(void)
{
	char name[NAME_SIZE];

	database = pci_alloc();
	database->error = end_list;
	database->warning = database->debug = ignore_message;
	/* pci_init() would look for devices, which only the scan does. A line that cannot be read ends the list: what
	 * comes behind it is as if nobody knew it. */
	if (!setjmp(list_ends))
		pci_load_name_list(database);
	database->error = give_up;
	/* What is asked for here is nobody's: the database of udev is opened when that of libpci has no answer. */
	pci_lookup_name(database, name, sizeof(name), PCI_LOOKUP_VENDOR, 0xff00);
}

/* The number of bytes of the UTF-8 character at p, or 0 where it is none or controls something. */
static unsigned printable(const unsigned char *p)
{
	static const uint32_t least[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
	unsigned len = *p < 0x80 ? 1 : *p >> 5 == 0x6 ? 2 : *p >> 4 == 0xe ? 3 : *p >> 3 == 0x1e ? 4 : 0;
	uint32_t value = len == 1 ? *p : *p & 0x7fU >> len;

	for (unsigned i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	/* Surrogates are no characters. */
	return value >= least[len] && value != 0x7f && value <= 0x10ffff && value >> 11 != 0x1b ? len : 0;
}

static const char *look_up(char *buf, int what, const struct device *d)
{
	const char *name;

	if (what == PCI_LOOKUP_CLASS)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.class >> 8);
	else if (what & PCI_LOOKUP_SUBSYSTEM)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.ids.vendor, d->found.ids.device,
				       d->found.ids.subvendor, d->found.ids.subdevice);
	else
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.ids.vendor, d->found.ids.device);
	/* It may return a text of its own, such as that there is no room. */
	if (name != buf)
		snprintf(buf, NAME_SIZE, "%s", name);
	for (char *p = buf; *p;) {
		unsigned len = printable((const unsigned char *)p);

		if (!len)
			*p = '?';
		p += len ? len : 1;
	}
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
