// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "firmware.h"
#include "format.h"
#include "image_judge.h"
#include "kernel.h"
#include "request.h"
#include "settings.h"
#include "sysfs.h"

__attribute__((format(printf, 2, 3))) static void add_fault(struct image_verdict *v, const char *fmt, ...)
{
	struct text *t = &v->fault[v->faults++];
	va_list ap;

	t->len = 0;
	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
	v->state = IMAGE_FAULT;
}

/* --- how to mend it ----------------------------------------------------------------------------------------------- */

static bool has_update_initramfs(const struct root *root)
{
	return exists(root->fd, "usr/sbin/update-initramfs");
}

static bool has_dracut(const struct root *root)
{
	return exists(root->fd, "usr/bin/dracut") || exists(root->fd, "usr/sbin/dracut");
}

static bool has_initramfs_tools(const struct root *root)
{
	return exists(root->fd, "usr/sbin/mkinitramfs");
}

/* Returns who would make the next image. It need not be who made this one. */
static enum image_builder next_builder(const struct root *root, enum image_builder made_by)
{
	bool tools = has_initramfs_tools(root), dracut = has_dracut(root);

	if (dracut && !tools && made_by == BUILDER_INITRAMFS_TOOLS)
		return BUILDER_DRACUT;
	if (tools && !dracut && made_by == BUILDER_DRACUT)
		return BUILDER_INITRAMFS_TOOLS;
	return made_by;
}

static enum image_builder installed_builder(const struct root *root)
{
	if (has_initramfs_tools(root))
		return BUILDER_INITRAMFS_TOOLS;
	if (has_dracut(root))
		return BUILDER_DRACUT;
	/* Debian has it for both. */
	return has_update_initramfs(root) ? BUILDER_INITRAMFS_TOOLS : BUILDER_UNKNOWN;
}

/* What makes a builder put vfio-boot into an image. */
static const struct {
	const char *name;
	const char *file, *other; /* either is enough */
} parts[] = {
	[BUILDER_INITRAMFS_TOOLS] = { "initramfs-tools", "usr/share/initramfs-tools/hooks/vfio-boot",
				      "etc/initramfs-tools/hooks/vfio-boot" },
	[BUILDER_DRACUT] = { "dracut", "usr/lib/dracut/modules.d/50vfio-boot/module-setup.sh", NULL },
};

static void add_command(struct text *t, const struct root *root, enum image_builder builder, const struct image *i,
			const char *release)
{
	bool none = i->kind == IMAGE_NONE;

	/* Debian 14 has an update-initramfs that calls dracut. */
	if (builder != BUILDER_DRACUT || has_update_initramfs(root))
		text_add(t, "update-initramfs %s -k %s", none ? "-c" : "-u", release);
	else if (none)
		text_add(t, "dracut --force /boot/initrd.img-%s %s", release, release);
	else
		text_add(t, "dracut --force /%s %s", i->path.p, release);
}

const char *rebuild_all_command(const struct root *root)
{
	return has_update_initramfs(root) || !has_dracut(root) ? "update-initramfs -u -k all"
							       : "dracut --force --regenerate-all";
}

static void set_remedy(struct image_verdict *v, const struct root *root, enum image_builder builder,
		       const struct image *i, const char *release)
{
	struct text *t = &v->remedy;

	text_set(t, "%s", "");
	if (builder == BUILDER_UNKNOWN) {
		text_add(t, "%s, see doc/other-builders.md",
			 i->kind == IMAGE_NONE ? "make one with the program that makes images here"
					       : "rebuild it with the program that made it");
		return;
	}
	if (!exists(root->fd, parts[builder].file) && !(parts[builder].other && exists(root->fd, parts[builder].other)))
		text_add(t, "/%s is missing: install vfio-boot for %s first, then ", parts[builder].file,
			 parts[builder].name);
	add_command(t, root, builder, i, release);
}

/* --- what is wrong ------------------------------------------------------------------------------------------------ */

static void judge_program(struct image_verdict *v, const struct image_content *c)
{
	if (!c->claim_runs)
		add_fault(v, "vfio-boot-claim in it cannot be executed");
	/* dracut strips programs, so they differ from the installed ones. */
	else if (c->claim_installed && !c->claim_same && c->builder != BUILDER_DRACUT)
		add_fault(v, "vfio-boot-claim in it differs from the installed one");
}

/* Judges whether the claim is started before drivers are loaded. */
static void judge_start(struct image_verdict *v, const struct image_content *c)
{
	bool tools = c->builder == BUILDER_INITRAMFS_TOOLS, dracut = c->builder == BUILDER_DRACUT;

	if (tools && !c->ordered)
		add_fault(v, "scripts/init-top/ORDER in it does not start 00-vfio-boot");
	else if (tools && !c->first)
		add_fault(v, "scripts/init-top/ORDER in it runs 00-vfio-boot after udev: other drivers bind first");
	else if (dracut && c->systemd && !c->unit)
		add_fault(v, "vfio-boot-claim.service is not in it");
	else if (dracut && c->systemd && !c->wanted)
		add_fault(v, "sysinit.target in it does not want vfio-boot-claim.service");
	else if (dracut && !c->systemd && !c->hook)
		add_fault(v, "hooks/cmdline/00-vfio-boot-claim.sh is not in it");
}

