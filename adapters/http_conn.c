#include "adapters/http_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/log.h"

enum {
	READ_AHEAD = 65536,
	AT_ONCE_MAX = 8			/* answers to one client before others have their turn */
};
#define RETRY_SECONDS	"10"		/* after a body for which there was no room */
#define BIT(state)	(1u << (state))

static const unsigned may_follow[CONN_STATES] = {
	[CONN_NEW]	 = BIT(CONN_HANDSHAKE) | BIT(CONN_IDLE) | BIT(CONN_GONE),
	[CONN_HANDSHAKE] = BIT(CONN_IDLE) | BIT(CONN_GONE),
	[CONN_IDLE]	 = BIT(CONN_HEAD) | BIT(CONN_GONE),
	[CONN_HEAD]	 = BIT(CONN_HELD) | BIT(CONN_WRITE) | BIT(CONN_GONE),
	[CONN_HELD]	 = BIT(CONN_BODY) | BIT(CONN_WRITE) | BIT(CONN_GONE),
	[CONN_BODY]	 = BIT(CONN_HELD) | BIT(CONN_WRITE) | BIT(CONN_GONE),
	[CONN_WRITE]	 = BIT(CONN_IDLE) | BIT(CONN_SKIP) | BIT(CONN_LINGER) | BIT(CONN_GONE),
	[CONN_SKIP]	 = BIT(CONN_IDLE) | BIT(CONN_LINGER) | BIT(CONN_GONE),
	[CONN_LINGER]	 = BIT(CONN_GONE),
};

/* States in which the parser is fed. */
static const bool reads[CONN_STATES] = {
	[CONN_IDLE] = true, [CONN_HEAD] = true, [CONN_BODY] = true, [CONN_SKIP] = true,
};

static int64_t
allowed_us(const struct conn *c)
{
	const struct http_limits *l = &c->server->lim;
	int64_t earned = (int64_t)(c->moved / (uint64_t)l->min_rate) * 1000000;

	switch (c->state) {
	case CONN_HANDSHAKE:
		return l->handshake_us;
	case CONN_HEAD:
		return l->head_us;
	case CONN_HELD:
		return l->held_us;
	case CONN_BODY:
	case CONN_SKIP:
		return l->body_us + earned;
	case CONN_WRITE:
		return l->write_us + earned;
	case CONN_LINGER:
		return l->linger_us;
	default:
		return l->idle_us;
	}
}

/* When this state has lasted long enough. A lame server waits for the silent a moment only. */
static int64_t
deadline_us(const struct conn *c)
{
	const struct http_server *s = c->server;
	int64_t end = c->entered_us + allowed_us(c), soon;

	if (s->lame && (c->state == CONN_IDLE || c->state == CONN_HANDSHAKE)) {
		soon = (c->entered_us > s->lame_us ? c->entered_us : s->lame_us) + s->grace_us;
		if (soon < end)
			return soon;
	}
	return end;
}

/* See to it that the timer looks in time. One that looks too early costs less, every now and then, than
 * one that is set anew for each state of each request. */
static void
arm(struct conn *c)
{
	int64_t end = deadline_us(c), left = end - clock_mono_us();
	struct timeval tv = { 0, 1 };

	if (c->armed_us != 0 && c->armed_us <= end)
		return;
	if (left > 0)
		tv = (struct timeval){ left / 1000000, left % 1000000 };
	c->armed_us = end;
	evtimer_add(c->timer, &tv);
}

/* What the server counts by state. */
static void
recount(struct conn *c, enum conn_state state)
{
	struct http_server *s = c->server;
	uint64_t mine = c->to_write > c->in_file ? c->to_write - c->in_file : 0;

	c->address->handshakes -= c->state == CONN_HANDSHAKE;
	c->address->handshakes += state == CONN_HANDSHAKE;
	s->unsent -= c->state == CONN_WRITE ? mine : 0;
	s->unsent += state == CONN_WRITE ? mine : 0;
	TAILQ_REMOVE(&s->in[c->state], c, link);
	TAILQ_INSERT_TAIL(&s->in[state], c, link);
	s->count[c->state]--;
	s->count[state]++;
}

