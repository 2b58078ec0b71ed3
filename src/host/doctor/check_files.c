// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "drift.h"
#include "fallback.h"
#include "format.h"
#include "image_judge.h"
#include "message.h"
#include "nearest.h"
#include "obstacle.h"
#include "plan_log.h"
#include "request.h"
#include "settings.h"
#include "sources.h"
#include "unprotected.h"

/*
 * Says what keeps a new image from being built. It is a fault where one is needed now. Where the image is right it will
 * be with the next change of the settings, and a host may be so on purpose.
 */
static void check_obstacles(const struct check_input *in, bool needed, struct check *c)
{
	struct obstacle o[OBSTACLES_MAX];
	unsigned n;

	/* A unified image may be anywhere. */
	if (!settings_select(in->ctx) || in->image->kind == IMAGE_UNIFIED)
		return;
	n = obstacles_find(o, &in->ctx->root);
	for (unsigned i = 0; i < n; i++) {
		check_say(c, needed ? CHECK_FAULT : c->state, "%s", o[i].what.p);
		check_remedy(c, "%s", o[i].remedy.p);
	}
}

void check_image(const struct check_input *in, struct check *c)
{
	static const enum check_state states[] = { CHECK_OK, CHECK_NONE, CHECK_FAULT };
	static struct image_verdict v;

	if (!*in->release) {
		check_say(c, CHECK_NONE, "the kernel to look for is not known (-k VERSION)");
		return;
	}
	image_judge(&v, in->image, in->ctx, in->release, true);
	if (v.state == IMAGE_RIGHT)
		check_say(c, CHECK_OK, "%s has the program, the modules and the settings", v.what.p);
	else
		check_say(c, states[v.state], "%s%s%s", v.what.p, before_fault(&v, ": "), v.fault[0].p);
	for (unsigned i = 1; i < v.faults; i++)
		check_say(c, states[v.state], "%s", v.fault[i].p);
	c->rebuild = v.state == IMAGE_FAULT;
	check_obstacles(in, c->rebuild, c);
	if (c->rebuild)
		check_remedy(c, "%s", v.remedy.p);
}

/* Enough of a line to recognize it. vfio-boot import prints all of it. */
#define CONFLICT_MAX 150

void check_conflicts(const struct check_input *in, struct check *c)
{
	struct result f = { .quiet = true };
	struct text place;

	sources_read_all(&f, in->ctx);
	for (const struct result_line *l = f.at_work.line; l < f.at_work.line + f.at_work.lines; l++) {
		int len = (int)strnlen(l->text, CONFLICT_MAX);

		check_say(c, CHECK_FAULT, "%s: %.*s%s", result_place(&place, l->source, l->line), len, l->text,
			  l->text[len] ? "..." : "");
	}
	if (f.at_work.lines)
		check_remedy(c, "vfio-boot import says what to delete, and which settings mean the same");
	else if (f.failed)
		check_say(c, CHECK_NONE, "not known: a file in modprobe.d or driverctl.d cannot be read");
	else
		check_say(c, CHECK_OK, "nothing else gives devices to vfio-pci");
	result_free(&f);
}

void check_settings(const struct check_input *in, struct check *c)
{
	const struct settings *s = &in->ctx->settings;
	const struct machine *m = &in->ctx->machine;
	unsigned n = count_all_selecting(s);
	struct text t, what;

	for (unsigned i = 0; i < s->problems && i < PROBLEMS_MAX && i < 5; i++) {
		t.len = 0;
		add_place(&t, &s->problem[i].at);
		set_problem(&what, &s->problem[i]);
		check_say(c, CHECK_FAULT, "%s: %s", t.p, what.p);
	}
	if (s->problems) {
		if (s->problems > 5)
			check_say(c, CHECK_FAULT, "and %u more", s->problems - 5);
		check_remedy(c, "vfio-boot plan shows which settings still apply");
		return;
	}
	if (m->no_claim_reason && in->readable)
		check_say(c, CHECK_NONE, "nothing is claimed: %s", m->no_claim_reason);
	else if (!n)
		check_say(c, CHECK_NONE, "no device is selected (vfio-boot add DEVICE)");
	else
		check_say(c, CHECK_OK, "%u %s", n, n == 1 ? "selector" : "selectors");
	if (in->nothing && !(m->no_claim_reason && !strcmp(in->nothing, m->no_claim_reason)))
		check_say(c, c->state, "nothing was claimed in this boot: %s; that does not apply to the next boot",
			  in->nothing);
}

