// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot-claim: the program of the initramfs. Options, exit status, and who is told what. */
#include <string.h>

#include "apply.h"
#include "context.h"
#include "errtext.h"
#include "format.h"
#include "listener.h"
#include "lock.h"
#include "log.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "sysfs.h"

enum {
	OPTION_DRY_RUN = 1 << 0,
	OPTION_NEXT_BOOT = 1 << 1,
	OPTION_SECOND_LOOK = 1 << 2,
	OPTION_SETTLE = 1 << 3,
	OPTION_WRONG = 1 << 4, /* none of those, or without what has to follow it */
};

static const char words[] = "--sysroot\0--cmdline\0-k\0--dry-run\0--next-boot\0--second-look\0--settle\0";

/* Reads the options, up to the NULL, into j->argument; returns those without an argument. */
static unsigned read_options(struct job *j, char **argv)
{
	unsigned given = 0;

	for (; *argv; argv++) {
		const char *word = words;
		unsigned i = 0;

		for (; *word && strcmp(*argv, word); i++)
			word = nth_word(word, 1);
		if (i >= ARGUMENTS)
			given |= 1U << (i - ARGUMENTS);
		else if (!(j->argument[i] = *++argv))
			return OPTION_WRONG;
	}
	return given;
}

struct foreign {
	struct machine *m;
	const struct listener *log;
};

static int note_foreign(void *ctx, const char *name)
{
	const struct foreign *f = ctx;
	const struct device *d = machine_find_name(f->m, name, strlen(name));

	if (d && d->decided.verdict == VERDICT_NONE)
		say(f->log, LEVEL_REFUSED, "%s: foreign: vfio-pci holds it unasked (see modprobe.d)", name);
	return 0;
}

static int run(struct job *j)
{
	struct kernel_log log;
	bool asked = decide_settings(j);
	clock_t deadline = deadline_after(j->settings.timeout);
	struct foreign foreign;
	int error, turn;

	kernel_log_init(&log, j->root.fd, &j->settings);
	turn = lock_take(j->root.fd, deadline);
	if (turn < 0) {
		say(&log.listener, LEVEL_FAILED, "another run is at work, this one does nothing");
		return STATUS_FAILED;
	}
	if (asked && !decide_in_time(j, deadline, &log.listener)) {
		/* The child may be writing still. */
		struct job *fresh = shared_job();

		memcpy(fresh, j, offsetof(struct job, decided));
		j = fresh;
		(void)!decide_settings(j);
		j->machine.no_claim_reason = "the devices cannot be read, or not in time";
		j->machine.failed = true;
		log.settings = &j->settings;
	}
	/* What is wrong with the settings is said once a boot. */
	if (j->phase == PHASE_INIT_TOP) {
		say_problems(&j->machine, &log.listener);
		say_warnings(&j->machine, &log.listener);
	}
	if (j->phase == PHASE_INIT_TOP || j->machine.failed)
		say_notes(&j->machine, &log.listener);
	apply_plan(&j->machine, &j->root, deadline, &log.listener);
	if (j->phase == PHASE_SECOND_LOOK)
		report_merge(&j->machine, j->root.fd);
	say_verdicts(&j->machine, true, &log.listener);
	foreign = (struct foreign){ &j->machine, &log.listener };
	if (j->phase == PHASE_INIT_TOP)
		list_directory(j->root.fd, "sys/bus/pci/drivers/vfio-pci", note_foreign, &foreign);
	error = report_write(&j->machine, j->root.fd, &log.listener);
	lock_release(turn);
	if (error)
		say(&log.listener, LEVEL_FAILED, "/run/vfio-boot/report: %s", error_text(error));
	return error || j->machine.failed ? STATUS_FAILED : plan_status(&j->machine);
}

int main(int argc, char **argv)
{
	struct job *j = shared_job();
	unsigned options;

	(void)argc;
	options = read_options(j, argv + 1);
	if (options & ~(OPTION_DRY_RUN | OPTION_NEXT_BOOT | OPTION_SECOND_LOOK | OPTION_SETTLE) ||
	    (options & (OPTION_NEXT_BOOT | OPTION_DRY_RUN)) == OPTION_NEXT_BOOT) {
		struct text t;

		text_set(&t, "options:");
		for (const char *word = words; *word; word = nth_word(word, 1))
			text_add(&t, " %s", word);
		complaints.say(&complaints, LEVEL_FAILED, t.p);
		return STATUS_WRONG;
	}
	if (options & OPTION_NEXT_BOOT)
		j->phase = PHASE_NEXT_BOOT;
	else if (options & (OPTION_SECOND_LOOK | OPTION_SETTLE))
		j->phase = PHASE_SECOND_LOOK;
	else if (options & OPTION_DRY_RUN)
		j->phase = PHASE_NOW;
	j->settle = options & OPTION_SETTLE;
	if (!decide_begin(j))
		return STATUS_FAILED;
	return options & OPTION_DRY_RUN ? print_plan(j) : run(j);
}
