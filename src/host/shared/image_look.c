// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archives.h"
#include "firmware.h"
#include "format.h"
#include "image_look.h"
#include "request.h"
#include "settings.h"
#include "sysfs.h"

const char *const image_module[IMAGE_MODULES] = {
	[IMAGE_VFIO] = "vfio",
	[IMAGE_TYPE1] = "vfio_iommu_type1",
	[IMAGE_VFIO_PCI] = "vfio-pci",
};

static const char conf[] = "etc/vfio-boot.conf", drop_ins[] = "etc/vfio-boot.conf.d/",
		  protect[] = "var/lib/vfio-boot/protect";

/* What an image has instead of a file of the host. */
struct copy {
	bool there, same, selects;
};

struct search {
	const struct context *ctx;
	struct image_content *content;
	const char *release;
	bool scripts, dracut;
	struct copy conf, protect, drop_in[DROP_INS_MAX];
	unsigned extras; /* drop-ins that are only in the image */
	struct text extra[IMAGE_DIFFERENCES];
	bool extra_selects;
};

static bool begins_with(const char *path, const char *prefix)
{
	return !strncmp(path, prefix, strlen(prefix));
}

/* Whether anybody here needs the content of a file. */
static bool is_compared(const char *path)
{
	return strstr(path, "vfio-boot") || ends_with(path, "/ORDER") || ends_with(path, "/initrd-release");
}

/* Returns the length of a file of the host, or -errno, and its content. */
static int read_host(const struct search *s, const char *path, const char **content)
{
	static char buf[CONTENT_MAX + 2];

	*content = buf;
	return read_whole(s->ctx->root.fd, path, O_NONBLOCK, buf, sizeof(buf));
}

static bool is_same(const struct search *s, const struct entry *e)
{
	const char *content;
	int len = read_host(s, e->path, &content);

	return len >= 0 && e->content && (uint32_t)len == e->size && !memcmp(e->content, content, e->size);
}

static bool is_installed_at(const struct search *s, const struct entry *e, const char *path)
{
	struct entry installed = *e;

	if (faccessat(s->ctx->root.fd, path, F_OK, 0))
		return false;
	installed.path = path;
	s->content->claim_installed = true;
	s->content->claim_same = is_same(s, &installed);
	return true;
}

static void inspect_claim(const struct search *s, const struct entry *e)
{
	struct image_content *c = s->content;

	c->claim = true;
	c->claim_runs = (e->mode & S_IXUSR) && e->size;
	/* Another PREFIX means another directory, in the image and on the host. */
	if (!is_installed_at(s, e, "usr/lib/vfio-boot/vfio-boot-claim"))
		(void)!is_installed_at(s, e, "usr/local/lib/vfio-boot/vfio-boot-claim");
}

static void inspect_order(struct image_content *c, const char *content)
{
	const char *claim = strstr(content, "/init-top/00-vfio-boot"), *udev = strstr(content, "/init-top/udev");

	c->ordered = claim != NULL;
	c->first = claim && (!udev || claim < udev);
}

static bool text_selects(const struct entry *e)
{
	static struct settings s;

	settings_init(&s);
	settings_parse_file(&s, e->path, e->content, e->size);
	return count_all_selecting(&s) > 0;
}

/*
 * A link leads to a copy at another path, which nobody looks for: it is taken for the same if the host has a link, too.
 */
static void inspect_copy(const struct search *s, const struct entry *e, struct copy *copy)
{
	struct text link;

	copy->there = true;
	copy->same = e->content && (S_ISLNK(e->mode) ? read_link(&link, s->ctx->root.fd, e->path) >= 0 : is_same(s, e));
	copy->selects = e->content && S_ISREG(e->mode) && e->size <= SETTINGS_TEXT_MAX && text_selects(e);
}

static void inspect_drop_in(struct search *s, const struct entry *e)
{
	struct copy extra;
	struct text t;

	if (!has_conf_suffix(e->path))
		return;
	for (unsigned i = 0; i < s->ctx->buffers.drop_ins; i++) {
		if (!strcmp(s->ctx->buffers.drop_in[i] + 1, e->path)) {
			inspect_copy(s, e, &s->drop_in[i]);
			return;
		}
	}
	inspect_copy(s, e, &extra);
	s->extra_selects |= extra.selects;
	text_set(&t, "/%s", e->path);
	/* An entry may come twice. */
	for (unsigned i = 0; i < s->extras && i < IMAGE_DIFFERENCES; i++) {
		if (!strcmp(s->extra[i].p, t.p))
			return;
	}
	if (s->extras < IMAGE_DIFFERENCES)
		s->extra[s->extras] = t;
	s->extras++;
}

static void inspect_module(const struct search *s, const char *path)
{
	struct text t;

	text_set(&t, "lib/modules/%s/", s->release);
	for (unsigned i = 0; i < IMAGE_MODULES && strstr(path, t.p); i++) {
		if (module_is(path, image_module[i]))
			s->content->modules |= 1U << i;
	}
}

