// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "living.h"

/* What is mounted there is needed, whatever fstab says of it. */
static const struct {
	const char *target;
	bool early;   /* the initramfs mounts it */
	bool network; /* it may come over the network, and the host lives on that then (interface.md, "Protection") */
} targets[] = {
	{ "/", true, true },	   { "/usr", true, true },   { "/var", false, true },
	{ "/boot", false, false }, { "/efi", false, false }, { "/boot/efi", false, false },
};

bool has_option(const char *options, const char *name)
{
	return options && !mnt_optstr_get_option(options, name, NULL, NULL);
}

bool is_not_needed(const char *options)
{
	return has_option(options, "noauto") || has_option(options, "nofail");
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(word, *list))
			return true;
	}
	return false;
}

/* HOST:/PATH, [HOST]:/PATH, //HOST/SHARE; the kernel says the address in addr=. */
static void follow_share(struct living *v, const char *source, const char *options)
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
	follow_server(v, host);
	free(host);
}

/* A log or the files themselves on another device: logdev= and rtdev= of XFS (xfs_fs_show_options()). */
static void follow_other_devices(struct living *v, const char *options)
{
	static const char *const others[] = { "logdev", "rtdev", "journal_path" };
	char *value;
	size_t len;

	for (unsigned i = 0; options && i < ARRAY_SIZE(others); i++) {
		if (mnt_optstr_get_option(options, others[i], &value, &len) || !value)
			continue;
		value = written("%.*s", (int)len, value);
		follow_source(v, value);
		free(value);
	}
}

void follow_filesystem(struct living *v, const char *source, const char *type, dev_t device, const char *options)
{
	static const char *const shares[] = { "nfs", "nfs4", "cifs", "smb3", NULL };
	/* Of a filesystem in a file the file, or what stands for it, was named. */
	const bool first = !v->why;
	char *name, *title;

	if (first)
		thing_why(v, written("%s on %s", v->what, source));
	if (is_one_of(type, shares)) {
		follow_share(v, source, options);
		return;
	}
	if (!strcmp(type, "zfs")) {
		follow_zfs(v, source);
		return;
	}
	if (!strcmp(type, "bcachefs") && strchr(source, ':')) {
		follow_bcachefs(v, source);
		return;
	}
	/* The number is right where the name is not (/dev/root); btrfs has none of a device. */
	name = device ? block_by_number(v, device) : NULL;
	if (!name)
		name = block_by_source(v, source);
	if (!name) {
		/* A swap file, or a filesystem in a file. */
		if (*source == '/' && strncmp(source, "/dev/", 5) != 0)
			follow_file(v, source);
		else
			thing_cause(v, written("%s: no such block device", source));
		return;
	}
	title = block_title(v, name);
	if (first)
		thing_why(v, written("%s on %s", v->what, title));
	follow_block(v, name);
	if (!strcmp(type, "btrfs"))
		follow_btrfs(v, name);
	follow_other_devices(v, options);
	free(title);
	free(name);
}

/* The mount that is on top at this place, or NULL. */
static struct libmnt_fs *mounted_at(const struct living *v, const char *target)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs, *found = NULL;

	if (!i)
		abort();
	while (!found && !mnt_table_next_fs(v->mounts, i, &fs)) {
		const char *at = mnt_fs_get_target(fs);

		if (at && !strcmp(at, target))
			found = fs;
	}
	mnt_free_iter(i);
	return found;
}

static void follow_mount(struct living *v, struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	follow_filesystem(v, source ? source : "none", type ? type : "", mnt_fs_get_devno(fs), mnt_fs_get_options(fs));
}

/* The mount that a file is in, or NULL. */
static struct libmnt_fs *mount_of(const struct living *v, const char *path)
{
	struct libmnt_fs *fs = mounted_at(v, path);
	char *at = written("%s", path);

	for (char *slash; !fs && (slash = strrchr(at, '/'));) {
		*slash = '\0';
		fs = mounted_at(v, slash == at ? "/" : at);
	}
	free(at);
	return fs;
}

static bool is_overlay(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);

	return type && !strcmp(type, "overlay");
}

/* What is on a layer in memory is gone with it; a path that ends at an overlay was one of the initramfs. */
static void follow_layer(struct living *v, const char *path)
{
	struct libmnt_fs *fs = *path == '/' ? mount_of(v, path) : NULL;

	if (!fs || is_overlay(fs))
		thing_cause(v, written("overlay: the filesystem of its layer %s cannot be told", path));
	else if (!mnt_fs_is_pseudofs(fs))
		follow_mount(v, fs);
}

/* lowerdir=A:B,upperdir=C, or an option a layer (ovl_show_options()). */
static void follow_overlay(struct living *v, struct libmnt_fs *fs)
{
	static const char *const layers[] = { "lowerdir", "lowerdir+", "datadir+", "upperdir", NULL };
	char *options = strdup(mnt_fs_get_options(fs) ? mnt_fs_get_options(fs) : ""), *p = options, *name, *value,
	     *rest;
	size_t len, value_len;

	if (!options)
		abort();
	thing_why(v, written("%s on overlay", v->what));
	while (!mnt_optstr_next_option(&p, &name, &len, &value, &value_len)) {
		char *key = strndup(name, len), *paths = value ? strndup(value, value_len) : NULL;

		if (!key || (value && !paths))
			abort();
		for (char *path = paths && is_one_of(key, layers) ? strtok_r(paths, ":", &rest) : NULL; path;
		     path = strtok_r(NULL, ":", &rest))
			follow_layer(v, path);
		free(paths);
		free(key);
	}
	free(options);
}

