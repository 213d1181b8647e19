#include "adapters/http_client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>

#include "adapters/dial.h"
#include "adapters/http_gather.h"
#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

#ifndef TOCSIN_VERSION
#define TOCSIN_VERSION	"0"
#endif
#define SECOND	INT64_C(1000000)

enum { ADDRESS_TEXT = 64, READ_AHEAD = 65536 };

struct http_call {
	TAILQ_ENTRY(http_call)	 link;
	struct http_client	*client;
	struct strbuf		 message;	/* head and body, as sent */
	enum http_method	 method;
	http_reply_cb		*cb;
	void			*arg;
	int64_t			 total_us;
	int64_t			 began_us;	/* left the queue */
	bool			 repeatable;
};

struct http_client {
	struct event_base	*base;
	struct http_client_conf	 conf;
	char			*host, *name, *authority;
	char			*proxy_host, *proxy_user, *proxy_password;
	char			**pins;
	struct evdns_base	*own_dns;
	TAILQ_HEAD(call_list, http_call) queue;
	size_t			 queued;
	struct http_call	*call;		/* the one under way */
	struct dial		*dial;		/* connecting, for it */
	struct bufferevent	*bev;		/* connected */
	struct http1		*parser;	/* of this connection */
	struct http_gather	 answer;	/* the body that is being read */
	struct event		*timer;		/* the call's end, or the idle connection's */
	struct event		*kick;		/* look at the queue, from the loop */
	bool			 used;		/* the connection has served a call before this one */
	bool			 answering;	/* the first byte of an answer has come */
	bool			 stale;		/* made with keys or pins that were replaced */
	bool			 calling;	/* a callback is on the stack */
	bool			 retired, dead;
	int64_t			 peer_until_us;	/* end of the server's certificate; 0: not seen yet */
	char			 address[ADDRESS_TEXT];
};

static void	begin_call(struct http_client *c);

/* --- life ---------------------------------------------------------------------------------------- */

static void
set_pins(struct http_client *c, const char *const *pins, size_t npins)
{
	size_t i;

	for (i = 0; i < c->conf.npins; i++)
		free(c->pins[i]);
	free(c->pins);
	c->pins = xcalloc(npins + 1, sizeof(*c->pins));
	for (i = 0; i < npins; i++)
		c->pins[i] = xstrdup(pins[i]);
	c->conf.npins = npins;
	c->conf.pins = (const char *const *)c->pins;
}

/* "node.example:8443", as it stands in Host. */
static char *
authority_of(const struct http_client_conf *conf)
{
	bool usual = conf->port == (conf->tls == NULL ? 80 : 443);
	bool v6 = strchr(conf->host, ':') != NULL;
	char port[8] = "", text[300];

	if (!usual)
		snprintf(port, sizeof(port), ":%u", conf->port);
	snprintf(text, sizeof(text), "%s%s%s%s", v6 ? "[" : "", conf->host, v6 ? "]" : "", port);
	return xstrdup(text);
}

/* The login goes with the copy that has it. */
static void
take_proxy(struct http_client *c, const struct proxy *p)
{
	if (p->host == NULL)
		return;
	c->proxy_host = xstrdup(p->host);
	if (p->user != NULL) {
		c->proxy_user = xstrdup(p->user);
		c->proxy_password = xstrdup(p->password == NULL ? "" : p->password);
	}
	c->conf.proxy = (struct proxy){ c->proxy_host, p->port, c->proxy_user, c->proxy_password };
}

static void
forget_proxy(struct http_client *c)
{
	if (c->proxy_password != NULL)
		secret_wipe(c->proxy_password, strlen(c->proxy_password));
	free(c->proxy_host);
	free(c->proxy_user);
	free(c->proxy_password);
}

static void
call_free(struct http_call *call)
{
	secret_wipe(call->message.p, call->message.n);	/* it may hold a login */
	strbuf_fini(&call->message);
	free(call);
}