/* The one way from a state to the next: checks that it is a legal one and sets its deadline. */
static void
enter(struct conn *c, enum conn_state state)
{
	assert((may_follow[c->state] & BIT(state)) != 0);
	recount(c, state);
	c->state = state;
	c->entered_us = clock_mono_us();
	c->moved = 0;
	if (state != CONN_GONE)
		arm(c);
}

/* The server became lame. */
void
conn_hurry(struct conn *c)
{
	arm(c);
}

/* For metrics. */
const char *
conn_state_name(enum conn_state state)
{
	static const char *const names[CONN_STATES] = {
		[CONN_NEW] = "new", [CONN_HANDSHAKE] = "handshake", [CONN_IDLE] = "idle",
		[CONN_HEAD] = "head", [CONN_HELD] = "held", [CONN_BODY] = "body",
		[CONN_WRITE] = "write", [CONN_SKIP] = "skip", [CONN_LINGER] = "linger",
		[CONN_GONE] = "gone",
	};

	return names[state];
}

/* Hex text that no other request of this process has. */
static void
exchange_id(struct http_server *s, char out[HTTP_ID_MAX + 1])
{
	uint64_t v = s->id_seed + s->id_next++ * UINT64_C(0x9e3779b97f4a7c15);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	v ^= v >> 31;
	hex_text(&v, sizeof(v), out);
}

/* A client that has an id for its request will look for it in our log. Letters, digits, '-' and '_': it
 * can stand in a log line, a header and a label of anybody's. */
static void
take_id(struct http_exchange *x)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct slice id = http1_field(x->head, "x-request-id");

	if (id.n < HTTP_ID_LEAST || id.n > HTTP_ID_MAX)
		return;
	for (size_t i = 0; i < id.n; i++)
		if (memchr(letters, id.p[i], sizeof(letters) - 1) == NULL)
			return;
	memcpy(x->id, id.p, id.n);
	x->id[id.n] = '\0';
}

static void
exchange_new(struct conn *c)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	c->x = x;
	x->conn = c;
	x->pub.mem = arena_new();
	x->pub.remote = c->remote;
	x->pub.remote_port = c->port;
	x->pub.pin = c->has_pin ? c->pin : NULL;
	x->pub.secure = c->secure;
	x->pub.listener = c->listener;
	x->pub.began_us = c->first_byte_us;
	exchange_id(c->server, x->pub.id);
	c->requests++;
	c->server->n.requests++;
}

/* The answer is out, or will never be. */
static void
exchange_done(struct conn *c, bool ok)
{
	struct http_server *s = c->server;
	struct exchange *x = c->x;

	if (x == NULL)
		return;
	c->x = NULL;
	s->n.bytes_in += x->bytes_in;
	s->n.bytes_out += x->bytes_out;
	if (s->h.on_done != NULL && x->status != 0)
		s->h.on_done(&x->pub, x->status, x->bytes_in, x->bytes_out, ok, s->h.arg);
	http_body_free(x->body);
	arena_free(x->pub.mem);
	free(x);
}

/* The handler shall not answer any more. */
static void
exchange_lost(struct exchange *x)
{
	struct http_server *s = x->conn->server;

	if (x->known && x->status == 0 && s->h.on_gone != NULL)
		s->h.on_gone(&x->pub, s->h.arg);
	x->known = false;
}

/* End a connection in any state. Politely: with close_notify. */
void
conn_close(struct conn *c, bool politely)
{
	struct http_server *s = c->server;

	if (c->x != NULL && c->x->status == 0) {
		s->n.aborted++;
		exchange_lost(c->x);
	}
	exchange_done(c, c->state == CONN_SKIP);
	enter(c, CONN_GONE);
	server_forget(s, c);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	if (politely)
		tls_close(c->bev);
	else
		bufferevent_free(c->bev);
	event_free(c->timer);
	http1_free(c->parser);
	free(c);
}

/* After the last answer. What the client is still sending is read for a while, because closing on
 * unread bytes sends a reset that can destroy the answer before the client has seen it. */
