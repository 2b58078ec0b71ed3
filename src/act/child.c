// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "format.h"
#include "machine.h"
#include "sysfs.h"

clock_t deadline_after(unsigned seconds)
{
	return times(NULL) + (clock_t)seconds * TICKS;
}

bool is_past(clock_t deadline)
{
	return times(NULL) - deadline >= 0;
}

uint32_t process_start(int root, const char *pid)
{
	struct text t;
	const char *p;

	read_attribute(&t, root, text_set(&t, "proc/%s/stat", pid));
	/* The second field, in parentheses, may have anything in it; the start is the 22nd (proc(5)). */
	p = strrchr(t.p, ')');
	for (unsigned field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	p++;
	return decimal(&p);
}

void note_process(int root, int pid, struct worker *out)
{
	struct text t;

	out->pid = (uint32_t)pid;
	out->start = process_start(root, text_set(&t, "%u", (unsigned)pid));
}

bool wait_until_ready(int fd, short events, clock_t deadline)
{
	struct pollfd ready = { fd, events, 0 };
	clock_t left;
	int ret;

	do {
		left = deadline - times(NULL);
		ret = poll(&ready, 1, left > 0 ? (int)left * (1000 / TICKS) : 0);
	} while (ret < 0);
	return ret;
}

/* Waits until the other ends of the pipe are closed. The kernel closes them when a child ends, for whatever reason. */
static bool wait_for_end(int fd, clock_t deadline)
{
	return wait_until_ready(fd, POLLIN, deadline);
}

struct child child_start(void (*body)(const void *data, struct device *unit), const void *data, struct device *unit)
{
	struct child child = { -1, -1 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return child;
	/* Whoever ignores this signal leaves no exit status of its children (wait(2)). */
	signal(SIGCHLD, SIG_DFL);
	child.pid = fork();
	if (!child.pid) {
		body(data, unit);
		_exit(0);
	}
	close(ends[1]);
	child.end = ends[0];
	return child;
}

enum ending child_wait(const struct child *child, clock_t deadline)
{
	int status;

	if (child->end >= 0 && !wait_for_end(child->end, deadline))
		return TIME_IS_UP;
	close(child->end);
	return child->pid > 0 && waitpid(child->pid, &status, 0) == child->pid && !status ? ENDED : DIED;
}

void child_leave(const struct child *child)
{
	close(child->end);
}

void run_program(int root, const char *path, const char *const argv[])
{
	const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	/* A run by hand ignores these, and the log the first one. The program must not. */
	static const int signals[] = { SIGPIPE, SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM };
	pid_t pid = fork();
	int status;

	if (!pid) {
		for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
			signal(signals[i], SIG_DFL);
		if (!fchdir(root))
			execve(path, (char *const *)argv, (char *const *)environment);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
}

void family_begin(struct family *f)
{
	if (pipe2(f->ends, O_CLOEXEC))
		f->ends[0] = f->ends[1] = -1;
}

void family_wait(const struct family *f, clock_t deadline)
{
	close(f->ends[1]);
	/* Without a pipe, nobody knows when they end: poll() ignores -1, and waits. */
	(void)wait_for_end(f->ends[0], deadline);
	close(f->ends[0]);
}
