// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "legacy_ids.h"
#include "selector.h"

enum { VENDOR, DEVICE, SUBVENDOR, SUBDEVICE, CLASS, MASK, FIELDS };

/* A class as a selector has it, where nothing else is told. */
static const char *set_class(struct text *out, uint32_t class, uint32_t mask)
{
	if (mask == 0xff0000)
		text_set(out, "class:%02x", class >> 16);
	else if (mask == 0xffff00)
		text_set(out, "class:%04x", class >> 8);
	else
		return "any vendor, which no selector says";
	return NULL;
}

static const char *set_selector(struct text *out, const uint32_t field[FIELDS])
{
	uint32_t mask = field[MASK] & 0xffffff, class = field[CLASS] & mask;
	unsigned end = mask || field[SUBVENDOR] != ANY_ID || field[SUBDEVICE] != ANY_ID ? CLASS : SUBVENDOR;

	/* struct pci_device_id has 32 bits for each, a device 16 and 24 of them. */
	if (field[CLASS] & field[MASK] & 0xff000000)
		return "no device has such a class";
	for (unsigned i = 0; i < CLASS; i++) {
		if (field[i] != ANY_ID && field[i] > 0xffff)
			return "no device has such an ID";
	}
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

/* A number as %x of the kernel's vsscanf() takes it: blanks before it, 0x, any number of digits; the low 32 bits stay.
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
		return "no ID for the kernel, which left it out (VENDOR:DEVICE, hexadecimal)";
	if (trimmed(p, end).len)
		*remark = "what follows the numbers is left out, the kernel ignores it";
	/* pci_match_one_device() compares the bits of the mask, which are none then. */
	if (field[CLASS] && !field[MASK])
		*remark = "the CLASS without MASK is left out, the kernel ignores it";
	return set_selector(out, field);
}

const char *selector_of_alias(struct text *out, struct span alias)
{
	static const struct {
		const char *name;
		unsigned digits;
	} parts[] = { { "pci:v", 8 }, { "d", 8 }, { "sv", 8 }, { "sd", 8 }, { "bc", 2 }, { "sc", 2 }, { "i", 2 } };
	static const char *const wrong = "not an alias as the kernel writes them (upper case, * for a whole field)";
	uint32_t field[FIELDS] = { ANY_ID, ANY_ID, ANY_ID, ANY_ID, 0, 0 };
	const char *p = alias.p, *end = alias.p + alias.len;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t len = strlen(parts[i].name);
		uint32_t value;

		/* One * for all that is left. */
		if (i && end - p == 1 && *p == '*')
			return set_selector(out, field);
		if ((size_t)(end - p) <= len || memcmp(p, parts[i].name, len) != 0)
			return wrong;
		p += len;
		if (*p == '*') {
			if (++p == end)
				break;
			continue;
		}
		if ((size_t)(end - p) < parts[i].digits ||
		    !hex_number(p, p + parts[i].digits, parts[i].digits, parts[i].digits, &value))
			return wrong;
		/* A lower case letter matches nothing that the kernel says. */
		for (unsigned digit = 0; digit < parts[i].digits; digit++) {
			if (*p++ >= 'a')
				return wrong;
		}
		if (i < CLASS) {
			field[i] = value;
		} else {
			unsigned shift = 8 * (2 - (i - CLASS));

			field[CLASS] |= value << shift;
			field[MASK] |= 0xffU << shift;
		}
	}
	return p == end ? set_selector(out, field) : wrong;
}

/* Are these an ID of two fields, of four digits each? */
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
			return "no such device, its ID cannot be told (vfio-boot add it once it is there)";
		vendor = there->found.ids.vendor;
		device = there->found.ids.device;
	} else if (!is_id(id, &vendor, &device)) {
		return "not an ID (VVVV:DDDD)";
	}
	text_set(out, "%04x:%02x:%02x.%u@%04x:%04x", PCIADDR_DOMAIN(a), (unsigned)(a >> 8 & 0xff),
		 (unsigned)(a >> 3 & 0x1f), (unsigned)(a & 7), vendor, device);
	return NULL;
}
