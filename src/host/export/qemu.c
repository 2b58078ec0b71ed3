// SPDX-License-Identifier: GPL-2.0-or-later
/* The format of vfio-boot export for QEMU. */
#include "export.h"
#include "format.h"

/*
 * Each card needs a root port of its own, which has no slot but 0. QEMU's `host` accepts domains up to ffff
 * (set_pci_host_devaddr()); the path of the device works for all domains.
 */
void print_qemu(const struct export *e)
{
	const char *space = "";

	for (unsigned n = 1; n <= e->cards; n++) {
		const struct card *c = &e->card[n - 1];

		printf("%s-device pcie-root-port,id=vfio-boot%u,chassis=%u", space, n, 200 + n);
		for (unsigned i = 0; i < c->functions; i++) {
			bool far = PCIADDR_DOMAIN(c->function[i]->address) > 0xffff;

			printf(" -device vfio-pci,%s=%s%s,bus=vfio-boot%u,addr=00.%u%s", far ? "sysfsdev" : "host",
			       far ? "/sys/bus/pci/devices/" : "", c->function[i]->name, n, guest_function(c, i),
			       !i && c->functions > 1 ? ",multifunction=on" : "");
		}
		space = " ";
	}
	putchar('\n');
}
