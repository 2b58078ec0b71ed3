// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "image.h"
#include "sysfs.h"

/* The text before and after the release in a path. If `behind` is NULL, the path has no release. */
static const struct {
	const char *before, *behind;
} places[] = {
	{ "boot/initrd.img-", "" },    /* initramfs-tools, and dracut on Debian */
	{ "boot/initramfs-", ".img" }, /* dracut */
	{ "boot/initrd-", "" },	       /* dracut on openSUSE */
	{ "boot/initramfs-linux.img", NULL },
};

const char *const esps[ESPS] = { "efi", "boot/efi", "boot" };

static void set_place(struct text *t, unsigned place, const char *release)
{
	text_set(t, "%s%s%s", places[place].before, places[place].behind ? release : "",
		 places[place].behind ? places[place].behind : "");
}

static int note_efi(void *data, const char *name)
{
	struct text *t = data;

	if (!ends_with(name, ".efi"))
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
	for (unsigned e = 0; e < ESPS; e++) {
		text_set(&i->path, "%s/EFI/Linux", esps[e]);
		if (list_directory(root->fd, i->path.p, note_efi, &i->path) != 1)
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

static int note_kernel(void *data, const char *name)
{
	struct kernels *k = data;
	struct image i;
	unsigned at = k->n;

	image_find(&i, k->root, name);
	if (i.kind != IMAGE_INITRAMFS || !strstr(i.path.p, name))
		return 0;
	while (at && strverscmp(k->kernel[at - 1].release.p, name) < 0)
		at--;
	k->more += k->n == KERNELS_MAX;
	if (at == KERNELS_MAX)
		return 0;
	k->n += k->n < KERNELS_MAX;
	memmove(&k->kernel[at + 1], &k->kernel[at], (k->n - at - 1) * sizeof(k->kernel[0]));
	text_set(&k->kernel[at].release, "%s", name);
	k->kernel[at].image = i;
	return 0;
}

void kernels_find(struct kernels *k, const struct root *root)
{
	k->root = root;
	k->n = k->more = 0;
	list_directory(root->fd, "lib/modules", note_kernel, k);
}
