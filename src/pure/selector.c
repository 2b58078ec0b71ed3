// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "machine.h"
#include "selector.h"

static const char *const no_function = "this can only follow a function (.F)";
static const char *const trailing = "unexpected text at its end";

static const char *skip_0x(const char *p, const char *end)
{
	return end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x' ? p + 2 : p;
}

/*
 * Parses field n of an ID, counted from 0: 4 digits, or 6 in a class, after an optional 0x. Any field except the vendor
 * may be * or ffffffff instead. Returns the end of the field, or NULL if it is malformed.
 */
static const char *parse_field(const char *p, const char *end, unsigned n, uint32_t *out)
{
	const char *at;
	uint32_t value = ANY_ID;

	p = skip_0x(p, end);
	at = p < end && *p == '*' ? p + 1 : hex_number(p, end, 1, 8, &value);
	if (!at || (value == ANY_ID ? n == 0 : at - p != (n < 4 ? 4 : 6)))
		return NULL;
	*out = value;
	return at;
}

/* VVVV:DDDD[:SVVV:SDDD[:CLASS[:MASK]]] is the order of vfio-pci.ids= (vfio_pci_fill_ids()). */
static const char *parse_ids(struct selector *s, const char *p, const char *end)
{
	uint32_t field[6];
	unsigned n = 0;

	memset(field, 0xff, sizeof(field)); /* ANY_ID */
	for (;;) {
		p = n < 6 ? parse_field(p, end, n, &field[n]) : NULL;
		if (!p)
			return "neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)";
		n++;
		if (p == end)
			break;
		if (*p++ != ':')
			return trailing;
	}
	if (n == 1 || n == 3)
		return "an ID has two, four, five or six fields";
	s->kind = SELECT_ID;
	s->ids = (struct pci_ids){ field[0], field[1], field[2], field[3] };
	/* A CLASS without a MASK is compared in full. The kernel would ignore it in vfio-pci.ids=. */
	s->class_mask = field[4] == ANY_ID ? 0 : field[5] & 0xffffff;
	s->class = field[4] & s->class_mask;
	return NULL;
}

static const char *parse_class(struct selector *s, const char *p, const char *end)
{
	uint32_t value;
	unsigned shift;

	p = skip_0x(p, end);
	if (hex_number(p, end, 2, 4, &value) != end || end - p == 3)
		return "not a class (class:BB or class:BBSS)";
	shift = end - p == 2 ? 16 : 8;
	s->kind = SELECT_CLASS;
	s->class = value << shift;
	s->class_mask = 0xffffffU >> shift << shift;
	return NULL;
}

/* Moves *p behind this word and returns true, or returns false if the text begins otherwise. */
static bool skip_word(const char **p, const char *end, const char *word)
{
	const char *at = *p;

	for (; *word; word++, at++) {
		if (at == end || *at != *word)
			return false;
	}
	*p = at;
	return true;
}

/* Reads 1 to 5 decimal digits up to `end` and stores the number, which is at most `max`. Returns false otherwise. */
static bool parse_number(const char *p, const char *end, unsigned max, unsigned *out)
{
	unsigned value = 0;

	if (p == end || end - p > 5)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (unsigned)(*p - '0');
	}
	*out = value;
	return value <= max;
}

/* A PF has at most 65,535 VFs, since TotalVFs has 16 bits (PCI Express Base Specification, "SR-IOV Extended
 * Capability"). */
#define VFS_MAX 0xffff

/* Parses the number of a VF at *p, up to a guard or the end, and moves *p behind it. */
static const char *parse_vf(struct selector *s, const char **p, const char *end)
{
	const char *at = *p;
	unsigned number;

	while (at < end && *at != '@')
		at++;
	if (!parse_number(*p, at, VFS_MAX - 1, &number))
		return "not a virtual function (/vfN, N from 0 on)";
	s->vf = (uint16_t)(number + 1);
	s->kind = SELECT_PATH;
	*p = at;
	return NULL;
}

/* Parses the hops /DD.F of a path at *p, if there are any, and a last one /vfN, and moves *p behind them. */
static const char *parse_hops(struct selector *s, const char **p, const char *end)
{
	const char *why;

	while (*p < end && **p == '/') {
		if (skip_word(p, end, "/vf"))
			return parse_vf(s, p, end);
		if (s->hops == SELECTOR_HOPS)
			return "a path has at most 16 hops";
		*p = pciaddr_parse_devfn(*p + 1, end, &s->hop[s->hops++], NULL, &why);
		if (!*p)
			return why;
		s->kind = SELECT_PATH;
	}
	return NULL;
}

/* Parses a guard VVVV:DDDD. Returns its end, or NULL if it is malformed. */
static const char *parse_guard(struct selector *s, const char *p, const char *end)
{
	s->flags |= SELECTOR_GUARDED;
	p = parse_field(p, end, 0, &s->ids.vendor);
	return p && p < end && *p == ':' ? parse_field(p + 1, end, 1, &s->ids.device) : NULL;
}

