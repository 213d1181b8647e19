#include "gateway/ipc.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

enum {
	HEAD = 16,
	INLINE_MAX = 128 * 1024,	/* a larger body goes by a memory file */
	FDS_MAX = 2,			/* body and the caller's */
	READ_BYTES = 64 * 1024,
	FRAMES_A_TURN = 64,		/* then others get their turn of the loop */
	DEFAULT_BODY = 256 * 1024 * 1024,
	DEFAULT_WAITING = 64 * 1024 * 1024
};
enum { FLAG_BODY_FD = 1, FLAG_FD = 2, FLAGS = FLAG_BODY_FD | FLAG_FD };

struct head {
	uint32_t	length;
	uint16_t	type, flags;
	uint64_t	id;
};

/* A frame that waits to be written, or a part of it. */
struct pending {
	struct pending	*next;
	size_t		 n, done;
	int		 fds[FDS_MAX];
	int		 nfds;
	unsigned char	 bytes[];
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
	struct pending	*first, **last;
	size_t		 waiting;
	/* reading: bytes that came, and the descriptors that came with them, in order */
	unsigned char	*in;
	size_t		 n, cap;
	int		 fds[4 * FDS_MAX];
	int		 nfds;
	bool		 paused, closed, reported;
	bool		 backlog;	/* whole frames are left for the next turn */
	struct running	*running;	/* a callback that wants to hear of ipc_free */
	char		 why[120];
};

/* ---- heads ---- */

static void
head_put(unsigned char *p, const struct head *h)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(h->length >> (8 * i));
	for (int i = 0; i < 2; i++) {
		p[4 + i] = (unsigned char)(h->type >> (8 * i));
		p[6 + i] = (unsigned char)(h->flags >> (8 * i));
	}
	for (int i = 0; i < 8; i++)
		p[8 + i] = (unsigned char)(h->id >> (8 * i));
}

static struct head
head_get(const unsigned char *p)
{
	struct head h = { 0, 0, 0, 0 };

	for (int i = 3; i >= 0; i--)
		h.length = h.length << 8 | p[i];
	for (int i = 1; i >= 0; i--) {
		h.type = (uint16_t)(h.type << 8 | p[4 + i]);
		h.flags = (uint16_t)(h.flags << 8 | p[6 + i]);
	}
	for (int i = 7; i >= 0; i--)
		h.id = h.id << 8 | p[8 + i];
	return h;
}

/* What is wrong with a head, or NULL. */
static const char *
head_fault(const struct head *h, size_t max_body)
{
	if ((h->flags & ~FLAGS) != 0)
		return "a frame with unknown flags";
	if (h->length > max_body)
		return "a body above the limit";
	if ((h->flags & FLAG_BODY_FD) == 0 && h->length > INLINE_MAX)
		return "a large body outside a memory file";
	return NULL;
}

/* ---- bodies in memory files ---- */

static int
body_file(struct slice body)
{
	int fd = memfd_create("tocsin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd < 0)
		return -1;
	while (done < body.n) {
		ssize_t n = write(fd, body.p + done, body.n - done);

		if (n <= 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The bytes of a sealed memory file, or NULL if it is not what the frame says. */
static void *
body_map(int fd, size_t n)
{
	const int need = F_SEAL_SHRINK | F_SEAL_WRITE;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals < 0 || (seals & need) != need || fstat(fd, &st) < 0 || n == 0 ||
	    (size_t)st.st_size != n)
		return NULL;
	p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* ---- one sendmsg, one recvmsg ---- */

static ssize_t
send_some(int fd, const void *p, size_t n, const int *fds, int nfds)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(FDS_MAX * sizeof(int))]; } control;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* Reads some; descriptors are appended to `fds`. -2: more descriptors than anybody sends. */
static ssize_t
receive_some(int fd, void *p, size_t n, int *fds, int *nfds, int max)
{
	struct iovec v = { .iov_base = p, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(FDS_MAX * sizeof(int))]; } control;
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	bool full = false;

	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(one));
			if (*nfds < max)
				fds[(*nfds)++] = one;
			else
				close(one), full = true;
		}
	}
	return full || (m.msg_flags & MSG_CTRUNC) != 0 ? -2 : got;
}

