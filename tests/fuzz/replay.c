// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a harness over the files of its corpus, one test a file; a crash ends it, and the missing plan fails it. */
#include <dirent.h>

#include "fuzz.h"
#include "tap.h"

static int not_hidden(const struct dirent *e)
{
	return *e->d_name != '.';
}

static bool run(const char *name)
{
	static uint8_t bytes[1 << 20];
	char path[512];
	size_t size;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	size = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return !LLVMFuzzerTestOneInput(bytes, size);
}

int main(void)
{
	struct dirent **files;
	int n = scandir(CORPUS, &files, not_hidden, alphasort);

	for (int i = 0; i < n; i++) {
		ok(run(files[i]->d_name), CORPUS, files[i]->d_name);
		free(files[i]);
	}
	if (n > 0)
		free(files);
	ok(n > 0, CORPUS, "has files");
	return done_testing();
}