static void
drop_connection(struct http_client *c, bool politely)
{
	dial_cancel(c->dial);
	c->dial = NULL;
	if (c->bev != NULL) {
		bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
		if (politely)
			tls_close(c->bev);
		else
			bufferevent_free(c->bev);
	}
	c->bev = NULL;
	http1_free(c->parser);
	c->parser = NULL;
	c->used = c->answering = c->stale = false;
	evtimer_del(c->timer);
}

static void
free_resolver(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evdns_base_free(arg, 0);
}

/* libevent still touches the resolver when it reports a cancelled lookup: that goes a little later. */
static void
destroy(struct http_client *c)
{
	static const struct timeval later = { 0, 100000 };
	bool looking = dial_is_looking(c->dial);
	struct http_call *call;

	drop_connection(c, true);
	if (c->call != NULL)
		call_free(c->call);
	while ((call = TAILQ_FIRST(&c->queue)) != NULL) {
		TAILQ_REMOVE(&c->queue, call, link);
		call_free(call);
	}
	event_free(c->timer);
	event_free(c->kick);
	if (c->own_dns != NULL && !looking)
		evdns_base_free(c->own_dns, 0);
	else if (c->own_dns != NULL)
		event_base_once(c->base, -1, EV_TIMEOUT, free_resolver, c->own_dns, &later);
	set_pins(c, NULL, 0);
	free(c->pins);
	tls_free(c->conf.tls);
	http_gather_reset(&c->answer);
	forget_proxy(c);
	free(c->host);
	free(c->name);
	free(c->authority);
	free(c);
}

void
http_client_certificates(const struct http_client *c, int64_t *ours_us, int64_t *theirs_us)
{
	*ours_us = c->conf.tls == NULL ? 0 : tls_own_until(c->conf.tls);
	*theirs_us = c->peer_until_us;
}

/* Free now, or when the callback on the stack returns. */
void
http_client_free(struct http_client *c)
{
	if (c == NULL)
		return;
	c->dead = true;
	if (!c->calling)
		destroy(c);
}

static void
wake(struct http_client *c)
{
	event_active(c->kick, EV_TIMEOUT, 1);
}

/* Free when there is nothing left to do. */
void
http_client_retire(struct http_client *c)
{
	if (c == NULL)
		return;
	c->retired = true;
	wake(c);
}

static void
set_timer(struct http_client *c, int64_t us)
{
	struct timeval tv;

	if (us < 0)
		us = 0;
	tv.tv_sec = us / SECOND;
	tv.tv_usec = us % SECOND;
	evtimer_add(c->timer, &tv);
}

/* --- the end of a call --------------------------------------------------------------------------- */

/* Tell the caller. Afterwards the connection is kept or dropped, and the queue looked at; the client
 * may be gone when this returns. */
static void
finish(struct http_client *c, struct http_reply *r, bool keep)
{
	struct http_call *call = c->call;

	c->call = NULL;
	r->took_us = clock_mono_us() - call->began_us;
	r->address = c->address;
	c->calling = true;
	call->cb(r, call->arg);
	c->calling = false;
	call_free(call);
	if (c->dead) {
		destroy(c);
		return;
	}
	http_gather_reset(&c->answer);
	c->answering = false;
	c->used = true;
	if (!keep || c->stale)
		drop_connection(c, keep);
	else
		set_timer(c, c->conf.idle_us);
	wake(c);
}

static void
fail(struct http_client *c, enum http_step step, const struct err *e)
{
	struct http_reply r = { .step = step, .err = e, .body = SLICE_EMPTY };

	finish(c, &r, false);
}

static void
succeed(struct http_client *c)
{
	const struct http1_head *h = http1_head(c->parser);
	struct err none = ERR_INIT;
	struct http_reply r = { .status = h->status, .head = h, .body = strbuf_slice(&c->answer.body),
	    .step = HTTP_STEP_DONE, .err = &none };
	bool clean = evbuffer_get_length(bufferevent_get_input(c->bev)) == 0 &&
	    evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;

	if (http_gather_end(&c->answer, &none) < 0)
		fail(c, HTTP_STEP_ANSWER, &none);
	else
		finish(c, &r, h->keep_alive && clean);
}

