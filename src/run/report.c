// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "format.h"
#include "log.h"
#include "nearest.h"
#include "plan.h"
#include "report.h"
#include "scan.h"
#include "selector.h"
#include "settings.h"
#include "sysfs.h"

static const char *const report_path = "run/vfio-boot/report", *const new_path = "run/vfio-boot/report.new";

/*
 * Calls each() for the rows of the report, with the device that is at the address now, or NULL. Without `m` it is NULL.
 * Skips lines that are no rows. Returns 0, also without a report, EINVAL if the report is of another version, or
 * another errno.
 */
static int each_row(struct machine *m, int root,
		    void (*each)(void *data, struct device *d, const struct report_row *row), void *data)
{
	struct report_row row;
	struct lines l;
	char *line;
	int ret = 0;

	if (!lines_open(&l, root, report_path))
		return errno == ENOENT ? 0 : errno;
	line = lines_next(&l);
	if (line && strcmp(line, REPORT_FIRST_LINE) != 0)
		ret = EINVAL;
	while (!ret && (line = lines_next(&l))) {
		const char *address = row.text;

		if (!report_row_read(&row, line))
			each(data, m ? machine_find_name(m, address, strlen(address)) : NULL, &row);
	}
	lines_close(&l);
	return l.failed ? EIO : ret;
}

struct recall {
	struct machine *m;
	int root;
};

static bool is_alive(int root, const struct worker *w)
{
	struct text pid;
	uint32_t start = process_start(root, text_set(&pid, "%u", w->pid));

	return start && (!w->start || start == w->start);
}

static void recall_row(void *data, struct device *d, const struct report_row *row)
{
	const struct recall *r = data;

	/* A run that could not read the devices left everything open. */
	if (row->kind == ROW_RUN)
		r->m->settle = false;
	/* Another function may be at its address now. */
	if (!d || scan_ids(r->root, d) || !report_row_has_id(row, d))
		return;
	/* Whatever the settings say, no later look of this boot takes again what it was to have back. */
	d->done.given_back =
		r->m->phase == PHASE_SECOND_LOOK && (row->reason == REASON_ROOT_MISSING || row->notes & NOTE_ROOT);
	d->done.tried = r->m->phase == PHASE_SECOND_LOOK && row->reason == REASON_BIND;
	d->done.late = row->notes & NOTE_LATE;
	d->done.released = row->verdict == VERDICT_GIVEN_BACK;
	d->done.was_claimed = row->verdict == VERDICT_CLAIM || row->verdict == VERDICT_ALREADY;
	if (row->verdict != VERDICT_PENDING && row->reason != REASON_TIMEOUT && !(row->notes & NOTES_OWED))
		return;
	/* One that is given back is a release that took too long (vfio-boot release). No later run repeats it. */
	if (row->verdict != VERDICT_GIVEN_BACK)
		d->done.due = true;
	d->done.foreign = row->notes & NOTE_BEFORE;
	if (row->notes & NOTE_DRIVER)
		d->done.progress |= PROGRESS_UNBOUND;
	if (row->worker.pid && is_alive(r->root, &row->worker))
		d->done.worker = row->worker;
	/* The process may have written the override: report_recall_overrides() finds out. */
	else if (row->worker.pid || row->notes & (NOTE_OVERRIDE | NOTE_HELD | NOTE_BEFORE))
		d->done.progress |= PROGRESS_OVERRIDDEN;
}

void report_recall(struct machine *m, int root)
{
	struct recall r = { m, root };

	(void)!each_row(m, root, recall_row, &r);
}

/* Returns true if the row is about this selector, which may be NULL. */
static bool is_about(const struct report_row *row, const struct selector *sel)
{
	return sel && span_is(sel->text, report_column(row, REPORT_SELECTOR));
}

static void recall_absent(void *data, struct device *d, const struct report_row *row)
{
	struct machine *m = data;

	if (row->kind != ROW_ABSENT)
		return;
	for_each_device(m, d) {
		if (is_wanted(d) && is_about(row, d->asked.selector))
			d->done.due = d->done.late = true;
	}
}

