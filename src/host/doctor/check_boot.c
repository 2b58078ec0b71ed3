// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "check.h"
#include "cmdline.h"
#include "format.h"
#include "image_judge.h"
#include "menu.h"
#include "settings.h"
#include "sysfs.h"

/* Says which menus have an entry without passthrough. It is missed only where a boot passes something through. */
static void check_menus(const struct check_input *in, struct check *c)
{
	static struct menu m[MENUS_MAX];
	const enum check_state states[] = {
		[MENU_HAS] = CHECK_OK,
		[MENU_LACKS] = settings_select(in->ctx) ? CHECK_FAULT : CHECK_NONE,
		[MENU_UNKNOWN] = CHECK_NONE,
		[MENU_CANNOT] = CHECK_NONE,
	};
	unsigned n = menus_find(m, &in->ctx->root);

	for (unsigned i = 0; i < n; i++) {
		check_say(c, states[m[i].state], "%s", m[i].what.p);
		if (m[i].remedy.len)
			check_remedy(c, "%s", m[i].remedy.p);
	}
	if (!n)
		check_say(c, CHECK_NONE,
			  "no boot menu is known here: for a boot without passthrough append vfio.ids=off "
			  "to the kernel command line");
}

/* Returns true if a word of a kernel command line is about us, or about the IOMMU. */
static bool concerns_us(struct span name)
{
	static const char *const prefixes[] = { "vfio", "iommu", "intel_iommu", "amd_iommu", "pcie_acs_override" };

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (name.len >= strlen(prefixes[i]) && !memcmp(name.p, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

static bool is_same(struct span a, struct span b)
{
	return a.len == b.len && !memcmp(a.p, b.p, a.len);
}

static bool line_has(const char *line, const struct cmdline_word *word)
{
	const char *p = line, *end = line + strlen(line);
	struct cmdline_word w;

	while (cmdline_next_parameter(&p, end, &w)) {
		if (is_same(w.name, word->name) && w.has_value == word->has_value && is_same(w.value, word->value))
			return true;
	}
	return false;
}

/* Says which words that concern us are in `line`, and not in the other one. Returns true if there is one. */
static bool say_missing(struct check *c, const char *line, const char *other, const char *what)
{
	const char *p = line, *end = line + strlen(line);
	struct cmdline_word w;
	bool any = false;

	while (cmdline_next_parameter(&p, end, &w)) {
		if (!concerns_us(w.name) || line_has(other, &w))
			continue;
		check_say(c, c->state, "%.*s%s%.*s %s", (int)w.name.len, w.name.p, w.has_value ? "=" : "",
			  (int)w.value.len, w.value.p, what);
		any = true;
	}
	return any;
}

/* The plan is for the command line of this boot. That of the next one may have been changed since. */
static void check_kernel_cmdline(const struct check_input *in, struct check *c)
{
	static char next[CMDLINE_MAX], now[CMDLINE_MAX];
	int root = in->ctx->root.fd;
	bool differs;

	if (!menu_has_kernel_cmdline(&in->ctx->root) ||
	    read_whole(root, KERNEL_CMDLINE + 1, 0, next, sizeof(next)) < 0 ||
	    read_whole(root, "proc/cmdline", 0, now, sizeof(now)) < 0)
		return;
	differs = say_missing(c, next, now, "in " KERNEL_CMDLINE " was not on the command line of this boot");
	/* The entry without passthrough has it, and no other. */
	if (!in->ctx->left_out_off)
		differs |= say_missing(c, now, next,
				       "was on the command line of this boot, and is not in " KERNEL_CMDLINE);
	if (differs)
		check_remedy(c, "vfio-boot plan --cmdline \"$(cat " KERNEL_CMDLINE ")\" plans with it");
}

/* proxmox-boot-tool boots the kernel of the first of these files that is there (proxmox-boot/functions of PVE). */
static void check_pinned(const struct check_input *in, struct check *c)
{
	static const char *const pins[] = { "etc/kernel/next-boot-pin", "etc/kernel/proxmox-boot-pin" };
	struct text version;

	for (unsigned i = 0; i < ARRAY_SIZE(pins); i++) {
		if (read_attribute(&version, in->ctx->root.fd, pins[i]) <= 0)
			continue;
		if (strcmp(version.p, in->release) != 0)
			check_say(c, c->state, "the next boot is that of %s, by /%s (look at it with -k %s)", version.p,
				  pins[i], version.p);
		return;
	}
}

void check_boot(const struct check_input *in, struct check *c)
{
	check_menus(in, c);
	check_kernel_cmdline(in, c);
	check_pinned(in, c);
}
