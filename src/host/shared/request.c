// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "nearest.h"
#include "request.h"
#include "scan.h"
#include "sysfs.h"

static void drop_line(const struct listener *l, unsigned level, const char *text)
{
	(void)l;
	(void)level;
	(void)text;
}

const struct listener nobody = { drop_line };

bool request_read_with(struct context *ctx, enum phase phase, const struct listener *l)
{
	ctx->phase = phase;
	ctx->read_all = true;
	(void)!decide_settings(ctx);
	return decide_machine(ctx, l);
}

bool request_read(struct context *ctx, enum phase phase)
{
	return request_read_with(ctx, phase, &complaints);
}

int request_settings(const struct request *r)
{
	static char text[SETTINGS_TEXT_MAX + 1];
	bool standard = r->settings && !strcmp(r->settings, "-");
	FILE *from;
	size_t len;
	int error;

	if (!r->settings)
		return 0;
	from = standard ? stdin : fopen(r->settings, "re");
	errno = from ? 0 : errno;
	len = from ? fread(text, 1, sizeof(text), from) : 0;
	error = len > SETTINGS_TEXT_MAX ? EFBIG : errno;
	if (from && !standard)
		fclose(from);
	if (error) {
		say(&complaints, LEVEL_FAILED, "%s: --settings %s: %s", r->verb, r->settings,
		    error == EFBIG ? "more than 64 KiB of settings" : strerror(error));
		return STATUS_WRONG;
	}
	r->ctx->root.settings = (struct span){ text, (unsigned)len };
	r->ctx->root.settings_name = standard ? "standard input" : r->settings;
	return 0;
}

void context_like(struct context *to, const struct context *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->argument, from->argument, sizeof(to->argument));
	to->root = from->root;
}

/*
 * Returns true if the selector is the address of a VF that exists now, but not in the plan for the next boot, which
 * begins without VFs (scan.c).
 */
static bool is_virtual(const struct context *ctx, const struct selector *sel)
{
	struct text t;

	if (ctx->phase != PHASE_NEXT_BOOT || sel->kind != SELECT_ADDRESS)
		return false;
	text_set(&t, "sys/bus/pci/devices/");
	add_bus_index(&t, sel->address);
	text_add(&t, "/physfn");
	return !faccessat(ctx->root.fd, t.p, F_OK, 0);
}

int no_selector(const char *word, const char *wrong)
{
	/* A name, such as "nvidia". Others are meant as a selector. */
	bool is_name =
		*word && strspn(word, "0123456789abcdefABCDEF") < strlen(word) && !strpbrk(word, ":.!*/@ \"'$`\\");

	say(&complaints, LEVEL_FAILED, "%s: %s%s%s%s", word, wrong, is_name ? "; vfio-boot list " : "",
	    is_name ? word : "", is_name ? " looks for it" : "");
	return STATUS_WRONG;
}

/* Chooses the devices that a word matches. Returns 0, or an exit status after a message. */
static int choose_one(struct context *ctx, int pci, const char *word, bool chosen[DEVICES_MAX])
{
	struct machine *m = &ctx->machine;
	bool guard_fails = false, found = false;
	struct selector sel;
	const char *wrong = selector_parse(&sel, word, strlen(word));
	struct device *d;
	struct text t;

	if (!wrong && sel.flags & SELECTOR_EXCLUDES)
		wrong = "an exclusion selects nothing";
	if (wrong)
		return no_selector(word, wrong);
	find_path(m, pci, &sel);
	for_each_device(m, d) {
		enum selector_match match = selector_match(&sel, d);

		if (match == SELECTOR_GUARD_FAILS) {
			say(&complaints, LEVEL_REFUSED, "%s: found %04x:%04x there", word, d->found.ids.vendor,
			    d->found.ids.device);
			guard_fails = true;
		} else if (match == SELECTOR_YES) {
			chosen[d - m->device] = true;
			found = true;
		}
	}
	if (!found && !guard_fails) {
		if (is_virtual(ctx, &sel))
			sel.flags |= SELECTOR_VIRTUAL;
		text_set(&t, "%s: ", word);
		add_absent(&t, m, &sel);
		complaints.say(&complaints, LEVEL_REFUSED, t.p);
	}
	return !found;
}

int choose(struct context *ctx, char *const *word, bool chosen[DEVICES_MAX])
{
	int pci = openat(ctx->root.fd, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;

	memset(chosen, 0, DEVICES_MAX * sizeof(*chosen));
	for (; *word; word++) {
		int wrong = choose_one(ctx, pci, *word, chosen);

		if (wrong > status)
			status = wrong;
	}
	close(pci);
	return status;
}

const char *physical_function(int root, struct text *t, const struct device *d)
{
	struct text link;

	read_link(&link, root, device_path(&link, d->name, "physfn"));
	return text_set(t, "%s", base_name(link.p));
}

unsigned count_selecting(const struct list *l)
{
	const struct selector *sel;
	unsigned n = 0;

	for_each_selector(l, sel)
		n += !(sel->flags & SELECTOR_EXCLUDES);
	return n;
}

unsigned count_all_selecting(const struct settings *s)
{
	return count_selecting(&s->list[LIST_IDS]) + count_selecting(&s->list[LIST_VFS]);
}

bool cannot_print(void)
{
	bool failed = fflush(stdout) || ferror(stdout);

	if (failed)
		say(&complaints, LEVEL_FAILED, "standard output: %s", strerror(errno));
	return failed;
}
