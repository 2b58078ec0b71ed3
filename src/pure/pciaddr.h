/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pciaddr: the PCI address of a function, as a number and as text. Messages call it the bus index. Pure. */
#ifndef VFIO_BOOT_PCIADDR_H
#define VFIO_BOOT_PCIADDR_H

#include "text.h"

/*
 * Domain, bus, device and function in one number, so that numerical order is address order. The domain needs 32 bits:
 * Intel VMD uses domains from 10000 (hexadecimal) up (drivers/pci/controller/vmd.c, vmd_find_free_domain()).
 */
typedef uint64_t pciaddr;

#define PCIADDR_NONE		      UINT64_MAX
#define PCIADDR(domain, bus, dev, fn) ((uint64_t)(domain) << 16 | (uint64_t)(bus) << 8 | (uint64_t)(dev) << 3 | (fn))
#define PCIADDR_DEVFN(a)	      ((uint8_t)(a))
#define PCIADDR_SLOT(a)		      ((a) & ~(pciaddr)7)
#define PCIADDR_BUS(a)		      ((a) & ~(pciaddr)0xff)
#define PCIADDR_DOMAIN(a)	      ((uint32_t)((a) >> 16))

/* The size of the longest address in sysfs, with the NUL ("%04x:%02x:%02x.%d" in pci_setup_device()). */
#define PCIADDR_TEXT 17

/*
 * Parses [DOMAIN:]BB:DD[.F|.*] at p and does not read beyond end. On success stores the address in *out and returns the
 * end of what it parsed. *slot becomes true if the text means all functions of the slot; the address is that of
 * function 0 then. On failure returns NULL and stores in *why a constant that says what is wrong, or NULL if the text
 * does not even begin like an address.
 */
const char *pciaddr_parse(const char *p, const char *end, pciaddr *out, bool *slot, const char **why)
	__attribute__((nonnull));

/*
 * Parses DD.F, the device and function of one hop of a path. If slot is not NULL, parses DD[.F|.*] instead. For the
 * rest see pciaddr_parse().
 */
const char *pciaddr_parse_devfn(const char *p, const char *end, uint8_t *out, bool *slot, const char **why)
	__attribute__((nonnull(1, 2, 3, 5)));

/*
 * Returns the next component of a path that is an address, and moves *p behind it. Returns PCIADDR_NONE if there is
 * none before the end, and *p is NULL then.
 */
pciaddr pciaddr_next(const char **p) __attribute__((nonnull));

/* Parses a name as sysfs spells it, with domain and function. Returns PCIADDR_NONE if it is something else. */
pciaddr pciaddr_from_name(const char *name, unsigned len) __attribute__((nonnull));

#endif
