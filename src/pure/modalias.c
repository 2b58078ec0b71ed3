// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "modalias.h"

const char *alias_fits(const char *alias, const char *modalias, uint8_t *exact)
{
	*exact = ALIAS_FIELDS;
	for (; *alias != ' '; alias++) {
		if (*alias == '*') {
			--*exact;
			/* The digits are in upper case, and a field begins with a letter in lower case. */
			while (*modalias && *modalias < 'a')
				modalias++;
		} else if (!*alias || *alias != *modalias++) {
			return NULL;
		}
	}
	return *modalias || !alias[1] ? NULL : alias + 1;
}
