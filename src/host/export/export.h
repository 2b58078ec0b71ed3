/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: prints claimed devices as the configuration of other programs. Host program only. */
#ifndef VFIO_BOOT_EXPORT_H
#define VFIO_BOOT_EXPORT_H

#include <stdio.h>

#include "request.h"

struct json_object;

#define CARD_FUNCTIONS 8

/* The exported functions of a slot, in address order. On a root bus each function is a card of its own. */
struct card {
	const struct device *function[CARD_FUNCTIONS];
	unsigned functions;
	bool whole; /* all functions of the slot are exported, function 0 among them */
};

struct export
{
	struct context *ctx;
	const bool *chosen; /* indexed like ctx->machine.device */
	const struct card *card;
	unsigned cards;
	bool iommufd; /* --iommufd */
	unsigned bus; /* --bus: the first bus of the guest that is free, or 0 */
};

#define for_each_exported(e, d)                \
	for_each_device(&(e)->ctx->machine, d) \
		if ((e)->chosen[(d) - (e)->ctx->machine.device])

#define for_each_card(e, c) for ((c) = (e)->card; (c) < (e)->card + (e)->cards; (c)++)

enum {
	FORMAT_LONG_DOMAINS = 1 << 0,  /* it can express domains above ffff */
	FORMAT_VFIO_PCI_ONLY = 1 << 1, /* its reader takes no device that is bound to a variant driver */
	FORMAT_IOMMUFD = 1 << 2,       /* it knows --iommufd */
	FORMAT_BUS = 1 << 3,	       /* it knows --bus */
	FORMAT_VF_TOKENS = 1 << 4,     /* it can express VF tokens, or needs none */
	FORMAT_REBINDS = 1 << 5,       /* its reader binds what it takes to vfio-pci itself */
	FORMAT_ONE_ID = 1 << 6,	       /* it knows a part of a card by one ID */
};

struct format {
	const char *name;
	const char *does;
	void (*print)(const struct export *e);
	unsigned flags;	    /* FORMAT_* */
	unsigned cards_max; /* 0: no limit */
	const char *limit;  /* why there is a limit */
};

/* usable.c: returns true if d has a vfio driver, under whatever name the settings chose it. */
bool is_bound_to_vfio(const struct device *d) __attribute__((nonnull));

/*
 * Says every reason why a chosen device cannot be passed to a guest and, without `force`, what can be had instead.
 * Returns true if there is none. chosen[] is indexed like ctx->machine.device.
 */
bool all_usable(struct context *ctx, const bool chosen[DEVICES_MAX], bool force) __attribute__((nonnull));

/* formats.c: all formats. The last one has no name. */
extern const struct format formats[];

/* Prints the names and descriptions of the formats, a line each. */
void print_formats(FILE *to) __attribute__((nonnull));

/* Returns the NUMA node of a device, or -1 if nothing names one. */
int numa_node(const struct export *e, const struct device *d) __attribute__((nonnull));

/*
 * Stores in t what a comment says of a device: its address, ID, name, path, and NUMA node if it has one. The text is
 * ASCII without two dashes in a row, so that it can stand in any comment. Returns t->p.
 */
const char *describe(const struct export *e, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

/* Prints the description of each exported device as a line that begins with #. */
void print_comments(const struct export *e) __attribute__((nonnull));

/*
 * Stores in t the address of a function as part of a name: "0b-00.0", or "0001-0b-00.0" outside of domain 0. Returns
 * t->p. Whoever makes names from it makes the same one in each export, and no two devices share one.
 */
const char *address_name(struct text *t, const struct device *d) __attribute__((nonnull, returns_nonnull));

/*
 * A guest probes a card at function 0 only. The first function therefore becomes 0, and the others keep their numbers.
 */
unsigned guest_function(const struct card *c, unsigned i) __attribute__((nonnull));

/* Returns true for the boot display if it is a VGA controller: its ROM has been run, and a guest may see that. */
bool is_boot_vga(const struct device *d) __attribute__((nonnull));

/*
 * Returns the physical function with which d shares a VF token (d itself may be it), or NULL if d needs no token. VFIO
 * wants a token for VFs whose PF a vfio driver has.
 */
const struct device *token_owner(const struct export *e, const struct device *d) __attribute__((nonnull));

/* The formats. */
void print_qemu(const struct export *e) __attribute__((nonnull));
void print_libvirt(const struct export *e) __attribute__((nonnull));
void print_proxmox(const struct export *e) __attribute__((nonnull));
void print_proxmox_mapping(const struct export *e) __attribute__((nonnull));
void print_kubevirt(const struct export *e) __attribute__((nonnull));
void print_nova(const struct export *e) __attribute__((nonnull));
void print_incus(const struct export *e) __attribute__((nonnull));
void print_udev(const struct export *e) __attribute__((nonnull));

/* A format that describes the host (host.c). It is always printed, whatever vfio drivers hold. */
struct host_format {
	const char *name;
	const char *does;
	void (*print)(struct json_object *status); /* gets the object of `status --json` */
};

/* The last one has no name. */
extern const struct host_format host_formats[];

/* Prints such a format. Returns the exit status. It is 0 if it is printed, whatever there is to tell. */
int export_host(struct request *r, const struct host_format *f) __attribute__((nonnull, warn_unused_result));

#endif
