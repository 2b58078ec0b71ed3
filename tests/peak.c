// SPDX-License-Identifier: GPL-2.0-or-later
/* peak COMMAND...: runs it and prints the most memory that it, or a child of it, had resident, in KiB. Small itself. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	(void)argc;
	pid = fork();
	if (!pid) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 3;
	printf("%ld KiB, status %d\n", (long)usage.ru_maxrss, status >> 8);
	return 0;
}
