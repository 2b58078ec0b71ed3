/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * need: what the sources behind dependencies.c share. Nobody else includes it.
 *
 * A need is something that the host depends on: "/", "swap", the default route. sources.c, resume.c, crypttab.c,
 * route.c and console.c know the needs. block_name.c resolves the names in them. follow.c has the queue; filesystem.c,
 * storage.c and pools.c follow a need down to PCI functions, and so do route.c and console.c for their own.
 *
 * Nothing here returns an allocation failure: the program aborts then.
 */
#ifndef VFIO_BOOT_NEED_H
#define VFIO_BOOT_NEED_H

#include <libmount.h>

#include "alloc.h"
#include "dependencies.h"

/*
 * A step that is still to follow, by the kind of its name: a block device of the kernel, a file, a block device as a
 * table or an option names it, a ZFS dataset.
 */
enum work_kind { WORK_BLOCK, WORK_FILE, WORK_SOURCE, WORK_ZFS };

struct work {
	enum work_kind kind;
	char *name;
};

struct search {
	struct dependencies *deps; /* the result */
	struct context *ctx;
	int root;
	struct libmnt_table *mounts;
	struct string_set
		mapped; /* device-mapper's names for the devices below what the initramfs mounts or resumes from */
	/* of the current need: */
	const char *what;	    /* its name ("/", "swap"), which the caller owns */
	char *why;		    /* "/ on nvme0n1p2"; NULL until something was followed */
	bool in_initramfs;	    /* the initramfs needs it */
	bool reserve;		    /* reserve its functions, do not protect them */
	unsigned found;		    /* functions found so far, even if an earlier need has them too */
	struct string_set seen;	    /* names that were followed: stacks join again, and a broken one may be a circle */
	struct string_set problems; /* why a function could not be found */
	struct work *work;	    /* the queue */
	unsigned work_count;
	bool zpool_hangs; /* do not ask it again: it may hang once for each pool */
};

/*
 * string_set_add() takes ownership of the string. It frees a string that the set has already, and returns false then.
 */
bool string_set_add(struct string_set *set, char *string) __attribute__((nonnull));
bool string_set_has(const struct string_set *set, const char *string) __attribute__((nonnull));
void string_set_free(struct string_set *set) __attribute__((nonnull));

/* Opens a file below the root for reading. Returns NULL, with errno, on failure. The caller closes the stream. */
FILE *open_stream(const struct search *s, const char *path) __attribute__((nonnull, warn_unused_result));

/*
 * The life of a need: begin, set the reason, follow it, end. need_begin() keeps `what`, which has to last until
 * need_end(), which follows what is still queued.
 */
void need_begin(struct search *s, const char *what, bool in_initramfs) __attribute__((nonnull));
void need_why(struct search *s, char *why) __attribute__((nonnull)); /* takes ownership of why */
void need_end(struct search *s) __attribute__((nonnull));

/*
 * A loop device leads to a file, the file to a filesystem, that to a disk, which may be a loop device again. The
 * sources do not call each other for this. queue_work() queues the next step and copies its name; "" with WORK_ZFS
 * means every pool. follow_queued() follows all steps until none is left.
 */
void queue_work(struct search *s, enum work_kind kind, const char *name) __attribute__((nonnull));
void follow_queued(struct search *s) __attribute__((nonnull));

/*
 * need_problem() records why a function could not be found, so that what a root depends on is unknown. need_note()
 * records what is worth a note but no such problem. Both take ownership of the text.
 */
void need_problem(struct search *s, char *problem) __attribute__((nonnull));
void need_note(struct search *s, char *note) __attribute__((nonnull));

/*
 * need_function() adds a function to the current need, and the physical function of a virtual one. `search` is a struct
 * search. need_functions() adds all functions on a link of sysfs.
 */
void need_function(void *search, struct device *d) __attribute__((nonnull));
void need_functions(struct search *s, const char *link) __attribute__((nonnull));

