/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat: the one place where klibc and glibc differ in a call. */
#ifndef VFIO_BOOT_COMPAT_H
#define VFIO_BOOT_COMPAT_H

#include <dirent.h>

/* klibc calls the system call getdents64 getdents; glibc has it under its own name since 2.30. */
#ifndef __KLIBC__
#include <sys/types.h>
static inline ssize_t read_entries(int fd, void *buf, unsigned size)
{
	return getdents64(fd, buf, size);
}
#else
static inline ssize_t read_entries(int fd, void *buf, unsigned size)
{
	return getdents((unsigned)fd, buf, size);
}
#endif

#endif
