// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "denylist.h"
#include "format.h"
#include "scan.h"
#include "scan_internal.h"
#include "select.h"
#include "settings.h"
#include "sysfs.h"
#include "variant.h"

/*
 * Parses a modalias, such as pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00. modalias_show() prints it from
 * memory: it takes no lock and does not wake the device.
 */
static bool parse_modalias(struct device *d, const char *p)
{
	/* where the digits of each field begin */
	static const uint8_t at[] = { 5, 14, 24, 34, 44, 48, 51 };
	uint32_t value[ARRAY_SIZE(at)];

	if (strlen(p) < 53 || strncmp(p, "pci:v", 5))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		unsigned digits = i < 4 ? 8 : 2;

		if (!hex_number(p + at[i], p + at[i] + digits, digits, digits, &value[i]))
			return false;
	}
	d->found.ids =
		(struct function_ids){ (uint16_t)value[0], (uint16_t)value[1], (uint16_t)value[2], (uint16_t)value[3] };
	d->found.class = value[4] << 16 | value[5] << 8 | value[6];
	return true;
}

/* Reads the IDs from the modalias at this path. Returns 0 or -errno. */
static int read_ids(struct device *d, int dir, const char *modalias)
{
	struct text t;

	errno = EINVAL;
	if (read_attribute(&t, dir, modalias) <= 0)
		return -errno;
	d->found.identified = parse_modalias(d, t.p);
	return d->found.identified ? 0 : -EINVAL;
}

int scan_ids(int root, struct device *d)
{
	struct text path;

	return d->found.identified ? 0 : read_ids(d, root, device_path(&path, d->name, "modalias"));
}

bool identify(struct scan *s, struct device *d)
{
	struct text t;
	int ret = d->found.identified ? 0 : read_ids(d, s->pci, text_set(&t, "%s/modalias", d->name));

	if (ret && ret != -ENOENT && ret != -ENODEV)
		s->error = ret;
	return !ret;
}

void mark_virtual(struct machine *m, const struct device *vf)
{
	struct selector *sel;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (selector_match(sel, vf) == SELECTOR_YES)
			sel->flags |= SELECTOR_VIRTUAL;
	}
}

static int add_function(void *data, const char *name)
{
	struct scan *s = data;
	struct machine *m = s->m;
	struct device *d = m->end;
	struct text t;
	pciaddr address = pciaddr_from_name(name, (unsigned)strlen(name));

	if (address == PCIADDR_NONE)
		return 0;
	if (d == m->device + DEVICES_MAX)
		return -E2BIG;
	memset(d, 0, sizeof(*d));
	memcpy(d->name, name, strlen(name) + 1);
	d->address = address;
	d->found.target = m->vfio_pci;
	/* Virtual functions do not exist at the next boot until something writes to sriov_numvfs. */
	if (m->phase != PHASE_NEXT_BOOT || link_of(s, &t, d, "physfn") <= 0) {
		m->end++;
		return 0;
	}
	if (!identify(s, d))
		return s->error;
	mark_virtual(m, d);
	return 0;
}

struct hop {
	struct machine *m;
	struct device *at;    /* the bridge */
	struct device *found; /* the function below it that is meant, or NULL */
	struct device *first; /* the first function below it, or NULL */
	uint8_t devfn;
};

static int match_hop(void *data, const char *name)
{
	struct hop *h = data;
	struct device *d = machine_find_name(h->m, name, strlen(name));

	if (d && (!h->first || d < h->first))
		h->first = d;
	/* Virtual functions may be on further buses below the same bridge. A hop means the first bus. */
	if (d && PCIADDR_DEVFN(d->address) == h->devfn &&
	    PCIADDR_DOMAIN(d->address) == PCIADDR_DOMAIN(h->at->address) && (!h->found || d < h->found))
		h->found = d;
	return 0;
}

/* Puts a VF in the place of its PF: one that is there, or one that will be made. */
static void find_virtual_function(struct machine *m, int pci, struct selector *sel)
{
	struct device *pf = machine_find(m, sel->target), *d;
	struct text t;

	sel->target = PCIADDR_NONE;
	if (pf && read_link(&t, pci, text_set(&t, "%s/virtfn%u", pf->name, sel->vf - 1U)) > 0)
		sel->target = pciaddr_from_name(base_name(t.p), (unsigned)strlen(base_name(t.p)));
	for_each_device(m, d) {
		if (pf && d->found.later && d->found.pf == pf->address && d->found.vf == sel->vf - 1U)
			sel->target = d->address;
	}
}

/* The functions on the bus of a bridge are directories inside that of the bridge. */
void find_path(struct machine *m, int pci, struct selector *sel)
{
	struct hop h = { .m = m, .at = machine_find(m, sel->address) };

	sel->behind = PCIADDR_NONE;
	for (unsigned i = 0; i < sel->hops && h.at; i++) {
		h.devfn = sel->hop[i];
		h.found = h.first = NULL;
		list_directory(pci, h.at->name, match_hop, &h);
		if (h.first)
			sel->behind = h.first->address;
		h.at = h.found;
	}
	sel->target = h.at ? h.at->address : PCIADDR_NONE;
	if (sel->vf)
		find_virtual_function(m, pci, sel);
}

