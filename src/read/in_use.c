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
	struct device *only; /* look at this device alone, or NULL */
	const char *class;   /* "block" or "net" */
	uint8_t first;	     /* the uses that such a thing can have */
	uint8_t last;
	const char *name;
	const char *path; /* the entry of the class whose link leads to the functions above it */
	uint8_t use;	  /* it has no stronger use than this one */
	bool is_used;	  /* it has this use */
	struct text node; /* the path of its device node */
};

/*
 * Returns true for a line of /proc/mounts of type fuse or fuse.NAME. Any user may mount such a thing and choose its
 * first field. A disk that is mounted by a program has the type fuseblk.
 */
static bool is_fuse(const char *line)
{
	for (unsigned field = 1; field < 3; field++) {
		while (*line && !is_blank(*line))
			line++;
		while (is_blank(*line))
			line++;
	}
	return !strncmp(line, "fuse", 4) && (line[4] == '.' || is_blank(line[4]));
}

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
		found = *line == '/' && !strncmp(line + 1, node->p, node->len) && is_blank(line[node->len + 1]) &&
			!is_fuse(line);
	lines_close(&l);
	return found || l.failed;
}

static bool has_holder(const struct search *s)
{
	struct text t;
	int ret = has_entries(s->root, text_set(&t, "sys/class/block/%s/holders", s->name));

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

	/* No other process may wait for a device on which one is at work. */
	if (s->only ? s->only != d : !d->found.detailed || d->done.worker.pid)
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

/* Looks at a block device or interface, and marks the functions above it. */
static int look_at(void *data, const char *name)
{
	struct search *s = data;
	struct text t;

	s->name = name;
	s->use = s->first;
	s->is_used = false;
	text_set(&s->node, "dev/%s", name);
	/* sysfs replaces a slash in a name by ! (cciss!c0d0). */
	for (char *p = s->node.p; *p; p++) {
		if (*p == '!')
			*p = '/';
	}
	read_link(&t, s->root, text_set(&t, "sys/class/%s/%s", s->class, s->path));
	each_function_of_link(s->m, t.p, mark_function, s);
	return 0;
}

bool hidden_path_disk(struct text *t, const char *name)
{
	const char *controller = strchr(name, 'c'), *disk = controller ? strchr(controller, 'n') : NULL;

	if (!disk || strncmp(name, "nvme", 4) != 0)
		return false;
	text_set(t, "%.*s%s", (int)(controller - name), name, disk);
	return true;
}

/* The partitions of a disk are directories inside that of the disk, whose name they begin with. */
static int look_at_partition(void *data, const char *name)
{
	return strncmp(name, "nvme", 4) != 0 ? 0 : look_at(data, name);
}

/*
 * With native NVMe multipath, no PCI function is above the disk nvmeXnZ and its partitions. The functions are above its
 * hidden paths nvmeXcYnZ (doc/kernel-facts.md, "More traps"). So the disk is looked at once for each of its paths.
 */
static int look_at_entry(void *data, const char *name)
{
	struct search *s = data;
	struct text disk, t;

	s->path = name;
	if (!hidden_path_disk(&disk, name))
		return look_at(s, name);
	look_at(s, disk.p);
	list_directory(s->root, text_set(&t, "sys/class/block/%s", disk.p), look_at_partition, s);
	return 0;
}

/* A disk or an interface hangs on a function by a driver of the host, unless what has it is below that function. */
static bool can_be_used(const struct device *d)
{
	return d->found.detailed && (d->found.parent_of_pci || base_class(d) == 0x06 ||
				     (d->found.driver && !is_vfio_driver(d->found.driver)));
}

static bool any_can_be_used(const struct machine *m)
{
	const struct device *d;

	for_each_device(m, d) {
		if (can_be_used(d))
			return true;
	}
	return false;
}

int scan_use(struct machine *m, int root, struct device *only)
{
	struct search s = { .m = m, .root = root, .only = only, .class = "block", .first = USE_MOUNTED };
	int ret;

	if (!any_can_be_used(m))
		return 0;
	s.last = only ? USE_OPEN : USE_HOLDER;
	ret = list_directory(root, "sys/class/block", look_at_entry, &s);
	if (ret && ret != -ENOENT)
		return ret;
	s.class = "net";
	s.first = s.last = USE_NET_UP;
	ret = list_directory(root, "sys/class/net", look_at_entry, &s);
	return ret == -ENOENT ? 0 : ret;
}
