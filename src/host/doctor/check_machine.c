// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cmdline.h"
#include "firmware.h"
#include "format.h"
#include "kernel.h"
#include "settings.h"
#include "sysfs.h"

struct groups {
	int root;
	unsigned real, noiommu;
};

static int count_group(void *data, const char *name)
{
	struct groups *g = data;
	struct text t;

	read_attribute(&t, g->root, text_set(&t, "sys/kernel/iommu_groups/%s/name", name));
	if (strcmp(t.p, "vfio-noiommu") != 0)
		g->real++;
	else
		g->noiommu++;
	return 0;
}

static bool list_has(struct span list, const char *word)
{
	while (list.len) {
		const char *comma = memchr(list.p, ',', list.len);
		unsigned len = comma ? (unsigned)(comma - list.p) : list.len;

		if (span_is((struct span){ list.p, len }, word))
			return true;
		len += comma != NULL;
		list.p += len;
		list.len -= len;
	}
	return false;
}

/* What the command line says of the IOMMU; the last one of a parameter holds. */
struct wishes {
	const char *off; /* the parameter that turns it off, or NULL */
	bool intel_on;
};

static struct wishes read_wishes(const char *cmdline)
{
	static const char *const name[] = { "iommu", "intel_iommu", "amd_iommu" };
	static const char *const said[] = { "iommu=off", "intel_iommu=off", "amd_iommu=off" };
	const char *p = cmdline, *end = p + strlen(p);
	bool off[ARRAY_SIZE(name)] = { false };
	struct wishes w = { NULL, false };
	struct cmdline_word word;

	while (cmdline_next(&p, end, &word)) {
		/* What follows belongs to init (parse_args()). */
		if (!word.has_value && span_is(word.name, "--"))
			break;
		for (unsigned i = 0; i < ARRAY_SIZE(name); i++) {
			if (!word.has_value || !parameter_is(word.name, name[i]))
				continue;
			off[i] = list_has(word.value, "off");
			if (i == 1)
				w.intel_on = list_has(word.value, "on");
		}
	}
	for (unsigned i = ARRAY_SIZE(name); i--;) {
		if (off[i])
			w.off = said[i];
	}
	return w;
}

static void add_firmware_switch(struct check *c, int root)
{
	const char *what = "Intel VT-d, or AMD IOMMU (AMD-Vi)";
	const char *line;
	struct lines l;

	if (lines_open(&l, root, "proc/cpuinfo")) {
		while ((line = lines_next(&l))) {
			if (strncmp(line, "vendor_id", 9) != 0)
				continue;
			if (strstr(line, "GenuineIntel"))
				what = "Intel VT-d (Virtualization Technology for Directed I/O)";
			else if (strstr(line, "AuthenticAMD") || strstr(line, "HygonGenuine"))
				what = "IOMMU (AMD-Vi)";
			break;
		}
		lines_close(&l);
	}
	check_remedy(c, "switch on in the firmware's setup: %s", what);
}

void check_iommu(const struct patient *p, struct check *c)
{
	int root = p->ctx->root.fd;
	struct groups g = { root, 0, 0 };
	const char *table = firmware_iommu(root);
	struct wishes w = read_wishes(p->ctx->buffers.cmdline_used);

	list_directory(root, "sys/kernel/iommu_groups", count_group, &g);
	if (g.real) {
		check_say(c, CHECK_OK, "on: %u groups%s%s%s", g.real, table ? " (" : "", table ? table : "",
			  table ? ")" : "");
		return;
	}
	if (faccessat(root, "sys/kernel", F_OK, 0)) {
		check_say(c, CHECK_NONE, "there is no /sys to see it in");
		return;
	}
	if (g.noiommu)
		check_say(c, CHECK_FAULT, "the %u groups are vfio-noiommu ones, which isolate nothing", g.noiommu);
	if (w.off) {
		check_say(c, CHECK_FAULT, "%s on the kernel command line turns it off", w.off);
		check_remedy(c, "take %s away", w.off);
	}
	if (!table && faccessat(root, "sys/firmware/acpi/tables", F_OK, 0)) {
		check_say(c, CHECK_FAULT, "no IOMMU groups, and no ACPI tables that would tell of an IOMMU");
	} else if (!table) {
		check_say(c, CHECK_FAULT, "the firmware has no IOMMU table: it is off there, or this machine has none");
		add_firmware_switch(c, root);
	} else if (!w.off) {
		check_say(c, CHECK_FAULT, "on in the firmware (%s), not in the kernel: no IOMMU groups", table);
		if (strcmp(table, "DMAR") != 0)
			check_remedy(c, "look for its driver: dmesg | grep -i iommu");
		else if (w.intel_on)
			check_remedy(c, "intel_iommu=on is there; what went wrong: dmesg | grep -e DMAR -e IOMMU");
	}
	if (table && !strcmp(table, "DMAR") && !w.intel_on)
		check_remedy(c, "add intel_iommu=on to the kernel command line");
}

