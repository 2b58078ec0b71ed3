// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "scan.h"
#include "sysfs.h"

/* The block device or network interface that is looked at. */
struct search {
	struct machine *m;
	int root;
	const char *class; /* "block" or "net" */
	uint8_t first;	   /* the uses that such a thing can have */
	uint8_t last;
	const char *name;
	bool below_function; /* a function of the snapshot is above it */
	uint8_t use;	     /* it has no stronger use than this one */
	bool is_used;	     /* it has this use */
	struct text node;    /* the path of its device node */
};

/* Returns true if a line of this table begins with the device node, or if the table cannot be read. */
static bool is_listed(int root, const char *table, const struct text *node)
{
	bool found = false;
	struct lines l;
	char *line;

	/* A table that cannot be read may list the node. A table that does not exist lists nothing. */
	if (!lines_open(&l, root, table))
		return errno != ENOENT;
	while (!found && (line = lines_next(&l)))
		found = *line == '/' && !strncmp(line + 1, node->p, node->len) && is_blank(line[node->len + 1]);
	lines_close(&l);
	return found || l.failed;
}

static int stop_at_first(void *data, const char *name)
{
	(void)data;
	(void)name;
	return 1;
}

static bool has_holder(const struct search *s)
{
	struct text t;
	int ret = list_directory(s->root, text_set(&t, "sys/class/block/%s/holders", s->name), stop_at_first, NULL);

	return ret && ret != -ENOENT;
}

/*
 * Only exclusive users refuse an exclusive open: mounts, swap, md, dm and LVM (bd_prepare_to_claim()). Programs that
 * just read a disk do not.
 */
static bool is_open(const struct search *s)
{
	int fd = openat(s->root, s->node.p, O_RDONLY | O_EXCL | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

static bool is_up(const struct search *s)
{
	struct text t;

	/* IFF_UP is bit 0. */
	return read_attribute(&t, s->root, text_set(&t, "sys/class/net/%s/flags", s->name)) > 0 &&
	       hex_digit(t.p[t.len - 1]) & 1;
}

static bool has_use(const struct search *s, enum use use)
{
	if (use <= USE_SWAP)
		return is_listed(s->root, use == USE_MOUNTED ? "proc/mounts" : "proc/swaps", &s->node);
	if (use == USE_HOLDER)
		return has_holder(s);
	return use == USE_OPEN ? is_open(s) : is_up(s);
}

/*
 * Of several uses of a function, the snapshot keeps the strongest one, and of equal ones the name that sorts first
 * (name_precedes()). So messages do not depend on the order in which the kernel lists /sys/class/block, which is that
 * of a hash (kernfs_name_hash()). Returns true if the function has no use yet, or a weaker one.
 */
static bool is_preferred(const struct device *d, enum use use, const char *name)
{
	if (!d->found.use || use < d->found.use)
		return true;
	return use == d->found.use && name_precedes(name, d->found.used_by);
}

/* Stores the use of the block device or interface in a function above it, if the function has no stronger use. */
static void mark_function(void *data, struct device *d)
{
	struct search *s = data;

	s->below_function = true;
	if (!d->found.detailed || d->done.worker.pid)
		return;
	/* Opening a disk can disturb others, so look no further than this function needs. */
	for (; s->use <= s->last && is_preferred(d, s->use, s->name); s->use++) {
		if (!s->is_used && !has_use(s, s->use))
			continue;
		s->is_used = true;
		d->found.use = s->use;
		d->found.used_by = machine_name(s->m, s->name);
		return;
	}
}

/* Marks the functions that are above this entry of the class. */
static void mark_functions(struct search *s, const char *name)
{
	struct text t;

	read_link(&t, s->root, text_set(&t, "sys/class/%s/%s", s->class, name));
	each_function_of_link(s->m, t.p, mark_function, s);
}

bool hidden_path_disk(struct text *t, const char *name)
{
	const char *controller = strchr(name, 'c'), *disk = controller ? strchr(controller, 'n') : NULL;

	if (!disk || strncmp(name, "nvme", 4) != 0)
		return false;
	text_set(t, "%.*s%s", (int)(controller - name), name, disk);
	return true;
}

/*
 * With native NVMe multipath, no PCI function is above the disk nvmeXnZ and its partitions. The functions are above its
 * hidden paths nvmeXcYnZ (doc/kernel-facts.md, "More traps").
 */
static int mark_hidden_path(void *data, const char *name)
{
	struct search *s = data;
	struct text t;

	if (hidden_path_disk(&t, name) && !strncmp(s->name, t.p, t.len) && (!s->name[t.len] || s->name[t.len] == 'p'))
		mark_functions(s, name);
	return 0;
}

static int look_at(void *data, const char *name)
{
	struct search *s = data;

	s->name = name;
	s->below_function = false;
	s->use = s->first;
	s->is_used = false;
	text_set(&s->node, "dev/%s", name);
	/* sysfs replaces a slash in a name by ! (cciss!c0d0). */
	for (char *p = s->node.p; *p; p++) {
		if (*p == '!')
			*p = '/';
	}
	mark_functions(s, name);
	if (!s->below_function && !strncmp(name, "nvme", 4))
		list_directory(s->root, "sys/class/block", mark_hidden_path, s);
	return 0;
}

int scan_use(struct machine *m, int root)
{
	struct search s = { .m = m, .root = root, .class = "block", .first = USE_MOUNTED, .last = USE_OPEN };
	int ret = list_directory(root, "sys/class/block", look_at, &s);

	if (ret && ret != -ENOENT)
		return ret;
	s.class = "net";
	s.first = s.last = USE_NET_UP;
	ret = list_directory(root, "sys/class/net", look_at, &s);
	return ret == -ENOENT ? 0 : ret;
}
