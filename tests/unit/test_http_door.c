/* If this fails, a crowd that is slow, silent or does not read keeps others out, or a node that is told to
 * stop drops requests that were sent already. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/http_server.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"

#define MS	INT64_C(1000)
#define SECOND	INT64_C(1000000)
#define GET	"GET /small HTTP/1.1\r\nHost: a\r\n\r\n"

struct world {
	struct event_base	*base;
	struct event		*failsafe;
	struct http_server	*server;
	uint16_t		 port;
	struct http_exchange	*kept;
	unsigned		 drained, gone;
	size_t			 body;		/* bytes of the last one */
	bool			 body_in_file;
};

static void
on_head(struct http_exchange *x, void *arg)
{
	struct world *w = arg;
	struct strbuf big = STRBUF_INIT;

	if (slice_is(x->head->path, "/keep")) {
		w->kept = x;
	} else if (slice_is(x->head->path, "/big")) {
		while (big.n < 16 << 20)
			strbuf_adds(&big, "many thousands of these, and then some more of them.");
		http_respond(x, &(struct http_answer){ .status = 200, .take = &big });
	} else if (slice_is(x->head->path, "/body")) {
		http_want_body(x, 10 << 20);
	} else {
		http_respond(x, &(struct http_answer){ .status = 200, .body = SLICE_LIT("small") });
	}
}

static void
on_body_end(struct http_exchange *x, struct slice body, void *arg)
{
	struct world *w = arg;
	struct http_body *b = http_take_body(x);

	w->body = body.n;
	w->body_in_file = http_body_fd(b) >= 0;
	http_respond(x, &(struct http_answer){ .status = 202 });
	assert_int_equal(body.p[body.n - 1], 'b');	/* still there: we took it */
	http_body_free(b);
}

static void
on_gone(struct http_exchange *x, void *arg)
{
	struct world *w = arg;

	(void)x;
	w->gone++;
}

static void
on_failsafe(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing happened for ten seconds");
}

static void
on_drained(void *arg)
{
	struct world *w = arg;

	w->drained++;
}

static void
world_open(struct world *w, struct http_limits lim)
{
	struct http_handler h = { .on_head = on_head, .on_body_end = on_body_end, .on_gone = on_gone,
	    .arg = w };
	struct timeval ten = { 10, 0 };
	struct err e = ERR_INIT;
	int fd;

	memset(w, 0, sizeof(*w));
	w->base = event_base_new();
	w->failsafe = evtimer_new(w->base, on_failsafe, NULL);
	evtimer_add(w->failsafe, &ten);
	w->server = http_server_new(w->base, &lim, &h);
	if ((fd = http_listen_open("127.0.0.1", 0, &e)) < 0 ||
	    http_server_listen(w->server, fd, NULL, &e) != 0)
		fail_msg("%s", e.reason);
	w->port = http_server_port(w->server, 0);
}

static void
world_close(struct world *w)
{
	http_server_free(w->server);
	event_free(w->failsafe);
	event_base_free(w->base);
}

static void
settle(struct world *w)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(w->base, EVLOOP_NONBLOCK);
}

