// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <unistd.h>

#include "format.h"
#include "modules.h"
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

void load_drivers(const struct act *act)
{
	struct machine *m = act->m;
	struct device *d;
	struct text t;

	/* It is only a soft dependency, and not every modprobe follows those: load it by name. */
	modprobe(act, "vfio_iommu_type1", NULL);
	/* The empty list overrides an old `options vfio-pci ids=`, which would bind devices that nobody selected. */
	modprobe(act, m->vfio_pci, "ids=");
	for_each_device(m, d) {
		if (d->decided.verdict != VERDICT_CLAIM)
			continue;
		if (d->found.alias_fields) {
			modprobe(act, d->found.target, NULL);
			d->found.target = driver_of_module(m, act->root->fd, d->found.target);
		}
		/*
		 * The kernel accepts any name as driver_override. A wrong one leaves the device without a driver for
		 * good.
		 */
		if (faccessat(act->root->fd, text_set(&t, "sys/bus/pci/drivers/%s", d->found.target), F_OK, 0))
			d->done.error = REASON_NO_DRIVER;
	}
}

void load_own_drivers(const struct act *act, const struct device *d)
{
	struct text alias;
	const char *const argv[] = { "modprobe", "-b", alias.p, NULL };

	if (read_attribute(&alias, act->root->fd, device_path(&alias, d->name, "modalias")) > 0)
		run_modprobe(act, argv);
}
