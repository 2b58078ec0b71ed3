// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "nearest.h"
#include "report.h"
#include "sysfs.h"

static const char *const file = "run/vfio-boot/report", *const beside = "run/vfio-boot/report.new",
			 *const first_line = "vfio-boot-report 1";

/*
 * Calls each() for the rows of the report of an earlier run, with the device that is there now, or NULL. 0, also where
 * there is none, or an errno.
 */
static int each_row(struct machine *m, int root, void (*each)(void *data, struct device *d, char *row), void *data)
{
	struct lines l;
	char *row;

	if (!lines_open(&l, root, file))
		return errno == ENOENT ? 0 : errno;
	while ((row = lines_next(&l)))
		each(data, machine_find_name(m, row, strcspn(row, "\t")), row);
	lines_close(&l);
	return l.failed ? EIO : 0;
}

void report_split(char *row, const char *column[REPORT_COLUMNS])
{
	for (unsigned i = 0; i < REPORT_COLUMNS; i++) {
		column[i] = row;
		row += strcspn(row, "\t");
		if (*row)
			*row++ = '\0';
	}
}

/* The row of a run that could not read the devices. */
static bool is_run_failure(const char *const column[REPORT_COLUMNS])
{
	return *column[REPORT_ADDRESS] == '-' && !strcmp(column[REPORT_VERDICT], "failed");
}

struct recall {
	struct machine *m;
	int root;
};

static void recall_row(void *data, struct device *d, char *row)
{
	const struct recall *r = data;
	const char *column[REPORT_COLUMNS], *pid;
	struct text t;

	report_split(row, column);
	/* A run that could not read the devices has left everything open. */
	if (is_run_failure(column))
		r->m->settle = false;
	if (!d || (strcmp(column[REPORT_VERDICT], "pending") && strcmp(column[REPORT_REASON], "timeout")))
		return;
	/* What was to be given back by hand is not to be done again (release.c). */
	if (strcmp(column[REPORT_VERDICT], verdict_name(VERDICT_EXCLUDED)))
		d->done.due = true;
	/* As add_failure() has it of what was begun. */
	pid = column[REPORT_MESSAGE] + 8;
	if (strncmp(column[REPORT_MESSAGE], "process ", 8))
		return;
	/* Whoever else has that number by now does no harm but to be waited for. */
	d->done.worker_pid = decimal(&pid);
	if (!faccessat(r->root, text_set(&t, "proc/%u", d->done.worker_pid), F_OK, 0))
		return;
	/* It is over; what it wrote is ours, to be completed or given back. */
	d->done.worker_pid = 0;
	d->done.progress = PROGRESS_OVERRIDDEN;
}

