// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dropins.h"
#include "sysfs.h"

struct file {
	char *name;
	const char *folder;
};

struct files {
	bool (*is)(const char *name); /* which names count */
	const char *folder;	      /* that is being listed */
	struct file *file;
	unsigned n;
};

static int note_file(void *ctx, const char *name)
{
	struct files *f = ctx;

	if (!f->is(name))
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
	f->file[f->n++].folder = f->folder;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

void folders_each(int root, const char *const *folder, bool (*is)(const char *name),
		  void (*each)(void *ctx, const char *path), void (*failed)(void *ctx, const char *folder, int error),
		  void *ctx)
{
	struct files f = { .is = is };
	char *path;

	for (; *folder; folder++) {
		int ret;

		f.folder = *folder;
		ret = list_directory(root, f.folder + 1, note_file, &f);
		if (ret < 0 && ret != -ENOENT)
			failed(ctx, f.folder, -ret);
	}
	if (f.n)
		qsort(f.file, f.n, sizeof(*f.file), by_name);
	for (unsigned n = 0; n < f.n; n++) {
		if (asprintf(&path, "%s/%s", f.file[n].folder, f.file[n].name) < 0)
			abort();
		each(ctx, path);
		free(path);
		free(f.file[n].name);
	}
	free(f.file);
}
