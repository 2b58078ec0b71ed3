// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "open_group.h"
#include "sysfs.h"

struct search {
	int root;
	unsigned group;
	const char *pid; /* the process that is looked at */
	int (*each)(void *data, const char *pid);
	void *data;
};

/* Returns what stands behind a prefix of a text, or NULL if the text does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/*
 * Returns true if the path is that of the device file of the group: /dev/vfio/7, /dev/vfio/noiommu-7
 * (vfio_group_create()), or of one of its devices: /dev/vfio/devices/vfio0 (vfio_device_set_name()). For a process that
 * has another /dev than this one, as libvirt gives it to QEMU, the kernel shows the path within that: /vfio/7.
 */
static bool is_of_group(const struct search *s, const char *path)
{
	const char *inside = behind(path, "/dev"), *file = behind(inside ? inside : path, "/vfio/"), *number;
	struct text t, group;

	if (!file)
		return false;
	number = behind(file, "devices/");
	if (number) {
		read_link(&t, s->root, text_set(&t, "sys/class/vfio-dev/%s/device/iommu_group", number));
		number = base_name(t.p);
	} else {
		number = behind(file, "noiommu-");
	}
	return !strcmp(number ? number : file, text_set(&group, "%u", s->group));
}

static int look_at_descriptor(void *data, const char *name)
{
	const struct search *s = data;
	struct text t;

	return read_link(&t, s->root, text_set(&t, "proc/%s/fd/%s", s->pid, name)) > 0 && is_of_group(s, t.p);
}

static int look_at_process(void *data, const char *name)
{
	struct search *s = data;
	struct text t;

	if (*name < '0' || *name > '9')
		return 0;
	s->pid = name;
	if (list_directory(s->root, text_set(&t, "proc/%s/fd", name), look_at_descriptor, s) <= 0)
		return 0;
	return s->each(s->data, name);
}

void each_group_user(int root, unsigned number, int (*each)(void *data, const char *pid), void *data)
{
	struct search s = { root, number, NULL, each, data };

	list_directory(root, "proc", look_at_process, &s);
}

static int note_user(void *data, const char *pid)
{
	(void)pid;
	*(bool *)data = true;
	return 1;
}

bool group_is_open(int root, unsigned number)
{
	struct text t;
	int fd = openat(root, text_set(&t, "dev/vfio/%u", number), O_RDWR | O_CLOEXEC);
	bool is_open = fd < 0 && errno == EBUSY;

	if (fd < 0 && errno == ENOENT)
		each_group_user(root, number, note_user, &is_open);
	close(fd);
	return is_open;
}
