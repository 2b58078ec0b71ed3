// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "scan.h"
#include "scan_internal.h"
#include "sysfs.h"

int read_of(const struct scan *s, struct text *t, const struct device *d, const char *attribute)
{
	return read_attribute(t, s->pci, text_set(t, "%s/%s", d->name, attribute));
}

int link_of(const struct scan *s, struct text *t, const struct device *d, const char *name)
{
	return read_link(t, s->pci, text_set(t, "%s/%s", d->name, name));
}

void each_function_of_link(struct machine *m, const char *p, void (*each)(void *data, struct device *d), void *data)
{
	pciaddr address;

	while ((address = pciaddr_next(&p)) != PCIADDR_NONE) {
		struct device *d = machine_find(m, address);

		if (d)
			each(data, d);
	}
}

struct chain {
	struct scan *s;
	struct device *above;
};

static void add_to_chain(void *data, struct device *d)
{
	struct chain *chain = data;
	struct device *above = chain->above;

	if (!identify(chain->s, d))
		return;
	/* A parent has a lower bus number or domain. A tree that violates this could contain a circle. */
	if (above && above < d) {
		d->parent = above;
		if (!is_bridge(above))
			above->found.parent_of_pci = true;
	}
	chain->above = d;
}

/* A bus is below one bridge. */
static bool has_parents_of_last(const struct machine *m, const struct device *d)
{
	const struct device *last = d - 1;

	return d > m->device && last->found.detailed && last->found.identified && !last->found.later &&
	       PCIADDR_BUS(last->address) == PCIADDR_BUS(d->address);
}

void read_parents(struct scan *s, struct device *d)
{
	struct chain chain = { s, NULL };
	struct text t;

	if (has_parents_of_last(s->m, d)) {
		d->parent = d[-1].parent;
		return;
	}
	read_link(&t, s->pci, d->name);
	each_function_of_link(s->m, t.p, add_to_chain, &chain);
}

/* A directory of DRM devices below a PCI function. */
struct cards {
	const struct scan *s;
	struct device *d;
};

static int note_card(void *data, const char *name)
{
	struct cards *cards = data;
	struct text t, attribute;

	text_set(&attribute, "drm/%s/boot_display", name);
	read_of(cards->s, &t, cards->d, attribute.p);
	cards->d->found.boot_display |= *t.p == '1';
	return cards->d->found.boot_display;
}

/* Returns where the screen of the boot is, whether or not a driver has taken it over. */
static const struct framebuffer *boot_screen(struct scan *s)
{
	struct framebuffer *end = s->framebuffer;

	if (!s->screen_read) {
		firmware_framebuffers(s->root, s->framebuffer);
		while (end->at.end)
			end++;
		firmware_screen(s->root, end);
		s->screen_read = true;
	}
	return s->framebuffer;
}

void read_display(struct scan *s, struct device *d)
{
	struct cards cards = { s, d };
	struct text t;

	if (base_class(d) != 0x03)
		return;
	read_of(s, &t, d, "boot_vga");
	d->found.boot_display = *t.p == '1' || (boot_screen(s)->at.end && read_of(s, &t, d, "resource") > 0 &&
						framebuffer_in(s->framebuffer, t.p));
	/* Since Linux 6.18. */
	if (!d->found.boot_display)
		list_directory(s->pci, text_set(&t, "%s/drm", d->name), note_card, &cards);
}

/*
 * The link of a device and the list of its group must agree. If they do not, further members may be missing from the
 * list, so the groups get a member that keeps them from being claimed.
 */
static const char *const unreadable = "something unreadable";

static int add_member(void *data, const char *name)
{
	struct scan *s = data;
	struct device *d = machine_find_name(s->m, name, strlen(name));
	struct text t;

	/* scan_devices() leaves virtual functions out of the snapshot for the next boot. */
	if (!d && s->m->phase == PHASE_NEXT_BOOT && read_link(&t, s->pci, text_set(&t, "%s/physfn", name)) > 0)
		return 0;
	if (d && identify(s, d)) {
		if (!d->group)
			machine_join(s->group, d);
		else if (d->group != s->group)
			s->group->non_pci_member = d->group->non_pci_member = unreadable;
	} else if (!s->group->non_pci_member || name_precedes(name, s->group->non_pci_member)) {
		s->group->non_pci_member = machine_name(s->m, name);
	}
	return 0;
}

/* Returns true for a line START END TYPE of reserved_regions with the type `direct`; `direct-relaxable` is another. */
static bool is_direct(const char *line)
{
	const char *type = strrchr(line, ' ');

	return type && !strcmp(type, " direct");
}

static bool has_direct_region(const struct scan *s, unsigned number)
{
	const char *line;
	bool found = false;
	struct lines l;
	struct text t;

	if (!lines_open(&l, s->root, text_set(&t, "sys/kernel/iommu_groups/%u/reserved_regions", number)))
		return false;
	while (!found && (line = lines_next(&l)))
		found = is_direct(line);
	lines_close(&l);
	return found;
}

