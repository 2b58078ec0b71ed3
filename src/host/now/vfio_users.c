// SPDX-License-Identifier: GPL-2.0-or-later
#include "vfio_users.h"
#include "format.h"
#include "open_group.h"
#include "sysfs.h"

#define USERS_SHOWN 8

struct users {
	struct text *t;
	int root;
	unsigned found;
};

static int add_user(void *data, const char *pid)
{
	struct users *u = data;
	struct text t;

	if (u->found++ == USERS_SHOWN)
		text_add(u->t, ", ...");
	if (u->found > USERS_SHOWN)
		return 1;
	read_attribute(&t, u->root, text_set(&t, "proc/%s/comm", pid));
	text_add(u->t, "%s%s (process %s)", u->found > 1 ? ", " : "", t.p, pid);
	return 0;
}

bool add_group_users(struct text *t, int root, unsigned group)
{
	struct users u = { t, root, 0 };

	each_group_user(root, group, add_user, &u);
	if (u.found || !group_is_open(root, group))
		return u.found;
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
