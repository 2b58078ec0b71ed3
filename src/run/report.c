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
#include "report.h"
#include "selector.h"
#include "settings.h"
#include "sysfs.h"

static const char *const file = "run/vfio-boot/report", *const beside = "run/vfio-boot/report.new";

/*
 * Calls each() for the rows of the report of an earlier run, with the device that is there now, or NULL. Returns 0,
 * also where there is no report; EINVAL for one of another version; or another errno. What is no row is passed over.
 */
static int each_row(struct machine *m, int root,
		    void (*each)(void *data, struct device *d, const struct report_row *row), void *data)
{
	struct report_row row;
	struct lines l;
	char *line;
	int ret = 0;

	if (!lines_open(&l, root, file))
		return errno == ENOENT ? 0 : errno;
	line = lines_next(&l);
	if (line && strcmp(line, REPORT_FIRST_LINE) != 0)
		ret = EINVAL;
	while (!ret && (line = lines_next(&l))) {
		const char *address = row.text;

		if (!report_row_read(&row, line))
			each(data, machine_find_name(m, address, strlen(address)), &row);
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

	/* A run that could not read the devices has left everything open. */
	if (row->kind == ROW_RUN)
		r->m->settle = false;
	if (!d || (row->verdict != VERDICT_PENDING && row->reason != REASON_TIMEOUT))
		return;
	/* What was to be given back by hand is not to be done again (vfio-boot release). */
	if (row->verdict != VERDICT_EXCLUDED)
		d->done.due = true;
	if (!row->worker.pid)
		return;
	if (is_alive(r->root, &row->worker))
		d->done.worker = row->worker;
	else
		/* It is over; what it wrote is ours, to be completed or given back. */
		d->done.progress = PROGRESS_OVERRIDDEN;
}

void report_recall(struct machine *m, int root)
{
	struct recall r = { m, root };

	(void)!each_row(m, root, recall_row, &r);
}

/* Does it have the override that a claim gives a bridge? */
static bool is_kept_off(const struct device *d)
{
	return is_bridge(d) && d->found.override && !strcmp(d->found.override, "none");
}

void report_recall_overrides(struct machine *m)
{
	struct device *d, *bridge;

	for_each_device(m, d) {
		if (!d->done.progress)
			continue;
		if (d->found.override ? d->found.override == d->found.target || is_kept_off(d)
				      : d->found.driver == d->found.target)
			d->found.override = NULL;
		else
			d->done.progress = 0;
	}
	/* A bridge of such a group has no row of its own. */
	for_each_device(m, d) {
		bridge = d->done.progress && !is_bridge(d) && d->group ? d->group->first : NULL;
		for (; bridge; bridge = bridge->next) {
			if (!is_kept_off(bridge))
				continue;
			bridge->found.override = NULL;
			bridge->done.progress = PROGRESS_OVERRIDDEN;
		}
	}
}

/* Do two rows say the same up to the message? What sits on a claimed device may be gone by now. */
static bool is_same_outcome(const struct report_row *a, const struct report_row *b)
{
	for (unsigned i = 0; i < REPORT_MESSAGE; i++) {
		if (strcmp(report_column(a, i), report_column(b, i)) != 0)
			return false;
	}
	return true;
}

static void merge_row(void *machine, struct device *d, const struct report_row *row)
{
	struct report_row now;
	struct text was, is;

	if (!d || d->decided.verdict == VERDICT_NONE)
		return;
	/* "already" is not what happened in this boot: what an earlier run claimed counts as claimed. */
	if (d->decided.verdict == VERDICT_ALREADY)
		d->decided.verdict = VERDICT_CLAIM;
	report_row_of_device(&now, machine, d);
	if (!strcmp(report_row_line(&was, row), report_row_line(&is, &now)))
		d->done.said = true;
	else if (d->decided.verdict == VERDICT_CLAIM && d->found.driver == d->found.target &&
		 !(d->done.progress & PROGRESS_OVERRIDDEN) && !is_same_outcome(row, &now))
		d->decided.verdict = VERDICT_ALREADY;
}

void report_merge(struct machine *m, int root)
{
	(void)!each_row(m, root, merge_row, m);
}

static int open_beside(int root)
{
	return openat(root, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* The end of what output_init() began; 0 or an errno. */
static int put_in_place(struct output *out, int root)
{
	int ret = output_flush(out);

	close(out->fd);
	if (!ret && renameat(root, beside, root, file))
		ret = errno;
	return ret;
}

struct keeper {
	struct machine *m;
	const struct listener *log;
	struct output out;
};

static void write_line(struct keeper *k, const char *line)
{
	k->out.listener.say(&k->out.listener, LEVEL_DONE, line);
}

static void write_row(struct keeper *k, const struct report_row *row)
{
	struct text line;

	write_line(k, report_row_line(&line, row));
}

/* What an earlier run claimed is gone. */
static void write_vanished(struct keeper *k, const struct report_row *row)
{
	static const char *const message = "it went away after the claim";
	struct report_row now = *row;

	report_row_change(&now, REPORT_VERDICT, verdict_name(VERDICT_FAILED));
	report_row_change(&now, REPORT_REASON, reason_name(REASON_VANISHED));
	report_row_change(&now, REPORT_DRIVER, "-");
	report_row_change(&now, REPORT_MESSAGE, message);
	write_row(k, &now);
	say(k->log, LEVEL_FAILED, "%s [%s]: failed, vanished: %s", report_column(row, REPORT_ADDRESS),
	    report_column(row, REPORT_ID), message);
}

/* Has this run nothing better to say than this row of an earlier one? */
static bool is_kept(const struct machine *m, const struct device *d, const struct report_row *row)
{
	/* A run that has read nothing knows nothing better. */
	if (m->end == m->device)
		return true;
	if (m->settle)
		return !(d && d->done.due);
	return d ? row->verdict == VERDICT_CLAIM : row->kind == ROW_DEVICE && row->reason == REASON_VANISHED;
}

/* What an earlier run said of devices that this one has nothing to say of. */
static void keep_row(void *data, struct device *d, const struct report_row *row)
{
	struct keeper *k = data;

	bool of_selector = row->kind == ROW_ABSENT || row->kind == ROW_IDLE;

	if ((d && d->decided.verdict != VERDICT_NONE) || row->kind == ROW_RUN)
		return;
	/* Said anew, by write_selectors(). */
	if (of_selector && !k->m->settle && !k->m->no_claim_reason)
		return;
	if (is_kept(k->m, d, row))
		write_row(k, row);
	else if (!d && row->verdict == VERDICT_CLAIM)
		write_vanished(k, row);
}

/* The selectors of which nothing came. */
static void write_selectors(struct keeper *k)
{
	const struct selector *sel = NULL;
	struct report_row row;

	while ((sel = next_absent(k->m, sel))) {
		report_row_of_selector(&row, k->m, sel);
		write_row(k, &row);
	}
	for_each_selector(&k->m->settings->list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_IDLE))
			continue;
		report_row_of_selector(&row, k->m, sel);
		write_row(k, &row);
	}
}

int report_write(struct machine *m, int root, const struct listener *log)
{
	struct report_row row;
	const struct device *d;
	struct keeper k;

	/* What has not run has left nothing open, and that there is no report says so. */
	if (m->settle && faccessat(root, file, F_OK, 0))
		return 0;
	k.m = m;
	k.log = log;
	output_init(&k.out, open_beside(root));
	if (k.out.fd < 0)
		return errno;
	write_line(&k, REPORT_FIRST_LINE);
	if (m->failed) {
		report_row_of_failure(&row, m->no_claim_reason);
		write_row(&k, &row);
	}
	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE)
			continue;
		report_row_of_device(&row, m, d);
		write_row(&k, &row);
	}
	(void)!each_row(m, root, keep_row, &k);
	if (!m->settle)
		write_selectors(&k);
	return put_in_place(&k.out, root);
}

