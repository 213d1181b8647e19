#include "gateway/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/strbuf.h"

/* A process that may open no file has what it needs in memory, and the code that reads it need not
 * know: the one exception to passing state down. */
static struct {
	struct bundle		*record;
	unsigned		 kinds;
	const struct bundle	*overlay;
} lent;

void
file_record(struct bundle *b, unsigned kinds)
{
	lent.record = b;
	lent.kinds = kinds;
}

void
file_overlay(const struct bundle *b)
{
	lent.overlay = b;
}

static const struct bundle_file *
in_memory(const char *path)
{
	return lent.overlay == NULL ? NULL : bundle_find(lent.overlay, path);
}

/* "cannot VERB: what errno says", about `path`; always -1. */
static int
failed(struct err *e, const char *path, const char *verb)
{
	err_set(e, ERR_IO, "cannot %s: %s", verb, strerror(errno));
	err_input(e, path);
	return -1;
}

/* close(2) that keeps errno, so that the first trouble is the one that is told. */
static void
close_quietly(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

/* Append all that fd gives, one byte more than `max` at most. */
static int
read_all(int fd, size_t max, struct strbuf *out)
{
	size_t start = out->n;
	ssize_t n;

	do {
		size_t room = max + 1 - (out->n - start);

		if (room > 65536)
			room = 65536;
		if (room == 0)
			return 0;
		strbuf_reserve(out, room);
		n = read(fd, out->p + out->n, room);
		if (n > 0)
			out->n += (size_t)n;
		out->p[out->n] = '\0';
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : 0;
}

static int
too_large(struct err *e, const char *name, size_t max)
{
	err_set(e, ERR_LIMIT, "larger than %zu bytes", max);
	err_input(e, name);
	return -1;
}

static int
read_memory(const struct bundle_file *f, size_t max, struct strbuf *out, struct err *e)
{
	if (f->content.n > max)
		return too_large(e, f->path, max);
	strbuf_addsl(out, f->content);
	return 0;
}

int
file_read(const char *path, size_t max, struct strbuf *out, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	const struct bundle_file *known = is_stdin ? NULL : in_memory(path);
	size_t start = out->n;
	int fd = STDIN_FILENO, rc = -1;
	struct stat st;

	if (known != NULL)
		return read_memory(known, max, out, e);
	/* O_NONBLOCK: a FIFO that somebody left in a spool must not stop us in open(2). */
	if (!is_stdin && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0)
		return failed(e, name, "open");
	if (!is_stdin && fstat(fd, &st) < 0) {
		failed(e, name, "look at it");
	} else if (!is_stdin && !S_ISREG(st.st_mode)) {
		err_set(e, ERR_IO, "not a regular file");
		err_input(e, name);
	} else if (read_all(fd, max, out) < 0) {
		failed(e, name, "read");
	} else if (out->n - start > max) {
		too_large(e, name, max);
	} else {
		rc = 0;
		if (lent.record != NULL && !is_stdin)
			bundle_add(lent.record, path,
			    slice_from(out->p + start, out->n - start),
			    file_is_open_to_others(path), lent.kinds);
	}
	if (rc < 0)
		strbuf_setlen(out, start);
	if (!is_stdin)
		close(fd);
	return rc;
}

struct slice
file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? SLICE_LIT(".") :
	    slice_from(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The folder that `path` lies in, on the heap. */
static char *
folder_of(const char *path)
{
	struct slice folder = file_folder(path);

	return xstrndup(folder.p, folder.n);
}

bool
dir_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return false;
	rc = fsync(fd);
	close_quietly(fd);
	return rc == 0;
}

static bool
sync_folder_of(const char *path)
{
	char *folder = folder_of(path);
	bool done = dir_sync(folder);

	free(folder);
	return done;
}

bool
fd_write(int fd, struct slice text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = slice_from(text.p + n, text.n - (size_t)n);
	}
	return true;
}

/* Give a file that will replace `path` the owner of `path`, where we may: what root edits for a service
 * stays the service's. */
static void
keep_owner(int fd, const char *path)
{
	struct stat old;

	if (geteuid() == 0 && lstat(path, &old) == 0 && fchown(fd, old.st_uid, old.st_gid) < 0)
		return;		/* then it is ours */
}

enum { DRAFT_BYTES = 256 << 10 };	/* written at once */

struct file_draft {
	char		*path, *folder;
	struct strbuf	 temp, text;
	int		 fd, trouble;		/* errno of the first write that failed */
};

static void
draft_free(struct file_draft *d)
{
	if (d->fd >= 0)
		close(d->fd);
	strbuf_fini(&d->temp);
	strbuf_fini(&d->text);
	free(d->folder);
	free(d->path);
	free(d);
}

struct file_draft *
file_draft_new(const char *path, struct err *e)
{
	struct file_draft *d = xcalloc(1, sizeof(*d));

	d->temp = d->text = (struct strbuf)STRBUF_INIT;
	d->path = xstrdup(path);
	d->folder = folder_of(path);
	/* A leading dot keeps half-written files out of what people and spools list. */
	strbuf_addf(&d->temp, "%s/.tocsin-XXXXXX", d->folder);
	if ((d->fd = mkostemp(d->temp.p, O_CLOEXEC)) < 0) {
		failed(e, path, "create a temporary file beside it");
		draft_free(d);
		return NULL;
	}
	keep_owner(d->fd, path);
	return d;
}

static void
draft_flush(struct file_draft *d)
{
	if (d->trouble == 0 && !fd_write(d->fd, strbuf_slice(&d->text)))
		d->trouble = errno;
	strbuf_setlen(&d->text, 0);
}

void
file_draft_add(struct file_draft *d, struct slice piece)
{
	if (d->text.n + piece.n > DRAFT_BYTES)
		draft_flush(d);
	if (piece.n < DRAFT_BYTES)
		strbuf_addsl(&d->text, piece);
	else if (d->trouble == 0 && !fd_write(d->fd, piece))
		d->trouble = errno;
}

/* On the disk, under a name that nobody knows yet. */
static bool
draft_is_safe(struct file_draft *d, mode_t mode)
{
	int fd = d->fd;

	draft_flush(d);
	if (d->trouble != 0) {
		errno = d->trouble;
		return false;
	}
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return false;
	d->fd = -1;
	return close(fd) == 0;
}

int
file_draft_keep(struct file_draft *d, mode_t mode, struct err *e)
{
	int rc = 0;

	if (!draft_is_safe(d, mode) || rename(d->temp.p, d->path) < 0) {
		rc = failed(e, d->path, "write");
		unlink(d->temp.p);
	} else if (!dir_sync(d->folder)) {
		rc = failed(e, d->path, "make durable");
	}
	draft_free(d);
	return rc;
}

void
file_draft_drop(struct file_draft *d)
{
	if (d == NULL)
		return;
	unlink(d->temp.p);
	draft_free(d);
}

int
file_write(const char *path, struct slice content, mode_t mode, struct err *e)
{
	struct file_draft *d = file_draft_new(path, e);

	if (d == NULL)
		return -1;
	file_draft_add(d, content);
	return file_draft_keep(d, mode, e);
}

int
file_nameless(struct err *e)
{
	const char *folder = getenv("TMPDIR");
	struct strbuf name = STRBUF_INIT;
	int fd;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	strbuf_addf(&name, "%s/.tocsin-XXXXXX", folder);
	if ((fd = mkostemp(name.p, O_CLOEXEC)) >= 0)
		unlink(name.p);
	else
		failed(e, folder, "create a temporary file there");
	strbuf_fini(&name);
	return fd;
}

/* Create one folder; one that is there already is as good. */
static int
make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return sync_folder_of(path) ? 0 : -1;
	if (errno != EEXIST || stat(path, &st) < 0)
		return -1;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode) ? 0 : -1;
}

