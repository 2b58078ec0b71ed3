// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drift.h"
#include "fallback.h"
#include "firmware.h"
#include "format.h"
#include "guarded_path.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "plan_json.h"
#include "plan_log.h"
#include "request.h"
#include "settings.h"
#include "status.h"
#include "sysfs.h"
#include "unprotected.h"

struct status {
	struct rows rows;
	bool wrong;					 /* something is not as it should be */
	bool failed;					 /* a run could not read the machine */
	struct json_object *json;			 /* the object to print, or NULL for text */
	struct json_object *devices, *absent, *warnings; /* its lists */
	struct json_object *groups;			 /* the groups of what was claimed, as the keys of an object */
	struct counts {
		int verdict[VERDICTS]; /* devices by their verdict */
		int drifted;	       /* without those that are gone and optional */
		int absent, optional;  /* selectors; the optional ones are absent too */
	} counts;
};

/* Returns a column, or NULL if it does not apply. */
static const char *column(const struct row *r, enum report_column which)
{
	const char *text = report_column(&r->report, which);

	return strcmp(text, "-") != 0 ? text : NULL;
}

/* What the boot found absent is not called so once it is there. */
static void set_arrived(struct text *t, const struct row *r)
{
	text_set(t, "%s: not there at boot; %pd is there now, ", report_column(&r->report, REPORT_SELECTOR),
		 r->arrived);
	add_binding(t, r->arrived->found.driver);
}

/* Prints a row that is not about a device. */
static void print_other_row(const struct row *r, const struct listener *out)
{
	const char *message = report_column(&r->report, REPORT_MESSAGE), *verdict = column(r, REPORT_VERDICT);
	struct text t;

	if (r->report.kind == ROW_RUN)
		text_set(&t, "%s: %s", verdict, message);
	else if (r->arrived)
		set_arrived(&t, r);
	else
		text_set(&t, "%s: %s: %s", report_column(&r->report, REPORT_SELECTOR), verdict, message);
	out->say(out, LEVEL_DONE, t.p);
}

static void print_device_row(const struct row *r, const struct listener *out)
{
	const char *group = column(r, REPORT_GROUP), *reason = column(r, REPORT_REASON),
		   *message = column(r, REPORT_MESSAGE);
	struct text t;

	text_set(&t, "%s [%s] %s%s: %s", report_column(&r->report, REPORT_ADDRESS),
		 report_column(&r->report, REPORT_ID), group ? "group " : "no group", group ? group : "",
		 column(r, REPORT_VERDICT));
	if (was_claimed(r))
		text_add(&t, r->report.verdict == VERDICT_ALREADY ? " bound to %s" : " for %s",
			 report_column(&r->report, REPORT_DRIVER));
	if (r->report.notes & NOTE_LATE)
		text_add(&t, " (after the boot)");
	if (reason)
		text_add(&t, ", %s", reason);
	if (message)
		text_add(&t, ": %s", message);
	if (r->drift.len) {
		text_add(&t, "; drifted: %s", r->drift.p);
	} else if (!was_claimed(r)) {
		text_add(&t, "; now ");
		add_binding(&t, driver_now(r));
	}
	out->say(out, LEVEL_DONE, t.p);
}

static void add_address(void *list, const char *address)
{
	json_object_array_add(list, json_text(address));
}

/* Returns the functions that make the group of a device incomplete. */
static struct json_object *missing_of(struct status *s, const struct row *r)
{
	struct json_object *list = json_object_new_array();

	if (r->report.reason == REASON_GROUP_INCOMPLETE)
		drift_missing(&s->rows, r, add_address, list);
	return list;
}

static void add_json_device(struct status *s, const struct row *r)
{
	struct json_object *o = json_object_new_object();
	const char *group = column(r, REPORT_GROUP), *message = column(r, REPORT_MESSAGE);
	const struct device *d = device_of(&s->rows, r);
	struct text t;

	json_add(o, "address", column(r, REPORT_ADDRESS));
	json_add(o, "id", column(r, REPORT_ID));
	json_object_object_add(o, "group", group ? json_object_new_int64(atoll(group)) : NULL);
	json_add(o, "verdict", column(r, REPORT_VERDICT));
	json_add(o, "reason", column(r, REPORT_REASON));
	json_add(o, "driver", column(r, REPORT_DRIVER));
	json_add(o, "selector", column(r, REPORT_SELECTOR));
	json_object_object_add(o, "missing", missing_of(s, r));
	json_add(o, "message", message ? message : "");
	json_add(o, "now", driver_now(r));
	json_add(o, "drift", r->drift.len ? r->drift.p : NULL);
	json_add(o, "path", d ? guarded_path(s->rows.ctx, &t, d) : NULL);
	json_object_object_add(o, "fault", json_object_new_boolean(r->wrong));
	json_object_array_add(s->devices, o);
	s->counts.verdict[r->report.verdict]++;
	s->counts.drifted += r->drift.len && !r->optional;
	if (was_claimed(r) && group)
		json_object_object_add(s->groups, group, NULL);
}

