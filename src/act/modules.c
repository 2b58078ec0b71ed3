// SPDX-License-Identifier: GPL-2.0-or-later
#include "modules.h"
#include "format.h"
#include "store.h"
#include "sysfs.h"
#include "variant.h"

/*
 * Runs sbin/modprobe of the root with these arguments. Callers ignore its exit status and look for the driver
 * afterwards. initramfs-tools exports MODPROBE_OPTIONS=-qb, with which modprobe reports success for a blacklisted
 * module without loading it; run_program() leaves it out.
 */
static void run_modprobe(const struct act *act, const char *const argv[])
{
	struct text step;

	if (is_past(act->deadline))
		return;
	text_set(&step, "%s", argv[0]);
	for (unsigned i = 1; argv[i]; i++)
		text_add(&step, " %s", argv[i]);
	act->m->step = step;
	run_program(act->root->fd, "sbin/modprobe", argv);
}

static void modprobe(const struct act *act, const char *module, const char *option)
{
	const char *const argv[] = { "modprobe", module, option, NULL };

	run_modprobe(act, argv);
}

static bool is_driver(const struct act *act, const char *name)
{
	struct text t;

	return exists(act->root->fd, text_set(&t, "sys/bus/pci/drivers/%s", name));
}

/*
 * Loads the driver that a device is to be claimed for, unless it is there. With an alias (find_variants()) the target
 * is the name of a module until that has been loaded.
 */
static void load_driver(const struct act *act, struct device *d)
{
	if (d->found.alias_fields)
		d->found.target = driver_of_module(act->m, act->root->fd, d->found.target);
	if (is_driver(act, d->found.target))
		return;
	/* The empty list overrides an old `options vfio-pci ids=`, which would bind devices that nobody selected. */
	modprobe(act, d->found.target, d->found.alias_fields ? NULL : "ids=");
	if (d->found.alias_fields)
		d->found.target = driver_of_module(act->m, act->root->fd, d->found.target);
}

void load_drivers(const struct act *act)
{
	const char *last = NULL;
	bool is_there = false;
	struct device *d;

	for_each_device(act->m, d) {
		if (d->decided.verdict != VERDICT_CLAIM)
			continue;
		if (d->found.target != last) {
			load_driver(act, d);
			last = d->found.target;
			is_there = is_driver(act, last);
		}
		/*
		 * The kernel accepts any name as driver_override. A wrong one leaves the device without a driver for
		 * good.
		 */
		if (!is_there)
			d->done.error = REASON_NO_DRIVER;
	}
	/*
	 * kmod's modprobe has loaded it with vfio, as a soft dependency. Not every modprobe follows those. A kernel
	 * without VFIO groups has none (vfio_group_init() makes the class).
	 */
	if (!exists(act->root->fd, "sys/module/vfio_iommu_type1") && exists(act->root->fd, "sys/class/vfio"))
		modprobe(act, "vfio_iommu_type1", NULL);
}

void make_groups(const void *data, struct device *unit)
{
	/* Both IDs stand for any (PCI_ANY_ID). */
	static const char *const come[] = { "modprobe", "pci-stub", "ids=ffffffff:ffffffff", NULL };
	static const char *const go[] = { "modprobe", "-r", "pci-stub", NULL };
	const struct act *act = data;

	/* Somebody else's. */
	if (is_driver(act, "pci-stub"))
		return;
	run_modprobe(act, come);
	/* Whatever the time is: no other driver can have a device as long as pci-stub has it. */
	run_program(act->root->fd, "sbin/modprobe", go);
	/*
	 * A driver that was loaded meanwhile found them taken, as did one that waited for another device
	 * (-EPROBE_DEFER). Nobody else would offer them again.
	 */
	for (unit = act->m->device; unit < act->m->end; unit++)
		store_past_deadline(act, unit->name, "pci/drivers_probe", "", "");
}

void load_own_drivers(const struct act *act, const struct device *d)
{
	struct text alias;
	const char *const argv[] = { "modprobe", "-b", alias.p, NULL };

	if (read_attribute(&alias, act->root->fd, device_path(&alias, d->name, "modalias")) > 0)
		run_modprobe(act, argv);
}
