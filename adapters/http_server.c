#include "adapters/http_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <sys/resource.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"

enum { BACKLOG = 1024, DESCRIPTORS_KEPT = 64 };
#define SECOND	INT64_C(1000000)

/* Put the default where a limit says nothing. */
#define DEFAULT(field, value) do { if (l->field == 0) l->field = (value); } while (0)

static void
fill_limits(struct http_limits *l)
{
	DEFAULT(handshake_us, 10 * SECOND);
	DEFAULT(head_us, 10 * SECOND);
	DEFAULT(body_us, 10 * SECOND);
	DEFAULT(write_us, 10 * SECOND);
	DEFAULT(min_rate, 4096);
	DEFAULT(held_us, 60 * SECOND);
	DEFAULT(idle_us, 60 * SECOND);
	DEFAULT(linger_us, 2 * SECOND);
	DEFAULT(linger_bytes, 1 << 20);
	DEFAULT(age_us, 3600 * SECOND);
	DEFAULT(connections, 10000);
	DEFAULT(per_address, 256);
	DEFAULT(handshakes_per_address, 64);
	DEFAULT(unsent, UINT64_C(256) << 20);
	DEFAULT(grace_us, SECOND / 5);
	DEFAULT(requests, 10000);
	DEFAULT(ignored_body, 65536);
	DEFAULT(gzip_level, 1);
	DEFAULT(gzip_least, 1024);
	DEFAULT(body.in_memory, UINT64_C(1) << 20);
	DEFAULT(body.all_in_memory, UINT64_C(64) << 20);
	DEFAULT(body.all_in_files, UINT64_C(4) << 30);
}

/* Each connection takes a descriptor, and the store, Redis, peers and bodies need some too: no more
 * connections than leave them enough. */
static void
fit_descriptors(struct http_limits *l)
{
	size_t wanted = l->connections + DESCRIPTORS_KEPT, most;
	struct rlimit have;

	if (getrlimit(RLIMIT_NOFILE, &have) < 0)
		return;
	if (have.rlim_cur < wanted && have.rlim_cur < have.rlim_max) {
		have.rlim_cur = have.rlim_max < wanted ? have.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &have) < 0 || getrlimit(RLIMIT_NOFILE, &have) < 0)
			return;
	}
	if (have.rlim_cur >= wanted)
		return;
	most = have.rlim_cur > 2 * DESCRIPTORS_KEPT ? have.rlim_cur - DESCRIPTORS_KEPT :
	    have.rlim_cur / 2;
	log_event(LOG_WARN, "http.limit", LF_S("reason", "too few open files for as many connections"),
	    LF_I("files", have.rlim_cur), LF_I("connections", most));
	l->connections = most;
}

/* A server without listeners. */
struct http_server *
http_server_new(struct event_base *base, const struct http_limits *lim,
    const struct http_handler *h)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	signal(SIGPIPE, SIG_IGN);	/* OpenSSL and libevent write to sockets that may be gone */
	s->base = base;
	s->h = *h;
	if (lim != NULL)
		s->lim = *lim;
	fill_limits(&s->lim);
	fit_descriptors(&s->lim);
	s->bodies = http_bodies_new();
	http_bodies_set_limits(s->bodies, &s->lim.body);
	for (int i = 0; i < CONN_STATES; i++)
		TAILQ_INIT(&s->in[i]);
	strbuf_init(&s->scratch);
	random_bytes(&s->id_seed, sizeof(s->id_seed));
	return s;
}

/* Other limits from now on. */
void
http_server_set_limits(struct http_server *s, const struct http_limits *lim)
{
	s->lim = *lim;
	fill_limits(&s->lim);
	fit_descriptors(&s->lim);
	http_bodies_set_limits(s->bodies, &s->lim.body);
}

/* Where large bodies are kept from now on. */
void
http_server_set_body_folder(struct http_server *s, int folder)
{
	http_bodies_set_folder(s->bodies, folder);
}

static void
close_listeners(struct http_server *s)
{
	int i;

	for (i = 0; i < s->nlisteners; i++) {
		if (s->listeners[i]->ev != NULL)
			evconnlistener_free(s->listeners[i]->ev);
		s->listeners[i]->ev = NULL;
	}
	if (s->resume != NULL)
		event_free(s->resume);
	s->resume = NULL;
}

/* End everything. */
void
http_server_free(struct http_server *s)
{
	struct conn *c;
	size_t i;
	int k;

	if (s == NULL)
		return;
	s->lame = true;
	s->done = NULL;
	close_listeners(s);
	for (k = 0; k < CONN_STATES; k++)
		while ((c = TAILQ_FIRST(&s->in[k])) != NULL)
			conn_close(c, true);
	for (k = 0; k < s->nlisteners; k++) {
		tls_free(s->listeners[k]->tls);
		free(s->listeners[k]);
	}
	for (i = 0; i < ADDRESS_BUCKETS; i++)
		free(s->addresses[i]);		/* chains are empty: no connection is left */
	if (s->drained != NULL)
		event_free(s->drained);
	strbuf_fini(&s->scratch);
	answer_fini(s);
	http_bodies_free(s->bodies);
	free(s);
}

static void
on_drained(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	void (*done)(void *) = s->done;

	(void)fd;
	(void)what;
	s->done = NULL;
	if (done != NULL)
		done(s->done_arg);
}

