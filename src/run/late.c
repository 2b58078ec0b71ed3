// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "directory.h"
#include "format.h"
#include "late.h"
#include "report.h"
#include "scan.h"
#include "selector.h"
#include "settings.h"
#include "sysfs.h"

static const char *const directory = "run/vfio-boot/late", *const keep_path = "run/vfio-boot/keep",
			 *const vfs_path = "run/vfio-boot/vfs";

/* A batch has come when nothing has changed for so long. A kernel that finds a slow card takes no longer. */
#define QUIET_TICKS   ((clock_t)TICKS * 3 / 10)
#define BATCH_SECONDS 3

void late_enable(const struct settings *settings, int root, bool on, bool settled)
{
	if (on)
		mkdirat(root, directory, 0755);
	else
		directory_remove(root, directory);
	mark(root, keep_path, on && settings->keep);
	mark(root, vfs_path, on && settled && !list_is_empty(&settings->list[LIST_VFS]));
}

static bool is_virtual(int root, const char *name)
{
	struct text t;

	return read_link(&t, root, device_path(&t, name, "physfn")) > 0;
}

bool late_concerns(const struct settings *settings, int root, const char *name)
{
	const struct selector *sel;
	struct device d = { 0 };

	d.address = pciaddr_from_name(name, (unsigned)strlen(name));
	if (d.address == PCIADDR_NONE)
		return false;
	memcpy(d.name, name, strlen(name) + 1);
	/* It is gone again. */
	if (scan_ids(root, &d))
		return false;
	if (settings->group == GROUP_WHOLE)
		return true;
	/* It may be one of those that somebody has just made. */
	if (!list_is_empty(&settings->list[LIST_VFS]) && is_virtual(root, name))
		return true;
	for_each_selector(&settings->list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && selector_may_match(sel, &d))
			return true;
	}
	return false;
}

/* The name of a note is that of its function, with a + behind it if a driver was bound. */
static const char *note_of(struct text *t, const char *name, enum late_event event)
{
	return text_set(t, "%s/%s%s", directory, name, event == LATE_REBOUND ? "+" : "");
}

bool late_note(int root, const char *name, enum late_event event)
{
	struct text t;
	int fd;

	if (pciaddr_from_name(name, (unsigned)strlen(name)) == PCIADDR_NONE)
		return false;
	fd = openat(root, note_of(&t, name, event), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	close(fd);
	return fd >= 0;
}

bool late_is_noted(int root, const char *name, enum late_event event)
{
	struct text t;

	return !faccessat(root, note_of(&t, name, event), F_OK, 0);
}

bool late_is_done(int root, const char *name)
{
	struct text t;

	return is_vfio_driver(read_driver(&t, root, name)) && report_has_claimed(root, name);
}

void late_drop(int root, const char *name, enum late_event event)
{
	struct text t;

	unlinkat(root, note_of(&t, name, event), 0);
}

/* A sum of all names: it differs when one comes or goes. */
static int add_name(void *data, const char *name)
{
	uint64_t *sum = data;

	*sum += pciaddr_from_name(name, (unsigned)strlen(name)) + 1;
	return 0;
}

void late_wait(int root, clock_t deadline)
{
	clock_t quiet = 0, limit = deadline_after(BATCH_SECONDS);
	uint64_t before = 0;

	if (limit - deadline > 0)
		limit = deadline;
	do {
		uint64_t sum = 0;

		list_directory(root, "sys/bus/pci/devices", add_name, &sum);
		if (sum != before)
			quiet = deadline_after(0) + QUIET_TICKS;
		before = sum;
		poll(NULL, 0, 50);
	} while (!is_past(quiet) && !is_past(limit));
}

static void take(struct late *late, int root, const char *name, size_t len, enum late_event event)
{
	struct text path;
	char *to;

	if (late->functions >= LATE_MAX || len >= PCIADDR_TEXT)
		return;
	to = late->function[late->functions].name;
	memcpy(to, name, len);
	to[len] = '\0';
	late->function[late->functions++].event = (uint8_t)event;
	unlinkat(root, note_of(&path, to, event), 0);
}

struct taking {
	struct late *late;
	int root;
};

static int take_note(void *data, const char *name)
{
	const struct taking *t = data;
	size_t len = strcspn(name, "+");

	take(t->late, t->root, name, len, name[len] ? LATE_REBOUND : LATE_COME);
	return 0;
}

void late_take(struct late *late, int root, const char *name, enum late_event event)
{
	struct taking t = { late, root };

	late->functions = 0;
	if (name)
		take(late, root, name, strlen(name), event);
	list_directory(root, directory, take_note, &t);
}

void late_recall(const struct late *late, struct machine *m)
{
	struct device *d;

	for_each_device(m, d)
		d->done.due &= !m->late;
	for (unsigned i = 0; i < late->functions; i++) {
		const char *name = late->function[i].name;

		d = machine_find_name(m, name, strlen(name));
		/* What was released, or never claimed, is none of ours. */
		if (!d || (late->function[i].event == LATE_REBOUND && !d->done.was_claimed))
			continue;
		d->done.due = true;
		d->done.rebound = late->function[i].event == LATE_REBOUND;
		if (late->function[i].event == LATE_REBOUND)
			continue;
		/* Nothing was done to a function that has just come. */
		d->done.late = true;
		d->done.tried = d->done.foreign = false;
		if (!d->done.worker.pid)
			d->done.progress = 0;
	}
}
