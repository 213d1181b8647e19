/* ipc.c -- see ipc.h: a channel on an event loop. */
#include "gateway/ipc.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/ipc_frame.h"

enum {
	READ_BYTES = 64 * 1024,
	FRAMES_A_TURN = 64,		/* then others get their turn of the loop */
	DEFAULT_BODY = 256 * 1024 * 1024,
	DEFAULT_WAITING = 64 * 1024 * 1024
};

/* A callback under way: the frame that it was given outlives the channel. */
struct running {
	bool		 freed;
	unsigned char	*in;
};

struct ipc {
	struct ipc_conf	 conf;
	int		 fd;
	struct event	*readable, *writable, *report;
	/* writing */
	struct frame	*first, **last;
	size_t		 waiting;
	/* reading: bytes that came, and the descriptors that came with them, in order */
	unsigned char	*in;
	size_t		 n, cap;
	int		 fds[4 * FRAME_FDS_MAX];
	int		 nfds;
	bool		 paused, closed, reported;
	bool		 backlog;	/* whole frames are left for the next turn */
	struct running	*running;	/* a callback that wants to hear of ipc_free */
	char		 why[120];
};

/* ---- the end of a channel ---- */

static void
on_report(evutil_socket_t fd, short what, void *arg)
{
	struct ipc *c = arg;

	(void)fd;
	(void)what;
	if (c->reported)
		return;
	c->reported = true;
	if (c->conf.on_closed != NULL)
		c->conf.on_closed(c->conf.arg, c, c->why);
}

/* Nothing goes in or out any more; the owner hears of it from the loop. */
static void
shut(struct ipc *c, const char *why)
{
	if (c->closed)
		return;
	c->closed = true;
	snprintf(c->why, sizeof(c->why), "%s", why);
	event_del(c->readable);
	event_del(c->writable);
	shutdown(c->fd, SHUT_RDWR);
	event_active(c->report, EV_TIMEOUT, 0);
}

/* ---- writing ---- */

static void
write_some(struct ipc *c)
{
	while (c->first != NULL && !c->closed) {
		struct frame *p = c->first;
		ssize_t n = frame_send(c->fd, p->bytes + p->done, p->n - p->done, p->fds, p->nfds);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			event_add(c->writable, NULL);
			return;
		}
		if (n < 0) {
			shut(c, strerror(errno));
			return;
		}
		frame_close_all(p->fds, p->nfds);
		p->nfds = 0;
		p->done += (size_t)n;
		c->waiting -= (size_t)n;
		if (p->done < p->n)
			continue;
		c->first = p->next;
		if (c->first == NULL)
			c->last = &c->first;
		frame_free(p);
	}
	event_del(c->writable);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_some(arg);
}

bool
ipc_send(struct ipc *c, uint16_t type, uint64_t id, struct slice body, int fd)
{
	struct frame *p;
	bool idle = c->first == NULL;

	if (c->closed)
		return false;
	if (body.n > UINT32_MAX || (p = frame_new(type, id, body, fd)) == NULL) {
		shut(c, "no memory file for a large body");
		return false;
	}
	*c->last = p;
	c->last = &p->next;
	c->waiting += p->n;
	if (c->waiting > c->conf.max_waiting) {
		shut(c, "the other end does not read");
		return false;
	}
	if (idle)
		write_some(c);
	return !c->closed;
}

/* ---- reading ---- */

/* Take `n` descriptors off the front of those that came. */
static void
drop_fds(struct ipc *c, int n)
{
	c->nfds -= n;
	memmove(c->fds, c->fds + n, (size_t)c->nfds * sizeof(c->fds[0]));
}

/* Hand one frame to the owner. False if the channel is no more. */
static bool
hand_over(struct ipc *c, const struct frame_head *h, struct slice body, bool mapped, int fd)
{
	struct ipc_message m = { .type = h->type, .id = h->id, .body = body, .fd = fd,
	    .mapped = mapped };
	struct running r = { .freed = false };

	/* cppcheck-suppress autoVariables */
	c->running = &r;
	c->conf.on_message(c->conf.arg, c, &m);
	if (m.fd >= 0)
		close(m.fd);
	if (m.mapped)
		munmap((void *)(uintptr_t)body.p, body.n);
	if (r.freed) {
		free(r.in);
		return false;
	}
	c->running = NULL;
	return !c->closed;
}

void
ipc_body_keep(struct ipc_message *m, struct ipc_body *out)
{
	out->mapped = m->mapped;
	out->bytes = m->body;
	if (!m->mapped)
		out->bytes.p = memcpy(xmalloc(m->body.n + 1), m->body.p, m->body.n);
	m->mapped = false;
}

void
ipc_body_free(struct ipc_body *b)
{
	if (b->mapped)
		munmap((void *)(uintptr_t)b->bytes.p, b->bytes.n);
	else
		free((void *)(uintptr_t)b->bytes.p);
}

/* The descriptors that a head announces; -1 if they did not come. */
static int
announced_fds(struct ipc *c, const struct frame_head *h, int *body_fd, int *fd)
{
	int need = ((h->flags & FRAME_BODY_FD) != 0) + ((h->flags & FRAME_FD) != 0), at = 0;

	*body_fd = *fd = -1;
	if (c->nfds < need)
		return -1;
	if ((h->flags & FRAME_BODY_FD) != 0)
		*body_fd = c->fds[at++];
	if ((h->flags & FRAME_FD) != 0)
		*fd = c->fds[at++];
	drop_fds(c, need);
	return 0;
}

