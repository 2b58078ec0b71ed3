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

bool has_text(int root, const char *path, const char *text, size_t len)
{
	char *old;
	size_t old_len;
	bool same;

	if (read_text(root, path, &old, &old_len))
		return false;
	same = old_len == len && !memcmp(old, text, len);
	free(old);
	return same;
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

/* Creates the missing directories of a path with mode 0755, whatever the umask. Returns 0 or -errno. */
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

/*
 * Writes a new file with the owner and mode of `old`, or with `mode` if old is NULL. Returns 0, or -errno after
 * removing the file.
 */
static int write_new(int root, const char *path, const char *text, size_t len, const struct stat *old, mode_t mode)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, len);
	if (!ret && old && fchown(fd, old->st_uid, old->st_gid))
		ret = -errno;
	if (!ret && fchmod(fd, old ? old->st_mode & 0777 : mode))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (ret)
		unlinkat(root, path, 0);
	return ret;
}

int replace_file(int root, const char *path, const char *text, size_t len, mode_t mode)
{
	struct stat old;
	/* A symbolic link is replaced, and its mode would let everybody write. */
	bool as_old = !mode && !fstatat(root, path, &old, AT_SYMLINK_NOFOLLOW) && S_ISREG(old.st_mode);
	struct text directory, temporary;
	int dir, ret = make_directories(root, path);

	if (ret)
		return ret;
	text_set(&directory, "%.*s", (int)(strrchr(path, '/') - path), path);
	dir = openat(root, directory.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	/* Without the lock another run could rename a file that is half written. */
	(void)!flock(dir, LOCK_EX);
	/* Readers of *.conf ignore this name. */
	text_set(&temporary, "%s.new", path);
	unlinkat(root, temporary.p, 0);
	ret = write_new(root, temporary.p, text, len, as_old ? &old : NULL, mode ? mode : 0644);
	if (!ret && renameat(root, temporary.p, root, path)) {
		ret = -errno;
		unlinkat(root, temporary.p, 0);
	}
	/* Flush the new name, too. The file is replaced even if that fails. */
	if (!ret)
		(void)!fsync(dir);
	close(dir);
	return ret;
}
