// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "links.h"
#include "machine.h"
#include "report.h"
#include "scan.h"
#include "sysfs.h"

static const char *const directories[] = { "run/vfio-boot/by-path", "run/vfio-boot/by-id" };
static const char *const new_directory = "run/vfio-boot/by.new", *const old_directory = "run/vfio-boot/by.old";

struct links {
	int root;
	bool by_id;
};

/* Appends the path of a function: the components of its link to /sys/devices that are functions of its domain. */
static void add_steady_path(struct text *t, const char *link, pciaddr address)
{
	bool first = true;

	while (link) {
		unsigned len = (unsigned)strcspn(link, "/");
		pciaddr at = pciaddr_from_name(link, len);

		if (at != PCIADDR_NONE && PCIADDR_DOMAIN(at) == PCIADDR_DOMAIN(address)) {
			/* Behind the first one only DD.F of DDDD:BB:DD.F. */
			text_add(t, first ? "%.*s" : "-%.*s", first ? (int)len : 4, first ? link : link + len - 4);
			first = false;
		}
		link = link[len] ? link + len + 1 : NULL;
	}
}

/* The inverse of where a VF is: see add_functions() in virtual.c. */
static unsigned number_of_vf(int root, const char *name, const char *pf)
{
	pciaddr distance =
		pciaddr_from_name(name, (unsigned)strlen(name)) - pciaddr_from_name(pf, (unsigned)strlen(pf));
	struct text path;
	unsigned offset = read_decimal(root, device_path(&path, pf, "sriov_offset"));
	unsigned stride = read_decimal(root, device_path(&path, pf, "sriov_stride"));

	return (unsigned)(distance - offset) / (stride ? stride : 1);
}

/* Stores the name of the links of a function. Returns false if it is not there. */
static bool set_name(struct text *t, const struct links *l, const char *name)
{
	struct device d = { 0 };
	struct text link, path, physfn;
	const char *pf;

	text_set(&path, "sys/bus/pci/devices/%s", name);
	if (read_link(&link, l->root, path.p) <= 0)
		return false;
	t->len = 0;
	/* VFs of one number may be on several buses below one bridge, so that their PF and number name them. */
	pf = read_link(&physfn, l->root, device_path(&physfn, name, "physfn")) > 0 ? base_name(physfn.p) : NULL;
	if (pf && read_link(&link, l->root, text_set(&path, "sys/bus/pci/devices/%s", pf)) <= 0)
		return false;
	if (l->by_id) {
		memcpy(d.name, name, strlen(name) + 1);
		if (scan_ids(l->root, &d))
			return false;
		text_set(t, "%04x:%04x@", d.found.ids.vendor, d.found.ids.device);
	}
	add_steady_path(t, link.p, pciaddr_from_name(name, (unsigned)strlen(name)));
	if (pf)
		text_add(t, "-vf%u", number_of_vf(l->root, name, pf));
	return true;
}

static void link_function(void *data, const char *name)
{
	const struct links *l = data;
	struct text t, target, steady, path;

	if (strlen(name) >= PCIADDR_TEXT || read_link(&t, l->root, device_path(&t, name, "driver")) <= 0 ||
	    !is_vfio_driver(base_name(t.p)) || !set_name(&steady, l, name))
		return;
	text_set(&target, "/sys/bus/pci/devices/%s", name);
	(void)!symlinkat(target.p, l->root, text_set(&path, "%s/%s", new_directory, steady.p));
	if (read_link(&t, l->root, device_path(&t, name, "iommu_group")) <= 0)
		return;
	text_set(&target, "/dev/vfio/%s", base_name(t.p));
	(void)!symlinkat(target.p, l->root, text_set(&path, "%s/%s.group", new_directory, steady.p));
}

struct removal {
	int root;
	const char *directory;
};

static int remove_entry(void *data, const char *name)
{
	const struct removal *r = data;
	struct text path;

	unlinkat(r->root, text_set(&path, "%s/%s", r->directory, name), 0);
	return 0;
}

static void remove_directory(int root, const char *directory)
{
	struct removal r = { root, directory };

	/* What a link leads to is none of ours. */
	unlinkat(root, directory, 0);
	list_directory(root, directory, remove_entry, &r);
	unlinkat(root, directory, AT_REMOVEDIR);
}

void links_make(int root)
{
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++) {
		struct links l = { root, i };

		/* One that was killed may have left these. */
		remove_directory(root, new_directory);
		remove_directory(root, old_directory);
		if (mkdirat(root, new_directory, 0755))
			return;
		report_each_claimed(root, link_function, &l);
		renameat(root, directories[i], root, old_directory);
		renameat(root, new_directory, root, directories[i]);
		remove_directory(root, old_directory);
	}
}
