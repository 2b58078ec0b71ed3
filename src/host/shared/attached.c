// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attached.h"
#include "format.h"
#include "pci_names.h"
#include "scan.h"
#include "sysfs.h"

/* A class of sysfs that is walked. */
struct walk {
	struct attachments *a;
	struct machine *m;
	int root;
	const char *directory;
};

static const char *attribute(const struct walk *w, struct text *t, const char *name, const char *attribute)
{
	read_attribute(t, w->root, text_set(t, "%s/%s/%s", w->directory, name, attribute));
	while (t->len && t->p[t->len - 1] == ' ')
		t->p[--t->len] = '\0';
	return t->p;
}

static char *copy(const char *s)
{
	char *text = s && *s ? strdup(s) : NULL;

	if (s && *s && !text)
		abort();
	if (text)
		make_printable(text);
	return text;
}

static void note_nearest(void *data, struct device *d)
{
	*(const struct device **)data = d;
}

/* Adds a thing to the function that is nearest to it on its path in sysfs. Returns NULL if there is none. */
static struct attached *add(const struct walk *w, const char *entry, const char *name, enum attached_kind kind)
{
	const struct device *d = NULL;
	struct attached *i;
	struct text link;

	read_link(&link, w->root, text_set(&link, "%s/%s", w->directory, entry));
	each_function_of_link(w->m, link.p, note_nearest, &d);
	if (!d)
		return NULL;
	w->a->item = reallocarray(w->a->item, w->a->count + 1, sizeof(*i));
	if (!w->a->item)
		abort();
	i = &w->a->item[w->a->count++];
	*i = (struct attached){ .device = d, .kind = kind, .name = copy(name) };
	return i;
}

/* Joins two names of a vendor and a model. Vendors like to repeat themselves. */
static char *joined(const char *vendor, const char *model)
{
	struct text t;

	if (!*vendor || !strncmp(model, vendor, strlen(vendor)))
		return copy(model);
	return copy(*model ? text_set(&t, "%s %s", vendor, model) : vendor);
}

/* A partition is a directory inside that of its disk (disk_type and part_type in block/). */
static bool is_partition(const struct walk *w, const char *name)
{
	struct text link, disk;
	const char *end;

	read_link(&link, w->root, text_set(&link, "%s/%s", w->directory, name));
	end = strrchr(link.p, '/');
	if (!end)
		return false;
	link.p[end - link.p] = '\0';
	return read_link(&disk, w->root, text_set(&disk, "%s/%s", w->directory, base_name(link.p))) > 0;
}

static int add_disk(void *data, const char *name)
{
	const struct walk *w = data;
	struct attached *i;
	struct text disk, vendor, model;

	if (is_partition(w, name))
		return 0;
	/* With native NVMe multipath, the disk itself is below no function, but its hidden paths are. */
	if (!hidden_path_disk(&disk, name))
		text_set(&disk, "%s", name);
	i = add(w, name, disk.p, ATTACHED_DISK);
	if (!i)
		return 0;
	/* libata has this for a vendor. */
	if (!strcmp(attribute(w, &vendor, disk.p, "device/vendor"), "ATA"))
		vendor.p[0] = '\0';
	/* A virtio disk has no model, and a number for a vendor. */
	if (*attribute(w, &model, disk.p, "device/model"))
		i->model = joined(vendor.p, model.p);
	/* In units of 512 bytes, whatever the disk has. */
	i->size = strtoull(attribute(w, &model, disk.p, "size"), NULL, 10) * 512;
	return 0;
}

static int add_interface(void *data, const char *name)
{
	const struct walk *w = data;
	struct attached *i = add(w, name, name, ATTACHED_NETWORK);
	struct text t;

	if (!i)
		return 0;
	/* IFF_UP is bit 0. The carrier of an interface that is down cannot be read (EINVAL). */
	if (*attribute(w, &t, name, "flags") && !(hex_digit(t.p[t.len - 1]) & 1))
		i->link = "down";
	else if (*attribute(w, &t, name, "carrier"))
		i->link = *t.p == '1' ? "link" : "no link";
	return 0;
}

