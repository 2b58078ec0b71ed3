// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_write.h"
#include "format.h"
#include "settings.h"
#include "sysfs.h"

int read_text(int root, const char *path, char **text, size_t *len)
{
	char *whole = malloc(SETTINGS_TEXT_MAX + 1);
	int ret;

	if (!whole)
		abort();
	ret = read_whole(root, path, O_NOFOLLOW, whole, SETTINGS_TEXT_MAX + 1);
	if (ret == -ENOENT)
		whole[ret = 0] = '\0';
	if (ret < 0) {
		free(whole);
		whole = NULL;
	}
	*text = whole;
	*len = ret < 0 ? 0 : (size_t)ret;
	return ret < 0 ? ret : 0;
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

/* Makes the directories of a path that are missing, for everybody to look into whatever the umask; 0 or -errno. */
static int make_directories(int root, const char *path)
{
	struct text directory;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		if (mkdirat(root, text_set(&directory, "%.*s", (int)(slash - path), path), 0755)) {
			if (errno != EEXIST)
				return -errno;
		} else if (fchmodat(root, directory.p, 0755, 0)) {
			return -errno;
		}
	}
	return 0;
}

int replace_file(int root, const char *path, const char *text, size_t len, mode_t mode)
{
	struct stat old;
	/* A link, which it takes the place of, has a mode that lets everybody write. */
	bool as_old = !mode && !fstatat(root, path, &old, AT_SYMLINK_NOFOLLOW) && S_ISREG(old.st_mode);
	struct text directory, beside;
	int dir, fd, ret = make_directories(root, path);

	if (ret)
		return ret;
	text_set(&directory, "%.*s", (int)(strrchr(path, '/') - path), path);
	dir = openat(root, directory.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	/* Of two runs one waits: it would rename what the other has half written. */
	(void)!flock(dir, LOCK_EX);
	/* A name that no reader of *.conf takes. */
	text_set(&beside, "%s.new", path);
	unlinkat(root, beside.p, 0);
	fd = openat(root, beside.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : write_all(fd, text, len);
	if (!ret && as_old && fchown(fd, old.st_uid, old.st_gid))
		ret = -errno;
	if (!ret && fchmod(fd, as_old ? old.st_mode & 0777 : mode ? mode : 0644))
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
