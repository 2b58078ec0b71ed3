// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "errtext.h"
#include "firmware.h"
#include "format.h"
#include "listener.h"
#include "look_again.h"
#include "modules.h"
#include "open_group.h"
#include "plan.h"
#include "settings.h"
#include "store.h"
#include "sysfs.h"

/*
 * Writes the override, or clears it if `driver` is NULL. A line feed clears it; an empty write does nothing
 * (driver_override_store()).
 */
static int set_override(const struct act *act, const struct device *d, const char *driver)
{
	return store(act, driver ? driver : "\n", "pci/devices/", d->name, "/driver_override");
}

static int unbind(const struct act *act, const struct device *d, const char *driver)
{
	return store(act, d->name, "pci/drivers/", driver, "/unbind");
}

/* The kernel reports success even if no driver was bound. The caller must read the driver link. */
static int probe(const struct act *act, const struct device *d)
{
	return store(act, d->name, "pci/drivers_probe", "", "");
}

/* Returns the driver that holds the device now, whose name is stored in t, or NULL. */
static const char *driver_now(const struct act *act, const struct device *d, struct text *t)
{
	return read_driver(t, act->root->fd, d->name);
}

static bool has_driver(const struct act *act, const struct device *d, const char *driver)
{
	struct text t;
	const char *now = driver_now(act, d, &t);

	return now && driver && !strcmp(now, driver);
}

static bool is_there(const struct act *act, const struct device *d)
{
	struct text t;

	return !faccessat(act->root->fd, device_path(&t, d->name, ""), F_OK, 0);
}

/* Returns true if `ret` is 0. Otherwise stores the error in the device. */
static bool check_error(const struct act *act, struct device *d, int ret)
{
	if (!ret)
		return true;
	d->done.error = is_there(act, d) ? REASON_BIND : REASON_VANISHED;
	d->done.errnum = (uint8_t)-ret;
	return false;
}

/*
 * Unbinds the driver for a claim, unless somebody uses the device by now: loading modules and claiming other groups
 * take their time. Stores progress and error in the device.
 */
static bool take_from(const struct act *act, struct device *d, const char *driver)
{
	/* The host may use what is behind a bridge. It needs no driver for that. */
	if (!is_bridge(d) && !look_at_use(act, d))
		return false;
	/* Set the flag before the write: if the child dies in it, the kernel may have unbound the driver. */
	d->done.progress |= PROGRESS_UNBOUND;
	return check_error(act, d, unbind(act, d, driver));
}

/* Like set_override(), but stores progress and error in the device. */
static bool try_override(const struct act *act, struct device *d, const char *driver)
{
	d->done.progress |= PROGRESS_OVERRIDDEN;
	return check_error(act, d, set_override(act, d, driver));
}

/*
 * A bridge stays with the host. But if its driver blocks the group, this unbinds the driver, and an override keeps it
 * from coming back. Before Linux 5.19, a driver that joins a group in use is a kernel BUG, so a host bridge without a
 * driver gets the override as well. Later kernels refuse such a driver. Proxmox VE wants to bind host bridges, so they
 * get no override there.
 */
static bool clear_bridge(const struct act *act, struct device *d)
{
	if (blocks_group(d->found.driver))
		return try_override(act, d, "none") && take_from(act, d, d->found.driver);
	if (is_host_bridge(d) && act->m->kernel < KERNEL_DMA_OWNER && !d->asked.excluded)
		return try_override(act, d, "none");
	return true;
}

static bool claim_function(const struct act *act, struct device *d)
{
	return try_override(act, d, d->found.target) &&
	       (!d->found.driver || d->found.driver == d->found.target || take_from(act, d, d->found.driver)) &&
	       check_error(act, d, probe(act, d));
}

/* Returns true if the member has the driver that it should have after the claim. */
static bool has_right_driver(const struct act *act, const struct device *d)
{
	struct text t;
	const char *driver = driver_now(act, d, &t);

	if (!is_exempt(d))
		return driver && !strcmp(driver, d->found.target);
	return act->alone || (is_bridge(d) ? !blocks_group(driver) : !driver) || d->asked.excluded;
}

/* Checks the drivers of all members, or of all except the boot display. Stores an error in the first wrong one. */
static bool check_drivers(const struct act *act, struct device *unit, bool with_display)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		bool later = d->found.boot_display && !with_display && !is_exempt(d);

		if (!later && !has_right_driver(act, d)) {
			/* The kernel does not say what went wrong, so there is no errno. */
			check_error(act, d, EIO);
			d->done.errnum = 0;
			return false;
		}
		d->done.progress |= PROGRESS_CLAIMED;
	}
	return true;
}

