/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * need: what the parts of dependencies.c share, and nobody else. The host needs a thing ("/", "swap", the default
 * route) for which a way is followed down to PCI functions: sources.c, resume.c and crypttab.c know the things,
 * block_name.c what their names mean, filesystem.c, storage.c, pools.c and route.c the ways, console.c what a
 * passphrase is typed at.
 */
#ifndef VFIO_BOOT_NEED_H
#define VFIO_BOOT_NEED_H

#include <libmount.h>

#include "dependencies.h"

/* Texts, each once, owned. */
struct words {
	char **word;
	unsigned count;
};

/* What is left to be followed: the name of a block device, a file, what a table calls a block device, a ZFS dataset. */
enum way { WAY_BLOCK, WAY_FILE, WAY_SOURCE, WAY_ZFS };

struct later {
	enum way way;
	char *name;
};

struct finder {
	struct dependencies *deps; /* where it all goes */
	struct context *ctx;
	int root;
	struct libmnt_table *mounts;
	struct words mapped; /* what device-mapper calls the devices below what the initramfs mounts or resumes from */
	/* of the thing that is looked at: */
	const char *what;    /* "/", "swap"; owned by the caller */
	char *why;	     /* "/ on nvme0n1p2", or NULL where nothing was followed yet */
	bool early;	     /* the initramfs needs it */
	bool reserve;	     /* rather than protect */
	unsigned found;	     /* functions on the way, those found before included */
	struct words seen;   /* what was followed already: stacks join again, and a broken one may be a circle */
	struct words causes; /* why something was not found */
	struct later *later; /* what is still to be followed */
	unsigned laters;
	bool zpool_hangs; /* it is not asked again, as it may do so for each pool */
};

/* A text made by printf, to be freed. What would give orders to a terminal or end a line becomes a question mark. */
char *written(const char *fmt, ...) __attribute__((format(printf, 1, 2), nonnull(1), returns_nonnull));

/* Takes word, which is freed where it is there already; false then. */
bool words_take(struct words *w, char *word) __attribute__((nonnull));
bool words_have(const struct words *w, const char *word) __attribute__((nonnull));
void words_free(struct words *w) __attribute__((nonnull));

/* Opens a file below the root to be read as a stream; NULL, with errno, where that fails. */
FILE *open_stream(const struct finder *f, const char *path) __attribute__((nonnull, warn_unused_result));

/* Each thing: begin, say why, follow the ways, end. */
void need_begin(struct finder *f, const char *what, bool early) __attribute__((nonnull));
void need_why(struct finder *f, char *why) __attribute__((nonnull)); /* takes it */
void need_end(struct finder *f) __attribute__((nonnull));

/*
 * A loop device leads to a file, that to a filesystem, that to a disk, and that may be a loop device. So nobody on the
 * way calls the others: what comes next is noted here, and follow_all() goes on until nothing is left. The name is
 * copied;
 * "" with WAY_ZFS means every pool.
 */
void need_later(struct finder *f, enum way way, const char *name) __attribute__((nonnull));
void follow_all(struct finder *f) __attribute__((nonnull));

/*
 * Notes why something was not found, so that it is not known what a root lives on; or what is worth a note but is no
 * such reason. Both take it.
 */
void need_cause(struct finder *f, char *cause) __attribute__((nonnull));
void need_note(struct finder *f, char *note) __attribute__((nonnull));

/* One function that the thing needs, and of a virtual one that which it is part of; or all on a link of sysfs. */
void need_function(void *finder, struct device *d) __attribute__((nonnull));
void need_functions(struct finder *f, const char *link) __attribute__((nonnull));

/* sources.c: everything that has a filesystem or is swapped to. */
void find_storage(struct finder *f) __attribute__((nonnull));

/* Is this option, of NAME or NAME=VALUE, in a list with commas, which may be NULL? */
bool has_option(const char *options, const char *name) __attribute__((nonnull(2)));

/* noauto or nofail is among them. */
bool is_not_needed(const char *options);

/*
 * filesystem.c: a filesystem or the like: its source and type, or "", as a table has them; its number, or 0; options,
 * or NULL.
 */
void follow_filesystem(struct finder *f, const char *source, const char *type, dev_t device, const char *options)
	__attribute__((nonnull(1, 2, 3)));

/* The mount that is on top at this place, or NULL; whether there is a way from it; that way. */
struct libmnt_fs *mounted_at(const struct finder *f, const char *target) __attribute__((nonnull));
bool has_devices(struct libmnt_fs *fs) __attribute__((nonnull));
void follow_mount(struct finder *f, struct libmnt_fs *fs) __attribute__((nonnull));

/* A regular file: the filesystem that it is in. */
void follow_file(struct finder *f, const char *path) __attribute__((nonnull));

/* The kernel's name of the block device that is mounted as the root, to be freed, or NULL. */
char *block_of_root(const struct finder *f) __attribute__((nonnull));

/* resume.c: what the kernel resumes from. */
void find_resume(struct finder *f) __attribute__((nonnull));

/* crypttab.c */
void find_crypttab(struct finder *f) __attribute__((nonnull));

/* A line of /etc/crypttab; an empty text where a field is missing. */
struct crypt {
	char *name;
	char *source;
	char *key;
	char *options;
};

/* Calls each() for the lines of /etc/crypttab. */
void each_crypt(struct finder *f, void (*each)(struct finder *f, const struct crypt *c)) __attribute__((nonnull));

/*
 * block_name.c: the kernel's name of a block device, as in /sys/class/block, by its number or by what fstab calls it
 * (/dev/..., UUID=...). To be freed; NULL where there is none.
 */
char *block_by_number(const struct finder *f, dev_t number) __attribute__((nonnull));
char *block_by_source(const struct finder *f, const char *source) __attribute__((nonnull));

/* What a reader knows it by: device-mapper's name for it, or its own. To be freed. */
char *block_title(const struct finder *f, const char *name) __attribute__((nonnull, returns_nonnull));

/* storage.c: the ways from a block device down. */
void follow_block(struct finder *f, const char *name) __attribute__((nonnull));
/* And from what a table or an option calls it. */
void follow_source(struct finder *f, const char *source) __attribute__((nonnull));

/* pools.c: all members of the filesystem that this block device is a member of; of a dataset, or "" for all
 * pools. */
void follow_btrfs(struct finder *f, const char *name) __attribute__((nonnull));
void follow_zfs(struct finder *f, const char *dataset) __attribute__((nonnull));
/* All of DEVICE:DEVICE... */
void follow_bcachefs(struct finder *f, const char *source) __attribute__((nonnull));

/* route.c: the network card that leads to a numeric address; where that is none, or no route leads there, all that
 * have a route. */
void follow_server(struct finder *f, const char *server) __attribute__((nonnull));
void find_network(struct finder *f) __attribute__((nonnull));

/* console.c: where a passphrase has to be typed before there is a root. After find_storage(). */
void find_console(struct finder *f) __attribute__((nonnull));

#endif
