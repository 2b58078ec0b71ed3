// SPDX-License-Identifier: GPL-2.0-or-later
#include "listener.h"
#include "format.h"

void say(const struct listener *l, unsigned level, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	t.len = 0;
	va_start(ap, fmt);
	text_vadd(&t, fmt, ap);
	va_end(ap);
	l->say(l, level, t.p);
}
