// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export for Proxmox VE. */
#include <string.h>

#include "export.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "sysfs.h"

/*
 * At the start of a guest Proxmox binds all of a group but its PCI bridges to vfio-pci (pci_dev_group_bind_to_vfio()).
 * A host bridge with the override that a claim wrote refuses, and a variant driver would be replaced.
 */
static bool has_to_keep_drivers(const struct export *e, const struct card *c)
{
	const struct device *other;

	for (unsigned i = 0; i < c->functions; i++) {
		const struct device *d = c->function[i];

		if (is_vfio_driver(d->found.driver) && d->found.driver != e->ctx->machine.vfio_pci)
			return true;
		if (!d->group)
			continue;
		for_each_member(d->group, other) {
			if (is_host_bridge(other) && has_bridge_override(other))
				return true;
		}
	}
	return false;
}

static const struct device *boot_vga_of(const struct card *c)
{
	for (unsigned i = 0; i < c->functions; i++) {
		if (is_boot_vga(c->function[i]))
			return c->function[i];
	}
	return NULL;
}

/* An address without a function means the whole slot. For a list Proxmox numbers the functions from 0 on. */
static void print_path(const struct card *c)
{
	if (c->whole) {
		printf("%.*s", (int)strlen(c->function[0]->name) - 2, c->function[0]->name);
		return;
	}
	for (unsigned i = 0; i < c->functions; i++)
		printf("%s%s", i ? ";" : "", c->function[i]->name);
}

/* Proxmox leaves x-vga out of QEMU's words by itself where the guest has OVMF. */
static void print_options(bool boot_vga, bool keep)
{
	printf(",pcie=1%s%s\n", boot_vga ? ",x-vga=1" : "", keep ? ",driver=keep" : "");
}

/* Comments in the file of a guest become its notes. So what a person has to know goes to standard error. */
static void say_more(const struct export *e)
{
	const struct card *c;
	bool keep = false;
	struct text t;

	for_each_card(e, c) {
		const struct device *screen = boot_vga_of(c);

		for (unsigned i = 0; i < c->functions; i++)
			say(&complaints, LEVEL_DONE, "hostpci%u: %s", (unsigned)(c - e->card),
			    describe(e, &t, c->function[i]));
		if (screen)
			say(&complaints, LEVEL_DONE,
			    "%s is the boot display: if the guest stays dark, add romfile=FILE (see vfio-boot(8))",
			    screen->name);
		keep |= has_to_keep_drivers(e, c);
	}
	say(&complaints, LEVEL_DONE, "pcie=1 needs a guest with the machine type q35");
	if (keep)
		say(&complaints, LEVEL_DONE,
		    "driver=keep leaves the drivers as they are, which Proxmox VE could not set itself; an older one does "
		    "not know it");
}

void print_proxmox(const struct export *e)
{
	const struct card *c;

	for_each_card(e, c) {
		printf("hostpci%u: ", (unsigned)(c - e->card));
		print_path(c);
		print_options(boot_vga_of(c), has_to_keep_drivers(e, c));
	}
	say_more(e);
}

/*
 * Cards with one ID are one mapping: Proxmox gives a guest one of them that is free. It wants the IDs of the mapping of
 * each function that is listed (assert_valid()), so a part of a card was made one for each ID (FORMAT_ONE_ID).
 */
static bool is_same_mapping(const struct card *a, const struct card *b)
{
	return has_same_id(a->function[0], b->function[0]);
}

static void print_mapping_name(const struct card *c)
{
	printf("vfio_%04x_%04x", c->function[0]->found.ids.vendor, c->function[0]->found.ids.device);
}

/* Proxmox names a node as the kernel names the host, up to the first dot. */
static void print_map(const struct export *e, const struct card *c)
{
	const struct device *d = c->function[0];
	struct text node;

	if (read_attribute(&node, e->ctx->root.fd, "proc/sys/kernel/hostname") <= 0)
		text_set(&node, "NODE");
	printf("id=%04x:%04x,", d->found.ids.vendor, d->found.ids.device);
	if (d->group)
		printf("iommugroup=%u,", d->group->number);
	printf("node=%.*s,path=", (int)strcspn(node.p, "."), node.p);
	print_path(c);
	printf(",subsystem-id=%04x:%04x", d->found.ids.subvendor, d->found.ids.subdevice);
}

/* Prints the cards of a mapping as its `map` entries, with these words before and after each. */
static void print_maps(const struct export *e, const struct card *first, const char *before, const char *after)
{
	const struct card *c;

	for (c = first; c < e->card + e->cards; c++) {
		if (!is_same_mapping(c, first))
			continue;
		printf("%s", before);
		print_map(e, c);
		printf("%s", after);
	}
}

static const struct card *first_of_mapping(const struct export *e, const struct card *c)
{
	const struct card *first = e->card;

	while (!is_same_mapping(first, c))
		first++;
	return first;
}

/* Any card of a mapping may be the one that a guest gets. */
static void print_mapped(const struct export *e, const struct card *c)
{
	const struct card *other;
	bool keep = false, boot_vga = false;

	for_each_card(e, other) {
		if (!is_same_mapping(other, c))
			continue;
		keep |= has_to_keep_drivers(e, other);
		boot_vga |= boot_vga_of(other) != NULL;
	}
	printf("#   hostpci%u: mapping=", (unsigned)(c - e->card));
	print_mapping_name(c);
	print_options(boot_vga, keep);
}

/* Everything but the sections is a comment there, so the whole can be put into the file. */
void print_proxmox_mapping(const struct export *e)
{
	const struct card *c;

	print_comments(e);
	printf("# Sections for /etc/pve/mapping/pci.cfg. A mapping that is there already gets the map lines only.\n");
	for_each_card(e, c) {
		if (first_of_mapping(e, c) != c)
			continue;
		print_mapping_name(c);
		putchar('\n');
		print_maps(e, c, "\tmap ", "\n");
		putchar('\n');
	}
	printf("# Or, instead of editing the file:\n");
	for_each_card(e, c) {
		if (first_of_mapping(e, c) != c)
			continue;
		printf("#   pvesh create /cluster/mapping/pci --id ");
		print_mapping_name(c);
		print_maps(e, c, " --map '", "'");
		putchar('\n');
	}
	printf("# Then, for /etc/pve/qemu-server/VMID.conf, with the machine type q35:\n");
	for_each_card(e, c)
		print_mapped(e, c);
}
