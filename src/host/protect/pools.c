// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "need.h"
#include "sysfs.h"

/* A pool whose disks are gone holds up whoever asks for it. */
#define SECONDS 20

struct members {
	struct finder *f;
	const char *name;
	bool found;
};

static int follow_member(void *data, const char *name)
{
	struct members *m = data;

	need_later(m->f, WAY_BLOCK, name);
	return 0;
}

/* fs/btrfs/UUID/devices has a link for each member of a mounted filesystem (btrfs_sysfs_add_device()). */
static int follow_if_member(void *data, const char *uuid)
{
	struct members *m = data;
	struct text t;

	if (faccessat(m->f->root, text_set(&t, "sys/fs/btrfs/%s/devices/%s", uuid, m->name), F_OK, AT_SYMLINK_NOFOLLOW))
		return 0;
	m->found = true;
	list_directory(m->f->root, text_set(&t, "sys/fs/btrfs/%s/devices", uuid), follow_member, m);
	return 1;
}

void follow_btrfs(struct finder *f, const char *name)
{
	struct members m = { f, name, false };

	list_directory(f->root, "sys/fs/btrfs", follow_if_member, &m);
	if (!m.found)
		need_cause(f, written("%s: the other members of its btrfs, if any, cannot be told", name));
}

void follow_bcachefs(struct finder *f, const char *source)
{
	char *list = strdup(source), *rest;

	if (!list)
		abort();
	for (char *one = strtok_r(list, ":", &rest); one; one = strtok_r(NULL, ":", &rest))
		need_later(f, WAY_SOURCE, one);
	free(list);
}

static const char *find_zpool(const struct finder *f)
{
	static const char *const places[] = { "sbin/zpool", "usr/sbin/zpool" };

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (!faccessat(f->root, places[i], X_OK, 0))
			return places[i];
	}
	return NULL;
}

/* Starts it; returns what its output is read from, or -1. */
static int start_zpool(const struct finder *f, const char *zpool, const char *pool, pid_t *child)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	const char *const words[] = { "zpool", "list", "-v", "-H", "-P", "-L", pool, NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	*child = fork();
	if (!*child) {
		/* One that hangs must not keep open what somebody reads our own words from. */
		if (!fchdir(f->root) && dup2(ends[1], STDOUT_FILENO) >= 0 && dup2(ends[1], STDERR_FILENO) >= 0)
			execve(zpool, (char *const *)words, (char *const *)environment);
		_exit(127);
	}
	close(ends[1]);
	if (*child < 0) {
		close(ends[0]);
		return -1;
	}
	return ends[0];
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Reads all there is until the deadline; false where that is not to the end. */
static bool read_all(int fd, FILE *to)
{
	time_t deadline = now() + SECONDS;
	ssize_t got = 1;
	char buf[4096];

	while (got > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		time_t left = deadline - now();

		if (left <= 0 || poll(&p, 1, (int)left * 1000) <= 0)
			return false;
		got = read(fd, buf, sizeof(buf));
		if (got > 0)
			fwrite(buf, 1, (size_t)got, to);
	}
	return !got;
}

/* What zpool prints, to be freed; where it failed that is why. */
static char *ask_zpool(struct finder *f, const char *zpool, const char *pool, bool *failed)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	pid_t child;
	int status = -1, fd = start_zpool(f, zpool, pool, &child);
	bool whole = false;

	if (!to)
		abort();
	if (fd >= 0) {
		whole = read_all(fd, to);
		close(fd);
		f->zpool_hangs = !whole;
		/* One that hangs in the kernel dies when it can. */
		if (!whole)
			kill(child, SIGKILL);
		waitpid(child, &status, whole ? 0 : WNOHANG);
	}
	if (fclose(to))
		abort();
	*failed = !whole || status;
	return text;
}

/*
 * In each line the first word is a path (-P, -L), or a kind of member, or the number of one that is not there. So may
 * be the path of a disk that is out of order, which no PCI function can be named for.
 */
static void follow_line(struct finder *f, char *line)
{
	char *name;

	line += strspn(line, " \t");
	line[strcspn(line, "\t")] = '\0';
	if (!strncmp(line, "/dev/", 5)) {
		name = block_by_source(f, line);
		if (name)
			need_later(f, WAY_BLOCK, name);
		else
			need_note(f, written("%s: this member of a ZFS pool is not there", line));
		free(name);
	} else if (*line == '/') {
		need_later(f, WAY_FILE, line);
	}
}

void follow_zfs(struct finder *f, const char *dataset)
{
	char *pool = *dataset ? strndup(dataset, strcspn(dataset, "/")) : NULL, *text, *rest;
	const char *zpool = find_zpool(f), *why;
	bool failed = true;

	/* The name of a pool begins with a letter (zpool_name_valid()), an option does not. */
	if (!zpool || (pool && !isalpha((unsigned char)*pool))) {
		need_cause(f, written("%s: the disks of this ZFS pool cannot be told: %s", pool ? pool : "ZFS",
				      zpool ? "no name of a pool" : "there is no zpool"));
		free(pool);
		return;
	}
	text = f->zpool_hangs ? NULL : ask_zpool(f, zpool, pool, &failed);
	why = f->zpool_hangs ? "it hangs" : text;
	if (failed)
		need_cause(f, written("%s: the disks of this ZFS pool cannot be told: zpool list failed: %.*s",
				      pool ? pool : "ZFS", (int)strcspn(why, "\n"), why));
	for (char *line = failed ? NULL : strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		follow_line(f, line);
	free(text);
	free(pool);
}
