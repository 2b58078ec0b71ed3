// SPDX-License-Identifier: GPL-2.0-or-later
/* modprobe of a test's tree: notes in modprobe.log how it was called, and sleeps if there is modprobe.slow. Static, since the claim shuts itself in there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *options = getenv("MODPROBE_OPTIONS");
	int fd = open("modprobe.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	char line[256];
	int len = 0;

	for (int i = 1; i < argc; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%s ", argv[i]);
	len += snprintf(line + len, sizeof(line) - (size_t)len, "(%s)\n", options ? options : "");
	if (!access("modprobe.slow", F_OK))
		sleep(4);
	return write(fd, line, (size_t)len) != len;
}
