// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bind.h"
#include "format.h"
#include "sysfs.h"
#include "vfio_users.h"

#define USERS_SHOWN 8

struct search {
	struct text *t;
	int root;
	unsigned group;
	const char *pid; /* the process that is looked at */
	unsigned found;
};

/*
 * Returns true if the path is a device node of the group: /dev/vfio/7, /dev/vfio/noiommu-7 (vfio_group_create()), or
 * that of one of its devices, /dev/vfio/devices/vfio0, which iommufd uses instead (vfio_device_set_name()).
 */
static bool is_of_group(const struct search *s, const char *path)
{
	static const char directory[] = "/dev/vfio/", devices[] = "devices/";
	struct text t, group;

	if (strncmp(path, directory, sizeof(directory) - 1))
		return false;
	path += sizeof(directory) - 1;
	text_set(&group, "%u", s->group);
	if (strncmp(path, devices, sizeof(devices) - 1))
		return !strcmp(path + (strncmp(path, "noiommu-", 8) ? 0 : 8), group.p);
	path += sizeof(devices) - 1;
	return read_link(&t, s->root, text_set(&t, "sys/class/vfio-dev/%s/device/iommu_group", path)) > 0 &&
	       !strcmp(base_name(t.p), group.p);
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
	if (s->found++ == USERS_SHOWN)
		text_add(s->t, ", ...");
	if (s->found > USERS_SHOWN)
		return 1;
	read_attribute(&t, s->root, text_set(&t, "proc/%s/comm", name));
	text_add(s->t, "%s%s (process %s)", s->found > 1 ? ", " : "", t.p, name);
	return 0;
}

bool add_group_users(struct text *t, int root, unsigned group)
{
	struct search s = { t, root, group, NULL, 0 };

	list_directory(root, "proc", look_at_process, &s);
	/* On a kernel without VFIO groups a process opens a device alone. Only /proc shows that. */
	if (s.found || !group_is_open(root, group))
		return s.found;
	text_add(t, "a process that cannot be seen from here");
	return true;
}

bool find_vf_users(struct text *t, int root, const char *pf)
{
	struct text vf, group;
	const char *number;

	for (unsigned i = 0; read_link(&vf, root, text_set(&vf, "sys/bus/pci/devices/%s/virtfn%u", pf, i)) > 0; i++) {
		if (read_link(&group, root, device_path(&group, base_name(vf.p), "iommu_group")) <= 0)
			continue;
		text_set(t, "its VF %s is open, by ", base_name(vf.p));
		number = base_name(group.p);
		if (add_group_users(t, root, decimal(&number)))
			return true;
	}
	return false;
}
