// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"

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

static int bad_line(struct libmnt_table *table, const char *file, int line)
{
	struct finder *f = mnt_table_get_userdata(table);

	need_cause(f, written("line %d cannot be read", line));
	(void)file;
	return 1;
}

/* NULL where it is not there. What is wrong with it becomes a cause. */
static struct libmnt_table *read_table(struct finder *f, const char *path)
{
	FILE *in = open_stream(f, path);
	struct libmnt_table *table;

	if (!in)
		return NULL;
	table = mnt_new_table();
	if (!table)
		abort();
	mnt_table_set_userdata(table, f);
	mnt_table_set_parser_errcb(table, bad_line);
	if (mnt_table_parse_stream(table, in, path))
		need_cause(f, written("cannot be read"));
	fclose(in);
	return table;
}

static void find_mounts(struct finder *f)
{
	for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
		const char *target = targets[i].target;
		struct libmnt_fs *fs = mounted_at(f, target);
		bool root = !i;

		need_begin(f, target, targets[i].early);
		if (fs && has_devices(fs) && (targets[i].network || !mnt_fs_is_netfs(fs)))
			follow_mount(f, fs);
		else if (root)
			need_cause(f, fs ? written("%s is on no device", mnt_fs_get_fstype(fs))
					 : written("nothing is mounted there"));
		follow_all(f);
		/* Of two disks of which one is not known none is known. */
		if (root && (!f->found || f->causes.count)) {
			if (!f->causes.count)
				need_cause(f, written("no PCI function is below it"));
			f->deps->unknown = written("%s: %s", target, f->causes.word[0]);
			free(f->causes.word[0]);
			f->causes.count--;
			memmove(f->causes.word, f->causes.word + 1, f->causes.count * sizeof(*f->causes.word));
		}
		need_end(f);
	}
}

/*
 * Of what fstab mounts over the network the host lives on few things, and where they are mounted the kernel knows their
 * server better; pseudo filesystems and binds are on nothing.
 */
static bool is_on_nothing(const struct finder *f, struct libmnt_fs *fs, int own)
{
	const char *options = mnt_fs_get_options(fs), *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	if (!source || mnt_fs_is_pseudofs(fs) || has_option(options, "bind") || has_option(options, "rbind"))
		return true;
	if (mnt_fs_is_netfs(fs))
		return own < 0 || !targets[own].network || mounted_at(f, targets[own].target);
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

static void find_fstab(struct finder *f)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *table;
	struct libmnt_fs *fs;

	if (!i)
		abort();
	need_begin(f, "/etc/fstab", false);
	table = read_table(f, "etc/fstab");
	need_end(f);
	while (table && !mnt_table_next_fs(table, i, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
		const char *options = mnt_fs_get_options(fs);
		bool swap = mnt_fs_is_swaparea(fs);
		int own = own_target(fs);

		/* An ESP is often mounted when it is asked for. */
		if ((own < 0 && is_not_needed(options)) || (!swap && is_on_nothing(f, fs, own)))
			continue;
		need_begin(f, swap || !target ? "swap" : target, own >= 0 && targets[own].early);
		follow_filesystem(f, mnt_fs_get_source(fs), type ? type : "", 0, options);
		follow_all(f);
		need_end(f);
	}
	mnt_free_iter(i);
	mnt_unref_table(table);
}

static void find_swap(struct finder *f)
{
	FILE *in = open_stream(f, "proc/swaps");
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
		need_begin(f, "swap", false);
		follow_filesystem(f, source, "swap", 0, NULL);
		follow_all(f);
		need_end(f);
		free(source);
	}
	free(line);
	if (in)
		fclose(in);
}

void find_storage(struct finder *f)
{
	need_begin(f, "mounts", false);
	f->mounts = read_table(f, "proc/self/mountinfo");
	if (!f->mounts)
		f->mounts = read_table(f, "proc/mounts");
	need_end(f);
	if (!f->mounts)
		f->mounts = mnt_new_table();
	if (!f->mounts)
		abort();
	find_mounts(f);
	find_swap(f);
	find_resume(f);
	find_fstab(f);
	find_crypttab(f);
	mnt_unref_table(f->mounts);
}