void report_recall(struct machine *m, int root)
{
	struct recall r = { m, root };

	each_row(m, root, recall_row, &r);
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

unsigned set_device_row(struct text *t, const struct machine *m, const struct device *d)
{
	struct span selector = d->asked.selector ? d->asked.selector->text : (struct span){ "-", 1 };
	unsigned before;

	text_set(t, "%s\t%04x:%04x\t", d->name, d->found.ids.vendor, d->found.ids.device);
	if (has_group(d))
		text_add(t, "%u", d->group->number);
	else
		text_add(t, "-");
	text_add(t, "\t%s\t%s\t%s\t%.*s\t",
		 d->decided.verdict == VERDICT_CLAIM ? "claimed" : verdict_name(d->decided.verdict),
		 reason_name(d->decided.reason), is_claimed(d) ? d->found.target : "-", (int)selector.len, selector.p);
	before = t->len;
	add_message(t, m, d);
	if (t->len == before)
		text_add(t, "-");
	return before;
}

static void merge_row(void *machine, struct device *d, char *row)
{
	struct text t;
	unsigned same;

	if (!d || d->decided.verdict == VERDICT_NONE)
		return;
	/* "already" is not what happened in this boot: what an earlier run claimed counts as claimed. */
	if (d->decided.verdict == VERDICT_ALREADY)
		d->decided.verdict = VERDICT_CLAIM;
	same = set_device_row(&t, machine, d);
	/* What sits on a claimed one may be gone by now. */
	if (!strcmp(t.p, row))
		d->done.said = true;
	else if (d->decided.verdict == VERDICT_CLAIM && d->found.driver == d->found.target &&
		 !(d->done.progress & PROGRESS_OVERRIDDEN) && strncmp(t.p, row, same))
		d->decided.verdict = VERDICT_ALREADY;
}

void report_merge(struct machine *m, int root)
{
	each_row(m, root, merge_row, m);
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

static void write_row(struct keeper *k, const char *row)
{
	k->out.listener.say(&k->out.listener, LEVEL_DONE, row);
}

/* What an earlier run said of devices that this one has nothing to say of. */
static void keep_row(void *data, struct device *d, char *row)
{
	struct keeper *k = data;
	const char *column[REPORT_COLUMNS];
	struct text t, whole;
	bool claimed;

	/* The first line begins with neither an address nor a -. */
	if (*row == 'v' || (d && d->decided.verdict != VERDICT_NONE))
		return;
	whole.len = (unsigned)strlen(row);
	memcpy(whole.p, row, whole.len < TEXT_SIZE ? whole.len + 1 : TEXT_SIZE);
	whole.p[TEXT_SIZE - 1] = '\0';
	report_split(row, column);
	if (is_run_failure(column))
		return;
	/* Said anew. */
	if (!k->m->settle && !strcmp(column[REPORT_VERDICT], "absent") && next_absent(k->m, NULL))
		return;
	claimed = !strcmp(column[REPORT_VERDICT], "claimed");
	/* A run that has read nothing knows nothing better. */
	if ((k->m->settle && !(d && d->done.due)) || k->m->end == k->m->device || (d && claimed) ||
	    (!d && !strcmp(column[REPORT_REASON], "vanished"))) {
		write_row(k, whole.p);
		return;
	}
	if (d || !claimed)
		return;
	text_set(&t, "%s\t%s\t%s\tfailed\tvanished\t-\t%s\tit went away after the claim", column[REPORT_ADDRESS],
		 column[REPORT_ID], column[REPORT_GROUP], column[REPORT_SELECTOR]);
	write_row(k, t.p);
	say(k->log, LEVEL_FAILED, "%s [%s]: failed, vanished: it went away after the claim", column[REPORT_ADDRESS],
	    column[REPORT_ID]);
}

int report_write(struct machine *m, int root, const struct listener *log)
{
	const struct selector *sel = NULL;
	const struct device *d;
	struct keeper k;
	struct text t;

	/* What has not run has left nothing open, and that there is no report says so. */
	if (m->settle && faccessat(root, file, F_OK, 0))
		return 0;
	k.m = m;
	k.log = log;
	output_init(&k.out, open_beside(root));
	if (k.out.fd < 0)
		return errno;
	write_row(&k, first_line);
	if (m->failed) {
		text_set(&t, "-\t-\t-\tfailed\t-\t-\t-\t%s", m->no_claim_reason);
		write_row(&k, t.p);
	}
	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE)
			continue;
		set_device_row(&t, m, d);
		write_row(&k, t.p);
	}
	each_row(m, root, keep_row, &k);
	while (!m->settle && (sel = next_absent(m, sel))) {
		text_set(&t, "-\t-\t-\tabsent\t-\t-\t%.*s\t", (int)sel->text.len, sel->text.p);
		add_absent(&t, m, sel);
		write_row(&k, t.p);
	}
	return put_in_place(&k.out, root);
}

struct amendment {
	struct keeper k;
	bool (*amend)(const void *data, struct text *row, const struct device *d, const char *old);
	const void *data;
	const struct device *next; /* what comes before has its record */
	bool known[DEVICES_MAX];   /* the report has a record of it */
	bool foreign;		   /* of another version */
	bool changed;		   /* amend() had something to say */
};

static void note_known(void *data, struct device *d, char *row)
{
	struct amendment *a = data;

	if (*row == 'v' && strcmp(row, first_line))
		a->foreign = true;
	if (d)
		a->known[d - a->k.m->device] = true;
}

/* New records, in address order as far as the old ones are. */
static void add_until(struct amendment *a, const struct device *end)
{
	struct text t;

	for (; a->next < end; a->next++) {
		if (!a->known[a->next - a->k.m->device] && a->amend(a->data, &t, a->next, NULL)) {
			write_row(&a->k, t.p);
			a->changed = true;
		}
	}
}

static void amend_row(void *data, struct device *d, char *row)
{
	struct amendment *a = data;
	struct text t;

	if (*row == 'v')
		return;
	add_until(a, d ? d : *row == '-' ? a->k.m->end : a->next);
	if (d && a->amend(a->data, &t, d, row)) {
		row = t.p;
		a->changed = true;
	}
	write_row(&a->k, row);
}

int report_amend(struct machine *m, int root,
		 bool (*amend)(const void *data, struct text *row, const struct device *d, const char *old),
		 const void *data)
{
	struct amendment a = { .k.m = m, .amend = amend, .data = data, .next = m->device };
	int ret = each_row(m, root, note_known, &a);

	if (ret || a.foreign)
		return ret ? ret : EINVAL;
	output_init(&a.k.out, open_beside(root));
	if (a.k.out.fd < 0)
		return errno;
	write_row(&a.k, first_line);
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