void report_recall_arrived(struct machine *m, int root)
{
	(void)!each_row(m, root, recall_absent, m);
}

/*
 * Returns true if the override is that of a claim. Without an override the driver tells. A device with neither may have
 * been left by a give-back that did not end, and needs a probe. So does one that had an override before the claim, and
 * needs that.
 */
static bool is_of_claim(const struct device *d)
{
	if (!d->found.override)
		return d->found.detailed && (d->done.foreign || !d->found.driver || d->found.driver == d->found.target);
	return d->found.override == d->found.target || has_bridge_override(d);
}

/* What an earlier run owes and cannot be put right by this one, since somebody has written an override meanwhile. */
static uint8_t still_owed(const struct device *d)
{
	if (d->found.driver == d->found.target)
		return PROGRESS_HELD;
	return d->done.progress & PROGRESS_UNBOUND && !d->found.driver ? PROGRESS_LOST : 0;
}

/* A bridge has a row of its own only if a child that worked on it did not end in time. */
static void recall_bridges(const struct group *g)
{
	struct device *d;

	for_each_member(g, d) {
		if (!has_bridge_override(d))
			continue;
		d->found.override = NULL;
		d->done.progress = PROGRESS_OVERRIDDEN;
	}
}

void report_recall_overrides(struct machine *m)
{
	struct device *d;

	for_each_device(m, d) {
		if (!d->done.progress || d->done.worker.pid)
			continue;
		if (is_of_claim(d))
			d->found.override = d->done.foreign ? d->found.target : NULL;
		else
			d->done.progress = still_owed(d);
	}
	for_each_device(m, d) {
		/* With group=ignore, a claim writes to no bridge. */
		if (d->done.progress && !is_bridge(d) && d->group && !plan_ignores_groups(m))
			recall_bridges(d->group);
	}
}

/* Compares two rows without their messages: the framebuffer that a message names may be gone by now. */
static bool is_same_outcome(const struct report_row *a, const struct report_row *b)
{
	for (unsigned i = 0; i < REPORT_MESSAGE; i++) {
		if (strcmp(report_column(a, i), report_column(b, i)) != 0)
			return false;
	}
	return true;
}

/* Returns true if the device failed in the same way as the row says, and this run has done nothing about it. */
static bool is_same_failure(const struct device *d, const struct report_row *row)
{
	const struct device *unit = d->group ? d->group->first : d;

	return d->decided.verdict == VERDICT_FAILED && row->verdict == VERDICT_FAILED &&
	       d->decided.reason == row->reason && d->done.worker.pid == row->worker.pid && !unit->done.begun &&
	       !d->done.begun;
}

/* Returns true if the function is one for which this run was started. */
static bool has_come(const struct machine *m, const struct device *d)
{
	return m->late && d->done.due;
}

static void merge_row(void *machine, struct device *d, const struct report_row *row)
{
	struct report_row now;
	struct text was, is;

	if (!d || d->decided.verdict == VERDICT_NONE)
		return;
	/* An earlier run of this boot claimed it, so "already" would be wrong. */
	if (d->decided.verdict == VERDICT_ALREADY)
		d->decided.verdict = VERDICT_CLAIM;
	report_row_of_device(&now, machine, d);
	/* What the host does not let go of was claimed all the same, and a later run may have it. */
	d->done.keeps_row = (is_same_failure(d, row) && now.notes == row->notes) || (d->done.rebound && !is_claimed(d));
	/* A function that was taken out and comes again is news. */
	if (d->done.keeps_row || !strcmp(report_row_line(&was, row), report_row_line(&is, &now)))
		d->done.said = !has_come(machine, d);
	else if (d->decided.verdict == VERDICT_CLAIM && d->found.driver == d->found.target &&
		 !(d->done.progress & PROGRESS_OVERRIDDEN) && !is_same_outcome(row, &now))
		d->decided.verdict = VERDICT_ALREADY;
}

