/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archives: reads what is in an initramfs image, as the kernel unpacks it. Host program only. */
#ifndef VFIO_BOOT_ARCHIVES_H
#define VFIO_BOOT_ARCHIVES_H

#include <stdbool.h>
#include <stdint.h>

/* A file, a link, a directory or a node of an image. */
struct entry {
	const char *path; /* without a / or ./ at its beginning */
	uint32_t mode;	  /* as in struct stat */
	uint32_t size;
	const char *content; /* of a link, or of a file that is compared, with a NUL behind it; else NULL */
};

/* A file that is larger has no content. The claim program is the largest that anybody compares. */
#define CONTENT_MAX (256 * 1024)

struct entry_reader {
	/* Is called for each entry, in the order of the image: an entry replaces an earlier one with its path. */
	void (*each)(void *data, const struct entry *e);
	void *data;
	bool (*compares)(const char *path); /* whether each() needs the content of the file with this path */
};

enum archives {
	ARCHIVES_DONE,
	ARCHIVES_DAMAGED,    /* an archive has no end, or is none */
	ARCHIVES_UNREADABLE, /* lzop, which libarchive leaves to a program of that name */
};

/*
 * Reads all archives of an image. Keeps no more in memory than CONTENT_MAX and the window of the compression. Calls
 * each() for what comes before the fault of a damaged image, too.
 */
enum archives archives_read(int fd, const struct entry_reader *reader) __attribute__((nonnull, warn_unused_result));

#endif
