// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cmdline.h"
#include "firmware.h"
#include "format.h"
#include "image_judge.h"
#include "kernel.h"
#include "menu.h"
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

/* The parameters of the command line that turn an IOMMU off. The last value of each one counts. */
static const struct {
	const char *name;
	const char *off;
} iommu_parameter[] = {
	{ "iommu", "iommu=off" },
	{ "intel_iommu", "intel_iommu=off" },
	{ "amd_iommu", "amd_iommu=off" },
};

#define INTEL_IOMMU 1 /* index of intel_iommu */

/* What the command line says about the IOMMU. */
struct iommu_words {
	bool off[ARRAY_SIZE(iommu_parameter)];
	bool intel_on;
};

static void read_iommu_word(struct iommu_words *w, const struct cmdline_word *word)
{
	for (unsigned i = 0; i < ARRAY_SIZE(iommu_parameter); i++) {
		if (!word->has_value || !parameter_is(word->name, iommu_parameter[i].name))
			continue;
		w->off[i] = cmdline_list_has(word->value, "off");
		if (i == INTEL_IOMMU)
			w->intel_on = cmdline_list_has(word->value, "on");
	}
}

static struct iommu_words read_iommu_words(const char *cmdline)
{
	const char *p = cmdline, *end = p + strlen(p);
	struct iommu_words w = { 0 };
	struct cmdline_word word;

	while (cmdline_next_parameter(&p, end, &word))
		read_iommu_word(&w, &word);
	return w;
}

/* Returns the parameter that turns the IOMMU off, with its value, or NULL. */
static const char *word_for_off(const struct iommu_words *w)
{
	for (unsigned i = 0; i < ARRAY_SIZE(iommu_parameter); i++) {
		if (w->off[i])
			return iommu_parameter[i].off;
	}
	return NULL;
}

/* Adds the remedy, with the name that the setup of this firmware has for the IOMMU. */
static void add_firmware_switch(struct check *c, int root)
{
	const char *what = "Intel VT-d, or AMD IOMMU (AMD-Vi)";
	const char *line;
	struct lines l;

	if (lines_open(&l, root, "proc/cpuinfo")) {
		while ((line = lines_next(&l))) {
			if (strncmp(line, "vendor_id", 9) != 0 && strncmp(line, "CPU implementer", 15) != 0)
				continue;
			if (*line == 'C') /* Arm */
				what = "SMMU (the IOMMU of Arm)";
			else if (strstr(line, "GenuineIntel"))
				what = "Intel VT-d (Virtualization Technology for Directed I/O)";
			else if (strstr(line, "AuthenticAMD") || strstr(line, "HygonGenuine"))
				what = "IOMMU (AMD-Vi)";
			break;
		}
		lines_close(&l);
	}
	check_remedy(c, "switch on in the firmware's setup: %s", what);
}

/* Adds the remedy, with the file that the boot loader has the kernel command line from. */
static void add_word(struct check *c, const struct root *root, const char *word)
{
	const char *how = menu_how_to_add_word(root);

	check_remedy(c, "add %s to the kernel command line%s%s%s", word, how ? " (" : "", how ? how : "",
		     how ? ")" : "");
}

/* Tells that the kernel does not use the IOMMU of a table of the firmware. */
static void say_not_used(struct check *c, int root, const char *table, bool intel_on)
{
	/* It is also there where no SMMU is: it has the interrupt controller, too. */
	if (!strcmp(table, "IORT")) {
		check_say(c, CHECK_FAULT, "the firmware has the table IORT, but the kernel no SMMU: no IOMMU groups");
		check_remedy(c, "see whether it found one: dmesg | grep -i -e smmu -e iort");
		add_firmware_switch(c, root);
		return;
	}
	check_say(c, CHECK_FAULT, "on in the firmware (%s), but off in the kernel: no IOMMU groups", table);
	if (strcmp(table, "DMAR") != 0)
		check_remedy(c, "look for its driver: dmesg | grep -i iommu");
	else if (intel_on)
		check_remedy(c, "intel_iommu=on is set; see what went wrong: dmesg | grep -e DMAR -e IOMMU");
}

