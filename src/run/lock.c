// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "lock.h"

int lock_take(int root, clock_t deadline)
{
	int fd;

	/* The directories often exist. If they cannot be made, openat() fails and there is nothing to protect. */
	mkdirat(root, "run", 0755);
	mkdirat(root, "run/vfio-boot", 0755);
	fd = openat(root, "run/vfio-boot/lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EAGAIN) {
		if (is_past(deadline))
			return -EAGAIN;
		poll(NULL, 0, 50);
	}
	return fd < 0 ? 0 : fd;
}

void lock_release(int lock)
{
	flock(lock, LOCK_UN);
}
