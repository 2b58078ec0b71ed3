// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "modalias.h"

const char *alias_fits(const char *alias, const struct device *d, uint8_t *exact)
{
	const struct {
		char name[3];
		uint8_t digits;
		uint32_t value;
	} fields[ALIAS_FIELDS] = {
		{ "v", 8, d->found.ids.vendor },     { "d", 8, d->found.ids.device },
		{ "sv", 8, d->found.ids.subvendor }, { "sd", 8, d->found.ids.subdevice },
		{ "bc", 2, d->found.class >> 16 },   { "sc", 2, d->found.class >> 8 & 0xff },
		{ "i", 2, d->found.class & 0xff },
	};

	*exact = 0;
	for (unsigned i = 0; i < ALIAS_FIELDS; i++) {
		size_t name = strlen(fields[i].name);
		uint32_t value;

		if (strncmp(alias, fields[i].name, name) != 0)
			return NULL;
		alias += name;
		if (*alias == '*') {
			alias++;
			continue;
		}
		if (strlen(alias) < fields[i].digits ||
		    !hex_number(alias, alias + fields[i].digits, fields[i].digits, fields[i].digits, &value) ||
		    value != fields[i].value)
			return NULL;
		alias += fields[i].digits;
		++*exact;
	}
	return *alias == '*' ? alias + 1 : alias;
}
