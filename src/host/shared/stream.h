/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream: decompresses a part of an initramfs image by libarchive. Host program only. */
#ifndef VFIO_BOOT_STREAM_H
#define VFIO_BOOT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the image that libarchive reads as one: several archives without compression, or a compressed part. */
struct stream {
	int fd;
	int64_t start; /* its place in the image */
	int64_t next;  /* what libarchive reads next */
	/* From here on it is given as little as possible at a time, and from there on nothing. */
	int64_t careful, limit;
	struct archive *archive;
	int code;	  /* the compression, ARCHIVE_FILTER_NONE if there is none */
	bool failed;	  /* libarchive could not read on */
	int64_t taken;	  /* decompressed bytes that were read */
	const char *data; /* decompressed bytes that are at hand */
	size_t left;
	char block[65536];
};

/* Returns true if the part is compressed. */
bool stream_is_compressed(const struct stream *s) __attribute__((nonnull));

/*
 * Opens the part of the image that begins at `start`. s->fd, s->careful and s->limit are set. Returns false if there is
 * nothing. The caller owes a stream_close() in any case.
 */
bool stream_open(struct stream *s, int64_t start) __attribute__((nonnull, warn_unused_result));
void stream_close(struct stream *s) __attribute__((nonnull));

/* Returns the place in the image up to which the part has been read. */
int64_t stream_place(const struct stream *s) __attribute__((nonnull));

/* Returns true if there are more bytes: s->left of them at s->data. */
bool stream_fill(struct stream *s) __attribute__((nonnull));

/* Skips n of the bytes at s->data. */
void stream_skip(struct stream *s, size_t n) __attribute__((nonnull));

/* Reads n bytes to `to`, or skips them if that is NULL. Returns false if there are fewer. */
bool stream_read(struct stream *s, char *to, size_t n) __attribute__((nonnull(1), warn_unused_result));

/* Skips zeros, and returns true if something else follows. */
bool stream_skip_zeros(struct stream *s) __attribute__((nonnull, warn_unused_result));

#endif
