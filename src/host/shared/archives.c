// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An image is a sequence of archives in cpio's newc format with zeros between them, each compressed or not (the
 * kernel's Documentation/driver-api/early-userspace/buffer-format.rst). Usually an archive with microcode, not
 * compressed, comes first. libarchive decompresses. The headers are read here, because libarchive's reader stops at the
 * end of one archive and keeps a table of all hard links.
 */
#include <archive.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archives.h"
#include "stream.h"
#include "text.h"

#define HEADER	      110  /* bytes */
#define NAME_SIZE_MAX 4096 /* the kernel skips an entry with a longer name (PATH_MAX) */

/* The fields of a header that are used, by their index in it. */
enum { INODE, MODE, LINKS = 4, SIZE = 6, MAJOR, MINOR, NAME_SIZE = 11, FIELDS = 13 };

#define LINKS_MAX 128 /* of files that are compared */

/* A name of a file whose content comes with a later name. */
struct hard_link {
	uint32_t field[FIELDS];
	char path[TEXT_SIZE];
};

struct reading {
	const struct entry_reader *reader;
	struct stream stream;
	struct hard_link link[LINKS_MAX];
	unsigned links;
	bool open; /* the archive that was read last has no end yet */
	bool any;  /* an archive with an end was found */
	bool damaged;
	uint32_t field[FIELDS];
	char name[NAME_SIZE_MAX + 1];
	char content[CONTENT_MAX + 1];
};

/* --- an archive --------------------------------------------------------------------------------------------------- */

static bool parse_header(uint32_t field[FIELDS], const char *header)
{
	if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
		return false;
	header += 6;
	for (unsigned i = 0; i < FIELDS; i++, header += 8) {
		if (!hex_number(header, header + 8, 8, 8, &field[i]))
			return false;
	}
	return true;
}

static const char *plain_path(const char *name)
{
	while (*name == '/' || (*name == '.' && name[1] == '/'))
		name++;
	return name;
}

static void tell(const struct reading *r, const char *path, uint32_t mode, uint32_t size, const char *content)
{
	struct entry e = { path, mode, size, content };

	r->reader->each(r->reader->data, &e);
}

static bool is_same_file(const uint32_t a[FIELDS], const uint32_t b[FIELDS])
{
	return a[INODE] == b[INODE] && a[MAJOR] == b[MAJOR] && a[MINOR] == b[MINOR];
}

/*
 * The content of a file with several names comes with the last of them (GNU cpio, dracut-cpio, libarchive). dracut
 * makes hard links of files with the same content. Returns true if this entry waits for it.
 */
static bool is_early_link(struct reading *r, const char *path)
{
	struct hard_link *l = &r->link[r->links];
	size_t size = strlen(path) + 1;

	if (!S_ISREG(r->field[MODE]) || r->field[LINKS] < 2 || r->field[SIZE] || r->links == LINKS_MAX ||
	    !r->reader->compares(path) || size > sizeof(l->path))
		return false;
	memcpy(l->field, r->field, sizeof(l->field));
	memcpy(l->path, path, size);
	r->links++;
	return true;
}

/* Tells of the names that have waited for the file of this entry, or for any if `field` is NULL: that one is empty. */
static void tell_links(struct reading *r, const uint32_t *field, const char *content)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < r->links; i++) {
		const struct hard_link *l = &r->link[i];

		if (!field || is_same_file(l->field, field))
			tell(r, l->path, l->field[MODE], field ? field[SIZE] : 0, content);
		else if (kept++ != i)
			r->link[kept - 1] = *l;
	}
	r->links = kept;
}

/* Reads the content of an entry. Returns false if the image ends before. */
static bool read_content(struct reading *r, const char *path)
{
	const uint32_t *field = r->field;
	bool is_link = S_ISLNK(field[MODE]), several = S_ISREG(field[MODE]) && field[LINKS] > 1 && field[SIZE];
	bool wanted = is_link || (S_ISREG(field[MODE]) && (r->reader->compares(path) || (several && r->links)));
	char *content = wanted && field[SIZE] <= CONTENT_MAX ? r->content : NULL;

	if (!stream_read(&r->stream, content, field[SIZE]))
		return false;
	if (content)
		content[field[SIZE]] = '\0';
	tell(r, path, field[MODE], field[SIZE], content);
	if (several)
		tell_links(r, field, content);
	return true;
}

static unsigned padding(uint32_t n)
{
	return -n & 3;
}

static bool skip_content(struct reading *r)
{
	return stream_read(&r->stream, NULL, (size_t)r->field[SIZE] + padding(r->field[SIZE]));
}

