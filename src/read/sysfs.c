// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "format.h"
#include "sysfs.h"

/* A path that fills a struct text may have been cut, and would lead to another file than the one that is meant. */
static bool fits(const char *path)
{
	if (strlen(path) < TEXT_SIZE - 1)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

static int open_path(int dir, const char *path, int flags)
{
	return fits(path) ? openat(dir, path, flags) : -1;
}

int read_whole(int dir, const char *path, int flags, char *buf, size_t size)
{
	int fd = open_path(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	size_t len = 0;
	ssize_t got;
	int ret;

	if (fd < 0)
		return -errno;
	do {
		/* pread() fails on a pipe. With read() an empty pipe would look like an empty file. */
		got = pread(fd, buf + len, size - len, (off_t)len);
		if (got > 0)
			len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	ret = got < 0 ? -errno : len == size ? -EFBIG : (int)len;
	if (ret >= 0)
		buf[len] = '\0';
	close(fd);
	return ret;
}

static int terminate(struct text *t, ssize_t got)
{
	t->len = got < 0 ? 0 : (unsigned)got;
	if (t->len && t->p[t->len - 1] == '\n')
		t->len--;
	t->p[t->len] = '\0';
	return got < 0 ? -1 : (int)t->len;
}

int read_attribute(struct text *t, int dir, const char *path)
{
	int fd = open_path(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = -1;

	if (fd >= 0) {
		got = read(fd, t->p, sizeof(t->p) - 1);
		close(fd);
	}
	return terminate(t, got);
}

int read_link(struct text *t, int dir, const char *path)
{
	ssize_t got = fits(path) ? readlinkat(dir, path, t->p, sizeof(t->p) - 1) : -1;

	/* So does a link whose text fills it. */
	if (got == sizeof(t->p) - 1) {
		errno = ENAMETOOLONG;
		got = -1;
	}
	return terminate(t, got);
}

const char *read_driver(struct text *t, int root, const char *name)
{
	return read_link(t, root, device_path(t, name, "driver")) > 0 ? base_name(t->p) : NULL;
}

bool exists(int dir, const char *path)
{
	return !faccessat(dir, path, F_OK, 0);
}

unsigned read_decimal(int dir, const char *path)
{
	struct text t;
	const char *p = t.p;

	read_attribute(&t, dir, path);
	return decimal(&p);
}

const char *device_path(struct text *t, const char *name, const char *attribute)
{
	return text_set(t, "sys/bus/pci/devices/%s/%s", name, attribute);
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int list_entries(int fd, int (*each)(void *data, const char *name), void *data)
{
	/* Room for what a large machine has. */
	char buf[32768] __attribute__((aligned(8)));
	ssize_t got;

	while ((got = read_entries(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct dirent *entry = (const void *)(buf + at);
			int ret = *entry->d_name != '.' ? each(data, entry->d_name) : 0;

			if (ret)
				return ret;
			at += entry->d_reclen;
		}
	}
	return got < 0 ? -errno : 0;
}

int list_directory(int dir, const char *path, int (*each)(void *data, const char *name), void *data)
{
	int fd = open_path(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = list_entries(fd, each, data);
	close(fd);
	return ret;
}

static int stop_at_first(void *data, const char *name)
{
	(void)data;
	(void)name;
	return 1;
}

int has_entries(int dir, const char *path)
{
	return list_directory(dir, path, stop_at_first, NULL);
}

bool lines_open(struct lines *l, int dir, const char *path)
{
	l->at = l->end = 0;
	l->failed = false;
	l->separator = '\n';
	l->fd = open_path(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return l->fd >= 0;
}

char *lines_next(struct lines *l)
{
	for (;;) {
		char *line = l->buf + l->at, *eol = memchr(line, l->separator, l->end - l->at);
		ssize_t got;

		if (eol) {
			*eol = '\0';
			l->at = (unsigned)(eol - l->buf) + 1;
			return line;
		}
		memmove(l->buf, line, l->end - l->at);
		l->end -= l->at;
		l->at = 0;
		got = l->end < sizeof(l->buf) - 1 ? read(l->fd, l->buf + l->end, sizeof(l->buf) - 1 - l->end) : 0;
		if (got > 0) {
			l->end += (unsigned)got;
			continue;
		}
		l->failed = got < 0;
		if (!l->end)
			return NULL;
		l->buf[l->end] = '\0';
		l->end = 0;
		return l->buf;
	}
}

void lines_close(struct lines *l)
{
	close(l->fd);
}
