// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "machine.h"

void machine_init(struct machine *m, struct settings *settings, enum phase phase)
{
	memset(m, 0, offsetof(struct machine, device));
	m->end = m->device;
	m->group_end = m->group;
	m->settings = settings;
	m->phase = (uint8_t)phase;
	m->vfio_pci = machine_name(m, "vfio-pci");
}

struct device *machine_from(struct machine *m, pciaddr address)
{
	struct device *low = m->device, *high = m->end;

	while (low < high) {
		struct device *middle = low + (high - low) / 2;

		if (middle->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct device *machine_find(struct machine *m, pciaddr address)
{
	struct device *d = machine_from(m, address);

	return d < m->end && d->address == address ? d : NULL;
}

struct device *machine_find_name(struct machine *m, const char *name, size_t len)
{
	return machine_find(m, pciaddr_from_name(name, (unsigned)len));
}

/* Puts each device where `order` says: the one that is moved makes room for the next. */
static void put_in_order(struct device *device, uint16_t *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct device first = device[i];
		unsigned to = i, from;

		for (; (from = order[to]) != i; to = from) {
			device[to] = device[from];
			order[to] = (uint16_t)to;
		}
		device[to] = first;
		order[to] = (uint16_t)to;
	}
}

/* sysfs lists a directory in the order of a hash (kernfs_name_hash()). A shell sort will do: qsort() may allocate. */
void machine_sort(struct machine *m)
{
	const unsigned n = (unsigned)(m->end - m->device);
	const struct device *device = m->device;
	uint16_t order[DEVICES_MAX];

	for (unsigned i = 0; i < n; i++)
		order[i] = (uint16_t)i;
	for (unsigned gap = 1093; gap; gap /= 3) {
		for (unsigned from = gap, at; from < n; from++) {
			const uint16_t i = order[from];

			for (at = from; at >= gap && device[order[at - gap]].address > device[i].address; at -= gap)
				order[at] = order[at - gap];
			order[at] = i;
		}
	}
	put_in_order(m->device, order, n);
}

const char *machine_name(struct machine *m, const char *name)
{
	uint32_t used = m->names_used, len = (uint32_t)strlen(name) + 1;
	char *at = m->names, *end = m->names + used;

	for (; at < end; at += strlen(at) + 1) {
		if (!strcmp(at, name))
			return at;
	}
	/* A child that was left behind may store a name at the same time. */
	do {
		if (len > sizeof(m->names) - used)
			return "?";
	} while (!__atomic_compare_exchange_n(&m->names_used, &used, used + len, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return memcpy(m->names + used, name, len);
}

const char *machine_step(struct machine *m)
{
	struct text step = m->step;

	/* A child may be writing to it. */
	step.p[TEXT_SIZE - 1] = '\0';
	return *step.p ? machine_name(m, step.p) : NULL;
}

bool name_precedes(const char *a, const char *b)
{
	size_t len = strlen(a), other = strlen(b);

	return len != other ? len < other : strcmp(a, b) < 0;
}

void machine_join(struct group *g, struct device *d)
{
	struct device **link = &g->first;

	while (*link && *link < d)
		link = &(*link)->next;
	d->group = g;
	d->next = *link;
	*link = d;
}

bool is_bridge(const struct device *d)
{
	unsigned class = d->found.class >> 8;

	return is_host_bridge(d) || class == 0x0604 || class == 0x0607 || class == 0x0609;
}

struct device *parent_that_is_no_bridge(const struct device *d)
{
	struct device *above = d->parent;

	while (above && is_bridge(above))
		above = above->parent;
	return above;
}

bool has_bridge_override(const struct device *d)
{
	return is_bridge(d) && d->found.override && !strcmp(d->found.override, "none");
}

bool is_exempt(const struct device *d)
{
	return is_bridge(d) || parent_that_is_no_bridge(d);
}

bool has_group(const struct device *d)
{
	return d->group && !(d->group->flags & GROUP_NOIOMMU);
}
