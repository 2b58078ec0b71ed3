// SPDX-License-Identifier: GPL-2.0-or-later
#include "pciaddr.h"

static const char *const bad_device = "no such slot: the device is 0 to 1f";
static const char *const bad_function = "no such function: it is 0 to 7";

const char *pciaddr_parse_devfn(const char *p, const char *end, uint8_t *out, bool *slot, const char **why)
{
	uint32_t dev;

	p = hex_number(p, end, 1, 2, &dev);
	*why = bad_device;
	if (!p || dev > 0x1f)
		return NULL;
	*out = (uint8_t)(dev << 3);
	if (slot) {
		*slot = p == end || *p != '.' || (end - p > 1 && p[1] == '*');
		if (*slot)
			return p == end || *p != '.' ? p : p + 2;
	}
	*why = bad_function;
	if (end - p < 2 || *p != '.' || p[1] < '0' || p[1] > '7')
		return NULL;
	*out |= (uint8_t)(p[1] - '0');
	return p + 2;
}

const char *pciaddr_parse(const char *p, const char *end, pciaddr *out, bool *slot, const char **why)
{
	uint32_t domain = 0, bus;
	const char *at = hex_number(p, end, 4, 8, &domain);
	uint8_t devfn;

	*why = NULL;
	if (at) {
		if (at == end || *at != ':')
			return NULL;
		p = at + 1;
	}
	p = hex_number(p, end, 1, 2, &bus);
	if (!p || p == end || *p != ':')
		return NULL;
	p = pciaddr_parse_devfn(p + 1, end, &devfn, slot, why);
	if (p)
		*out = PCIADDR(domain, bus, 0, devfn);
	return p;
}

pciaddr pciaddr_from_name(const char *name, unsigned len)
{
	const char *why, *end = name + len;
	pciaddr a;
	bool slot;

	/* The shortest is 0000:00:00.0; without the check a bare "00:1f.0" would pass too. */
	if (len < 12 || len >= PCIADDR_TEXT || pciaddr_parse(name, end, &a, &slot, &why) != end || slot)
		return PCIADDR_NONE;
	return a;
}
