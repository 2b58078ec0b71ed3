// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot claim: claims devices on the running system. Begins and ends such a run for vfio-boot release, too. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "context.h"
#include "errtext.h"
#include "format.h"
#include "links.h"
#include "listener.h"
#include "lock.h"
#include "log.h"
#include "message.h"
#include "now.h"
#include "plan.h"
#include "plan_json.h"
#include "plan_log.h"
#include "report.h"
#include "settings.h"
#include "virtual.h"

/*
 * Replaces the entries of a list by the words. Keeps its exclusions if the run claims. Returns false, after a message,
 * if a word is no entry of this list.
 */
static bool select_words(struct settings *s, enum list_name name, char *const *word, const char *source, bool claims)
{
	const char *(*const parse)(struct selector *, const char *, size_t) =
		name == LIST_VFS ? selector_parse_vfs : selector_parse;
	struct list *list = &s->list[name];
	struct selector *sel, *kept = list->selector;
	bool good = true;

	list->off = false;
	for_each_selector(list, sel) {
		if (claims && sel->flags & SELECTOR_EXCLUDES)
			*kept++ = *sel;
	}
	for (; *word; word++) {
		const char *wrong = "more than 256 selectors, counting the exclusions in the settings";

		if (kept < list->selector + SELECTORS_MAX)
			wrong = parse(kept, *word, strlen(*word));
		if (!wrong && kept->flags & SELECTOR_EXCLUDES)
			wrong = "an exclusion selects nothing";
		if (wrong) {
			say(&complaints, LEVEL_FAILED, "%s: %s", *word, wrong);
			good = false;
			continue;
		}
		kept++->at = (struct place){ source, 0, 0 };
	}
	list->end = kept;
	return good;
}

/* The words of the request as entries of `vfs`. To take VFs away their number does not matter. */
static char **vfs_words(const struct request *r)
{
	static char *words[SELECTORS_MAX + 2];

	for (unsigned n = 0; n <= SELECTORS_MAX && r->word[n]; n++) {
		if (asprintf(&words[n], "%s=%s", r->word[n], r->vfs ? r->vfs : "1") < 0)
			abort();
	}
	return words;
}

/* Makes the words of the request the entries of `ids`, or of `vfs`. Returns as select_words() does. */
static bool select_asked(struct settings *s, const struct request *r, const char *source, bool claims)
{
	static char *const none[] = { NULL };
	bool of_vfs = asked(r, OPTION_VFS | OPTION_TAKE_VFS);

	return select_words(s, LIST_IDS, of_vfs ? none : r->word, source, claims) &&
	       select_words(s, LIST_VFS, of_vfs ? vfs_words(r) : none, source, false);
}

/*
 * A key, a lost terminal or an impatient caller must not leave half a group claimed, or the report without it. The
 * deadline still ends the run. SIGTSTP is ignored as well: the time runs on while a process is stopped, so a half
 * claimed group would stay so.
 */
static void ignore_signals(void)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM };

	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

int by_hand_begin(struct by_hand *b, const struct request *r, const char *source, bool claims)
{
	struct context *ctx;

	if (geteuid()) {
		say(&complaints, LEVEL_FAILED, "%s: only root may give a device to another driver (use sudo)", r->verb);
		return STATUS_FAILED;
	}
	ctx = b->ctx = context_shared();
	context_like(ctx, r->ctx);
	ctx->phase = PHASE_NOW;
	ctx->by_hand = true;
	(void)!decide_settings(ctx);
	ctx->read_all = ctx->machine.read_all = asked(r, OPTION_TAKE_VFS);
	if (!select_asked(&ctx->settings, r, source, claims))
		return STATUS_WRONG;
	if (claims && ctx->machine.no_claim_reason) {
		say_notes(&ctx->machine, &complaints);
		return 1;
	}
	ctx->machine.no_claim_reason = NULL;
	if (asked(r, OPTION_WHOLE))
		ctx->settings.group = GROUP_WHOLE;
	else if (!claims)
		ctx->settings.group = GROUP_REFUSE;
	b->deadline = deadline_after(ctx->settings.timeout);
	progress_begin(&b->progress, &ctx->machine.step);
	text_set(&ctx->machine.step, "another run of vfio-boot");
	b->lock = lock_take(ctx->root.fd, b->deadline);
	if (b->lock < 0) {
		progress_end(&b->progress);
		say(&complaints, LEVEL_FAILED, "%s: another run is active; nothing was changed (try again)", r->verb);
		return STATUS_FAILED;
	}
	ignore_signals();
	text_set(&ctx->machine.step, "the list of the devices");
	ctx = b->ctx = asked(r, OPTION_VFS) ? make_virtual(ctx, b->deadline, &complaints)
					    : decide_in_time(ctx, b->deadline, &complaints);
	progress_end(&b->progress);
	if (ctx->machine.failed) {
		lock_release(b->lock);
		say(&complaints, LEVEL_FAILED, "%s: reading the devices failed or timed out; nothing was changed",
		    r->verb);
		return STATUS_FAILED;
	}
	ctx->machine.step.len = 0;
	progress_begin(&b->progress, &ctx->machine.step);
	return 0;
}