/*
 * The kernel lets no driver have a function that has just come before it has dealt with all of its card
 * (pci_bus_add_devices()), which can take as long as the drivers of the other functions do.
 */
#define BIND_TRIES 40
#define BIND_PAUSE 50 /* milliseconds */

static void wait_for_driver(const struct act *act, const struct device *d)
{
	for (unsigned i = 0; i < BIND_TRIES && !has_right_driver(act, d) && !is_past(act->deadline); i++) {
		poll(NULL, 0, BIND_PAUSE);
		(void)probe(act, d);
	}
}

/*
 * Claims the boot display, or all other functions. The boot display comes last: vfio-pci removes the framebuffer when
 * it binds, and nothing brings it back if the rest of the claim fails.
 */
static bool claim_functions(const struct act *act, struct device *unit, bool display)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict != VERDICT_CLAIM || d->found.boot_display != display)
			continue;
		if (!claim_function(act, d))
			return false;
		if (act->m->late)
			wait_for_driver(act, d);
	}
	return check_drivers(act, unit, display);
}

static bool has_display(const struct act *act, const struct device *unit)
{
	while (unit && !unit->found.boot_display)
		unit = unit_next(act, unit);
	return unit;
}

bool unit_claim(const struct act *act, struct device *unit)
{
	if (!look_at_unit(act, unit))
		return false;
	for (struct device *d = unit; d && !act->alone; d = d->next) {
		if (is_bridge(d) && !clear_bridge(act, d))
			return false;
	}
	return claim_functions(act, unit, false) && (!has_display(act, unit) || claim_functions(act, unit, true)) &&
	       look_at_group(act, unit);
}

/*
 * sysfb_init() makes one platform device. Its name follows from the owner of the memory: for efifb and efidrm it is
 * efi-framebuffer.0. For BOOTFB there is no driver to unbind, because the device itself owns the memory.
 */
static void unbind_framebuffer(const struct act *act, const char *owner)
{
	struct text t;

	/* The name is the owner up to "fb" or "drm". Search behind the f of "efi". */
	text_set(&t, "%.*s-framebuffer.0", (int)strcspn(owner + 3, "fd") + 3, owner);
	store(act, t.p, "platform/devices/", t.p, "/driver/unbind");
}

void free_framebuffer(const void *data, struct device *d)
{
	const struct act *act = data;
	struct framebuffer found[FRAMEBUFFERS_MAX + 1];
	unsigned unbinds = act->m->settings->unbind == YES;
	struct text t;

	do {
		firmware_framebuffers(act->root->fd, found);
		read_attribute(&t, act->root->fd, device_path(&t, d->name, "resource"));
		d->done.framebuffer = NULL;
		for (const struct framebuffer *f = found; (f = framebuffer_in(f, t.p)); f++) {
			/* Store it before the write, which may never return. */
			d->done.framebuffer = f->owner;
			if (unbinds)
				unbind_framebuffer(act, f->owner);
		}
		/* After unbinding, look again at what remains. */
	} while (d->done.framebuffer && unbinds--);
}

/*
 * Writes the override until it is written, but no more than twice. Notes it if a device that is there refuses. Returns
 * true if it was written.
 */
static bool put_override(const struct act *act, struct device *d, const char *driver)
{
	/* NOLINTNEXTLINE(misc-redundant-expression) */
	if (!set_override(act, d, driver) || !set_override(act, d, driver))
		return true;
	if (is_there(act, d))
		d->done.progress |= PROGRESS_STUCK;
	else
		d->found.override = NULL; /* it may come back, and then has none */
	return false;
}

/* Takes back what a claim wrote to a device: the override, and then the driver, which would otherwise return. */
static void take_back(const struct act *act, struct device *d)
{
	/* A claim never binds a bridge, so a vfio driver there is somebody else's. */
	if (!put_override(act, d, NULL) || is_bridge(d) || !has_driver(act, d, d->found.target))
		return;
	unbind(act, d, d->found.target);
	if (has_driver(act, d, d->found.target))
		d->done.progress |= PROGRESS_HELD;
}

/*
 * Binds the driver that was unbound: by a probe, and if that does not help, by its name. Of a driver that an earlier
 * run unbound the name is unknown.
 */
