// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format.h"
#include "modules.h"
#include "sysfs.h"
#include "variant.h"

/*
 * Runs sbin/modprobe of the root with these arguments. Callers ignore its exit status and look for the driver
 * afterwards.
 */
static void run_modprobe(const struct act *act, const char *const argv[])
{
	/*
	 * initramfs-tools exports MODPROBE_OPTIONS=-qb, with which modprobe reports success for a blacklisted module
	 * without loading it.
	 */
	const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!fchdir(act->root->fd))
			execve("sbin/modprobe", (char *const *)argv, (char *const *)environment);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
}

static void modprobe(const struct act *act, const char *module, const char *option)
{
	const char *const argv[] = { "modprobe", module, option, NULL };

	if (is_past(act->deadline))
		return;
	text_set(&act->m->step, "modprobe %s", module);
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

	if (is_past(act->deadline) ||
	    read_attribute(&alias, act->root->fd, device_path(&alias, d->name, "modalias")) <= 0)
		return;
	text_set(&act->m->step, "modprobe -b %s", alias.p);
	run_modprobe(act, argv);
}