/* A kernel without VFIO groups has no vfio_iommu_type1. */
static void judge_modules(struct image_verdict *v, const struct image_content *c, int root, const char *release)
{
	for (unsigned i = 0; i < IMAGE_MODULES; i++) {
		enum has_module has;

		if (c->modules >> i & 1)
			continue;
		has = kernel_module(root, release, image_module[i]);
		if (has == MODULE_FILE || (has == MODULE_MISSING && i != IMAGE_TYPE1))
			add_fault(v, "the module %s is not in it", image_module[i]);
	}
}

static void judge_settings(struct image_verdict *v, const struct image_content *c)
{
	v->older = !v->faults && c->differences;
	for (unsigned i = 0; i < c->differences && i < IMAGE_DIFFERENCES; i++)
		add_fault(v, "%s", c->difference[i].p);
	if (c->differences > IMAGE_DIFFERENCES)
		add_fault(v, "and %u more files", c->differences - IMAGE_DIFFERENCES);
}

static void judge_content(struct image_verdict *v, const struct image_content *c, int root, const char *release,
			  bool selects)
{
	if (!selects) {
		/* What it lacks makes no difference, but it may claim what is not selected any more. */
		if (c->claim && c->selects && c->settings_differ)
			judge_settings(v, c);
	} else if (!c->claim) {
		/* Nothing else of vfio-boot can be in it. */
		add_fault(v, "vfio-boot-claim is not in it");
	} else {
		judge_program(v, c);
		judge_start(v, c);
		judge_modules(v, c, root, release);
		judge_settings(v, c);
	}
}

static void judge_missing(struct image_verdict *v, const char *release)
{
	struct text places = { 0 };

	text_set(&v->what, "the kernel %s", release);
	add_image_places(&places, release);
	add_fault(v, "no image; looked for %s and EFI/Linux/*.efi", places.p);
}

void image_judge(struct image_verdict *v, const struct image *i, const struct context *ctx, const char *release,
		 bool selects)
{
	static const char *const unseen[] = {
		[LOOK_UNIFIED] = "it is part of a unified kernel image",
		[LOOK_NO_RIGHT] = "no right to read it (run this as root)",
		[LOOK_UNREADABLE] = "it is compressed with lzop",
		[LOOK_FAILED] = NULL,
	};
	static struct image_content c;
	enum image_builder builder;

	memset(v, 0, sizeof(*v));
	text_set(&v->what, "/%s", i->path.p);
	v->look = image_look(&c, i, ctx, release);
	builder = v->look == LOOK_DONE ? next_builder(&ctx->root, c.builder) : installed_builder(&ctx->root);
	if (v->look == LOOK_DONE) {
		judge_content(v, &c, ctx->root.fd, release, selects);
	} else if (selects && unseen[v->look]) {
		add_fault(v, "%s", unseen[v->look]);
		v->state = IMAGE_UNSEEN;
	} else if (selects && v->look == LOOK_MISSING) {
		judge_missing(v, release);
	} else if (selects) {
		add_fault(v, "it is damaged, or no initramfs");
	}
	if (v->state == IMAGE_FAULT)
		set_remedy(v, &ctx->root, builder, i, release);
}

/* --- in one line -------------------------------------------------------------------------------------------------- */

const char *before_fault(const struct image_verdict *v, const char *otherwise)
{
	if (v->state == IMAGE_UNSEEN)
		return " was not looked into: ";
	if (v->look == LOOK_MISSING)
		return " has ";
	return v->older ? " has older settings: " : otherwise;
}

void set_image_line(struct text *t, const struct image_verdict *v)
{
	text_set(t, "%s%s%s", v->what.p, before_fault(v, " will not do this: "), v->fault[0].p);
	if (v->faults > 1)
		text_add(t, ", and %u more", v->faults - 1);
	if (v->state == IMAGE_FAULT)
		text_add(t, " (%s)", v->remedy.p);
}

bool settings_select(const struct context *ctx)
{
	const struct settings *s = &ctx->settings;

	return !s->list[LIST_IDS].off && !s->unprotected && count_all_selecting(s);
}

static int note_kernel_file(void *data, const char *name)
{
	(void)data;
	return !strncmp(name, "vmlinu", 6) || !strncmp(name, "initr", 5);
}

/* Returns true if this machine boots from its own /boot: a container does not. */
static bool has_boot(const struct root *root)
{
	return list_directory(root->fd, "boot", note_kernel_file, NULL) == 1;
}

bool say_image(const struct context *ctx, const struct listener *l)
{
	static struct image_verdict v;
	bool off_in_files = ctx->settings.list[LIST_IDS].off || ctx->settings.unprotected;
	const char *release;
	struct image i;
	struct text t;

	if (ctx->machine.no_claim_reason && !off_in_files)
		return false;
	release = kernel_release(&t, ctx->root.fd, ctx->argument[ARGUMENT_RELEASE]);
	image_find(&i, &ctx->root, release);
	if (!*release || (i.kind == IMAGE_NONE && !has_boot(&ctx->root)))
		return false;
	image_judge(&v, &i, ctx, release, settings_select(ctx));
	if (v.state == IMAGE_RIGHT)
		return false;
	set_image_line(&t, &v);
	l->say(l, v.state == IMAGE_FAULT ? LEVEL_REFUSED : LEVEL_DONE, t.p);
	return v.state == IMAGE_FAULT;
}