struct amendment {
	struct keeper k;
	report_amend_fn *amend;
	const void *data;
	const struct device *next; /* what comes before has its record */
	bool known[DEVICES_MAX];   /* the report has a record of it */
	bool changed;		   /* amend() had something to say */
};

static void note_known(void *data, struct device *d, const struct report_row *row)
{
	struct amendment *a = data;

	(void)row;
	if (d)
		a->known[d - a->k.m->device] = true;
}

/* New records, in address order as far as the old ones are. */
static void add_until(struct amendment *a, const struct device *end)
{
	struct report_row row;

	for (; a->next < end; a->next++) {
		if (!a->known[a->next - a->k.m->device] && a->amend(a->data, &row, a->next, NULL)) {
			write_row(&a->k, &row);
			a->changed = true;
		}
	}
}

static void amend_row(void *data, struct device *d, const struct report_row *row)
{
	struct amendment *a = data;
	struct report_row now;

	/* What has no device comes behind all that have one. */
	add_until(a, d ? d : row->kind == ROW_DEVICE ? a->next : a->k.m->end);
	if (d && a->amend(a->data, &now, d, row)) {
		row = &now;
		a->changed = true;
	}
	write_row(&a->k, row);
}

int report_amend(struct machine *m, int root, report_amend_fn *amend, const void *data)
{
	struct amendment a = { .k.m = m, .amend = amend, .data = data, .next = m->device };
	int ret = each_row(m, root, note_known, &a);

	if (ret)
		return ret;
	output_init(&a.k.out, open_beside(root));
	if (a.k.out.fd < 0)
		return errno;
	write_line(&a.k, REPORT_FIRST_LINE);
	ret = each_row(m, root, amend_row, &a);
	add_until(&a, m->end);
	/* A report that says nothing would tell status that the claim of the boot has run. */
	if (ret || !a.changed) {
		close(a.k.out.fd);
		unlinkat(root, beside, 0);
		return ret;
	}
	return put_in_place(&a.k.out, root);
}
