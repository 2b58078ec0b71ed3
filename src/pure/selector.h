/* SPDX-License-Identifier: GPL-2.0-or-later */
/* selector: one entry of a list of devices, and whether it means a given device. Pure. */
#ifndef VFIO_BOOT_SELECTOR_H
#define VFIO_BOOT_SELECTOR_H

#include "pciaddr.h"

struct device;

/* In the order of how specific they are, the most specific first. */
enum selector_kind {
	SELECT_PATH,
	SELECT_ADDRESS,
	SELECT_BOOT_VGA,
	SELECT_ID,
	SELECT_CLASS,
};

enum {
	/* As written. */
	SELECTOR_EXCLUDES = 1 << 0, /* !X, not:X */
	SELECTOR_OPTIONAL = 1 << 1, /* X? */
	SELECTOR_GUARDED = 1 << 2,  /* X@VVVV:DDDD */
	SELECTOR_SLOT = 1 << 3,	    /* every function of the slot */
	/* As found by the scan. */
	SELECTOR_VIRTUAL = 1 << 4, /* it means a virtual function, which will not be there at the next boot */
	SELECTOR_KEPT = (1 << 5) - 1,
	/* As found on this machine: the first two by select_devices(), the last by plan_decide(). */
	SELECTOR_MATCHED = 1 << 5, /* some device matches */
	SELECTOR_STALE = 1 << 6,   /* guarded, and no device fits */
	SELECTOR_IDLE = 1 << 7,	   /* broad: it matches something that is not excluded, and claims nothing */
};

/* Where a word stands. */
struct place {
	const char *source; /* the name of a file or of the command line, has to outlive the settings */
	uint32_t line;	    /* 0: the kernel command line, or the file as a whole */
	uint32_t column;    /* from 1; of the kernel command line the byte; 0: the file as a whole */
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
	struct span text; /* as written, without ! and ? */
	pciaddr address;  /* the function, or where a path begins */
	pciaddr target;	  /* where the path ends on this machine (find_path() of scan.c), or PCIADDR_NONE */
	struct pci_ids ids;
	uint32_t class; /* the bits that are compared, 24 of them */
	uint32_t class_mask;
	uint8_t kind;  /* enum selector_kind */
	uint8_t flags; /* SELECTOR_* */
	uint8_t hops;
	uint8_t hop[SELECTOR_HOPS]; /* device and function of each hop of a path */
	struct place at;
	struct span comment; /* behind it in its line, may be empty */
};

enum selector_match {
	SELECTOR_NO,
	SELECTOR_YES,
	SELECTOR_GUARD_FAILS, /* the function is there, with another ID */
};

/*
 * Reads one entry of a list. Returns NULL and fills *out, without a place and a comment; it keeps pointing into p. Or
 * returns what is wrong with it, a constant, and then of *out the flags alone are good: whether it excludes.
 */
const char *selector_parse(struct selector *out, const char *p, size_t len)
	__attribute__((nonnull, warn_unused_result));

/* Does it name a device (path, bus index, boot display) rather than match by ID or class? */
bool selector_names(const struct selector *s) __attribute__((nonnull));

/* Does this entry, whatever it is used for, mean d? */
enum selector_match selector_match(const struct selector *s, const struct device *d) __attribute__((nonnull));

/*
 * The same of an entry that takes away or protects: once its guard fits nothing (SELECTOR_STALE) it means both the
 * function it leads to and every function with that ID, so that a disk that moved stays safe.
 */
bool selector_covers(const struct selector *s, const struct device *d) __attribute__((nonnull));

#endif
