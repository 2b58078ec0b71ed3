// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware.h"
#include "format.h"
#include "image.h"
#include "sysfs.h"
#include "unpack.h"

const char *const image_module[IMAGE_MODULES] = { "vfio", "vfio_iommu_type1", "vfio-pci" };

/* The text before and after the release in a path. If `behind` is NULL, the path has no release. */
static const struct {
	const char *before, *behind;
} places[] = {
	{ "boot/initrd.img-", "" },    /* initramfs-tools, and dracut on Debian */
	{ "boot/initramfs-", ".img" }, /* dracut */
	{ "boot/initrd-", "" },	       /* dracut on openSUSE */
	{ "boot/initramfs-linux.img", NULL },
};

static const char *const efi_directories[] = { "efi/EFI/Linux", "boot/efi/EFI/Linux", "boot/EFI/Linux" };

static void set_place(struct text *t, unsigned place, const char *release)
{
	text_set(t, "%s%s%s", places[place].before, places[place].behind ? release : "",
		 places[place].behind ? places[place].behind : "");
}

static int note_efi(void *data, const char *name)
{
	struct text *t = data;
	size_t len = strlen(name);

	if (len < 5 || strcmp(name + len - 4, ".efi") != 0)
		return 0;
	text_add(t, "/%s", name);
	return 1;
}

void image_find(struct image *i, const struct root *root, const char *release)
{
	struct stat st;

	memset(i, 0, sizeof(*i));
	for (unsigned p = 0; p < ARRAY_SIZE(places); p++) {
		set_place(&i->path, p, release);
		if (fstatat(root->fd, i->path.p, &st, root->sysroot ? AT_SYMLINK_NOFOLLOW : 0) || !S_ISREG(st.st_mode))
			continue;
		i->kind = IMAGE_INITRAMFS;
		i->changed = st.st_mtim;
		return;
	}
	for (unsigned f = 0; f < ARRAY_SIZE(efi_directories); f++) {
		text_set(&i->path, "%s", efi_directories[f]);
		if (list_directory(root->fd, efi_directories[f], note_efi, &i->path) != 1)
			continue;
		i->kind = IMAGE_UNIFIED;
		return;
	}
}

void add_image_places(struct text *t, const char *release)
{
	struct text place;

	for (unsigned p = 0; p < ARRAY_SIZE(places); p++) {
		set_place(&place, p, release);
		text_add(t, "%s/%s", p ? ", " : "", place.p);
	}
}

static bool is_newer(const struct image *i, int root, const char *path)
{
	struct stat st;

	return !fstatat(root, path + 1, &st, 0) &&
	       (st.st_mtim.tv_sec > i->changed.tv_sec ||
		(st.st_mtim.tv_sec == i->changed.tv_sec && st.st_mtim.tv_nsec > i->changed.tv_nsec));
}

const char *image_newer_settings(const struct image *i, const struct root *root, const struct settings_buffers *buffers)
{
	static const char *const fixed[] = { "/etc/vfio-boot.conf", "/etc/vfio-boot.conf.d" };

	if (i->kind != IMAGE_INITRAMFS)
		return NULL;
	if (is_newer(i, root->fd, fixed[0]))
		return fixed[0];
	for (unsigned d = 0; d < buffers->drop_ins; d++) {
		if (is_newer(i, root->fd, buffers->drop_in[d]))
			return buffers->drop_in[d];
	}
	/* The directory changes if a file is removed, or added with an old date. */
	return is_newer(i, root->fd, fixed[1]) ? fixed[1] : NULL;
}

/* Returns true if the open file of the image is identical to this file of the host. */
static bool same_bytes(int in_image, int root, const char *path)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char a[4096], b[sizeof(a)];
	bool same = fd >= 0;
	off_t at = 0;

	while (same) {
		ssize_t got = pread(in_image, a, sizeof(a), at);

		same = got >= 0 && got == pread(fd, b, sizeof(b), at) && !memcmp(a, b, (size_t)got);
		if (got <= 0)
			break;
		at += got;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

struct search {
	const struct context *ctx;
	struct image_content *content;
	const char *release;
	bool conf, protect, drop_in[DROP_INS_MAX]; /* settings files of the host that are in the image */
};

static void add_difference(struct image_content *c, const char *what, const char *path)
{
	if (c->differences < IMAGE_DIFFERENCES)
		text_set(&c->difference[c->differences], "%s: %s", path, what);
	c->differences++;
}

static bool is_installed_at(const struct search *s, int fd, const char *path, struct image_content *c)
{
	if (faccessat(s->ctx->root.fd, path, F_OK, 0))
		return false;
	c->claim_installed = true;
	c->claim_same |= same_bytes(fd, s->ctx->root.fd, path);
	return true;
}

static void inspect_claim(const struct search *s, int fd, const struct stat *st)
{
	struct image_content *c = s->content;

	c->claim = true;
	c->claim_runs |= (st->st_mode & S_IXUSR) && st->st_size > 0;
	/* Another PREFIX means another directory, in the image and on the host. */
	if (!is_installed_at(s, fd, "usr/lib/vfio-boot/vfio-boot-claim", c))
		(void)!is_installed_at(s, fd, "usr/local/lib/vfio-boot/vfio-boot-claim", c);
}

static void inspect_order(struct image_content *c, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "r");
	bool udev = false;
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (strstr(line, "/init-top/udev"))
			udev = true;
		if (strstr(line, "/init-top/00-vfio-boot")) {
			c->ordered = true;
			c->first = !udev;
		}
	}
	free(line);
	if (f)
		fclose(f);
}

