/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pciaddr: the bus index of a PCI function, as a number and as text. Pure. */
#ifndef VFIO_BOOT_PCIADDR_H
#define VFIO_BOOT_PCIADDR_H

#include "text.h"

/*
 * Domain, bus, device and function in one number, so that numerical order is address order. The domain has 32 bits:
 * Intel VMD hands out 10000 and up (drivers/pci/controller/vmd.c, vmd_find_free_domain).
 */
typedef uint64_t pciaddr;

#define PCIADDR_NONE		      UINT64_MAX
#define PCIADDR(domain, bus, dev, fn) ((uint64_t)(domain) << 16 | (uint64_t)(bus) << 8 | (uint64_t)(dev) << 3 | (fn))
#define PCIADDR_DEVFN(a)	      ((uint8_t)(a))
#define PCIADDR_SLOT(a)		      ((a) & ~(pciaddr)7)
#define PCIADDR_DOMAIN(a)	      ((uint32_t)((a) >> 16))

/* The longest text as sysfs has it ("%04x:%02x:%02x.%d" in pci_setup_device()), the NUL included. */
#define PCIADDR_TEXT 17

/*
 * Reads [DOMAIN:]BB:DD[.F|.*] from p on, as far as it goes. On success returns where it stopped and stores the address;
 * *slot tells whether all functions of the slot are meant (function 0 is stored then). Otherwise returns NULL and
 * stores in *why what is wrong with it, a constant, or NULL where it does not even begin like an address.
 */
const char *pciaddr_parse(const char *p, const char *end, pciaddr *out, bool *slot, const char **why)
	__attribute__((nonnull));

/* Reads DD.F, the device and function of one hop of a path, or where slot is not NULL DD[.F|.*]; otherwise as above. */
const char *pciaddr_parse_devfn(const char *p, const char *end, uint8_t *out, bool *slot, const char **why)
	__attribute__((nonnull(1, 2, 3, 5)));

/* The address in a name as sysfs spells it, domain and function included; or PCIADDR_NONE where it is something else.
 */
pciaddr pciaddr_from_name(const char *name, unsigned len) __attribute__((nonnull));

#endif
