// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "need.h"
#include "sysfs.h"

/* A block device that is followed. */
struct block {
	struct finder *f;
	const char *name;
	char link[TEXT_SIZE]; /* the path of its directory */
	unsigned ways;	      /* that lead down from it, other than its own path */
};

/* The component of a path that comes `back` before the last one; an empty span where there are not so many. */
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

/* What comes behind these components in a path, up to the next slash; empty where they are not in it. */
static struct span behind(const char *path, const char *components)
{
	const char *at = strstr(path, components);

	if (!at)
		return (struct span){ path, 0 };
	at += strlen(components);
	return (struct span){ at, (unsigned)strcspn(at, "/") };
}

static void follow_span(struct block *b, struct span name)
{
	struct text t;

	b->ways++;
	need_later(b->f, WAY_BLOCK, text_set(&t, "%.*s", (int)name.len, name.p));
}

static int follow_slave(void *data, const char *name)
{
	struct block *b = data;

	b->ways++;
	need_later(b->f, WAY_BLOCK, name);
	return 0;
}

static int follow_cache(void *data, const char *name)
{
	struct block *b = data;
	struct text t;

	/* cache0 -> ../../../devices/.../nvme1n1p3/bcache (bch_cache_set_register()) */
	if (!strncmp(name, "cache", 5) &&
	    read_link(&t, b->f->root, text_set(&t, "sys/fs/bcache/%s/%s", b->link, name)) > 0)
		follow_span(b, component(t.p, 1));
	return 0;
}

/* bcacheN/bcache leads to that directory of the backing device, and cache in it to the set (bch_cached_dev_attach()).
 */
static void follow_bcache(struct block *b)
{
	struct block set = { .f = b->f, .name = b->name };
	struct span backing;
	struct text t;

	if (read_link(&t, b->f->root, text_set(&t, "sys/class/block/%s/bcache", b->name)) <= 0)
		return;
	backing = component(t.p, 1);
	/* A volume without a backing device is in the set itself. */
	if (!strstr(t.p, "fs/bcache/")) {
		follow_span(b, backing);
		if (read_link(&t, b->f->root, text_set(&t, "sys/class/block/%s/bcache/cache", b->name)) <= 0)
			return;
		backing = component(t.p, 0);
	}
	snprintf(set.link, sizeof(set.link), "%.*s", (int)backing.len, backing.p);
	list_directory(b->f->root, text_set(&t, "sys/fs/bcache/%s", set.link), follow_cache, &set);
	b->ways += set.ways;
}

/* A controller of NVMe over a network has no function of its own (drivers/nvme/host/fabrics.c). */
static void follow_fabrics(struct block *b, const char *link)
{
	struct span controller = behind(link, "/nvme-fabrics/ctl/"), address;
	struct text t;

	if (!controller.len)
		return;
	b->ways++;
	read_attribute(&t, b->f->root,
		       text_set(&t, "sys/class/nvme/%.*s/transport", (int)controller.len, controller.p));
	if (strcmp(t.p, "tcp") != 0 && strcmp(t.p, "rdma") != 0) {
		need_cause(b->f, written("%s: NVMe over %s: its adapter cannot be told", b->name, t.len ? t.p : "?"));
		return;
	}
	/* traddr=192.0.2.1,trsvcid=4420 */
	read_attribute(&t, b->f->root, text_set(&t, "sys/class/nvme/%.*s/address", (int)controller.len, controller.p));
	address = behind(t.p, "traddr=");
	t.p[(address.p - t.p) + (long)strcspn(address.p, ",")] = '\0';
	follow_server(b->f, address.p);
}

static void follow_controller(struct block *b, const char *link)
{
	unsigned before = b->f->found;

	need_functions(b->f, link);
	b->ways += b->f->found > before;
	follow_fabrics(b, link);
}

/* In the directory of a subsystem its controllers are links, its disks are not (nvme_init_subsystem()). */
static int follow_subsystem_link(void *data, const char *name)
{
	struct block *b = data;
	struct span subsystem = behind(b->link, "/nvme-subsystem/");
	struct text t;

	if (!strncmp(name, "nvme", 4) &&
	    read_link(&t, b->f->root,
		      text_set(&t, "sys/class/nvme-subsystem/%.*s/%s", (int)subsystem.len, subsystem.p, name)) > 0)
		follow_controller(b, t.p);
	return 0;
}