static void
finish(struct conn *c, bool more_may_come)
{
	if (!more_may_come || c->eof) {
		c->doomed = true;
		return;
	}
	enter(c, CONN_LINGER);
	tls_shut(c->bev);
	evbuffer_drain(bufferevent_get_input(c->bev), SIZE_MAX);
}

/* The answer is written and the request read: ready for the next one, or the end. */
static void
next_request(struct conn *c)
{
	bool last = c->x->close || c->server->lame;
	bool ended = c->x->ended;
	bool more = evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;

	exchange_done(c, true);
	if (last) {
		finish(c, !ended || more);
		return;
	}
	enter(c, CONN_IDLE);
	if (!more)
		http1_shrink(c->parser);
}

/* The server itself says no: the handler, if it knew of the request, loses it. */
static void
refuse(struct conn *c, int status, const char *detail)
{
	static const struct http_header later = { "Retry-After", RETRY_SECONDS };

	if (c->x == NULL)
		exchange_new(c);
	exchange_lost(c->x);
	c->x->close = true;
	answer_refuse(c->x, status, detail, &later, status == 503);
}

/* Who splits what he sends learns into how much. */
static void
refuse_large(struct conn *c, uint64_t max_bytes)
{
	char words[64];

	snprintf(words, sizeof(words), "a body has at most %llu bytes here", (unsigned long long)max_bytes);
	c->server->n.bad_requests++;
	refuse(c, 413, words);
}

/* No room for a body, ours or the disk's: later, perhaps. */
static void
refuse_body(struct conn *c, const struct err *why)
{
	c->server->n.bodies_refused++;
	log_event(LOG_WARN, "http.body", LF_S("request", c->x->pub.id),
	    LF_S("remote", c->remote), LF_S("reason", why->reason));
	refuse(c, 503, "there is no room for this body now; try again");
}

static void
on_parse_error(struct conn *c)
{
	struct err e = ERR_INIT;
	int status = http1_error(c->parser, &e);

	c->server->n.bad_requests++;
	if (c->state == CONN_SKIP) {		/* answered already */
		c->x->close = true;
		next_request(c);
		return;
	}
	refuse(c, status, e.reason);
}

static void
on_head(struct conn *c)
{
	struct http_server *s = c->server;

	exchange_new(c);
	c->x->pub.head = http1_head(c->parser);
	take_id(&c->x->pub);
	c->x->known = true;
	enter(c, CONN_HELD);
	s->h.on_head(&c->x->pub, s->h.arg);
}

/* A piece of a body: kept, handed on, or thrown away. */
static void
on_data(struct conn *c, struct slice data)
{
	struct http_server *s = c->server;
	struct exchange *x = c->x;
	struct err e = ERR_INIT;

	assert(x != NULL);
	x->bytes_in += data.n;
	c->moved += data.n;
	if (c->state == CONN_SKIP) {
		if (x->bytes_in > s->lim.ignored_body) {
			x->close = true;
			next_request(c);
		}
		return;
	}
	if (x->bytes_in > x->max_body) {
		refuse_large(c, x->max_body);
	} else if (s->h.on_data != NULL) {
		s->h.on_data(&x->pub, data, s->h.arg);
	} else if (http_body_add(x->body, data, &e) < 0) {
		refuse_body(c, &e);
	}
}

/* The request is complete. */
static void
on_end(struct conn *c)
{
	struct http_server *s = c->server;
	struct err e = ERR_INIT;

	assert(c->x != NULL);
	c->x->ended = true;
	if (c->state == CONN_SKIP) {
		next_request(c);
		return;
	}
	enter(c, CONN_HELD);
	if (http_body_end(c->x->body, &e) < 0)
		refuse_body(c, &e);
	else if (s->h.on_body_end != NULL)
		s->h.on_body_end(&c->x->pub, http_body_slice(c->x->body), s->h.arg);
}

/* The first piece of the input that lies in one run of memory. */
static struct slice
peek(struct evbuffer *in)
{
	struct evbuffer_iovec v;

	if (evbuffer_peek(in, -1, NULL, &v, 1) < 1)
		return SLICE_EMPTY;
	return slice_from(v.iov_base, v.iov_len);
}