/* The frame at `at` of what was read: 1 and *at behind it, 0 if it is not whole, -1 if the channel ends. */
static int
next_frame(struct ipc *c, size_t *at)
{
	struct frame_head h;
	const char *fault;
	int body_fd, fd;
	void *map;

	if (c->n - *at < FRAME_HEAD)
		return 0;
	h = frame_head_get(c->in + *at);
	fault = frame_head_fault(&h, c->conf.max_body);
	if (fault != NULL) {
		shut(c, fault);
		return -1;
	}
	if ((h.flags & FRAME_BODY_FD) == 0 && c->n - *at - FRAME_HEAD < h.length)
		return 0;
	if (announced_fds(c, &h, &body_fd, &fd) < 0) {
		shut(c, "a frame without its descriptor");
		return -1;
	}
	if (body_fd < 0) {
		struct slice body = slice_from((const char *)c->in + *at + FRAME_HEAD, h.length);

		*at += FRAME_HEAD + h.length;
		return hand_over(c, &h, body, false, fd) ? 1 : -1;
	}
	*at += FRAME_HEAD;
	map = frame_body_map(body_fd, h.length);
	close(body_fd);
	if (map == NULL) {
		if (fd >= 0)
			close(fd);
		shut(c, "a body that is no sealed memory file of its length");
		return -1;
	}
	return hand_over(c, &h, slice_from(map, h.length), true, fd) ? 1 : -1;
}

/* Hand over the frames that are whole. */
static void
digest(struct ipc *c)
{
	size_t at = 0;
	int rc = 0, frames = 0;

	while (!c->paused && frames++ < FRAMES_A_TURN && (rc = next_frame(c, &at)) > 0)
		;
	if (rc < 0)
		return;			/* closed or freed */
	if (at > 0)
		memmove(c->in, c->in + at, c->n - at);
	c->n -= at;
	c->backlog = frames > FRAMES_A_TURN && !c->paused;
	if (c->backlog)
		event_active(c->readable, EV_TIMEOUT, 0);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct ipc *c = arg;
	ssize_t got;

	if (c->closed || c->paused)
		return;
	if ((what & EV_READ) != 0 && !c->backlog) {
		if (c->cap - c->n < READ_BYTES) {
			c->cap = c->n + 2 * READ_BYTES;
			c->in = xrealloc(c->in, c->cap);
		}
		got = frame_receive((int)fd, c->in + c->n, c->cap - c->n, c->fds, &c->nfds,
		    (int)(sizeof(c->fds) / sizeof(c->fds[0])));
		if (got < 0 && (errno == EINTR || errno == EAGAIN) && got != -2)
			return;
		if (got <= 0) {
			shut(c, got == 0 ? "the other end is gone" :
			    got == -2 ? "too many descriptors" : strerror(errno));
			return;
		}
		c->n += (size_t)got;
	}
	digest(c);
}

/* ---- life ---- */

struct ipc *
ipc_new(struct event_base *base, int fd, const struct ipc_conf *conf)
{
	struct ipc *c = xcalloc(1, sizeof(*c));

	c->conf = *conf;
	if (c->conf.max_body == 0)
		c->conf.max_body = DEFAULT_BODY;
	if (c->conf.max_waiting == 0)
		c->conf.max_waiting = DEFAULT_WAITING;
	c->fd = fd;
	c->last = &c->first;
	evutil_make_socket_nonblocking(fd);
	evutil_make_socket_closeonexec(fd);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->report = evtimer_new(base, on_report, c);
	event_add(c->readable, NULL);
	return c;
}

void
ipc_free(struct ipc *c)
{
	if (c == NULL)
		return;
	event_free(c->readable);
	event_free(c->writable);
	event_free(c->report);
	close(c->fd);
	frame_close_all(c->fds, c->nfds);
	while (c->first != NULL) {
		struct frame *p = c->first;

		c->first = p->next;
		frame_free(p);
	}
	if (c->running != NULL)
		*c->running = (struct running){ .freed = true, .in = c->in };
	else
		free(c->in);
	free(c);
}

bool
ipc_is_open(const struct ipc *c)
{
	return !c->closed;
}

void
ipc_pause(struct ipc *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (c->closed)
		return;
	if (paused) {
		event_del(c->readable);
	} else {
		event_add(c->readable, NULL);
		event_active(c->readable, EV_TIMEOUT, 0);
	}
}

void
ipc_flush(struct ipc *c, int64_t timeout_us)
{
	int64_t until = clock_mono_us() + timeout_us;

	while (c->first != NULL && !c->closed && frame_wait_for(c->fd, POLLOUT, until))
		write_some(c);
}

bool
ipc_wait(struct ipc *c, int64_t timeout_us)
{
	short events = (short)(POLLIN | (c->first != NULL ? POLLOUT : 0));
	bool left = c->backlog;

	if (c->closed || (!left && !frame_wait_for(c->fd, events, clock_mono_us() + timeout_us)))
		return false;
	if (c->first != NULL)
		write_some(c);
	on_readable(c->fd, left ? EV_TIMEOUT : EV_READ, c);
	return true;
}

int
ipc_pair(int fds[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0)
		return 0;
	return err_set(e, ERR_IO, "no socket pair: %s", strerror(errno));
}
