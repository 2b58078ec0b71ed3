// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "errtext.h"
#include "format.h"
#include "listener.h"
#include "settings.h"
#include "store.h"

int store_past_deadline(const struct act *act, const char *value, const char *before, const char *name,
			const char *after)
{
	int fd, ret, len = (int)strlen(value), written;
	struct text step;
	unsigned path;

	/* The parent reads this if the write does not return in time. */
	text_set(&step, "%s to /", *value == '\n' ? "a line feed" : value);
	path = step.len;
	text_add(&step, "sys/bus/%s%s%s", before, name, after);
	act->m->step = step;
	fd = openat(act->root->fd, step.p + path, O_WRONLY | O_CLOEXEC);
	written = fd < 0 ? -1 : (int)write(fd, value, (size_t)len);
	ret = written < 0 ? -errno : written == len ? 0 : -EIO;
	close(fd);
	if (act->m->settings->log == LOG_DEBUG)
		say(act->log, LEVEL_DEBUG, "%s: %s", step.p, ret ? error_text(-ret) : "ok");
	return ret;
}

int store(const struct act *act, const char *value, const char *before, const char *name, const char *after)
{
	if (is_past(act->deadline))
		return -EBUSY;
	return store_past_deadline(act, value, before, name, after);
}
