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

/* What is known about the drivers of all devices. The arrays have the order of machine->device. */
struct drivers {
	struct machine *m;
	const char *by_alias[DEVICES_MAX]; /* the driver that read_aliases() found, or NULL */
	bool has_aliases[DEVICES_MAX];	   /* read_aliases() found an alias of found.driver, for whatever device */
	bool decided[DEVICES_MAX];	   /* found.driver is the one for the next boot */
};

/* Notes one alias of `driver`. */
static void note_alias(struct drivers *drivers, const char *alias, const char *driver)
{
	const char *end;
	struct device *d;
	uint8_t exact;

	for_each_device(drivers->m, d) {
		const ptrdiff_t i = d - drivers->m->device;

		if (!d->found.detailed)
			continue;
		drivers->has_aliases[i] |= d->found.driver == driver;
		end = drivers->by_alias[i] ? NULL : alias_fits(alias, d, &exact);
		if (end && !*end)
			drivers->by_alias[i] = driver;
	}
}

/*
 * Notes for each detailed device the driver of the first module with a matching alias. modules.builtin.modinfo
 * consists of words MODULE.KEY=VALUE with a NUL behind each, and has the words of a module together. The file as it is
 * on Debian's kernels 6.1 and 6.12 has no PCI alias at all, although drivers of PCI devices are built in.
 */
static void read_aliases(struct drivers *drivers, int root, const char *path)
{
	static const char key[] = ".alias=pci:";
	const char *word, *driver = NULL;
	struct text module = { 0 };
	struct lines l;

	if (!lines_open(&l, root, path))
		return;
	l.separator = '\0';
	while ((word = lines_next(&l))) {
		const char *alias = strstr(word, key);
		const size_t len = alias ? (size_t)(alias - word) : 0;

		if (!len)
			continue;
		if (!driver || strncmp(module.p, word, len) != 0 || module.p[len]) {
			text_set(&module, "%.*s", (int)len, word);
			driver = driver_of_module(drivers->m, root, module.p);
		}
		note_alias(drivers, alias + sizeof(key) - 1, driver);
	}
	lines_close(&l);
}

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
		if (!is_builtin || (drivers->has_aliases[i] && !is_bridge(d) && !by_alias))
			d->found.driver = is_bridge(d) ? NULL : by_alias;
	}
}

void find_builtin_drivers(struct machine *m, int root, const char *release)
{
	struct drivers drivers = { .m = m };
	struct text t, path;
	struct device *d;

	release = kernel_release(&t, root, release);
	read_aliases(&drivers, root, text_set(&path, "lib/modules/%s/modules.builtin.modinfo", release));
	text_set(&path, "lib/modules/%s/modules.builtin", release);
	for_each_device(m, d) {
		if (d->found.detailed && !drivers.decided[d - m->device])
			replace_driver(&drivers, d, d->found.driver && is_built_in(root, path.p, d->found.driver));
	}
}
