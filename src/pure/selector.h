/* SPDX-License-Identifier: GPL-2.0-or-later */
/* selector: parses an entry of a list of devices, and matches it with devices. Pure. */
#ifndef VFIO_BOOT_SELECTOR_H
#define VFIO_BOOT_SELECTOR_H

#include "pciaddr.h"

struct device;

/* The kinds of selectors, the most specific one first. */
enum selector_kind {
	SELECT_PATH,
	SELECT_ADDRESS,
	SELECT_BOOT_VGA,
	SELECT_ID,
	SELECT_CLASS,
};

enum {
	/* Set by selector_parse(): */
	SELECTOR_EXCLUDES = 1 << 0, /* !X, not:X */
	SELECTOR_OPTIONAL = 1 << 1, /* X? */
	SELECTOR_GUARDED = 1 << 2,  /* X@VVVV:DDDD */
	SELECTOR_SLOT = 1 << 3,	    /* every function of the slot */
	/* Set by the scan: */
	SELECTOR_VIRTUAL = 1 << 4, /* matches a virtual function, which will not exist at the next boot */
	SELECTOR_KEPT = (1 << 5) - 1,
	/* Set by select_devices(), the last one by plan_decide(): */
	SELECTOR_MATCHED = 1 << 5, /* a device matches */
	SELECTOR_STALE = 1 << 6,   /* has a guard, and no device fits */
	SELECTOR_IDLE = 1 << 7,	   /* broad, matches a device that is not excluded, and claims nothing */
};

/* The place of a word in the settings. */
struct place {
	const char *source; /* the name of the file or command line; must live as long as the settings */
	uint32_t line;	    /* 0: the kernel command line, or a whole file */
	uint32_t column;    /* from 1; counts bytes of the kernel command line; 0: a whole file */
};

#define SELECTOR_HOPS 16
#define ANY_ID	      UINT32_MAX

/* The four IDs of a function, or ANY_ID. The kernel keeps 32 bits of each (struct pci_device_id). */
struct pci_ids {
	uint32_t vendor;
	uint32_t device;
	uint32_t subvendor;
	uint32_t subdevice;
};

struct selector {
	struct span text; /* as the user wrote it, without ! and ? */
	pciaddr address;  /* the function, or where a path begins */
	pciaddr target;	  /* the end of the path on this machine, or PCIADDR_NONE; see find_path() */
	pciaddr behind;	  /* the first function below the last bridge of the path that has any, or PCIADDR_NONE */
	struct pci_ids ids;
	uint32_t class; /* 24 bits, masked */
	uint32_t class_mask;
	uint8_t kind;  /* enum selector_kind */
	uint8_t flags; /* SELECTOR_* */
	uint16_t vfs;  /* of an entry of `vfs`: how many VFs are to be made */
	uint16_t vf;   /* PF/vfN: the number of the VF and 1, or 0 */
	uint8_t hops;
	uint8_t hop[SELECTOR_HOPS]; /* the device and function of each hop of a path */
	struct place at;
	struct span comment; /* the comment in its line, may be empty */
};

enum selector_match {
	SELECTOR_NO,
	SELECTOR_YES,
	SELECTOR_GUARD_FAILS, /* the function exists, but with another ID */
};

/*
 * Parses one entry of a list, the len bytes at p. On success returns NULL and fills *out except for the place and the
 * comment; out->text points into p. On failure returns a constant that says what is wrong. Then only out->text and
 * out->flags are valid, so the caller knows whether the entry was meant to exclude something.
 */
const char *selector_parse(struct selector *out, const char *p, size_t len)
	__attribute__((nonnull, warn_unused_result));

/* Likewise for an entry SELECTOR=N of `vfs`; out->text is all of it. */
const char *selector_parse_vfs(struct selector *out, const char *p, size_t len)
	__attribute__((nonnull, warn_unused_result));

/* Returns true if the selector names a device (path, PCI address, boot display), false if it is an ID or a class. */
bool selector_names(const struct selector *s) __attribute__((nonnull));

/* Returns true if the selector is one for a place: a path or a PCI address. */
bool selector_has_place(const struct selector *s) __attribute__((nonnull));

/*
 * Returns false if the selector cannot match d. Needs the address and IDs of d alone: a path is followed only to the
 * number of its last function, and each display may be the boot display.
 */
bool selector_may_match(const struct selector *s, const struct device *d) __attribute__((nonnull));

/* Returns whether the selector matches d. */
enum selector_match selector_match(const struct selector *s, const struct device *d) __attribute__((nonnull));

/*
 * Returns true if an exclusion, or an entry of `protect` or `reserve`, covers d. If its guard fits no device
 * (SELECTOR_STALE), it covers the function at its address as well as all functions with its ID: a disk that moved stays
 * safe.
 */
bool selector_covers(const struct selector *s, const struct device *d) __attribute__((nonnull));

#endif