bool by_hand_end(struct by_hand *b, report_amend_fn *amend, const void *data)
{
	int error = report_amend(&b->ctx->machine, b->ctx->root.fd, amend, data);

	links_make(b->ctx->root.fd);
	lock_release(b->lock);
	progress_end(&b->progress);
	if (error)
		say(&complaints, LEVEL_FAILED, "/run/vfio-boot/report: %s", error_text(error));
	return !error;
}

/* Returns true if a word means d or a member of its group, which can only be claimed together, even if a guard fails.
 */
static bool is_asked_for(const struct machine *m, const struct device *d)
{
	const struct device *member;
	bool asked_for = d->asked.selected || d->asked.guard_failed || d->asked.vfs;

	if (d->group && !plan_ignores_groups(m)) {
		for_each_member(d->group, member)
			asked_for |= member->asked.selected || member->asked.guard_failed;
	}
	return asked_for;
}

/* This run must not complete, or give back, what the boot left open of other devices. */
static void forget_others(struct machine *m)
{
	struct device *d;

	for_each_device(m, d) {
		if (is_asked_for(m, d))
			continue;
		d->decided.verdict = VERDICT_NONE;
		d->done.progress = 0;
		d->done.worker.pid = 0;
	}
}

struct claim {
	struct by_hand run;
	uint8_t decided[DEVICES_MAX]; /* the verdicts before the claim */
};

bool drop_settled(struct report_row *row, const struct device *d, const struct report_row *old)
{
	if (!old || !d->done.due || d->decided.verdict != VERDICT_NONE || !d->group ||
	    !(d->group->first->done.progress & PROGRESS_ENDED))
		return false;
	*row = *old;
	row->verdict = VERDICT_NONE;
	return true;
}

/*
 * Amends the rows of devices that the run tried to claim, and those that the report did not have as claimed. A refusal
 * changed nothing, so the row of the boot is still true.
 */
static bool amend_claim(const void *data, struct report_row *row, const struct device *d, const struct report_row *old)
{
	const struct claim *c = data;
	const struct machine *m = &c->run.ctx->machine;
	struct text message = { 0 };

	if (drop_settled(row, d, old))
		return true;
	/* The device had its vfio driver before. Only its message can change: it names the framebuffer on the device.
	 */
	if (d->decided.verdict == VERDICT_ALREADY && old &&
	    (old->verdict == VERDICT_CLAIM || old->verdict == VERDICT_ALREADY)) {
		*row = *old;
		add_message(&message, m, d);
		report_row_change(row, REPORT_MESSAGE, message.p);
		return strcmp(report_column(row, REPORT_MESSAGE), report_column(old, REPORT_MESSAGE)) != 0;
	}
	if (d->decided.verdict == c->decided[d - m->device] && d->decided.verdict != VERDICT_CLAIM &&
	    d->decided.verdict != VERDICT_ALREADY)
		return false;
	report_row_of_device(row, m, d);
	return true;
}

/* Prints the verdicts on standard output, like a plan. Returns the exit status. */
static int print_claim(struct context *ctx, bool json)
{
	struct machine *m = &ctx->machine;
	struct output out;
	int error;

	if (json) {
		ctx->ran = true;
		error = json_print(json_plan(ctx));
	} else {
		say_problems(m, &complaints);
		say_notes(m, &complaints);
		say_warnings(m, &complaints);
		output_init(&out, STDOUT_FILENO);
		say_verdicts(m, true, &out.listener);
		error = output_flush(&out);
	}
	if (error && !json)
		say(&complaints, LEVEL_FAILED, "standard output: %s", error_text(error));
	return error ? STATUS_FAILED : plan_status(m);
}

int verb_claim(struct request *r)
{
	static struct claim c;
	struct by_hand *run = &c.run;
	int status = by_hand_begin(run, r, "vfio-boot claim", true);
	struct machine *m;
	struct device *d;
	bool recorded;

	if (status)
		return status;
	m = &run->ctx->machine;
	forget_others(m);
	for_each_device(m, d)
		c.decided[d - m->device] = d->decided.verdict;
	apply_plan(m, &run->ctx->root, run->deadline, &complaints);
	leave_virtual(run->ctx, run->deadline, &complaints);
	recorded = by_hand_end(run, amend_claim, &c);
	status = print_claim(run->ctx, asked(r, OPTION_JSON));
	return recorded ? status : STATUS_FAILED;
}
