// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of the formats of vfio-boot export, and what they share. */

#include "export.h"
#include "format.h"
#include "guarded_path.h"
#include "pci_names.h"

void print_name(const struct export *e, const struct device *d)
{
	char buf[NAME_SIZE];
	char before = ' ';
	struct text t;

	printf("%s [%04x:%04x] ", d->name, d->found.ids.vendor, d->found.ids.device);
	device_name(buf, d);
	for (const char *p = buf; *p; p++) {
		char c = *p < ' ' || *p > '~' || (*p == '-' && before == '-') ? '?' : *p;

		putchar(c);
		before = c;
	}
	printf(" (%s)", guarded_path(e->ctx, &t, d));
}

void print_comments(const struct export *e)
{
	const struct device *d;

	for_each_exported(e, d)
	{
		printf("# ");
		print_name(e, d);
		putchar('\n');
	}
}

unsigned guest_function(const struct card *c, unsigned i)
{
	return i ? PCIADDR_DEVFN(c->function[i]->address) & 7 : 0;
}

/*
 * The root bus of q35 has 28 free slots besides its own devices and the two that QEMU adds unasked. Proxmox has
 * hostpci0 to hostpci15 (PVE::QemuServer::PCI).
 */
const struct format formats[] = {
	{ "qemu", "words for qemu-system-x86_64 -machine q35, on one line", print_qemu, 28,
	  "what the root bus of a q35 machine has room for", true, false },
	{ "libvirt", "<hostdev> elements for the <devices> of a domain", print_libvirt, 0x100 - LIBVIRT_BUS,
	  "the buses that a domain has from 0x10 on", false, false },
	{ "proxmox", "hostpciN lines for /etc/pve/qemu-server/VMID.conf", print_proxmox, 16,
	  "the hostpci lines that a machine of Proxmox VE can have", false, false },
	{ "kubevirt", "the KubeVirt custom resource that permits the devices, as YAML", print_kubevirt, 0, NULL, true,
	  true },
	{ "nova", "the [pci] section of nova.conf, of OpenStack", print_nova, 0, NULL, false, false },
	{ 0 },
};

void print_formats(FILE *to)
{
	for (const struct format *f = formats; f->name; f++)
		fprintf(to, "  %-10s %s\n", f->name, f->does);
}
