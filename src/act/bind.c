// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "errtext.h"
#include "firmware.h"
#include "format.h"
#include "listener.h"
#include "modules.h"
#include "plan.h"
#include "settings.h"
#include "sysfs.h"

/*
 * One store below /sys/bus: one open, one write, and a short one is an error. 0 or -errno. Past the time limit
 * nothing is begun any more.
 */
static int store(const struct act *act, const char *value, const char *before, const char *name, const char *after)
{
	struct text *step = &act->m->step;
	int fd, ret, len = (int)strlen(value), put;
	unsigned path;

	if (is_past(act->deadline))
		return -EBUSY;
	/* Somebody who waits for it in vain reads this. */
	text_set(step, "%s to /", *value == '\n' ? "a line feed" : value);
	path = step->len;
	text_add(step, "sys/bus/%s%s%s", before, name, after);
	fd = openat(act->root->fd, step->p + path, O_WRONLY | O_CLOEXEC);
	put = fd < 0 ? -1 : (int)write(fd, value, (size_t)len);
	ret = put < 0 ? -errno : put == len ? 0 : -EIO;
	close(fd);
	if (act->m->settings->log == LOG_DEBUG)
		say(act->log, LEVEL_DEBUG, "%s: %s", step->p, ret ? error_text(-ret) : "ok");
	return ret;
}

/* An override is cleared with a lone line feed: a write of no bytes does nothing (driver_override_store()). */
static int set_override(const struct act *act, const struct device *d, const char *driver)
{
	return store(act, driver ? driver : "\n", "pci/devices/", d->name, "/driver_override");
}

static int unbind(const struct act *act, const struct device *d, const char *driver)
{
	return store(act, d->name, "pci/drivers/", driver, "/unbind");
}

/* Success says nothing: the kernel reports it also when nothing was bound. The link has to be read back. */
static int probe(const struct act *act, const struct device *d)
{
	return store(act, d->name, "pci/drivers_probe", "", "");
}

/* The driver that holds the device now, or NULL. */
static const char *driver_now(const struct act *act, const struct device *d)
{
	struct text t;

	if (read_link(&t, act->root->fd, device_path(&t, d->name, "driver")) <= 0)
		return NULL;
	return machine_name(act->m, base_name(t.p));
}

static bool is_there(const struct act *act, const struct device *d)
{
	struct text t;

	return !faccessat(act->root->fd, device_path(&t, d->name, ""), F_OK, 0);
}

/* Notes what went wrong with a device where something did; true where nothing did. */
static bool went_well(const struct act *act, struct device *d, int ret)
{
	if (!ret)
		return true;
	d->done.error = is_there(act, d) ? REASON_BIND : REASON_VANISHED;
	d->done.errnum = (uint8_t)-ret;
	return false;
}

static bool take_off(const struct act *act, struct device *d, const char *driver)
{
	/* Noted before the write: a child that dies in it has perhaps written. */
	d->done.progress |= PROGRESS_UNBOUND;
	return went_well(act, d, unbind(act, d, driver));
}

static bool override(const struct act *act, struct device *d, const char *driver)
{
	d->done.progress |= PROGRESS_OVERRIDDEN;
	return went_well(act, d, set_override(act, d, driver));
}

/*
 * A bridge stays with the host as it is, but a driver that blocks its group has to go, and the override keeps it off.
 * Before Linux 5.19 a driver that joins a group in use is a kernel BUG: there a driverless host bridge gets the
 * override too. Later kernels refuse such a driver themselves, and Proxmox VE wants to bind host bridges without an
 * override.
 */
static bool clear_bridge(const struct act *act, struct device *d)
{
	if (blocks_group(d->found.driver))
		return override(act, d, "none") && take_off(act, d, d->found.driver);
	if (is_host_bridge(d) && act->m->kernel < KERNEL_DMA_OWNER && !d->asked.excluded)
		return override(act, d, "none");
	return true;
}

static bool claim_function(const struct act *act, struct device *d)
{
	return override(act, d, d->found.target) &&
	       (!d->found.driver || d->found.driver == d->found.target || take_off(act, d, d->found.driver)) &&
	       went_well(act, d, probe(act, d));
}

/* Has every member, or all but the boot display, the driver that it should have? */
static bool all_right(const struct act *act, struct device *unit, bool with_display)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		const char *driver = driver_now(act, d);
		bool right = driver == d->found.target;

		if (is_exempt(d))
			right = act->alone || (is_bridge(d) ? !blocks_group(driver) : !driver) || d->asked.excluded;
		else if (d->found.boot_display && !with_display)
			right = true;
		if (!right) {
			went_well(act, d, EIO);
			d->done.errnum = 0;
			return false;
		}
		d->done.progress |= PROGRESS_CLAIMED;
	}
	return true;
}

/* The boot display comes last: vfio-pci takes the framebuffer away as it binds, whatever happens afterwards. */
static bool claim_functions(const struct act *act, struct device *unit, bool display)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict == VERDICT_CLAIM && d->found.boot_display == display && !claim_function(act, d))
			return false;
	}
	return all_right(act, unit, display);
}

struct newcomer {
	struct machine *m;
	struct group *group;
};

static int find_newcomer(void *data, const char *name)
{
	const struct newcomer *n = data;
	const struct device *d;

	for_each_member(n->group, d) {
		if (!strcmp(d->name, name))
			return 0;
	}
	n->group->non_pci_member = machine_name(n->m, name);
	return 1;
}

