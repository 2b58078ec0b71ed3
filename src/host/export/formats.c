// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of the formats of vfio-boot export, and what they share. */
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "format.h"
#include "guarded_path.h"
#include "pci_names.h"
#include "sysfs.h"

/* Control characters and repeated dashes become question marks; two dashes would end a comment in XML. */
static void add_harmless(struct text *t, const char *name)
{
	char before = ' ';

	for (; *name; name++) {
		char c = *name < ' ' || *name > '~' || (*name == '-' && before == '-') ? '?' : *name;

		text_add(t, "%.*s", 1, &c);
		before = c;
	}
}

int numa_node(const struct export *e, const struct device *d)
{
	int root = e->ctx->root.fd;
	struct text t;

	/* The kernel says -1 where the firmware names no node. */
	if (read_attribute(&t, root, device_path(&t, d->name, "numa_node")) <= 0 || *t.p == '-')
		return -1;
	return (int)strtol(t.p, NULL, 10);
}

const char *describe(const struct export *e, struct text *t, const struct device *d)
{
	int node = numa_node(e, d);
	char name[NAME_SIZE];
	struct text path;

	text_set(t, "%s [%04x:%04x] ", d->name, d->found.ids.vendor, d->found.ids.device);
	device_name(name, d);
	add_harmless(t, name);
	/* The path is what stays right if bus numbers shift. */
	text_add(t, " (%s", guarded_path(e->ctx, &path, d));
	if (node >= 0)
		text_add(t, ", NUMA node %u", (unsigned)node);
	text_add(t, ")");
	return t->p;
}

void print_comments(const struct export *e)
{
	const struct device *d;
	struct text t;

	for_each_exported(e, d)
		printf("# %s\n", describe(e, &t, d));
}

const char *address_name(struct text *t, const struct device *d)
{
	text_set(t, "%s", d->name + (PCIADDR_DOMAIN(d->address) ? 0 : strlen("0000:")));
	for (char *p = t->p; *p; p++) {
		if (*p == ':')
			*p = '-';
	}
	return t->p;
}

unsigned guest_function(const struct card *c, unsigned i)
{
	return i ? PCIADDR_DEVFN(c->function[i]->address) & 7 : 0;
}

bool is_boot_vga(const struct device *d)
{
	return d->found.boot_display && d->found.class >> 8 == 0x0300;
}

const struct device *token_owner(const struct export *e, const struct device *d)
{
	int root = e->ctx->root.fd;
	const struct device *pf;
	struct text t;

	if (*physical_function(root, &t, d))
		pf = machine_find_name(&e->ctx->machine, t.p, t.len);
	else
		pf = read_decimal(root, device_path(&t, d->name, "sriov_numvfs")) ? d : NULL;
	return pf && is_vfio_driver(pf->found.driver) ? pf : NULL;
}

/*
 * The root bus of q35 has 28 free slots besides its own devices and the two that QEMU adds unasked. Proxmox has
 * hostpci0 to hostpci15 (PVE::QemuServer::PCI).
 */
const struct format formats[] = {
	{ "qemu", "words for qemu-system-x86_64 -machine q35, on one line", print_qemu,
	  FORMAT_LONG_DOMAINS | FORMAT_IOMMUFD | FORMAT_VF_TOKENS, 28,
	  "what the root bus of a q35 machine has room for" },
	{ "libvirt", "<hostdev> elements for the <devices> of a domain", print_libvirt, FORMAT_IOMMUFD | FORMAT_BUS, 0,
	  NULL },
	{ "proxmox", "hostpciN lines for /etc/pve/qemu-server/VMID.conf", print_proxmox, 0, 16,
	  "the hostpci lines that a machine of Proxmox VE can have" },
	{ "proxmox-mapping", "the same as a resource mapping of a cluster", print_proxmox_mapping, FORMAT_ONE_ID, 16,
	  "the hostpci lines that a machine of Proxmox VE can have" },
	{ "kubevirt", "the KubeVirt custom resource that permits the devices, as YAML", print_kubevirt,
	  FORMAT_LONG_DOMAINS | FORMAT_VFIO_PCI_ONLY, 0, NULL },
	{ "nova", "the [pci] section of nova.conf, of OpenStack", print_nova, 0, 0, NULL },
	{ "incus", "commands that give the devices to an instance of Incus", print_incus, FORMAT_REBINDS, 0, NULL },
	{ "udev", "rules that let a group of users have the devices, without root", print_udev,
	  FORMAT_LONG_DOMAINS | FORMAT_IOMMUFD | FORMAT_VF_TOKENS, 0, NULL },
	{ 0 },
};

void print_formats(FILE *to)
{
	for (const struct format *f = formats; f->name; f++)
		fprintf(to, "  %-15s %s\n", f->name, f->does);
	for (const struct host_format *f = host_formats; f->name; f++)
		fprintf(to, "  %-15s %s\n", f->name, f->does);
}
