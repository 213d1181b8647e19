#include "adapters/http_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { NAME_BYTES = 12 };

struct http_bodies {
	struct http_body_limits	 lim;
	uint64_t		 memory, files;	/* bytes of all bodies now */
	int			 folder;
	unsigned		 holds;		/* the server's and one a body */
};

/*
 *	memory:   text holds everything, fd -1
 *	file:     writer open, grows; reader is a second, read-only descriptor of the same file
 *	complete: writer closed, the reader's bytes mapped at `map`
 */
struct http_body {
	struct http_bodies	*all;
	struct strbuf		 text;
	int64_t			 declared;
	uint64_t		 n;
	int			 writer, reader;
	void			*map;
	struct sha256		*sum;		/* of what is in the file */
	uint8_t			 digest[SHA256_LEN];	/* ...of all of it */
};

struct http_bodies *
http_bodies_new(void)
{
	struct http_bodies *all = xcalloc(1, sizeof(*all));

	all->holds = 1;
	all->folder = -1;
	return all;
}

static void
let_go(struct http_bodies *all)
{
	if (--all->holds > 0)
		return;
	if (all->folder >= 0)
		close(all->folder);
	free(all);
}

/* The server ends. */
void
http_bodies_free(struct http_bodies *all)
{
	if (all != NULL)
		let_go(all);
}

/* Other limits from now on; bodies under way stay where they are. */
void
http_bodies_set_limits(struct http_bodies *all, const struct http_body_limits *lim)
{
	all->lim = *lim;
}

/* Where files are made from now on. */
void
http_bodies_set_folder(struct http_bodies *all, int folder)
{
	if (all->folder >= 0)
		close(all->folder);
	all->folder = folder;
}

/* Is there room for it, as far as its sender says? */
bool
http_bodies_fit(const struct http_bodies *all, int64_t declared)
{
	uint64_t n = declared < 0 ? 0 : (uint64_t)declared;

	return all->folder < 0 || n <= all->lim.in_memory || all->files + n <= all->lim.all_in_files;
}

/* Bytes of bodies in memory now. */
uint64_t
http_bodies_in_memory(const struct http_bodies *all)
{
	return all->memory;
}

/* Bytes of bodies in files now. */
uint64_t
http_bodies_in_files(const struct http_bodies *all)
{
	return all->files;
}

/* Nothing of it is here yet, and nothing is allocated on its sender's word. */
struct http_body *
http_body_new(struct http_bodies *all, int64_t declared)
{
	struct http_body *b = xcalloc(1, sizeof(*b));

	b->all = all;
	all->holds++;
	b->declared = declared;
	b->writer = b->reader = -1;
	strbuf_init(&b->text);
	return b;
}

static void
close_files(struct http_body *b)
{
	if (b->writer >= 0)
		close(b->writer);
	if (b->reader >= 0)
		close(b->reader);
	b->writer = b->reader = -1;
}

/* A file without a name, open twice: to write now, and to read later by whoever is handed the descriptor,
 * who shall not be able to change it under our mapping. O_TMPFILE can be opened a second time through /proc
 * alone, which a confined worker does not have; so the file has a name, for as long as it is empty. */
static int
open_file(struct http_body *b, struct err *e)
{
	int folder = b->all->folder, rc = 0;
	char name[2 * NAME_BYTES + 1];
	uint8_t raw[NAME_BYTES];

	random_bytes(raw, sizeof(raw));
	hex_text(raw, sizeof(raw), name);
	b->writer = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (b->writer < 0)
		return err_set(e, ERR_IO, "cannot make a file for a body: %s", strerror(errno));
	b->reader = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (b->reader < 0)
		rc = err_set(e, ERR_IO, "cannot open the file of a body: %s", strerror(errno));
	if (unlinkat(folder, name, 0) < 0 && rc == 0)
		rc = err_set(e, ERR_IO, "cannot unlink the file of a body: %s", strerror(errno));
	if (rc < 0)
		close_files(b);
	return rc;
}

static int
write_all(struct http_body *b, struct slice piece, struct err *e)
{
	struct slice whole = piece;

	if (b->all->files + piece.n > b->all->lim.all_in_files)
		return err_set(e, ERR_LIMIT, "the bodies in work are %llu bytes already",
		    (unsigned long long)b->all->files);
	while (piece.n > 0) {
		ssize_t n = write(b->writer, piece.p, piece.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO, "cannot write a body to its file: %s",
			    strerror(n < 0 ? errno : ENOSPC));
		piece.p += n;
		piece.n -= (size_t)n;
		b->n += (uint64_t)n;
		b->all->files += (uint64_t)n;
	}
	sha256_add(b->sum, whole);
	return 0;
}

/* From memory into a file. */
static int
move_out(struct http_body *b, struct err *e)
{
	uint64_t had = b->n;

	if (open_file(b, e) < 0)
		return -1;
	b->all->memory -= had;
	b->n = 0;
	b->sum = sha256_new();
	if (write_all(b, strbuf_slice(&b->text), e) < 0) {
		strbuf_fini(&b->text);
		return -1;
	}
	strbuf_fini(&b->text);
	return 0;
}

/* Is the rest of it better written to a file? */
static bool
belongs_out(const struct http_body *b, size_t more)
{
	const struct http_bodies *all = b->all;
	uint64_t n = b->n + more;

	if (all->folder < 0)
		return false;
	if (b->declared > 0 && (uint64_t)b->declared > n)
		n = (uint64_t)b->declared;
	return n > all->lim.in_memory || all->memory + more > all->lim.all_in_memory;
}

/* One piece more. */
int
http_body_add(struct http_body *b, struct slice piece, struct err *e)
{
	if (b->writer < 0 && belongs_out(b, piece.n) && move_out(b, e) < 0)
		return -1;
	if (b->writer >= 0)
		return write_all(b, piece, e);
	strbuf_add(&b->text, piece.p, piece.n);
	b->n += piece.n;
	b->all->memory += piece.n;
	return 0;
}

/* Nothing more comes. */
int
http_body_end(struct http_body *b, struct err *e)
{
	if (b->writer < 0)
		return 0;
	b->map = mmap(NULL, b->n, PROT_READ, MAP_PRIVATE, b->reader, 0);
	if (b->map == MAP_FAILED) {
		b->map = NULL;
		return err_set(e, ERR_IO, "cannot map the file of a body: %s", strerror(errno));
	}
	close(b->writer);
	b->writer = -1;
	sha256_end(b->sum, b->digest);
	b->sum = NULL;
	return 0;
}

/* All its bytes, after http_body_end. */
struct slice
http_body_slice(const struct http_body *b)
{
	return b->map != NULL ? slice_from(b->map, b->n) : strbuf_slice(&b->text);
}

/* Without a second look at a file: its pages would all be ours for a while. */
void
http_body_sha256(const struct http_body *b, uint8_t out[SHA256_LEN])
{
	if (b->map != NULL)
		memcpy(out, b->digest, SHA256_LEN);
	else
		digest_sha256(strbuf_slice(&b->text), out);
}

/* Where they are, if not in memory. */
int
http_body_fd(const struct http_body *b)
{
	return b->reader;
}

/* Nobody needs it any more. */
void
http_body_free(struct http_body *b)
{
	if (b == NULL)
		return;
	if (b->reader >= 0 || b->writer >= 0)
		b->all->files -= b->n;
	else
		b->all->memory -= b->n;
	if (b->map != NULL)
		munmap(b->map, b->n);
	if (b->sum != NULL)
		sha256_end(b->sum, b->digest);
	close_files(b);
	strbuf_fini(&b->text);
	let_go(b->all);
	free(b);
}