struct kernels {
	const struct patient *p;
	unsigned others;
	struct text names;
};

static int note_kernel(void *data, const char *name)
{
	struct kernels *k = data;
	struct image i;

	if (!strcmp(name, k->p->release))
		return 0;
	image_find(&i, &k->p->ctx->root, name);
	if (i.kind != IMAGE_INITRAMFS || !strstr(i.path.p, name))
		return 0;
	if (k->others++ < 4)
		text_add(&k->names, "%s%s", k->names.len ? ", " : "", name);
	return 0;
}

void check_kernel(const struct patient *p, struct check *c)
{
	static const char *const wanted[] = { "vfio-pci", "vfio_iommu_type1" };
	static const char *const how[] = { NULL, "a module", "built in" };
	enum has_module has[ARRAY_SIZE(wanted)];
	int root = p->ctx->root.fd;
	struct kernels k = { .p = p };
	struct text t;

	text_set(&k.names, "%s", "");
	list_directory(root, "lib/modules", note_kernel, &k);
	if (!*p->release) {
		check_say(c, CHECK_NONE, "which kernel runs is not known (-k VERSION)");
	} else if (faccessat(root, text_set(&t, "lib/modules/%s", p->release), F_OK, 0)) {
		check_say(c, CHECK_FAULT, "/%s is not there: the kernel %s is not installed (any more)", t.p,
			  p->release);
		check_remedy(c, "boot an installed kernel, or look at another one with -k VERSION");
	} else {
		for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
			has[i] = kernel_module(root, p->release, wanted[i]);
			if (has[i] != MODULE_MISSING)
				continue;
			check_say(c, CHECK_FAULT, "%s has no %s", p->release, wanted[i]);
		}
		if (c->state == CHECK_FAULT)
			check_remedy(c, "install a kernel that has them");
		else
			check_say(c, CHECK_OK, "%s: %s %s, %s %s", p->release, wanted[0], how[has[0]], wanted[1],
				  how[has[1]]);
	}
	if (k.others)
		check_say(c, c->state, "also bootable: %s%s (-k VERSION)", k.names.p, k.others > 4 ? ", ..." : "");
}

/* What vfio-pci takes the framebuffer away for (vfio_pci_is_vga()). */
static bool is_screen(const struct device *d)
{
	return d->found.class >> 8 == 0x0300;
}

void check_display(const struct patient *p, struct check *c)
{
	const struct machine *m = &p->ctx->machine;
	const struct device *d, *boot = NULL, *second = NULL;
	uint32_t version = m->kernel >> 8, patch = m->kernel & 0xff;

	for_each_device(m, d) {
		if (d->found.boot_display)
			boot = d;
		else if (is_screen(d) && is_claimed(d) && !second)
			second = d;
	}
	if (!boot && !second) {
		check_say(c, CHECK_NONE, p->readable ? "no boot display is known" : "the machine was not read");
	} else if (boot && is_claimed(boot) && m->settings->unbind == NO &&
		   (!is_screen(boot) || (version && version < 6))) {
		check_say(c, CHECK_FAULT, "%s is claimed, and unbind=no leaves the firmware's framebuffer on it%s",
			  boot->name, is_screen(boot) ? " before Linux 6.0" : "");
		check_say(c, CHECK_FAULT, "a guest cannot use that BAR (\"can't reserve\")");
		check_remedy(c, "set unbind=yes, or boot with initcall_blacklist=sysfb_init");
	} else if (boot && is_claimed(boot)) {
		check_say(c, CHECK_OK, "%s is claimed: the screen goes dark in the initramfs and stays so", boot->name);
	} else if (second && version == 6 && patch < 12) {
		check_say(c, CHECK_OK,
			  "%s is claimed, and Linux %u.%u can take the framebuffer away with it:", second->name,
			  version, patch);
		check_say(c, CHECK_OK, "the screen may be dark until the driver of the boot display has loaded");
	} else if (boot) {
		check_say(c, CHECK_OK, "%s, the boot display, stays with the host", boot->name);
	} else {
		check_say(c, CHECK_OK, "%s is claimed, it is no boot display", second->name);
	}
}
