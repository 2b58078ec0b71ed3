// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "need.h"
#include "scan.h"
#include "sysfs.h"

/* A block device whose devices below are followed. */
struct block {
	struct search *s;
	const char *name;
	char link[TEXT_SIZE]; /* the link of sysfs to its directory */
	unsigned lowers;      /* devices found below it, other than those on its own path */
};

/* Returns the component of a path that is `back` components before the last one, or an empty span. */
static struct span component(const char *path, unsigned back)
{
	const char *end = path + strlen(path), *start;

	for (;;) {
		for (start = end; start > path && start[-1] != '/'; start--)
			;
		if (!back || start == path)
			break;
		back--;
		end = start - 1;
	}
	return back ? (struct span){ path, 0 } : (struct span){ start, (unsigned)(end - start) };
}

/* Returns what follows this text in a path, up to the next slash, or an empty span. */
static struct span text_after(const char *path, const char *text)
{
	const char *at = strstr(path, text);

	if (!at)
		return (struct span){ path, 0 };
	at += strlen(text);
	return (struct span){ at, (unsigned)strcspn(at, "/") };
}

static void follow_span(struct block *b, struct span name)
{
	struct text t;

	b->lowers++;
	queue_work(b->s, WORK_BLOCK, text_set(&t, "%.*s", (int)name.len, name.p));
}

static int follow_slave(void *data, const char *name)
{
	struct block *b = data;

	b->lowers++;
	queue_work(b->s, WORK_BLOCK, name);
	return 0;
}

static int follow_cache(void *data, const char *name)
{
	struct block *b = data;
	struct text t;

	/* The links look like cache0 -> ../../../devices/.../nvme1n1p3/bcache (bch_cache_set_register()). */
	if (!strncmp(name, "cache", 5) &&
	    read_link(&t, b->s->root, text_set(&t, "sys/fs/bcache/%s/%s", b->link, name)) > 0)
		follow_span(b, component(t.p, 1));
	return 0;
}

/*
 * bcacheN/bcache is a link to the bcache directory of the backing device. The link `cache` in there leads to the cache
 * set (bch_cached_dev_attach()).
 */
static void follow_bcache(struct block *b)
{
	struct block set = { .s = b->s, .name = b->name };
	struct span backing;
	struct text t;

	if (read_link(&t, b->s->root, text_set(&t, "sys/class/block/%s/bcache", b->name)) <= 0)
		return;
	backing = component(t.p, 1);
	/* A flash-only volume has no backing device and is in the cache set itself. */
	if (!strstr(t.p, "fs/bcache/")) {
		follow_span(b, backing);
		if (read_link(&t, b->s->root, text_set(&t, "sys/class/block/%s/bcache/cache", b->name)) <= 0)
			return;
		backing = component(t.p, 0);
	}
	snprintf(set.link, sizeof(set.link), "%.*s", (int)backing.len, backing.p);
	list_directory(b->s->root, text_set(&t, "sys/fs/bcache/%s", set.link), follow_cache, &set);
	b->lowers += set.lowers;
}

/* A controller of NVMe over Fabrics has no PCI function (drivers/nvme/host/fabrics.c). */
static void follow_fabrics(struct block *b, const char *link)
{
	struct span controller = text_after(link, "/nvme-fabrics/ctl/"), address;
	struct text t;

	if (!controller.len)
		return;
	b->lowers++;
	read_attribute(&t, b->s->root,
		       text_set(&t, "sys/class/nvme/%.*s/transport", (int)controller.len, controller.p));
	if (strcmp(t.p, "tcp") != 0 && strcmp(t.p, "rdma") != 0) {
		need_problem(b->s,
			     alloc_printf("%s: NVMe over %s: its adapter is unknown", b->name, t.len ? t.p : "?"));
		return;
	}
	/* The attribute looks like traddr=192.0.2.1,trsvcid=4420. */
	read_attribute(&t, b->s->root, text_set(&t, "sys/class/nvme/%.*s/address", (int)controller.len, controller.p));
	address = text_after(t.p, "traddr=");
	t.p[(address.p - t.p) + (long)strcspn(address.p, ",")] = '\0';
	follow_server(b->s, address.p);
}

static void follow_controller(struct block *b, const char *link)
{
	unsigned before = b->s->found;

	need_functions(b->s, link);
	b->lowers += b->s->found > before;
	follow_fabrics(b, link);
}

/* In the directory of a subsystem the controllers are links and the disks are not (nvme_init_subsystem()). */
static int follow_subsystem_link(void *data, const char *name)
{
	struct block *b = data;
	struct span subsystem = text_after(b->link, "/nvme-subsystem/");
	struct text t;

	if (!strncmp(name, "nvme", 4) &&
	    read_link(&t, b->s->root,
		      text_set(&t, "sys/class/nvme-subsystem/%.*s/%s", (int)subsystem.len, subsystem.p, name)) > 0)
		follow_controller(b, t.p);
	return 0;
}