/* Stops at the first group that isolates. */
static int note_group(void *data, const char *name)
{
	struct scan *s = data;
	struct text t;

	read_attribute(&t, s->root, text_set(&t, "sys/kernel/iommu_groups/%s/name", name));
	s->m->any_group = strcmp(t.p, "vfio-noiommu") != 0;
	return s->m->any_group;
}

/*
 * Reads the IDs of the devices from `d` to `end`. Leaves out those that went away meanwhile: if its group still lists
 * one of them, the group is refused. Nothing may point to a device yet.
 */
static void identify_all(struct scan *s, struct device *d, struct device *end)
{
	struct machine *m = s->m;

	while (d < end) {
		if (identify(s, d)) {
			d++;
			continue;
		}
		m->end--;
		end--;
		memmove(d, d + 1, (size_t)(m->end - d) * sizeof(*d));
	}
}

void find_paths(struct machine *m, int pci)
{
	struct selector *sel;

	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel)
			find_path(m, pci, sel);
	}
}

/* Reads the IDs that select_devices() needs. What no selector is about is not even opened. */
static void read_identities(struct scan *s)
{
	struct machine *m = s->m;
	bool all = m->read_all || m->phase == PHASE_NEXT_BOOT;
	const struct device *const before = m->end;
	struct selector *sel;
	struct device *d, *end;

	for (enum list_name i = 0; i < LISTS && !all; i++) {
		for_each_selector(&m->settings->list[i], sel) {
			if (selector_has_place(sel)) {
				d = candidates(m, sel, &end);
				identify_all(s, d, end);
			}
			all |= selector_needs_ids(m, sel, i);
		}
	}
	if (all)
		identify_all(s, m->device, m->end);
	/* No path leads through what went away. */
	if (m->end != before)
		find_paths(m, s->pci);
}

static bool asks_for_display(const struct machine *m)
{
	const struct selector *sel;

	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel) {
			if (sel->kind == SELECT_BOOT_VGA)
				return true;
		}
	}
	return false;
}

int scan_devices(struct scan *s, struct machine *m, const struct root *root, const char *release)
{
	int ret;

	*s = (struct scan){ .m = m, .root = root->fd, .release = release };
	m->kernel = firmware_kernel(root->fd, release);
	s->pci = openat(root->fd, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->pci < 0)
		return -errno;
	ret = list_entries(s->pci, add_function, s);
	if (ret)
		return ret;
	machine_sort(m);
	find_paths(m, s->pci);
	read_identities(s);
	return s->error;
}

void scan_places(struct scan *s)
{
	struct machine *m = s->m;
	struct device *d;

	if (!list_is_empty(&m->settings->list[LIST_VFS])) {
		read_virtual(s);
		/* A path may lead to one of the functions that were added. */
		find_paths(m, s->pci);
	}
	s->displays_read = asks_for_display(m);
	for_each_device(m, d) {
		/*
		 * Intel VMD is no bridge, but has PCI functions below it. They are in domains from 10000 up
		 * (vmd_find_free_domain()).
		 */
		if (PCIADDR_DOMAIN(d->address) >= 0x10000)
			read_parents(s, d);
		if (s->displays_read)
			read_display(s, d);
	}
}

/* Finds the virtual functions in each slot with functions of several groups. Warnings about cards leave them out. */
static void find_virtual(struct scan *s)
{
	struct device *d, *next;
	struct text t;

	for (d = s->m->device; d < s->m->end; d = next) {
		bool is_split = false;

		for (next = d; next < s->m->end && PCIADDR_SLOT(next->address) == PCIADDR_SLOT(d->address); next++)
			is_split |= next->group != d->group;
		/* The host may keep one that nobody selected. */
		for (; is_split && d < next; d++)
			d->found.virtual = !identify(s, d) || link_of(s, &t, d, "physfn") > 0;
	}
}

int scan_details(struct scan *s)
{
	struct machine *m = s->m;
	struct device *d;

	for_each_device(m, d) {
		if (m->read_all || d->asked.selected || d->asked.guard_failed || d->asked.vfs || d->done.due)
			read_details(s, d);
		m->any_group |= has_group(d);
	}
	/* What is said of a device without a group depends on whether others have one. */
	if (!m->any_group)
		list_directory(s->root, "sys/kernel/iommu_groups", note_group, s);
	if (!m->any_group)
		m->firmware = firmware_iommu(s->root);
	/* A plan for the next boot has none. */
	if (m->phase != PHASE_NEXT_BOOT)
		find_virtual(s);
	if (m->settings->driver == DRIVER_AUTO)
		find_variants(m, s->root, s->release);
	find_denylist(m, s->root);
	if (m->phase == PHASE_NEXT_BOOT)
		find_builtin_drivers(m, s->root, s->release);
	return s->error;
}

void scan_end(struct scan *s)
{
	if (s->pci >= 0)
		close(s->pci);
}
