// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "format.h"
#include "obstacle.h"
#include "sysfs.h"

#define CONF "/etc/initramfs-tools/update-initramfs.conf"

static bool is_read_only(int fd)
{
	struct statvfs s;

	return !fstatvfs(fd, &s) && s.f_flag & ST_RDONLY;
}

static bool is_same_file_system(int a, int b)
{
	struct stat s, t;

	return !fstat(a, &s) && !fstat(b, &t) && s.st_dev == t.st_dev;
}

static bool find_read_only(struct obstacle *o, int root)
{
	int boot = openat(root, "boot", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *mounted;
	bool found;

	if (boot < 0)
		return false;
	found = is_read_only(boot);
	/* It need not be mounted itself. */
	mounted = is_read_only(root) && is_same_file_system(root, boot) ? "/" : "/boot";
	close(boot);
	if (!found)
		return false;
	text_set(&o->what, "%s is mounted read-only: no image can be written", mounted);
	text_set(&o->remedy, "mount -o remount,rw %s", mounted);
	return true;
}

/* Returns true if the value of a shell's assignment is `no`. */
static bool is_no(const char *value)
{
	value += *value == '"' || *value == '\'';
	return !strncmp(value, "no", 2) && strchr(" \t;\"'", value[2]);
}

/* update-initramfs, also that of dracut, runs the file as a part of its script. */
static bool find_turned_off(struct obstacle *o, int root)
{
	static const char name[] = "update_initramfs=";
	const char *line;
	struct lines l;
	bool off = false;

	if (faccessat(root, "usr/sbin/update-initramfs", F_OK, 0) || !lines_open(&l, root, CONF + 1))
		return false;
	while ((line = lines_next(&l))) {
		line += strspn(line, " \t");
		if (!strncmp(line, name, strlen(name)))
			off = is_no(line + strlen(name));
	}
	lines_close(&l);
	if (!off)
		return false;
	text_set(&o->what, "update_initramfs=no in %s: update-initramfs updates no image", CONF);
	text_set(&o->remedy, "set update_initramfs=yes");
	return true;
}

unsigned obstacles_find(struct obstacle o[OBSTACLES_MAX], const struct root *root)
{
	unsigned n = 0;

	n += find_read_only(&o[n], root->fd);
	n += find_turned_off(&o[n], root->fd);
	return n;
}
