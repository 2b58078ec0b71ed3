// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "scan.h"
#include "sysfs.h"

struct search {
	struct machine *m;
	int root;
	const char *name; /* the block device or network interface that is looked at */
	void (*judge)(struct search *s);
	bool judged; /* each at most once, and only where it matters */
	uint8_t use; /* what was found of it */
};

/* Does a line of this table begin with the device? */
static bool is_listed(int root, const char *table, const struct text *node)
{
	bool found = false;
	struct lines l;
	char *line;

	/* What cannot be read may say anything; that it is not there says nothing. */
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

static void block_in_use(struct search *s)
{
	struct text t;
	int fd, ret;

	text_set(&t, "dev/%s", s->name);
	/* sysfs writes ! for a slash (cciss!c0d0). */
	for (char *p = t.p; *p; p++) {
		if (*p == '!')
			*p = '/';
	}
	if (is_listed(s->root, "proc/mounts", &t))
		s->use = USE_MOUNTED;
	else if (is_listed(s->root, "proc/swaps", &t))
		s->use = USE_SWAP;
	if (s->use)
		return;
	/* Of all users only exclusive ones refuse a second one: mounts, swap, md, dm, LVM (bd_prepare_to_claim()). */
	fd = openat(s->root, t.p, O_RDONLY | O_EXCL | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EBUSY)
		s->use = USE_OPEN;
	ret = list_directory(s->root, text_set(&t, "sys/class/block/%s/holders", s->name), stop_at_first, NULL);
	if (ret && ret != -ENOENT)
		s->use = USE_HOLDER;
}

static void net_in_use(struct search *s)
{
	struct text t;

	/* IFF_UP is bit 0 */
	if (read_attribute(&t, s->root, text_set(&t, "sys/class/net/%s/flags", s->name)) > 0 &&
	    hex_digit(t.p[t.len - 1]) & 1)
		s->use = USE_NET_UP;
}

/* A function on the way to what is looked at. */
static void mark_function(void *data, struct device *d)
{
	struct search *s = data;

	if (!(d->found.detailed) || d->done.worker.pid || d->found.use)
		return;
	if (!s->judged)
		s->judge(s);
	s->judged = true;
	d->found.use = s->use;
	if (s->use)
		d->found.used_by = machine_name(s->m, s->name);
}

/*
 * The disk of native NVMe multipath, or a partition of it, has no PCI function above it; the hidden paths nvmeXcYnZ of
 * the disk nvmeXnZ have (doc/kernel-facts.md, "More traps").
 */
static int mark_hidden_path(void *data, const char *name)
{
	struct search *s = data;
	const char *c = strchr(name, 'c'), *n = c ? strchr(c, 'n') : NULL;
	struct text t;

	if (!n)
		return 0;
	text_set(&t, "%.*s%s", (int)(c - name), name, n);
	if (strncmp(s->name, t.p, t.len) || (s->name[t.len] && s->name[t.len] != 'p'))
		return 0;
	read_link(&t, s->root, text_set(&t, "sys/class/block/%s", name));
	each_function_of_link(s->m, t.p, mark_function, s);
	return 0;
}

static int look_at(void *data, const char *name)
{
	struct search *s = data;
	struct text t;

	s->name = name;
	s->use = USE_NONE;
	s->judged = false;
	read_link(&t, s->root, text_set(&t, "sys/class/%s/%s", s->judge == net_in_use ? "net" : "block", name));
	each_function_of_link(s->m, t.p, mark_function, s);
	if (!s->judged && !strncmp(name, "nvme", 4))
		list_directory(s->root, "sys/class/block", mark_hidden_path, s);
	return 0;
}

int scan_use(struct machine *m, int root)
{
	struct search s = { .m = m, .root = root, .judge = block_in_use };
	int ret = list_directory(root, "sys/class/block", look_at, &s);

	if (ret && ret != -ENOENT)
		return ret;
	s.judge = net_in_use;
	ret = list_directory(root, "sys/class/net", look_at, &s);
	return ret == -ENOENT ? 0 : ret;
}
