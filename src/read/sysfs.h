/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysfs: reads files, links and directories below a directory descriptor. Writes nothing. */
#ifndef VFIO_BOOT_SYSFS_H
#define VFIO_BOOT_SYSFS_H

#include "text.h"

/* All of these fail with ENAMETOOLONG for a path as long as a struct text, which may have been cut. */

/*
 * Reads a file from its beginning into buf, at most size - 1 bytes, and appends a NUL. `flags` are added to those of
 * open(). Returns the number of bytes, -EFBIG if the file is larger, or another -errno. O_NONBLOCK keeps a FIFO from
 * holding up a boot.
 */
int read_whole(int dir, const char *path, int flags, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));

/*
 * Both store what they find at path in t. read_attribute() reads a file with one read(),
 * as sysfs returns an attribute, and drops the line feed at its end. read_link() reads a symbolic link. An attribute
 * that does not fit is truncated, a link is an error. They return the length, or a negative number and leave t empty.
 * path may point into t, because the kernel copies it first (getname()).
 */
int read_attribute(struct text *t, int dir, const char *path) __attribute__((nonnull));
int read_link(struct text *t, int dir, const char *path) __attribute__((nonnull));

/* Returns true if there is something at path; where a link leads to counts. */
bool exists(int dir, const char *path) __attribute__((nonnull));

/* Returns the decimal number in the file at path, or 0 if there is none. */
unsigned read_decimal(int dir, const char *path) __attribute__((nonnull));

/* Stores in t the path of an attribute of a PCI function, or of its directory if `attribute` is "". Returns t->p. */
const char *device_path(struct text *t, const char *name, const char *attribute)
	__attribute__((nonnull, returns_nonnull));

/*
 * Returns the driver that holds the function of this name at the moment, stored in t, or NULL if none does. `root` is a
 * descriptor of the root directory.
 */
const char *read_driver(struct text *t, int root, const char *name) __attribute__((nonnull));

/* Returns the last component of a path or link, which points into path. */
const char *base_name(const char *path) __attribute__((nonnull, returns_nonnull));

/*
 * Both call each() for every entry of a directory whose name does not begin with a dot, in the kernel's order, until it
 * returns nonzero. They return that value, 0 at the end, or -errno. list_entries() goes on where `fd` is.
 */
int list_entries(int fd, int (*each)(void *data, const char *name), void *data) __attribute__((nonnull(2)));
int list_directory(int dir, const char *path, int (*each)(void *data, const char *name), void *data)
	__attribute__((nonnull(2, 3)));

/* Returns 1 if the directory has an entry whose name does not begin with a dot, 0 if it has none, or -errno. */
int has_entries(int dir, const char *path) __attribute__((nonnull));

/* A file to read line by line. */
struct lines {
	int fd;
	unsigned at;
	unsigned end;
	bool failed;	/* a read failed */
	char separator; /* a line feed, unless the caller sets another one */
	char buf[1024];
};

/* Opens a file. Returns false, with errno, on failure. After success the caller owes a lines_close(). */
bool lines_open(struct lines *l, int dir, const char *path) __attribute__((nonnull, warn_unused_result));

/*
 * Returns the next line, without its line feed and with a NUL, or NULL at the end or after an error (l->failed). The
 * line is valid until the next call. A line longer than the buffer comes in pieces.
 */
char *lines_next(struct lines *l) __attribute__((nonnull, warn_unused_result));

void lines_close(struct lines *l) __attribute__((nonnull));

#endif
