// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "drift.h"
#include "firmware.h"
#include "format.h"
#include "image.h"
#include "listener.h"
#include "plan.h"
#include "settings.h"
#include "sysfs.h"

static void say_nothing(const struct listener *l, unsigned level, const char *text)
{
	(void)l;
	(void)level;
	(void)text;
}

/* Is there a decision over the machine? What cannot be read was never a failure of a status. */
static bool look(struct rows *s)
{
	const struct listener nobody = { say_nothing };

	if (s->looked)
		return s->seen;
	s->looked = true;
	/* What has been refused may have been taken out of the settings, and has a group all the same. */
	s->ctx->machine.read_all = true;
	s->seen = decide_machine(s->ctx, &nobody);
	return s->seen;
}

bool is_fault(const struct row *r)
{
	switch (r->report.kind) {
	case ROW_ABSENT:
		return !(r->report.notes & NOTE_OPTIONAL);
	case ROW_DEVICE:
		return r->report.verdict >= VERDICT_REFUSED;
	default:
		return true;
	}
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
		why = report_row_read(&s->row[s->n++].report, line);
	}
	lines_close(&l);
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

static struct device *device_of(struct rows *s, const struct row *r)
{
	const char *address = report_column(&r->report, REPORT_ADDRESS);

	return look(s) ? machine_find_name(&s->ctx->machine, address, strlen(address)) : NULL;
}

const struct device *drift_moved(struct rows *s, const struct row *r)
{
	const struct device *d;
	const struct row *other;
	struct text id;

	if (!look(s))
		return NULL;
	for_each_device(&s->ctx->machine, d) {
		text_set(&id, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
		if (strcmp(id.p, report_column(&r->report, REPORT_ID)) != 0)
			continue;
		/* One that was there at boot did not come since. */
		other = row_of(s, d->name);
		if (!other || strcmp(report_column(&other->report, REPORT_ID), id.p) != 0)
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

/* Was there a selector of that text in this boot, whatever it matched? */
static bool was_known(const struct rows *s, struct span selector)
{
	for (const struct row *r = s->row; r < s->row + s->n; r++) {
		if (span_is(selector, report_column(&r->report, REPORT_SELECTOR)))
			return true;
	}
	return false;
}

/* Did one of the selectors that mean the device mean anything in this boot? Then the device was not there yet. */
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

/* Do the settings select what they did not in this boot? What they keep they would not claim either. */
static bool is_new(const struct rows *s, const struct device *d)
{
	const struct row *r = row_of(s, d->name);

	if (!is_wanted(d) || !d->asked.selector || d->decided.verdict == VERDICT_KEPT)
		return false;
	return r ? r->report.verdict == VERDICT_EXCLUDED : !came_late(s, d);
}

bool drift_settings(struct rows *s, void (*warn)(void *data, const char *text), void *data)
{
	struct context *ctx = s->ctx;
	const struct device *d;
	const char *newer;
	bool drifted = false;
	struct image i;
	struct text t;

	image_find(&i, &ctx->root, kernel_release(&t, ctx->root.fd, NULL));
	newer = image_newer_settings(&i, &ctx->root, &ctx->buffers);
	if (!newer)
		return false;
	text_set(&t, "%s is newer than /%s: the image may have older settings (update-initramfs -u)", newer, i.path.p);
	warn(data, t.p);
	/* In a boot that claims nothing at all, nothing is missing. */
	if (ctx->machine.no_claim_reason || !look(s))
		return false;
	for_each_device(&ctx->machine, d) {
		if (!is_new(s, d))
			continue;
		warn(data, text_set(&t, "%pd: drifted: the settings select it now, and did not in this boot", d));
		drifted = true;
	}
	for (const struct row *r = s->row; r < s->row + s->n; r++) {
		d = was_claimed(r) ? device_of(s, r) : NULL;
		if (d && !is_wanted(d))
			warn(data,
			     text_set(&t, "%pd: the settings do not select it, the next boot leaves it to the host",
				      d));
	}
	return drifted;
}
