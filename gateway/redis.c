#include "gateway/redis.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/redis_link.h"
#include "gateway/redis_proto.h"
#include "gateway/redis_queue.h"
#include "gateway/stats.h"

/*
 *	WAITING --back-off--> CONNECTING --connected: AUTH, SELECT, a probe--> READY
 *	   ^---------------------- any trouble (drop) ----------------------------'
 *
 * Commands are taken in READY only; everywhere else the answer is NULL at once. So the queue is the
 * pipeline: what was sent and not answered yet, in order.
 */
enum stage { STAGE_WAITING, STAGE_CONNECTING, STAGE_READY };

enum {
	BACKOFF_MIN_US = 50 * 1000, BACKOFF_MAX_US = 5 * 1000 * 1000,
	PASSWORD_MAX = 1024, SCRIPTS_MAX = 8,
	LATE_US = 20 * 1000,		/* a timer that fires this late says that we were busy */
};

struct script {
	const char	*text;
	char		 sha[2 * SHA1_LEN + 1];
};

struct redis {
	struct event_base	*base;
	struct evdns_base	*dns;
	struct redis_address	 address;
	redis_tls_fn		*tls;
	void			*tls_ctx;
	redis_why_fn		*why;
	char			*server, *user, *password, *prefix;
	int64_t			 connect_us, command_us;
	size_t			 queue_max, reply_max;

	enum stage		 stage;
	bool			 judged;	/* the first attempt has ended */
	bool			 useful;	/* this connection answered something */
	int64_t			 ready_us;	/* since when READY */
	int64_t			 backoff_us;
	unsigned		 epoch;		/* counts connections: did a callback end this one? */
	struct event		*timer;		/* back-off, connecting or the oldest command */
	bool			 armed;
	int64_t			 fires_us;
	struct bufferevent	*bev;
	struct redis_proto	*proto;
	struct redis_queue	 queue;		/* sent and not answered yet */
	struct script		 scripts[SCRIPTS_MAX];
	size_t			 nscripts;
	struct strbuf		 out;
	struct redis_figures	 figures;
	struct stats		*stats;		/* or NULL */
	int64_t			 away_since_us;	/* steady clock; 0: it is not away */
	char			 reason[200];	/* why not READY */
	char			 complaint[120];/* the last error that was logged */
};

static void	dial(struct redis *r);

/* --- sending --------------------------------------------------------------------------------------- */

static void
answer(struct redis_pending *p, const struct redis_reply *reply)
{
	free(p->call);
	if (p->cb != NULL)
		p->cb(p->arg, reply);
}

static void
set_timer(struct redis *r, int64_t us)
{
	struct timeval tv = { us / 1000000, us % 1000000 };

	r->armed = true;
	r->fires_us = clock_mono_us() + us;
	event_add(r->timer, &tv);
}

/* Hand `p` and the bytes of one command to the connection. */
static void
send_words(struct redis *r, struct redis_pending *p, int argc, const struct slice *argv)
{
	strbuf_reset(&r->out);
	redis_proto_add(&r->out, argc, argv);
	bufferevent_write(r->bev, r->out.p, r->out.n);
	p->due_us = clock_mono_us() + r->command_us;
	redis_queue_push(&r->queue, p);
	if (r->stage == STAGE_READY && !r->armed)
		set_timer(r, r->command_us);
}

/* --- the end of a connection --------------------------------------------------------------------- */

static void
hang_up(struct redis *r)
{
	if (r->bev != NULL) {
		bufferevent_setcb(r->bev, NULL, NULL, NULL, NULL);
		bufferevent_free(r->bev);
	}
	r->bev = NULL;
	redis_proto_free(r->proto);
	r->proto = NULL;
	r->epoch++;
}

/* Half to all of the back-off, which doubles. */
static void
wait_and_dial(struct redis *r)
{
	uint32_t dice;

	random_bytes(&dice, sizeof(dice));
	r->stage = STAGE_WAITING;
	set_timer(r, r->backoff_us / 2 + dice % (uint32_t)(r->backoff_us / 2));
	r->backoff_us *= 2;
	if (r->backoff_us > BACKOFF_MAX_US)
		r->backoff_us = BACKOFF_MAX_US;
}

