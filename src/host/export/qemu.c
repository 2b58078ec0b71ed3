// SPDX-License-Identifier: GPL-2.0-or-later
/* The format of vfio-boot export for QEMU. */
#include "export.h"
#include "format.h"
#include "listener.h"
#include "log.h"

/*
 * QEMU wants the pair of chassis and slot to be another one for each port. The chassis, 8 bits, is the bus. The slot
 * has 13 bits in the port, device and function are the lower 8. QEMU looks for a slot by its lower 8 bits alone
 * (pcie_chassis_find_slot_with_chassis()) and so finds none above 255: these ports are in the way of no others.
 */
static void print_port(const struct device *d)
{
	unsigned slot = 0x100 * (1 + PCIADDR_DOMAIN(d->address) % 31) + PCIADDR_DEVFN(d->address);
	struct text id;

	printf("-device pcie-root-port,id=vfio-port-%s,chassis=%u,slot=%u", address_name(&id, d),
	       (unsigned)(d->address >> 8 & 0xff), slot);
}

/* The token only has to be the same one for the PF and its VFs, in each guest and after each boot. */
static void print_token(const struct device *pf)
{
	printf(",vf-token=7666696f-0000-8000-8000-%08x%04x", PCIADDR_DOMAIN(pf->address),
	       (unsigned)(pf->address & 0xffff));
}

/* QEMU's `host` accepts domains up to ffff (set_pci_host_devaddr()); the path of the device works for all domains. */
static void print_function(const struct export *e, const struct card *c, unsigned i)
{
	const struct device *d = c->function[i], *pf = token_owner(e, d);
	bool far = PCIADDR_DOMAIN(d->address) > 0xffff;
	struct text id;

	printf(" -device vfio-pci,%s=%s%s,id=vfio-%s", far ? "sysfsdev" : "host", far ? "/sys/bus/pci/devices/" : "",
	       d->name, address_name(&id, d));
	printf(",bus=vfio-port-%s,addr=00.%u%s", address_name(&id, c->function[0]), guest_function(c, i),
	       !i && c->functions > 1 ? ",multifunction=on" : "");
	if (e->iommufd)
		printf(",iommufd=vfio-iommu-%s", address_name(&id, e->card->function[0]));
	if (pf)
		print_token(pf);
}

static void say_nodes(const struct export *e)
{
	const struct card *c;

	for_each_card(e, c) {
		int node = numa_node(e, c->function[0]);

		if (node >= 0)
			say(&complaints, LEVEL_DONE, "%s is on NUMA node %u", c->function[0]->name, (unsigned)node);
	}
}

/* What the words do not say, since it depends on the firmware of the guest and on its other words. */
static void say_more(const struct export *e)
{
	const struct device *d, *pf, *said = NULL;

	say_nodes(e);
	for_each_exported(e, d) {
		pf = token_owner(e, d);
		if (pf && pf != said)
			say(&complaints, LEVEL_DONE,
			    "%s and its VFs share a VF token, which QEMU knows from 8.1 on: whoever opens one of them has "
			    "to give this one",
			    pf->name);
		if (pf)
			said = pf;
		if (is_boot_vga(d))
			say(&complaints, LEVEL_DONE,
			    "%s is the boot display: if the guest stays dark, add romfile=FILE to it, and with SeaBIOS "
			    "-vga none and x-vga=on (see vfio-boot(8))",
			    d->name);
	}
}

/* Each card needs a root port of its own, which has no slot but 0. */
void print_qemu(const struct export *e)
{
	const struct card *c;
	struct text id;

	if (e->iommufd)
		printf("-object iommufd,id=vfio-iommu-%s ", address_name(&id, e->card->function[0]));
	for_each_card(e, c) {
		if (c != e->card)
			putchar(' ');
		print_port(c->function[0]);
		for (unsigned i = 0; i < c->functions; i++)
			print_function(e, c, i);
	}
	putchar('\n');
	say_more(e);
}
