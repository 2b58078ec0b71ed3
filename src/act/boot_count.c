// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "boot_count.h"

#define STORE	 "sys/firmware/efi/efivars"
#define VARIABLE STORE "/VfioBootFailed-ec15a822-bc62-4a71-bce4-7b9a12d7bf7c"

#define STORE_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* As linux/fs.h has them, which cannot be included together with sys/mount.h. */
#define GET_FLAGS      _IOR('f', 1, long)
#define SET_FLAGS      _IOW('f', 2, long)
#define FLAG_IMMUTABLE 0x10

/* Non-volatile, for boot services, for the running system; then the digit. */
struct content {
	uint8_t attributes[4];
	char digit;
};

bool boot_count_can_be(int root)
{
	return !faccessat(root, STORE, F_OK, 0);
}

/* Reads the count. Makes the file one that can be changed: efivarfs makes those immutable that it does not know. */
static void read_count(struct boot_count *c)
{
	int fd = openat(c->root->fd, VARIABLE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), flags = 0;
	struct content in;

	if (fd < 0)
		return;
	if (read(fd, &in, sizeof(in)) == sizeof(in) && in.digit >= '0' && in.digit <= '9')
		c->failed = (uint8_t)(in.digit - '0');
	if (!ioctl(fd, GET_FLAGS, &flags) && flags & FLAG_IMMUTABLE) {
		flags &= ~FLAG_IMMUTABLE;
		(void)ioctl(fd, SET_FLAGS, &flags);
	}
	close(fd);
}

/* Returns 0 or an errno. */
static int write_count(const struct boot_count *c)
{
	const struct content out = { { 7, 0, 0, 0 }, (char)('1' + c->failed) };
	int fd = openat(c->root->fd, VARIABLE, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644), error = errno;

	if (fd < 0)
		return error;
	errno = EIO;
	/* The firmware takes it in one piece. */
	error = write(fd, &out, sizeof(out)) == sizeof(out) ? 0 : errno;
	close(fd);
	return error;
}

/* Returns 0 or an errno. */
static int change(struct boot_count *c)
{
	read_count(c);
	if (c->clear)
		return unlinkat(c->root->fd, VARIABLE, 0) && errno != ENOENT ? errno : 0;
	return c->failed < FAILED_BOOTS_MAX ? write_count(c) : 0;
}

/* Runs in a child. */
static void change_in_store(const void *data, struct device *unit)
{
	struct boot_count *c = *(struct boot_count *const *)data;
	bool real = !c->root->sysroot, mounted;
	int error;

	(void)unit;
	if (real && fchdir(c->root->fd))
		return;
	/* Where it is mounted already, this is EBUSY. */
	mounted = real && !mount("efivarfs", STORE, "efivarfs", STORE_FLAGS, NULL);
	if (real && !mounted && errno != EBUSY) {
		c->errnum = (uint8_t)errno;
		return;
	}
	error = change(c);
	if (error == EROFS && real && !mount(NULL, STORE, NULL, MS_REMOUNT | STORE_FLAGS, NULL)) {
		error = change(c);
		(void)mount(NULL, STORE, NULL, MS_REMOUNT | MS_RDONLY | STORE_FLAGS, NULL);
	}
	if (mounted)
		umount2(STORE, 0);
	c->errnum = (uint8_t)error;
}

void boot_count_change(struct boot_count *c, clock_t deadline)
{
	/* This is what a child that dies leaves. */
	c->errnum = EIO;
	if (run_in_child(deadline, change_in_store, &c, NULL) == TIME_IS_UP)
		c->errnum = ETIMEDOUT;
}
