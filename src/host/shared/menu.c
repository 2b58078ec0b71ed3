// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "image.h"
#include "menu.h"
#include "sysfs.h"

/* What conf/90_vfio-boot, conf/boot-entries and conf/kernel-install/ leave. */
#define GRUB_ID	     "'vfio-boot-off'"
#define OURS	     "0-vfio-boot-off-"
#define PROFILE_ID   "ID=vfio-boot-off"
#define PROXMOX_DONE "var/lib/vfio-boot/proxmox-entries"
#define PLUGIN(name) "usr/lib/kernel/install.d/" name ".install"

#define GRUB_CFG      "boot/grub/grub.cfg"
#define PROXMOX_UUIDS "etc/kernel/proxmox-boot-uuids"
#define EXTLINUX      "boot/extlinux/extlinux.conf"
#define REFIND	      "boot/refind_linux.conf"

/* The boot loader says in it who it is: systemd-boot, or GRUB from 2.12 on. */
#define LOADER_INFO "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* The names by which kernel-install knows this system: the first that is there is the token of its entries. */
#define TOKENS 3

struct tokens {
	unsigned n;
	struct text name[TOKENS];
};

struct search {
	struct menu *m;
	unsigned n;
	int root;
	struct tokens tokens; /* for the menus of systemd-boot */
};

/* Returns the next menu to be filled. The last one is filled again if there are too many. */
static struct menu *add_menu(struct search *s, enum menu_state state)
{
	struct menu *m = &s->m[s->n < MENUS_MAX ? s->n++ : MENUS_MAX - 1];

	memset(m, 0, sizeof(*m));
	m->state = state;
	return m;
}

/* Returns 1 if a line of the file begins with `begin` and has the text, 0 if none does, or -errno. */
static int file_has(int root, const char *path, const char *begin, const char *text)
{
	const char *line;
	struct lines l;
	int found = 0;

	if (!lines_open(&l, root, path))
		return -errno;
	while (!found && (line = lines_next(&l)))
		found = !strncmp(line, begin, strlen(begin)) && strstr(line, text);
	if (!found && l.failed)
		found = -EIO;
	lines_close(&l);
	return found;
}

