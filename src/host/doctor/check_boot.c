// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cmdline.h"
#include "format.h"
#include "image_judge.h"
#include "menu.h"
#include "settings.h"
#include "sysfs.h"

/* Says which menus have an entry without passthrough. It is missed only where a boot passes something through. */
static void check_menus(const struct check_input *in, struct check *c)
{
	static struct menu m[MENUS_MAX];
	const enum check_state states[] = {
		[MENU_HAS] = CHECK_OK,
		[MENU_LACKS] = settings_select(in->ctx) ? CHECK_FAULT : CHECK_NONE,
		[MENU_UNKNOWN] = CHECK_NONE,
		[MENU_CANNOT] = CHECK_NONE,
	};
	unsigned n = menus_find(m, &in->ctx->root);

	for (unsigned i = 0; i < n; i++) {
		check_say(c, states[m[i].state], "%s", m[i].what.p);
		if (m[i].remedy.len)
			check_remedy(c, "%s", m[i].remedy.p);
	}
	if (!n)
		check_say(c, CHECK_NONE,
			  "no boot menu is known here: for a boot without passthrough append vfio.ids=off "
			  "to the kernel command line");
}

/* Returns true if a word of a kernel command line is about us, or about the IOMMU. */
static bool concerns_us(struct span name)
{
	static const char *const prefixes[] = { "vfio", "iommu", "intel_iommu", "amd_iommu", "pcie_acs_override" };

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (name.len >= strlen(prefixes[i]) && !memcmp(name.p, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

static bool line_has(const char *line, const struct cmdline_word *word)
{
	const char *p = line, *end = line + strlen(line);
	struct cmdline_word w;

	while (cmdline_next_parameter(&p, end, &w)) {
		if (!span_cmp(w.name, word->name) && w.has_value == word->has_value && !span_cmp(w.value, word->value))
			return true;
	}
	return false;
}

/* Says which words that concern us are in `line`, and not in the other one. Returns true if there is one. */
static bool say_missing(struct check *c, const char *line, const char *other, const char *what)
{
	const char *p = line, *end = line + strlen(line);
	struct cmdline_word w;
	bool any = false;

	while (cmdline_next_parameter(&p, end, &w)) {
		if (!concerns_us(w.name) || line_has(other, &w))
			continue;
		check_say(c, c->state, "%.*s%s%.*s %s", (int)w.name.len, w.name.p, w.has_value ? "=" : "",
			  (int)w.value.len, w.value.p, what);
		any = true;
	}
	return any;
}

/* The plan is for the command line of this boot. That of the next one may have been changed since. */
static void check_kernel_cmdline(const struct check_input *in, struct check *c)
{
	static char next[CMDLINE_MAX], now[CMDLINE_MAX];
	int root = in->ctx->root.fd;
	bool differs;

	if (!menu_has_kernel_cmdline(&in->ctx->root) ||
	    read_whole(root, KERNEL_CMDLINE + 1, 0, next, sizeof(next)) < 0 ||
	    read_whole(root, "proc/cmdline", 0, now, sizeof(now)) < 0)
		return;
	differs = say_missing(c, next, now, "in " KERNEL_CMDLINE " was not on the command line of this boot");
	/* The entry without passthrough has it, and no other. */
	if (!in->ctx->left_out_off)
		differs |= say_missing(c, now, next,
				       "was on the command line of this boot, and is not in " KERNEL_CMDLINE);
	if (differs)
		check_remedy(c, "vfio-boot plan --cmdline \"$(cat " KERNEL_CMDLINE ")\" plans with it");
}

/* proxmox-boot-tool boots the kernel of the first of these files that is there (proxmox-boot/functions of PVE). */
static void check_pinned(const struct check_input *in, struct check *c)
{
	static const char *const pins[] = { "etc/kernel/next-boot-pin", "etc/kernel/proxmox-boot-pin" };
	struct text version;

	for (unsigned i = 0; i < ARRAY_SIZE(pins); i++) {
		if (read_attribute(&version, in->ctx->root.fd, pins[i]) <= 0)
			continue;
		if (strcmp(version.p, in->release) != 0)
			check_say(c, c->state, "the next boot is that of %s, by /%s (look at it with -k %s)", version.p,
				  pins[i], version.p);
		return;
	}
}

/* Returns true if both files can be read, and are not the same. */
static bool differ(int root, const char *path, const char *other)
{
	char a[4096], b[4096];
	int fd = openat(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int to = openat(root, other, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = -1, m = -1;
	bool same = true;

	while (fd >= 0 && to >= 0 && same) {
		n = read(fd, a, sizeof(a));
		m = read(to, b, sizeof(b));
		same = n == m && (n <= 0 || !memcmp(a, b, (size_t)n));
		if (n <= 0 || m <= 0)
			break;
	}
	close(fd);
	close(to);
	return n >= 0 && m >= 0 && !same;
}

/* An entry of systemd-boot that boots the planned kernel has a copy of its image. */
struct copies {
	const struct check_input *in;
	struct check *check;
	const char *esp;
	bool said;
};

static void check_copy(struct copies *s, const char *initrd)
{
	const struct image *image = s->in->image;
	int root = s->in->ctx->root.fd;
	struct text copy;

	text_set(&copy, "%s/%s", s->esp, initrd + strspn(initrd, "/"));
	if (s->said || strcmp(base_name(copy.p), base_name(image->path.p)) != 0 || !differ(root, image->path.p, copy.p))
		return;
	s->said = true;
	check_say(s->check, CHECK_FAULT, "/%s, which systemd-boot boots, is no copy of /%s", copy.p, image->path.p);
	check_remedy(s->check, "kernel-install add %s /boot/vmlinuz-%s /%s", s->in->release, s->in->release,
		     image->path.p);
}

/* An entry of the planned kernel has its version in its name. */
static int check_entry(void *data, const char *name)
{
	struct copies *s = data;
	const char *version = strstr(name, s->in->release), *line;
	struct lines l;
	struct text t;

	if (!version || version == name || version[-1] != '-' || !strchr(".+", version[strlen(s->in->release)]) ||
	    !lines_open(&l, s->in->ctx->root.fd, text_set(&t, "%s/loader/entries/%s", s->esp, name)))
		return 0;
	while ((line = lines_next(&l))) {
		if (!strncmp(line, "initrd", 6) && strchr(" \t", line[6]))
			check_copy(s, line + 6 + strspn(line + 6, " \t"));
	}
	lines_close(&l);
	return 0;
}

/* The image that was looked into is that of /boot. What systemd-boot boots is its copy, which may be older. */
static void check_copies(const struct check_input *in, struct check *c)
{
	struct copies s = { .in = in, .check = c };
	struct text t;

	if (in->image->kind != IMAGE_INITRAMFS)
		return;
	for (unsigned i = 0; i < ESPS; i++) {
		s.esp = esps[i];
		list_directory(in->ctx->root.fd, text_set(&t, "%s/loader/entries", esps[i]), check_entry, &s);
	}
}

void check_boot(const struct check_input *in, struct check *c)
{
	check_menus(in, c);
	check_copies(in, c);
	check_kernel_cmdline(in, c);
	check_pinned(in, c);
}
