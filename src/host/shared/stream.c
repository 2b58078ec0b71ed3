// SPDX-License-Identifier: GPL-2.0-or-later
#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

static la_ssize_t read_block(struct archive *a, void *data, const void **block)
{
	struct stream *s = data;
	int64_t left = (s->next < s->careful && s->careful < s->limit ? s->careful : s->limit) - s->next;
	int64_t most = s->next < s->careful ? (int64_t)sizeof(s->block) : 4;
	size_t size = (size_t)(left < most ? left : most);
	ssize_t got;

	do
		got = pread(s->fd, s->block, size, s->next);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		archive_set_error(a, errno, "read");
	else
		s->next += got;
	*block = s->block;
	return got;
}

/* All that the kernel knows but lzop. None of these starts a program. */
static void accept_filters(struct archive *a)
{
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
}

bool stream_open(struct stream *s, int64_t start)
{
	struct archive_entry *whole;

	s->start = s->next = start;
	s->code = ARCHIVE_FILTER_NONE;
	s->failed = false;
	s->taken = 0;
	s->left = 0;
	s->archive = archive_read_new();
	if (!s->archive)
		abort();
	accept_filters(s->archive);
	if (archive_read_open(s->archive, s, NULL, read_block, NULL) ||
	    archive_read_next_header(s->archive, &whole) != ARCHIVE_OK)
		return false;
	s->code = archive_filter_code(s->archive, 0);
	return true;
}

void stream_close(struct stream *s)
{
	archive_read_free(s->archive);
}

bool stream_is_compressed(const struct stream *s)
{
	return s->code != ARCHIVE_FILTER_NONE;
}

int64_t stream_place(const struct stream *s)
{
	return s->start + (stream_is_compressed(s) ? archive_filter_bytes(s->archive, -1) : s->taken);
}

bool stream_fill(struct stream *s)
{
	const void *block;
	la_int64_t offset;
	int ret;

	while (!s->left && !s->failed) {
		ret = archive_read_data_block(s->archive, &block, &s->left, &offset);
		if (ret == ARCHIVE_EOF)
			return false;
		s->failed = ret != ARCHIVE_OK;
		s->data = block;
	}
	return !s->failed;
}

void stream_skip(struct stream *s, size_t n)
{
	s->data += n;
	s->left -= n;
	s->taken += (int64_t)n;
}

bool stream_read(struct stream *s, char *to, size_t n)
{
	while (n) {
		size_t piece;

		if (!stream_fill(s))
			return false;
		piece = n < s->left ? n : s->left;
		if (to) {
			memcpy(to, s->data, piece);
			to += piece;
		}
		stream_skip(s, piece);
		n -= piece;
	}
	return true;
}

bool stream_skip_zeros(struct stream *s)
{
	while (stream_fill(s)) {
		size_t zeros = 0;

		while (zeros < s->left && !s->data[zeros])
			zeros++;
		stream_skip(s, zeros);
		if (s->left)
			return true;
	}
	return false;
}
