// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "builtin.h"
#include "firmware.h"
#include "format.h"
#include "modalias.h"
#include "sysfs.h"
#include "variant.h"

/*
 * Returns true if the driver is built into the kernel. A driver that is a module has a link to it
 * (module_add_driver()). A built-in driver has such a link only if sysfs has a directory for its module, for instance
 * because of parameters; then `list`, the path of modules.builtin, decides. If the list cannot be read, a driver with a
 * link counts as a module, as most of them are.
 */
static bool is_built_in(int root, const char *list, const char *driver)
{
	struct text module;
	const char *line;
	bool found = false;
	struct lines l;

	if (read_link(&module, root, text_set(&module, "sys/bus/pci/drivers/%s/module", driver)) <= 0)
		return true;
	if (!lines_open(&l, root, list))
		return false;
	while (!found && (line = lines_next(&l)))
		found = module_is(line, base_name(module.p));
	lines_close(&l);
	return found;
}

/*
 * Stores for each detailed device the driver of the first module with a matching alias. modules.builtin.modinfo
 * consists of words MODULE.KEY=VALUE with a NUL behind each. Returns false if there is no such file.
 */
static bool read_aliases(struct machine *m, int root, const char *path, const char *found[DEVICES_MAX])
{
	static const char key[] = ".alias=pci:";
	struct text module;
	struct device *d;
	const char *word;
	struct lines l;

	if (!lines_open(&l, root, path))
		return false;
	l.separator = '\0';
	while ((word = lines_next(&l))) {
		const char *alias = strstr(word, key), *end;
		uint8_t exact;

		if (!alias)
			continue;
		text_set(&module, "%.*s", (int)(alias - word), word);
		for_each_device(m, d) {
			const char **driver = &found[d - m->device];

			if (*driver || !d->found.detailed)
				continue;
			end = alias_fits(alias + sizeof(key) - 1, d, &exact);
			if (end && !*end)
				*driver = driver_of_module(m, root, module.p);
		}
	}
	lines_close(&l);
	return true;
}

/* What is known about the drivers of all devices. The arrays have the order of machine->device. */
struct drivers {
	struct machine *m;
	const char *by_alias[DEVICES_MAX]; /* the driver that read_aliases() found, or NULL */
	bool decided[DEVICES_MAX];	   /* found.driver is the one for the next boot */
	bool has_aliases;
};

/* Decides for all devices with the same driver as d at once, so that the list of the kernel is read once per driver. */
static void replace_driver(struct drivers *drivers, struct device *d, bool is_builtin)
{
	const char *driver = d->found.driver;

	for (; d < drivers->m->end; d++) {
		const ptrdiff_t i = d - drivers->m->device;
		const char *by_alias = drivers->by_alias[i];

		if (d->found.driver != driver || !d->found.detailed || drivers->decided[i])
			continue;
		drivers->decided[i] = true;
		if (!is_builtin || (drivers->has_aliases && !is_bridge(d) && !by_alias))
			d->found.driver = is_bridge(d) ? NULL : by_alias;
	}
}

void find_builtin_drivers(struct machine *m, int root, const char *release)
{
	struct drivers drivers = { .m = m };
	struct text t, path;
	struct device *d;

	release = kernel_release(&t, root, release);
	drivers.has_aliases = read_aliases(m, root, text_set(&path, "lib/modules/%s/modules.builtin.modinfo", release),
					   drivers.by_alias);
	text_set(&path, "lib/modules/%s/modules.builtin", release);
	for_each_device(m, d) {
		if (d->found.detailed && !drivers.decided[d - m->device])
			replace_driver(&drivers, d, d->found.driver && is_built_in(root, path.p, d->found.driver));
	}
}
