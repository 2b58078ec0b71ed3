// SPDX-License-Identifier: GPL-2.0-or-later
/* A settings file of any bytes. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings s;
	char *text = copy_of(data, size);

	settings_init(&s);
	settings_parse_file(&s, "conf", text, size);
	expect_settings(&s, text, size);
	if (memchr(text, '\0', size)) {
		expect(s.problems == 1 && settings_unreadable(&s));
		for (unsigned i = 0; i < LISTS; i++)
			expect(s.list[i].end == s.list[i].selector && !s.list[i].off);
	}
	decide_with(&s);
	free(text);
	return 0;
}