/* Notes what tells who made the image, and how it starts the claim. */
static void inspect_path(struct search *s, const struct entry *e)
{
	struct image_content *c = s->content;
	const char *path = e->path;

	if (!strcmp(path, "init")) {
		c->init = true;
		c->systemd |= S_ISLNK(e->mode) && e->content && strstr(e->content, "systemd");
	}
	s->scripts |= begins_with(path, "scripts/init-top") || !strcmp(path, "conf/initramfs.conf");
	s->dracut |= ends_with(path, "lib/dracut") || strstr(path, "lib/dracut/") != NULL;
	/* Others write such a file, too. */
	if (ends_with(path, "/initrd-release"))
		s->dracut |= e->content && strstr(e->content, "dracut");
	c->systemd |= ends_with(path, "lib/systemd/systemd");
	if (ends_with(path, "/sysinit.target.wants/vfio-boot-claim.service"))
		c->wanted = true;
	else if (ends_with(path, "/vfio-boot-claim.service") && !strstr(path, ".wants/"))
		c->unit = true;
	else if (ends_with(path, "hooks/cmdline/00-vfio-boot-claim.sh"))
		c->hook = true;
}

static void inspect(void *data, const struct entry *e)
{
	struct search *s = data;

	inspect_path(s, e);
	if (S_ISDIR(e->mode))
		return;
	inspect_module(s, e->path);
	if (!strcmp(e->path, conf))
		inspect_copy(s, e, &s->conf);
	else if (!strcmp(e->path, protect))
		inspect_copy(s, e, &s->protect);
	else if (begins_with(e->path, drop_ins))
		inspect_drop_in(s, e);
	else if (S_ISREG(e->mode) && !strcmp(base_name(e->path), "vfio-boot-claim"))
		inspect_claim(s, e);
	else if (S_ISREG(e->mode) && !strcmp(e->path, "scripts/init-top/ORDER"))
		inspect_order(s->content, e->content ? e->content : "");
}

static void add_difference(struct image_content *c, const char *path, const char *what)
{
	if (c->differences < IMAGE_DIFFERENCES)
		text_set(&c->difference[c->differences], "%s %s", path, what);
	c->differences++;
}

/* Compares a copy that was found, or not, with the file of the host. An empty file, or /dev/null, means the same as
 * none. */
static void judge_copy(const struct search *s, const struct copy *copy, const char *path)
{
	const char *content;

	if (copy->there && !copy->same)
		add_difference(s->content, path, "differs");
	else if (!copy->there && !faccessat(s->ctx->root.fd, path + 1, F_OK, 0) && read_host(s, path + 1, &content))
		add_difference(s->content, path, "is not in it");
}

static void judge_copies(struct search *s)
{
	struct image_content *c = s->content;
	struct text t;

	judge_copy(s, &s->conf, text_set(&t, "/%s", conf));
	c->selects = s->conf.selects || s->extra_selects;
	for (unsigned i = 0; i < s->ctx->buffers.drop_ins; i++) {
		judge_copy(s, &s->drop_in[i], s->ctx->buffers.drop_in[i]);
		c->selects |= s->drop_in[i].selects;
	}
	for (unsigned i = 0; i < s->extras; i++)
		add_difference(c, s->extra[i < IMAGE_DIFFERENCES ? i : 0].p, "is only in it");
	c->settings_differ = c->differences;
	judge_copy(s, &s->protect, text_set(&t, "/%s", protect));
}

enum image_look image_look(struct image_content *c, const struct image *i, const struct context *ctx,
			   const char *release)
{
	static struct search s;
	const struct entry_reader reader = { inspect, &s, is_compared };
	const struct root *root = &ctx->root;
	enum archives archives;
	int fd;

	memset(c, 0, sizeof(*c));
	memset(&s, 0, sizeof(s));
	s.ctx = ctx;
	s.content = c;
	s.release = release;
	if (i->kind != IMAGE_INITRAMFS)
		return i->kind == IMAGE_NONE ? LOOK_MISSING : LOOK_UNIFIED;
	fd = openat(root->fd, i->path.p, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (root->sysroot ? O_NOFOLLOW : 0));
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? LOOK_NO_RIGHT : LOOK_FAILED;
	archives = archives_read(fd, &reader);
	close(fd);
	if (archives == ARCHIVES_UNREADABLE)
		return LOOK_UNREADABLE;
	if (archives == ARCHIVES_DAMAGED || !c->init)
		return LOOK_FAILED;
	c->builder = s.scripts ? BUILDER_INITRAMFS_TOOLS : s.dracut ? BUILDER_DRACUT : BUILDER_UNKNOWN;
	judge_copies(&s);
	return LOOK_DONE;
}
