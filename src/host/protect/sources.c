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
		if (fs && has_devices(fs) && (targets[i].network || !mnt_fs_is_netfs(fs)))
			follow_mount(v, fs);
		else if (root)
			thing_cause(v, fs ? written("%s is on no device", mnt_fs_get_fstype(fs))
					  : written("nothing is mounted there"));
		follow_all(v);
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
		follow_all(v);
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
		follow_all(v);
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
