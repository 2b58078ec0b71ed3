// SPDX-License-Identifier: GPL-2.0-or-later
#include "fallback.h"
#include "child.h"
#include "directory.h"
#include "errtext.h"
#include "log.h"
#include "report.h"
#include "sysfs.h"

const char fallback_reason[] = "the last two boots with claims did not come up (fallback=no turns this off)";

/* This boot claims nothing. */
static const char *const fallback_path = "run/vfio-boot/fallback";
/* This boot claims something, and could not be counted. */
static const char *const uncounted_path = "run/vfio-boot/uncounted";
/* The hook puts it into an image where the host has systemd and our units, which clear the count. */
static const char *const cleared_path = "var/lib/vfio-boot/count-boots";

/* The running system does not wait longer for its firmware. */
#define END_SECONDS 10

bool fallback_is_on(int root)
{
	return exists(root, fallback_path);
}

/* Returns true if this boot claims something, now or at its second look. */
static bool claims(const struct machine *m)
{
	const struct device *d;

	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_CLAIM || d->decided.verdict == VERDICT_PENDING)
			return true;
	}
	return false;
}

/* Counts this boot. Returns false if that cannot be done. */
static bool count(struct context *ctx, clock_t deadline, const struct listener *log)
{
	int root = ctx->root.fd;

	if (!exists(root, cleared_path) || !boot_count_can_be(root))
		return false;
	ctx->count.root = &ctx->root;
	boot_count_change(&ctx->count, share_of(deadline, 4));
	if (ctx->count.errnum)
		say(log, LEVEL_REFUSED, "this boot is not counted (fallback): EFI variable: %s",
		    error_text(ctx->count.errnum));
	return !ctx->count.errnum;
}

void fallback_begin(struct context *ctx, clock_t deadline, const struct listener *log)
{
	int root = ctx->root.fd;

	/* With a report, an earlier run of this boot has been here. */
	if (ctx->settings.no_fallback || !claims(&ctx->machine) || report_is_there(root))
		return;
	if (!count(ctx, deadline, log)) {
		mark(root, uncounted_path, true);
	} else if (ctx->count.failed >= FAILED_BOOTS_MAX) {
		mark(root, fallback_path, true);
		context_begin_machine(ctx);
		ctx->machine.no_claim_reason = fallback_reason;
		ctx->machine.fallback = true;
	}
}

int fallback_end(struct context *ctx)
{
	if (!boot_count_can_be(ctx->root.fd))
		return 0;
	ctx->count.root = &ctx->root;
	ctx->count.clear = true;
	boot_count_change(&ctx->count, deadline_after(END_SECONDS));
	if (!ctx->count.errnum)
		return 0;
	say(&complaints, LEVEL_FAILED, "the count of boots that did not come up cannot be cleared: EFI variable: %s",
	    error_text(ctx->count.errnum));
	return STATUS_FAILED;
}
