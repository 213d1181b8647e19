/* ipc_block.c -- see ipc.h: frames read and written without an event loop. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/ipc.h"
#include "gateway/ipc_frame.h"

/* Fill `n` bytes; descriptors on the way are kept. */
static int
read_whole(int fd, unsigned char *p, size_t n, int64_t until, int *fds, int *nfds, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t got;

		if (!frame_wait_for(fd, POLLIN, until))
			return err_set(e, ERR_TIMEOUT, "no answer in time");
		got = frame_receive(fd, p + done, n - done, fds, nfds, FRAME_FDS_MAX);
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
take_body(int fd, const struct frame_head *h, int64_t until, int *fds, int *nfds, char *body,
    struct err *e)
{
	void *map;

	if ((h->flags & FRAME_BODY_FD) == 0)
		return read_whole(fd, (unsigned char *)body, h->length, until, fds, nfds, e);
	map = *nfds > 0 ? frame_body_map(fds[0], h->length) : NULL;
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
	unsigned char text[FRAME_HEAD];
	int fds[FRAME_FDS_MAX] = { -1, -1 }, nfds = 0;
	const char *fault;
	struct frame_head h;
	char *body = NULL;

	if (read_whole(fd, text, FRAME_HEAD, until, fds, &nfds, e) < 0)
		goto fail;
	h = frame_head_get(text);
	fault = frame_head_fault(&h, max_body);
	if (fault != NULL) {
		err_set(e, ERR_VALUE, "%s", fault);
		goto fail;
	}
	body = xmalloc((size_t)h.length + 1);
	body[h.length] = '\0';
	if (take_body(fd, &h, until, fds, &nfds, body, e) < 0)
		goto fail;
	if (nfds != ((h.flags & FRAME_FD) != 0)) {
		err_set(e, ERR_VALUE, "a frame without its descriptor");
		goto fail;
	}
	*m = (struct ipc_message){ .type = h.type, .id = h.id,
		.body = slice_from(body, h.length), .fd = nfds > 0 ? fds[0] : -1 };
	return 0;
fail:
	frame_close_all(fds, nfds);
	free(body);
	return -1;
}

int
ipc_write_frame(int fd, uint16_t type, uint64_t id, struct slice body, int pass, struct err *e)
{
	struct frame *p = frame_new(type, id, body, pass);
	int rc = 0;

	if (p == NULL)
		return err_set(e, ERR_IO, "no memory file for a large body");
	while (p->done < p->n && rc == 0) {
		ssize_t n = frame_send(fd, p->bytes + p->done, p->n - p->done, p->fds, p->nfds);

		if (n < 0 && (errno == EINTR || (errno == EAGAIN && frame_wait_for(fd, POLLOUT, 0))))
			continue;
		if (n < 0) {
			rc = err_set(e, ERR_IO, "%s", strerror(errno));
			break;
		}
		frame_close_all(p->fds, p->nfds);
		p->nfds = 0;
		p->done += (size_t)n;
	}
	frame_free(p);
	return rc;
}
