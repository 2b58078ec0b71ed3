// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"
#include "format.h"
#include "kernel.h"

/* Does a file of paths, each up to a colon or the end of its line, have the module? */
static bool is_listed(int root, const char *path, const char *name)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	while (f && !found && getline(&line, &size, f) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		found = module_is(line, name);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

enum has_module kernel_module(int root, const char *release, const char *name)
{
	struct text t;

	if (is_listed(root, text_set(&t, "lib/modules/%s/modules.builtin", release), name))
		return MODULE_BUILT_IN;
	/* depmod writes it beside the index that libkmod reads, and it needs no absolute path. */
	return is_listed(root, text_set(&t, "lib/modules/%s/modules.dep", release), name) ? MODULE_FILE
											  : MODULE_MISSING;
}
