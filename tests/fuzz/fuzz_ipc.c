/* If this finds something, a process of ours that was taken over can crash its neighbour by the frames it sends, or
 * by the fields in them. First byte: how the stream is cut; a frame's body is read as fields that its own bytes name. */
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/wire.h"
#include "gateway/ipc.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { BODY_MAX = 4096 };

struct seen {
	bool	closed;
	size_t	frames;
};

/* Read fields as the body itself says which; nothing may lie outside it. */
static void
read_fields(struct slice body, struct arena *mem)
{
	struct slice kinds = slice_from(body.p, body.n / 4), s;
	uint8_t fixed[9];
	struct wire w;

	wire_open(&w, body);
	for (size_t i = 0; i < kinds.n; i++) {
		size_t left = (size_t)(w.end - w.p);

		switch ((unsigned char)kinds.p[i] % 10) {
		case 0: wire_u8(&w); break;
		case 1: wire_bool(&w); break;
		case 2: wire_u32(&w); break;
		case 3: wire_u64(&w); break;
		case 4: wire_f64(&w); break;
		case 5: wire_fixed(&w, fixed, sizeof(fixed)); break;
		case 6: wire_string(&w, mem); break;
		case 7: wire_name(&w, mem); break;
		case 8:
			if (wire_count(&w, 100, 2) > left / 2)
				abort();
			break;
		default:
			s = wire_text(&w);
			if (s.n > left || (s.n > 0 && (s.p < body.p || s.p + s.n > body.p + body.n)))
				abort();
		}
		if (w.bad && w.p != w.end)
			abort();
	}
	wire_done(&w);
}

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	struct seen *seen = arg;
	struct arena *mem = arena_new();

	(void)c;
	seen->frames++;
	if (m->body.n > BODY_MAX)
		abort();
	read_fields(m->body, mem);
	arena_free(mem);
}

static void
on_closed(void *arg, struct ipc *c, const char *why)
{
	struct seen *seen = arg;

	(void)c;
	if (seen->closed || why[0] == '\0')
		abort();
	seen->closed = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct seen seen = { .closed = false };
	const struct ipc_conf conf = { .name = "fuzz", .max_body = BODY_MAX,
		.on_message = on_message, .on_closed = on_closed, .arg = &seen };
	struct event_base *base;
	struct err e = ERR_INIT;
	struct ipc *c;
	size_t step;
	int fds[2];

	if (n < 2 || n > 65536)
		return 0;
	step = 1 + data[0] * 64u;
	base = event_base_new();
	if (ipc_pair(fds, &e) < 0)
		abort();
	c = ipc_new(base, fds[0], &conf);
	for (size_t at = 1; at < n && !seen.closed; at += step) {
		size_t some = n - at < step ? n - at : step;

		if (write(fds[1], data + at, some) < 0)
			break;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	close(fds[1]);
	for (int i = 0; i < 8 && !seen.closed; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ipc_free(c);
	event_base_free(base);
	return 0;
}