/* A connection from 127.0.0.`host` that has said `text`. */
static int
client(struct world *w, int host, const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(w->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(0x7f000000u + (unsigned)host) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	settle(w);
	return fd;
}

/* What has come by now; *over: the server has hung up. */
static const char *
heard(struct world *w, int fd, bool *over)
{
	static char buf[65536];
	ssize_t n;

	settle(w);
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	*over = n == 0 || (n < 0 && errno == ECONNRESET);
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static bool
is_over(struct world *w, int fd)
{
	bool over = false;

	while (*heard(w, fd, &over) != '\0')
		;
	return over;
}

static bool
answered(struct world *w, int fd, const char *text)
{
	bool over;

	return strstr(heard(w, fd, &over), text) != NULL;
}

static const struct http_counters *
counters(const struct world *w)
{
	return http_server_counters(w->server);
}

static size_t
in_state(const struct world *w, const char *state)
{
	const char *name;
	size_t n;

	for (int i = 0; (name = http_server_state(w->server, i, &n)) != NULL; i++)
		if (strcmp(name, state) == 0)
			return n;
	fail_msg("no state %s", state);
	return 0;
}

/* --- who may come in ----------------------------------------------------------------------------- */

static void
test_the_silent_make_room(void **state)
{
	struct world w;
	int idle[3], slow, next;

	(void)state;
	clock_fake(SECOND);
	world_open(&w, (struct http_limits){ .connections = 4 });
	for (int i = 0; i < 3; i++) {
		idle[i] = client(&w, 2, GET);
		assert_true(answered(&w, idle[i], "small"));
		clock_fake_add(100 * MS);
	}
	slow = client(&w, 3, "GET /sm");
	assert_int_equal(in_state(&w, "idle"), 3);
	assert_int_equal(in_state(&w, "head"), 1);
	next = client(&w, 4, GET);		/* all are too young to be sent away */
	assert_true(is_over(&w, next));
	assert_int_equal(counters(&w)->refused_full, 1);
	close(next);
	clock_fake_add(2 * SECOND);
	next = client(&w, 4, GET);		/* who is slow at a head goes first */
	assert_true(answered(&w, next, "small"));
	assert_true(is_over(&w, slow));
	close(next);
	settle(&w);
	next = client(&w, 4, GET);
	assert_true(answered(&w, next, "small"));
	assert_false(is_over(&w, idle[0]));
	slow = client(&w, 4, GET);		/* then who has been silent for longest */
	assert_true(answered(&w, slow, "small"));
	assert_true(is_over(&w, idle[0]));
	assert_false(is_over(&w, idle[1]));
	assert_int_equal(counters(&w)->evicted, 2);
	close(slow);
	close(next);
	for (int i = 0; i < 3; i++)
		close(idle[i]);
	world_close(&w);
	clock_real();
}

static void
test_who_waits_for_an_answer_is_not_sent_away(void **state)
{
	struct world w;
	int busy, next;

	(void)state;
	clock_fake(SECOND);
	world_open(&w, (struct http_limits){ .connections = 1 });
	busy = client(&w, 2, "GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(w.kept);
	clock_fake_add(30 * SECOND);
	next = client(&w, 3, GET);
	assert_true(is_over(&w, next));
	http_respond(w.kept, &(struct http_answer){ .status = 200, .body = SLICE_LIT("at last") });
	assert_true(answered(&w, busy, "at last"));
	close(busy);
	close(next);
	world_close(&w);
	clock_real();
}

static void
test_handshakes_of_an_address(void **state)
{
	struct tls_issue what = { "x", (const char *const[]){ "127.0.0.1", NULL },
	    clock_wall_us() - SECOND, clock_wall_us() + 3600 * SECOND };
	char crt[] = "/tmp/tocsin-door-XXXXXX", key[sizeof(crt) + 4];
	struct tls_server_conf sc = { .name = "t", .cert = crt, .key = key };
	struct err e = ERR_INIT;
	struct world w;
	struct tls *tls = NULL;
	int fd[4], plain;

	(void)state;
	close(mkstemp(crt));
	snprintf(key, sizeof(key), "%s.key", crt);
	if (tls_make_cert(NULL, NULL, &what, crt, key, &e) < 0 || (tls = tls_server_new(&sc, &e)) == NULL)
		fail_msg("%s", e.reason);
	unlink(crt);
	unlink(key);
	world_open(&w, (struct http_limits){ .handshakes_per_address = 2 });
	plain = client(&w, 2, GET);		/* no handshake, no count */
	assert_true(answered(&w, plain, "small"));
	assert_int_equal(http_server_listen(w.server, http_listen_open("127.0.0.1", 0, &e), tls, &e), 1);
	w.port = http_server_port(w.server, 1);
	for (int i = 0; i < 3; i++)
		fd[i] = client(&w, 2, "\x16");
	fd[3] = client(&w, 3, "\x16");		/* somebody else */
	assert_false(is_over(&w, fd[0]) || is_over(&w, fd[1]) || is_over(&w, fd[3]));
	assert_true(is_over(&w, fd[2]));
	assert_int_equal(counters(&w)->refused_handshakes, 1);
	close(fd[0]);
	close(fd[2]);
	settle(&w);
	fd[0] = client(&w, 2, "\x16");		/* a place is free again */
	assert_false(is_over(&w, fd[0]));
	close(fd[0]);
	close(fd[1]);
	close(fd[3]);
	close(plain);
	tls_free(tls);
	world_close(&w);
}

static void
test_who_does_not_read_is_cut_off(void **state)
{
	struct world w;
	int deaf, next;

	(void)state;
	clock_fake(SECOND);
	world_open(&w, (struct http_limits){ .unsent = 24 << 20 });
	deaf = client(&w, 2, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	next = client(&w, 3, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(counters(&w)->evicted, 0);	/* too many bytes, but he has just begun */
	close(next);
	settle(&w);
	clock_fake_add(2 * SECOND);
	next = client(&w, 3, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(counters(&w)->evicted, 1);
	assert_int_equal(in_state(&w, "write"), 1);
	assert_true(answered(&w, next, "HTTP/1.1 200"));
	close(deaf);
	close(next);
	world_close(&w);
	clock_real();
}

static void
test_no_descriptor_left(void **state)
{
	struct rlimit old, none;
	struct world w;
	int idle, late, top;

	(void)state;
	clock_fake(SECOND);
	world_open(&w, (struct http_limits){ .connections = 10 });
	idle = client(&w, 2, GET);
	assert_true(answered(&w, idle, "small"));
	clock_fake_add(2 * SECOND);
	top = dup(0);
	getrlimit(RLIMIT_NOFILE, &old);
	none = (struct rlimit){ (rlim_t)top + 1, old.rlim_max };	/* one more, for the client */
	close(top);
	setrlimit(RLIMIT_NOFILE, &none);
	late = client(&w, 3, GET);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_true(is_over(&w, idle));			/* it gave its descriptor back */
	for (bool over = false; strstr(heard(&w, late, &over), "small") == NULL;)
		event_base_loop(w.base, EVLOOP_ONCE);	/* accepting goes on after a pause */
	close(idle);
	close(late);
	world_close(&w);
	clock_real();
}

static void
test_fewer_connections_than_files(void **state)
{
	struct rlimit old, few;
	struct world w;
	int fd[40], n = 0;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	few = (struct rlimit){ 60, old.rlim_max };
	/* the soft limit is raised when it can be */
	setrlimit(RLIMIT_NOFILE, &few);
	world_open(&w, (struct http_limits){ .connections = 100 });
	getrlimit(RLIMIT_NOFILE, &few);
	assert_true(few.rlim_cur >= 100);
	world_close(&w);
	/* from a child, because nobody gets a hard limit back */
	if (fork() == 0) {
		few = (struct rlimit){ 60, 60 };
		setrlimit(RLIMIT_NOFILE, &few);
		world_open(&w, (struct http_limits){ .connections = 100, .per_address = 100 });
		for (int i = 0; i < 20; i++)
			fd[i] = client(&w, 2, GET);
		for (int i = 0; i < 20; i++)
			n += !is_over(&w, fd[i]);
		_exit(counters(&w)->refused_full == 0 && n == 20 ? 0 : 1);
	}
	wait(&n);
	assert_int_equal(n, 0);
	setrlimit(RLIMIT_NOFILE, &old);
}

/* --- bodies ------------------------------------------------------------------------------------------- */

static void
test_a_large_body_lies_in_a_file(void **state)
{
	static const struct { size_t n; bool in_file; } rows[] = { { 10, false }, { 1000, false },
	    { 1001, true }, { 300000, true } };
	char folder[] = "/tmp/tocsin-door-XXXXXX", head[128];
	struct world w;
	char *body;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	world_open(&w, (struct http_limits){ .body = { 1000, 100000, 1000000 } });
	http_server_set_body_folder(w.server, open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(head, sizeof(head), "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
		    rows[i].n);
		fd = client(&w, 2, head);
		body = xmalloc(rows[i].n);
		memset(body, 'b', rows[i].n);
		for (size_t at = 0; at < rows[i].n;) {
			ssize_t n = send(fd, body + at, rows[i].n - at, MSG_NOSIGNAL);

			at += n < 0 ? 0 : (size_t)n;
			settle(&w);
		}
		free(body);
		assert_true(answered(&w, fd, "HTTP/1.1 202"));
		assert_int_equal(w.body, rows[i].n);
		assert_int_equal(w.body_in_file, rows[i].in_file);
		close(fd);
	}
	world_close(&w);
	assert_int_equal(rmdir(folder), 0);
}

static void
test_no_room_for_a_body(void **state)
{
	char folder[] = "/tmp/tocsin-door-XXXXXX", piece[3000];
	struct world w;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	world_open(&w, (struct http_limits){ .body = { 1000, 100000, 2000 } });
	http_server_set_body_folder(w.server, open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
	/* said beforehand: not read at all */
	fd = client(&w, 2, "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	assert_true(answered(&w, fd, "HTTP/1.1 503"));
	assert_int_equal(w.gone, 0);
	close(fd);
	/* found out under way */
	fd = client(&w, 2, "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n");
	memset(piece, 'b', sizeof(piece));
	assert_int_equal(send(fd, piece, sizeof(piece), MSG_NOSIGNAL), sizeof(piece));
	settle(&w);
	{
		bool over;
		const char *text = heard(&w, fd, &over);

		assert_non_null(strstr(text, "HTTP/1.1 503"));
		assert_non_null(strstr(text, "Retry-After: "));
		assert_non_null(strstr(text, "Connection: close"));
	}
	assert_int_equal(w.gone, 1);
	assert_int_equal(counters(&w)->bodies_refused, 2);
	close(fd);
	world_close(&w);
	assert_int_equal(rmdir(folder), 0);
}

/* --- the end ------------------------------------------------------------------------------------------ */

static void
test_a_lame_duck_answers(void **state)
{
	struct world w;
	int idle, asking, waiting, young;

	(void)state;
	clock_fake(SECOND);
	world_open(&w, (struct http_limits){ .idle_us = 3600 * SECOND });
	idle = client(&w, 2, GET);
	asking = client(&w, 2, GET);
	waiting = client(&w, 2, "GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(answered(&w, idle, "small") && answered(&w, asking, "small"));
	{
		struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(w.port),
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		young = socket(AF_INET, SOCK_STREAM, 0);	/* not accepted yet */
		assert_int_equal(connect(young, (struct sockaddr *)&to, sizeof(to)), 0);
	}
	http_server_lame_duck(w.server, 5 * SECOND, on_drained, &w);
	assert_int_equal(send(asking, GET, strlen(GET), 0), strlen(GET));
	assert_int_equal(send(young, GET, strlen(GET), 0), strlen(GET));
	assert_true(answered(&w, asking, "Connection: close") && is_over(&w, asking));
	assert_true(answered(&w, young, "Connection: close") && is_over(&w, young));
	assert_false(is_over(&w, idle));
	assert_int_equal(w.drained, 0);
	/* told to stop meanwhile, with less patience; the later words hold */
	http_server_lame_duck(w.server, 1, on_drained, &w);
	clock_fake_add(SECOND);
	while (!is_over(&w, idle))
		event_base_loop(w.base, EVLOOP_ONCE);
	assert_int_equal(w.drained, 0);
	http_respond(w.kept, &(struct http_answer){ .status = 200, .body = SLICE_LIT("at last") });
	assert_true(answered(&w, waiting, "at last"));
	while (w.drained == 0)
		event_base_loop(w.base, EVLOOP_ONCE);
	assert_int_equal(w.drained, 1);
	assert_int_equal(counters(&w)->open, 0);
	close(idle);
	close(asking);
	close(waiting);
	close(young);
	world_close(&w);
	clock_real();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_silent_make_room),
		cmocka_unit_test(test_who_waits_for_an_answer_is_not_sent_away),
		cmocka_unit_test(test_handshakes_of_an_address),
		cmocka_unit_test(test_who_does_not_read_is_cut_off),
		cmocka_unit_test(test_no_descriptor_left),
		cmocka_unit_test(test_fewer_connections_than_files),
		cmocka_unit_test(test_a_large_body_lies_in_a_file),
		cmocka_unit_test(test_no_room_for_a_body),
		cmocka_unit_test(test_a_lame_duck_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
