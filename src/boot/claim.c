// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot-claim: the program of the initramfs. Reads the options, runs the claim, reports it, sets the exit status.
 */
#include <signal.h>
#include <string.h>

#include "act.h"
#include "apply.h"
#include "context.h"
#include "errtext.h"
#include "fallback.h"
#include "format.h"
#include "late.h"
#include "links.h"
#include "listener.h"
#include "lock.h"
#include "log.h"
#include "modules.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "root.h"
#include "sysfs.h"
#include "virtual.h"

enum {
	OPTION_DRY_RUN = 1 << 0,
	OPTION_NEXT_BOOT = 1 << 1,
	OPTION_SECOND_LOOK = 1 << 2,
	OPTION_SETTLE = 1 << 3,
	OPTION_ROOT_MISSING = 1 << 4,
	OPTION_CAME_UP = 1 << 5,
	OPTION_WRONG = 1 << 6, /* an unknown option, or one without its argument */
};

/* The options with an argument in the order of ARGUMENT_*, then those of OPTION_*. */
static const char words[] =
	"--sysroot\0--cmdline\0-k\0--late\0--rebound\0--dry-run\0--next-boot\0--second-look\0--settle\0--root-missing\0"
	"--came-up\0";

/* Stores the arguments of options in ctx->argument. Returns the options without an argument. */
static unsigned read_options(struct context *ctx, char **argv)
{
	unsigned given = 0;

	for (; *argv; argv++) {
		const char *word = words;
		unsigned i = 0;

		for (; *word && strcmp(*argv, word); i++)
			word = nth_word(word, 1);
		if (i >= ARGUMENTS)
			given |= 1U << (i - ARGUMENTS);
		else if (!(ctx->argument[i] = *++argv))
			return OPTION_WRONG;
	}
	return given;
}

struct foreign {
	struct machine *m;
	const struct listener *log;
};

static int note_foreign(void *data, const char *name)
{
	const struct foreign *f = data;
	const struct device *d = machine_find_name(f->m, name, strlen(name));

	if (d && d->decided.verdict == VERDICT_NONE)
		say(f->log, LEVEL_REFUSED, "%s: foreign: something else bound it to vfio-pci (see modprobe.d)", name);
	return 0;
}

/* Reports what vfio-pci holds and the settings do not select, once in a boot. */
static void say_foreign(struct context *ctx, const struct listener *log)
{
	struct foreign foreign = { &ctx->machine, log };

	if (ctx->phase == PHASE_INIT_TOP)
		list_directory(ctx->root.fd, "sys/bus/pci/drivers/vfio-pci", note_foreign, &foreign);
}

/* Reports problems of the settings once in a boot, and the failure of a run each time. */
static void say_state(const struct context *ctx, const struct listener *log)
{
	if (ctx->phase == PHASE_INIT_TOP) {
		say_problems(&ctx->machine, log);
		say_warnings(&ctx->machine, log);
	}
	if (ctx->phase == PHASE_INIT_TOP || ctx->machine.failed)
		say_notes(&ctx->machine, log);
}

/* The part of the time that is left for the kernel log, in which a slow console can take its time. */
#define LOG_PART 16

/* Only what may be the root is ever given back for its sake. */
static bool has_claimed_storage(const struct machine *m)
{
	const struct device *d;

	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_CLAIM && base_class(d) == 0x01)
			return true;
	}
	return false;
}

/* Returns the function for which udev has started this run, or NULL. */
static const char *late_function(const struct context *ctx)
{
	return ctx->argument[ARGUMENT_LATE] ? ctx->argument[ARGUMENT_LATE] : ctx->argument[ARGUMENT_REBOUND];
}

static enum late_event event_of(const struct context *ctx)
{
	return ctx->argument[ARGUMENT_LATE] ? LATE_COME : LATE_REBOUND;
}

/* Returns true if this run is to decide on the function that has come. If not, another run has done so meanwhile. */
static bool take_batch(struct context *ctx, clock_t deadline)
{
	enum late_event event = event_of(ctx);
	const char *name = late_function(ctx);

	if (!late_is_noted(ctx->root.fd, name, event))
		return false;
	/* As one of the VFs that this program has made. */
	if (late_is_done(ctx->root.fd, name)) {
		late_drop(ctx->root.fd, name, event);
		return false;
	}
	late_wait(ctx->root.fd, deadline);
	late_take(&ctx->late, ctx->root.fd, name, event);
	return true;
}

/* Returns true if this run completes what the boot left open, in the running system. */
static bool settles(const struct context *ctx)
{
	return ctx->settle && !ctx->machine.late;
}

#if defined(__x86_64__)
#define GROUPS_WAIT_FOR_DRIVERS false
#else
#define GROUPS_WAIT_FOR_DRIVERS true
#endif

/*
 * Returns true if a device was selected that has no group yet, although the kernel uses an IOMMU. Not for a run that
 * udev starts: in the running system a device may be without a driver because somebody wants it so.
 */
static bool lacks_groups(const struct context *ctx)
{
	const struct device *d;

	for_each_device(&ctx->machine, d) {
		if (d->decided.reason == REASON_NO_IOMMU && !d->group && !d->found.driver && !ctx->machine.late)
			return has_entries(ctx->root.fd, "sys/class/iommu") == 1;
	}
	return false;
}

/* Decides, and once more with the groups if they were still to be made. */
static struct context *decide_groups(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct act act;

	ctx = decide_in_time(ctx, deadline, log);
	if (!GROUPS_WAIT_FOR_DRIVERS || !lacks_groups(ctx))
		return ctx;
	act = (struct act){ &ctx->machine, &ctx->root, log, share_of(deadline, 2), false };
	run_in_child(act.deadline, make_groups, &act, NULL);
	return decide_in_time(context_again(ctx), deadline, log);
}

