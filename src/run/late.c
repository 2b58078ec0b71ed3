// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "format.h"
#include "late.h"
#include "scan.h"
#include "selector.h"
#include "settings.h"
#include "sysfs.h"

static const char *const directory = "run/vfio-boot/late";

/* A batch has come when nothing has changed for so long. A kernel that finds a slow card takes no longer. */
#define QUIET_TICKS (TICKS * 3 / 10)
#define BATCH_TICKS (3 * TICKS)

void late_enable(int root, bool on)
{
	if (on)
		mkdirat(root, directory, 0755);
	else
		unlinkat(root, directory, AT_REMOVEDIR);
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
	for_each_selector(&settings->list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && selector_may_match(sel, &d))
			return true;
	}
	return false;
}

static const char *note_of(struct text *t, const char *name)
{
	return text_set(t, "%s/%s", directory, name);
}

bool late_note(int root, const char *name)
{
	struct text t;
	int fd;

	if (pciaddr_from_name(name, (unsigned)strlen(name)) == PCIADDR_NONE)
		return false;
	fd = openat(root, note_of(&t, name), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	close(fd);
	return fd >= 0;
}

bool late_is_noted(int root, const char *name)
{
	struct text t;

	return !faccessat(root, note_of(&t, name), F_OK, 0);
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
	clock_t now = deadline_after(0), quiet = now, limit = now + BATCH_TICKS;
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

struct taking {
	struct late *late;
	int root;
};

static int take_note(void *data, const char *name)
{
	const struct taking *t = data;
	struct late *late = t->late;
	struct text path;

	if (late->functions == LATE_MAX || strlen(name) >= PCIADDR_TEXT)
		return 0;
	memcpy(late->name[late->functions++], name, strlen(name) + 1);
	unlinkat(t->root, note_of(&path, name), 0);
	return 0;
}

void late_take(struct late *late, int root, const char *name)
{
	struct taking t = { late, root };

	late->functions = 0;
	take_note(&t, name);
	list_directory(root, directory, take_note, &t);
}

void late_recall(const struct late *late, struct machine *m)
{
	struct device *d;

	for_each_device(m, d)
		d->done.due = false;
	for (unsigned i = 0; i < late->functions; i++) {
		d = machine_find_name(m, late->name[i], strlen(late->name[i]));
		if (!d)
			continue;
		d->done.due = d->done.late = true;
		/* What could not be bound is a new function since. */
		d->done.tried = false;
	}
}
