#include "adapters/taxii_push.h"

#include <event2/event.h>
#include <stdlib.h>

#include "adapters/delivery_refusals.h"
#include "adapters/peer_call.h"
#include "adapters/taxii_client.h"
#include "formats/stix20_serve.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/gateway.h"

#define SECOND	INT64_C(1000000)
#define PENDING_MAX_US	(600 * SECOND)		/* then the delivery is tried again: no harm, it is known */

enum { PAUSE_MIN_MS = 250, PAUSE_MAX_S = 30, BODY_ROOM = 256, ANSWER_MAX = 16 << 20 };

/* One delivery under way. */
struct push {
	struct pusher		*by;
	const struct delivery	*d;
	delivery_done_cb	*done;
	void			*arg;
	struct arena		*mem;
	const char		**refused;	/* parallel to the items */
	/* ... of what is said in STIX 2.0, and its ids; NULL: nothing is */
	struct slice		*text, *sent_as;
	struct delivery_account	 account;	/* ... and what became of its fields */
	size_t			 at, end;	/* the piece in hand: items [at, end) */
	size_t			 most;		/* items in a piece; 0: as many as fit */
	int64_t			 began_us, pending_us;
	int64_t			 pause_us;	/* before the next look at the status */
	char			*status_id;
};

struct pusher {
	struct taxii_pushes	*all;
	char			*name;		/* of the peer */
	struct taxii_client	*client;
	struct event		*timer;
	struct push		*push;
	bool			 old;		/* goes with its delivery */
	struct pusher		*next;
};

struct taxii_pushes {
	struct gateway	*g;
	struct pusher	*v;
};

static void	next_piece(struct push *s);

/* ---- life ---- */

struct taxii_pushes *
taxii_pushes_new(struct gateway *g)
{
	struct taxii_pushes *p = xcalloc(1, sizeof(*p));

	p->g = g;
	return p;
}

static void
pusher_free(struct pusher *by)
{
	struct pusher **at = &by->all->v;

	while (*at != by)
		at = &(*at)->next;
	*at = by->next;
	if (by->push != NULL)
		arena_free(by->push->mem);
	taxii_client_free(by->client);
	event_free(by->timer);
	free(by->name);
	free(by);
}

void
taxii_pushes_free(struct taxii_pushes *p)
{
	while (p != NULL && p->v != NULL)
		pusher_free(p->v);
	free(p);
}

void
taxii_pushes_reload(struct taxii_pushes *p)
{
	struct pusher *next;

	for (struct pusher *by = p->v; by != NULL; by = next) {
		next = by->next;
		by->old = true;
		if (by->push == NULL)
			pusher_free(by);
	}
}

/* ---- the end of a delivery ---- */

static void
finish(struct push *s, const struct delivery_answer *a)
{
	struct pusher *by = s->by;
	delivery_done_cb *done = s->done;
	void *arg = s->arg;
	struct arena *mem = s->mem;

	by->push = NULL;
	evtimer_del(by->timer);
	done(arg, a);
	arena_free(mem);
	if (by->old)
		pusher_free(by);
}

/* NULL: it goes as it is. */
static const struct delivery_account *
account_of(const struct push *s)
{
	return s->account.format == NULL ? NULL : &s->account;
}

/* More of it would be lost than may be: nothing of it goes. */
static void
refuse_loss(struct push *s, const struct err *e)
{
	const struct delivery_answer a = {
		.result = DELIVERY_FINAL, .code = "LOSS", .account = account_of(s),
		.reason = arena_fmt(s->mem, "as stix20 %s", e->reason),
	};

	finish(s, &a);
}

/* What is before the piece in hand has been taken, whatever becomes of the rest. */
static void
give_up(struct push *s, enum delivery_result result, int64_t retry_after_us, const char *why)
{
	const struct delivery_answer a = {
		.result = result, .retry_after_us = retry_after_us, .reason = why,
		.taken = s->at, .refused = s->refused, .account = account_of(s),
	};

	taxii_client_lose(s->by->client);	/* rights, names and limits may be others next time */
	finish(s, &a);
}

static void
succeed(struct push *s)
{
	const struct delivery_answer a = {
		.result = DELIVERED, .refused = s->refused, .took_us = clock_mono_us() - s->began_us,
		.account = account_of(s),
	};

	finish(s, &a);
}

/* ---- smaller pieces ---- */

/* Nothing of the piece is said to be taken: halve it, or give the one object up. */
static void
narrow(struct push *s, const char *why)
{
	size_t n = s->end - s->at;

	if (n > 1) {
		s->most = n / 2;
	} else {
		s->refused[s->at] = arena_fmt(s->mem, "the peer refused it: %s", why);
		s->at = s->end;		/* the next may be refused too: pieces grow with what is taken */
	}
	next_piece(s);
}

