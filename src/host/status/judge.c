// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "drift.h"
#include "format.h"
#include "message.h"
#include "plan.h"
#include "settings.h"
#include "sysfs.h"

struct member {
	const struct rows *rows;
	struct row *row;
};

/* Called for each member of the group of a claimed device. Returns 1 at the first that keeps the group from being used.
 */
static int judge_member(void *data, const char *name)
{
	const struct member *m = data;
	int root = m->rows->ctx->root.fd;
	struct text t;
	const char *driver;

	if (!strcmp(name, report_column(&m->row->report, REPORT_ADDRESS)))
		return 0;
	driver = read_driver(&t, root, name);
	if (!blocks_group(driver))
		return 0;
	text_set(&m->row->drift, "%s of its group is bound to %s, so the group is not usable", name, driver);
	return 1;
}

const char *driver_now(const struct row *r)
{
	return r->now.len ? r->now.p : NULL;
}

/* Returns true if the group of the device has another member that a claim takes. */
static bool has_mate(const struct device *d)
{
	const struct device *other;

	for_each_member(d->group, other) {
		if (other != d && !is_exempt(other))
			return true;
	}
	return false;
}

/* The hint is one only if a claim by hand would do it. */
static void judge_driver(struct rows *s, struct row *r)
{
	const struct device *d = device_of(s, r);

	text_set(&r->drift, "it is ");
	add_binding(&r->drift, driver_now(r));
	text_add(&r->drift, " now");
	if (d && d->group && d->decided.verdict == VERDICT_CLAIM)
		text_add(&r->drift, " (vfio-boot claim %s%s)", has_mate(d) ? "--whole " : "", d->name);
}

/* Returns true if the settings have this selector, and it is optional. */
static bool is_optional(const struct settings *settings, const char *text)
{
	const struct selector *sel;

	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&settings->list[i], sel) {
			if (span_is(sel->text, text) && sel->flags & SELECTOR_OPTIONAL)
				return true;
		}
	}
	return false;
}

static void judge_gone(struct rows *s, struct row *r)
{
	/* What came later may well have gone for good. */
	const struct device *moved = r->report.notes & NOTE_LATE ? NULL : drift_moved(s, r);

	text_set(&r->drift, "it is gone");
	r->optional = is_optional(&s->ctx->settings, report_column(&r->report, REPORT_SELECTOR));
	if (r->optional)
		text_add(&r->drift, " (optional)");
	if (moved)
		text_add(&r->drift, "; %s is at %s now", report_column(&r->report, REPORT_ID), moved->name);
}

/* Compares the row of a device with sysfs, and stores the driver of now and what has drifted. */
static void judge_device(struct rows *s, struct row *r)
{
	int root = s->ctx->root.fd;
	const char *address = report_column(&r->report, REPORT_ADDRESS),
		   *group = report_column(&r->report, REPORT_GROUP);
	struct member member = { s, r };
	struct text t;
	const char *driver = read_driver(&t, root, address);

	if (driver)
		text_set(&r->now, "%s", driver);
	if (!was_claimed(r))
		return;
	if (read_link(&t, root, text_set(&t, "sys/bus/pci/devices/%s", address)) < 0)
		judge_gone(s, r);
	else if (strcmp(r->now.p, report_column(&r->report, REPORT_DRIVER)))
		judge_driver(s, r);
	else if (read_link(&t, root, device_path(&t, address, "iommu_group")) > 0 && strcmp(base_name(t.p), group))
		text_set(&r->drift, "its group is %s now", base_name(t.p));
	else if (s->ctx->settings.group != GROUP_IGNORE)
		list_directory(root, text_set(&t, "sys/kernel/iommu_groups/%s/devices", group), judge_member, &member);
}

/* Returns true if what was absent at boot is claimed by now, or is a PF that has its VFs. */
static bool is_as_wanted(const struct device *d)
{
	return d->asked.vfs ? d->found.vfs == d->asked.vfs->vfs : is_vfio_driver(d->found.driver);
}

/* Returns true if the row says that something is not as it should be. */
static bool is_fault(const struct row *r)
{
	switch (r->report.kind) {
	case ROW_ABSENT:
		return !(r->report.notes & NOTE_OPTIONAL) && !(r->arrived && is_as_wanted(r->arrived));
	case ROW_DEVICE:
		return (r->drift.len && !r->optional) || r->report.verdict >= VERDICT_REFUSED ||
		       r->report.reason == REASON_ROOT_MISSING;
	default:
		return true;
	}
}

bool rows_judge(struct rows *s)
{
	bool wrong = false;

	for (struct row *r = s->row; r < s->row + s->n; r++) {
		if (r->report.kind == ROW_DEVICE)
			judge_device(s, r);
		else if (r->report.kind == ROW_ABSENT)
			r->arrived = drift_arrived(s, r);
		r->wrong = is_fault(r);
		wrong |= r->wrong;
	}
	return wrong;
}