/* One event of the parser; false when it needs more than there is. */
static bool
step(struct conn *c, struct evbuffer *in)
{
	struct slice rest = peek(in), data = SLICE_EMPTY;
	size_t had = rest.n;

	if (c->state == CONN_IDLE) {
		if (had == 0)
			return false;
		enter(c, CONN_HEAD);
		c->first_byte_us = c->entered_us;
	}
	switch (http1_next(c->parser, &rest, &data)) {
	case HTTP1_DATA:
		on_data(c, data);		/* it lies in the input */
		evbuffer_drain(in, had - rest.n);
		return true;
	case HTTP1_HEAD:
		evbuffer_drain(in, had - rest.n);
		on_head(c);
		return true;
	case HTTP1_END:
		evbuffer_drain(in, had - rest.n);
		on_end(c);
		return true;
	case HTTP1_ERROR:
		on_parse_error(c);
		return true;
	case HTTP1_MORE:
		break;
	}
	evbuffer_drain(in, had - rest.n);
	return evbuffer_get_length(in) > 0;
}

/* Look at the input again in a later turn of the loop. */
static void
work_later(struct conn *c)
{
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* Feed the parser until it needs more or somebody else has the word (handler, output). The
 * connection may be gone when this returns. */
static void
conn_work(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	c->working = true;
	while (!c->doomed && reads[c->state] && c->at_once < AT_ONCE_MAX && step(c, in))
		;
	c->working = false;
	if (c->doomed || (c->eof && reads[c->state]))
		conn_close(c, true);
	else if (c->at_once == AT_ONCE_MAX)
		work_later(c);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct conn *c = arg;

	c->at_once = 0;
	if (c->state != CONN_LINGER) {
		conn_work(c);
		return;
	}
	c->moved += evbuffer_get_length(in);
	evbuffer_drain(in, SIZE_MAX);
	if (c->moved > c->server->lim.linger_bytes)
		conn_close(c, false);
}

/* The answer is with the kernel. */
static void
written(struct conn *c)
{
	if (c->corked)
		tls_cork(c->bev, false);
	c->corked = false;
	if (c->x->ended || c->x->close)
		next_request(c);
	else
		enter(c, CONN_SKIP);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (c->state != CONN_WRITE || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	c->at_once = 0;
	written(c);
	conn_work(c);
}

static void
on_connected(struct conn *c)
{
	struct http_server *s = c->server;

	s->n.handshakes++;
	s->n.handshakes_resumed += tls_resumed(c->bev);
	if (s->h.on_secure != NULL)
		s->h.on_secure(clock_mono_us() - c->born_us, s->h.arg);
	c->has_pin = tls_pin(c->bev, c->pin);
	enter(c, CONN_IDLE);
}

/* The connection ended, or the handshake is done. A client that closed only its sending side still
 * gets its answers. */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	struct err e = ERR_INIT;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		on_connected(c);
		return;
	}
	tls_error(bev, what, &e);
	if (c->state == CONN_HANDSHAKE) {
		c->server->n.handshakes_failed++;
		log_event(LOG_INFO, "tls.refused", LF_S("remote", c->remote),
		    LF_S("reason", e.reason));
	}
	if ((what & BEV_EVENT_EOF) != 0 && (c->state == CONN_HELD || c->state == CONN_WRITE)) {
		c->eof = true;
		bufferevent_enable(bev, EV_WRITE);
		return;
	}
	conn_close(c, (what & BEV_EVENT_EOF) != 0);
}

static void
on_deadline(struct conn *c)
{
	struct http_counters *n = &c->server->n;

	switch (c->state) {
	case CONN_HANDSHAKE:
		n->timeouts_handshake++;
		n->handshakes_failed++;
		conn_close(c, false);
		return;
	case CONN_HEAD:
		if (http1_is_idle(c->parser))
			break;
		n->timeouts_head++;
		refuse(c, 408, "the head of the request took too long");
		return;
	case CONN_BODY:
		n->timeouts_body++;
		refuse(c, 408, "the body of the request took too long");
		return;
	case CONN_HELD:
		n->timeouts_held++;
		refuse(c, 503, "the answer took too long");
		return;
	case CONN_WRITE:
		n->timeouts_write++;
		conn_close(c, false);
		return;
	default:
		break;
	}
	conn_close(c, true);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->armed_us = 0;
	if (c->state == CONN_IDLE && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0) {
		conn_work(c);		/* it came in time; its callback is behind us in the line */
		return;
	}
	if (c->state == CONN_WRITE)
		c->moved = c->to_write - evbuffer_get_length(bufferevent_get_output(c->bev));
	if (deadline_us(c) > clock_mono_us())
		arm(c);
	else
		on_deadline(c);
}

