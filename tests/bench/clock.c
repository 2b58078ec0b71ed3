// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock of the bench guest, whose emulator counts an instruction as a nanosecond.
 *
 *   clock FILE COMMAND...  runs a command and writes into FILE how long it took, and how much of that
 *                          time its only processor had something to do, in nanoseconds
 *   clock FILE             the same for 100,000,000 instructions
 *   as process 1           says on the second serial port how long the boot took, and ends the machine
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) ? 0 : t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* How long tasks have run, the idle one apart: the seventh number of the processor's line. */
static long long busy(void)
{
	char text[4096], *line;
	long long ns = 0;
	int fd = open("/proc/schedstat", O_RDONLY);
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[size < 0 ? 0 : size] = 0;
	line = strstr(text, "\ncpu0 ");
	if (line)
		sscanf(line, " cpu0 %*u %*u %*u %*u %*u %*u %lld", &ns);
	return ns;
}

static void tell(const char *path, long long total, long long ran)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%lld %lld\n", total, ran);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		_exit(127);
	close(fd);
}

static void count(void)
{
	long turns = 50000000;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(turns) : : "cc");
}

static int run(char **argv)
{
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

int main(int argc, char **argv)
{
	/* What was done before leaves something to be done later: memory to be freed, work of the kernel's own. */
	const struct timespec settle = { .tv_nsec = 100000000 };
	long long start, started_busy;
	int status = 0;

	if (getpid() == 1) {
		tell("/dev/ttyS1", now(), busy());
		nanosleep(&settle, NULL);
		return reboot(RB_POWER_OFF);
	}
	nanosleep(&settle, NULL);
	started_busy = busy();
	start = now();
	if (argc > 2)
		status = run(argv + 2);
	else
		count();
	start = now() - start;
	tell(argv[1], start, busy() - started_busy);
	return status;
}