static void
tell_down(struct redis *r, const char *reason)
{
	if (r->judged && r->stage != STAGE_READY && strcmp(r->reason, reason) == 0)
		return;
	snprintf(r->reason, sizeof(r->reason), "%s", reason);
	log_event(LOG_WARN, "redis.down", LF_S("server", r->server), LF_S("reason", reason));
}

/* Any trouble ends here: the connection goes, everybody who waits gets NULL, we try again later. */
static void
drop(struct redis *r, const char *reason)
{
	size_t waiting = r->queue.n;

	tell_down(r, reason);
	if (r->away_since_us == 0)
		r->away_since_us = clock_mono_us();
	if (r->stage == STAGE_READY &&
	    (r->useful || clock_mono_us() - r->ready_us > BACKOFF_MAX_US))
		r->backoff_us = BACKOFF_MIN_US;
	r->judged = true;
	hang_up(r);
	wait_and_dial(r);
	while (waiting-- > 0) {
		struct redis_pending p = redis_queue_pop(&r->queue);

		r->figures.failures += !p.ours;
		answer(&p, NULL);
	}
}

/* --- replies ------------------------------------------------------------------------------------- */

/* The SHA-1 of a script, by the address of its text. */
static const char *
script_sha(struct redis *r, const char *text)
{
	uint8_t sha[SHA1_LEN];
	struct script *s;
	size_t i;

	for (i = 0; i < r->nscripts; i++)
		if (r->scripts[i].text == text)
			return r->scripts[i].sha;
	/* More scripts than the program has: the last place is shared. */
	s = &r->scripts[r->nscripts < SCRIPTS_MAX ? r->nscripts++ : SCRIPTS_MAX - 1];
	s->text = text;
	digest_sha1(slice_of(text), sha);
	hex_text(sha, sizeof(sha), s->sha);
	return s->sha;
}

static void
send_call(struct redis *r, struct redis_pending *p)
{
	struct redis_call *c = p->call;
	struct slice *argv = xcalloc((size_t)c->argc + 2, sizeof(*argv));

	argv[0] = c->whole ? SLICE_LIT("EVAL") : SLICE_LIT("EVALSHA");
	argv[1] = slice_of(c->whole ? c->script : script_sha(r, c->script));
	memcpy(&argv[2], c->argv, (size_t)c->argc * sizeof(*argv));
	send_words(r, p, c->argc + 2, argv);
	free(argv);
}

static void
become_ready(struct redis *r)
{
	r->stage = STAGE_READY;
	r->judged = true;
	r->useful = false;
	r->ready_us = clock_mono_us();
	r->away_since_us = 0;
	r->reason[0] = r->complaint[0] = '\0';
	r->figures.reconnects++;
	event_del(r->timer);
	r->armed = false;
	log_event(LOG_INFO, "redis.up", LF_S("server", r->server));
}

/* As much of an error's text as goes into a log line. */
static struct slice
short_of(struct slice text)
{
	return slice_from(text.p, text.n < 100 ? text.n : 100);
}

/* An error that concerns one command is the caller's; it is logged when it is not the last one again. */
static void
log_refusal(struct redis *r, struct slice text)
{
	char now[sizeof(r->complaint)];

	snprintf(now, sizeof(now), "%.*s", SLICE_ARG(short_of(text)));
	if (strcmp(now, r->complaint) == 0)
		return;
	memcpy(r->complaint, now, sizeof(now));
	log_event(LOG_WARN, "redis.error", LF_S("server", r->server), LF_S("error", now));
}