static void
remote_text(struct conn *c, const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	if (sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, c->remote, sizeof(c->remote));
		c->port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, c->remote,
			    sizeof(c->remote));
		else
			inet_ntop(AF_INET6, &in6->sin6_addr, c->remote, sizeof(c->remote));
		c->port = ntohs(in6->sin6_port);
	}
}

/* A new connection: it has been counted, server_forget takes it out of the count again. */
void
conn_open(struct http_server *s, const struct listener *l, int fd, struct address *a,
    const struct sockaddr *sa)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	struct err e = ERR_INIT;

	c->server = s;
	c->address = a;
	c->listener = l->number;
	c->secure = l->tls != NULL;
	c->born_us = clock_mono_us();
	remote_text(c, sa);
	TAILQ_INSERT_TAIL(&s->in[CONN_NEW], c, link);
	s->count[CONN_NEW]++;
	if (c->secure)
		c->bev = tls_accept(l->tls, s->base, fd, &e);
	else
		c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE |
		    BEV_OPT_DEFER_CALLBACKS);
	if (c->bev == NULL) {
		log_event(LOG_ERROR, "http.connection", LF_S("remote", c->remote),
		    LF_S("reason", e.reason));
		server_forget(s, c);
		evutil_closesocket(fd);
		free(c);
		return;
	}
	c->parser = http1_new_requests(&s->lim.http1);
	c->timer = evtimer_new(s->base, on_timer, c);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	enter(c, c->secure ? CONN_HANDSHAKE : CONN_IDLE);
}

/* The answer is sent, or lies in the output. */
void
conn_answered(struct conn *c)
{
	struct slice none = SLICE_EMPTY, data;
	struct exchange *x = c->x;

	if (!x->ended && x->pub.head != NULL && !x->pub.head->has_body)
		x->ended = http1_next(c->parser, &none, &data) == HTTP1_END;
	c->to_write = evbuffer_get_length(bufferevent_get_output(c->bev));
	enter(c, CONN_WRITE);
	if (c->to_write > 0) {
		if (c->server->unsent > c->server->lim.unsent)
			door_limit_answers(c->server, c);
		return;
	}
	c->at_once++;
	written(c);
	if (!c->working && (c->doomed || c->eof ||
	    evbuffer_get_length(bufferevent_get_input(c->bev)) > 0))
		work_later(c);
}

/* The handler likes the head. */
bool
http_want_body(struct http_exchange *pub, uint64_t max_bytes)
{
	struct exchange *x = (struct exchange *)pub;
	struct conn *c = x->conn;
	struct err e = ERR_INIT;

	assert(c->state == CONN_HELD && !x->wanted);
	x->wanted = true;
	x->max_body = max_bytes;
	if (pub->head->content_length > 0 && (uint64_t)pub->head->content_length > max_bytes) {
		x->known = false;
		refuse_large(c, max_bytes);
		return false;
	}
	if (!http_bodies_fit(c->server->bodies, pub->head->content_length)) {
		err_set(&e, ERR_LIMIT, "the files of other bodies are full");
		x->known = false;
		refuse_body(c, &e);
		return false;
	}
	x->body = http_body_new(c->server->bodies, pub->head->content_length);
	if (pub->head->expect_continue && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		answer_continue(x);
	enter(c, CONN_BODY);
	if (!c->working)
		work_later(c);
	return true;
}

/* The handler keeps it. */
struct http_body *
http_take_body(struct http_exchange *pub)
{
	struct exchange *x = (struct exchange *)pub;
	struct http_body *b = x->body;

	x->body = NULL;
	return b;
}