/* The hidden paths nvmeXcYnZ of the disk nvmeXnZ, as in use.c. */
static int follow_hidden_path(void *data, const char *name)
{
	struct block *b = data;
	const char *c = strchr(name, 'c'), *n = c ? strchr(c, 'n') : NULL;
	struct text t;

	if (!n || strncmp(name, "nvme", 4) != 0)
		return 0;
	text_set(&t, "%.*s%s", (int)(c - name), name, n);
	if (!strcmp(b->name, t.p) && read_link(&t, b->f->root, text_set(&t, "sys/class/block/%s", name)) > 0)
		follow_controller(b, t.p);
	return 0;
}

/* The disk of native NVMe multipath (kernel-facts.md, "More traps"): all controllers of its subsystem are paths to it.
 */
static void follow_subsystem(struct block *b)
{
	struct span subsystem = behind(b->link, "/nvme-subsystem/");
	struct text t;

	if (!subsystem.len)
		return;
	list_directory(b->f->root, text_set(&t, "sys/class/nvme-subsystem/%.*s", (int)subsystem.len, subsystem.p),
		       follow_subsystem_link, b);
	list_directory(b->f->root, "sys/class/block", follow_hidden_path, b);
}

/* A file stands for a loop device, and another device may stand behind a zram one. */
static void follow_backing(struct block *b)
{
	static const char *const attributes[] = { "loop/backing_file", "backing_dev" };
	struct text t;

	for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (read_attribute(&t, b->f->root, text_set(&t, "sys/class/block/%s/%s", b->name, attributes[i])) <=
			    0 ||
		    *t.p != '/')
			continue;
		b->ways++;
		need_later(b->f, strncmp(t.p, "/dev/", 5) ? WAY_FILE : WAY_SOURCE, t.p);
	}
}

/* What is at the other end of a network; a card that does iSCSI itself is on the path, and no route leads there. */
static void follow_remote(struct block *b, bool on_path)
{
	static const char *const remote[] = { "nbd", "rbd", "drbd", "etherd!" };
	struct span session = behind(b->link, "/session");
	struct text t;

	if (session.len && !on_path) {
		b->ways++;
		read_attribute(&t, b->f->root,
			       text_set(&t, "sys/class/iscsi_connection/connection%.*s:0/persistent_address",
					(int)session.len, session.p));
		follow_server(b->f, t.p);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(remote); i++) {
		if (!strncmp(b->name, remote[i], strlen(remote[i]))) {
			b->ways++;
			follow_server(b->f, "");
		}
	}
	follow_fabrics(b, b->link);
}

/* It does not outlive a boot, and nothing of PCI is below it. */
static bool is_memory(const char *name)
{
	return !strncmp(name, "zram", 4) || !strncmp(name, "ram", 3);
}

void follow_block(struct finder *f, const char *name)
{
	struct block b = { .f = f, .name = name };
	unsigned before = f->found;
	struct span above;
	struct text t;
	bool on_path;

	if (!words_take(&f->seen, written("%s", name)))
		return;
	if (read_link(&t, f->root, text_set(&t, "sys/class/block/%s", name)) <= 0) {
		need_cause(f, written("%s: no such block device", name));
		return;
	}
	memcpy(b.link, t.p, t.len + 1);
	/* A partition is a directory of its disk, and has nothing of its own. */
	above = component(b.link, 1);
	if (read_link(&t, f->root, text_set(&t, "sys/class/block/%.*s", (int)above.len, above.p)) > 0) {
		follow_span(&b, above);
		return;
	}
	need_functions(f, b.link);
	on_path = f->found > before;
	if (f->early && read_attribute(&t, f->root, text_set(&t, "sys/class/block/%s/dm/name", name)) > 0)
		words_take(&f->mapped, written("%s", t.p));
	list_directory(f->root, text_set(&t, "sys/class/block/%s/slaves", name), follow_slave, &b);
	follow_bcache(&b);
	follow_subsystem(&b);
	follow_backing(&b);
	follow_remote(&b, on_path);
	if (!strncmp(name, "zd", 2)) {
		b.ways++;
		need_later(f, WAY_ZFS, "");
	}
	if (!b.ways && f->found == before && !is_memory(name))
		need_cause(f, written("%s: no PCI function is on its path", name));
}

void follow_source(struct finder *f, const char *source)
{
	char *name = block_by_source(f, source);

	if (name)
		follow_block(f, name);
	else
		need_cause(f, written("%s: no such block device", source));
	free(name);
}