/* The greeting: every answer must be OK; the last one opens the circuit. */
static void
take_greeting(struct redis *r, const struct redis_reply *reply)
{
	char reason[sizeof(r->reason)];

	if (reply->kind == REDIS_STATUS && slice_is(reply->text, "OK")) {
		redis_queue_pop(&r->queue);
		if (r->queue.n == 0)
			become_ready(r);
		return;
	}
	if (redis_queue_oldest(&r->queue)->secret)
		/* Not the whole text: some errors repeat the words of the command. */
		snprintf(reason, sizeof(reason), "%.*s: AUTH was refused",
		    SLICE_ARG(short_of(redis_proto_word(reply))));
	else if (reply->kind == REDIS_ERROR)
		snprintf(reason, sizeof(reason), "%.*s", SLICE_ARG(short_of(reply->text)));
	else
		snprintf(reason, sizeof(reason), "this is no Redis: an unexpected answer");
	drop(r, reason);
}

static void
take_reply(struct redis *r, const struct redis_reply *reply)
{
	struct redis_pending p;
	char reason[sizeof(r->reason)];

	if (r->queue.n == 0) {
		drop(r, "an answer that nobody asked for");
		return;
	}
	if (redis_queue_oldest(&r->queue)->ours) {
		take_greeting(r, reply);
		return;
	}
	if (redis_proto_unfit(reply)) {
		snprintf(reason, sizeof(reason), "%.*s", SLICE_ARG(short_of(reply->text)));
		drop(r, reason);
		return;
	}
	p = redis_queue_pop(&r->queue);
	if (r->stats != NULL && !p.excused)
		stats_observe(r->stats, STAT_REDIS_TRIP, NULL,
		    clock_mono_us() - (p.due_us - r->command_us));
	if (p.call != NULL && !p.call->whole && slice_is(redis_proto_word(reply), "NOSCRIPT")) {
		p.call->whole = true;
		p.excused = false;
		send_call(r, &p);
		return;
	}
	if (reply->kind == REDIS_ERROR)
		log_refusal(r, reply->text);
	else
		r->useful = true;
	answer(&p, reply);
}

/* Take all replies that have come. Returns false when the connection is gone. */
static bool
take_input(struct redis *r)
{
	struct evbuffer *in = bufferevent_get_input(r->bev);
	const struct redis_reply *reply;
	unsigned epoch = r->epoch;
	struct err e = ERR_INIT;
	struct evbuffer_iovec v;
	int rc;

	while (evbuffer_peek(in, -1, NULL, &v, 1) > 0 && v.iov_len > 0) {
		rc = redis_proto_feed(r->proto, slice_from(v.iov_base, v.iov_len), &e);
		evbuffer_drain(in, v.iov_len);
		while (rc == 0 && (rc = redis_proto_next(r->proto, &reply, &e)) > 0) {
			take_reply(r, reply);
			if (r->epoch != epoch)
				return false;
			rc = 0;
		}
		if (rc < 0) {
			drop(r, e.reason);
			return false;
		}
	}
	return true;
}

/* --- events -------------------------------------------------------------------------------------- */

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	take_input(arg);
}

/* Connected: who we are, which database, and a write that shows whether we may count on this server
 * (a replica, a full one or one that is still loading answers an error). */
static void
greet(struct redis *r)
{
	struct redis_pending p = { .ours = true };
	struct strbuf key = STRBUF_INIT, db = STRBUF_INIT;
	struct slice auth[3] = { SLICE_LIT("AUTH") };
	int n = 1;

	if (r->user != NULL)
		auth[n++] = slice_of(r->user);
	if (r->password != NULL) {
		auth[n++] = slice_of(r->password);
		p.secret = true;
		send_words(r, &p, n, auth);
		p.secret = false;
		secret_wipe(r->out.p, r->out.n);
	}
	if (r->address.db != 0) {
		strbuf_addf(&db, "%u", r->address.db);
		send_words(r, &p, 2, (struct slice[]){ SLICE_LIT("SELECT"), strbuf_slice(&db) });
	}
	strbuf_addf(&key, "%sready", r->prefix);
	send_words(r, &p, 5, (struct slice[]){ SLICE_LIT("SET"), strbuf_slice(&key), SLICE_LIT("1"),
	    SLICE_LIT("PX"), SLICE_LIT("1000") });
	strbuf_fini(&key);
	strbuf_fini(&db);
}