static void
check_drained(struct http_server *s)
{
	if (s->drained != NULL && s->n.open == 0)
		event_active(s->drained, EV_TIMEOUT, 1);
}

/* A connection is over. */
void
server_forget(struct http_server *s, struct conn *c)
{
	TAILQ_REMOVE(&s->in[c->state], c, link);
	s->count[c->state]--;
	door_left(s, c->address);
	s->n.open--;
	check_drained(s);
}

/* The family of an IP address, or -1. */
static int
parse_address(const char *address, uint16_t port, struct sockaddr_storage *ss, socklen_t *n)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		*n = sizeof(*in);
		return AF_INET;
	}
	if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		*n = sizeof(*in6);
		return AF_INET6;
	}
	return -1;
}

/* A listening socket. "::" takes IPv4 as well. */
int
http_listen_open(const char *address, uint16_t port, struct err *e)
{
	struct sockaddr_storage ss = { 0 };
	int fd, family, on = 1, off = 0;
	socklen_t n;

	if ((family = parse_address(address, port, &ss, &n)) < 0)
		return err_set(e, ERR_VALUE, "\"%s\" is not an IP address to listen on", address);
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, BACKLOG) < 0) {
		err_set(e, ERR_IO, "cannot listen on %s port %u: %s", address, port,
		    strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

union address_any {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

static bool
is_loopback(const union address_any *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

/* Serve what comes in on a listening socket. */
int
http_server_listen(struct http_server *s, int fd, struct tls *tls, struct err *e)
{
	union address_any a = { .in6 = { 0 } };
	socklen_t n = sizeof(a);
	struct listener *l;

	if (s->nlisteners == MAX_LISTENERS) {
		close(fd);
		return err_set(e, ERR_LIMIT, "more than %d listeners", MAX_LISTENERS);
	}
	if (getsockname(fd, &a.sa, &n) < 0) {
		err_set(e, ERR_IO, "listener: %s", strerror(errno));
		close(fd);
		return -1;
	}
	if (tls == NULL && !is_loopback(&a)) {
		close(fd);
		return err_set(e, ERR_FORBIDDEN, "without TLS only loopback addresses are served");
	}
	l = xcalloc(1, sizeof(*l));
	l->server = s;
	l->number = s->nlisteners;
	l->port = ntohs(a.sa.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
	l->tls = tls == NULL ? NULL : tls_ref(tls);
	l->ev = evconnlistener_new(s->base, door_accept, l, LEV_OPT_CLOSE_ON_FREE |
	    LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (l->ev == NULL) {
		close(fd);
		tls_free(l->tls);
		free(l);
		return err_set(e, ERR_IO, "cannot add a listener to the event loop");
	}
	evconnlistener_set_error_cb(l->ev, door_failed);
	s->listeners[s->nlisteners++] = l;
	return l->number;
}

/* Where it listens. */
uint16_t
http_server_port(const struct http_server *s, int listener)
{
	return s->listeners[listener]->port;
}

/* New keys for new connections. */
void
http_server_swap_tls(struct http_server *s, int listener, struct tls *tls)
{
	struct listener *l = s->listeners[listener];
	struct tls *old = l->tls;

	if (old == NULL)
		return;			/* a plain listener stays plain */
	l->tls = tls_ref(tls);
	tls_free(old);
}

const struct tls *
http_server_tls(const struct http_server *s, int listener)
{
	return listener < s->nlisteners ? s->listeners[listener]->tls : NULL;
}

/* Nobody new; the silent may stay for a while, and all others until they have their answer. */
void
http_server_lame_duck(struct http_server *s, int64_t grace_us, void (*done)(void *), void *arg)
{
	static const enum conn_state silent[] = { CONN_HANDSHAKE, CONN_IDLE };
	struct conn *c;

	s->lame = true;
	s->lame_us = clock_mono_us();
	s->grace_us = grace_us;
	s->done = done;
	s->done_arg = arg;
	if (s->drained == NULL)
		s->drained = evtimer_new(s->base, on_drained, s);
	for (int i = 0; i < s->nlisteners; i++)
		if (s->listeners[i]->ev != NULL)
			door_accept_waiting(s->listeners[i]);
	close_listeners(s);
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++)
		for (c = TAILQ_FIRST(&s->in[silent[i]]); c != NULL; c = TAILQ_NEXT(c, link))
			conn_hurry(c);
	check_drained(s);
}

/* Finish what is in hand. */
void
http_server_drain(struct http_server *s, void (*done)(void *), void *arg)
{
	http_server_lame_duck(s, s->lim.grace_us, done, arg);
}

/* How it went so far. */
const struct http_counters *
http_server_counters(const struct http_server *s)
{
	return &s->n;
}

/* For metrics: one gauge a state. */
void
http_server_bodies(const struct http_server *s, uint64_t *memory, uint64_t *files)
{
	*memory = http_bodies_in_memory(s->bodies);
	*files = http_bodies_in_files(s->bodies);
}

const char *
http_server_state(const struct http_server *s, int state, size_t *n)
{
	if (state < 0 || state >= CONN_STATES)
		return NULL;
	*n = s->count[state];
	return conn_state_name((enum conn_state)state);
}
