// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "drift.h"
#include "firmware.h"
#include "format.h"
#include "image.h"
#include "message.h"
#include "plan.h"
#include "request.h"
#include "scan.h"
#include "settings.h"
#include "sysfs.h"

/* That the devices cannot be read is no failure of a status, so nobody gets the message. */
bool rows_decide(struct rows *s)
{
	if (s->tried)
		return s->decided;
	s->tried = true;
	s->decided = decide_machine(s->ctx, &nobody);
	return s->decided;
}

/* What came later is at the end of the report. Rows without a device are the last ones, in their order. */
static int by_address(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	const char *name = report_column(&left->report, REPORT_ADDRESS),
		   *other = report_column(&right->report, REPORT_ADDRESS);
	pciaddr first = pciaddr_from_name(name, (unsigned)strlen(name)),
		second = pciaddr_from_name(other, (unsigned)strlen(other));

	if (first != second)
		return first < second ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

bool rows_read(struct rows *s, struct text *wrong)
{
	static const char *const path = "/run/vfio-boot/report";
	const char *why = NULL, *line;
	unsigned number = 0;
	struct lines l;

	s->found = lines_open(&l, s->ctx->root.fd, path + 1);
	if (!s->found)
		return true;
	while (!why && (line = lines_next(&l))) {
		if (!number++) {
			why = strcmp(line, REPORT_FIRST_LINE) ? "not the first line of a report" : NULL;
			continue;
		}
		s->row = reallocarray(s->row, s->n + 1, sizeof(*s->row));
		if (!s->row)
			abort();
		memset(&s->row[s->n], 0, sizeof(*s->row));
		s->row[s->n].number = number;
		why = report_row_read(&s->row[s->n++].report, line);
	}
	lines_close(&l);
	if (s->n)
		qsort(s->row, s->n, sizeof(*s->row), by_address);
	if (!number)
		why = "empty";
	if (why)
		text_set(wrong, "%s:%u: %s", path, number, why);
	return !why;
}

void rows_free(struct rows *s)
{
	free(s->row);
}

bool was_claimed(const struct row *r)
{
	return r->report.verdict == VERDICT_CLAIM || r->report.verdict == VERDICT_ALREADY;
}

struct row *row_of(const struct rows *s, const char *address)
{
	for (struct row *r = s->row; r < s->row + s->n; r++) {
		if (!strcmp(report_column(&r->report, REPORT_ADDRESS), address))
			return r;
	}
	return NULL;
}

struct device *device_of(struct rows *s, const struct row *r)
{
	const char *address = report_column(&r->report, REPORT_ADDRESS);
	struct device *d = rows_decide(s) ? machine_find_name(&s->ctx->machine, address, strlen(address)) : NULL;

	/* If no setting is about it, the scan knows no more than its name. */
	return d && !scan_ids(s->ctx->root.fd, d) ? d : NULL;
}

const struct device *drift_moved(struct rows *s, const struct row *r)
{
	const struct row *other;
	struct device *d;

	if (!rows_decide(s))
		return NULL;
	for_each_device(&s->ctx->machine, d) {
		if (scan_ids(s->ctx->root.fd, d) || !report_row_has_id(&r->report, d))
			continue;
		/* A device that the report has at this address was there at boot. */
		other = row_of(s, d->name);
		if (!other || !report_row_has_id(&other->report, d))
			return d;
	}
	return NULL;
}

void drift_missing(struct rows *s, const struct row *r, void (*each)(void *data, const char *address), void *data)
{
	const struct device *d = device_of(s, r), *other;

	if (!d || !has_group(d))
		return;
	for_each_member(d->group, other) {
		if (other != d && is_missing(other))
			each(data, other->name);
	}
}

/* Returns true if the report has a row with this selector. */
static bool was_known(const struct rows *s, struct span selector)
{
	for (const struct row *r = s->row; r < s->row + s->n; r++) {
		if (span_is(selector, report_column(&r->report, REPORT_SELECTOR)))
			return true;
	}
	return false;
}

/* Returns a device that the selector selects, if possible one that no vfio driver holds, or NULL. */
static const struct device *selected_by(const struct machine *m, const struct selector *sel)
{
	const struct device *d, *held = NULL;

	for_each_device(m, d) {
		if (!is_wanted(d) || selector_match(sel, d) != SELECTOR_YES)
			continue;
		if (!is_vfio_driver(d->found.driver))
			return d;
		held = d;
	}
	return held;
}

const struct device *drift_arrived(struct rows *s, const struct row *r)
{
	const char *text = report_column(&r->report, REPORT_SELECTOR);
	const struct device *found = NULL, *d;
	const struct selector *sel;

	if (!rows_decide(s))
		return NULL;
	for_each_selector(&s->ctx->settings.list[LIST_IDS], sel) {
		if (!found && !(sel->flags & SELECTOR_EXCLUDES) && span_is(sel->text, text))
			found = selected_by(&s->ctx->machine, sel);
	}
	for_each_device(&s->ctx->machine, d) {
		if (!found && d->asked.vfs && span_is(d->asked.vfs->text, text))
			found = d;
	}
	return found;
}

/* Returns true if this boot knew a selector that matches the device. The device was not there yet then. */
static bool came_late(const struct rows *s, const struct device *d)
{
	const struct selector *sel;

	for_each_selector(&s->ctx->settings.list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && selector_match(sel, d) == SELECTOR_YES &&
		    was_known(s, sel->text))
			return true;
	}
	return false;
}