int
dir_make(const char *path, mode_t mode, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	int rc = 0;

	strbuf_adds(&b, path);
	while (b.n > 1 && b.p[b.n - 1] == '/')
		strbuf_setlen(&b, b.n - 1);
	for (size_t i = 1; i < b.n && rc == 0; i++) {
		if (b.p[i] != '/' || b.p[i - 1] == '/')
			continue;
		b.p[i] = '\0';
		rc = make_one(b.p, mode);
		b.p[i] = '/';
	}
	if (rc == 0)
		rc = make_one(b.p, mode);
	if (rc < 0)
		failed(e, path, "create this folder");
	strbuf_fini(&b);
	return rc;
}

bool
file_exists(const char *path)
{
	struct stat st;

	return in_memory(path) != NULL || stat(path, &st) == 0;
}

bool
file_identity(const char *path, uint64_t id[2])
{
	const struct bundle_file *known = in_memory(path);
	struct stat st;

	if (known != NULL) {
		id[0] = UINT64_MAX;
		id[1] = known->number;
		return true;
	}
	if (stat(path, &st) < 0)
		return false;
	id[0] = st.st_dev;
	id[1] = st.st_ino;
	return true;
}

/* systemd gives us its credentials by an access list, which shows as a right of the group. */
static bool
is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t n = folder == NULL ? 0 : strlen(folder);

	return n > 1 && strncmp(path, folder, n) == 0 && path[n] == '/' && strstr(path, "..") == NULL;
}

bool
file_is_open_to_others(const char *path)
{
	const struct bundle_file *known = in_memory(path);
	struct stat st;

	if (known != NULL)
		return known->open_to_others;
	if (is_credential(path))
		return false;
	return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

int
file_move(const char *from, const char *to, struct err *e)
{
	if (rename(from, to) < 0) {
		failed(e, from, "move");
		err_context(e, "to %s", to);
		return -1;
	}
	/* The new name first: a power cut between the two leaves two names, not none. */
	if (!sync_folder_of(to) || !sync_folder_of(from))
		return failed(e, to, "make durable");
	return 0;
}
