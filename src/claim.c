// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot-claim: the program of the initramfs. Options, exit status, and who is told what. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply.h"
#include "decide.h"
#include "errtext.h"
#include "report.h"
#include "sysfs.h"
#include "voice.h"

struct foreign {
	struct machine *m;
	const struct listener *log;
};

static int note_foreign(void *ctx, const char *name)
{
	const struct foreign *f = ctx;
	const struct device *d = machine_find(f->m, pciaddr_from_name(name, (unsigned)strlen(name)));

	if (d && d->verdict == VERDICT_NONE)
		say(f->log, LEVEL_REFUSED, "%s: foreign: vfio-pci holds it unasked (see modprobe.d)", name);
	return 0;
}

static int run(struct job *j)
{
	struct kernel_log log;
	struct foreign foreign = { &j->machine, &log.listener };
	bool decided;
	int error;

	kernel_log_init(&log, j->root.fd, &j->settings);
	decided = decide(j, &log.listener);
	/* What is wrong with the settings is said once a boot. */
	if (j->phase == PHASE_INIT_TOP) {
		say_problems(&j->machine, &log.listener);
		say_notes(&j->machine, &log.listener);
		say_warnings(&j->machine, &log.listener);
	}
	apply_plan(&j->machine, &j->root);
	if (j->phase == PHASE_SECOND_LOOK)
		report_merge(&j->machine, j->root.fd);
	say_verdicts(&j->machine, true, &log.listener);
	if (j->phase == PHASE_INIT_TOP)
		list_directory(j->root.fd, "sys/bus/pci/drivers/vfio-pci", note_foreign, &foreign);
	error = report_write(&j->machine, j->root.fd);
	if (error)
		say(&log.listener, LEVEL_FAILED, "/run/vfio-boot/report: %s", error_text(error));
	return error || !decided ? STATUS_FAILED : plan_status(&j->machine);
}

int main(int argc, char **argv)
{
	/* Shared with the children, which note in it what they did. */
	struct job *j = mmap(NULL, sizeof(*j), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned options;

	(void)argc;
	if (j == MAP_FAILED) {
		say(&complaints, LEVEL_FAILED, "out of memory");
		return STATUS_FAILED;
	}
	options = decide_options(j, argv + 1);
	if (options & ~(OPTION_DRY_RUN | OPTION_NEXT_BOOT | OPTION_SECOND_LOOK) ||
	    (options & (OPTION_NEXT_BOOT | OPTION_DRY_RUN)) == OPTION_NEXT_BOOT) {
		say(&complaints, LEVEL_FAILED,
		    "options: --second-look --dry-run --next-boot --sysroot DIR --cmdline TEXT -k VERSION");
		return STATUS_WRONG;
	}
	if (options & OPTION_NEXT_BOOT)
		j->phase = PHASE_NEXT_BOOT;
	else if (options & OPTION_SECOND_LOOK)
		j->phase = PHASE_SECOND_LOOK;
	else if (options & OPTION_DRY_RUN)
		j->phase = PHASE_NOW;
	if (!decide_begin(j))
		return STATUS_FAILED;
	return options & OPTION_DRY_RUN ? print_plan(j) : run(j);
}