/* Decides, after the VFs have been made that are to be there. Returns the context with the decision. */
static struct context *decide_claim(struct context *ctx, clock_t deadline, const struct listener *log)
{
	/* Without a report the claim of this boot has not run, and nobody would know of the VFs. */
	if (!settles(ctx) || !report_is_there(ctx->root.fd))
		return decide_groups(ctx, deadline, log);
	/* Runs for functions that came later may have waited in vain for the lock. */
	late_take(&ctx->late, ctx->root.fd, NULL, LATE_COME);
	return make_virtual(ctx, deadline, log);
}

/* What else this run leaves in /run for others. */
static void leave_behind(const struct context *ctx, bool asked)
{
	int root = ctx->root.fd;

	if (ctx->phase == PHASE_INIT_TOP && has_claimed_storage(&ctx->machine))
		begin_root_wait(root);
	/* Nothing in the initramfs needs them. */
	if (ctx->settle)
		links_make(root);
	if (!ctx->machine.late)
		late_enable(&ctx->settings, root, asked && report_is_there(root), ctx->settle);
}

static int claim(struct context *ctx, bool asked, clock_t deadline, const struct listener *log)
{
	int lock = lock_take(ctx->root.fd, deadline), error;

	if (lock < 0) {
		say(log, LEVEL_FAILED, "another run is active; this run does nothing");
		return STATUS_FAILED;
	}
	if (ctx->machine.late && !take_batch(ctx, deadline)) {
		lock_release(lock);
		return 0;
	}
	if (asked)
		ctx = decide_claim(ctx, deadline, log);
	if (asked && ctx->phase == PHASE_INIT_TOP)
		fallback_begin(ctx, deadline, log);
	asked &= !ctx->machine.fallback;
	say_state(ctx, log);
	apply_plan(&ctx->machine, &ctx->root, deadline, log);
	if (settles(ctx))
		leave_virtual(ctx, deadline, log);
	if (ctx->phase == PHASE_SECOND_LOOK)
		report_merge(&ctx->machine, ctx->root.fd);
	error = report_write(&ctx->machine, ctx->root.fd, log);
	leave_behind(ctx, asked);
	lock_release(lock);
	say_verdicts(&ctx->machine, true, log);
	say_foreign(ctx, log);
	if (error)
		say(log, LEVEL_FAILED, "/run/vfio-boot/report: %s", error_text(error));
	return error || ctx->machine.failed ? STATUS_FAILED : plan_status(&ctx->machine);
}

/* udev kills what has not ended after 180 seconds (event_timeout= of udev.conf). */
#define LATE_SECONDS 150

static clock_t end_of(const struct context *ctx)
{
	unsigned seconds = ctx->settings.timeout;

	return deadline_after(ctx->machine.late && seconds > LATE_SECONDS ? LATE_SECONDS : seconds);
}

/* Returns true if there is nothing to do for the function that has come. Otherwise notes it. */
static bool is_no_concern(const struct context *ctx, bool asked)
{
	const char *name = late_function(ctx);

	return !asked || (!ctx->argument[ARGUMENT_LATE] && !ctx->settings.keep) ||
	       !late_concerns(&ctx->settings, ctx->root.fd, name) || !late_note(ctx->root.fd, name, event_of(ctx));
}

static int run(struct context *ctx, bool root_missing)
{
	struct kernel_log log;
	bool asked = decide_settings(ctx);
	clock_t begin = deadline_after(0), end = end_of(ctx);
	clock_t deadline = end - (end - begin) / LOG_PART;
	int status;

	if (ctx->machine.late && is_no_concern(ctx, asked))
		return 0;
	/*
	 * systemd sends it to all that is left of the initramfs when it switches to the real root, and a group that is
	 * half done would lack its drivers.
	 */
	signal(SIGTERM, SIG_IGN);
	kernel_log_begin(&log, ctx->root.fd, &ctx->settings, end);
	if (asked && settles(ctx) && report_is_there(ctx->root.fd))
		ctx = await_physical(ctx, deadline, &log.listener);
	if (!root_missing)
		status = claim(ctx, asked, deadline, &log.listener);
	else
		status = asked ? give_back_root(ctx, deadline, &log.listener) : 0;
	kernel_log_end(&log);
	return status;
}

int main(int argc, char **argv)
{
	struct context *ctx = context_shared();
	unsigned options;
	int status;

	(void)argc;
	options = read_options(ctx, argv + 1);
	if (options & OPTION_WRONG || (options & (OPTION_NEXT_BOOT | OPTION_DRY_RUN)) == OPTION_NEXT_BOOT) {
		struct text t;

		text_set(&t, "options:");
		for (const char *word = words; *word; word = nth_word(word, 1))
			text_add(&t, " %s", word);
		complaints.say(&complaints, LEVEL_FAILED, t.p);
		return STATUS_WRONG;
	}
	if (options & OPTION_NEXT_BOOT)
		ctx->phase = PHASE_NEXT_BOOT;
	else if (options & (OPTION_SECOND_LOOK | OPTION_SETTLE | OPTION_ROOT_MISSING) || late_function(ctx))
		ctx->phase = PHASE_SECOND_LOOK;
	else if (options & OPTION_DRY_RUN)
		ctx->phase = PHASE_NOW;
	ctx->settle = options & OPTION_SETTLE || late_function(ctx);
	status = context_open(ctx);
	if (status)
		return status;
	if (options & OPTION_CAME_UP)
		return fallback_end(ctx);
	return options & OPTION_DRY_RUN ? print_plan(ctx) : run(ctx, options & OPTION_ROOT_MISSING);
}
