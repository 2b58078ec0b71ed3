// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "message.h"
#include "nearest.h"
#include "plan_log.h"
#include "report_row.h"
#include "selector.h"

/* In the order of the bits NOTE_*. */
static const char *const note_words =
	"optional\0override-left\0driver-lost\0group-open\0driver-left\0override-before\0root-missing\0late\0";

static enum verdict find_verdict(const char *word)
{
	enum verdict v = VERDICTS - 1;

	while (v > VERDICT_NONE && strcmp(word, outcome_name(v)) != 0)
		v--;
	return v;
}

static enum reason find_reason(const char *word)
{
	enum reason r = REASONS - 1;

	while (r > REASON_NONE && strcmp(word, reason_name(r)) != 0)
		r--;
	return r;
}

static void read_worker(struct report_row *r)
{
	const char *p = report_column(r, REPORT_WORKER);

	r->worker.pid = decimal(&p);
	p += *p == '@';
	r->worker.start = decimal(&p);
}

static void read_notes(struct report_row *r)
{
	const char *p = report_column(r, REPORT_NOTES);

	while (*p) {
		struct span note = { p, (unsigned)strcspn(p, ",") };

		for (unsigned i = 0; *nth_word(note_words, i); i++) {
			if (span_is(note, nth_word(note_words, i)))
				r->notes |= (uint8_t)(1U << i);
		}
		p += note.len;
		p += *p == ',';
	}
}

static void add_notes(struct text *t, unsigned notes)
{
	for (unsigned i = 0; *nth_word(note_words, i); i++) {
		if (notes >> i & 1)
			text_add(t, t->len ? ",%s" : "%s", nth_word(note_words, i));
	}
}