struct findings {
	struct listener listener;
	struct check *check;
};

/* A listener that makes each line a finding. */
static void note_finding(const struct listener *l, unsigned level, const char *text)
{
	check_say(((const struct findings *)l)->check, level == LEVEL_DONE ? CHECK_NONE : CHECK_FAULT, "%s", text);
}

void check_protect(const struct check_input *in, struct check *c)
{
	static const char *const path = "/var/lib/vfio-boot/protect";
	static const char *const sources[] = { "/etc/fstab", "/etc/crypttab" };
	const struct settings *s = &in->ctx->settings;
	struct findings findings = { { note_finding }, c };
	int root = in->ctx->root.fd;
	struct stat file, source;

	if (fstatat(root, path + 1, &file, 0))
		check_say(c, CHECK_FAULT, "%s is not there: what the host lives on is unknown", path);
	else if (s->protect_unknown)
		check_say(c, CHECK_FAULT,
			  "%s: what the host lives on is unknown; storage is claimed only if it is named", path);
	for (unsigned i = 0; i < ARRAY_SIZE(sources) && c->state == CHECK_OK; i++) {
		if (!fstatat(root, sources[i] + 1, &source, 0) && source.st_mtim.tv_sec > file.st_mtim.tv_sec)
			check_say(c, CHECK_FAULT, "%s is older than %s", path, sources[i]);
	}
	(void)find_unprotected_anew(in->ctx, &in->ctx->machine, &findings.listener);
	if (c->state == CHECK_FAULT)
		check_remedy(c, "update-initramfs -u");
	else if (s->list[LIST_PROTECT].off)
		check_say(c, CHECK_NONE, "vfio-boot.protect=off on the kernel command line: nothing is protected");
	else if (c->state == CHECK_OK)
		check_say(c, CHECK_OK, "%s has what the host lives on", path);
}

/* The plan for the next boot in numbers, and its first problems, or NULL. */
struct summary {
	unsigned claimed;
	unsigned refused; /* or failed */
	unsigned pending;
	unsigned to_be_made; /* VFs */
	unsigned absent;
	const struct device *device; /* refused, failed or pending */
	const struct selector *absent_selector;
	const struct selector *idle; /* an idle selector */
};

static void count_devices(struct summary *s, const struct machine *m)
{
	const struct device *d;

	for_each_device(m, d) {
		s->claimed += is_claimed(d);
		s->to_be_made += is_to_be_made(d);
		if (d->decided.verdict < VERDICT_REFUSED || is_to_be_made(d))
			continue;
		if (d->decided.verdict == VERDICT_PENDING)
			s->pending++;
		else
			s->refused++;
		if (!s->device)
			s->device = d;
	}
}

static void count_selectors(struct summary *s, const struct machine *m)
{
	const struct selector *sel = NULL;

	while ((sel = next_absent(m, sel))) {
		if (sel->flags & SELECTOR_OPTIONAL)
			continue;
		s->absent++;
		if (!s->absent_selector)
			s->absent_selector = sel;
	}
	for (enum list_name i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel) {
			if (sel->flags & SELECTOR_IDLE)
				s->idle = sel;
		}
	}
}

void check_plan(const struct check_input *in, struct check *c)
{
	const struct machine *m = &in->ctx->machine;
	struct summary s = { 0 };
	enum check_state state;
	struct text t;

	if (!in->readable) {
		check_say(c, CHECK_FAULT, "the PCI devices of this machine cannot be read");
		return;
	}
	count_devices(&s, m);
	count_selectors(&s, m);
	state = s.claimed || s.to_be_made ? CHECK_OK : CHECK_NONE;
	if (s.device || s.absent_selector || s.idle)
		state = CHECK_FAULT;
	check_say(c, state, "the next boot: %u claimed, %u refused, %u pending, %u absent%s", s.claimed, s.refused,
		  s.pending, s.absent, in->image_is_wrong ? " (the image has to be rebuilt first)" : "");
	if (s.to_be_made)
		check_say(c, CHECK_OK, "and %u virtual functions, made when the boot is over", s.to_be_made);
	if (s.device) {
		set_device_line(&t, m, s.device, false);
		check_say(c, CHECK_FAULT, "%s", t.p);
		check_remedy(c, "vfio-boot explain %s", s.device->name);
	} else if (s.absent_selector) {
		set_absent_line(&t, m, s.absent_selector);
		check_say(c, CHECK_FAULT, "%s", t.p);
		check_remedy(c, "vfio-boot plan shows all of it");
	} else if (s.idle) {
		check_say(c, CHECK_FAULT, "%pe: %s", s.idle, idle_text(s.idle));
		check_remedy(c, s.idle->vfs ? "correct or remove that entry"
					    : "vfio-boot plan shows why each of them is kept");
	}
}

