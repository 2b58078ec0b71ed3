// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export for KubeVirt and OpenStack. */
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "format.h"
#include "sysfs.h"

/* Returns true if d is the first exported device with its ID. */
static bool is_first_of_id(const struct export *e, const struct device *d)
{
	const struct device *other;

	for_each_exported(e, other) {
		if (has_same_id(other, d))
			return other == d;
	}
	return false;
}

/*
 * Tells the devices of an ID apart, since KubeVirt does not: discoverPermittedHostPCIDevices() selects by ID, takes all
 * that are bound to vfio-pci, exported or not, and gives a guest any of them.
 */
static void print_devices_of_id(const struct export *e, const struct device *d)
{
	const struct machine *m = &e->ctx->machine;
	const struct device *other;

	for_each_device(m, other) {
		if (!has_same_id(other, d))
			continue;
		if (!e->chosen[other - m->device])
			printf("      # %s has this ID too: KubeVirt takes it as well%s\n", other->name,
			       other->found.driver == m->vfio_pci ? "" : " once it is bound to vfio-pci");
		else if (has_group(other))
			printf("      # %s, IOMMU group %u\n", other->name, other->group->number);
	}
}

/* Returns true if an exported device behind d in its group has the same ID. */
static bool is_hidden_in_group(const struct export *e, const struct device *d)
{
	const struct device *other;

	for (other = d->next; other; other = other->next) {
		if (e->chosen[other - e->ctx->machine.device] && has_same_id(other, d))
			return true;
	}
	return false;
}

/*
 * Names the devices of a group if there are several. KubeVirt calls a device by its ID and its group, and knows one for
 * each pair, the last (constructDPIdevices()).
 */
static void print_group(const struct export *e, const struct group *g)
{
	const struct device *d;
	unsigned n = 0;

	for_each_member(g, d)
		n += e->chosen[d - e->ctx->machine.device];
	if (n < 2)
		return;
	printf("# IOMMU group %u:", g->number);
	for_each_member(g, d) {
		if (e->chosen[d - e->ctx->machine.device])
			printf(" %s", d->name);
	}
	printf(" can only go to the same guest: request them together.\n");
	for_each_member(g, d) {
		if (e->chosen[d - e->ctx->machine.device] && is_hidden_in_group(e, d))
			printf("# KubeVirt does not see %s: another device of its group has the same ID.\n", d->name);
	}
}

void print_kubevirt(const struct export *e)
{
	const struct machine *m = &e->ctx->machine;
	const struct group *g;
	const struct device *d;

	print_comments(e);
	for_each_group(m, g)
		print_group(e, g);
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
	for_each_exported(e, d) {
		if (!is_first_of_id(e, d))
			continue;
		print_devices_of_id(e, d);
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

	for_each_exported(e, before) {
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

void print_nova(const struct export *e)
{
	const struct device *d;

	print_comments(e);
	printf("[pci]\n");
	for_each_exported(e, d) {
		struct json_object *o = nova_ids(d);

		add_string(o, "address", d->name);
		print_option("device_spec", o);
	}
	printf("# The controllers need these lines too.\n");
	for_each_exported(e, d)
		print_alias(e, d);
}