bool report_row_has_id(const struct report_row *r, const struct device *d)
{
	struct text id;

	text_set(&id, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
	return !strcmp(id.p, report_column(r, REPORT_ID));
}

/* Splits the text into columns. Returns their number, which is REPORT_COLUMNS + 1 if there are too many. */
static unsigned split_columns(struct report_row *r)
{
	char *p = r->text;

	for (unsigned n = 0; n < REPORT_COLUMNS;) {
		r->at[n++] = (uint16_t)(p - r->text);
		p += strcspn(p, "\t");
		if (!*p)
			return n;
		*p++ = '\0';
	}
	return REPORT_COLUMNS + 1;
}

const char *report_row_read(struct report_row *r, const char *line)
{
	size_t len = strlen(line);
	const char *verdict;
	unsigned n;

	/* The line is followed by its NUL and by a "-" for the columns that are left out. */
	if (len + 3 > sizeof(r->text))
		return "not a record";
	memset(r, 0, offsetof(struct report_row, at));
	memcpy(r->text, line, len + 1);
	memcpy(r->text + len + 1, "-", 2);
	n = split_columns(r);
	if (n <= REPORT_MESSAGE || n > REPORT_COLUMNS)
		return "not a record";
	while (n < REPORT_COLUMNS)
		r->at[n++] = (uint16_t)(len + 1);
	read_worker(r);
	read_notes(r);
	verdict = report_column(r, REPORT_VERDICT);
	r->verdict = (uint8_t)find_verdict(verdict);
	r->reason = (uint8_t)find_reason(report_column(r, REPORT_REASON));
	if (!strcmp(verdict, "absent"))
		r->kind = ROW_ABSENT;
	else if (!strcmp(verdict, "idle"))
		r->kind = ROW_IDLE;
	else if (r->verdict == VERDICT_NONE)
		return "a verdict that does not exist";
	else
		r->kind = *report_column(r, REPORT_ADDRESS) == '-' ? ROW_RUN : ROW_DEVICE;
	return NULL;
}

/*
 * Makes a row from the columns before the message, the message, and the last two columns, which are left out if both
 * are empty. Truncates the message if the row is too long.
 */
static void set_row(struct report_row *r, struct text *line, const char *message, const char *worker, const char *notes)
{
	size_t tail = *worker || *notes ? 2 + strlen(worker) + strlen(notes) + 1 : 0;

	if (!*message)
		message = "-";
	/* Leave room for the NUL, and for the two bytes that report_row_read() appends. */
	text_add(line, "%.*s", (int)strnlen(message, TEXT_SIZE - 3 - line->len - tail), message);
	if (tail)
		text_add(line, "\t%s\t%s", *worker ? worker : "-", *notes ? notes : "-");
	(void)!report_row_read(r, line->p);
}

/*
 * If a process is still at work, or the vfio driver stays, the driver that was unbound has not come back yet. A device
 * that is gone has nothing to get back.
 */
static unsigned notes_of(const struct device *d)
{
	const struct device *unit = d->group ? d->group->first : d;
	bool late = d->decided.reason == REASON_TIMEOUT;
	bool held = d->done.progress & PROGRESS_HELD;
	unsigned lost = PROGRESS_LOST | (late || held ? PROGRESS_UNBOUND : 0);

	if (d->decided.reason == REASON_VANISHED)
		return 0;
	return (d->done.progress & PROGRESS_STUCK ? NOTE_OVERRIDE : 0) | (d->done.progress & lost ? NOTE_DRIVER : 0) |
	       (unit->done.progress & PROGRESS_OPEN ? NOTE_OPEN : 0) | (held ? NOTE_HELD : 0) |
	       ((late || d->done.progress & PROGRESS_OWED) && (d->done.foreign || d->found.override) ? NOTE_BEFORE : 0);
}

void report_row_of_device(struct report_row *r, const struct machine *m, const struct device *d)
{
	struct span selector = d->asked.selector ? d->asked.selector->text : (struct span){ "-", 1 };
	struct text line, message = { 0 }, worker = { 0 }, notes = { 0 };

	text_set(&line, "%s\t%04x:%04x\t", d->name, d->found.ids.vendor, d->found.ids.device);
	if (has_group(d))
		text_add(&line, "%u", d->group->number);
	else
		text_add(&line, "-");
	text_add(&line, "\t%s\t%s\t%s\t%.*s\t", outcome_name(d->decided.verdict), reason_name(d->decided.reason),
		 is_claimed(d) ? d->found.target : "-", (int)selector.len, selector.p);
	add_message(&message, m, d);
	if (d->done.worker.pid)
		text_set(&worker, "%u@%u", d->done.worker.pid, d->done.worker.start);
	add_notes(&notes,
		  (d->decided.verdict >= VERDICT_REFUSED ? notes_of(d) | (d->done.given_back ? NOTE_ROOT : 0) : 0) |
			  (m->late || d->done.late ? NOTE_LATE : 0));
	set_row(r, &line, message.p, worker.p, notes.p);
}

void report_row_of_selector(struct report_row *r, const struct machine *m, const struct selector *sel)
{
	bool idle = sel->flags & SELECTOR_IDLE;
	struct text line, message = { 0 }, notes = { 0 };

	text_set(&line, "-\t-\t-\t%s\t-\t-\t%.*s\t", idle ? "idle" : "absent", (int)sel->text.len, sel->text.p);
	if (idle)
		text_set(&message, "%s", idle_text(sel));
	else
		add_absent(&message, m, sel);
	add_notes(&notes, sel->flags & SELECTOR_OPTIONAL ? NOTE_OPTIONAL : 0);
	set_row(r, &line, message.p, "", notes.p);
}

void report_row_of_failure(struct report_row *r, const char *why)
{
	struct text line;

	text_set(&line, "-\t-\t-\t%s\t-\t-\t-\t", verdict_name(VERDICT_FAILED));
	set_row(r, &line, why, "", "");
}

void report_row_change(struct report_row *r, enum report_column which, const char *text)
{
	const char *column[REPORT_COLUMNS];
	struct text line = { 0 };

	for (unsigned i = 0; i < REPORT_COLUMNS; i++) {
		column[i] = i == which ? text : report_column(r, i);
		if (i < REPORT_MESSAGE)
			text_add(&line, "%s\t", column[i]);
		else if (i > REPORT_MESSAGE && !strcmp(column[i], "-"))
			column[i] = "";
	}
	set_row(r, &line, column[REPORT_MESSAGE], column[REPORT_WORKER], column[REPORT_NOTES]);
}

const char *report_row_line(struct text *t, const struct report_row *r)
{
	unsigned end = r->worker.pid || r->notes ? REPORT_COLUMNS : REPORT_WORKER;

	text_set(t, "%s", report_column(r, REPORT_ADDRESS));
	for (unsigned i = REPORT_ADDRESS + 1; i < end; i++)
		text_add(t, "\t%s", report_column(r, i));
	return t->p;
}
