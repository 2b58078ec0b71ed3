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

#endif
