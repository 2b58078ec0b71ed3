/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: prints claimed devices as the configuration of other programs. Host program only. */
#ifndef VFIO_BOOT_EXPORT_H
#define VFIO_BOOT_EXPORT_H

#include <stdio.h>

#include "request.h"

#define CARD_FUNCTIONS 8

/* The exported functions of a slot, in address order. On a root bus each function is a card of its own. */
struct card {
	const struct device *function[CARD_FUNCTIONS];
	unsigned functions;
	bool whole; /* all functions of the slot are exported */
};

struct export
{
	struct context *ctx;
	const bool *chosen; /* indexed like ctx->machine.device */
	const struct card *card;
	unsigned cards;
};

#define for_each_exported(e, d)                \
	for_each_device(&(e)->ctx->machine, d) \
		if ((e)->chosen[(d) - (e)->ctx->machine.device])

struct format {
	const char *name;
	const char *does;
	void (*print)(const struct export *e);
	unsigned cards_max;   /* 0: no limit */
	const char *limit;    /* why there is a limit */
	bool long_domains;    /* the format can express domains above ffff */
	bool variants_differ; /* its reader takes devices bound to vfio-pci, and none bound to a variant driver */
};

/* formats.c: all formats. The last one has no name. */
extern const struct format formats[];

/* Prints the names and descriptions of the formats, a line each. */
void print_formats(FILE *to) __attribute__((nonnull));

/*
 * Prints a device for a comment. ASCII alone makes the encoding of the file irrelevant. Control characters and repeated
 * dashes become question marks; two dashes would end a comment in XML. The path is what stays right if bus numbers
 * shift.
 */
void print_name(const struct export *e, const struct device *d) __attribute__((nonnull));

/* Prints each exported device as a line that begins with #. */
void print_comments(const struct export *e) __attribute__((nonnull));

/*
 * A guest probes a card at function 0 only. The first function therefore becomes 0, and the others keep their numbers.
 */
unsigned guest_function(const struct card *c, unsigned i) __attribute__((nonnull));

/* The first bus for cards in the guest. libvirt does not assign these buses by itself in a small guest. */
#define LIBVIRT_BUS 0x10

/* The formats. */
void print_qemu(const struct export *e) __attribute__((nonnull));
void print_libvirt(const struct export *e) __attribute__((nonnull));
void print_proxmox(const struct export *e) __attribute__((nonnull));
void print_kubevirt(const struct export *e) __attribute__((nonnull));
void print_nova(const struct export *e) __attribute__((nonnull));

#endif