/* The group once more: is there nobody new in it? */
static bool is_whole(const struct act *act, struct device *unit)
{
	struct newcomer n = { act->m, unit->group };
	struct text t;

	return act->alone ||
	       !list_directory(act->root->fd, text_set(&t, "sys/kernel/iommu_groups/%u/devices", unit->group->number),
			       find_newcomer, &n);
}

bool unit_claim(const struct act *act, struct device *unit)
{
	for (struct device *d = unit; d && !act->alone; d = d->next) {
		if (is_bridge(d) && !clear_bridge(act, d))
			return false;
	}
	return claim_functions(act, unit, false) && claim_functions(act, unit, true) && is_whole(act, unit);
}

/*
 * sysfb_init() makes one platform device, which is named like who holds the memory: that of efifb and efidrm is
 * efi-framebuffer.0. No driver leaves BOOTFB, which the device itself holds.
 */
static void unbind_framebuffer(const struct act *act, const char *owner)
{
	struct text t;

	/* Up to "fb" or "drm", not to the f of efi. */
	text_set(&t, "%.*s-framebuffer.0", (int)strcspn(owner + 3, "fd") + 3, owner);
	store(act, t.p, "platform/devices/", t.p, "/driver/unbind");
}

void free_framebuffer(const void *data, struct device *d)
{
	const struct act *act = data;
	struct framebuffer found[FRAMEBUFFERS_MAX + 1];
	unsigned again = act->m->settings->unbind == YES;
	struct text t;

	do {
		firmware_framebuffers(act->root->fd, found);
		read_attribute(&t, act->root->fd, device_path(&t, d->name, "resource"));
		d->done.framebuffer = NULL;
		for (const struct framebuffer *f = found; (f = framebuffer_in(f, t.p)); f++) {
			/* Noted before the write, which may never return. */
			d->done.framebuffer = f->owner;
			if (again)
				unbind_framebuffer(act, f->owner);
		}
		/* What is there still? */
	} while (d->done.framebuffer && again--);
}

bool group_is_open(int root, unsigned number)
{
	struct text t;
	int fd = openat(root, text_set(&t, "dev/vfio/%u", number), O_RDWR | O_CLOEXEC);
	bool busy = fd < 0 && errno == EBUSY;

	close(fd);
	return busy;
}

/* Brings back the driver that was taken off; where a probe does not, by its name. */
static void rebind(const struct act *act, struct device *d)
{
	probe(act, d);
	if (!(d->done.progress & PROGRESS_UNBOUND) || driver_now(act, d) == d->found.driver)
		return;
	store(act, d->name, "pci/drivers/", d->found.driver, "/bind");
	if (driver_now(act, d) != d->found.driver)
		d->done.progress |= PROGRESS_LOST;
}

void unit_give_back(const struct act *act, struct device *unit)
{
	struct device *d;

	for (d = unit; d; d = unit_next(act, d))
		d->done.progress &= (uint8_t)~PROGRESS_CLAIMED;
	/* Unbinding would wait for that user's end, and a host driver beside it is a kernel BUG before 5.19. */
	if (group_is_open(act->root->fd, unit->group->number)) {
		unit->done.progress |= PROGRESS_OPEN;
		return;
	}
	for (d = unit; d; d = unit_next(act, d)) {
		if (!(d->done.progress & PROGRESS_OVERRIDDEN))
			continue;
		/* A clearing that fails is tried once more. NOLINTNEXTLINE(misc-redundant-expression) */
		if (set_override(act, d, d->found.override) && set_override(act, d, d->found.override) &&
		    is_there(act, d))
			d->done.progress |= PROGRESS_STUCK;
		if (driver_now(act, d) == d->found.target)
			unbind(act, d, d->found.target);
	}
	for (d = unit; d; d = unit_next(act, d)) {
		if (d->done.progress & (PROGRESS_OVERRIDDEN | PROGRESS_UNBOUND))
			rebind(act, d);
	}
}

bool is_claim_override(const struct device *d)
{
	if (d->done.progress & PROGRESS_OVERRIDDEN)
		return true;
	return d->found.override &&
	       (is_vfio_driver(d->found.override) || (is_bridge(d) && !strcmp(d->found.override, "none")));
}

/* Each step is done for all before the next one begins: a host driver beside an open group is a BUG before 5.19. */
static void free_functions(const struct act *act, struct device *unit)
{
	struct device *d;
	bool well = true;

	for (d = unit; d; d = unit_next(act, d)) {
		if (is_claim_override(d))
			well &= override(act, d, NULL);
	}
	/* With the override it would come back to vfio-pci. A child that died may have taken the driver off. */
	for (d = unit; well && d; d = unit_next(act, d)) {
		const char *driver = driver_now(act, d);

		if (is_vfio_driver(driver))
			well = take_off(act, d, driver);
	}
}

void unit_release(const struct act *act, struct device *unit)
{
	struct device *d;

	/* First, since nothing has changed yet where a module takes for ever. */
	for (d = unit; d; d = unit_next(act, d)) {
		if (!is_bridge(d) && (!d->found.driver || is_vfio_driver(d->found.driver)))
			load_own_drivers(act, d);
	}
	/* Once more, just before what would wait for that user's end. */
	if (unit->group && group_is_open(act->root->fd, unit->group->number)) {
		unit->done.progress |= PROGRESS_OPEN;
		return;
	}
	free_functions(act, unit);
	/* Also what another one of them failed for: the host has them rather than nobody. */
	for (d = unit; d; d = unit_next(act, d)) {
		if (!driver_now(act, d))
			went_well(act, d, probe(act, d));
	}
	for (d = unit; d; d = unit_next(act, d))
		d->done.driver = driver_now(act, d);
	if (!is_past(act->deadline))
		unit->done.progress |= PROGRESS_ENDED;
}
