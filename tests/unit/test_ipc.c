#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/wire.h"
#include "gateway/ipc.h"

/* One end under test (a), the other either a channel (b) or a bare socket (raw). */
struct ends {
	struct event_base *base;
	struct ipc	*a, *b;
	int		 raw;
	size_t		 frames, bytes;
	uint64_t	 last_id;
	char		 first[16];
	int		 kept;		/* a descriptor that came */
	bool		 free_inside, closed;
	char		 why[128];
};

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	struct ends *t = arg;

	t->frames++;
	t->bytes += m->body.n;
	t->last_id = m->id;
	if (m->fd >= 0) {
		t->kept = m->fd;
		m->fd = -1;
	}
	if (t->free_inside) {
		ipc_free(c);
		t->a = NULL;
	}
	/* the frame is readable even now */
	memcpy(t->first, m->body.p, m->body.n < 15 ? m->body.n : 15);
}

static void
on_closed(void *arg, struct ipc *c, const char *why)
{
	struct ends *t = arg;

	(void)c;
	t->closed = true;
	snprintf(t->why, sizeof(t->why), "%s", why);
}

static void
nothing(void *arg, struct ipc *c, struct ipc_message *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void
begin(struct ends *t, bool raw)
{
	struct ipc_conf conf = { .name = "a", .max_body = 1 << 20, .on_message = on_message,
		.on_closed = on_closed, .arg = t };
	struct err e = ERR_INIT;
	int fds[2];

	memset(t, 0, sizeof(*t));
	t->kept = -1;
	t->base = event_base_new();
	assert_int_equal(ipc_pair(fds, &e), 0);
	t->a = ipc_new(t->base, fds[0], &conf);
	t->raw = raw ? fds[1] : -1;
	conf.on_message = nothing;
	conf.on_closed = NULL;
	conf.max_waiting = 4 << 20;
	if (!raw)
		t->b = ipc_new(t->base, fds[1], &conf);
}

static void
turn(struct ends *t, int n)
{
	while (n-- > 0)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
}

static void
end(struct ends *t)
{
	ipc_free(t->a);
	ipc_free(t->b);
	if (t->raw >= 0)
		close(t->raw);
	if (t->kept >= 0)
		close(t->kept);
	event_base_free(t->base);
}

/* Else: small, large and empty bodies would not arrive whole and in order. */
static void
frames_arrive_whole(void **state)
{
	struct ends t;
	char *large = xcalloc(1, 700000);

	(void)state;
	begin(&t, false);
	assert_true(ipc_send(t.b, 7, 1, SLICE_LIT("hello"), -1));
	assert_true(ipc_send(t.b, 7, 2, slice_from(large, 700000), -1));
	assert_true(ipc_send(t.b, 7, 3, slice_from("", 0), -1));
	for (int i = 0; i < 1000; i++)
		assert_true(ipc_send(t.b, 7, (uint64_t)i, slice_from(large, 900), -1));
	turn(&t, 200);
	assert_int_equal(t.frames, 1003);
	assert_int_equal(t.bytes, 5 + 700000 + 1000 * 900);
	assert_int_equal(t.last_id, 999);
	assert_false(t.closed);
	end(&t);
	free(large);
}

/* Else: a listening socket or a spooled body would not reach the process that needs it. */
static void
a_descriptor_travels(void **state)
{
	struct ends t;
	char *large = xcalloc(1, 300000), got[4] = "";
	int pipes[2];

	(void)state;
	begin(&t, false);
	assert_int_equal(pipe(pipes), 0);
	assert_true(ipc_send(t.b, 1, 1, slice_from(large, 300000), pipes[1]));
	turn(&t, 10);
	assert_true(t.kept >= 0);
	assert_int_equal(write(t.kept, "abc", 3), 3);
	assert_int_equal(read(pipes[0], got, 3), 3);
	assert_string_equal(got, "abc");
	close(pipes[0]);
	close(pipes[1]);
	end(&t);
	free(large);
}

/* Else: a callback that ends the channel would read freed memory. */
static void
a_callback_may_free(void **state)
{
	struct ends t;

	(void)state;
	begin(&t, false);
	t.free_inside = true;
	ipc_send(t.b, 1, 1, SLICE_LIT("last words"), -1);
	ipc_send(t.b, 1, 2, SLICE_LIT("unheard"), -1);
	turn(&t, 10);
	assert_int_equal(t.frames, 1);
	assert_string_equal(t.first, "last words");
	end(&t);
}

static void
hostile(const void *bytes, size_t n, int fd, const char *why)
{
	struct iovec v = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct ends t;

	begin(&t, true);
	if (fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(t.raw, &m, 0), n);
	turn(&t, 10);
	assert_true(t.closed);
	assert_non_null(strstr(t.why, why));
	assert_int_equal(t.frames, 0);
	end(&t);
}

/* Else: a process that was taken over could make another allocate, wait or read wild. */
static void
broken_frames_close_the_channel(void **state)
{
	/* length, type 1, flags, id */
	static const unsigned char too_long[16] = { 0, 0, 0, 0x7f, 1, 0, 0, 0 };
	static const unsigned char large_inline[16] = { 0, 0, 8, 0, 1, 0, 0, 0 };
	static const unsigned char odd_flags[16] = { 0, 0, 0, 0, 1, 0, 8, 0 };
	static const unsigned char no_fd[16] = { 5, 0, 0, 0, 1, 0, 1, 0 };
	static const unsigned char by_file[16] = { 5, 0, 0, 0, 1, 0, 1, 0 };
	int unsealed = memfd_create("test", 0);

	(void)state;
	assert_int_equal(write(unsealed, "abcde", 5), 5);
	hostile(too_long, 16, -1, "above the limit");
	hostile(large_inline, 16, -1, "outside a memory file");
	hostile(odd_flags, 16, -1, "unknown flags");
	hostile(no_fd, 16, -1, "without its descriptor");
	hostile(by_file, 16, unsealed, "no sealed memory file");
	close(unsealed);
}

/* Else: a process that does not read would make the other one's memory grow without end. */
static void
a_deaf_end_is_given_up(void **state)
{
	struct ends t;
	char *some = xcalloc(1, 100000);
	int sent = 0;

	(void)state;
	begin(&t, false);
	ipc_pause(t.a, true);
	while (sent < 1000 && ipc_send(t.b, 1, 1, slice_from(some, 100000), -1))
		sent++;
	assert_in_range(sent, 41, 60);
	assert_false(ipc_is_open(t.b));
	end(&t);
	free(some);
}

/* Else: a child could not read its orders before it has a loop. */
static void
blocking_forms(void **state)
{
	struct err e = ERR_INIT;
	struct ipc_message m;
	char *large = xcalloc(1, 500000);
	int fds[2];

	(void)state;
	assert_int_equal(ipc_pair(fds, &e), 0);
	assert_int_equal(ipc_write_frame(fds[0], 3, 9, slice_from(large, 500000), fds[0], &e), 0);
	assert_int_equal(ipc_write_frame(fds[0], 4, 10, SLICE_LIT("x"), -1, &e), 0);
	assert_int_equal(ipc_read_frame(fds[1], 1 << 20, 1000000, &m, &e), 0);
	assert_int_equal(m.type, 3);
	assert_int_equal(m.body.n, 500000);
	assert_true(m.fd >= 0);
	close(m.fd);
	free((char *)(uintptr_t)m.body.p);
	assert_int_equal(ipc_read_frame(fds[1], 1 << 20, 1000000, &m, &e), 0);
	assert_int_equal(m.id, 10);
	assert_int_equal(m.fd, -1);
	free((char *)(uintptr_t)m.body.p);
	assert_int_equal(ipc_read_frame(fds[1], 1 << 20, 1000, &m, &e), -1);
	assert_int_equal(e.code, ERR_TIMEOUT);
	close(fds[0]);
	assert_int_equal(ipc_read_frame(fds[1], 1 << 20, 1000, &m, &e), -1);
	close(fds[1]);
	free(large);
}

/* Else: a lying length or count would read past the end of a message. */
static void
fields_are_bounded(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct arena *mem = arena_new();
	struct wire w;

	(void)state;
	wire_put_u8(&b, 200);
	wire_put_bool(&b, true);
	wire_put_i64(&b, -5);
	wire_put_f64(&b, 0.25);
	wire_put_text(&b, SLICE_LIT("text"));
	wire_put_string(&b, NULL);
	wire_put_string(&b, "name");
	wire_put_u32(&b, 2);
	wire_put_fixed(&b, "abcd", 4);
	wire_open(&w, strbuf_slice(&b));
	assert_int_equal(wire_u8(&w), 200);
	assert_true(wire_bool(&w));
	assert_int_equal(wire_i64(&w), -5);
	assert_true(wire_f64(&w) == 0.25);
	assert_true(slice_is(wire_text(&w), "text"));
	assert_null(wire_string(&w, mem));
	assert_string_equal(wire_name(&w, mem), "name");
	assert_false(wire_done(&w));
	assert_int_equal(wire_count(&w, 10, 2), 2);
	wire_u32(&w);
	assert_true(wire_done(&w));
	for (size_t cut = 0; cut < b.n; cut++) {
		wire_open(&w, slice_from(b.p, cut));
		wire_u8(&w), wire_bool(&w), wire_i64(&w), wire_f64(&w), wire_text(&w);
		wire_string(&w, mem), wire_name(&w, mem), wire_count(&w, 10, 2), wire_u32(&w);
		assert_false(wire_done(&w));
	}
	strbuf_reset(&b);
	wire_put_u32(&b, 1000);
	wire_put_text(&b, slice_from("a\0b", 3));
	wire_open(&w, strbuf_slice(&b));
	assert_int_equal(wire_count(&w, 5000, 1), 0);
	assert_true(w.bad);
	wire_open(&w, slice_from(b.p + 4, b.n - 4));
	assert_null(wire_string(&w, mem));
	assert_true(w.bad);
	strbuf_fini(&b);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_whole),
		cmocka_unit_test(a_descriptor_travels),
		cmocka_unit_test(a_callback_may_free),
		cmocka_unit_test(broken_frames_close_the_channel),
		cmocka_unit_test(a_deaf_end_is_given_up),
		cmocka_unit_test(blocking_forms),
		cmocka_unit_test(fields_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