/* The server takes less than we thought: has it changed its mind, or did we never know? */
static void
on_root(void *arg, const struct taxii_answer *a)
{
	struct push *s = arg;

	if (a->failure != NULL)
		give_up(s, DELIVERY_RETRY, a->failure->retry_after_us, a->failure->words);
	else
		narrow(s, "it is larger than the server takes");
}

/* ---- answers ---- */

static void
look_again(struct push *s)
{
	struct timeval tv = { s->pause_us / SECOND, s->pause_us % SECOND };

	evtimer_add(s->by->timer, &tv);
	s->pause_us = s->pause_us * 2 < PAUSE_MAX_S * SECOND ? s->pause_us * 2 : PAUSE_MAX_S * SECOND;
}

static void
on_pending(struct push *s, const struct taxii_status *status)
{
	if (clock_mono_us() - s->pending_us > PENDING_MAX_US) {
		give_up(s, DELIVERY_RETRY, 0, "the peer has not finished storing it yet");
		return;
	}
	if (status->id[0] == '\0' && s->status_id == NULL) {
		give_up(s, DELIVERY_RETRY, 0, "the peer says `pending`, and not under which status");
		return;
	}
	if (s->status_id == NULL)
		s->status_id = arena_str(s->mem, slice_of(status->id));
	look_again(s);
}

/* A status says what became of the piece. */
static void
on_status(struct push *s, const struct taxii_status *status)
{
	size_t named;

	if (!status->complete) {
		on_pending(s, status);
		return;
	}
	s->status_id = NULL;
	named = delivery_refusals(s->d, s->sent_as, s->at, s->end, status, s->mem, s->refused);
	if (status->failure > 0 && named < (size_t)status->failure) {
		/* which ones, it does not say: what it took a second time is no harm */
		narrow(s, "it does not say why");
		return;
	}
	s->at = s->end;
	s->most = s->most > 0 ? s->most * 2 : 0;
	next_piece(s);
}

static void
on_refused(struct push *s, const struct taxii_failure *f)
{
	if (f->http == 413)
		taxii_client_root(s->by->client, on_root, s);
	else if (f->http == 400 || f->http == 422)
		narrow(s, f->words);
	else
		give_up(s, DELIVERY_RETRY, f->retry_after_us, f->words);
}

static void
on_answer(void *arg, const struct taxii_answer *a)
{
	struct push *s = arg;

	if (a->failure != NULL)
		on_refused(s, a->failure);
	else
		on_status(s, a->status);
}

/* A status that cannot be had right now is asked for again, as long as it may be pending. */
static void
on_looked(void *arg, const struct taxii_answer *a)
{
	struct push *s = arg;
	const struct taxii_failure *f = a->failure;

	if (f == NULL) {
		on_status(s, a->status);
		return;
	}
	if (f->http == 404 || f->http == 410 || f->http == 401 || f->http == 403 ||
	    f->retry_after_us > PENDING_MAX_US || clock_mono_us() - s->pending_us > PENDING_MAX_US) {
		give_up(s, DELIVERY_RETRY, f->retry_after_us, f->words);
		return;
	}
	if (f->retry_after_us > s->pause_us)
		s->pause_us = f->retry_after_us;
	look_again(s);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pusher *by = arg;

	(void)fd;
	(void)what;
	if (by->push != NULL && by->push->status_id != NULL)
		taxii_client_status(by->client, by->push->status_id, on_looked, by->push);
}

/* ---- pieces ---- */

/* How many octets of objects a body may have. */
static size_t
room_of(const struct push *s)
{
	uint64_t max = taxii_client_max_content(s->by->client);

	if (max == 0 || max > SIZE_MAX / 2)
		return SIZE_MAX / 2;
	return max > BODY_ROOM ? (size_t)max - BODY_ROOM : 1;
}

/* What is sent of an item. */
static struct slice
text_of(const struct push *s, size_t i)
{
	return s->text != NULL ? s->text[i] : s->d->items[i].row.bytes;
}

/* Say all items in STIX 2.0, each with what it refers to as far as the delivery has it. */
static void
say_in_20(struct push *s)
{
	struct stix20_shelf *shelf = stix20_shelf_new(s->mem);
	struct strbuf b = STRBUF_INIT;
	size_t n = s->d->n;
	struct loss loss;

	loss_init(&loss, NULL);
	s->text = arena_alloc(s->mem, (n + 1) * sizeof(*s->text));
	s->sent_as = arena_alloc(s->mem, (n + 1) * sizeof(*s->sent_as));
	for (size_t i = 0; i < n; i++)
		stix20_shelf_add(shelf, s->d->items[i].row.bytes);
	for (size_t i = 0; i < n; i++) {
		const struct store_row *row = &s->d->items[i].row;

		s->text[i] = row->bytes;
		s->sent_as[i] = row->id;
		strbuf_reset(&b);
		if (slice_is(row->spec_version, "2.0") ||
		    !stix20_shelf_write(shelf, i, row->version, &b))
			continue;
		stix20_shelf_account(shelf, &loss);
		s->text[i] = arena_slice(s->mem, strbuf_slice(&b));
		s->sent_as[i] = stix20_served_id(s->mem, row->id, row->bytes);
	}
	strbuf_fini(&b);
	s->account.format = "stix20";
	for (int i = 0; i < LOSS_KINDS; i++)
		s->account.loss[i] = loss.count[i];
}

