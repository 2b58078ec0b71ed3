// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "builtin.h"
#include "firmware.h"
#include "format.h"
#include "modalias.h"
#include "sysfs.h"
#include "variant.h"

/*
 * Is the driver part of that kernel itself? One that is a module names it (module_add_driver()), one that is built in
 * only where that module is known by other means, such as parameters. Where the kernel's list cannot be read a driver
 * that names a module is taken for one, as most are.
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
 * Notes for each device the driver of the first module that fits. The file has words of MODULE.KEY=VALUE, each with a NUL
 * behind it. False where it is not there.
 */
static bool read_aliases(struct machine *m, int root, const char *path, const char *holder[DEVICES_MAX])
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
			const char **at = &holder[d - m->device];

			if (*at || !d->found.detailed)
				continue;
			end = alias_fits(alias + sizeof(key) - 1, d, &exact);
			if (end && !*end)
				*at = driver_of_module(m, root, module.p);
		}
	}
	lines_close(&l);
	return true;
}

void find_builtin_drivers(struct machine *m, int root, const char *release)
{
	const char *holder[DEVICES_MAX] = { NULL };
	bool judged[DEVICES_MAX] = { false };
	struct text t, path, names;
	struct device *d, *other;
	bool by_alias;

	release = kernel_release(&t, root, release);
	by_alias = read_aliases(m, root, text_set(&path, "lib/modules/%s/modules.builtin.modinfo", release), holder);
	text_set(&names, "lib/modules/%s/modules.builtin", release);
	for_each_device(m, d) {
		const char *driver = d->found.driver;
		bool builtin;

		/* The list is read once for all devices with this driver. */
		if (judged[d - m->device] || !d->found.detailed)
			continue;
		builtin = driver && is_built_in(root, names.p, driver);
		for (other = d; other < m->end; other++) {
			const char *by = holder[other - m->device];

			if (other->found.driver != driver || !other->found.detailed || judged[other - m->device])
				continue;
			judged[other - m->device] = true;
			if (!builtin || (by_alias && !is_bridge(other) && !by))
				other->found.driver = is_bridge(other) ? NULL : by;
		}
	}
}