static void
on_connected(struct redis *r)
{
	int on = 1;

	if (r->address.path[0] == '\0')		/* or small commands wait for acknowledgements */
		setsockopt(bufferevent_getfd(r->bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	greet(r);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct redis *r = arg;
	struct err e = ERR_INIT;
	int code = EVUTIL_SOCKET_ERROR(), dns = bufferevent_socket_get_dns_error(bev);

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		on_connected(r);
		return;
	}
	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0 && !take_input(r))
		return;
	if (r->why != NULL && r->address.tls)
		r->why(bev, what, &e);
	else if (dns != 0)
		err_set(&e, ERR_IO, "%s: %s", r->address.host, evutil_gai_strerror(dns));
	else if ((what & BEV_EVENT_EOF) != 0 || code == 0)
		err_set(&e, ERR_IO, "the connection was closed");
	else
		err_set(&e, ERR_IO, "%s", evutil_socket_error_to_string(code));
	drop(r, e.reason);
}

/* The oldest command was due. If we ourselves were too busy to look, it gets its time once more. */
static void
check_oldest(struct redis *r, int64_t now)
{
	struct redis_pending *p;

	r->armed = true;	/* whatever is sent meanwhile: this function sets the timer */
	if (!take_input(r))
		return;
	r->armed = false;
	if (r->queue.n == 0)
		return;
	p = redis_queue_oldest(&r->queue);
	if (p->due_us <= now && now - r->fires_us > LATE_US && !p->excused) {
		p->excused = true;
		p->due_us = now + r->command_us;
	}
	if (p->due_us > now) {
		set_timer(r, p->due_us - now);
		return;
	}
	r->figures.timeouts++;
	drop(r, "no answer in time");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;

	(void)fd;
	(void)what;
	r->armed = false;
	switch (r->stage) {
	case STAGE_WAITING:
		dial(r);
		break;
	case STAGE_CONNECTING:
		drop(r, "no connection in time");
		break;
	case STAGE_READY:
		check_oldest(r, clock_mono_us());
		break;
	}
}

static void
dial(struct redis *r)
{
	struct err e = ERR_INIT;

	r->stage = STAGE_CONNECTING;
	r->bev = redis_dial(r->base, &r->dns, &r->address, r->tls, r->tls_ctx, &e);
	if (r->bev == NULL) {
		drop(r, e.reason);
		return;
	}
	r->proto = redis_proto_new(r->reply_max);
	bufferevent_setcb(r->bev, on_read, NULL, on_event, r);
	bufferevent_enable(r->bev, EV_READ | EV_WRITE);
	set_timer(r, r->connect_us);
}

/* --- the module ---------------------------------------------------------------------------------- */

