/* If this finds something, a client ends the whole front by what it sends and when: a state that may
 * not follow, an answer to a request that is gone. Byte 0xff in the input is a pause; the first
 * letter of a path chooses what the handler does. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/http_server.h"
#include "gateway/base/log.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct event_base	*base;
static struct http_server	*server;
static struct sockaddr_in	 to;
static struct http_exchange	*kept;
static char			 big[100000];

static void
answer(struct http_exchange *x, int status, size_t n)
{
	http_respond(x, &(struct http_answer){ .status = status, .body = { big, n },
	    .may_gzip = true });
}

static void
on_head(struct http_exchange *x, void *arg)
{
	(void)arg;
	switch (x->head->path.n < 2 ? '/' : x->head->path.p[1]) {
	case 'a':
		answer(x, 200, 10);
		break;
	case 'b':
		answer(x, 200, sizeof(big));
		break;
	case 'c':
		kept = x;
		break;
	case 'd':
		http_refuse(x, 403, "no", NULL, 0);
		break;
	case 'e':
		answer(x, 204, 0);
		break;
	default:
		http_want_body(x, 8);
	}
}

static void
on_body_end(struct http_exchange *x, struct slice body, void *arg)
{
	struct http_body *b = body.n % 3 == 0 ? http_take_body(x) : NULL;
	unsigned sum = 0;

	(void)arg;
	if (body.n % 2 == 0)
		answer(x, 202, body.n);
	else
		kept = x;
	for (size_t i = 0; b != NULL && i < body.n; i++)
		sum += (unsigned char)body.p[i];	/* ours, whatever became of x */
	if (b != NULL && sum > 8 * 255)
		abort();
	http_body_free(b);
}

static void
on_gone(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (kept == x)
		kept = NULL;
}

static int
start(void)
{
	struct http_limits lim = { .linger_us = 1000, .requests = 20, .ignored_body = 16,
	    .body = { 3, 5, 64 } };
	struct http_handler h = { .on_head = on_head, .on_body_end = on_body_end,
	    .on_gone = on_gone };
	struct err e = ERR_INIT;
	int l, fd = http_listen_open("127.0.0.1", 0, &e);

	log_setup(2, false, LOG_OFF);
	base = event_base_new();
	server = http_server_new(base, &lim, &h);
	http_server_set_body_folder(server, open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC));
	if ((l = http_server_listen(server, fd, NULL, &e)) < 0)
		abort();
	to.sin_family = AF_INET;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(http_server_port(server, l));
	return 0;
}

/* Let what is ready happen; the handler answers what it kept, or takes its body, or leaves it. */
static void
pause_here(uint8_t how)
{
	struct http_exchange *x = kept;
	int i;

	for (i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	if ((x = kept) == NULL)
		return;
	if (how % 4 == 0 && x->user == NULL && x->head->path.n > 1 && x->head->path.p[1] == 'c') {
		x->user = x;
		kept = NULL;
		http_want_body(x, 8);
	} else if (how % 4 != 1) {
		kept = NULL;
		answer(x, how % 4 == 2 ? 200 : 500, 5);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char sink[65536];
	size_t i, from = 0;
	int fd, turns = 0;

	if (server == NULL)
		start();
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		abort();
	for (i = 0; i <= n; i++) {
		if (i < n && data[i] != 0xff)
			continue;
		send(fd, data + from, i - from, MSG_NOSIGNAL | MSG_DONTWAIT);
		from = i + 1;
		pause_here(i < n ? data[i == 0 ? 0 : i - 1] : 0);
		(void)!recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
	}
	if (n % 2 == 0)
		shutdown(fd, SHUT_WR);
	else
		close(fd);
	while (http_server_counters(server)->open > 0 && turns++ < 200) {
		pause_here((uint8_t)turns);
		if (n % 2 == 0)
			(void)!recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
		if (turns == 100 && n % 2 == 0)
			close(fd);
	}
	if (n % 2 == 0 && turns <= 100)
		close(fd);
	return 0;
}
