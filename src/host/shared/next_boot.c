// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "firmware.h"
#include "next_boot.h"
#include "plan.h"
#include "scan.h"
#include "select.h"
#include "settings.h"

/* Returns the copy of a name in the snapshot of the next boot, or NULL for NULL. */
static const char *name_in(struct machine *m, const char *name)
{
	return name ? machine_name(m, name) : NULL;
}

/*
 * Returns true if there may be virtual functions. A physical function tells how many it has (sriov_numvfs), which is
 * the strongest use of all. One whose lock somebody holds was not asked.
 */
static bool may_have_virtual(const struct machine *now)
{
	const struct device *d;

	for_each_device(now, d) {
		if (d->found.use == USE_VFS || d->done.worker.pid)
			return true;
	}
	return false;
}

/* Takes the functions, with what is known of each by itself. */
static void take_functions(struct machine *m, const struct machine *now, int root)
{
	const bool any_virtual = may_have_virtual(now);
	const struct device *was;
	struct text t;

	for_each_device(now, was) {
		struct device *d = m->end;

		memset(d, 0, sizeof(*d));
		memcpy(d->name, was->name, sizeof(d->name));
		d->address = was->address;
		d->found.ids = was->found.ids;
		d->found.class = was->found.class;
		d->found.identified = true;
		if (any_virtual && *physical_function(root, &t, d)) {
			mark_virtual(m, d);
			continue;
		}
		d->found.target = m->vfio_pci;
		d->found.driver = name_in(m, was->found.driver);
		d->found.boot_display = was->found.boot_display;
		d->found.parent_of_pci = was->found.parent_of_pci;
		d->found.detailed = true;
		m->end++;
	}
}

/* Takes the functions above each function, and the groups. The functions do not move any more. */
static void take_places(struct machine *m, const struct machine *now)
{
	const struct device *was;
	const struct group *g;

	for_each_device(now, was) {
		struct device *d = machine_find(m, was->address);

		if (d && was->parent && !d->found.later)
			d->parent = machine_find(m, was->parent->address);
	}
	for_each_group(now, g) {
		struct group *to = m->group_end;

		*to = (struct group){ .number = g->number, .flags = g->flags };
		for_each_member(g, was) {
			struct device *d = machine_find(m, was->address);

			if (d && !d->found.later)
				machine_join(to, d);
		}
		if (!to->first)
			continue;
		to->non_pci_member = name_in(m, g->non_pci_member);
		m->group_end++;
	}
}

bool request_read_next(struct context *next, const struct context *now)
{
	struct machine *m = &next->machine;
	struct scan scan = { .m = m, .root = next->root.fd, .release = next->argument[ARGUMENT_RELEASE] };
	bool failed;

	scan.pci = openat(scan.root, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scan.pci < 0)
		return request_read(next, PHASE_NEXT_BOOT);
	next->phase = PHASE_NEXT_BOOT;
	next->read_all = true;
	(void)!decide_settings(next);
	/* From here on as the pipeline does, except that what is taken counts as read. */
	m->kernel = firmware_kernel(scan.root, scan.release);
	take_functions(m, &now->machine, scan.root);
	find_paths(m, scan.pci);
	scan_places(&scan);
	select_devices(m);
	take_places(m, &now->machine);
	failed = scan_details(&scan);
	scan_end(&scan);
	if (failed)
		return request_read(next, PHASE_NEXT_BOOT);
	select_twins(m);
	plan_decide(m);
	return true;
}
