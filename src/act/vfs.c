// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "format.h"
#include "selector.h"
#include "store.h"
#include "sysfs.h"
#include "vfs.h"

static const char *const devices = "pci/devices/";

static unsigned read_number(const struct act *act, const struct device *pf, const char *name)
{
	struct text path;

	return read_decimal(act->root->fd, device_path(&path, pf->name, name));
}

/* Writes the number and looks what came of it: some drivers report success and make another number. */
static void set_number(const struct act *act, struct device *pf, unsigned vfs)
{
	struct text number;
	int ret = store(act, text_set(&number, "%u", vfs), devices, pf->name, "/sriov_numvfs");

	pf->found.vfs = (uint16_t)read_number(act, pf, "sriov_numvfs");
	if (!ret && pf->found.vfs == vfs)
		return;
	pf->done.errnum = (uint8_t)-ret;
	pf->done.error = REASON_VFS;
}

void vfs_put_back(const void *data, struct device *pf)
{
	const struct act *act = data;

	if (!pf->done.autoprobe_off)
		return;
	store_past_deadline(act, "1", devices, pf->name, "/sriov_drivers_autoprobe");
	pf->done.autoprobe_off = false;
}

void vfs_make(const void *data, struct device *pf)
{
	const struct act *act = data;

	if (read_number(act, pf, "sriov_drivers_autoprobe")) {
		/* Set it before the write: the child may die in it. */
		pf->done.autoprobe_off = true;
		store(act, "0", devices, pf->name, "/sriov_drivers_autoprobe");
	}
	set_number(act, pf, pf->asked.vfs->vfs);
	vfs_put_back(act, pf);
}

void vfs_leave_to_host(const void *data, struct device *vf)
{
	store(data, vf->name, "pci/drivers_probe", "", "");
}

void vfs_take_away(const void *data, struct device *pf)
{
	set_number(data, pf, 0);
}
