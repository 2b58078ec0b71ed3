// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "firmware.h"
#include "format.h"
#include "modalias.h"
#include "sysfs.h"
#include "variant.h"

struct drivers {
	struct machine *m;
	const char *name;
};

static int note_driver(void *data, const char *entry)
{
	struct drivers *drivers = data;

	/* The entries are named BUS:DRIVER (module_create_drivers_dir()). */
	if (strncmp(entry, "pci:", 4))
		return 0;
	drivers->name = machine_name(drivers->m, entry + 4);
	return 1;
}

const char *driver_of_module(struct machine *m, int root, const char *module)
{
	struct drivers drivers = { m, machine_name(m, module) };
	struct text t;

	list_directory(root, text_set(&t, "sys/module/%s/drivers", module), note_driver, &drivers);
	return drivers.name;
}

void find_variants(struct machine *m, int root, const char *release)
{
	static const char prefix[] = "alias vfio_pci:";
	const char *alias, *end;
	struct text t, path;
	struct device *d;
	struct lines l;
	uint8_t alias_fields;

	release = kernel_release(&t, root, release);
	m->no_aliases = !lines_open(&l, root, text_set(&path, "lib/modules/%s/modules.alias", release));
	if (m->no_aliases)
		return;
	while ((alias = lines_next(&l))) {
		if (strncmp(alias, prefix, sizeof(prefix) - 1))
			continue;
		for_each_device(m, d) {
			end = d->found.detailed ? alias_fits(alias + sizeof(prefix) - 1, d, &alias_fields) : NULL;
			/* The module follows the alias. The alias of vfio-pci itself has wildcards only and never wins.
			 */
			if (end && *end == ' ' && end[1] && alias_fields > d->found.alias_fields) {
				d->found.alias_fields = alias_fields;
				d->found.target = driver_of_module(m, root, end + 1);
			}
		}
	}
	m->no_aliases = l.failed;
	lines_close(&l);
}
