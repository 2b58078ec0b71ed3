// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "image.h"
#include "menu.h"
#include "sysfs.h"

/* What conf/90_vfio-boot, conf/boot-entries and conf/kernel-install/ leave. */
#define GRUB_ID	       "'vfio-boot-off'"
#define ENTRY	       "0-vfio-boot-off-*.conf"
#define PROFILE_ID     "ID=vfio-boot-off"
#define PROFILE_PLUGIN "usr/lib/kernel/install.d/85-vfio-boot-profile.install"
#define PROXMOX_DONE   "var/lib/vfio-boot/proxmox-entries"

#define GRUB_CFG      "boot/grub/grub.cfg"
#define PROXMOX_UUIDS "etc/kernel/proxmox-boot-uuids"
#define EXTLINUX      "boot/extlinux/extlinux.conf"
#define REFIND	      "boot/refind_linux.conf"

struct search {
	struct menu *m;
	unsigned n;
	int root;
};

static bool exists(int root, const char *path)
{
	return !faccessat(root, path, F_OK, 0);
}

/* Returns the next menu to be filled. The last one is filled again if there are too many. */
static struct menu *add_menu(struct search *s, enum menu_state state)
{
	struct menu *m = &s->m[s->n < MENUS_MAX ? s->n++ : MENUS_MAX - 1];

	memset(m, 0, sizeof(*m));
	m->state = state;
	return m;
}

/* Returns 1 if a line of the file has the text, 0 if none does, or -errno. */
static int file_has(int root, const char *path, const char *text)
{
	const char *line;
	struct lines l;
	int found = 0;

	if (!lines_open(&l, root, path))
		return -errno;
	while (!found && (line = lines_next(&l)))
		found = strstr(line, text) != NULL;
	if (!found && l.failed)
		found = -EIO;
	lines_close(&l);
	return found;
}

static void find_grub(struct search *s)
{
	int has = file_has(s->root, GRUB_CFG, GRUB_ID);
	struct menu *m;

	if (has == -ENOENT || has == -ENOTDIR)
		return;
	if (has < 0) {
		m = add_menu(s, MENU_UNKNOWN);
		text_set(&m->what, "GRUB's menu cannot be read (use sudo)");
	} else if (has) {
		m = add_menu(s, MENU_HAS);
		m->choose = "GRUB's last entry (\"..., without passthrough\")";
		text_set(&m->what, "GRUB: its last entry boots without passthrough");
	} else {
		m = add_menu(s, MENU_LACKS);
		text_set(&m->what, "GRUB's menu has no entry without passthrough");
		text_set(&m->remedy, "update-grub");
	}
}

/* What is in a folder of an ESP. */
struct folder {
	int root;
	struct text path;
	unsigned others; /* entries that are not ours, or images without our profile */
	unsigned ours;
	struct text first; /* the name of the first of the others */
};

static void count_other(struct folder *f, const char *name)
{
	if (!f->others++)
		text_set(&f->first, "%s", name);
}

static int count_entry(void *data, const char *name)
{
	struct folder *f = data;

	if (!fnmatch(ENTRY, name, 0))
		f->ours++;
	else if (!fnmatch("*.conf", name, 0))
		count_other(f, name);
	return 0;
}