/* Follows the hidden paths nvmeXcYnZ of the disk nvmeXnZ. */
static int follow_hidden_path(void *data, const char *name)
{
	struct block *b = data;
	struct text t;

	if (hidden_path_disk(&t, name) && !strcmp(b->name, t.p) &&
	    read_link(&t, b->s->root, text_set(&t, "sys/class/block/%s", name)) > 0)
		follow_controller(b, t.p);
	return 0;
}

/* All controllers of its subsystem are paths to a disk of native NVMe multipath (doc/kernel-facts.md, "More traps"). */
static void follow_subsystem(struct block *b)
{
	struct span subsystem = text_after(b->link, "/nvme-subsystem/");
	struct text t;

	if (!subsystem.len)
		return;
	list_directory(b->s->root, text_set(&t, "sys/class/nvme-subsystem/%.*s", (int)subsystem.len, subsystem.p),
		       follow_subsystem_link, b);
	list_directory(b->s->root, "sys/class/block", follow_hidden_path, b);
}

/* A loop device is backed by a file. A zram device may have a backing device. */
static void follow_backing(struct block *b)
{
	static const char *const attributes[] = { "loop/backing_file", "backing_dev" };
	struct text t;

	for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (read_attribute(&t, b->s->root, text_set(&t, "sys/class/block/%s/%s", b->name, attributes[i])) <=
			    0 ||
		    *t.p != '/')
			continue;
		b->lowers++;
		queue_work(b->s, strncmp(t.p, "/dev/", 5) ? WORK_FILE : WORK_SOURCE, t.p);
	}
}

/*
 * Follows a device at the other end of a network. An iSCSI adapter with offload is on the path of its disk, and no
 * route leads to its target.
 */
static void follow_remote(struct block *b, bool on_path)
{
	static const char *const remote[] = { "nbd", "rbd", "drbd", "etherd!" };
	struct span session = text_after(b->link, "/session");
	struct text t;

	if (session.len && !on_path) {
		b->lowers++;
		read_attribute(&t, b->s->root,
			       text_set(&t, "sys/class/iscsi_connection/connection%.*s:0/persistent_address",
					(int)session.len, session.p));
		follow_server(b->s, t.p);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(remote); i++) {
		if (!strncmp(b->name, remote[i], strlen(remote[i]))) {
			b->lowers++;
			follow_server(b->s, "");
		}
	}
	follow_fabrics(b, b->link);
}

/* The content of a device in memory does not survive a reboot, and no PCI function is below it. */
static bool is_memory(const char *name)
{
	return !strncmp(name, "zram", 4) || !strncmp(name, "ram", 3);
}

void follow_block(struct search *s, const char *name)
{
	struct block b = { .s = s, .name = name };
	unsigned before = s->found;
	struct span above;
	struct text t;
	bool on_path;

	if (!string_set_add(&s->seen, alloc_printf("%s", name)))
		return;
	if (read_link(&t, s->root, text_set(&t, "sys/class/block/%s", name)) <= 0) {
		need_problem(s, alloc_printf("%s: no such block device", name));
		return;
	}
	memcpy(b.link, t.p, t.len + 1);
	/* A partition is a directory inside that of its disk and has no devices of its own. */
	above = component(b.link, 1);
	if (read_link(&t, s->root, text_set(&t, "sys/class/block/%.*s", (int)above.len, above.p)) > 0) {
		follow_span(&b, above);
		return;
	}
	need_functions(s, b.link);
	on_path = s->found > before;
	if (s->in_initramfs && read_attribute(&t, s->root, text_set(&t, "sys/class/block/%s/dm/name", name)) > 0)
		string_set_add(&s->mapped, alloc_printf("%s", t.p));
	list_directory(s->root, text_set(&t, "sys/class/block/%s/slaves", name), follow_slave, &b);
	follow_bcache(&b);
	follow_subsystem(&b);
	follow_backing(&b);
	follow_remote(&b, on_path);
	if (!strncmp(name, "zd", 2)) {
		b.lowers++;
		queue_work(s, WORK_ZFS, "");
	}
	if (!b.lowers && s->found == before && !is_memory(name))
		need_problem(s, alloc_printf("%s: no PCI function is on its path", name));
}

void follow_source(struct search *s, const char *source)
{
	char *name = block_by_source(s, source);

	if (name)
		follow_block(s, name);
	else
		need_problem(s, alloc_printf("%s: no such block device", source));
	free(name);
}