/* sources.c: finds everything that has a filesystem or is swap space. */
void find_storage(struct search *s) __attribute__((nonnull));

/* Returns true if a comma-separated list, which may be NULL, has this option as NAME or NAME=VALUE. */
bool has_option(const char *options, const char *name) __attribute__((nonnull(2)));

/* Returns true if the options, which may be NULL, have noauto or nofail. */
bool is_optional(const char *options);

/*
 * filesystem.c: follows a filesystem, a swap space or the like. `source` and `type` are spelled as in fstab; type may
 * be "". `device` is its device number, or 0. `options` may be NULL.
 */
void follow_filesystem(struct search *s, const char *source, const char *type, dev_t device, const char *options)
	__attribute__((nonnull(1, 2, 3)));

/*
 * mounted_at() returns the topmost mount at a target, or NULL; the table s->mounts owns it. has_devices() returns false
 * for a pseudo filesystem, which has no device to follow. follow_mount() follows a mount.
 */
struct libmnt_fs *mounted_at(const struct search *s, const char *target) __attribute__((nonnull));
bool has_devices(struct libmnt_fs *fs) __attribute__((nonnull));
void follow_mount(struct search *s, struct libmnt_fs *fs) __attribute__((nonnull));

/* Follows the filesystem that holds a regular file. */
void follow_file(struct search *s, const char *path) __attribute__((nonnull));

/* Returns the kernel's name of the block device that is mounted as /, or NULL. The caller frees it. */
char *block_of_root(const struct search *s) __attribute__((nonnull));

/* resume.c: finds what the kernel resumes from. */
void find_resume(struct search *s) __attribute__((nonnull));

/* crypttab.c: finds the devices, keys and headers of /etc/crypttab. */
void find_crypttab(struct search *s) __attribute__((nonnull));

/* A line of /etc/crypttab. A missing field is an empty string. */
struct crypt {
	char *name;
	char *source;
	char *key;
	char *options;
};

/* Calls each() for every line of /etc/crypttab. *c is valid during the call. */
void each_crypt(struct search *s, void (*each)(struct search *s, const struct crypt *c)) __attribute__((nonnull));

/*
 * block_name.c: return the kernel's name of a block device, as in /sys/class/block, or NULL if there is none. They find
 * it by its number or by its source in fstab (/dev/..., UUID=...). The caller frees the name.
 */
char *block_by_number(const struct search *s, dev_t number) __attribute__((nonnull));
char *block_by_source(const struct search *s, const char *source) __attribute__((nonnull));

/*
 * Returns the name that a user knows a block device by: that of device-mapper, or else the kernel's. The caller frees
 * it.
 */
char *block_title(const struct search *s, const char *name) __attribute__((nonnull, returns_nonnull));

/* storage.c: follows a block device down to its functions. */
void follow_block(struct search *s, const char *name) __attribute__((nonnull));
/* Follows a block device as a table or an option names it. */
void follow_source(struct search *s, const char *source) __attribute__((nonnull));

/*
 * pools.c: follow all members of the btrfs that this block device is a member of, and all members of the pool of a ZFS
 * dataset, or of every pool for "".
 */
void follow_btrfs(struct search *s, const char *name) __attribute__((nonnull));
void follow_zfs(struct search *s, const char *dataset) __attribute__((nonnull));
/* Follows the devices of DEVICE:DEVICE... */
void follow_bcachefs(struct search *s, const char *source) __attribute__((nonnull));

/*
 * route.c: follows the network card that leads to a numeric address. If it is no such address, or no route leads there,
 * follows all cards that have a route.
 */
void follow_server(struct search *s, const char *server) __attribute__((nonnull));
void find_network(struct search *s) __attribute__((nonnull));

/*
 * console.c: finds the keyboard and the display for a passphrase that is typed before there is a root. Call it after
 * find_storage().
 */
void find_console(struct search *s) __attribute__((nonnull));

#endif
