// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads which virtual functions the PFs of `vfs` have, or will have at the next boot. */
#include <string.h>

#include "format.h"
#include "scan_internal.h"
#include "select.h"
#include "settings.h"
#include "sysfs.h"

static unsigned number_of(const struct scan *s, const struct device *d, const char *name)
{
	struct text path;

	return read_decimal(s->pci, text_set(&path, "%s/%s", d->name, name));
}

/* Some kernels take the lock of the device for this one. */
static void read_vfs_now(const struct scan *s, struct device *pf)
{
	if (pf->done.worker.pid)
		return;
	s->m->reading = pf;
	pf->found.vfs = (uint16_t)number_of(s, pf, "sriov_numvfs");
	s->m->reading = NULL;
}

/* Marks the VFs that are there as those of the PF. */
static void mark_functions(const struct scan *s, const struct device *pf)
{
	struct text t, name;

	for (uint16_t i = 0; i < pf->found.vfs; i++) {
		struct device *d = NULL;

		if (link_of(s, &t, pf, text_set(&name, "virtfn%u", i)) > 0)
			d = machine_find_name(s->m, base_name(t.p), strlen(base_name(t.p)));
		if (!d)
			continue;
		d->found.virtual = true;
		d->found.pf = pf->address;
		d->found.vf = i;
	}
}

/*
 * Appends the VFs that will be made at the next boot. Where they will be is known before: the first one is behind its
 * PF by an offset of routing IDs, and each further one by a stride (pci_iov_virtfn_bus() and pci_iov_virtfn_devfn()).
 */
static void add_functions(struct scan *s, const struct device *pf, unsigned vfs)
{
	unsigned offset = number_of(s, pf, "sriov_offset"), stride = number_of(s, pf, "sriov_stride");
	struct machine *m = s->m;
	uint32_t id = pf->found.ids.device;
	struct text t;

	read_of(s, &t, pf, "sriov_vf_device");
	hex_number(t.p, t.p + t.len, 1, 4, &id);
	for (unsigned i = 0; i < vfs && m->end < m->device + DEVICES_MAX; i++) {
		pciaddr address = pf->address + offset + (pciaddr)stride * i;
		struct device *d = m->end;

		/* No routing ID is behind the last bus. */
		if (PCIADDR_DOMAIN(address) != PCIADDR_DOMAIN(pf->address))
			return;
		m->end++;
		memset(d, 0, sizeof(*d));
		d->address = address;
		t.len = 0;
		add_bus_index(&t, d->address);
		memcpy(d->name, t.p, t.len + 1);
		d->found.ids = pf->found.ids;
		d->found.ids.device = (uint16_t)id;
		d->found.class = pf->found.class;
		d->found.target = m->vfio_pci;
		d->found.virtual = d->found.later = d->found.identified = true;
		d->found.pf = pf->address;
		d->found.vf = (uint16_t)i;
	}
}

static void read_pf(struct scan *s, struct device *pf, const struct selector *entry)
{
	const struct machine *m = s->m;
	unsigned total = number_of(s, pf, "sriov_totalvfs");
	/* Before the service makes them, what the settings say of VFs is about those that will be there. */
	bool early = m->phase == PHASE_NEXT_BOOT ||
		     ((m->phase == PHASE_INIT_TOP || m->phase == PHASE_SECOND_LOOK) && !m->settle);

	pf->found.vfs_total = (uint16_t)(total > UINT16_MAX ? 0 : total);
	if (m->phase != PHASE_NEXT_BOOT) {
		read_vfs_now(s, pf);
		mark_functions(s, pf);
	}
	if (early && !pf->found.vfs && entry->vfs <= pf->found.vfs_total)
		add_functions(s, pf, entry->vfs);
}

/* No machine has two functions at an address, but a tree may say so. */
static void drop_doubles(struct machine *m)
{
	struct device *kept = m->device;

	for (struct device *d = m->device; d < m->end; d++) {
		if (kept == m->device || kept[-1].address != d->address)
			*kept++ = *d;
		else if (kept[-1].found.later)
			kept[-1] = *d;
	}
	m->end = kept;
}

void read_virtual(struct scan *s)
{
	struct machine *m = s->m;
	struct device *end = m->end;
	struct selector *sel;

	for (struct device *d = m->device; d < end; d++) {
		sel = vfs_entry(m, d);
		if (sel && !is_bridge(d))
			read_pf(s, d, sel);
	}
	if (m->end == end)
		return;
	machine_sort(m);
	drop_doubles(m);
}
