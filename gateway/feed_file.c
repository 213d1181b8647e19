#include "gateway/feed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { PIECE = 256 * 1024, NAME_BYTES = 12, PUBLISHED_MODE = 0640 };

struct feed_file {
	unsigned	 holds;
	int		 fd;
	uint64_t	 bytes, max_bytes;
	struct strbuf	 waiting;	/* for the next write */
	struct sha256	*sum;		/* of what was written */
	char		*text;		/* the mapping; NULL: empty */
	char		 tag[FEED_TAG + 1];
};

/* A name that nobody else has, for as long as the file is empty. */
static int
open_nameless(const char *folder, struct err *e)
{
	char name[2 * NAME_BYTES + 1];
	struct strbuf path = STRBUF_INIT;
	uint8_t raw[NAME_BYTES];
	int fd;

	random_bytes(raw, sizeof(raw));
	hex_text(raw, sizeof(raw), name);
	strbuf_addf(&path, "%s/tmp-%s", folder, name);
	fd = open(path.p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		err_set(e, ERR_IO, "cannot make a file in %s: %s", folder, strerror(errno));
	else
		unlink(path.p);
	strbuf_fini(&path);
	return fd;
}

struct feed_file *
feed_file_new(const char *folder, uint64_t max_bytes, struct err *e)
{
	int fd = open_nameless(folder, e);
	struct feed_file *f;

	if (fd < 0)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->holds = 1;
	f->fd = fd;
	f->max_bytes = max_bytes;
	f->sum = sha256_new();
	strbuf_init(&f->waiting);
	return f;
}

struct feed_file *
feed_file_extend(const struct feed_file *old, uint64_t max_bytes, struct err *e)
{
	struct feed_file *f;
	int fd = fcntl(old->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0 || lseek(fd, (off_t)old->bytes, SEEK_SET) < 0) {
		err_set(e, ERR_IO, "cannot go on with a feed: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->holds = 1;
	f->fd = fd;
	f->bytes = old->bytes;
	f->max_bytes = max_bytes;
	f->sum = sha256_copy(old->sum);
	strbuf_init(&f->waiting);
	return f;
}

struct feed_file *
feed_file_hold(struct feed_file *f)
{
	f->holds++;
	return f;
}

void
feed_file_free(struct feed_file *f)
{
	uint8_t unused[SHA256_LEN];

	if (f == NULL || --f->holds > 0)
		return;
	sha256_end(f->sum, unused);
	if (f->text != NULL)
		munmap(f->text, f->bytes);
	close(f->fd);
	strbuf_fini(&f->waiting);
	free(f);
}

/* ---- writing ---- */

static int
write_all(int fd, struct slice s, struct err *e)
{
	if (!fd_write(fd, s))
		return err_set(e, ERR_IO, "cannot write a feed: %s", strerror(errno));
	return 0;
}

static int
flush(struct feed_file *f, struct err *e)
{
	int rc = write_all(f->fd, strbuf_slice(&f->waiting), e);

	sha256_add(f->sum, strbuf_slice(&f->waiting));
	strbuf_reset(&f->waiting);
	if (rc < 0)
		f->max_bytes = 0;	/* no more comes behind a gap */
	return rc;
}

int
feed_file_add(struct feed_file *f, struct slice s, struct err *e)
{
	if (s.n == 0)
		return 0;
	if (f->bytes + s.n > f->max_bytes) {
		f->max_bytes = 0;
		return err_set(e, ERR_LIMIT, "the feed is larger than its `bytes` allows");
	}
	f->bytes += s.n;
	strbuf_addsl(&f->waiting, s);
	return f->waiting.n < PIECE ? 0 : flush(f, e);
}

uint64_t
feed_file_bytes(const struct feed_file *f)
{
	return f->bytes;
}

int
feed_file_seal(struct feed_file *f, struct err *e)
{
	uint8_t sum[SHA256_LEN];
	int rc = flush(f, e);

	strbuf_fini(&f->waiting);
	sha256_end(sha256_copy(f->sum), sum);
	hex_text(sum, FEED_TAG / 2, f->tag);
	if (rc < 0 || f->bytes == 0)
		return rc;
	f->text = mmap(NULL, f->bytes, PROT_READ, MAP_SHARED, f->fd, 0);
	if (f->text != MAP_FAILED)
		return 0;
	f->text = NULL;
	f->bytes = 0;
	return err_set(e, ERR_IO, "cannot read a feed again: %s", strerror(errno));
}

/* ---- reading ---- */

struct slice
feed_file_text(const struct feed_file *f)
{
	return f->text == NULL ? SLICE_EMPTY : slice_from(f->text, f->bytes);
}

const char *
feed_file_tag(const struct feed_file *f)
{
	return f->tag;
}

int
feed_file_publish(const struct feed_file *f, const char *path, struct err *e)
{
	struct strbuf temp = STRBUF_INIT;
	int fd, rc = -1;

	/* One worker writes: the name is its own, and what a crash left there is written over. */
	strbuf_addf(&temp, "%s.new", path);
	fd = open(temp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, PUBLISHED_MODE);
	if (fd < 0) {
		err_set(e, ERR_IO, "cannot write %s: %s", temp.p, strerror(errno));
	} else {
		rc = write_all(fd, feed_file_text(f), e);
		if (rc == 0 && (fchmod(fd, PUBLISHED_MODE) < 0 || fdatasync(fd) < 0 ||
		    rename(temp.p, path) < 0))
			rc = err_set(e, ERR_IO, "cannot write %s: %s", path, strerror(errno));
		if (rc < 0)
			unlink(temp.p);
		close(fd);
	}
	strbuf_fini(&temp);
	return rc;
}