static void add_json_row(struct status *s, const struct row *r)
{
	const char *selector = column(r, REPORT_SELECTOR), *message = column(r, REPORT_MESSAGE);
	struct json_object *o;
	struct text t;

	switch (r->report.kind) {
	case ROW_DEVICE:
		add_json_device(s, r);
		break;
	case ROW_ABSENT:
		if (r->arrived) {
			set_arrived(&t, r);
			json_object_array_add(s->warnings, json_text(t.p));
			break;
		}
		o = json_object_new_object();
		json_add(o, "selector", selector);
		json_add(o, "message", message);
		json_object_object_add(o, "optional", json_object_new_boolean(r->report.notes & NOTE_OPTIONAL));
		json_object_array_add(s->absent, o);
		s->counts.absent++;
		s->counts.optional += (r->report.notes & NOTE_OPTIONAL) != 0;
		break;
	case ROW_IDLE:
		text_set(&t, "%s: %s", selector ? selector : "", message ? message : "");
		json_object_array_add(s->warnings, json_text(t.p));
		break;
	default:
		json_object_array_add(s->warnings, json_text(message));
	}
}

static void warn(void *status, const char *text)
{
	struct status *s = status;

	if (s->warnings)
		json_object_array_add(s->warnings, json_text(text));
	else
		say(&complaints, LEVEL_REFUSED, "%s", text);
}

static int note_foreign(void *data, const char *name)
{
	struct status *s = data;
	const struct row *r = row_of(&s->rows, name);
	struct text t;

	if (pciaddr_from_name(name, (unsigned)strlen(name)) != PCIADDR_NONE && (!r || !was_claimed(r)))
		warn(s, text_set(&t, "%s: foreign: vfio-pci holds it, and this boot did not claim it", name));
	return 0;
}

static bool warn_of_unprotected(struct status *s)
{
	struct json_listener warnings = json_listener(s->warnings);

	return rows_decide(&s->rows) && find_unprotected(s->rows.ctx, NULL, s->json ? &warnings.listener : &complaints);
}

/* Warns why the report has no rows: nothing was to be claimed, or the claim has not run. */
static void warn_of_no_rows(struct status *s, bool asked)
{
	const char *nothing = s->rows.ctx->machine.no_claim_reason;
	struct text t;

	if (nothing)
		warn(s, text_set(&t, "nothing was claimed in this boot: %s", nothing));
	else if (!asked)
		warn(s, "no device is selected");
	else if (!s->rows.found)
		warn(s, "no report of this boot: the claim has not run (is the image up to date? update-initramfs -u; "
			"then reboot)");
	else if (count_selecting(&s->rows.ctx->settings.list[LIST_IDS]))
		warn(s, "this boot had no device to claim; the settings have changed since (is the image up to date? "
			"update-initramfs -u; then reboot)");
	s->wrong |= asked && !s->rows.found;
}

/* Warns that this boot claimed nothing since those before it did not come up, and says what to do. */
static void warn_of_fallback(struct status *s)
{
	struct text t;

	warn(s, text_set(&t, "this boot claimed nothing: %s", fallback_reason));
	warn(s, "the next boot tries again; what it will do: vfio-boot plan");
	warn(s, "why the boots before ended, as far as they could write it down: journalctl -b -1");
	s->wrong = true;
}

static void add_number(struct json_object *o, const char *key, int n)
{
	json_object_object_add(o, key, json_object_new_int(n));
}

static struct json_object *json_boot(const struct root *root)
{
	struct json_object *o = json_object_new_object();
	struct text t;

	json_add(o, "id", read_attribute(&t, root->fd, "proc/sys/kernel/random/boot_id") > 0 ? t.p : NULL);
	json_add(o, "kernel", kernel_release(&t, root->fd, NULL));
	return o;
}

static struct json_object *json_counts(const struct status *s)
{
	struct json_object *o = json_object_new_object();