void report_merge(struct machine *m, int root)
{
	(void)!each_row(m, root, merge_row, m);
}

bool report_is_there(int root)
{
	return !faccessat(root, report_path, F_OK, 0);
}

struct claimed {
	void (*each)(void *data, const char *name);
	void *data;
};

static void pass_claimed(void *data, struct device *d, const struct report_row *row)
{
	const struct claimed *c = data;

	(void)d;
	if (row->verdict == VERDICT_CLAIM || row->verdict == VERDICT_ALREADY)
		c->each(c->data, report_column(row, REPORT_ADDRESS));
}

void report_each_claimed(int root, void (*each)(void *data, const char *name), void *data)
{
	struct claimed c = { each, data };

	(void)!each_row(NULL, root, pass_claimed, &c);
}

struct question {
	const char *name;
	bool claimed;
};

static void compare_name(void *data, const char *name)
{
	struct question *q = data;

	q->claimed |= !strcmp(name, q->name);
}

bool report_has_claimed(int root, const char *name)
{
	struct question q = { name, false };

	report_each_claimed(root, compare_name, &q);
	return q.claimed;
}

static int open_new(int root)
{
	return openat(root, new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Flushes and closes the new report, and renames it. Returns 0 or an errno. */
static int finish_new(struct output *out, int root)
{
	int ret = output_flush(out);

	close(out->fd);
	if (!ret && renameat(root, new_path, root, report_path))
		ret = errno;
	return ret;
}

struct writer {
	struct machine *m;
	const struct listener *log;
	struct output out;
};

static void write_line(struct writer *w, const char *line)
{
	w->out.listener.say(&w->out.listener, LEVEL_DONE, line);
}

static void write_row(struct writer *w, const struct report_row *row)
{
	struct text line;

	write_line(w, report_row_line(&line, row));
}

/* Writes the row of a device that an earlier run claimed and that is gone. */
static void write_vanished(struct writer *w, const struct report_row *row)
{
	static const char *const message = "it disappeared after the claim";
	struct report_row now = *row;

	report_row_change(&now, REPORT_VERDICT, verdict_name(VERDICT_FAILED));
	report_row_change(&now, REPORT_REASON, reason_name(REASON_VANISHED));
	report_row_change(&now, REPORT_DRIVER, "-");
	report_row_change(&now, REPORT_MESSAGE, message);
	write_row(w, &now);
	say(w->log, LEVEL_FAILED, "%s [%s]: failed, vanished: %s", report_column(row, REPORT_ADDRESS),
	    report_column(row, REPORT_ID), message);
}

/* Returns true if this run knows nothing better than this row of an earlier run. */
static bool is_kept(const struct machine *m, const struct device *d, const struct report_row *row)
{
	/* This run could not read the devices. */
	if (m->end == m->device)
		return true;
	/* The run at the end of the boot decides on the VFs of all PFs. */
	if (m->settle)
		return !(d && (d->done.due || (row->reason == REASON_VFS && !m->late)));
	return d ? row->verdict == VERDICT_CLAIM : row->kind == ROW_DEVICE && row->reason == REASON_VANISHED;
}

/* Returns true if a function that has come since is what this row calls absent. */
static bool has_arrived(const struct machine *m, const struct report_row *row)
{
	const struct device *d;

	if (!m->settle || row->kind != ROW_ABSENT)
		return false;
	for_each_device(m, d) {
		if ((d->done.due && is_about(row, d->asked.selector)) || (!m->late && is_about(row, d->asked.vfs)))
			return true;
	}
	return false;
}

/* Keeps the row of a device that this run did not decide on. */
static void keep_row(void *data, struct device *d, const struct report_row *row)
{
	struct writer *w = data;
	bool of_selector = row->kind == ROW_ABSENT || row->kind == ROW_IDLE;

	if ((d && d->decided.verdict != VERDICT_NONE && !d->done.keeps_row) || row->kind == ROW_RUN)
		return;
	/* write_selectors() writes it anew. */
	if (of_selector && !w->m->settle && !w->m->no_claim_reason)
		return;
	if (has_arrived(w->m, row))
		return;
	if ((d && d->done.keeps_row) || is_kept(w->m, d, row))
		write_row(w, row);
	else if (!d && row->verdict == VERDICT_CLAIM)
		write_vanished(w, row);
}

static void write_selector(struct writer *w, const struct selector *sel)
{
	struct report_row row;

	report_row_of_selector(&row, w->m, sel);
	write_row(w, &row);
}

/* Writes a row for each selector that matches nothing or claims nothing. */
static void write_selectors(struct writer *w)
{
	const struct selector *sel = NULL;

	while ((sel = next_absent(w->m, sel)))
		write_selector(w, sel);
	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&w->m->settings->list[i], sel) {
			if (sel->flags & SELECTOR_IDLE)
				write_selector(w, sel);
		}
	}
}

