/* ipc_frame.c -- see ipc_frame.h. */
#include "gateway/ipc_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"

/* ---- heads ---- */

static void
head_put(unsigned char *p, const struct frame_head *h)
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

struct frame_head
frame_head_get(const unsigned char *p)
{
	struct frame_head h = { 0, 0, 0, 0 };

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
const char *
frame_head_fault(const struct frame_head *h, size_t max_body)
{
	if ((h->flags & ~FRAME_FLAGS) != 0)
		return "a frame with unknown flags";
	if (h->length > max_body)
		return "a body above the limit";
	if ((h->flags & FRAME_BODY_FD) == 0 && h->length > FRAME_INLINE_MAX)
		return "a large body outside a memory file";
	return NULL;
}

/* ---- bodies in memory files ---- */

static int
frame_body_file(struct slice body)
{
	int fd = memfd_create("tocsin", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (!fd_write(fd, body) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The bytes of a sealed memory file, or NULL if it is not what the frame says. */
void *
frame_body_map(int fd, size_t n)
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

ssize_t
frame_send(int fd, const void *p, size_t n, const int *fds, int nfds)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))]; } control;
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
ssize_t
frame_receive(int fd, void *p, size_t n, int *fds, int *nfds, int max)
{
	struct iovec v = { .iov_base = p, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(FRAME_FDS_MAX * sizeof(int))]; } control;
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

void
frame_close_all(int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

/* The frame as it goes out; NULL if there is no descriptor to be had for it. */
struct frame *
frame_new(uint16_t type, uint64_t id, struct slice body, int fd)
{
	const bool by_file = body.n > FRAME_INLINE_MAX;
	const struct frame_head h = { .length = (uint32_t)body.n, .type = type, .id = id,
		.flags = (uint16_t)((by_file ? FRAME_BODY_FD : 0) | (fd >= 0 ? FRAME_FD : 0)) };
	size_t n = FRAME_HEAD + (by_file ? 0 : body.n);
	struct frame *p = xmalloc(sizeof(*p) + n);

	p->next = NULL;
	p->n = n;
	p->done = 0;
	p->nfds = 0;
	head_put(p->bytes, &h);
	if (!by_file && body.n > 0)
		memcpy(p->bytes + FRAME_HEAD, body.p, body.n);
	if (by_file && (p->fds[p->nfds++] = frame_body_file(body)) < 0) {
		free(p);
		return NULL;
	}
	if (fd >= 0 && (p->fds[p->nfds++] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		p->nfds--;
		frame_free(p);
		return NULL;
	}
	return p;
}

/* True when the descriptor is ready for `events` before `until_us` (0: no end). */
bool
frame_wait_for(int fd, short events, int64_t until_us)
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
frame_free(struct frame *p)
{
	frame_close_all(p->fds, p->nfds);
	free(p);
}