static uint32_t little_endian(const uint8_t *p, unsigned bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

/* Returns true if the section of a PE file at this header is a profile of ours. */
static bool is_our_profile(int fd, const uint8_t *header)
{
	char text[256];
	ssize_t n;

	if (memcmp(header, ".profile", 8) != 0)
		return false;
	n = pread(fd, text, sizeof(text) - 1, little_endian(header + 20, 4));
	if (n <= 0)
		return false;
	text[(uint32_t)n < little_endian(header + 8, 4) ? (uint32_t)n : little_endian(header + 8, 4)] = '\0';
	return strstr(text, PROFILE_ID) != NULL;
}

/*
 * Returns true if a unified kernel image has our profile. Its sections are found as the PE format has it: the offset of
 * the header at 0x3c; from there the number of sections at 6, the size of the optional header at 20, which ends before
 * the headers of the sections, of 40 bytes each.
 */
static bool has_profile(int fd)
{
	uint8_t dos[64], pe[24], header[40];
	uint32_t at, sections;

	if (pread(fd, dos, sizeof(dos), 0) != sizeof(dos) || memcmp(dos, "MZ", 2) != 0)
		return false;
	at = little_endian(dos + 0x3c, 4);
	if (pread(fd, pe, sizeof(pe), at) != sizeof(pe) || memcmp(pe, "PE\0", 4) != 0)
		return false;
	sections = little_endian(pe + 6, 2);
	at += (uint32_t)sizeof(pe) + little_endian(pe + 20, 2);
	for (uint32_t i = 0; i < sections; i++, at += sizeof(header)) {
		if (pread(fd, header, sizeof(header), at) != sizeof(header))
			return false;
		if (is_our_profile(fd, header))
			return true;
	}
	return false;
}

static int count_image(void *data, const char *name)
{
	struct folder *f = data;
	struct text t;
	int fd;

	if (fnmatch("*.efi", name, FNM_CASEFOLD))
		return 0;
	fd = openat(f->root, text_set(&t, "%s/%s", f->path.p, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && has_profile(fd))
		f->ours++;
	else
		count_other(f, name);
	close(fd);
	return 0;
}

static void judge_entries(struct search *s, const struct folder *f)
{
	struct menu *m;

	if (f->ours) {
		m = add_menu(s, MENU_HAS);
		m->choose = "the entry \"..., without passthrough\" of systemd-boot";
		text_set(&m->what, "systemd-boot: /%s has an entry without passthrough", f->path.p);
	} else if (f->others) {
		m = add_menu(s, MENU_LACKS);
		text_set(&m->what, "systemd-boot: /%s has no entry without passthrough", f->path.p);
		text_set(&m->remedy, "update-initramfs -u, which calls kernel-install where systemd-boot is installed");
	}
}

static void judge_images(struct search *s, const struct folder *f)
{
	struct menu *m;

	if (f->ours) {
		m = add_menu(s, MENU_HAS);
		m->choose = "the entry \"... (without passthrough)\" of systemd-boot";
		text_set(&m->what, "systemd-boot: an image in /%s has a profile without passthrough", f->path.p);
	}
	if (f->others) {
		bool makes = exists(s->root, "usr/bin/ukify") && exists(s->root, PROFILE_PLUGIN);

		m = add_menu(s, makes && !f->ours ? MENU_LACKS : MENU_CANNOT);
		text_set(&m->what, "/%s/%s has no profile without passthrough%s", f->path.p, f->first.p,
			 f->others > 1 ? ", nor have others" : "");
		text_set(&m->remedy,
			 makes ? "update-initramfs -u, which calls kernel-install where systemd-boot is installed"
			       : "vfio-boot(8), RESCUE, says how to boot it without passthrough");
	}
}

/* Looks at a folder of an ESP. */
static void look_at(struct search *s, const char *esp, const char *path, int (*count)(void *data, const char *name),
		    void (*judge)(struct search *s, const struct folder *f))
{
	struct folder f = { .root = s->root };
	struct menu *m;
	int ret;

	text_set(&f.path, "%s/%s", esp, path);
	ret = list_directory(s->root, f.path.p, count, &f);
	if (ret == -EACCES || ret == -EPERM) {
		m = add_menu(s, MENU_UNKNOWN);
		text_set(&m->what, "/%s cannot be read (use sudo)", f.path.p);
	} else if (!ret) {
		judge(s, &f);
	}
}

/* Counts the ESPs of proxmox-boot-tool that have no entry of ours in *lack, and returns how many there are. */
static unsigned count_proxmox(int root, unsigned *lack)
{
	const char *line;
	unsigned n = 0;
	struct lines l;

	*lack = 0;
	if (!lines_open(&l, root, PROXMOX_UUIDS))
		return 0;
	while ((line = lines_next(&l))) {
		if (!*line)
			continue;
		n++;
		*lack += file_has(root, PROXMOX_DONE, line) != 1;
	}
	lines_close(&l);
	return n;
}

static bool is_uefi(int root)
{
	return exists(root, "sys/firmware/efi");
}

/* Where it has given its ESPs to GRUB, that has a menu in /boot/grub as well. */
static void find_proxmox(struct search *s)
{
	unsigned lack, n = count_proxmox(s->root, &lack);
	struct menu *m;

	if (!n || (lack && (!is_uefi(s->root) || exists(s->root, GRUB_CFG))))
		return;
	m = add_menu(s, lack ? MENU_LACKS : MENU_HAS);
	if (lack) {
		text_set(&m->what, "proxmox-boot-tool: %u of %u ESPs have no entry without passthrough", lack, n);
		text_set(&m->remedy, "update-initramfs -u");
	} else {
		m->choose = "the entry \"..., without passthrough\" of the boot menu";
		text_set(&m->what, "proxmox-boot-tool: each of %u ESPs has an entry without passthrough", n);
	}
}

/* Both boot what a rescue boot boots, and that claims nothing (doc/interface.md, "What is decided, and why", 0). */
static void find_others(struct search *s)
{
	struct menu *m;

	if (exists(s->root, EXTLINUX)) {
		bool single = file_has(s->root, EXTLINUX, " single") == 1;

		m = add_menu(s, MENU_CANNOT);
		text_set(&m->what, "extlinux has no entry without passthrough");
		text_set(&m->remedy,
			 single ? "at its menu choose an entry with \"rescue target\": a rescue boot claims nothing"
				: "copy an entry of /" EXTLINUX ", and append vfio.ids=off to its `append`");
	}
	if (exists(s->root, REFIND)) {
		m = add_menu(s, MENU_CANNOT);
		text_set(&m->what, "rEFInd has no entry without passthrough");
		text_set(&m->remedy, "at its menu press F2 twice on the entry, and append vfio.ids=off to its options");
	}
}

unsigned menus_find(struct menu m[MENUS_MAX], const struct root *root)
{
	struct search s = { m, 0, root->fd };

	find_grub(&s);
	for (unsigned i = 0; i < ESPS; i++) {
		look_at(&s, esps[i], "loader/entries", count_entry, judge_entries);
		look_at(&s, esps[i], "EFI/Linux", count_image, judge_images);
	}
	find_proxmox(&s);
	find_others(&s);
	return s.n;
}

/* Returns true if kernel-install has a menu here, where an ESP can be read. */
static bool has_kernel_install(int root)
{
	struct text t;

	for (unsigned i = 0; i < ESPS; i++) {
		if (exists(root, text_set(&t, "%s/loader/entries", esps[i])) ||
		    exists(root, text_set(&t, "%s/EFI/Linux", esps[i])))
			return true;
	}
	return false;
}

static bool has_proxmox_entries(int root)
{
	return exists(root, PROXMOX_UUIDS) && is_uefi(root) && !exists(root, GRUB_CFG);
}

bool menu_has_kernel_cmdline(const struct root *root)
{
	return exists(root->fd, KERNEL_CMDLINE + 1) && (has_proxmox_entries(root->fd) || has_kernel_install(root->fd));
}

const char *menu_how_to_add_word(const struct root *root)
{
	if (has_proxmox_entries(root->fd))
		return KERNEL_CMDLINE ", then proxmox-boot-tool refresh";
	if (has_kernel_install(root->fd))
		return KERNEL_CMDLINE ", then update-initramfs -u";
	if (exists(root->fd, GRUB_CFG))
		return "GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub";
	if (exists(root->fd, EXTLINUX))
		return "U_BOOT_PARAMETERS in /etc/default/u-boot, then u-boot-update";
	if (exists(root->fd, REFIND))
		return "/" REFIND;
	return NULL;
}