char *block_of_root(const struct living *v)
{
	struct libmnt_fs *fs = mounted_at(v, "/");
	const char *source = fs ? mnt_fs_get_source(fs) : NULL;
	char *name = fs ? block_by_number(v, mnt_fs_get_devno(fs)) : NULL;

	return name || !source ? name : block_by_source(v, source);
}

void follow_file(struct living *v, const char *path)
{
	struct libmnt_fs *fs;

	/* A file in a filesystem in that very file would be a circle. */
	if (!words_take(&v->seen, written("%s", path)))
		return;
	fs = mount_of(v, path);
	if (fs)
		follow_mount(v, fs);
	else
		thing_cause(v, written("%s: its filesystem cannot be told", path));
}

static int bad_line(struct libmnt_table *table, const char *file, int line)
{
	struct living *v = mnt_table_get_userdata(table);

	thing_cause(v, written("line %d cannot be read", line));
	(void)file;
	return 1;
}

/* NULL where it is not there. What is wrong with it becomes a cause. */
static struct libmnt_table *read_table(struct living *v, const char *path)
{
	FILE *in = open_stream(v, path);
	struct libmnt_table *table;

	if (!in)
		return NULL;
	table = mnt_new_table();
	if (!table)
		abort();
	mnt_table_set_userdata(table, v);
	mnt_table_set_parser_errcb(table, bad_line);
	if (mnt_table_parse_stream(table, in, path))
		thing_cause(v, written("cannot be read"));
	fclose(in);
	return table;
}

static void live_on_mounts(struct living *v)
{
	for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
		const char *target = targets[i].target;
		struct libmnt_fs *fs = mounted_at(v, target);
		bool root = !i;

		thing_begin(v, target, targets[i].early);
		if (fs && is_overlay(fs))
			follow_overlay(v, fs);
		else if (fs && !mnt_fs_is_pseudofs(fs) && (targets[i].network || !mnt_fs_is_netfs(fs)))
			follow_mount(v, fs);
		else if (root)
			thing_cause(v, fs ? written("%s is on no device", mnt_fs_get_fstype(fs))
					  : written("nothing is mounted there"));
		/* Of two disks of which one is not known none is known. */
		if (root && (!v->found || v->causes.count)) {
			if (!v->causes.count)
				thing_cause(v, written("no PCI function is below it"));
			v->lives->unknown = written("%s: %s", target, v->causes.word[0]);
			free(v->causes.word[0]);
			v->causes.count--;
			memmove(v->causes.word, v->causes.word + 1, v->causes.count * sizeof(*v->causes.word));
		}
		thing_end(v);
	}
}

/*
 * Of what fstab mounts over the network the host lives on few things, and where they are mounted the kernel knows their
 * server better; pseudo filesystems and binds are on nothing.
 */
static bool is_on_nothing(const struct living *v, struct libmnt_fs *fs, int own)
{
	const char *options = mnt_fs_get_options(fs), *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	if (!source || mnt_fs_is_pseudofs(fs) || has_option(options, "bind") || has_option(options, "rbind"))
		return true;
	if (mnt_fs_is_netfs(fs))
		return own < 0 || !targets[own].network || mounted_at(v, targets[own].target);
	/* sshfs#host:, none, and whatever else is no device. */
	return *source != '/' && !strchr(source, '=') && (!type || strcmp(type, "zfs") != 0);
}

/* Which of the targets it is, or -1. */
static int own_target(struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs);

	for (unsigned i = 0; target && !mnt_fs_is_swaparea(fs) && i < ARRAY_SIZE(targets); i++) {
		if (!strcmp(target, targets[i].target))
			return (int)i;
	}
	return -1;
}

static void live_on_fstab(struct living *v)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *table;
	struct libmnt_fs *fs;

	if (!i)
		abort();
	thing_begin(v, "/etc/fstab", false);
	table = read_table(v, "etc/fstab");
	thing_end(v);
	while (table && !mnt_table_next_fs(table, i, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
		const char *options = mnt_fs_get_options(fs);
		bool swap = mnt_fs_is_swaparea(fs);
		int own = own_target(fs);

		/* An ESP is often mounted when it is asked for. */
		if ((own < 0 && is_not_needed(options)) || (!swap && is_on_nothing(v, fs, own)))
			continue;
		thing_begin(v, swap || !target ? "swap" : target, own >= 0 && targets[own].early);
		follow_filesystem(v, mnt_fs_get_source(fs), type ? type : "", 0, options);
		thing_end(v);
	}
	mnt_free_iter(i);
	mnt_unref_table(table);
}

static void live_on_swap(struct living *v)
{
	FILE *in = open_stream(v, "proc/swaps");
	char *line = NULL, *rest;
	size_t size = 0;

	while (in && getline(&line, &size, in) >= 0) {
		const char *word = strtok_r(line, " \t\n", &rest);
		char *source;

		/* The first line says what the columns are. */
		if (!word || *word != '/')
			continue;
		source = mnt_unmangle(word);
		if (!source)
			abort();
		thing_begin(v, "swap", false);
		follow_filesystem(v, source, "swap", 0, NULL);
		thing_end(v);
		free(source);
	}
	free(line);
	if (in)
		fclose(in);
}

void live_on_storage(struct living *v)
{
	thing_begin(v, "mounts", false);
	v->mounts = read_table(v, "proc/self/mountinfo");
	if (!v->mounts)
		v->mounts = read_table(v, "proc/mounts");
	thing_end(v);
	if (!v->mounts)
		v->mounts = mnt_new_table();
	if (!v->mounts)
		abort();
	live_on_mounts(v);
	live_on_swap(v);
	live_on_resume(v);
	live_on_fstab(v);
	live_on_crypttab(v);
	mnt_unref_table(v->mounts);
}