/* Returns true if this unit is enabled. */
static bool is_enabled(int root, const char *link)
{
	struct text t;

	return !faccessat(root, text_set(&t, "etc/systemd/system/%s", link), F_OK, AT_SYMLINK_NOFOLLOW);
}

void check_service(const struct check_input *in, struct check *c)
{
	int root = in->ctx->root.fd;

	if (faccessat(root, "etc/systemd/system", F_OK, 0)) {
		check_say(c, CHECK_NONE, "there is no systemd here");
	} else if (!is_enabled(root, "multi-user.target.wants/vfio-boot.service")) {
		check_say(c, CHECK_FAULT, "vfio-boot.service is not enabled: devices that appear late are not claimed");
		check_remedy(c, "systemctl enable vfio-boot.service");
	} else if (!in->ctx->settings.no_fallback &&
		   !(is_enabled(root, "sysinit.target.wants/vfio-boot-begun.service") &&
		     is_enabled(root, "multi-user.target.wants/vfio-boot-came-up.service"))) {
		check_say(c, CHECK_FAULT,
			  "boots that do not come up are not counted: vfio-boot-begun.service and "
			  "vfio-boot-came-up.service are not enabled");
		check_remedy(c, "systemctl enable vfio-boot.service, then update-initramfs -u (or set fallback=no)");
	} else {
		check_say(c, CHECK_OK, "vfio-boot.service is enabled");
	}
}

/* vfio-boot status has the words. */
static void drop_warning(void *data, const char *text)
{
	(void)data;
	(void)text;
}

/* Says what a report that can be read says in numbers, and what has drifted since the boot. */
static void say_report(const struct rows *rows, bool bad, bool selected_since, struct check *c)
{
	unsigned n[VERDICTS] = { 0 }, absent = 0;

	for (const struct row *r = rows->row; r < rows->row + rows->n; r++) {
		absent += r->report.kind == ROW_ABSENT && r->wrong;
		n[r->report.verdict]++;
	}
	check_say(c, bad || selected_since ? CHECK_FAULT : CHECK_OK,
		  "this boot: %u claimed, %u refused, %u failed, %u pending, %u absent",
		  n[VERDICT_CLAIM] + n[VERDICT_ALREADY], n[VERDICT_REFUSED], n[VERDICT_FAILED], n[VERDICT_PENDING],
		  absent);
	for (const struct row *r = rows->row; r < rows->row + rows->n; r++) {
		if (r->drift.len)
			check_say(c, CHECK_FAULT, "%s: drifted: %s", report_column(&r->report, REPORT_ADDRESS),
				  r->drift.p);
	}
	if (selected_since)
		check_say(c, CHECK_FAULT, "drifted: the settings select what they did not select in this boot");
	if (bad || selected_since)
		check_remedy(c, "vfio-boot status");
}

static void say_fallback(struct check *c)
{
	check_say(c, CHECK_FAULT, "%s", fallback_reason);
	check_remedy(c, "the next boot tries again; what it will do: vfio-boot plan");
	check_remedy(c, "why the boots before ended: journalctl -b -1");
}

void check_report(const struct check_input *in, struct check *c)
{
	static struct context now;
	struct rows rows = { .ctx = &now };
	struct text wrong;
	bool fallback;

	context_like(&now, in->ctx);
	now.phase = PHASE_NOW;
	now.read_all = true;
	(void)!decide_settings(&now);
	fallback = now.machine.fallback;
	if (!rows_read(&rows, &wrong)) {
		check_say(c, CHECK_FAULT, "%s", wrong.p);
		check_remedy(c, "update-initramfs -u, and reboot: another version of vfio-boot wrote the report");
	} else if (!rows.found) {
		check_say(c, CHECK_NONE, "no report of this boot: the claim has not run");
	} else {
		bool bad = rows_judge(&rows);

		say_report(&rows, bad, drift_settings(&rows, drop_warning, NULL), c);
		if (fallback)
			say_fallback(c);
	}
	rows_free(&rows);
}
