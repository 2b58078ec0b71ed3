// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export. */
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "format.h"
#include "guarded_path.h"
#include "pci_names.h"
#include "sysfs.h"

#define for_each_exported(e, d)                \
	for_each_device(&(e)->ctx->machine, d) \
		if ((e)->chosen[(d) - (e)->ctx->machine.device])

/*
 * Prints a device for a comment. ASCII alone makes the encoding of the file irrelevant. Control characters and repeated
 * dashes become question marks; two dashes would end a comment in XML. The path is what stays right if bus numbers
 * shift.
 */
static void print_name(const struct export *e, const struct device *d)
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

static void print_comments(const struct export *e)
{
	const struct device *d;

	for_each_exported(e, d)
	{
		printf("# ");
		print_name(e, d);
		putchar('\n');
	}
}

/*
 * A guest probes a card at function 0 only. The first function therefore becomes 0, and the others keep their numbers.
 */
static unsigned guest_function(const struct card *c, unsigned i)
{
	return i ? PCIADDR_DEVFN(c->function[i]->address) & 7 : 0;
}

/*
 * Each card needs a root port of its own, which has no slot but 0. QEMU's `host` accepts domains up to ffff
 * (set_pci_host_devaddr()); the path of the device works for all domains.
 */
static void print_qemu(const struct export *e)
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

/* The first bus for cards in the guest. libvirt does not assign these buses by itself in a small guest. */
#define LIBVIRT_BUS 0x10

static void print_libvirt(const struct export *e)
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

static void print_proxmox(const struct export *e)
{
	print_comments(e);
	for (unsigned n = 0; n < e->cards; n++) {
		const struct card *c = &e->card[n];

		printf("hostpci%u: ", n);
		/*
		 * An address without a function means the whole slot. For a list Proxmox numbers the functions from 0
		 * on.
		 */
		if (c->whole) {
			printf("%.*s", (int)strlen(c->function[0]->name) - 2, c->function[0]->name);
		} else {
			for (unsigned i = 0; i < c->functions; i++)
				printf("%s%s", i ? ";" : "", c->function[i]->name);
		}
		printf(",pcie=1\n");
	}
}

/* Returns true if d is the first exported device with its ID. */
static bool is_first_of_id(const struct export *e, const struct device *d)
{
	const struct device *other;

	for_each_exported(e, other)
	{
		if (has_same_id(other, d))
			return other == d;
	}
	return false;
}

/*
 * Warns about devices that are not exported: discoverPermittedHostPCIDevices() selects by ID and takes all that are
 * bound to vfio-pci.
 */
static void print_others_of_id(const struct export *e, const struct device *d)
{
	const struct machine *m = &e->ctx->machine;
	const struct device *other;

	for_each_device(m, other) {
		if (!e->chosen[other - m->device] && has_same_id(other, d))
			printf("      # %s has this ID too: KubeVirt takes it as well%s\n", other->name,
			       other->found.driver == m->vfio_pci ? "" : " once it is bound to vfio-pci");
	}
}

static void print_kubevirt(const struct export *e)
{
	const struct device *d;

	print_comments(e);
	printf("# KubeVirt has to have its feature gate HostDevices on.\n"
	       "apiVersion: kubevirt.io/v1\n"
	       "kind: KubeVirt\n"
	       "metadata:\n"
	       "  name: kubevirt\n"
	       "  namespace: kubevirt\n"
	       "spec:\n"
	       "  configuration:\n"
	       "    permittedHostDevices:\n"
	       "      pciHostDevices:\n");
	for_each_exported(e, d)
	{
		if (!is_first_of_id(e, d))
			continue;
		print_others_of_id(e, d);
		printf("      - pciVendorSelector: \"%04X:%04X\"\n"
		       "        resourceName: \"vfio-boot/%04x_%04x\"\n",
		       d->found.ids.vendor, d->found.ids.device, d->found.ids.vendor, d->found.ids.device);
	}
}

/* Returns the type that libvirt, and therefore Nova, gives a device. */
static const char *nova_type(const struct export *e, const struct device *d)
{
	int root = e->ctx->root.fd;
	struct text t;

	if (*physical_function(root, &t, d))
		return "type-VF";
	/* Only a physical function has that file (sriov_pf_attrs_are_visible()). */
	return faccessat(root, device_path(&t, d->name, "sriov_totalvfs"), F_OK, 0) ? "type-PCI" : "type-PF";
}

static void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static struct json_object *nova_ids(const struct device *d)
{
	struct json_object *o = json_object_new_object();
	struct text t;

	add_string(o, "vendor_id", text_set(&t, "%04x", d->found.ids.vendor));
	add_string(o, "product_id", text_set(&t, "%04x", d->found.ids.device));
	return o;
}

static void print_option(const char *name, struct json_object *o)
{
	printf("%s = %s\n", name, json_object_to_json_string_ext(o, JSON_C_TO_STRING_SPACED));
	json_object_put(o);
}

static void print_alias(const struct export *e, const struct device *d)
{
	const char *type = nova_type(e, d);
	struct json_object *o;
	bool other_type = false;
	const struct device *before;
	struct text t;

	for_each_exported(e, before)
	{
		if (before == d)
			break;
		if (!has_same_id(before, d))
			continue;
		if (!strcmp(nova_type(e, before), type))
			return;
		other_type = true;
	}
	o = nova_ids(d);
	add_string(o, "device_type", type);
	/* An alias has one type. The second type of an ID needs a name of its own. */
	text_set(&t, "%04x_%04x", d->found.ids.vendor, d->found.ids.device);
	if (other_type)
		text_add(&t, "_%s", type + strlen("type-"));
	add_string(o, "name", t.p);
	print_option("alias", o);
}

static void print_nova(const struct export *e)
{
	const struct device *d;

	print_comments(e);
	printf("[pci]\n");
	for_each_exported(e, d)
	{
		struct json_object *o = nova_ids(d);

		add_string(o, "address", d->name);
		print_option("device_spec", o);
	}
	printf("# The controllers need these lines too.\n");
	for_each_exported(e, d) print_alias(e, d);
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
