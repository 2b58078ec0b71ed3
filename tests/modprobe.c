// SPDX-License-Identifier: GPL-2.0-or-later
/* modprobe of a test's tree: notes in modprobe.log how it was called, sleeps if there is modprobe.slow, and makes the
 * renames in modprobe.moves, a line FROM TO each: what happens while a module is loaded. Static, since the claim shuts
 * itself in there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void make_moves(void)
{
	FILE *moves = fopen("modprobe.moves", "r");
	char line[512], from[256], to[256];

	while (moves && fgets(line, sizeof(line), moves)) {
		if (sscanf(line, "%255s %255s", from, to) != 2 || rename(from, to))
			_exit(1);
	}
	/* Only once. */
	if (moves)
		unlink("modprobe.moves");
}

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
	make_moves();
	return write(fd, line, (size_t)len) != len;
}