/* The connection broke under a call. One that was kept from an earlier call may have been closed by
 * the server before it saw this one: then, if the caller allows it, once more on a fresh one. */
static void
broken(struct http_client *c, struct err *e)
{
	bool sent = evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
	enum http_step step = sent || c->answering ? HTTP_STEP_ANSWER : HTTP_STEP_SEND;

	if (c->used && !c->answering && c->call->repeatable) {
		drop_connection(c, false);
		begin_call(c);
		return;
	}
	/* TLS 1.3: a server that does not like our certificate says so after the handshake. */
	if (e->code == ERR_CRYPTO && !c->answering)
		step = HTTP_STEP_TLS;
	if (step != HTTP_STEP_TLS)
		err_context(e, "http");
	fail(c, step, e);
}

/* --- reading ------------------------------------------------------------------------------------- */

static struct slice
peek(struct evbuffer *in)
{
	struct evbuffer_iovec v;

	if (evbuffer_peek(in, -1, NULL, &v, 1) < 1)
		return SLICE_EMPTY;
	return slice_from(v.iov_base, v.iov_len);
}

static void
bad_answer(struct http_client *c)
{
	struct err e = ERR_INIT;

	http1_error(c->parser, &e);
	err_context(&e, "http: bad answer");
	fail(c, HTTP_STEP_ANSWER, &e);
}

