// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dropins.h"
#include "sysfs.h"

struct file {
	char *name;
	const char *directory;
};

struct files {
	bool (*accepts)(const char *name); /* tells which names count */
	const char *directory;		   /* the one that is being listed */
	struct file *file;
	unsigned n;
};

static int note_file(void *data, const char *name)
{
	struct files *f = data;

	if (!f->accepts(name))
		return 0;
	for (unsigned n = 0; n < f->n; n++) {
		if (!strcmp(f->file[n].name, name))
			return 0;
	}
	f->file = reallocarray(f->file, f->n + 1, sizeof(*f->file));
	if (!f->file)
		abort();
	f->file[f->n].name = strdup(name);
	if (!f->file[f->n].name)
		abort();
	f->file[f->n++].directory = f->directory;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

void directories_each(int root, const char *const *directory, bool (*accepts)(const char *name),
		      void (*each)(void *data, const char *path),
		      void (*failed)(void *data, const char *directory, int error), void *data)
{
	struct files f = { .accepts = accepts };
	char *path;

	for (; *directory; directory++) {
		int ret;

		f.directory = *directory;
		ret = list_directory(root, f.directory + 1, note_file, &f);
		if (ret < 0 && ret != -ENOENT)
			failed(data, f.directory, -ret);
	}
	if (f.n)
		qsort(f.file, f.n, sizeof(*f.file), by_name);
	for (unsigned n = 0; n < f.n; n++) {
		if (asprintf(&path, "%s/%s", f.file[n].directory, f.file[n].name) < 0)
			abort();
		each(data, path);
		free(path);
		free(f.file[n].name);
	}
	free(f.file);
}
