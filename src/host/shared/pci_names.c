// SPDX-License-Identifier: GPL-2.0-or-later
#include <pci/pci.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "pci_names.h"

static struct pci_access *database;
static jmp_buf list_ends;

/* Without handlers, libpci prints messages and ends the program. */
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

/* Out of memory is the only error that is left after loading. */
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
	/*
	 * Do not call pci_init(), which would scan for devices. A line that cannot be parsed ends the list; what
	 * follows it is unknown.
	 */
	if (!setjmp(list_ends))
		pci_load_name_list(database);
	database->error = give_up;
	/*
	 * No vendor has this ID. If libpci's database has no answer, libpci opens that of udev, which is only possible
	 * now.
	 */
	pci_lookup_name(database, name, sizeof(name), PCI_LOOKUP_VENDOR, 0xff00);
}

static unsigned utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	return first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 0;
}

/* Returns the number of bytes of the UTF-8 character at p, or 0 if it is invalid or a control character. */
static unsigned printable(const unsigned char *p)
{
	static const uint32_t least[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
	unsigned len = utf8_length(*p);
	uint32_t value = len == 1 ? *p : *p & 0x7fU >> len;

	for (unsigned i = 1; i < len; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	/* Surrogates are not characters. Nor may a name turn the direction of what stands behind it (Trojan Source). */
	return value >= least[len] && value != 0x7f && value <= 0x10ffff && value >> 11 != 0x1b &&
			       !(value >= 0x202a && value <= 0x202e) && !(value >= 0x2066 && value <= 0x2069)
		       ? len
		       : 0;
}

void make_printable(char *text)
{
	while (*text) {
		unsigned len = printable((const unsigned char *)text);

		if (!len)
			*text = '?';
		text += len ? len : 1;
	}
}

static const char *look_up(char *buf, int what, const struct device *d)
{
	const char *name;

	if (!database)
		pci_names_open();
	if (what == PCI_LOOKUP_CLASS)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.class >> 8);
	else if (what & PCI_LOOKUP_SUBSYSTEM)
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.ids.vendor, d->found.ids.device,
				       d->found.ids.subvendor, d->found.ids.subdevice);
	else
		name = pci_lookup_name(database, buf, NAME_SIZE, what, d->found.ids.vendor, d->found.ids.device);
	/* libpci may return a text of its own, for example if the buffer is too small. */
	if (name != buf)
		snprintf(buf, NAME_SIZE, "%s", name);
	make_printable(buf);
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
