// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"

/* The host needs what is mounted here, whatever fstab says about it. */
static const struct {
	const char *target;
	bool in_initramfs; /* the initramfs mounts it */
	bool network; /* the host depends on it even if it is a network filesystem (doc/interface.md, "Protection") */
} targets[] = {
	{ "/", true, true },	   { "/usr", true, true },   { "/var", false, true },
	{ "/boot", false, false }, { "/efi", false, false }, { "/boot/efi", false, false },
};

static int bad_line(struct libmnt_table *table, const char *file, int line)
{
	struct search *s = mnt_table_get_userdata(table);

	need_problem(s, alloc_printf("line %d cannot be read", line));
	(void)file;
	return 1;
}

/*
 * Returns NULL if the table does not exist. An error in it becomes a problem of the current need. The caller releases
 * the table.
 */
static struct libmnt_table *read_table(struct search *s, const char *path)
{
	FILE *in = open_stream(s, path);
	struct libmnt_table *table;

	if (!in)
		return NULL;
	table = mnt_new_table();
	if (!table)
		abort();
	mnt_table_set_userdata(table, s);
	mnt_table_set_parser_errcb(table, bad_line);
	if (mnt_table_parse_stream(table, in, path))
		need_problem(s, alloc_printf("cannot be read"));
	fclose(in);
	return table;
}

/* If one of two disks is unknown, the dependencies of the root as a whole are unknown. Its first problem says why. */
static void check_root_is_known(struct search *s)
{
	struct string_set *problems = &s->problems;

	if (s->found && !problems->count)
		return;
	if (!problems->count)
		need_problem(s, alloc_printf("no PCI function is below it"));
	s->deps->unknown = alloc_printf("%s: %s", s->what, problems->string[0]);
	free(problems->string[0]);
	problems->count--;
	memmove(problems->string, problems->string + 1, problems->count * sizeof(*problems->string));
}

static void find_mounts(struct search *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
		const char *target = targets[i].target;
		struct libmnt_fs *fs = mounted_at(s, target);
		bool root = !i;

		need_begin(s, target, targets[i].in_initramfs);
		if (fs && has_devices(fs) && (targets[i].network || !mnt_fs_is_netfs(fs)))
			follow_mount(s, fs);
		else if (root)
			need_problem(s, fs ? alloc_printf("%s is on no device", mnt_fs_get_fstype(fs))
					   : alloc_printf("nothing is mounted there"));
		follow_queued(s);
		if (root)
			check_root_is_known(s);
		need_end(s);
	}
}

/*
 * Returns true for an entry of fstab that adds no dependency. The host depends on few network filesystems. The kernel
 * knows the server of a mounted one better than fstab does. Pseudo filesystems and bind mounts have no device.
 */
static bool is_ignored(const struct search *s, struct libmnt_fs *fs, int index)
{
	const char *options = mnt_fs_get_options(fs), *source = mnt_fs_get_source(fs), *type = mnt_fs_get_fstype(fs);

	if (!source || mnt_fs_is_pseudofs(fs) || has_option(options, "bind") || has_option(options, "rbind"))
		return true;
	if (mnt_fs_is_netfs(fs))
		return index < 0 || !targets[index].network || mounted_at(s, targets[index].target);
	/* The source is sshfs#host:, none, or something else that is no device. */
	return *source != '/' && !strchr(source, '=') && (!type || strcmp(type, "zfs") != 0);
}

/* Returns the index of an entry in targets[], or -1. */
static int target_index(struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs);

	for (unsigned i = 0; target && !mnt_fs_is_swaparea(fs) && i < ARRAY_SIZE(targets); i++) {
		if (!strcmp(target, targets[i].target))
			return (int)i;
	}
	return -1;
}

static void find_fstab(struct search *s)
{
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *table;
	struct libmnt_fs *fs;

	if (!i)
		abort();
	need_begin(s, "/etc/fstab", false);
	table = read_table(s, "etc/fstab");
	need_end(s);
	while (table && !mnt_table_next_fs(table, i, &fs)) {
		const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs);
		const char *options = mnt_fs_get_options(fs);
		bool swap = mnt_fs_is_swaparea(fs);
		int index = target_index(fs);

		/* An ESP is often mounted on demand: follow it even if it is optional. */
		if ((index < 0 && is_optional(options)) || (!swap && is_ignored(s, fs, index)))
			continue;
		need_begin(s, swap || !target ? "swap" : target, index >= 0 && targets[index].in_initramfs);
		follow_filesystem(s, mnt_fs_get_source(fs), type ? type : "", 0, options);
		need_end(s);
	}
	mnt_free_iter(i);
	mnt_unref_table(table);
}

static void find_swap(struct search *s)
{
	FILE *in = open_stream(s, "proc/swaps");
	char *line = NULL, *rest;
	size_t size = 0;

	while (in && getline(&line, &size, in) >= 0) {
		const char *word = strtok_r(line, " \t\n", &rest);
		char *source;

		/* Skip the line of column titles. */
		if (!word || *word != '/')
			continue;
		source = mnt_unmangle(word);
		if (!source)
			abort();
		need_begin(s, "swap", false);
		follow_filesystem(s, source, "swap", 0, NULL);
		need_end(s);
		free(source);
	}
	free(line);
	if (in)
		fclose(in);
}

void find_storage(struct search *s)
{
	need_begin(s, "mounts", false);
	s->mounts = read_table(s, "proc/self/mountinfo");
	if (!s->mounts)
		s->mounts = read_table(s, "proc/mounts");
	need_end(s);
	if (!s->mounts)
		s->mounts = mnt_new_table();
	if (!s->mounts)
		abort();
	find_mounts(s);
	find_swap(s);
	find_resume(s);
	find_fstab(s);
	find_crypttab(s);
	mnt_unref_table(s->mounts);
}
