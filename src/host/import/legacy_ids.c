// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "legacy_ids.h"
#include "selector.h"

enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE, CLASS, MASK, FIELDS };

/* Writes a selector for a class alone. Other masks need a vendor. */
static const char *set_class(struct text *out, uint32_t class, uint32_t mask)
{
	if (mask == 0xff0000)
		text_set(out, "class:%02x", class >> 16);
	else if (mask == 0xffff00)
		text_set(out, "class:%04x", class >> 8);
	else
		return "any vendor, which no selector can express";
	return NULL;
}

/* struct pci_device_id has 32 bits for each field. A device has 16 bits for an ID and 24 for its class. */
static const char *check_range(const uint32_t field[FIELDS])
{
	if (field[CLASS] & field[MASK] & 0xff000000)
		return "no device has such a class";
	for (unsigned i = 0; i < CLASS; i++) {
		if (field[i] != ANY_ID && field[i] > 0xffff)
			return "no device has such an ID";
	}
	return NULL;
}

/* Writes the selector for these fields, or returns why there is none. */
static const char *set_selector(struct text *out, const uint32_t field[FIELDS])
{
	uint32_t mask = field[MASK] & 0xffffff, class = field[CLASS] & mask;
	unsigned end = mask || field[SUBVENDOR] != ANY_ID || field[SUBDEVICE] != ANY_ID ? CLASS : SUBVENDOR;

	const char *error = check_range(field);

	if (error)
		return error;
	if (field[VENDOR] == ANY_ID)
		return set_class(
			out, class,
			field[DEVICE] == ANY_ID && field[SUBVENDOR] == ANY_ID && field[SUBDEVICE] == ANY_ID ? mask : 0);
	text_set(out, "%04x", field[VENDOR]);
	for (unsigned i = DEVICE; i < end; i++) {
		if (field[i] == ANY_ID)
			text_add(out, ":*");
		else
			text_add(out, ":%04x", field[i]);
	}
	if (mask)
		text_add(out, ":%06x:%06x", class, mask);
	return NULL;
}

/*
 * Parses a number as %x of the kernel's vsscanf() does: blanks and 0x before it, any number of digits. The low 32 bits
 * stay.
 */
static const char *scan_hex(const char *p, const char *end, uint32_t *out)
{
	const char *start;

	while (p < end && is_blank(*p))
		p++;
	if (end - p > 2 && *p == '0' && (p[1] | 0x20) == 'x' && hex_digit(p[2]) >= 0)
		p += 2;
	*out = 0;
	for (start = p; p < end && hex_digit(*p) >= 0; p++)
		*out = *out << 4 | (uint32_t)hex_digit(*p);
	return p > start ? p : NULL;
}

const char *selector_of_id(struct text *out, struct span id, const char **remark)
{
	uint32_t field[FIELDS] = { ANY_ID, ANY_ID, ANY_ID, ANY_ID, 0, 0 };
	const char *p = id.p, *end = id.p + id.len, *at;
	unsigned n = 0;

	*remark = NULL;
	while (n < FIELDS && (at = scan_hex(p, end, &field[n]))) {
		n++;
		p = at;
		if (n == FIELDS || p == end || *p != ':')
			break;
		p++;
	}
	if (n < 2)
		return "not an ID to the kernel, which ignored it (VENDOR:DEVICE, hexadecimal)";
	if (trimmed(p, end).len)
		*remark = "what follows the numbers is left out, the kernel ignores it";
	/* pci_match_one_device() compares the bits of the mask, and here there are none. */
	if (field[CLASS] && !field[MASK])
		*remark = "the CLASS without MASK is left out, the kernel ignores it";
	return set_selector(out, field);
}

struct alias_field {
	const char *name;
	unsigned digits;
};

/* Parses a field of an alias, its name and then * or its digits. Returns the end of the field, or NULL. */
static const char *parse_alias_field(const char *p, const char *end, const struct alias_field *expected, bool *any,
				     uint32_t *value)
{
	size_t len = strlen(expected->name);

	if ((size_t)(end - p) <= len || memcmp(p, expected->name, len) != 0)
		return NULL;
	p += len;
	*any = *p == '*';
	if (*any)
		return p + 1;
	if ((size_t)(end - p) < expected->digits)
		return NULL;
	end = p + expected->digits;
	if (!hex_number(p, end, expected->digits, expected->digits, value))
		return NULL;
	/* The kernel writes digits in upper case: a lower-case letter would match nothing. */
	for (; p < end; p++) {
		if (*p >= 'a')
			return NULL;
	}
	return end;
}

const char *selector_of_alias(struct text *out, struct span alias)
{
	static const struct alias_field fields[] = { { "pci:v", 8 }, { "d", 8 },  { "sv", 8 }, { "sd", 8 },
						     { "bc", 2 },    { "sc", 2 }, { "i", 2 } };
	static const char *const bad_alias = "not an alias as the kernel writes them (upper case, * for a whole field)";
	uint32_t field[FIELDS] = { ANY_ID, ANY_ID, ANY_ID, ANY_ID, 0, 0 };
	const char *p = alias.p, *end = alias.p + alias.len;

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t value;
		bool any;

		/* A * at the end stands for all fields that are left. */
		if (i && end - p == 1 && *p == '*')
			return set_selector(out, field);
		p = parse_alias_field(p, end, &fields[i], &any, &value);
		if (!p)
			return bad_alias;
		if (any && p == end)
			break;
		if (any)
			continue;
		if (i < CLASS) {
			field[i] = value;
		} else {
			unsigned shift = 8 * (2 - (i - CLASS));

			field[CLASS] |= value << shift;
			field[MASK] |= 0xffU << shift;
		}
	}
	return p == end ? set_selector(out, field) : bad_alias;
}

/* Returns true for an ID of two fields with four digits each, and stores both. */
static bool is_id(struct span id, uint32_t *vendor, uint32_t *device)
{
	const char *end = id.p + id.len, *p = hex_number(id.p, end, 4, 4, vendor);

	return p && p < end && *p == ':' && hex_number(p + 1, end, 4, 4, device) == end;
}

const char *selector_of_address(struct text *out, struct machine *m, struct span address, struct span id)
{
	const char *end = address.p + address.len, *why;
	const struct device *there;
	uint32_t vendor, device;
	pciaddr a;
	bool slot;

	if (pciaddr_parse(address.p, end, &a, &slot, &why) != end || slot)
		return "not the bus index of a function";
	if (!id.len) {
		there = machine_find(m, a);
		if (!there)
			return "no such device, so its ID is unknown (use vfio-boot add once it is there)";
		vendor = there->found.ids.vendor;
		device = there->found.ids.device;
	} else if (!is_id(id, &vendor, &device)) {
		return "not an ID (VVVV:DDDD)";
	}
	text_set(out, "%04x:%02x:%02x.%u@%04x:%04x", PCIADDR_DOMAIN(a), (unsigned)(a >> 8 & 0xff),
		 (unsigned)(a >> 3 & 0x1f), (unsigned)(a & 7), vendor, device);
	return NULL;
}