/* Reads an entry. Returns false if it is none, or the image ends in it. */
static bool read_entry(struct reading *r)
{
	struct stream *s = &r->stream;
	char header[HEADER];
	uint32_t len;
	const char *path;

	r->open = true;
	if (!stream_read(s, header, HEADER) || !parse_header(r->field, header))
		return false;
	len = r->field[NAME_SIZE];
	if (len > NAME_SIZE_MAX)
		return stream_read(s, NULL, (size_t)len + padding(HEADER + len)) && skip_content(r);
	if (!stream_read(s, r->name, len) || !stream_read(s, NULL, padding(HEADER + len)))
		return false;
	r->name[len] = '\0';
	path = plain_path(r->name);
	r->open = strcmp(path, "TRAILER!!!") != 0;
	if (!r->open) {
		r->any = true;
		tell_links(r, NULL, "");
	} else if (!is_early_link(r, path) && !read_content(r, path)) {
		return false;
	}
	return stream_read(s, NULL, padding(r->field[SIZE]));
}

/* --- an image ----------------------------------------------------------------------------------------------------- */

/* Reads the archives of a stream. Returns false if one of them is damaged. */
static bool read_stream(struct reading *r)
{
	struct stream *s = &r->stream;

	/* The kernel takes an archive only at a multiple of four bytes. */
	while (stream_skip_zeros(s) && *s->data == '0' &&
	       !(((stream_is_compressed(s) ? 0 : s->start) + s->taken) & 3)) {
		if (!read_entry(r))
			return false;
	}
	/* The end tells how long a compressed part is. */
	while (stream_is_compressed(s) && stream_fill(s))
		stream_skip(s, s->left);
	return !r->open && (stream_is_compressed(s) || !s->failed);
}

/*
 * Reads a part of the image up to `limit`, in small pieces from `careful` on. Returns where the decoder has stopped, or
 * -1 if there is no more.
 */
static int64_t read_from(struct reading *r, int64_t at, int64_t careful, int64_t limit)
{
	struct stream *s = &r->stream;
	int64_t next = -1;

	r->open = false;
	r->links = 0;
	s->careful = careful;
	s->limit = limit;
	if (stream_open(s, at)) {
		r->damaged = !read_stream(r);
		next = stream_place(s);
	}
	stream_close(s);
	return next;
}

/* Returns where the next header is from `at` on, or -1. */
static int64_t find_header(struct stream *s, int64_t at)
{
	uint32_t field[FIELDS];
	ssize_t got;

	at = (at + 3) & ~(int64_t)3;
	while ((got = pread(s->fd, s->block, sizeof(s->block), at)) >= HEADER) {
		for (ssize_t i = 0; i <= got - HEADER; i += 4) {
			if (s->block[i] == '0' && parse_header(field, s->block + i))
				return at + i;
		}
		at += (got - HEADER + 4) & ~3;
	}
	return -1;
}

/*
 * Reads a part again whose decoder has failed at `next`, where another one begins, perhaps: then it has lost the last
 * bytes that it decoded. In small pieces it finds out where it fails, and with what comes before it is content. That of
 * xz fails behind what should be a header of 12 bytes. Returns where the part ends.
 */
static int64_t read_carefully(struct reading *r, int64_t at, int64_t next)
{
	int64_t end = read_from(r, at, next - (next - at) % 4, INT64_MAX),
		back = r->stream.code == ARCHIVE_FILTER_XZ ? 8 : 0;

	while (read_from(r, at, INT64_MAX, end - back) >= 0 && r->stream.failed && back)
		back -= 4;
	return end - back;
}

/*
 * Reads a part of the image. Returns where the image goes on behind it, or -1. The decoder of lz4 stops somewhere
 * around its last block: only an archive without compression is found behind it.
 */
static int64_t read_part(struct reading *r, int64_t at)
{
	struct stream *s = &r->stream;
	int64_t next = read_from(r, at, INT64_MAX, INT64_MAX);

	if (next < 0 || s->code == ARCHIVE_FILTER_NONE)
		return next;
	if (s->code == ARCHIVE_FILTER_LZ4)
		return find_header(s, next > at + 8 ? next - 8 : at);
	return s->failed ? read_carefully(r, at, next) : next;
}

static bool is_lzop(int fd, int64_t at)
{
	char magic[4];

	return pread(fd, magic, sizeof(magic), at) == sizeof(magic) && !memcmp(magic, "\x89LZO", sizeof(magic));
}

enum archives archives_read(int fd, const struct entry_reader *reader)
{
	static struct reading r;
	int64_t at = 0, before = -1;

	r.reader = reader;
	r.any = r.damaged = false;
	r.stream.fd = fd;
	while (at > before && !r.damaged) {
		if (is_lzop(fd, at))
			return ARCHIVES_UNREADABLE;
		before = at;
		at = read_part(&r, at);
	}
	return r.any && !r.damaged ? ARCHIVES_DONE : ARCHIVES_DAMAGED;
}
