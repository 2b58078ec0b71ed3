// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "firmware.h"
#include "format.h"
#include "kernel.h"
#include "sysfs.h"

/* modules.builtin has the path of a module on each line. */
static bool is_built_in(int root, const char *release, const char *name)
{
	const char *line;
	bool found = false;
	struct lines l;
	struct text t;

	if (!lines_open(&l, root, text_set(&t, "lib/modules/%s/modules.builtin", release)))
		return false;
	while (!found && (line = lines_next(&l)))
		found = module_is(line, name);
	lines_close(&l);
	return found;
}

/*
 * modules.dep has "PATH: DEPENDENCIES" on each line. A line may be longer than the buffer of lines_next(). Only its
 * first piece has a colon, so that a dependency is never taken for the module.
 *
 * libkmod reads modules.dep.bin instead, but finds it only by an absolute path. depmod writes both.
 */
static bool is_file(int root, const char *release, const char *name)
{
	bool found = false;
	struct lines l;
	struct text t;
	char *line;

	if (!lines_open(&l, root, text_set(&t, "lib/modules/%s/modules.dep", release)))
		return false;
	while (!found && (line = lines_next(&l))) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		found = module_is(line, name);
	}
	lines_close(&l);
	return found;
}

enum has_module kernel_module(int root, const char *release, const char *name)
{
	if (is_built_in(root, release, name))
		return MODULE_BUILT_IN;
	return is_file(root, release, name) ? MODULE_FILE : MODULE_MISSING;
}
