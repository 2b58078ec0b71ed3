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

/* HOST:/PATH, [HOST]:/PATH, //HOST/SHARE; the kernel says the address in addr=. */
static void follow_share(struct finder *f, const char *source, const char *options)
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
	follow_server(f, host);
	free(host);
}

/* A log or the files themselves on another device: logdev= and rtdev= of XFS (xfs_fs_show_options()). */
static void follow_other_devices(struct finder *f, const char *options)
{
	static const char *const others[] = { "logdev", "rtdev", "journal_path" };
	char *value;
	size_t len;

	for (unsigned i = 0; options && i < ARRAY_SIZE(others); i++) {
		if (mnt_optstr_get_option(options, others[i], &value, &len) || !value)
			continue;
		value = written("%.*s", (int)len, value);
		need_later(f, WAY_SOURCE, value);
		free(value);
	}
}

void follow_filesystem(struct finder *f, const char *source, const char *type, dev_t device, const char *options)
{
	static const char *const shares[] = { "nfs", "nfs4", "cifs", "smb3", NULL };
	/* Of a filesystem in a file the file, or what stands for it, was named. */
	const bool first = !f->why;
	char *name, *title;

	if (first)
		need_why(f, written("%s on %s", f->what, source));
	if (is_one_of(type, shares)) {
		follow_share(f, source, options);
		return;
	}
	if (!strcmp(type, "zfs")) {
		need_later(f, WAY_ZFS, source);
		return;
	}
	if (!strcmp(type, "bcachefs") && strchr(source, ':')) {
		follow_bcachefs(f, source);
		return;
	}
	/* The number is right where the name is not (/dev/root); btrfs has none of a device. */
	name = device ? block_by_number(f, device) : NULL;
	if (!name)
		name = block_by_source(f, source);
	if (!name) {
		/* A swap file, or a filesystem in a file. */
		if (*source == '/' && strncmp(source, "/dev/", 5) != 0)
			need_later(f, WAY_FILE, source);
		else
			need_cause(f, written("%s: no such block device", source));
		return;
	}
	title = block_title(f, name);
	if (first)
		need_why(f, written("%s on %s", f->what, title));
	need_later(f, WAY_BLOCK, name);
	if (!strcmp(type, "btrfs"))
		follow_btrfs(f, name);
	follow_other_devices(f, options);
	free(title);
	free(name);
}

struct libmnt_fs *mounted_at(const struct finder *f, const char *target)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs, *found = NULL;

	if (!i)
		abort();
	while (!found && !mnt_table_next_fs(f->mounts, i, &fs)) {
		const char *at = mnt_fs_get_target(fs);

		if (at && !strcmp(at, target))
			found = fs;
	}
	mnt_free_iter(i);
	return found;
}

/* The mount that a file is in, or NULL. */
static struct libmnt_fs *mount_of(const struct finder *f, const char *path)
{
	struct libmnt_fs *fs = mounted_at(f, path);
	char *at = written("%s", path);

	for (char *slash; !fs && (slash = strrchr(at, '/'));) {
		*slash = '\0';
		fs = mounted_at(f, slash == at ? "/" : at);
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

/* What is on a layer in memory is gone with it; a path that ends at an overlay was one of the initramfs. */
static void follow_layer(struct finder *f, const char *path)
{
	struct libmnt_fs *fs = *path == '/' ? mount_of(f, path) : NULL;

	if (!fs || is_overlay(fs))
		need_cause(f, written("overlay: the filesystem of its layer %s cannot be told", path));
	else if (has_devices(fs))
		follow_mount(f, fs);
}

/* lowerdir=A:B,upperdir=C, or an option a layer (ovl_show_options()). */
static void follow_overlay(struct finder *f, struct libmnt_fs *fs)
{
	static const char *const layers[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir", NULL };
	char *options = strdup(mnt_fs_get_options(fs) ? mnt_fs_get_options(fs) : ""), *p = options, *name, *value,
	     *rest;
	size_t len, value_len;

	if (!options)
		abort();
	if (!f->why)
		need_why(f, written("%s on overlay", f->what));
	while (!mnt_optstr_next_option(&p, &name, &len, &value, &value_len)) {
		char *key = strndup(name, len), *paths = value ? strndup(value, value_len) : NULL;

		if (!key || (value && !paths))
			abort();
		for (char *path = paths && is_one_of(key, layers) ? strtok_r(paths, ":", &rest) : NULL; path;
		     path = strtok_r(NULL, ":", &rest))
			follow_layer(f, path);
		free(paths);
		free(key);
	}
	free(options);
}

void follow_mount(struct finder *f, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	if (is_overlay(fs))
		follow_overlay(f, fs);
	else
		follow_filesystem(f, source ? source : "none", type ? type : "", mnt_fs_get_devno(fs),
				  mnt_fs_get_options(fs));
}

char *block_of_root(const struct finder *f)
{
	struct libmnt_fs *fs = mounted_at(f, "/");
	const char *source = fs ? mnt_fs_get_source(fs) : NULL;
	char *name = fs ? block_by_number(f, mnt_fs_get_devno(fs)) : NULL;

	return name || !source ? name : block_by_source(f, source);
}

void follow_file(struct finder *f, const char *path)
{
	struct libmnt_fs *fs;

	/* A file in a filesystem in that very file would be a circle. */
	if (!words_take(&f->seen, written("%s", path)))
		return;
	fs = mount_of(f, path);
	if (fs)
		follow_mount(f, fs);
	else
		need_cause(f, written("%s: its filesystem cannot be told", path));
}