static void inspect_setting(struct search *s, int fd, const char *path, bool *seen)
{
	struct text t;

	*seen = true;
	text_set(&t, "/%s", path);
	if (!same_bytes(fd, s->ctx->root.fd, path))
		add_difference(s->content, "differs from the copy in the image", t.p);
}

/* Inspects a file in a directory of drop-ins of the image. */
static void inspect_drop_in(struct search *s, int fd, const char *path)
{
	struct text t;

	if (!has_conf_suffix(path))
		return;
	for (unsigned i = 0; i < s->ctx->buffers.drop_ins; i++) {
		if (!strcmp(s->ctx->buffers.drop_in[i] + 1, path)) {
			inspect_setting(s, fd, path, &s->drop_in[i]);
			return;
		}
	}
	text_set(&t, "/%s", path);
	add_difference(s->content, "is only in the image", t.p);
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

static void inspect(void *data, int fd, const char *path, const struct stat *st)
{
	static const char directory[] = "etc/vfio-boot.conf.d/";
	struct search *s = data;
	struct image_content *c = s->content;

	inspect_module(s, path);
	/* /init may be a symbolic link to systemd. */
	if (!strcmp(path, "init"))
		c->init = true;
	else if (!strcmp(path, "etc/initrd-release") || strstr(path, "lib/dracut/"))
		c->dracut = true;
	if (fd < 0)
		return;
	if (!strcmp(base_name(path), "vfio-boot-claim"))
		inspect_claim(s, fd, st);
	else if (!strcmp(path, "scripts/init-top/ORDER"))
		inspect_order(c, fd);
	else if (!strcmp(path, "etc/vfio-boot.conf"))
		inspect_setting(s, fd, path, &s->conf);
	else if (!strcmp(path, "var/lib/vfio-boot/protect"))
		inspect_setting(s, fd, path, &s->protect);
	else if (!strncmp(path, directory, sizeof(directory) - 1))
		inspect_drop_in(s, fd, path);
}

static void note_missing(struct search *s)
{
	static const char *const what = "is not in the image", *const conf = "/etc/vfio-boot.conf",
				 *const protect = "/var/lib/vfio-boot/protect";
	int root = s->ctx->root.fd;

	if (!s->conf && !faccessat(root, conf + 1, F_OK, 0))
		add_difference(s->content, what, conf);
	for (unsigned i = 0; i < s->ctx->buffers.drop_ins; i++) {
		if (!s->drop_in[i])
			add_difference(s->content, what, s->ctx->buffers.drop_in[i]);
	}
	if (!s->protect && !faccessat(root, protect + 1, F_OK, 0))
		add_difference(s->content, what, protect);
}

enum image_look image_look(struct image_content *c, const struct image *i, const struct context *ctx,
			   const char *release)
{
	const char *sysroot = ctx->argument[ARGUMENT_SYSROOT] ? ctx->argument[ARGUMENT_SYSROOT] : "";
	struct search s = { .ctx = ctx, .content = c, .release = release };
	enum image_look look;
	char *path;

	memset(c, 0, sizeof(*c));
	if (faccessat(ctx->root.fd, i->path.p, R_OK, AT_EACCESS))
		return LOOK_NO_RIGHT;
	/* The path is for a program outside of --sysroot. ./ keeps a relative path from looking like an option. */
	if (asprintf(&path, "%s%s/%s", *sysroot && *sysroot != '/' ? "./" : "", sysroot, i->path.p) < 0)
		abort();
	look = unpack(path, inspect, &s);
	free(path);
	if (look == LOOK_DONE && !c->init)
		look = LOOK_FAILED;
	if (look == LOOK_DONE)
		note_missing(&s);
	return look;
}
