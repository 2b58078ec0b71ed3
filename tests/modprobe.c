// SPDX-License-Identifier: GPL-2.0-or-later
/* modprobe of a test's tree: notes in modprobe.log how it was called, sleeps if there is modprobe.slow that is empty or
 * has a line with the module, and makes the renames in modprobe.moves, a line FROM TO each: what happens while a module
 * is loaded. Static, since the claim shuts itself in there. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int is_slow(const char *module)
{
	FILE *slow = fopen("modprobe.slow", "r");
	char line[256], name[256];

	return slow && (!fgets(line, sizeof(line), slow) || sscanf(line, "%255s", name) != 1 || !strcmp(name, module));
}

int main(int argc, char **argv)
{
	const char *options = getenv("MODPROBE_OPTIONS");
	struct sigaction pipe;
	int fd = open("modprobe.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
	char line[256];
	int len = 0;

	for (int i = 1; i < argc; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%s ", argv[i]);
	/* What it starts would not notice that nobody reads what it says. */
	if (!sigaction(SIGPIPE, NULL, &pipe) && pipe.sa_handler == SIG_IGN)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "ignores SIGPIPE ");
	len += snprintf(line + len, sizeof(line) - (size_t)len, "(%s)\n", options ? options : "");
	if (is_slow(argc > 1 ? argv[1] : ""))
		sleep(4);
	make_moves();
	return write(fd, line, (size_t)len) != len;
}