/* One event of the parser; true while there may be more for this call. */
static bool
step(struct http_client *c, struct evbuffer *in)
{
	struct slice rest = peek(in), data = SLICE_EMPTY;
	size_t had = rest.n;
	enum http1_event ev = http1_next(c->parser, &rest, &data);
	struct err e = ERR_INIT;
	int rc = ev == HTTP1_HEAD ? http_gather_begin(&c->answer, http1_head(c->parser), &e) :
	    ev == HTTP1_DATA ? http_gather_add(&c->answer, data, &e) : 0;

	evbuffer_drain(in, had - rest.n);
	if (rc < 0) {
		fail(c, HTTP_STEP_ANSWER, &e);
		return false;
	}
	switch (ev) {
	case HTTP1_END:
		if (http1_head(c->parser)->status < 200)
			return true;		/* an interim answer: the real one follows */
		succeed(c);
		return false;
	case HTTP1_ERROR:
		bad_answer(c);
		return false;
	case HTTP1_MORE:
		return evbuffer_get_length(in) > 0;
	default:
		return true;
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct http_client *c = arg;

	if (c->call == NULL) {			/* nobody asked */
		drop_connection(c, false);
		return;
	}
	c->answering = c->answering || evbuffer_get_length(in) > 0;
	while (step(c, in))
		;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_client *c = arg;
	struct err e = ERR_INIT;

	tls_error(bev, what, &e);
	if (c->call == NULL) {
		drop_connection(c, false);
		return;
	}
	/* A body that ends with the connection is complete only if the end was a proper one. */
	if ((what & BEV_EVENT_EOF) != 0 && c->answering && http1_eof(c->parser) == HTTP1_END) {
		succeed(c);
		return;
	}
	broken(c, &e);
}

/* --- sending ------------------------------------------------------------------------------------- */

static void
send_call(struct http_client *c)
{
	http1_answers(c->parser, c->call->method);
	bufferevent_write(c->bev, c->call->message.p, c->call->message.n);
	set_timer(c, c->call->began_us + c->call->total_us - clock_mono_us());
}

static void
on_dialled(const struct dial_result *r, void *arg)
{
	static const enum http_step steps[] = {
		[DIAL_NAME] = HTTP_STEP_NAME, [DIAL_TCP] = HTTP_STEP_TCP,
		[DIAL_PROXY] = HTTP_STEP_PROXY, [DIAL_TLS] = HTTP_STEP_TLS,
	};
	struct http_client *c = arg;

	c->dial = NULL;
	snprintf(c->address, sizeof(c->address), "%s", r->address);
	if (r->bev == NULL) {
		fail(c, steps[r->step], r->err);
		return;
	}
	c->bev = r->bev;
	c->peer_until_us = c->conf.tls == NULL ? 0 : tls_peer_until(c->bev);
	c->parser = http1_new_responses(NULL);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	send_call(c);
}

/* Send the call at hand, over a new connection if there is none. */
static void
begin_call(struct http_client *c)
{
	int64_t left = c->call->began_us + c->call->total_us - clock_mono_us();
	struct dial_to to = { .host = c->host, .port = c->conf.port, .tls = c->conf.tls,
	    .name = c->name, .pins = c->conf.pins, .npins = c->conf.npins, .dns = c->conf.dns,
	    .proxy = c->conf.proxy,
	    .timeout_us = left < c->conf.connect_us ? left : c->conf.connect_us };

	if (c->bev != NULL) {
		send_call(c);
		return;
	}
	if (to.dns == NULL && !dial_is_address(c->proxy_host != NULL ? c->proxy_host : c->host)) {
		if (c->own_dns == NULL)
			c->own_dns = dial_resolver(c->base);
		to.dns = c->own_dns;
	}
	c->address[0] = '\0';
	c->dial = dial_start(c->base, &to, on_dialled, c);
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;

	(void)fd;
	(void)what;
	if (c->call != NULL)
		return;
	c->call = TAILQ_FIRST(&c->queue);
	if (c->call == NULL) {
		if (c->retired)
			destroy(c);
		return;
	}
	TAILQ_REMOVE(&c->queue, c->call, link);
	c->queued--;
	c->call->began_us = clock_mono_us();
	begin_call(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	struct err e = ERR_INIT;
	bool sent;

	(void)fd;
	(void)what;
	if (c->call == NULL) {			/* kept long enough */
		drop_connection(c, true);
		return;
	}
	sent = evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
	err_set(&e, ERR_TIMEOUT, "http: no answer from %s within %lld ms", c->authority,
	    (long long)(c->call->total_us / 1000));
	fail(c, sent ? HTTP_STEP_ANSWER : HTTP_STEP_SEND, &e);
}

/* --- for callers --------------------------------------------------------------------------------- */

/* A client without a connection: that comes with the first call. */
struct http_client *
http_client_new(struct event_base *base, const struct http_client_conf *conf)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	signal(SIGPIPE, SIG_IGN);	/* OpenSSL and libevent write to sockets that may be gone */
	c->base = base;
	c->conf = *conf;
	c->conf.npins = 0;
	set_pins(c, conf->pins, conf->npins);
	c->host = xstrdup(conf->host);
	c->name = xstrdup(conf->name == NULL ? conf->host : conf->name);
	c->authority = authority_of(conf);
	c->conf.proxy = (struct proxy){ .host = NULL };
	take_proxy(c, &conf->proxy);
	if (c->conf.tls != NULL)
		tls_ref(c->conf.tls);
	if (c->conf.connect_us == 0)
		c->conf.connect_us = 10 * SECOND;
	if (c->conf.total_us == 0)
		c->conf.total_us = 30 * SECOND;
	if (c->conf.idle_us == 0)
		c->conf.idle_us = 30 * SECOND;
	if (c->conf.max_answer == 0)
		c->conf.max_answer = 16 << 20;
	if (c->conf.max_queue == 0)
		c->conf.max_queue = 64;
	TAILQ_INIT(&c->queue);
	http_gather_init(&c->answer, c->conf.max_answer);
	c->timer = evtimer_new(base, on_timer, c);
	c->kick = evtimer_new(base, on_kick, c);
	return c;
}

/* Nothing in it ends the line or the word it stands in. */
static bool
is_clean(const char *s, bool blanks)
{
	const unsigned char *p;

	for (p = (const unsigned char *)s; *p > ' ' || (*p == ' ' && blanks); p++)
		if (*p == 127)
			return false;
	return *p == '\0';
}

static enum http_method
method_of(const char *text)
{
	int m;

	for (m = 0; m < HTTP_OTHER && strcmp(http_method_text((enum http_method)m), text) != 0; m++)
		;
	return (enum http_method)m;
}

static int
write_request(const struct http_client *c, struct http_call *call, const struct http_request *rq,
    struct err *e)
{
	struct slice body = rq->take != NULL ? strbuf_slice(rq->take) : rq->body;
	struct strbuf *out = &call->message;
	size_t i;

	call->method = method_of(rq->method);
	if (call->method == HTTP_OTHER || rq->target[0] != '/' || !is_clean(rq->target, false))
		return err_set(e, ERR_VALUE, "http: bad method or target in a request");
	strbuf_reserve(out, 1024 + body.n);
	strbuf_addf(out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tocsin/" TOCSIN_VERSION "\r\n",
	    rq->method, rq->target, c->authority);
	if (c->conf.gzip)
		strbuf_adds(out, "Accept-Encoding: gzip\r\n");
	if (body.n > 0 || call->method == HTTP_POST || call->method == HTTP_PUT)
		strbuf_addf(out, "Content-Length: %zu\r\n", body.n);
	for (i = 0; i < rq->nheaders; i++) {
		if (rq->headers[i].value == NULL)
			continue;
		if (!is_clean(rq->headers[i].name, false) || !is_clean(rq->headers[i].value, true))
			return err_set(e, ERR_VALUE, "http: control character in a header");
		strbuf_addf(out, "%s: %s\r\n", rq->headers[i].name, rq->headers[i].value);
	}
	strbuf_adds(out, "\r\n");
	strbuf_addsl(out, body);
	if (rq->take != NULL)
		strbuf_fini(rq->take);
	return 0;
}

/* Queue a call. */
struct http_call *
http_client_send(struct http_client *c, const struct http_request *rq, http_reply_cb *cb,
    void *arg, struct err *e)
{
	struct http_call *call;

	if (c->retired || c->dead || c->queued >= c->conf.max_queue) {
		err_set(e, ERR_BUSY, "http: %zu requests to %s are waiting already", c->queued,
		    c->authority);
		return NULL;
	}
	call = xcalloc(1, sizeof(*call));
	strbuf_init(&call->message);
	if (write_request(c, call, rq, e) < 0) {
		call_free(call);
		return NULL;
	}
	call->client = c;
	call->cb = cb;
	call->arg = arg;
	call->total_us = rq->total_us > 0 ? rq->total_us : c->conf.total_us;
	call->repeatable = rq->repeatable;
	TAILQ_INSERT_TAIL(&c->queue, call, link);
	c->queued++;
	wake(c);
	return call;
}

/* Forget a call. */
void
http_client_cancel(struct http_call *call)
{
	struct http_client *c = call->client;

	if (call == c->call) {
		c->call = NULL;
		drop_connection(c, false);
		http_gather_reset(&c->answer);
		wake(c);
	} else {
		TAILQ_REMOVE(&c->queue, call, link);
		c->queued--;
	}
	call_free(call);
}

/* Other keys, other pins. */
void
http_client_swap_tls(struct http_client *c, struct tls *tls, const char *const *pins, size_t npins)
{
	struct tls *old = c->conf.tls;

	if (old == NULL)
		return;				/* a plain client stays plain */
	c->conf.tls = tls_ref(tls);
	tls_free(old);
	set_pins(c, pins, npins);
	if (c->dial != NULL) {			/* once more, with the new ones */
		drop_connection(c, false);
		begin_call(c);
	} else if (c->call == NULL && !c->calling) {
		drop_connection(c, true);
	} else {
		c->stale = true;
	}
}

/* Calls waiting, the one under way not counted. */
size_t
http_client_queued(const struct http_client *c)
{
	return c->queued;
}

struct event_base *
http_client_base(const struct http_client *c)
{
	return c->base;
}