/* Refuse for ourselves what can never be taken. */
static const char *
unfit(const struct push *s, size_t i, size_t room)
{
	const struct store_row *row = &s->d->items[i].row;

	if (taxii_client_version(s->by->client) == TAXII_20 && s->text == NULL &&
	    !slice_is(row->spec_version, "2.0"))
		return "the peer speaks TAXII 2.0, which carries STIX 2.0 alone (serve-as stix20 says the "
		    "others in its words)";
	if (text_of(s, i).n >= room)		/* as fill() counts: each with a comma */
		return arena_fmt(s->mem, "it has %zu bytes, and the peer takes %zu at once",
		    text_of(s, i).n, room);
	return NULL;
}

/* Put items into the body as long as they fit; sets end. True if there is anything in it. */
static bool
fill(struct push *s, struct strbuf *body)
{
	size_t room = room_of(s), used = 0, n = 0;

	for (; s->at < s->d->n; s->at++)	/* what is lost at the beginning is behind us */
		if (s->refused[s->at] == NULL && (s->refused[s->at] = unfit(s, s->at, room)) == NULL)
			break;
	for (s->end = s->at; s->end < s->d->n && (s->most == 0 || n < s->most); s->end++) {
		struct slice bytes = text_of(s, s->end);

		if (s->refused[s->end] != NULL || (s->refused[s->end] = unfit(s, s->end, room)) != NULL)
			break;			/* a piece is whole: it ends before what is not sent */
		if (used + bytes.n + 1 > room)
			break;
		used += bytes.n + 1;
		strbuf_adds(body, n++ > 0 ? "," : "");
		strbuf_addsl(body, bytes);
	}
	return n > 0;
}

static void
next_piece(struct push *s)
{
	struct taxii_client *c = s->by->client;
	struct strbuf body = STRBUF_INIT;

	taxii_client_open_body(c, &body);
	if (!fill(s, &body)) {
		strbuf_fini(&body);
		succeed(s);
		return;
	}
	taxii_client_close_body(c, &body);
	s->pause_us = PAUSE_MIN_MS * 1000;
	s->pending_us = clock_mono_us();
	s->status_id = NULL;
	taxii_client_post(c, &body, NULL, on_answer, s);
	strbuf_fini(&body);
}

static void
on_found(void *arg, const struct taxii_answer *a)
{
	struct push *s = arg;
	struct err e = ERR_INIT;

	if (a->failure != NULL) {
		give_up(s, DELIVERY_RETRY, a->failure->retry_after_us, a->failure->words);
	} else if (!a->chosen->can_write) {
		give_up(s, DELIVERY_RETRY, 0, "the server says that we may not write to this collection");
	} else {
		if (s->d->peer->serve_stix20 && taxii_client_version(s->by->client) == TAXII_20)
			say_in_20(s);
		if (loss_is_beyond(&s->d->peer->refuse_loss_out, s->account.loss, &e))
			refuse_loss(s, &e);
		else
			next_piece(s);
	}
}

/* ---- sending ---- */

static struct pusher *
pusher_of(struct taxii_pushes *p, const struct peer *peer, struct err *e)
{
	const struct peer_caller by = { .base = p->g->base, .config = p->g->config,
		.credentials = p->g->credentials };
	struct taxii_client *client;
	struct pusher *x;

	for (x = p->v; x != NULL; x = x->next)
		if (!x->old && x->push == NULL && strcmp(x->name, peer->name) == 0)
			return x;
	client = peer_call_taxii(&by, peer, peer->collection, ANSWER_MAX, e);
	if (client == NULL)
		return NULL;
	x = xcalloc(1, sizeof(*x));
	x->all = p;
	x->name = xstrdup(peer->name);
	x->client = client;
	x->timer = evtimer_new(p->g->base, on_timer, x);
	x->next = p->v;
	p->v = x;
	return x;
}

void
taxii_pushes_send(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg)
{
	struct taxii_pushes *p = ctx;
	struct err e = ERR_INIT;
	struct pusher *by = pusher_of(p, d->peer, &e);
	struct arena *mem;

	if (by == NULL) {
		const struct delivery_answer a = { .result = DELIVERY_RETRY, .reason = e.reason };

		done(arg, &a);
		return;
	}
	mem = arena_new();
	by->push = arena_alloc(mem, sizeof(*by->push));
	*by->push = (struct push){ .by = by, .d = d, .done = done, .arg = arg, .mem = mem,
		.refused = arena_alloc(mem, (d->n + 1) * sizeof(const char *)),
		.began_us = clock_mono_us() };
	taxii_client_find(by->client, on_found, by->push);
}
