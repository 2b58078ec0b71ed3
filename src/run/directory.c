// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <unistd.h>

#include "directory.h"
#include "format.h"
#include "sysfs.h"

void mark(int root, const char *path, bool on)
{
	if (on)
		close(openat(root, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
	else
		unlinkat(root, path, 0);
}

struct removal {
	int root;
	const char *directory;
};

static int remove_file(void *data, const char *name)
{
	const struct removal *r = data;
	struct text path;

	unlinkat(r->root, text_set(&path, "%s/%s", r->directory, name), 0);
	return 0;
}

void directory_remove(int root, const char *path)
{
	struct removal r = { root, path };

	/* Of a directory this fails. */
	unlinkat(root, path, 0);
	list_directory(root, path, remove_file, &r);
	unlinkat(root, path, AT_REMOVEDIR);
}
