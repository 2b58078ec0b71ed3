// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "errtext.h"
#include "listener.h"
#include "log.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "select.h"
#include "settings.h"

bool decide_begin(struct job *j)
{
	const char *name = j->argument[ARGUMENT_SYSROOT];

	j->root.sysroot = name != NULL;
	/* So that no link of the tree leads out of it. Who may not do this may not do much with what is outside either.
	 */
	if (!name || !chroot(name))
		name = "/";
	j->root.fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->root.fd < 0)
		say(&complaints, LEVEL_FAILED, "%s: %s", name, error_text(errno));
	return j->root.fd >= 0;
}

bool decide_settings(struct job *j)
{
	struct settings *s = &j->settings;
	struct machine *m = &j->machine;
	const char *nothing;

	machine_init(m, s, j->phase);
	m->settle = j->settle;
	m->read_all = j->every;
	nothing = load_settings(s, &j->paper, &j->root, j->argument[ARGUMENT_CMDLINE]);
	j->left_out_off = s->off_now && j->phase == PHASE_NEXT_BOOT && !j->argument[ARGUMENT_CMDLINE];
	if (nothing)
		;
	else if (s->off_now && !j->left_out_off)
		nothing = "vfio.ids=off";
	else if (s->unprotected)
		nothing = "too many exclusions or protect entries";
	else if (s->list[LIST_IDS].off)
		nothing = "ids=off in the settings files";
	m->no_claim_reason = nothing;
	return !nothing && s->list[LIST_IDS].end > s->list[LIST_IDS].selector;
}

/* List, recall, select, detail: a snapshot that can be decided on. 0 or -errno. */
static int read_machine(struct job *j)
{
	bool next_boot = j->phase == PHASE_NEXT_BOOT;
	struct machine *m = &j->machine;
	struct scan scan;
	int ret = scan_devices(&scan, m, &j->root, j->argument[ARGUMENT_RELEASE]);

	if (!ret) {
		if (!next_boot)
			report_recall(m, j->root.fd);
		scan_places(&scan);
		select_devices(m);
		scan_details(&scan);
		report_recall_overrides(m);
		ret = next_boot ? 0 : scan_use(m, j->root.fd);
	}
	scan_end(&scan);
	return ret;
}

bool decide_machine(struct job *j, const struct listener *l)
{
	struct machine *m = &j->machine;
	int ret = read_machine(j);

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

bool decide(struct job *j, const struct listener *l)
{
	return !decide_settings(j) || decide_machine(j, l);
}

int print_plan(struct job *j)
{
	struct output out;
	bool decided = decide(j, &complaints);
	int error;

	if (j->phase == PHASE_NEXT_BOOT)
		say(&complaints, LEVEL_DONE, "planned for the kernel command line: %s", j->paper.cmdline_used);
	if (j->left_out_off)
		say(&complaints, LEVEL_DONE, LEFT_OUT_OFF);
	say_problems(&j->machine, &complaints);
	say_notes(&j->machine, &complaints);
	say_warnings(&j->machine, &complaints);
	output_init(&out, STDOUT_FILENO);
	say_verdicts(&j->machine, false, &out.listener);
	error = output_flush(&out);
	if (error)
		say(&complaints, LEVEL_FAILED, "standard output: %s", error_text(error));
	return error || !decided ? STATUS_FAILED : plan_status(&j->machine);
}
