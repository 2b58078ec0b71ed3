// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "format.h"
#include "links.h"
#include "machine.h"
#include "report.h"
#include "scan.h"
#include "sysfs.h"

/* Each directory is made beside the one that is there. */
static const struct {
	const char *name, *made, *old;
} directories[] = {
	{ "run/vfio-boot/by-path", "run/vfio-boot/by-path.new", "run/vfio-boot/by-path.old" },
	{ "run/vfio-boot/by-id", "run/vfio-boot/by-id.new", "run/vfio-boot/by-id.old" },
};

/* Appends the path of a function: the components of its link to /sys/devices that are functions of its domain. */
static void add_steady_path(struct text *t, const char *link, uint32_t domain)
{
	unsigned before = t->len;
	pciaddr at;

	while ((at = pciaddr_next(&link)) != PCIADDR_NONE) {
		if (PCIADDR_DOMAIN(at) != domain)
			continue;
		if (t->len == before)
			add_bus_index(t, at);
		else
			text_add(t, "-%02x.%u", PCIADDR_DEVFN(at) >> 3U, PCIADDR_DEVFN(at) & 7U);
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

/*
 * Stores the path of a function, as the links have it. VFs of one number may be on several buses below one bridge, so
 * that their PF and number name them. Returns false if the function is not there.
 */
static bool set_steady_path(struct text *t, int root, const char *name)
{
	struct text link, path, physfn;
	const char *pf =
		read_link(&physfn, root, device_path(&physfn, name, "physfn")) > 0 ? base_name(physfn.p) : NULL;

	if (read_link(&link, root, text_set(&path, "sys/bus/pci/devices/%s", pf ? pf : name)) <= 0)
		return false;
	t->len = 0;
	add_steady_path(t, link.p, PCIADDR_DOMAIN(pciaddr_from_name(name, (unsigned)strlen(name))));
	if (pf)
		text_add(t, "-vf%u", number_of_vf(root, name, pf));
	return true;
}

static void make_link(int root, const char *directory, const char *name, const char *suffix, const char *target)
{
	struct text path;

	(void)!symlinkat(target, root, text_set(&path, "%s/%s%s", directory, name, suffix));
}

static void link_function(void *data, const char *name)
{
	const int root = *(const int *)data;
	struct device d = { 0 };
	struct text t, device, group = { 0 }, steady[ARRAY_SIZE(directories)];

	if (strlen(name) >= PCIADDR_TEXT || !is_vfio_driver(read_driver(&t, root, name)))
		return;
	memcpy(d.name, name, strlen(name) + 1);
	if (scan_ids(root, &d) || !set_steady_path(&steady[0], root, name))
		return;
	text_set(&steady[1], "%04x:%04x@%s", d.found.ids.vendor, d.found.ids.device, steady[0].p);
	text_set(&device, "/sys/bus/pci/devices/%s", name);
	if (read_link(&t, root, device_path(&t, name, "iommu_group")) > 0)
		text_set(&group, "/dev/vfio/%s", base_name(t.p));
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++) {
		make_link(root, directories[i].made, steady[i].p, "", device.p);
		if (group.len)
			make_link(root, directories[i].made, steady[i].p, ".group", group.p);
	}
}

void links_make(int root)
{
	/* A run that was killed may have left some. */
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++) {
		directory_remove(root, directories[i].made);
		directory_remove(root, directories[i].old);
		mkdirat(root, directories[i].made, 0755);
	}
	report_each_claimed(root, link_function, &root);
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++) {
		renameat(root, directories[i].name, root, directories[i].old);
		renameat(root, directories[i].made, root, directories[i].name);
		directory_remove(root, directories[i].old);
	}
}