int report_write(struct machine *m, int root, const struct listener *log)
{
	struct report_row row;
	const struct device *d;
	struct writer w;

	/* Without a report nothing was left open. A new one would tell that the claim of this boot has run. */
	if (m->settle && !report_is_there(root))
		return 0;
	w.m = m;
	w.log = log;
	output_init(&w.out, open_new(root));
	if (w.out.fd < 0)
		return errno;
	write_line(&w, REPORT_FIRST_LINE);
	if (m->failed) {
		report_row_of_failure(&row, m->no_claim_reason);
		write_row(&w, &row);
	}
	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE || d->done.keeps_row)
			continue;
		report_row_of_device(&row, m, d);
		write_row(&w, &row);
	}
	(void)!each_row(m, root, keep_row, &w);
	if (!m->settle)
		write_selectors(&w);
	return finish_new(&w.out, root);
}

struct amendment {
	struct writer w;
	report_amend_fn *amend;
	const void *data;
	const struct device *next; /* the devices before it are done */
	bool known[DEVICES_MAX];   /* the report has a row of the device */
	bool changed;		   /* amend() has returned true */
};

static void note_known(void *data, struct device *d, const struct report_row *row)
{
	struct amendment *a = data;

	(void)row;
	if (d)
		a->known[d - a->w.m->device] = true;
}

/* Adds the new rows of the devices before `end`, so that they are in address order if the old ones are. */
static void add_until(struct amendment *a, const struct device *end)
{
	struct report_row row;

	for (; a->next < end; a->next++) {
		if (!a->known[a->next - a->w.m->device] && a->amend(a->data, &row, a->next, NULL)) {
			write_row(&a->w, &row);
			a->changed = true;
		}
	}
}

static void amend_row(void *data, struct device *d, const struct report_row *row)
{
	struct amendment *a = data;
	struct report_row now;

	/* The rows without a device are the last ones. */
	add_until(a, d ? d : row->kind == ROW_DEVICE ? a->next : a->w.m->end);
	if (d && a->amend(a->data, &now, d, row)) {
		row = &now;
		a->changed = true;
		if (now.verdict == VERDICT_NONE)
			return;
	}
	write_row(&a->w, row);
}

int report_amend(struct machine *m, int root, report_amend_fn *amend, const void *data)
{
	struct amendment a = { .w.m = m, .amend = amend, .data = data, .next = m->device };
	int ret = each_row(m, root, note_known, &a);

	if (ret)
		return ret;
	output_init(&a.w.out, open_new(root));
	if (a.w.out.fd < 0)
		return errno;
	write_line(&a.w, REPORT_FIRST_LINE);
	ret = each_row(m, root, amend_row, &a);
	add_until(&a, m->end);
	/* A report without rows would tell vfio-boot status that the claim of this boot has run. */
	if (ret || !a.changed) {
		close(a.w.out.fd);
		unlinkat(root, new_path, 0);
		return ret;
	}
	return finish_new(&a.w.out, root);
}