/* Tells why there are no groups that isolate. `table` is the IOMMU table of the firmware, or NULL. */
static void say_no_groups(const struct check_input *in, struct check *c, const char *table)
{
	struct iommu_words w = read_iommu_words(in->ctx->buffers.cmdline_used);
	bool intel = table && !strcmp(table, "DMAR");
	const char *off = word_for_off(&w);
	int root = in->ctx->root.fd;

	if (off) {
		check_say(c, CHECK_FAULT, "%s on the kernel command line turns it off", off);
		check_remedy(c, "remove %s", off);
	}
	if (!table && faccessat(root, "sys/firmware/acpi/tables", F_OK, 0)) {
		check_say(c, CHECK_FAULT, "there are no IOMMU groups, and no ACPI tables that could describe an IOMMU");
		if (!faccessat(root, "sys/firmware/devicetree", F_OK, 0))
			check_remedy(c, "see whether the device tree has one: dmesg | grep -i -e smmu -e iommu");
	} else if (!table) {
		check_say(c, CHECK_FAULT,
			  "the firmware has no IOMMU table: the IOMMU is off there, or this machine has none");
		add_firmware_switch(c, root);
	} else if (!off) {
		say_not_used(c, root, table, w.intel_on);
	}
	if (intel && !w.intel_on)
		add_word(c, &in->ctx->root, "intel_iommu=on");
}

void check_iommu(const struct check_input *in, struct check *c)
{
	int root = in->ctx->root.fd;
	struct groups g = { root, 0, 0 };
	const char *table = firmware_iommu(root);

	list_directory(root, "sys/kernel/iommu_groups", count_group, &g);
	if (g.real) {
		check_say(c, CHECK_OK, "on: %u groups%s%s%s", g.real, table ? " (" : "", table ? table : "",
			  table ? ")" : "");
		return;
	}
	if (faccessat(root, "sys/kernel", F_OK, 0)) {
		check_say(c, CHECK_NONE, "there is no /sys to read it from");
		return;
	}
	if (g.noiommu)
		check_say(c, CHECK_FAULT, "the %u groups are vfio-noiommu ones, which isolate nothing", g.noiommu);
	say_no_groups(in, c, table);
}

static void check_modules(const struct check_input *in, struct check *c)
{
	enum { VFIO_PCI, TYPE1 };
	static const char *const wanted[] = { [VFIO_PCI] = "vfio-pci", [TYPE1] = "vfio_iommu_type1" };
	static const char *const how[] = { NULL, "a module", "built in" };
	enum has_module has[ARRAY_SIZE(wanted)];
	bool without_groups = false;

	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		has[i] = kernel_module(in->ctx->root.fd, in->release, wanted[i]);
		/* It belongs to VFIO groups. A kernel without them has /dev/iommu instead. */
		if (i == TYPE1 && has[i] == MODULE_MISSING &&
		    kernel_module(in->ctx->root.fd, in->release, "iommufd") != MODULE_MISSING)
			without_groups = true;
		else if (has[i] == MODULE_MISSING)
			check_say(c, CHECK_FAULT, "%s has no %s", in->release, wanted[i]);
	}
	if (c->state == CHECK_FAULT)
		check_remedy(c, "install a kernel that has them");
	else if (without_groups)
		check_say(c, CHECK_OK, "%s: %s %s, no VFIO groups: guests reach devices through /dev/iommu alone",
			  in->release, wanted[VFIO_PCI], how[has[VFIO_PCI]]);
	else
		check_say(c, CHECK_OK, "%s: %s %s, %s %s", in->release, wanted[VFIO_PCI], how[has[VFIO_PCI]],
			  wanted[TYPE1], how[has[TYPE1]]);
}

/* No more images of other kernels than these are named, and looked into. */
#define OTHERS_MAX 4

