// SPDX-License-Identifier: GPL-2.0-or-later
/* The format of vfio-boot export for libvirt. */
#include "export.h"
#include "format.h"

/*
 * libvirt finds a place for what has none, a root port for each function, and never twice the same. Functions that are
 * to be one card in the guest need the number of a bus, and only who knows the domain knows a free one.
 */
static void print_place(const struct card *c, unsigned i, unsigned bus)
{
	printf("  <address type='pci' domain='0x0000' bus='0x%02x' slot='0x00' function='0x%x'%s/>\n", bus,
	       guest_function(c, i), i ? "" : " multifunction='on'");
}

static void print_hostdev(const struct export *e, const struct device *d)
{
	pciaddr a = d->address;
	struct text t;

	printf("<!-- %s -->\n", describe(e, &t, d));
	printf("<hostdev mode='subsystem' type='pci' managed='no'>\n");
	if (e->iommufd)
		printf("  <driver iommufd='yes'/>\n");
	printf("  <source>\n"
	       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n"
	       "  </source>\n",
	       PCIADDR_DOMAIN(a), (unsigned)(a >> 8 & 0xff), (unsigned)(a >> 3 & 0x1f), (unsigned)(a & 7));
	if (is_boot_vga(d))
		printf("  <!-- the boot display: if the guest stays dark, <rom file='/FILE'/> here (see vfio-boot(8)) -->\n");
}

void print_libvirt(const struct export *e)
{
	unsigned bus = e->bus;
	const struct card *c;

	for_each_card(e, c) {
		bool together = bus && c->functions > 1;

		for (unsigned i = 0; i < c->functions; i++) {
			print_hostdev(e, c->function[i]);
			if (together)
				print_place(c, i, bus);
			printf("</hostdev>\n");
		}
		bus += together;
	}
}
