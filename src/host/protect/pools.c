// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
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

/* zpool hangs if the disks of a pool are gone. */
#define ZPOOL_SECONDS 20

struct members {
	struct search *s;
	const char *name;
	bool found;
};

static int follow_member(void *data, const char *name)
{
	struct members *m = data;

	queue_work(m->s, WORK_BLOCK, name);
	return 0;
}

/* fs/btrfs/UUID/devices has a link to each member of a mounted btrfs (btrfs_sysfs_add_device()). */
static int follow_if_member(void *data, const char *uuid)
{
	struct members *m = data;
	struct text t;

	if (faccessat(m->s->root, text_set(&t, "sys/fs/btrfs/%s/devices/%s", uuid, m->name), F_OK, AT_SYMLINK_NOFOLLOW))
		return 0;
	m->found = true;
	list_directory(m->s->root, text_set(&t, "sys/fs/btrfs/%s/devices", uuid), follow_member, m);
	return 1;
}

void follow_btrfs(struct search *s, const char *name)
{
	struct members m = { s, name, false };

	list_directory(s->root, "sys/fs/btrfs", follow_if_member, &m);
	if (!m.found)
		need_problem(s, alloc_printf("%s: the other members of its btrfs, if any, are unknown", name));
}

void follow_bcachefs(struct search *s, const char *source)
{
	char *list = strdup(source), *rest;

	if (!list)
		abort();
	for (char *one = strtok_r(list, ":", &rest); one; one = strtok_r(NULL, ":", &rest))
		queue_work(s, WORK_SOURCE, one);
	free(list);
}

static const char *find_zpool(const struct search *s)
{
	static const char *const places[] = { "sbin/zpool", "usr/sbin/zpool" };

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (!faccessat(s->root, places[i], X_OK, 0))
			return places[i];
	}
	return NULL;
}

/* Starts zpool and stores its PID. Returns the descriptor to read its output from, or -1. */
static int start_zpool(const struct search *s, const char *zpool, const char *pool, pid_t *child)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	const char *const argv[] = { "zpool", "list", "-v", "-H", "-P", "-L", pool, NULL };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	*child = fork();
	if (!*child) {
		/*
		 * A hanging zpool must not keep our own standard output and error open: somebody may read them to their
		 * end.
		 */
		if (!fchdir(s->root) && dup2(fds[1], STDOUT_FILENO) >= 0 && dup2(fds[1], STDERR_FILENO) >= 0)
			execve(zpool, (char *const *)argv, (char *const *)environment);
		_exit(127);
	}
	close(fds[1]);
	if (*child < 0) {
		close(fds[0]);
		return -1;
	}
	return fds[0];
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Reads to the end of the output. Returns false if that fails or takes more than ZPOOL_SECONDS. */
static bool read_all(int fd, FILE *to)
{
	time_t deadline = now() + ZPOOL_SECONDS;
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

/* Returns the output of zpool, which the caller frees. If *failed is set, it says why. */
static char *ask_zpool(struct search *s, const char *zpool, const char *pool, bool *failed)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	pid_t child;
	int status = -1, fd = start_zpool(s, zpool, pool, &child);
	bool whole = false;

	if (!to)
		abort();
	if (fd >= 0) {
		whole = read_all(fd, to);
		close(fd);
		s->zpool_hangs = !whole;
		/* A process that hangs in the kernel dies later: do not wait for it. */
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
 * The first word of a line is a path (-P, -L), or a kind of member, or the GUID of a member that is missing. A path may
 * belong to a disk that is out of order; no PCI function can be found for it.
 */
static void follow_line(struct search *s, char *line)
{
	char *name;

	line += strspn(line, " \t");
	line[strcspn(line, "\t")] = '\0';
	if (!strncmp(line, "/dev/", 5)) {
		name = block_by_source(s, line);
		if (name)
			queue_work(s, WORK_BLOCK, name);
		else
			need_note(s, alloc_printf("%s: this member of a ZFS pool is missing", line));
		free(name);
	} else if (*line == '/') {
		queue_work(s, WORK_FILE, line);
	}
}

static void follow_lines(struct search *s, char *output)
{
	char *rest;

	for (char *line = strtok_r(output, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		follow_line(s, line);
}

void follow_zfs(struct search *s, const char *dataset)
{
	char *pool = *dataset ? strndup(dataset, strcspn(dataset, "/")) : NULL, *output = NULL;
	const char *zpool = find_zpool(s), *why;
	bool failed = true;

	/* The name of a pool begins with a letter (zpool_name_valid()). This keeps options out. */
	if (!zpool || (pool && !isalpha((unsigned char)*pool))) {
		need_problem(s, alloc_printf("%s: the disks of this ZFS pool are unknown: %s", pool ? pool : "ZFS",
					     zpool ? "no name of a pool" : "there is no zpool"));
		free(pool);
		return;
	}
	if (!s->zpool_hangs)
		output = ask_zpool(s, zpool, pool, &failed);
	why = s->zpool_hangs ? "it hangs" : output;
	if (failed)
		need_problem(s, alloc_printf("%s: the disks of this ZFS pool are unknown: zpool list failed: %.*s",
					     pool ? pool : "ZFS", (int)strcspn(why, "\n"), why));
	else
		follow_lines(s, output);
	free(output);
	free(pool);
}