/* Names the other kernels that have an image, and says if that will not do what the settings say. */
static void check_other_kernels(const struct check_input *in, struct check *c)
{
	static struct kernels k;
	static struct image_verdict v;
	const struct kernel_image *other[OTHERS_MAX];
	unsigned others = 0;
	struct text names;

	kernels_find(&k, &in->ctx->root);
	text_set(&names, "%s", "");
	for (unsigned i = 0; i < k.n; i++) {
		if (!strcmp(k.kernel[i].release.p, in->release))
			continue;
		if (others < OTHERS_MAX) {
			other[others] = &k.kernel[i];
			text_add(&names, "%s%s", others ? ", " : "", k.kernel[i].release.p);
		}
		others++;
	}
	if (others)
		check_say(c, c->state, "also bootable: %s%s (-k VERSION)", names.p, others > OTHERS_MAX ? ", ..." : "");
	for (unsigned i = 0; i < others && i < OTHERS_MAX; i++) {
		image_judge(&v, &other[i]->image, in->ctx, other[i]->release.p, settings_select(in->ctx));
		if (v.state != IMAGE_FAULT)
			continue;
		check_say(c, CHECK_FAULT, "%s%s%s (%s)", v.what.p, before_fault(&v, ": "), v.fault[0].p, v.remedy.p);
	}
}

void check_this_kernel(const struct check_input *in, struct check *c)
{
	int root = in->ctx->root.fd;
	struct text t;

	if (!*in->release) {
		check_say(c, CHECK_NONE, "the running kernel is not known (-k VERSION)");
	} else if (faccessat(root, text_set(&t, "lib/modules/%s", in->release), F_OK, 0)) {
		check_say(c, CHECK_FAULT, "/%s is not there: the kernel %s is not installed (any more)", t.p,
			  in->release);
		check_remedy(c, "boot an installed kernel, or look at another one with -k VERSION");
	} else {
		check_modules(in, c);
	}
}

void check_kernel(const struct check_input *in, struct check *c)
{
	check_this_kernel(in, c);
	check_other_kernels(in, c);
}

/* vfio-pci removes the firmware's framebuffer from such a device, and from no other (vfio_pci_is_vga()). */
static bool is_vga(const struct device *d)
{
	return d->found.class >> 8 == 0x0300;
}

static void check_claimed_boot_display(const struct machine *m, const struct device *boot, struct check *c)
{
	uint32_t version = m->kernel >> 8;

	if (m->settings->unbind == NO && (!is_vga(boot) || (version && version < 6))) {
		check_say(c, CHECK_FAULT, "%s is claimed, and unbind=no leaves the firmware's framebuffer on it%s",
			  boot->name, is_vga(boot) ? " before Linux 6.0" : "");
		check_say(c, CHECK_FAULT, "a guest cannot use that BAR (\"can't reserve\")");
		check_remedy(c, "set unbind=yes, or boot with initcall_blacklist=sysfb_init");
	} else {
		check_say(c, CHECK_OK, "%s is claimed: the screen goes dark in the initramfs and stays so", boot->name);
	}
}

void check_display(const struct check_input *in, struct check *c)
{
	const struct machine *m = &in->ctx->machine;
	const struct device *d, *boot = NULL, *second = NULL;
	uint32_t version = m->kernel >> 8, patch = m->kernel & 0xff;

	for_each_device(m, d) {
		if (d->found.boot_display)
			boot = d;
		else if (is_vga(d) && is_claimed(d) && !second)
			second = d;
	}
	if (boot && is_claimed(boot)) {
		check_claimed_boot_display(m, boot, c);
	} else if (second && version == 6 && patch < 12) {
		check_say(c, CHECK_OK,
			  "%s is claimed, and Linux %u.%u can take the framebuffer away with it:", second->name,
			  version, patch);
		check_say(c, CHECK_OK, "the screen may be dark until the driver of the boot display has loaded");
	} else if (boot) {
		check_say(c, CHECK_OK, "%s, the boot display, stays with the host", boot->name);
	} else if (second) {
		check_say(c, CHECK_OK, "%s is claimed; it is not the boot display", second->name);
	} else {
		check_say(c, CHECK_NONE, in->readable ? "no boot display is known" : "the devices were not read");
	}
}
