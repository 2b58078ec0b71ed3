/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: what the harnesses share. */
#ifndef VFIO_BOOT_FUZZ_H
#define VFIO_BOOT_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold; the fuzzer and the sanitizers keep the input. */
static inline void expect(bool good)
{
	if (!good)
		abort();
}

/*
 * A copy as the readers of files give it: a NUL behind it, which is no part of it. On the heap, so that a byte too far
 * is seen.
 */
static inline char *copy_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	expect(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Is the span a part of the text, and is its place the right one? Line 0 is the command line, counted in bytes. */
static inline void expect_place(const char *text, size_t size, struct span span, const struct place *at)
{
	const char *start = text;

	expect(at->column > 0);
	for (uint32_t line = 1; line < at->line; line++) {
		start = memchr(start, '\n', size - (size_t)(start - text));
		expect(start != NULL);
		start++;
	}
	expect(start + at->column - 1 <= text + size);
	if (span.len) {
		expect(span.p >= text && span.p + span.len <= text + size);
		expect(span.p == start + at->column - 1);
	}
}

/* The settings make sense, and each of their places is right. */
static inline void expect_settings(const struct settings *s, const char *text, size_t size)
{
	expect(s->group <= GROUP_IGNORE && s->driver <= DRIVER_AUTO && s->unbind <= YES && s->log <= LOG_DEBUG);
	expect(s->timeout >= 1 && s->timeout <= 600);
	for (unsigned i = 0; i < s->problems && i < PROBLEMS_MAX; i++) {
		const struct problem *p = &s->problem[i];

		expect(p->what && *p->what);
		expect_place(text, size, p->text, &p->at);
	}
	for (unsigned i = 0; i < LISTS; i++) {
		const struct selector *sel;

		expect(s->list[i].end >= s->list[i].selector && s->list[i].end <= s->list[i].selector + SELECTORS_MAX);
		for_each_selector(&s->list[i], sel) {
			expect_place(text, size, (struct span){ text, 0 }, &sel->at);
			expect(sel->text.len && sel->text.p >= text && sel->text.p + sel->text.len <= text + size);
			expect(i == LIST_IDS || !(sel->flags & SELECTOR_EXCLUDES));
		}
	}
}

/* A small machine with something of everything, decided with these settings; every message is made. */
static inline void decide_with(struct settings *s)
{
	static const char text[] = "00:00.0 8086:3e30 0600 g0\n"
				   "00:01.0 8086:1901 0604 g1 drv=pcieport\n"
				   "01:00.0 10de:2204:1458:4043 0300 g1 <00:01.0 vga\n"
				   "01:00.1 10de:1aef:1458:4043 0403 g1 <00:01.0 drv=snd_hda_intel\n"
				   "02:00.0 8086:10d3 0200 g2 over=none\n"
				   "03:00.0 8086:10d3 0200 g3 drv=vfio-pci\n"
				   "04:00.0 144d:a808 0108 g4 use=nvme0n1\n"
				   "05:00.0 10de:2204 0300\n"
				   "00:0e.0 8086:467f 0104 g5\n"
				   "10000:e1:00.0 144d:a808 0108 g5 <00:0e.0\n"
				   "stranger 2 fd000000.dma\n";
	static struct machine m;
	static struct page page;

	expect(model_machine(&m, s, text));
	model_decide(&m);
	model_lines(&m, &page);
	model_warnings(&m, &page);
	expect(plan_status(&m) >= 0 && plan_status(&m) <= 2);
}

#endif
