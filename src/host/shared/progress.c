// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format.h"
#include "progress.h"

int progress_show(const char *text)
{
	struct winsize size;
	/* A line that wraps could not be erased. */
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2 ? 79 : size.ws_col - 1;

	fprintf(stderr, "\r%-*.*s", columns, columns, text);
	return columns;
}

void progress_erase(int columns)
{
	if (columns)
		fprintf(stderr, "\r%*s\r", columns, "");
}

static void show(const struct text *step, int stop)
{
	struct pollfd end = { .fd = stop, .events = POLLIN };
	int shown = 0;

	while (!poll(&end, 1, 1000)) {
		struct text line, now = *step;

		/* Another process may be writing to it. */
		now.p[TEXT_SIZE - 1] = '\0';
		if (!now.len)
			continue;
		text_set(&line, "vfio-boot: waiting for: %s", now.p);
		shown = progress_show(line.p);
	}
	progress_erase(shown);
}

void progress_begin(struct progress *p, const struct text *step)
{
	int ends[2];

	p->pid = 0;
	if (!isatty(STDERR_FILENO) || pipe2(ends, O_CLOEXEC))
		return;
	p->stop = ends[1];
	p->pid = fork();
	if (!p->pid) {
		/* Children that we leave behind keep the pipe open, so that it does not tell that we are gone. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Ctrl-C must not kill this process, which has to erase its line. */
		setsid();
		show(step, ends[0]);
		_exit(0);
	}
	close(ends[0]);
	if (p->pid > 0)
		return;
	p->pid = 0;
	close(p->stop);
}

void progress_end(struct progress *p)
{
	if (!p->pid)
		return;
	if (write(p->stop, "", 1) != 1)
		kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->stop);
	p->pid = 0;
}
