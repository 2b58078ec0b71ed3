/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysfs: files, links and directories below a directory descriptor. Reads only. */
#ifndef VFIO_BOOT_SYSFS_H
#define VFIO_BOOT_SYSFS_H

#include "text.h"

/*
 * Reads a file from its beginning into buf, at most size - 1 bytes, and adds a NUL. Returns the number of bytes or
 * -errno; -EFBIG if it is larger. flags are added to those of open(). Opens it with O_NONBLOCK, so
 * that a FIFO cannot hold up a boot.
 */
int read_whole(int dir, const char *path, int flags, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));

/*
 * The next two put what they find at path into t: an attribute, read with one read(), which is how sysfs gives it out,
 * without the line feed at its end; or the text of a symbolic link. Return the length, or a negative number and t->p is
 * empty. What does not fit is cut. The path may stand in t itself: the kernel takes a copy first (getname()).
 */
int read_attribute(struct text *t, int dir, const char *path) __attribute__((nonnull));
int read_link(struct text *t, int dir, const char *path) __attribute__((nonnull));

/* Makes t the path of something of a PCI function, or with "" its own, and returns it. */
const char *device_path(struct text *t, const char *name, const char *what) __attribute__((nonnull, returns_nonnull));

/* The last component of a path or link. */
const char *base_name(const char *path) __attribute__((nonnull, returns_nonnull));

/*
 * Calls each() for the entries of a directory whose names do not begin with a dot, in the kernel's order, until it
 * returns other than 0. Returns 0, what each() returned, or -errno.
 */
int list_directory(int dir, const char *path, int (*each)(void *data, const char *name), void *data)
	__attribute__((nonnull(2, 3)));

/* A file that is read line by line. */
struct lines {
	int fd;
	unsigned at;
	unsigned end;
	bool failed;	/* it ended with an error */
	char separator; /* a line feed, unless the caller sets another one */
	char buf[1024];
};

/* Opens it; false if that fails. lines_close() is owed in case of true. */
bool lines_open(struct lines *l, int dir, const char *path) __attribute__((nonnull, warn_unused_result));

/* The next line, without its line feed and terminated, good until the next call; a longer one comes in pieces. */
char *lines_next(struct lines *l) __attribute__((nonnull, warn_unused_result));

void lines_close(struct lines *l) __attribute__((nonnull));

#endif