static void
close_all(int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

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
pending_free(struct pending *p)
{
	close_all(p->fds, p->nfds);
	free(p);
}

static void
write_some(struct ipc *c)
{
	while (c->first != NULL && !c->closed) {
		struct pending *p = c->first;
		ssize_t n = send_some(c->fd, p->bytes + p->done, p->n - p->done, p->fds, p->nfds);

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
		close_all(p->fds, p->nfds);
		p->nfds = 0;
		p->done += (size_t)n;
		c->waiting -= (size_t)n;
		if (p->done < p->n)
			continue;
		c->first = p->next;
		if (c->first == NULL)
			c->last = &c->first;
		pending_free(p);
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

/* The frame as it goes out; NULL if there is no descriptor to be had for it. */
static struct pending *
frame_new(uint16_t type, uint64_t id, struct slice body, int fd)
{
	const bool by_file = body.n > INLINE_MAX;
	const struct head h = { .length = (uint32_t)body.n, .type = type, .id = id,
		.flags = (uint16_t)((by_file ? FLAG_BODY_FD : 0) | (fd >= 0 ? FLAG_FD : 0)) };
	size_t n = HEAD + (by_file ? 0 : body.n);
	struct pending *p = xmalloc(sizeof(*p) + n);

	p->next = NULL;
	p->n = n;
	p->done = 0;
	p->nfds = 0;
	head_put(p->bytes, &h);
	if (!by_file && body.n > 0)
		memcpy(p->bytes + HEAD, body.p, body.n);
	if (by_file && (p->fds[p->nfds++] = body_file(body)) < 0) {
		free(p);
		return NULL;
	}
	if (fd >= 0 && (p->fds[p->nfds++] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		p->nfds--;
		pending_free(p);
		return NULL;
	}
	return p;
}

bool
ipc_send(struct ipc *c, uint16_t type, uint64_t id, struct slice body, int fd)
{
	struct pending *p;
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
hand_over(struct ipc *c, const struct head *h, struct slice body, bool mapped, int fd)
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
announced_fds(struct ipc *c, const struct head *h, int *body_fd, int *fd)
{
	int need = ((h->flags & FLAG_BODY_FD) != 0) + ((h->flags & FLAG_FD) != 0), at = 0;

	*body_fd = *fd = -1;
	if (c->nfds < need)
		return -1;
	if ((h->flags & FLAG_BODY_FD) != 0)
		*body_fd = c->fds[at++];
	if ((h->flags & FLAG_FD) != 0)
		*fd = c->fds[at++];
	drop_fds(c, need);
	return 0;
}

/* The frame at `at` of what was read: 1 and *at behind it, 0 if it is not whole, -1 if the channel ends. */
static int
next_frame(struct ipc *c, size_t *at)
{
	struct head h;
	const char *fault;
	int body_fd, fd;
	void *map;

	if (c->n - *at < HEAD)
		return 0;
	h = head_get(c->in + *at);
	fault = head_fault(&h, c->conf.max_body);
	if (fault != NULL) {
		shut(c, fault);
		return -1;
	}
	if ((h.flags & FLAG_BODY_FD) == 0 && c->n - *at - HEAD < h.length)
		return 0;
	if (announced_fds(c, &h, &body_fd, &fd) < 0) {
		shut(c, "a frame without its descriptor");
		return -1;
	}
	if (body_fd < 0) {
		struct slice body = slice_from((const char *)c->in + *at + HEAD, h.length);

		*at += HEAD + h.length;
		return hand_over(c, &h, body, false, fd) ? 1 : -1;
	}
	*at += HEAD;
	map = body_map(body_fd, h.length);
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
		got = receive_some((int)fd, c->in + c->n, c->cap - c->n, c->fds, &c->nfds,
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
	close_all(c->fds, c->nfds);
	while (c->first != NULL) {
		struct pending *p = c->first;

		c->first = p->next;
		pending_free(p);
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

/* True when the descriptor is ready for `events` before `until_us` (0: no end). */
static bool
wait_for(int fd, short events, int64_t until_us)
{
	struct pollfd p = { .fd = fd, .events = events };
	int rc;

	do {
		int64_t left = until_us == 0 ? -1 : until_us - clock_mono_us();

		if (until_us != 0 && left <= 0)
			return false;
		rc = poll(&p, 1, until_us == 0 ? -1 : (int)((left + 999) / 1000));
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

void
ipc_flush(struct ipc *c, int64_t timeout_us)
{
	int64_t until = clock_mono_us() + timeout_us;

	while (c->first != NULL && !c->closed && wait_for(c->fd, POLLOUT, until))
		write_some(c);
}

bool
ipc_wait(struct ipc *c, int64_t timeout_us)
{
	short events = (short)(POLLIN | (c->first != NULL ? POLLOUT : 0));
	bool left = c->backlog;

	if (c->closed || (!left && !wait_for(c->fd, events, clock_mono_us() + timeout_us)))
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

/* ---- blocking forms ---- */

/* Fill `n` bytes; descriptors on the way are kept. */
static int
read_whole(int fd, unsigned char *p, size_t n, int64_t until, int *fds, int *nfds, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t got;

		if (!wait_for(fd, POLLIN, until))
			return err_set(e, ERR_TIMEOUT, "no answer in time");
		got = receive_some(fd, p + done, n - done, fds, nfds, FDS_MAX);
		if (got < 0 && got != -2 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return err_set(e, ERR_IO, "%s", got == 0 ? "the other end is gone" :
			    got == -2 ? "too many descriptors" : strerror(errno));
		done += (size_t)got;
	}
	return 0;
}

static int
take_body(int fd, const struct head *h, int64_t until, int *fds, int *nfds, char *body,
    struct err *e)
{
	void *map;

	if ((h->flags & FLAG_BODY_FD) == 0)
		return read_whole(fd, (unsigned char *)body, h->length, until, fds, nfds, e);
	map = *nfds > 0 ? body_map(fds[0], h->length) : NULL;
	if (map == NULL)
		return err_set(e, ERR_VALUE, "a body that is no sealed memory file of its length");
	memcpy(body, map, h->length);
	munmap(map, h->length);
	close(fds[0]);
	fds[0] = fds[1];
	(*nfds)--;
	return 0;
}

int
ipc_read_frame(int fd, size_t max_body, int64_t timeout_us, struct ipc_message *m, struct err *e)
{
	int64_t until = timeout_us == 0 ? 0 : clock_mono_us() + timeout_us;
	unsigned char text[HEAD];
	int fds[FDS_MAX] = { -1, -1 }, nfds = 0;
	const char *fault;
	struct head h;
	char *body = NULL;

	if (read_whole(fd, text, HEAD, until, fds, &nfds, e) < 0)
		goto fail;
	h = head_get(text);
	fault = head_fault(&h, max_body);
	if (fault != NULL) {
		err_set(e, ERR_VALUE, "%s", fault);
		goto fail;
	}
	body = xmalloc((size_t)h.length + 1);
	body[h.length] = '\0';
	if (take_body(fd, &h, until, fds, &nfds, body, e) < 0)
		goto fail;
	if (nfds != ((h.flags & FLAG_FD) != 0)) {
		err_set(e, ERR_VALUE, "a frame without its descriptor");
		goto fail;
	}
	*m = (struct ipc_message){ .type = h.type, .id = h.id,
		.body = slice_from(body, h.length), .fd = nfds > 0 ? fds[0] : -1 };
	return 0;
fail:
	close_all(fds, nfds);
	free(body);
	return -1;
}

int
ipc_write_frame(int fd, uint16_t type, uint64_t id, struct slice body, int pass, struct err *e)
{
	struct pending *p = frame_new(type, id, body, pass);
	int rc = 0;

	if (p == NULL)
		return err_set(e, ERR_IO, "no memory file for a large body");
	while (p->done < p->n && rc == 0) {
		ssize_t n = send_some(fd, p->bytes + p->done, p->n - p->done, p->fds, p->nfds);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLOUT, 0))))
			continue;
		if (n < 0) {
			rc = err_set(e, ERR_IO, "%s", strerror(errno));
			break;
		}
		close_all(p->fds, p->nfds);
		p->nfds = 0;
		p->done += (size_t)n;
	}
	pending_free(p);
	return rc;
}
