#include "gateway/base/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"

enum { TAIL_BYTES = 256 << 10, WINDOW_BYTES = 64 << 10 };

/*
 *	file: [ ......... done ) tail: [ done ... done + ntail )
 *	         [ window )
 */
struct spill {
	int		 fd;		/* -1: all of it is in the tail */
	uint64_t	 done;
	char		*tail, *window;
	size_t		 ntail, nwindow;
	uint64_t	 window_at;
	struct err	 trouble;
};

struct spill *
spill_new(void)
{
	struct spill *s = xcalloc(1, sizeof(*s));

	s->fd = -1;
	s->tail = xmalloc(TAIL_BYTES);
	return s;
}

void
spill_free(struct spill *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->tail);
	free(s->window);
	free(s);
}

uint64_t
spill_size(const struct spill *s)
{
	return s->done + s->ntail;
}

static void
fail(struct spill *s, const char *verb)
{
	if (s->trouble.code == ERR_NONE)
		err_set(&s->trouble, ERR_IO, "cannot %s a temporary file: %s", verb, strerror(errno));
}

/* Write the tail behind what is in the file. */
static void
flush_tail(struct spill *s)
{
	size_t at = 0;

	if (s->fd < 0)
		s->fd = file_nameless(&s->trouble);
	while (at < s->ntail && s->trouble.code == ERR_NONE) {
		ssize_t n = pwrite(s->fd, s->tail + at, s->ntail - at, (off_t)(s->done + at));

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			fail(s, "write");
	}
	s->done += s->ntail;
	s->ntail = 0;
}

uint64_t
spill_add(struct spill *s, const void *p, size_t n)
{
	const char *from = p;
	uint64_t at = spill_size(s);

	while (n > 0) {
		size_t room = TAIL_BYTES - s->ntail, some = n < room ? n : room;

		memcpy(s->tail + s->ntail, from, some);
		s->ntail += some;
		from += some;
		n -= some;
		if (s->ntail == TAIL_BYTES)
			flush_tail(s);
	}
	return at;
}

/* Have the window begin at `at`, which lies in the file. */
static bool
move_window(struct spill *s, uint64_t at)
{
	size_t most = s->done - at < WINDOW_BYTES ? (size_t)(s->done - at) : WINDOW_BYTES;

	if (s->window == NULL)
		s->window = xmalloc(WINDOW_BYTES);
	s->window_at = at;
	s->nwindow = 0;
	while (s->nwindow < most) {
		ssize_t n = pread(s->fd, s->window + s->nwindow, most - s->nwindow,
		    (off_t)(at + s->nwindow));

		if (n > 0) {
			s->nwindow += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			fail(s, "read");
			return false;
		}
	}
	return true;
}

/* As many bytes from `at` as lie in one place; 0: none. */
static size_t
get_some(struct spill *s, uint64_t at, void *p, size_t n)
{
	const char *from;
	size_t have;

	if (at >= s->done) {
		have = (size_t)(spill_size(s) - at);
		from = s->tail + (at - s->done);
	} else {
		if ((at < s->window_at || at >= s->window_at + s->nwindow) && !move_window(s, at))
			return 0;
		have = (size_t)(s->window_at + s->nwindow - at);
		from = s->window + (at - s->window_at);
	}
	if (have > n)
		have = n;
	memcpy(p, from, have);
	return have;
}

bool
spill_get(struct spill *s, uint64_t at, void *p, size_t n)
{
	char *to = p;

	if (at > spill_size(s) || n > spill_size(s) - at || s->trouble.code != ERR_NONE) {
		memset(p, 0, n);
		return false;
	}
	while (n > 0) {
		size_t some = get_some(s, at, to, n);

		if (some == 0) {
			memset(to, 0, n);
			return false;
		}
		to += some;
		at += some;
		n -= some;
	}
	return true;
}

void
spill_cut(struct spill *s, uint64_t size)
{
	if (size >= s->done) {
		s->ntail = (size_t)(size - s->done);
		return;
	}
	s->done = size;
	s->ntail = s->nwindow = 0;
}

bool
spill_failed(const struct spill *s, struct err *e)
{
	if (s->trouble.code == ERR_NONE)
		return false;
	*e = s->trouble;
	return true;
}
