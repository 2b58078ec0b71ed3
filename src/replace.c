// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"
#include "text.h"

int read_text(int root, const char *path, char **text, size_t *len)
{
	FILE *file, *memory;
	int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), c, error;

	*text = NULL;
	*len = 0;
	if (fd < 0 && errno != ENOENT)
		return -errno;
	memory = open_memstream(text, len);
	if (!memory)
		abort();
	file = fd < 0 ? NULL : fdopen(fd, "r");
	errno = 0;
	while (file && (c = getc(file)) != EOF)
		putc(c, memory);
	error = file && ferror(file) ? errno : 0;
	if (file)
		fclose(file);
	if (fclose(memory))
		abort();
	if (error) {
		free(*text);
		*text = NULL;
	}
	return -error;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno != EINTR)
			return -errno;
		text += put > 0 ? put : 0;
		len -= put > 0 ? (size_t)put : 0;
	}
	return fsync(fd) ? -errno : 0;
}

/* Makes the folders of a path that are missing, for all to read whatever the umask is; 0 or -errno. */
static int make_folders(int root, const char *path)
{
	struct text folder;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		if (!mkdirat(root, text_set(&folder, "%.*s", (int)(slash - path), path), 0755))
			(void)!fchmodat(root, folder.p, 0755, 0);
		else if (errno != EEXIST)
			return -errno;
	}
	return 0;
}

int replace_file(int root, const char *path, const char *text, size_t len)
{
	struct stat old = { .st_mode = 0644 };
	bool was_there = !fstatat(root, path, &old, AT_SYMLINK_NOFOLLOW);
	struct text folder, beside;
	int dir, fd, ret = make_folders(root, path);

	if (ret)
		return ret;
	text_set(&folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	dir = openat(root, folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	/* A name that no reader of *.conf takes. */
	text_set(&beside, "%s.new", path);
	unlinkat(root, beside.p, 0);
	fd = openat(root, beside.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : write_all(fd, text, len);
	if (!ret && was_there && fchown(fd, old.st_uid, old.st_gid))
		ret = -errno;
	if (!ret && fchmod(fd, old.st_mode & 0777))
		ret = -errno;
	if (fd >= 0 && close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(root, beside.p, root, path))
		ret = -errno;
	if (ret && fd >= 0)
		unlinkat(root, beside.p, 0);
	/* The name as well; that it may not last through a loss of power is no reason to say that it failed. */
	if (!ret)
		(void)!fsync(dir);
	close(dir);
	return ret;
}
