/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menu: finds the boot menus of this host, and their entries that boot without passthrough. Host program only. */
#ifndef VFIO_BOOT_MENU_H
#define VFIO_BOOT_MENU_H

#include "pipeline.h"

enum menu_state {
	MENU_HAS,     /* it has such an entry */
	MENU_LACKS,   /* it has none, and should */
	MENU_UNKNOWN, /* it could not be read */
	MENU_CANNOT,  /* vfio-boot makes none there */
};

struct menu {
	enum menu_state state;
	struct text what;   /* a sentence on what was found */
	struct text remedy; /* a command, what to do at the menu, or empty */
	const char *choose; /* with MENU_HAS: what to choose at the boot, a constant; else NULL */
};

#define MENUS_MAX 12

/*
 * Finds the menus that boot this host, by their files below the root: those of proxmox-boot-tool, or else that of GRUB
 * or of systemd-boot (entries of type 1, and unified kernel images), by what the boot loader says of itself; and those
 * of extlinux and rEFInd. An ESP is looked for where it is mounted, see `esps`. Those of proxmox-boot-tool are not,
 * there what boot-entries has written down counts. Of systemd-boot only entries of this system count. Stores them in
 * m[], and returns how many there are.
 */
unsigned menus_find(struct menu m[MENUS_MAX], const struct root *root) __attribute__((nonnull));

/* The command line that kernel-install and proxmox-boot-tool give to the kernel. */
#define KERNEL_CMDLINE "/etc/kernel/cmdline"

/* Returns true if the next boot has its command line from KERNEL_CMDLINE, once the menu has been renewed. */
bool menu_has_kernel_cmdline(const struct root *root) __attribute__((nonnull));

/*
 * Returns how a word comes onto the kernel command line of every boot: which file to change, and which command to run.
 * NULL if the boot loader is not known.
 */
const char *menu_how_to_add_word(const struct root *root) __attribute__((nonnull));

#endif
