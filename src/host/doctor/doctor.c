// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "doctor.h"
#include "firmware.h"
#include "format.h"
#include "image_judge.h"
#include "log.h"
#include "plan_json.h"
#include "request.h"
#include "terminal.h"

static const struct {
	const char *name;
	void (*run)(const struct check_input *in, struct check *c);
} checks[] = {
	{ "iommu", check_iommu },	  { "kernel", check_kernel },	{ "image", check_image },
	{ "conflicts", check_conflicts }, { "display", check_display }, { "settings", check_settings },
	{ "protect", check_protect },	  { "plan", check_plan },	{ "boot", check_boot },
	{ "service", check_service },	  { "report", check_report },
};

static void add_line(struct text line[CHECK_LINES], unsigned *lines, const char *fmt, va_list ap)
{
	struct text *t = &line[*lines < CHECK_LINES ? *lines : CHECK_LINES - 1];

	if ((*lines)++ >= CHECK_LINES) {
		text_set(t, "and %u more", *lines - CHECK_LINES + 1);
		return;
	}
	t->len = 0;
	text_vadd(t, fmt, ap);
}

void check_say(struct check *c, enum check_state state, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c->line, &c->lines, fmt, ap);
	va_end(ap);
	if (state > c->state)
		c->state = state;
}

void check_remedy(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(c->remedy, &c->remedies, fmt, ap);
	va_end(ap);
}

/* Returns how many of the lines were kept. */
static unsigned kept(unsigned lines)
{
	return lines < CHECK_LINES ? lines : CHECK_LINES;
}

/* The columns of a line without a terminal, and those before its text. */
#define PAGE   120
#define MARGIN 15

/* Prints a text and breaks it at blanks. Its second line and the following ones are indented by two more columns. */
static void print_line(const char *text, enum style s)
{
	char below[MARGIN + 3];

	snprintf(below, sizeof(below), "%*s", MARGIN + 2, "");
	fputs(s == PLAIN ? "" : style(s), stdout);
	print_wrapped(stdout, isatty(STDOUT_FILENO) ? terminal_width() : PAGE, MARGIN, below, text);
	fputs(s == PLAIN ? "" : style(PLAIN), stdout);
}

static void print_check(const char *name, const struct check *c)
{
	static const char *const marks[] = { "ok", "--", "!!" };
	static const enum style styles[] = { GOOD, DIM, BAD };

	printf("%s%s%s  %-9s  ", style(styles[c->state]), marks[c->state], style(PLAIN), name);
	for (unsigned i = 0; i < kept(c->lines); i++) {
		printf("%*s", i ? MARGIN : 0, "");
		print_line(c->line[i].p, PLAIN);
	}
	for (unsigned i = 0; i < kept(c->remedies); i++) {
		printf("%*s", MARGIN, "");
		print_line(c->remedy[i].p, BOLD);
	}
}

static struct json_object *joined(const struct text line[CHECK_LINES], unsigned lines)
{
	char all[CHECK_LINES * (TEXT_SIZE + 2)], *end = all;

	if (!lines)
		return NULL;
	for (unsigned i = 0; i < kept(lines); i++)
		end += sprintf(end, "%s%s", i ? "; " : "", line[i].p);
	return json_text(all);
}

static struct json_object *json_check(const char *name, const struct check *c)
{
	static const char *const states[] = { "ok", "none", "fault" };
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "check", json_text(name));
	json_object_object_add(o, "state", json_text(states[c->state]));
	json_object_object_add(o, "text", joined(c->line, c->lines));
	json_object_object_add(o, "remedy", joined(c->remedy, c->remedies));
	return o;
}

/* Checks the image alone, for a program that has just made it: a line on standard error for each fault. */
static int doctor_image(struct context *ctx)
{
	static struct image_verdict v;
	struct text release;
	struct image image;
	const char *name;

	ctx->phase = PHASE_NEXT_BOOT;
	(void)!decide_settings(ctx);
	name = kernel_release(&release, ctx->root.fd, ctx->argument[ARGUMENT_RELEASE]);
	if (!*name) {
		say(&complaints, LEVEL_FAILED, "doctor: the kernel to look for is not known (-k VERSION)");
		return 1;
	}
	image_find(&image, &ctx->root, name);
	image_judge(&v, &image, ctx, name, settings_select(ctx));
	/* An image that nobody can look into is said even if nothing is selected. */
	if (v.look != LOOK_DONE)
		image_judge(&v, &image, ctx, name, true);
	for (unsigned i = 0; i < v.faults; i++)
		say(&complaints, LEVEL_REFUSED, "%s%s%s%s%s%s", v.what.p, before_fault(&v, ": "), v.fault[i].p,
		    *v.remedy.p ? " (" : "", v.remedy.p, *v.remedy.p ? ")" : "");
	return v.state != IMAGE_RIGHT && v.look != LOOK_UNIFIED;
}

bool doctor_say_machine(struct context *ctx)
{
	static const struct {
		const char *name;
		void (*run)(const struct check_input *in, struct check *c);
	} needed[] = { { "iommu", check_iommu }, { "kernel", check_this_kernel } };
	struct check_input in = { .ctx = ctx, .readable = true };
	struct text release;
	bool fault = false;

	in.release = kernel_release(&release, ctx->root.fd, ctx->argument[ARGUMENT_RELEASE]);
	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
		static struct check c;

		memset(&c, 0, sizeof(c));
		needed[i].run(&in, &c);
		if (c.state != CHECK_FAULT)
			continue;
		print_check(needed[i].name, &c);
		fault = true;
	}
	return fault;
}

int verb_doctor(struct request *r)
{
	struct context *ctx = r->ctx;
	struct check_input in = { .ctx = ctx };
	struct json_object *list = asked(r, OPTION_JSON) ? json_object_new_array() : NULL;
	int status = 0;
	struct image image;
	struct text release;

	if (asked(r, OPTION_IMAGE))
		return doctor_image(ctx);
	/* Find out first why this boot claims nothing. A plan for the next boot may ignore that reason. */
	ctx->phase = PHASE_NOW;
	(void)!decide_settings(ctx);
	in.nothing = ctx->machine.no_claim_reason;
	in.readable = request_read(ctx, PHASE_NEXT_BOOT);
	in.release = kernel_release(&release, ctx->root.fd, ctx->argument[ARGUMENT_RELEASE]);
	image_find(&image, &ctx->root, in.release);
	in.image = &image;
	for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
		static struct check c;

		memset(&c, 0, sizeof(c));
		checks[i].run(&in, &c);
		if (c.state == CHECK_FAULT)
			status = 1;
		in.image_is_wrong |= c.rebuild;
		if (list)
			json_object_array_add(list, json_check(checks[i].name, &c));
		else
			print_check(checks[i].name, &c);
	}
	if (list) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "format", json_object_new_int(1));
		json_object_object_add(o, "checks", list);
		if (json_print(o))
			return STATUS_FAILED;
	}
	if (cannot_print() || !in.readable)
		return STATUS_FAILED;
	return ctx->settings.problems ? STATUS_WRONG : status;
}
