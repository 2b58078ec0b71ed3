// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "pciaddr.h"

static const char *const bad_device = "no such slot: the device is 0 to 1f";
static const char *const bad_function = "no such function: it is 0 to 7";

const char *pciaddr_parse_devfn(const char *p, const char *end, uint8_t *out, bool *slot, const char **why)
{
	uint32_t dev;
	char function;
	bool dot;

	p = hex_number(p, end, 1, 2, &dev);
	*why = bad_device;
	if (!p || dev > 0x1f)
		return NULL;
	*out = (uint8_t)(dev << 3);
	dot = p < end && *p == '.';
	function = dot && end - p > 1 ? p[1] : '\0';
	if (slot) {
		*slot = !dot || function == '*';
		if (*slot)
			return dot ? p + 2 : p;
	}
	*why = bad_function;
	if (function < '0' || function > '7')
		return NULL;
	*out |= (uint8_t)(function - '0');
	return p + 2;
}

/* Parses a number and the colon that follows it. */
static const char *parse_part(const char *p, const char *end, unsigned min, unsigned max, uint32_t *out)
{
	p = hex_number(p, end, min, max, out);
	return p && p < end && *p == ':' ? p + 1 : NULL;
}

const char *pciaddr_parse(const char *p, const char *end, pciaddr *out, bool *slot, const char **why)
{
	uint32_t domain = 0, bus;
	const char *at = parse_part(p, end, 4, 8, &domain);
	uint8_t devfn;

	*why = NULL;
	p = parse_part(at ? at : p, end, 1, 2, &bus);
	if (p)
		p = pciaddr_parse_devfn(p, end, &devfn, slot, why);
	if (p)
		*out = PCIADDR(domain, bus, 0, devfn);
	return p;
}

pciaddr pciaddr_from_name(const char *name, unsigned len)
{
	const char *why, *end = name + len;
	pciaddr a;
	bool slot;

	/* The shortest name is 0000:00:00.0. pciaddr_parse() alone would accept a bare "00:1f.0" too. */
	if (len < 12 || len >= PCIADDR_TEXT || pciaddr_parse(name, end, &a, &slot, &why) != end || slot)
		return PCIADDR_NONE;
	return a;
}

pciaddr pciaddr_next(const char **p)
{
	pciaddr address = PCIADDR_NONE;

	while (*p && address == PCIADDR_NONE) {
		const char *slash = strchr(*p, '/');

		address = pciaddr_from_name(*p, (unsigned)(slash ? (size_t)(slash - *p) : strlen(*p)));
		*p = slash ? slash + 1 : NULL;
	}
	return address;
}
