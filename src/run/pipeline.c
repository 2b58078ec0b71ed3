// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "errtext.h"
#include "listener.h"
#include "log.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "scan.h"
#include "select.h"
#include "settings.h"

bool decide_settings(struct context *ctx)
{
	struct settings *s = &ctx->settings;
	struct machine *m = &ctx->machine;
	const char *nothing;

	machine_init(m, s, ctx->phase);
	m->settle = ctx->settle;
	m->read_all = ctx->read_all;
	nothing = settings_load(s, &ctx->buffers, &ctx->root, ctx->argument[ARGUMENT_CMDLINE]);
	ctx->left_out_off = s->off_now && ctx->phase == PHASE_NEXT_BOOT && !ctx->argument[ARGUMENT_CMDLINE];
	if (nothing)
		;
	else if (s->off_now && !ctx->left_out_off)
		nothing = "vfio.ids=off";
	else if (s->unprotected)
		nothing = "too many exclusions or protect entries";
	else if (s->list[LIST_IDS].off)
		nothing = "ids=off in the settings files";
	m->no_claim_reason = nothing;
	return !nothing && s->list[LIST_IDS].end > s->list[LIST_IDS].selector;
}

/* List, recall, select, detail: a snapshot that can be decided on. 0 or -errno. */
static int read_machine(struct context *ctx)
{
	bool next_boot = ctx->phase == PHASE_NEXT_BOOT;
	struct machine *m = &ctx->machine;
	struct scan scan;
	int ret = scan_devices(&scan, m, &ctx->root, ctx->argument[ARGUMENT_RELEASE]);

	if (!ret) {
		if (!next_boot)
			report_recall(m, ctx->root.fd);
		scan_places(&scan);
		select_devices(m);
		scan_details(&scan);
		report_recall_overrides(m);
		ret = next_boot ? 0 : scan_use(m, ctx->root.fd);
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
		m->no_claim_reason = "the machine cannot be read";
		say(l, LEVEL_FAILED, "/sys/bus/pci/devices: %s",
		    ret == -E2BIG ? "more than 4096 PCI functions" : error_text(-ret));
		return false;
	}
	plan_decide(m);
	if (m->settle)
		plan_settle(m);
	return true;
}

struct look {
	struct context *ctx;
	const struct listener *log;
};

static void look(const void *data, struct device *unit)
{
	const struct look *l = data;

	(void)unit;
	l->ctx->decided = decide_machine(l->ctx, l->log);
}

bool decide_in_time(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct look ask = { ctx, log };

	return run_in_child(deadline, look, &ask, NULL) == ENDED && ctx->decided;
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