static void rebind(const struct act *act, struct device *d)
{
	struct text t;
	/* NOLINTNEXTLINE(misc-redundant-expression) */
	bool failed = probe(act, d) && probe(act, d);

	if ((!failed && !(d->done.progress & PROGRESS_UNBOUND)) || !is_there(act, d))
		return;
	if (d->found.driver && d->found.driver != d->found.target && !has_driver(act, d, d->found.driver)) {
		store(act, d->name, "pci/drivers/", d->found.driver, "/bind");
		if (!has_driver(act, d, d->found.driver))
			d->done.progress |= PROGRESS_LOST;
	} else if (!driver_now(act, d, &t)) {
		d->done.progress |= PROGRESS_LOST;
	}
}

/*
 * Writes the override that was there before the claim. It has to be the last step: with vfio-pci in it, the device
 * would go back to vfio-pci instead of its own driver.
 */
static void restore_override(const struct act *act, struct device *d)
{
	if (d->done.progress & PROGRESS_OVERRIDDEN && d->found.override && !(d->done.progress & PROGRESS_STUCK))
		(void)put_override(act, d, d->found.override);
}

void unit_give_back(const struct act *act, struct device *unit)
{
	struct device *d;

	for (d = unit; d; d = unit_next(act, d)) {
		if (is_touched(d))
			d->done.progress &= PROGRESS_OVERRIDDEN | PROGRESS_UNBOUND;
	}
	/*
	 * Unbinding would wait until that user ends. Before Linux 5.19, a host driver in the same group is a kernel
	 * BUG.
	 */
	if (unit->group && group_is_open(act->root->fd, unit->group->number)) {
		unit->done.progress |= PROGRESS_OPEN;
		return;
	}
	for (d = unit; d; d = unit_next(act, d)) {
		if (d->done.progress & PROGRESS_OVERRIDDEN)
			take_back(act, d);
	}
	for (d = unit; d; d = unit_next(act, d)) {
		if (is_touched(d) && !(d->done.progress & PROGRESS_HELD))
			rebind(act, d);
	}
	for (d = unit; d; d = unit_next(act, d))
		restore_override(act, d);
}

bool is_claim_override(const struct device *d)
{
	if (d->done.progress & PROGRESS_OVERRIDDEN)
		return true;
	return is_vfio_driver(d->found.override) || has_bridge_override(d);
}

/*
 * Clears the overrides, then unbinds the vfio drivers. Each step ends for all devices before the next one begins,
 * because before Linux 5.19 a host driver in an open group is a kernel BUG.
 */
static void free_functions(const struct act *act, struct device *unit)
{
	struct device *d;
	bool ok = true;
	struct text t;

	for (d = unit; d; d = unit_next(act, d)) {
		if (is_claim_override(d))
			ok &= try_override(act, d, NULL);
	}
	/*
	 * With its override a device would return to vfio-pci. Read the driver again, because a child that died may
	 * have unbound it.
	 */
	for (d = unit; ok && d; d = unit_next(act, d)) {
		const char *driver = driver_now(act, d, &t);

		if (is_vfio_driver(driver))
			ok = check_error(act, d, unbind(act, d, driver));
	}
}

void unit_release(const struct act *act, struct device *unit)
{
	struct device *d;
	struct text t;

	/* Loading a module may never return, so do it before changing anything. */
	for (d = unit; d; d = unit_next(act, d)) {
		if (!is_bridge(d) && (!d->found.driver || is_vfio_driver(d->found.driver)))
			load_own_drivers(act, d);
	}
	/* The caller has checked this before. Check again, because unbinding would wait until the user ends. */
	if (unit->group && group_is_open(act->root->fd, unit->group->number)) {
		unit->done.progress |= PROGRESS_OPEN;
		return;
	}
	free_functions(act, unit);
	/* Probe all of them even if one failed: it is better if the host has a device than if nothing has it. */
	for (d = unit; d; d = unit_next(act, d)) {
		if (!driver_now(act, d, &t))
			check_error(act, d, probe(act, d));
	}
	for (d = unit; d; d = unit_next(act, d)) {
		const char *driver = driver_now(act, d, &t);

		d->done.driver = driver ? machine_name(act->m, driver) : NULL;
	}
	if (!is_past(act->deadline))
		unit->done.progress |= PROGRESS_ENDED;
}
