/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: what others need to be given the claimed devices. Host program only. */
#ifndef VFIO_BOOT_EXPORT_H
#define VFIO_BOOT_EXPORT_H

#include <stdio.h>

#include "request.h"

#define CARD_FUNCTIONS 8

/* The exported functions of one slot, in address order; on a root bus each function is a card of its own. */
struct card {
	const struct device *function[CARD_FUNCTIONS];
	unsigned functions;
	bool whole; /* the slot has no other functions */
};

struct export
{
	const struct context *ctx;
	const bool *chosen; /* a place for each one of context->machine.device */
	const struct card *card;
	unsigned cards;
};

struct format {
	const char *name;
	const char *does;
	void (*print)(const struct export *e);
	unsigned cards_max;   /* 0: as many as there are */
	const char *limit;    /* what sets that limit */
	bool long_domains;    /* it knows domains above ffff */
	bool variants_differ; /* it takes what is with vfio-pci, and not with a variant driver */
};

/* formats.c: all of them, up to one without a name. */
extern const struct format formats[];

/* Their names and what they are, a line each. */
void print_formats(FILE *to) __attribute__((nonnull));

#endif
