// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "unpack.h"

/* The limit for nested directories. Each level keeps a directory open, and a process may have 1,024 open files. */
#define DEPTH 500

#define NO_TOOL 127

static int real_root = -1; /* descriptor of the real root, which stays open after a chroot() */

static volatile sig_atomic_t caught_signal; /* the number of the signal, or 0 */

static const int stop_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

struct walk {
	void (*each)(void *data, int fd, const char *path, const struct stat *st);
	void *data;
	struct text path;
};

void unpack_begin(void)
{
	real_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void note_signal(int number)
{
	caught_signal = number;
}

/* Does not catch ignored signals (nohup). */
static void catch_signals(struct sigaction old[ARRAY_SIZE(stop_signals)])
{
	struct sigaction ours = { .sa_handler = note_signal };

	sigemptyset(&ours.sa_mask);
	for (unsigned i = 0; i < ARRAY_SIZE(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(stop_signals[i], &ours, NULL);
	}
}

static void restore_signals(const struct sigaction old[ARRAY_SIZE(stop_signals)])
{
	for (unsigned i = 0; i < ARRAY_SIZE(stop_signals); i++)
		sigaction(stop_signals[i], &old[i], NULL);
	if (caught_signal)
		raise(caught_signal);
}

/* Creates a directory that nobody else may enter. Stores its path, from the real root, in t. */
static bool make_directory(struct text *t)
{
	const char *wish = getenv("TMPDIR");
	const char *const bases[] = { wish && *wish == '/' ? wish : "/var/tmp", "/var/tmp", "/tmp" };

	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		uint32_t random;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return false;
		text_set(t, "%s/vfio-boot-%08x", bases[i], random);
		/* mkdirat() fails if the name exists in any form. */
		if (!mkdirat(real_root, t->p + 1, 0700))
			return true;
	}
	return false;
}

/* Opens a directory inside another one. Does not follow a symbolic link. */
static DIR *open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void remove_all(int parent, const char *name, unsigned depth)
{
	DIR *d = depth < DEPTH ? open_directory(parent, name) : NULL;
	const struct dirent *e;

	/* An image may have directories that their owner may not write to. */
	if (d)
		fchmod(dirfd(d), 0700);
	while (d && (e = readdir(d))) {
		if (!is_dots(e->d_name) && unlinkat(dirfd(d), e->d_name, 0))
			remove_all(dirfd(d), e->d_name, depth + 1);
	}
	if (d)
		closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static void walk_file(struct walk *w, int parent, const char *name, const struct stat *st)
{
	int fd = S_ISREG(st->st_mode) ? openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

	w->each(w->data, fd, w->path.p, st);
	if (fd >= 0)
		close(fd);
}

/* unmkinitramfs gives the archives of an image directories of their own: early, early2, main. */
static bool is_archive_directory(const char *name, const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (!strncmp(name, "early", 5) || !strncmp(name, "main", 4));
}

static void add_component(struct text *path, const char *name)
{
	text_add(path, "%s%s", path->len ? "/" : "", name);
}

static void walk_directory(struct walk *w, int parent, const char *name, unsigned depth)
{
	DIR *d = depth < DEPTH ? open_directory(parent, name) : NULL;
	unsigned before = w->path.len;
	const struct dirent *e;
	struct stat st;

	while (d && !caught_signal && (e = readdir(d))) {
		if (is_dots(e->d_name) || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (depth || !is_archive_directory(e->d_name, &st))
			add_component(&w->path, e->d_name);
		if (S_ISDIR(st.st_mode))
			walk_directory(w, dirfd(d), e->d_name, depth + 1);
		else
			walk_file(w, dirfd(d), e->d_name, &st);
		w->path.len = before;
		w->path.p[before] = '\0';
	}
	if (d)
		closedir(d);
}

/* In the child: leaves --sysroot, whose tools do not count, and runs a tool that can unpack the image. */
__attribute__((noreturn)) static void run_tool(const char *image, const char *directory)
{
	int null = openat(real_root, "dev/null", O_RDWR), here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct text content;
	char *absolute;

	setpgid(0, 0);
	if (fchdir(real_root) || (chroot(".") && errno != EPERM) || fchdir(here))
		_exit(1);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	/* The temporary files of the tool are removed with the rest. */
	setenv("TMPDIR", directory, 1);
	setenv("LC_ALL", "C", 1);
	text_set(&content, "%s/content", directory);
	execlp("unmkinitramfs", "unmkinitramfs", image, content.p, (char *)NULL);
	/* lsinitrd unpacks into the working directory. */
	absolute = realpath(image, NULL);
	if (!chdir(content.p))
		execlp("lsinitrd", "lsinitrd", "--unpack", absolute ? absolute : image, (char *)NULL);
	_exit(errno == ENOENT ? NO_TOOL : 1);
}

static bool wait_for(pid_t child, int *status)
{
	const struct timespec moment = { 0, 20000000 };
	struct timespec now, begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (;;) {
		pid_t ended = waitpid(child, status, WNOHANG);

		if (ended == child)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (ended < 0 || caught_signal || now.tv_sec - begin.tv_sec >= UNPACK_SECONDS)
			break;
		nanosleep(&moment, NULL);
	}
	/* Kill the whole pipeline. The process group may not exist yet. */
	kill(child, SIGKILL);
	kill(-child, SIGKILL);
	waitpid(child, status, 0);
	/*
	 * A process that is still alive could write into the directory while it is removed. Do not wait for one that
	 * hangs.
	 */
	for (unsigned i = 0; i < 50 && !kill(-child, 0); i++)
		nanosleep(&moment, NULL);
	return false;
}

/* If the tool failed with less free space than this, the cause is lack of space. */
#define ROOM (1 << 20)

static bool is_full(int directory)
{
	struct statvfs v;

	return !fstatvfs(directory, &v) && (v.f_bavail * v.f_frsize < ROOM || (v.f_files && !v.f_favail));
}

static enum image_look unpack_into(const struct text *directory, const char *image, struct walk *w)
{
	enum image_look look = LOOK_DONE;
	struct text content;
	int status = 0, fd;
	pid_t child;

	fd = openat(real_root, directory->p + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return LOOK_NO_ROOM;
	text_set(&content, "content");
	child = mkdirat(fd, content.p, 0700) ? -1 : fork();
	if (!child)
		run_tool(image, directory->p);
	if (child < 0) {
		close(fd);
		return LOOK_NO_ROOM;
	}
	/* Parent and child both do this, because either may run first. */
	setpgid(child, child);
	if (!wait_for(child, &status)) {
		close(fd);
		return LOOK_TIME;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_TOOL)
		look = LOOK_NO_TOOL;
	else if (status && is_full(fd))
		look = LOOK_NO_ROOM;
	else
		/* Without the right to create device nodes cpio reports an error, but unpacks everything else. */
		walk_directory(w, fd, content.p, 0);
	close(fd);
	return look;
}

enum image_look unpack(const char *path, void (*each)(void *data, int fd, const char *path, const struct stat *st),
		       void *data)
{
	struct walk w = { .each = each, .data = data };
	struct sigaction old[ARRAY_SIZE(stop_signals)];
	enum image_look look = LOOK_NO_ROOM;
	struct text directory;

	catch_signals(old);
	if (make_directory(&directory)) {
		look = unpack_into(&directory, path, &w);
		remove_all(real_root, directory.p + 1, 0);
	}
	restore_signals(old);
	return look;
}