static void find_grub(struct search *s)
{
	int has = file_has(s->root, GRUB_CFG, "menuentry ", GRUB_ID);
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

static void add_token(struct tokens *t, const char *name)
{
	if (*name && t->n < TOKENS)
		text_set(&t->name[t->n++], "%s", name);
}

/* As kernel-install(8) has it: entry-token, the machine ID, or ID of os-release. */
static void read_tokens(struct tokens *t, int root)
{
	struct text value;
	char *line;
	struct lines l;

	if (read_attribute(&value, root, "etc/kernel/entry-token") > 0)
		add_token(t, value.p);
	if (read_attribute(&value, root, "etc/machine-id") > 0)
		add_token(t, value.p);
	if (!lines_open(&l, root, "etc/os-release"))
		return;
	while ((line = lines_next(&l))) {
		if (strncmp(line, "ID=", 3) != 0)
			continue;
		line += 3 + strspn(line + 3, "\"'");
		line[strcspn(line, "\"'")] = '\0';
		add_token(t, line);
	}
	lines_close(&l);
}

/* What is in a folder of an ESP. */
struct folder {
	int root;
	const struct tokens *tokens;
	struct text path;
	unsigned ours;
	unsigned others;     /* entries or images of this system without one of ours */
	struct text first;   /* the name of the first of the others, */
	struct text version; /* and its kernel */
};

/*
 * Stores the name of an entry or image of this system, TOKEN-VERSION, without its ending and without a boot counter
 * (+3, +2-1). Returns its version, which points into *base, or NULL if it is none of this system.
 */
static const char *kernel_of(struct text *base, const struct folder *f, const char *name, const char *ending)
{
	char *counter;

	if (!ends_with(name, ending))
		return NULL;
	text_set(base, "%.*s", (int)(strlen(name) - strlen(ending)), name);
	counter = strrchr(base->p, '+');
	if (counter && counter[1] && !counter[1 + strspn(counter + 1, "0123456789-")])
		*counter = '\0';
	for (unsigned i = 0; i < f->tokens->n; i++) {
		const struct text *token = &f->tokens->name[i];

		if (!strncmp(base->p, token->p, token->len) && base->p[token->len] == '-')
			return base->p + token->len + 1;
	}
	return NULL;
}

static void count_other(struct folder *f, const char *name, const char *version)
{
	if (f->others++)
		return;
	text_set(&f->first, "%s", name);
	text_set(&f->version, "%s", version);
}

static int count_entry(void *data, const char *name)
{
	struct folder *f = data;
	struct text base, path;
	const char *version = kernel_of(&base, f, name, ".conf");

	if (!version)
		return 0;
	if (exists(f->root, text_set(&path, "%s/" OURS "%s.conf", f->path.p, base.p)))
		f->ours++;
	else
		count_other(f, name, version);
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
	uint32_t size = little_endian(header + 8, 4);
	char text[256];
	ssize_t n;

	if (memcmp(header, ".profile", 8) != 0)
		return false;
	n = pread(fd, text, size < sizeof(text) ? size : sizeof(text) - 1, little_endian(header + 20, 4));
	if (n < 0)
		return false;
	text[n] = '\0';
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
	struct text t, base;
	const char *version = kernel_of(&base, f, name, ".efi");
	int fd;

	if (!version)
		return 0;
	fd = openat(f->root, text_set(&t, "%s/%s", f->path.p, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && has_profile(fd))
		f->ours++;
	else
		count_other(f, name, version);
	close(fd);
	return 0;
}

/* What systemd-boot shows, and kernel-install makes of a kernel. */
static const struct kind {
	const char *folder; /* of an ESP */
	int (*count)(void *data, const char *name);
	const char *where, *ours, *what; /* words of the messages */
	const char *choose;
	const char *needs[2]; /* the files with which kernel-install makes ours */
} kinds[] = {
	{ "loader/entries",
	  count_entry,
	  "",
	  "an entry",
	  "entry",
	  "the entry \"..., without passthrough\" of systemd-boot",
	  { PLUGIN("95-vfio-boot-entry"), "" } },
	{ "EFI/Linux",
	  count_image,
	  "an image in ",
	  "a profile",
	  "profile",
	  "the entry \"... (without passthrough)\" of systemd-boot",
	  { PLUGIN("85-vfio-boot-profile"), "usr/bin/ukify" } },
};

/* Says of which kernel of this system there is nothing of ours. */
static void say_others(struct search *s, const struct folder *f, const struct kind *kind)
{
	bool makes = exists(s->root, kind->needs[0]) && (!*kind->needs[1] || exists(s->root, kind->needs[1]));
	struct menu *m = add_menu(s, makes ? MENU_LACKS : MENU_CANNOT);

	text_set(&m->what, "/%s/%s has no %s without passthrough%s", f->path.p, f->first.p, kind->what,
		 f->others > 1 ? ", nor have others" : "");
	if (makes)
		text_set(&m->remedy, "kernel-install add %s /boot/vmlinuz-%s /boot/initrd.img-%s", f->version.p,
			 f->version.p, f->version.p);
	else
		text_set(&m->remedy, "vfio-boot(8), RESCUE, says how to boot it without passthrough");
}

/* Looks at a folder of an ESP. */
static void look_at(struct search *s, const char *esp, const struct kind *kind)
{
	struct folder f = { .root = s->root, .tokens = &s->tokens };
	struct menu *m;
	int ret;

	text_set(&f.path, "%s/%s", esp, kind->folder);
	ret = list_directory(s->root, f.path.p, kind->count, &f);
	if (ret == -EACCES || ret == -EPERM) {
		m = add_menu(s, MENU_UNKNOWN);
		text_set(&m->what, "/%s cannot be read (use sudo)", f.path.p);
	}
	if (f.ours) {
		m = add_menu(s, MENU_HAS);
		m->choose = kind->choose;
		text_set(&m->what, "systemd-boot: %s/%s has %s without passthrough", kind->where, f.path.p, kind->ours);
	}
	if (f.others)
		say_others(s, &f, kind);
}

/* Returns true if a line is a VFAT-UUID, as proxmox-boot-tool takes it. */
static bool is_esp_uuid(char *line)
{
	line[strcspn(line, "\r")] = '\0';
	return strlen(line) == 9 && line[4] == '-' && strspn(line, "0123456789abcdefABCDEF") == 4 &&
	       strspn(line + 5, "0123456789abcdefABCDEF") == 4;
}

static bool is_gone(int root, const char *uuid)
{
	struct text t;

	return exists(root, "dev/disk/by-uuid") && !exists(root, text_set(&t, "dev/disk/by-uuid/%s", uuid));
}

/* The ESPs of proxmox-boot-tool. */
struct proxmox {
	unsigned n;
	unsigned lack;	  /* have no entry of ours, as far as boot-entries knows */
	struct text gone; /* one that is not there, or empty */
	bool grub;	  /* one has a menu of GRUB */
};

static void read_proxmox(struct proxmox *p, int root)
{
	struct lines l;
	char *line;

	memset(p, 0, sizeof(*p));
	if (!lines_open(&l, root, PROXMOX_UUIDS))
		return;
	while ((line = lines_next(&l))) {
		if (!is_esp_uuid(line))
			continue;
		p->n++;
		if (is_gone(root, line))
			text_set(&p->gone, "%s", line);
		else
			p->lack += file_has(root, PROXMOX_DONE, line, " ") != 1;
		p->grub |= file_has(root, PROXMOX_DONE, line, " grub") == 1;
	}
	lines_close(&l);
}

static void say_proxmox(struct search *s, const struct proxmox *p)
{
	struct menu *m;

	if (p->gone.len) {
		m = add_menu(s, MENU_UNKNOWN);
		text_set(&m->what, "proxmox-boot-tool: the ESP %s is not there", p->gone.p);
		text_set(&m->remedy, "proxmox-boot-tool clean, if it was replaced");
	}
	if (p->lack) {
		m = add_menu(s, MENU_LACKS);
		text_set(&m->what, "proxmox-boot-tool: %u of %u ESPs have no entry without passthrough", p->lack, p->n);
		text_set(&m->remedy, "update-initramfs -u");
	} else if (file_has(s->root, PROXMOX_DONE, "", " ") == 1) {
		m = add_menu(s, MENU_HAS);
		m->choose = "the entry \"..., without passthrough\" of the boot menu";
		text_set(&m->what, "proxmox-boot-tool: its ESPs have an entry without passthrough");
	}
}

/* Returns true if this boot, or where that is not known the next one, is made by GRUB, and by systemd-boot if not. */
static bool grub_boots(int root)
{
	static const char systemd[] = "s\0y\0s\0t\0e\0m\0d";
	char info[512];
	int n = read_whole(root, LOADER_INFO, 0, info, sizeof(info));

	/* Four bytes of attributes, and a text of two bytes a character. */
	if (n >= (int)(4 + sizeof(systemd)) && !memcmp(info + 4, systemd, sizeof(systemd)))
		return false;
	return exists(root, GRUB_CFG);
}

static void find_systemd_boot(struct search *s)
{
	struct stat before = { 0 }, st;

	read_tokens(&s->tokens, s->root);
	for (unsigned i = 0; i < ESPS; i++) {
		/* One of these can be a link to another one. */
		if (fstatat(s->root, esps[i], &st, 0) || (st.st_ino == before.st_ino && st.st_dev == before.st_dev))
			continue;
		before = st;
		for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++)
			look_at(s, esps[i], &kinds[k]);
	}
}

/* Both boot what a rescue boot boots, and that claims nothing (doc/interface.md, "What is decided, and why", 0). */
static void find_others(struct search *s)
{
	struct menu *m;

	if (exists(s->root, EXTLINUX)) {
		bool single = file_has(s->root, EXTLINUX, "", " single") == 1;

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
	struct search s = { .m = m, .root = root->fd };
	struct proxmox p;

	read_proxmox(&p, root->fd);
	if (p.n)
		say_proxmox(&s, &p);
	else if (grub_boots(root->fd))
		find_grub(&s);
	else
		find_systemd_boot(&s);
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

bool menu_has_kernel_cmdline(const struct root *root)
{
	struct proxmox p;

	read_proxmox(&p, root->fd);
	if (!exists(root->fd, KERNEL_CMDLINE + 1))
		return false;
	return p.n ? !p.grub : !grub_boots(root->fd) && has_kernel_install(root->fd);
}

const char *menu_how_to_add_word(const struct root *root)
{
	struct proxmox p;

	read_proxmox(&p, root->fd);
	/* proxmox-boot-tool refresh alone would leave our entries as they were. */
	if (p.n)
		return p.grub ? "GRUB_CMDLINE_LINUX in /etc/default/grub, then proxmox-boot-tool refresh"
			      : KERNEL_CMDLINE ", then update-initramfs -u";
	if (grub_boots(root->fd))
		return "GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub";
	if (has_kernel_install(root->fd))
		return KERNEL_CMDLINE ", then update-initramfs -u";
	if (exists(root->fd, EXTLINUX))
		return "U_BOOT_PARAMETERS in /etc/default/u-boot, then u-boot-update";
	if (exists(root->fd, REFIND))
		return "/" REFIND;
	return NULL;
}