/* Root hubs are called usbN, interfaces of a device have a colon. A hub is no use by itself. */
static int add_usb(void *data, const char *name)
{
	const struct walk *w = data;
	struct text vendor, product;
	struct attached *i;

	if (!strncmp(name, "usb", 3) || strchr(name, ':') || !strcmp(attribute(w, &vendor, name, "bDeviceClass"), "09"))
		return 0;
	i = add(w, name, name, ATTACHED_USB);
	if (!i)
		return 0;
	attribute(w, &vendor, name, "manufacturer");
	attribute(w, &product, name, "product");
	i->model = joined(vendor.p, product.p);
	if (i->model)
		return 0;
	attribute(w, &vendor, name, "idVendor");
	attribute(w, &product, name, "idProduct");
	i->model = copy(vendor.len ? text_set(&(struct text){ 0 }, "%s:%s", vendor.p, product.p) : NULL);
	return 0;
}

static int add_sound(void *data, const char *name)
{
	const struct walk *w = data;
	struct attached *i;
	struct text t;

	if (strncmp(name, "card", 4) != 0)
		return 0;
	i = add(w, name, name, ATTACHED_SOUND);
	if (i)
		i->model = copy(attribute(w, &t, name, "id"));
	return 0;
}

/*
 * Returns the name in an EDID, or NULL. The first block has four descriptors of 18 bytes from byte 54 on. The one of
 * type FC is the name of the monitor, which a line feed ends (VESA E-EDID, 3.10.3).
 */
static char *edid_name(const struct walk *w, const char *connector)
{
	unsigned char edid[128];
	char name[14] = "";
	struct text t;
	int fd = openat(w->root, text_set(&t, "%s/%s/edid", w->directory, connector), O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, edid, sizeof(edid));

	if (fd >= 0)
		close(fd);
	if (got != sizeof(edid))
		return NULL;
	for (const unsigned char *p = edid + 54; p <= edid + 108; p += 18) {
		if (!p[0] && !p[1] && !p[2] && p[3] == 0xfc)
			memcpy(name, p + 5, 13);
	}
	name[strcspn(name, "\n")] = '\0';
	return copy(name);
}

static int add_monitor(void *data, const char *name)
{
	const struct walk *w = data;
	struct attached *i;
	struct text t;

	if (strcmp(attribute(w, &t, name, "status"), "connected") != 0)
		return 0;
	i = add(w, name, name, ATTACHED_MONITOR);
	if (i)
		i->model = edid_name(w, name);
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct attached *left = a, *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return name_precedes(left->name, right->name) ? -1 : name_precedes(right->name, left->name);
}

void attachments_find(struct attachments *a, struct machine *m, int root)
{
	static const struct {
		const char *directory;
		int (*each)(void *data, const char *name);
	} classes[] = {
		{ "sys/class/block", add_disk },    { "sys/class/net", add_interface },
		{ "sys/bus/usb/devices", add_usb }, { "sys/class/drm", add_monitor },
		{ "sys/class/sound", add_sound },
	};
	struct walk w = { .a = a, .m = m, .root = root };

	*a = (struct attachments){ 0 };
	for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
		w.directory = classes[i].directory;
		/* A kernel without sound has no such directory. */
		(void)!list_directory(root, w.directory, classes[i].each, &w);
	}
	if (a->count)
		qsort(a->item, a->count, sizeof(*a->item), in_order);
}

void attachments_free(struct attachments *a)
{
	struct attached *i;

	for_each_attached(a, i) {
		free(i->name);
		free(i->model);
	}
	free(a->item);
	*a = (struct attachments){ 0 };
}

const char *attached_kind_name(enum attached_kind kind)
{
	static const char *const names[] = { "disk", "network", "usb", "monitor", "sound" };

	return names[kind];
}

/* Prints a size as the makers of disks do, by powers of 1000. */
static void print_size(FILE *to, unsigned long long bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	unsigned unit = 0;
	double size = (double)bytes / 1000;

	while (size >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1000;
		unit++;
	}
	fprintf(to, size < 9.95 ? ", %.1f %s" : ", %.0f %s", size, units[unit]);
}

void attached_print(FILE *to, const struct attached *i)
{
	static const char *const words[] = { "disk", "network", "USB", "monitor", "sound card" };
	bool by_name = i->kind == ATTACHED_DISK || i->kind == ATTACHED_NETWORK;
	/* card1-DP-1 is the connector DP-1. */
	const char *dash = i->kind == ATTACHED_MONITOR ? strchr(i->name, '-') : NULL, *name = dash ? dash + 1 : i->name;

	fprintf(to, "%s %s", words[i->kind], by_name || !i->model ? name : i->model);
	if (by_name && i->model)
		fprintf(to, ": %s", i->model);
	if (i->kind == ATTACHED_MONITOR && i->model)
		fprintf(to, " on %s", name);
	if (i->link)
		fprintf(to, " (%s)", i->link);
	if (i->size)
		print_size(to, i->size);
}
