/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model: machines and settings written as text, and what became of them as text again. */
#ifndef VFIO_BOOT_MODEL_H
#define VFIO_BOOT_MODEL_H

#include "format.h"
#include "message.h"
#include "nearest.h"
#include "plan.h"
#include "plan_log.h"
#include "select.h"
#include "settings.h"

/*
 * Text that grows; what does not fit is cut. Larger than a struct text, since it holds whole plans.
 */
struct page {
	unsigned len;
	char p[32768];
};

void page_clear(struct page *page);
void page_add(struct page *page, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Builds a machine. A line a device:
 *
 *	[DDDD:]BB:DD.F VVVV:DDDD[:SVVV:SDDD] CLASS [gN] [<ADDRESS] [WORD...]
 *
 * gN is its IOMMU group, <ADDRESS the PCI function above it; a WORD is vga (the boot display), drv=NAME (its driver),
 * over=NAME (its driver_override), for=NAME (the driver to claim it for), use=NAME (a file system on NAME is mounted),
 * vfs (it has VFs enabled) or vf (it is one). CLASS has 4 or 6 digits. Other lines: init, second, now (the default) or
 * next, the phase; kernel N.N (6.1 by default); firmware NAME; nothing WHY, of a boot in which nothing is claimed, and
 * no device read; denylist-off, of vfio-pci; noiommu N and direct N, of a group; stranger N NAME, likewise. Returns
 * false where it cannot be read.
 */
bool model_machine(struct machine *m, struct settings *s, const char *text);

/* Finds where the paths end, as find_path() of scan.c does it on a machine; needed before select_devices(). */
void model_paths(const struct machine *m);

/* The three steps of decide(): where paths end, what is selected, what is decided. */
void model_decide(struct machine *m);

/* Reads a settings file and, where not NULL, a command line. */
void model_settings(struct settings *s, const char *file, const char *cmdline);

/* The path that leads to d, in the form of a selector; false where there is none. */
bool model_path(const struct device *d, struct page *page);

/* The selectors, the problems and each setting that is not the default: "ids=10de:2204,!02:00.0 group=whole". */
void model_summary(const struct settings *s, struct page *page);

/* The place of each problem and the words it is about: "3:7 1:2:3; byte 12 x". */
void model_problems(const struct settings *s, struct page *page);

/* "03:00.0 claim; 03:00.1 refused bridge; absent 10de:2204" */
void model_verdicts(const struct machine *m, struct page *page);

/* The plan as it is printed; and what is said beside it: problems, notes, warnings. */
void model_lines(const struct machine *m, struct page *page);
void model_warnings(const struct machine *m, struct page *page);

#endif
