// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "errtext.h"
#include "text.h"

static const uint8_t errors[] = { EPERM,  ENOENT, EIO,	 ENOMEM, EACCES, EBUSY,	       ENODEV, EINVAL, EFBIG,
				  ENOSPC, EROFS,  ELOOP, EISDIR, ESPIPE, ENAMETOOLONG, ERANGE, ENOTTY, ETIMEDOUT };

const char *error_text(int error)
{
	unsigned i = 0;

	while (i < sizeof(errors) && errors[i] != error)
		i++;
	return nth_word("not permitted\0no such file\0I/O error\0out of memory\0permission denied\0busy\0"
			"no such device\0invalid\0too large\0no space left\0read-only\0"
			"is a symbolic link\0is a directory\0is a pipe\0name too long\0"
			"out of range\0not supported\0timed out\0error",
			i);
}
