/* http_door.c -- who may come in: connections of one address and of all, and what makes room for the next.
 * Part of http_server.h; shapes: http_parts.h. */
#include "adapters/http_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/tcp.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"

enum {
	RESUME_US = 100000,	/* pause of accepting without descriptors */
	PATIENCE_US = 1000000,	/* who is younger is not sent away for another's sake */
	GIVE_BACK = 16,		/* connections closed when descriptors run out */
	WAITING_MAX = 1024	/* accepted at the last moment */
};

/* The part of an address that counts as one client: IPv4 whole, IPv6 its /64. */
static void
address_key(const struct sockaddr *sa, uint8_t key[16])
{
	memset(key, 0, 16);
	if (sa->sa_family == AF_INET) {
		key[10] = key[11] = 0xff;
		memcpy(key + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		memcpy(key, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
	}
}

static struct address **
address_bucket(struct http_server *s, const uint8_t key[16])
{
	uint64_t h = s->id_seed;
	size_t i;

	for (i = 0; i < 16; i++)
		h = (h ^ key[i]) * UINT64_C(0x100000001b3);
	return &s->addresses[(h ^ h >> 29) % ADDRESS_BUCKETS];
}

/* One connection more of this address; NULL if it has too many already. */
static struct address *
address_take(struct http_server *s, const struct sockaddr *sa, bool secure)
{
	struct address **bucket, *a;
	uint8_t key[16];

	address_key(sa, key);
	bucket = address_bucket(s, key);
	for (a = *bucket; a != NULL && memcmp(a->key, key, 16) != 0; a = a->next)
		;
	if (a == NULL) {
		a = xcalloc(1, sizeof(*a));
		memcpy(a->key, key, 16);
		a->next = *bucket;
		*bucket = a;
	}
	if (a->n >= s->lim.per_address) {
		s->n.refused_address++;
		return NULL;
	}
	if (secure && a->handshakes >= s->lim.handshakes_per_address) {
		s->n.refused_handshakes++;
		return NULL;
	}
	a->n++;
	return a;
}

void
door_left(struct http_server *s, struct address *a)
{
	struct address **p;

	if (--a->n > 0)
		return;
	for (p = address_bucket(s, a->key); *p != a; p = &(*p)->next)
		;
	*p = a->next;
	free(a);
}

/* Close up to `most` connections of a state that have been in it for longer than `age_us`, the oldest
 * first. One whose request lies unread is spared. Returns how many. */
static size_t
close_oldest(struct http_server *s, enum conn_state state, int64_t age_us, size_t most)
{
	int64_t since = clock_mono_us() - age_us;
	struct conn *c, *next;
	size_t n = 0;

	for (c = TAILQ_FIRST(&s->in[state]); c != NULL && n < most && c->entered_us <= since; c = next) {
		next = TAILQ_NEXT(c, link);
		if (state == CONN_IDLE && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
			continue;
		conn_close(c, state == CONN_IDLE);
		n++;
	}
	s->n.evicted += n;
	return n;
}

/* Who is honest is through with a handshake or a head in no time: those go first who are slow at it, then
 * those who have been silent for longest. Returns how many were closed. */
static size_t
make_room(struct http_server *s, int64_t age_us, size_t wanted)
{
	static const enum conn_state order[] = { CONN_LINGER, CONN_HANDSHAKE, CONN_HEAD, CONN_IDLE };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(*order) && n < wanted; i++)
		n += close_oldest(s, order[i], age_us, wanted - n);
	return n;
}

/* Answers that nobody reads fill our memory: the one that has been under way for longest is given up. */
void
door_limit_answers(struct http_server *s, const struct conn *newest)
{
	while (s->unsent > s->lim.unsent) {
		struct conn *c = TAILQ_FIRST(&s->in[CONN_WRITE]);

		if (c == NULL || c == newest || c->entered_us > clock_mono_us() - PATIENCE_US)
			return;
		s->n.evicted++;
		conn_close(c, false);
	}
}

void
door_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct listener *l = arg;
	struct http_server *s = l->server;
	struct address *a = NULL;
	int one = 1;

	(void)ev;
	(void)len;
	s->n.accepted++;
	if (s->n.open >= s->lim.connections && make_room(s, PATIENCE_US, 1) == 0)
		s->n.refused_full++;
	else
		a = address_take(s, sa, l->tls != NULL);
	if (a == NULL) {
		close(fd);
		return;
	}
	/* Without it a small answer waits 40 ms for the client's delayed ACK. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->n.open++;
	conn_open(s, l, fd, a, sa);
}

/* Those who connected before we stopped to accept shall not find a closed door. */
void
door_accept_waiting(struct listener *l)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };

	for (int i = 0; i < WAITING_MAX; i++) {
		socklen_t n = sizeof(ss);
		int fd = accept4(evconnlistener_get_fd(l->ev), (struct sockaddr *)&ss, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		door_accept(l->ev, fd, (struct sockaddr *)&ss, (int)n, l);
	}
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *s = arg;
	int i;

	(void)fd;
	(void)what;
	for (i = 0; i < s->nlisteners; i++)
		if (s->listeners[i]->ev != NULL)
			evconnlistener_enable(s->listeners[i]->ev);
}

/* Out of file descriptors, most likely: some are given back, and accepting pauses instead of spinning. */
void
door_failed(struct evconnlistener *ev, void *arg)
{
	struct listener *l = arg;
	int number = EVUTIL_SOCKET_ERROR();
	struct timeval tv = { 0, RESUME_US };
	size_t closed = 0;

	if (number == EMFILE || number == ENFILE)
		closed = make_room(l->server, PATIENCE_US, GIVE_BACK);
	log_event(LOG_WARN, "http.accept", LF_S("error", strerror(number)),
	    LF_I("open", l->server->n.open), LF_I("closed", closed));
	evconnlistener_disable(ev);
	if (l->server->resume == NULL)
		l->server->resume = evtimer_new(l->server->base, on_resume, l->server);
	evtimer_add(l->server->resume, &tv);
}