/* Parses a PCI address or a path, either with a guard. Anything that does not begin like these must be an ID. */
static const char *parse_address(struct selector *s, const char *p, const char *end)
{
	const char *why;
	bool slot;
	const char *at = pciaddr_parse(p, end, &s->address, &slot, &why);

	if (!at)
		return why ? why : parse_ids(s, p, end);
	s->kind = SELECT_ADDRESS;
	if (slot) {
		s->flags |= SELECTOR_SLOT;
		if (at < end && (*at == '/' || *at == '@'))
			return no_function;
	}
	why = parse_hops(s, &at, end);
	if (why)
		return why;
	if (at < end && *at == '@') {
		at = parse_guard(s, at + 1, end);
		if (!at)
			return "not a guard (@VVVV:DDDD)";
	}
	return at == end ? NULL : trailing;
}

const char *selector_parse(struct selector *out, const char *p, size_t len)
{
	const char *end = p + len;

	out->address = out->target = out->behind = PCIADDR_NONE;
	out->ids = (struct pci_ids){ ANY_ID, ANY_ID, ANY_ID, ANY_ID };
	out->class = out->class_mask = 0;
	out->kind = SELECT_BOOT_VGA;
	out->flags = out->hops = 0;
	out->vfs = out->vf = 0;
	if (skip_word(&p, end, "!") || skip_word(&p, end, "not:"))
		out->flags = SELECTOR_EXCLUDES;
	if (p < end && end[-1] == '?') {
		out->flags |= SELECTOR_OPTIONAL;
		end--;
	}
	out->text = (struct span){ p, (unsigned)(end - p) };
	out->comment = (struct span){ end, 0 };
	if (p == end)
		return "nothing selected";
	if (span_is(out->text, "boot-vga"))
		return NULL;
	if (skip_word(&p, end, "class:"))
		return parse_class(out, p, end);
	return parse_address(out, p, end);
}

const char *selector_parse_vfs(struct selector *out, const char *p, size_t len)
{
	const char *end = p + len, *equals = end, *why;
	unsigned number;

	while (equals > p && equals[-1] != '=')
		equals--;
	/* Without a number, the selector is parsed for its place and flags alone. */
	why = selector_parse(out, p, (size_t)(equals > p ? equals - 1 - p : end - p));
	out->text = (struct span){ p, (unsigned)len };
	if (out->flags & SELECTOR_EXCLUDES)
		return "exclusions belong in ids";
	if (equals == p || !parse_number(equals, end, VFS_MAX, &number) || !number)
		return "not a number of virtual functions (SELECTOR=N, N from 1 on)";
	out->vfs = (uint16_t)number;
	return why;
}

bool selector_names(const struct selector *s)
{
	return s->kind < SELECT_ID;
}

bool selector_has_place(const struct selector *s)
{
	return s->kind < SELECT_BOOT_VGA;
}

static bool id_is(uint32_t wanted, uint32_t id)
{
	return wanted == ANY_ID || wanted == id;
}

static bool ids_fit(const struct selector *s, const struct device *d)
{
	return id_is(s->ids.vendor, d->found.ids.vendor) && id_is(s->ids.device, d->found.ids.device) &&
	       id_is(s->ids.subvendor, d->found.ids.subvendor) && id_is(s->ids.subdevice, d->found.ids.subdevice);
}

enum selector_match selector_match(const struct selector *s, const struct device *d)
{
	bool matches;

	switch (s->kind) {
	case SELECT_PATH:
		matches = d->address == s->target;
		break;
	case SELECT_ADDRESS:
		matches = (s->flags & SELECTOR_SLOT ? PCIADDR_SLOT(d->address) : d->address) == s->address;
		break;
	case SELECT_BOOT_VGA:
		matches = d->found.boot_display;
		break;
	default:
		matches = ids_fit(s, d) && (d->found.class & s->class_mask) == s->class;
	}
	if (!matches)
		return SELECTOR_NO;
	return s->flags & SELECTOR_GUARDED && !ids_fit(s, d) ? SELECTOR_GUARD_FAILS : SELECTOR_YES;
}

bool selector_may_match(const struct selector *s, const struct device *d)
{
	switch (s->kind) {
	case SELECT_PATH:
		return s->vf || PCIADDR_DEVFN(d->address) == s->hop[s->hops - 1];
	case SELECT_BOOT_VGA:
		return base_class(d) == 0x03;
	default:
		return selector_match(s, d) != SELECTOR_NO;
	}
}

bool selector_covers(const struct selector *s, const struct device *d)
{
	enum selector_match match = selector_match(s, d);

	if (s->flags & SELECTOR_STALE)
		return match != SELECTOR_NO || ids_fit(s, d);
	return match == SELECTOR_YES;
}
