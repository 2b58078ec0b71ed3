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

/* Returns why the settings, once they are read, claim nothing in this boot, or NULL. */
static const char *find_no_claim_reason(const struct context *ctx)
{
	const struct settings *s = &ctx->settings;

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

	machine_init(m, s, ctx->phase);
	m->settle = ctx->settle;
	m->read_all = ctx->read_all;
	m->no_claim_reason = settings_load(s, &ctx->buffers, &ctx->root, ctx->argument[ARGUMENT_CMDLINE]);
	ctx->left_out_off = s->off_now && ctx->phase == PHASE_NEXT_BOOT && !ctx->argument[ARGUMENT_CMDLINE];
	if (!m->no_claim_reason)
		m->no_claim_reason = find_no_claim_reason(ctx);
	return !m->no_claim_reason && s->list[LIST_IDS].end > s->list[LIST_IDS].selector;
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
		scan_places(&scan);
		select_devices(m);
		scan_details(&scan);
		report_recall_overrides(m);
		ret = next_boot ? 0 : scan_use(m, ctx->root.fd, NULL);
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

bool decide_in_time(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct reading reading = { ctx, log };

	return run_in_child(deadline, read_and_decide, &reading, NULL) == ENDED && ctx->decided;
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