	add_number(o, "devices", (int)json_object_array_length(s->devices));
	for (enum verdict v = VERDICT_CLAIM; v < VERDICTS; v++)
		add_number(o, outcome_name(v), s->counts.verdict[v]);
	add_number(o, "groups", json_object_object_length(s->groups));
	add_number(o, "drifted", s->counts.drifted);
	add_number(o, "absent", s->counts.absent);
	add_number(o, "optional", s->counts.optional);
	return o;
}

/* Begins the JSON object that collect() fills. */
static void begin_json(struct status *s)
{
	struct json_object *o = json_object_new_object();

	s->json = o;
	s->groups = json_object_new_object();
	json_object_object_add(o, "format", json_object_new_int(1));
	json_object_object_add(o, "devices", s->devices = json_object_new_array());
	json_object_object_add(o, "absent", s->absent = json_object_new_array());
	json_object_object_add(o, "errors", json_errors(&s->rows.ctx->settings));
	json_object_object_add(o, "warnings", s->warnings = json_object_new_array());
}

/* Prints the rows to out, or adds them to the JSON object if that is NULL. */
static void show_rows(struct status *s, const struct listener *out)
{
	s->wrong |= rows_judge(&s->rows);
	for (struct row *r = s->rows.row; r < s->rows.row + s->rows.n; r++) {
		s->failed |= r->report.kind == ROW_RUN;
		if (!out)
			add_json_row(s, r);
		else if (r->report.kind == ROW_DEVICE)
			print_device_row(r, out);
		else
			print_other_row(r, out);
	}
}

/*
 * Collects what status says, as lines for `out` and complaints, or as a JSON object if `out` is NULL. Returns the exit
 * status.
 */
static int collect(struct status *s, const struct listener *out)
{
	struct context *ctx = s->rows.ctx;
	struct text wrong;
	bool selects, good, fallback;

	ctx->phase = PHASE_NOW;
	/* drift_missing() needs the groups of devices that the settings do not select any more. Only JSON has them. */
	ctx->read_all = !out;
	selects = decide_settings(ctx);
	fallback = ctx->machine.fallback;
	if (!out)
		begin_json(s);
	else
		say_problems(&ctx->machine, &complaints);
	good = rows_read(&s->rows, &wrong);
	if (!good)
		complaints.say(&complaints, LEVEL_FAILED, wrong.p);
	else if (s->rows.n)
		show_rows(s, out);
	else if (!fallback)
		warn_of_no_rows(s, selects);
	if (fallback)
		warn_of_fallback(s);
	list_directory(ctx->root.fd, "sys/bus/pci/drivers/vfio-pci", note_foreign, s);
	/* Without a report warn_of_no_rows() has said enough. */
	if (good && s->rows.found)
		s->wrong |= drift_settings(&s->rows, warn, s);
	s->wrong |= warn_of_unprotected(s);
	rows_free(&s->rows);
	if (!good || s->failed)
		return STATUS_FAILED;
	return ctx->settings.problems ? STATUS_WRONG : s->wrong;
}

struct json_object *status_json(struct context *ctx, int *status)
{
	struct status s = { .rows = { .ctx = ctx } };

	*status = collect(&s, NULL);
	json_object_object_add(s.json, "boot", json_boot(&ctx->root));
	json_object_object_add(s.json, "counts", json_counts(&s));
	json_object_object_add(s.json, "report", json_object_new_boolean(s.rows.found));
	add_number(s.json, "exit_status", *status);
	json_object_put(s.groups);
	return s.json;
}

/*
 * Prints the report of this boot and what has drifted since, as lines like those of a plan or as one JSON object. Also
 * prints what is wrong with the settings, and which devices vfio-pci holds that this boot did not claim.
 *
 * Returns the exit status of doc/interface.md. It is 1 as well if a claimed device has lost its driver, if its group is
 * not usable any more, or if the settings select a device that they did not select in this boot (drift.h). It is 3 if
 * the report is none.
 */
int verb_status(struct request *r)
{
	struct status s = { .rows = { .ctx = r->ctx } };
	struct output out;
	int status, error;

	if (asked(r, OPTION_JSON)) {
		struct json_object *o = status_json(r->ctx, &status);

		return json_print(o) ? STATUS_FAILED : status;
	}
	output_init(&out, STDOUT_FILENO);
	status = collect(&s, &out.listener);
	error = output_flush(&out);
	if (error)
		say(&complaints, LEVEL_FAILED, "standard output: %s", strerror(error));
	return error ? STATUS_FAILED : status;
}
