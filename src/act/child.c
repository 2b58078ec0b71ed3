// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "format.h"
#include "machine.h"
#include "sysfs.h"

#define TICKS 100 /* USER_HZ, the unit of times() */

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

void this_process(int root, struct worker *out)
{
	out->pid = (uint32_t)getpid();
	out->start = process_start(root, "self");
}

enum ending run_in_child(clock_t deadline, void (*body)(const void *data, struct device *unit), const void *data,
			 struct device *unit)
{
	struct pollfd end = { .events = POLLIN };
	int fds[2], status, ready;
	clock_t left;
	pid_t pid;

	if (is_past(deadline))
		return TIME_IS_UP;
	if (pipe2(fds, O_CLOEXEC))
		return DIED;
	pid = fork();
	if (!pid) {
		body(data, unit);
		_exit(0);
	}
	close(fds[1]);
	end.fd = fds[0];
	do {
		/* The kernel closes the other end of the pipe when the child ends, for whatever reason. */
		left = deadline - times(NULL);
		ready = left > 0 ? poll(&end, 1, (int)left * (1000 / TICKS)) : 0;
	} while (ready < 0);
	close(fds[0]);
	if (pid < 0)
		return DIED;
	if (!ready)
		return TIME_IS_UP;
	return waitpid(pid, &status, 0) == pid && !status ? ENDED : DIED;
}