/* Appends a group with its members to the snapshot, and returns it. */
static struct group *add_group(struct scan *s, unsigned number)
{
	struct group *g = s->m->group_end++;
	struct text t;

	memset(g, 0, sizeof(*g));
	g->number = number;
	s->group = g;
	list_directory(s->root, text_set(&t, "sys/kernel/iommu_groups/%u/devices", number), add_member, s);
	read_attribute(&t, s->root, text_set(&t, "sys/kernel/iommu_groups/%u/name", number));
	if (!strcmp(t.p, "vfio-noiommu"))
		g->flags |= GROUP_NOIOMMU;
	if (has_direct_region(s, number))
		g->flags |= GROUP_DIRECT;
	return g;
}

/* Reads the group of a device, unless it came with another member. */
static void read_group(struct scan *s, struct device *d)
{
	struct group *g;
	struct text t;
	const char *link;
	unsigned number;

	if (link_of(s, &t, d, "iommu_group") <= 0) {
		if (d->group)
			d->group->non_pci_member = unreadable;
		return;
	}
	link = base_name(t.p);
	number = decimal(&link);
	if (d->group && d->group->number == number)
		return;
	/* If the group was read before, without this device, add_member() finds others that are in it already. */
	g = add_group(s, number);
	if (d->group == g)
		return;
	g->non_pci_member = unreadable;
	if (d->group)
		d->group->non_pci_member = unreadable;
	else
		machine_join(g, d);
}

static int note_child(void *data, const char *name)
{
	struct device *d = data;

	if (pciaddr_from_name(name, (unsigned)strlen(name)) == PCIADDR_NONE)
		return 0;
	d->found.parent_of_pci = true;
	return 1;
}

/*
 * Some root ports have another class (0b20 on PowerPC), but functions below them all the same. Storage, network,
 * display, sound, serial, USB and wireless never have any, and a look at each of them would cost five system calls. VMD
 * is storage and does have functions below it; scan_places() finds it by its domain.
 */
static bool may_have_children(const struct device *d)
{
	const unsigned never = 1 << 0x01 | 1 << 0x02 | 1 << 0x03 | 1 << 0x04 | 1 << 0x07 | 1 << 0x0c | 1 << 0x0d;

	return !is_bridge(d) && (base_class(d) > 0x0d || !(never >> base_class(d) & 1));
}

void scan_override(struct machine *m, int root, struct device *d)
{
	struct text t;

	d->found.override = NULL;
	/* driver_override_show() prints a NULL pointer as (null). */
	if (read_attribute(&t, root, device_path(&t, d->name, "driver_override")) > 0 && strcmp(t.p, "(null)"))
		d->found.override = machine_name(m, t.p);
}

void scan_vfs(int root, struct device *d)
{
	struct text t;

	/* A bridge has no such capability (sriov_init()). */
	d->found.sriov = !is_bridge(d) && read_attribute(&t, root, device_path(&t, d->name, "sriov_numvfs")) > 0;
	if (d->found.sriov && *t.p != '0')
		d->found.use = USE_VFS;
}

/*
 * What a boot finds bound as it should be, and did not begin itself, is left alone whatever its override says. A later
 * look may have to give it back.
 */
static bool needs_override(const struct machine *m, const struct device *d)
{
	return m->read_all || m->phase != PHASE_INIT_TOP || m->settings->driver == DRIVER_AUTO || d->done.progress ||
	       d->found.driver != d->found.target;
}

/*
 * Reads two attributes that take the lock of the device on some kernels. Somebody may hold that lock for long. After a
 * reboot neither has a value.
 */
static void read_locked(const struct scan *s, struct device *d)
{
	if (s->m->phase == PHASE_NEXT_BOOT || d->done.worker.pid)
		return;
	s->m->reading = d;
	if (needs_override(s->m, d))
		scan_override(s->m, s->root, d);
	scan_vfs(s->root, d);
	s->m->reading = NULL;
}

void read_details(struct scan *s, struct device *d)
{
	bool first;
	struct device *above;
	struct text t;

	if (d->found.detailed)
		return;
	d->found.detailed = true;
	/* What is at its address now need not be the same. */
	if (d->found.later || !identify(s, d))
		return;
	read_parents(s, d);
	/* The message about a device behind this one depends on whether this one can be claimed. */
	above = parent_that_is_no_bridge(d);
	if (above)
		read_details(s, above);
	if (link_of(s, &t, d, "driver") > 0)
		d->found.driver = machine_name(s->m, base_name(t.p));
	if (!s->displays_read)
		read_display(s, d);
	if (may_have_children(d))
		list_directory(s->pci, d->name, note_child, d);
	read_locked(s, d);
	/* read_group() may have added the device while it read another member. Then that call reads the others. */
	first = !d->group;
	read_group(s, d);
	if (!first || !d->group)
		return;
	for_each_member(d->group, d)
		read_details(s, d);
}
