// SPDX-License-Identifier: GPL-2.0-or-later
/* The format of vfio-boot export for libvirt. */
#include "export.h"
#include "format.h"

void print_libvirt(const struct export *e)
{
	unsigned bus = LIBVIRT_BUS;

	for (const struct card *c = e->card; c < e->card + e->cards; c++) {
		for (unsigned i = 0; i < c->functions; i++) {
			const struct device *d = c->function[i];
			pciaddr a = d->address;

			printf("<!-- ");
			print_name(e, d);
			printf(" -->\n<hostdev mode='subsystem' type='pci' managed='no'>\n  <source>\n"
			       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' function='0x%x'/>\n  </source>\n",
			       PCIADDR_DOMAIN(a), (unsigned)(a >> 8 & 0xff), (unsigned)(a >> 3 & 0x1f),
			       (unsigned)(a & 7));
			if (c->functions > 1)
				printf("  <address type='pci' domain='0x0000' bus='0x%02x' slot='0x00' "
				       "function='0x%x'%s/>\n",
				       bus, guest_function(c, i), i ? "" : " multifunction='on'");
			printf("</hostdev>\n");
		}
		bus += c->functions > 1;
	}
}