static char *
copy(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

/* The first line of the file. */
static int
read_password(struct redis *r, const char *path, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	struct slice rest, line;
	int rc = -1;

	if (file_read(path, PASSWORD_MAX, &text, e) < 0)
		goto done;
	rest = strbuf_slice(&text);
	line = slice_trim(slice_cut(&rest, '\n'));
	if (line.n == 0) {
		err_set(e, ERR_CONFIG, "%s: no password in the first line", path);
		goto done;
	}
	r->password = xstrndup(line.p, line.n);
	rc = 0;
done:
	secret_wipe(text.p, text.cap);
	strbuf_fini(&text);
	return rc;
}

struct redis *
redis_new(struct event_base *base, const struct redis_conf *conf, redis_tls_fn *tls, void *tls_ctx,
    struct err *e)
{
	struct redis *r = xcalloc(1, sizeof(*r));

	if (redis_address_parse(conf->url, &r->address, e) < 0)
		goto bad;
	if (r->address.tls && tls == NULL) {
		err_set(e, ERR_UNSUPPORTED, "%s: no TLS here", conf->url);
		goto bad;
	}
	if (conf->user != NULL && conf->password_file == NULL) {
		err_set(e, ERR_CONFIG, "redis: `user` needs a `password-file`");
		goto bad;
	}
	if (conf->password_file != NULL && read_password(r, conf->password_file, e) < 0)
		goto bad;
	r->base = base;
	r->tls = tls;
	r->tls_ctx = tls_ctx;
	r->server = copy(conf->url);
	r->user = copy(conf->user);
	r->prefix = copy(conf->prefix == NULL ? "" : conf->prefix);
	r->connect_us = conf->connect_us;
	r->command_us = conf->command_us;
	r->queue_max = conf->queue_max;
	r->reply_max = conf->reply_max;
	r->backoff_us = BACKOFF_MIN_US;
	r->out = (struct strbuf)STRBUF_INIT;
	r->timer = evtimer_new(base, on_timer, r);
	snprintf(r->reason, sizeof(r->reason), "connecting");
	dial(r);
	return r;
bad:
	free(r->password);
	free(r);
	return NULL;
}

void
redis_free(struct redis *r)
{
	if (r == NULL)
		return;
	hang_up(r);
	r->stage = STAGE_WAITING;	/* whoever asks in a callback gets NULL */
	while (r->queue.n > 0) {
		struct redis_pending p = redis_queue_pop(&r->queue);

		answer(&p, NULL);
	}
	event_free(r->timer);
	if (r->dns != NULL)
		evdns_base_free(r->dns, 0);
	if (r->password != NULL)
		secret_wipe(r->password, strlen(r->password));
	free(r->password);
	free(r->server);
	free(r->user);
	free(r->prefix);
	redis_queue_fini(&r->queue);
	strbuf_fini(&r->out);
	free(r);
}

void
redis_explain_with(struct redis *r, redis_why_fn *why)
{
	if (r != NULL)
		r->why = why;
}

/* No room or no server: NULL at once. */
static bool
refuse(struct redis *r, redis_cb *cb, void *arg)
{
	if (r != NULL && r->stage == STAGE_READY && r->queue.n < r->queue_max) {
		r->figures.commands++;
		return false;
	}
	if (r != NULL)
		r->figures.failures++;
	if (cb != NULL)
		cb(arg, NULL);
	return true;
}

void
redis_command(struct redis *r, int argc, const struct slice *argv, redis_cb *cb, void *arg)
{
	struct redis_pending p = { .cb = cb, .arg = arg };

	if (!refuse(r, cb, arg))
		send_words(r, &p, argc, argv);
}

void
redis_script(struct redis *r, const char *script, int nkeys, int argc, const struct slice *argv,
    redis_cb *cb, void *arg)
{
	struct redis_pending p = { .cb = cb, .arg = arg };
	char number[16];

	if (refuse(r, cb, arg))
		return;
	snprintf(number, sizeof(number), "%d", nkeys);
	p.call = redis_call_new(script, number, argc, argv);
	send_call(r, &p);
}

enum redis_state
redis_state(const struct redis *r)
{
	if (r == NULL)
		return REDIS_OFF;
	if (r->stage == STAGE_READY)
		return REDIS_UP;
	return r->judged ? REDIS_DOWN : REDIS_CONNECTING;
}

const char *
redis_state_word(enum redis_state s)
{
	static const char *const words[] = { [REDIS_OFF] = "off", [REDIS_CONNECTING] = "connecting",
	    [REDIS_UP] = "up", [REDIS_DOWN] = "down" };

	return words[s];
}

const char *
redis_reason(const struct redis *r)
{
	return r == NULL ? "not configured" : r->reason;
}

void
redis_figures(const struct redis *r, struct redis_figures *out)
{
	memset(out, 0, sizeof(*out));
	if (r == NULL)
		return;
	*out = r->figures;
	out->waiting = r->queue.n;
	out->away_us = r->away_since_us == 0 ? 0 : clock_mono_us() - r->away_since_us;
}

void
redis_count_in(struct redis *r, struct stats *stats)
{
	if (r != NULL)
		r->stats = stats;
}
