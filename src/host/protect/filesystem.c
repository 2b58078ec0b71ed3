// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "need.h"

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(word, *list))
			return true;
	}
	return false;
}

/* The source is HOST:/PATH, [HOST]:/PATH or //HOST/SHARE. The kernel shows the address of the server as addr=. */
static void follow_share(struct search *s, const char *source, const char *options)
{
	char *address = NULL, *host;
	size_t len = 0;

	if (options && !mnt_optstr_get_option(options, "addr", &address, &len) && address)
		host = strndup(address, len);
	else if (*source == '[')
		host = strndup(source + 1, strcspn(source + 1, "]"));
	else
		host = strndup(source + strspn(source, "/"), strcspn(source + strspn(source, "/"), ":/"));
	if (!host)
		abort();
	follow_server(s, host);
	free(host);
}

/* Follows a log or the data on another device: logdev= and rtdev= of XFS (xfs_fs_show_options()), journal_path. */
static void follow_other_devices(struct search *s, const char *options)
{
	static const char *const others[] = { "logdev", "rtdev", "journal_path" };
	char *value;
	size_t len;

	for (unsigned i = 0; options && i < ARRAY_SIZE(others); i++) {
		if (mnt_optstr_get_option(options, others[i], &value, &len) || !value)
			continue;
		value = alloc_printf("%.*s", (int)len, value);
		queue_work(s, WORK_SOURCE, value);
		free(value);
	}
}

void follow_filesystem(struct search *s, const char *source, const char *type, dev_t device, const char *options)
{
	static const char *const shares[] = { "nfs", "nfs4", "cifs", "smb3", NULL };
	/* For a filesystem in a file, the reason names the file or its source already. */
	const bool first = !s->why;
	char *name, *title;

	if (first)
		need_why(s, alloc_printf("%s on %s", s->what, source));
	if (is_one_of(type, shares)) {
		follow_share(s, source, options);
		return;
	}
	if (!strcmp(type, "zfs")) {
		queue_work(s, WORK_ZFS, source);
		return;
	}
	if (!strcmp(type, "bcachefs") && strchr(source, ':')) {
		follow_bcachefs(s, source);
		return;
	}
	/* The number is right even if the name is not (/dev/root). btrfs has no device number of its own. */
	name = device ? block_by_number(s, device) : NULL;
	if (!name)
		name = block_by_source(s, source);
	if (!name) {
		/* The source is a swap file or a filesystem image. */
		if (*source == '/' && strncmp(source, "/dev/", 5) != 0)
			queue_work(s, WORK_FILE, source);
		else
			need_problem(s, alloc_printf("%s: no such block device", source));
		return;
	}
	title = block_title(s, name);
	if (first)
		need_why(s, alloc_printf("%s on %s", s->what, title));
	queue_work(s, WORK_BLOCK, name);
	if (!strcmp(type, "btrfs"))
		follow_btrfs(s, name);
	follow_other_devices(s, options);
	free(title);
	free(name);
}

struct libmnt_fs *mounted_at(const struct search *s, const char *target)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs, *found = NULL;

	if (!i)
		abort();
	while (!found && !mnt_table_next_fs(s->mounts, i, &fs)) {
		const char *at = mnt_fs_get_target(fs);

		if (at && !strcmp(at, target))
			found = fs;
	}
	mnt_free_iter(i);
	return found;
}

/* Returns the mount that holds a file, or NULL. */
static struct libmnt_fs *mount_of(const struct search *s, const char *path)
{
	struct libmnt_fs *fs = mounted_at(s, path);
	char *at = alloc_printf("%s", path);

	for (char *slash; !fs && (slash = strrchr(at, '/'));) {
		*slash = '\0';
		fs = mounted_at(s, slash == at ? "/" : at);
	}
	free(at);
	return fs;
}

static bool is_overlay(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);

	return type && !strcmp(type, "overlay");
}

bool has_devices(struct libmnt_fs *fs)
{
	return is_overlay(fs) || !mnt_fs_is_pseudofs(fs);
}

/*
 * A layer in memory is gone after a reboot and needs no device. A path that resolves to an overlay was a path of the
 * initramfs.
 */
static void follow_layer(struct search *s, const char *path)
{
	struct libmnt_fs *fs = *path == '/' ? mount_of(s, path) : NULL;

	if (!fs || is_overlay(fs))
		need_problem(s, alloc_printf("overlay: the filesystem of its layer %s is unknown", path));
	else if (has_devices(fs))
		follow_mount(s, fs);
}

/* Follows the layers of a list A:B:C, which it takes apart. */
static void follow_layers(struct search *s, char *paths)
{
	char *rest;

	for (char *path = strtok_r(paths, ":", &rest); path; path = strtok_r(NULL, ":", &rest))
		follow_layer(s, path);
}

/* Options are lowerdir=A:B,upperdir=C, or one option for each layer (ovl_show_options()). */
static void follow_overlay(struct search *s, struct libmnt_fs *fs)
{
	static const char *const layers[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir", NULL };
	char *options = strdup(mnt_fs_get_options(fs) ? mnt_fs_get_options(fs) : ""), *p = options, *name, *value;
	size_t len, value_len;

	if (!options)
		abort();
	if (!s->why)
		need_why(s, alloc_printf("%s on overlay", s->what));
	while (!mnt_optstr_next_option(&p, &name, &len, &value, &value_len)) {
		char *key = strndup(name, len), *paths = value ? strndup(value, value_len) : NULL;

		if (!key || (value && !paths))
			abort();
		if (paths && is_one_of(key, layers))
			follow_layers(s, paths);
		free(paths);
		free(key);
	}
	free(options);
}

void follow_mount(struct search *s, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	if (is_overlay(fs))
		follow_overlay(s, fs);
	else
		follow_filesystem(s, source ? source : "none", type ? type : "", mnt_fs_get_devno(fs),
				  mnt_fs_get_options(fs));
}

char *block_of_root(const struct search *s)
{
	struct libmnt_fs *fs = mounted_at(s, "/");
	const char *source = fs ? mnt_fs_get_source(fs) : NULL;
	char *name = fs ? block_by_number(s, mnt_fs_get_devno(fs)) : NULL;

	return name || !source ? name : block_by_source(s, source);
}

void follow_file(struct search *s, const char *path)
{
	struct libmnt_fs *fs;

	/* A file that holds the filesystem it is in would be a circle. */
	if (!string_set_add(&s->seen, alloc_printf("%s", path)))
		return;
	fs = mount_of(s, path);
	if (fs)
		follow_mount(s, fs);
	else
		need_problem(s, alloc_printf("%s: its filesystem is unknown", path));
}