/* Returns true if the row of a selector tells of this device. */
static bool is_told(const struct rows *s, const struct device *d)
{
	for (const struct row *r = s->row; r < s->row + s->n; r++) {
		if (r->arrived == d)
			return true;
	}
	return false;
}

enum unclaimed { UNCLAIMED_NONE, UNCLAIMED_DRIFTED, UNCLAIMED_SINCE, UNCLAIMED_LATE };

/*
 * Returns why this boot did not claim a device that the settings select: they did not select it then (DRIFTED where its
 * image may not have them either), or it came late. NONE if the report or something else tells.
 */
static enum unclaimed find_unclaimed(const struct rows *s, const struct device *d, bool newer)
{
	const struct row *r = row_of(s, d->name);
	bool late = !r && came_late(s, d);

	if (!is_wanted(d) || !d->asked.selector || d->decided.verdict == VERDICT_KEPT)
		return UNCLAIMED_NONE;
	if (r && r->report.verdict != VERDICT_EXCLUDED)
		return UNCLAIMED_NONE;
	if (newer && !late)
		return UNCLAIMED_DRIFTED;
	if (is_told(s, d) || is_vfio_driver(d->found.driver))
		return UNCLAIMED_NONE;
	return late ? UNCLAIMED_LATE : UNCLAIMED_SINCE;
}

static void set_unclaimed(struct text *t, const struct device *d, enum unclaimed why)
{
	static const char *const texts[] = {
		[UNCLAIMED_DRIFTED] = "drifted: the settings select it now, and did not in this boot",
		[UNCLAIMED_SINCE] = "the settings select it now, and did not in this boot (reboot)",
		[UNCLAIMED_LATE] = "the settings select it, and it came after the claim of this boot; now ",
	};

	text_set(t, "%pd: %s", d, texts[why]);
	if (why != UNCLAIMED_LATE)
		return;
	add_binding(t, d->found.driver);
	text_add(t, " (vfio-boot claim %s)", d->name);
}

static bool warn_of_unclaimed(const struct rows *s, bool newer, void (*warn)(void *data, const char *text), void *data)
{
	const struct device *d;
	bool drifted = false;
	struct text t;

	for_each_device(&s->ctx->machine, d) {
		enum unclaimed why = find_unclaimed(s, d, newer);

		drifted |= why == UNCLAIMED_DRIFTED;
		if (!why)
			continue;
		set_unclaimed(&t, d, why);
		warn(data, t.p);
	}
	return drifted;
}

/* Warns of each PF whose VFs have not been made since `vfs` asks for them. */
static void warn_of_no_vfs(const struct rows *s, void (*warn)(void *data, const char *text), void *data)
{
	const struct device *d;
	struct text t;

	for_each_device(&s->ctx->machine, d) {
		if (d->asked.vfs && !d->found.vfs && plan_vfs(&s->ctx->machine, d) == VFS_FINE && !row_of(s, d->name))
			warn(data,
			     text_set(&t, "%pd: its %u virtual functions are not there (systemctl restart vfio-boot)",
				      d, d->asked.vfs->vfs));
	}
}

static void warn_of_deselected(struct rows *s, void (*warn)(void *data, const char *text), void *data)
{
	struct text t;

	for (const struct row *r = s->row; r < s->row + s->n; r++) {
		const struct device *d = was_claimed(r) ? device_of(s, r) : NULL;

		if (d && !is_wanted(d))
			warn(data,
			     text_set(&t, "%pd: the settings do not select it, the next boot leaves it to the host",
				      d));
	}
}

bool drift_settings(struct rows *s, void (*warn)(void *data, const char *text), void *data)
{
	struct context *ctx = s->ctx;
	const char *newer;
	struct image i;
	bool drifted;
	struct text t;

	image_find(&i, &ctx->root, kernel_release(&t, ctx->root.fd, NULL));
	newer = image_newer_settings(&i, &ctx->root, &ctx->buffers);
	if (newer) {
		text_set(&t, "%s is newer than /%s: the image may have older settings (update-initramfs -u)", newer,
			 i.path.p);
		warn(data, t.p);
	}
	/* A boot that claims nothing misses nothing. */
	if (ctx->machine.no_claim_reason || !rows_decide(s))
		return false;
	drifted = warn_of_unclaimed(s, newer, warn, data);
	warn_of_no_vfs(s, warn, data);
	if (newer)
		warn_of_deselected(s, warn, data);
	return drifted;
}
