// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "errtext.h"
#include "fallback.h"
#include "format.h"
#include "late.h"
#include "listener.h"
#include "log.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "scan.h"
#include "select.h"
#include "settings.h"

static bool selects(const struct settings *s)
{
	return !list_is_empty(&s->list[LIST_IDS]) || !list_is_empty(&s->list[LIST_VFS]);
}

/* Returns why the settings, once they are read, claim nothing in this boot, or NULL. */
static const char *find_no_claim_reason(const struct context *ctx)
{
	const struct settings *s = &ctx->settings;

	/* It comes first: the boot loader's own fallback is a boot with vfio.ids=off. */
	if (ctx->phase != PHASE_NEXT_BOOT && !ctx->by_hand && selects(s) && fallback_is_on(ctx->root.fd))
		return fallback_reason;
	if (s->off_now && !ctx->left_out_off && !ctx->by_hand)
		return "vfio.ids=off";
	if (s->unprotected)
		return "too many exclusions or protect entries";
	if (s->list[LIST_IDS].off && !ctx->by_hand)
		return "ids=off in the settings files";
	return NULL;
}

bool decide_settings(struct context *ctx)
{
	struct settings *s = &ctx->settings;
	struct machine *m = &ctx->machine;

	context_begin_machine(ctx);
	m->no_claim_reason = settings_load(s, &ctx->buffers, &ctx->root, ctx->argument[ARGUMENT_CMDLINE]);
	ctx->left_out_off = s->off_now && ctx->phase == PHASE_NEXT_BOOT && !ctx->argument[ARGUMENT_CMDLINE];
	if (!m->no_claim_reason)
		m->no_claim_reason = find_no_claim_reason(ctx);
	m->fallback = m->no_claim_reason == fallback_reason;
	return !m->no_claim_reason && selects(s);
}

/* Leaves the devices alone for which an earlier attempt of this run waits. */
static void recall_stuck(struct context *ctx)
{
	for (const struct stuck *s = ctx->stuck; s < ctx->stuck + ctx->stucks; s++) {
		struct device *d = machine_find_name(&ctx->machine, s->name, strlen(s->name));

		if (!d)
			continue;
		d->done.worker = s->worker;
		d->done.waits_for = "its driver_override (a driver holds its lock)";
	}
}

/* Tells the decision of which PFs this run could not make the VFs. */
static void recall_physical(struct context *ctx)
{
	for (const struct physical *p = ctx->pf; p < ctx->pf + ctx->pfs; p++) {
		struct device *d = machine_find_name(&ctx->machine, p->name, strlen(p->name));

		if (!d)
			continue;
		d->done.error = REASON_VFS;
		d->done.errnum = p->errnum;
	}
}

/* Reads all that the decision needs. Returns 0 or -errno. */
static int read_machine(struct context *ctx)
{
	bool next_boot = ctx->phase == PHASE_NEXT_BOOT;
	struct machine *m = &ctx->machine;
	struct scan scan;
	int ret = scan_devices(&scan, m, &ctx->root, ctx->argument[ARGUMENT_RELEASE]);

	if (!ret) {
		if (!next_boot)
			report_recall(m, ctx->root.fd);
		if (m->settle)
			late_recall(&ctx->late, m);
		recall_stuck(ctx);
		recall_physical(ctx);
		scan_places(&scan);
		select_devices(m);
		if (m->settle && !m->late)
			report_recall_arrived(m, ctx->root.fd);
		ret = scan_details(&scan);
		select_twins(m);
		report_recall_overrides(m);
		if (!ret && !next_boot)
			ret = scan_use(m, ctx->root.fd, NULL);
	}
	scan_end(&scan);
	return ret;
}

bool decide_machine(struct context *ctx, const struct listener *l)
{
	struct machine *m = &ctx->machine;
	int ret = read_machine(ctx);

	if (ret) {
		m->end = m->device;
		m->no_claim_reason = "the devices cannot be read";
		say(l, LEVEL_FAILED, "/sys/bus/pci/devices: %s",
		    ret == -E2BIG ? "more than 4096 PCI functions" : error_text(-ret));
		return false;
	}
	plan_decide(m);
	if (m->settle)
		plan_settle(m);
	return true;
}

struct reading {
	struct context *ctx;
	const struct listener *log;
};

/* Runs in a child and notes the result where the parent sees it. */
static void read_and_decide(const void *data, struct device *unit)
{
	const struct reading *r = data;

	(void)unit;
	r->ctx->decided = decide_machine(r->ctx, r->log);
}

/*
 * Waits for the child that reads the machine. Returns TIME_IS_UP if the deadline has passed, or if the child waits for
 * the same device for a whole part of the time: the device, or who holds its lock, is sick.
 */
static enum ending wait_for_reading(const struct child *child, const struct machine *m, clock_t deadline)
{
	const struct device *before = NULL;

	for (;;) {
		enum ending ending = child_wait(child, share_of(deadline, 4));

		if (ending != TIME_IS_UP || is_past(deadline) || (m->reading && m->reading == before))
			return ending;
		before = m->reading;
	}
}

/* Notes which device the child waits for. Returns false if it waits for none, or if there are too many. */
static bool note_stuck(struct context *ctx, const struct device *reading, const struct child *child)
{
	struct stuck *stuck = ctx->stuck + ctx->stucks;

	if (!reading || ctx->stucks == STUCK_MAX)
		return false;
	memcpy(stuck->name, reading->name, sizeof(stuck->name));
	note_process(ctx->root.fd, child->pid, &stuck->worker);
	ctx->stucks++;
	return true;
}

struct context *decide_in_time(struct context *ctx, clock_t deadline, const struct listener *log)
{
	for (;;) {
		struct reading reading = { ctx, log };
		struct child child = child_start(read_and_decide, &reading, NULL);
		enum ending ending = wait_for_reading(&child, &ctx->machine, deadline);
		const struct device *stuck = ctx->machine.reading;

		if (ending == ENDED && ctx->decided)
			return ctx;
		if (ending == TIME_IS_UP)
			child_leave(&child);
		ctx = context_again(ctx);
		if (ending != TIME_IS_UP || is_past(deadline) || !note_stuck(ctx, stuck, &child)) {
			ctx->machine.no_claim_reason = "reading the devices failed or timed out";
			ctx->machine.failed = true;
			return ctx;
		}
	}
}

bool decide(struct context *ctx, const struct listener *l)
{
	return !decide_settings(ctx) || decide_machine(ctx, l);
}

int print_plan(struct context *ctx)
{
	struct output out;
	bool decided = decide(ctx, &complaints);
	int error;

	if (ctx->phase == PHASE_NEXT_BOOT)
		say(&complaints, LEVEL_DONE, "planned for the kernel command line: %s", ctx->buffers.cmdline_used);
	if (ctx->left_out_off)
		say(&complaints, LEVEL_DONE, LEFT_OUT_OFF);
	say_problems(&ctx->machine, &complaints);
	say_notes(&ctx->machine, &complaints);
	say_warnings(&ctx->machine, &complaints);
	output_init(&out, STDOUT_FILENO);
	say_verdicts(&ctx->machine, false, &out.listener);
	error = output_flush(&out);
	if (error)
		say(&complaints, LEVEL_FAILED, "standard output: %s", error_text(error));
	return error || !decided ? STATUS_FAILED : plan_status(&ctx->machine);
}
