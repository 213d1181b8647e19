#include "gateway/dedup.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/dedup_local.h"

/*
 * In Redis a key is PREFIX claim: HMAC, and its value "c:TOKEN" (claimed by the process with that
 * token) or "seen". Local times are steady, Redis has its own.
 */
enum { TOKEN_BYTES = 8, TOKEN_TEXT = 2 + 2 * TOKEN_BYTES };

/* A name in Redis: prefix, kind, 32 hex digits. */
enum { PREFIX_MAX = 64 };
struct name {
	char	text[128];
};

struct question {
	TAILQ_ENTRY(question)	link;
	struct dedup		*d;		/* NULL: nobody wants the answers any more */
	dedup_cb		*cb;
	void			*arg;
	size_t			 n, open;	/* commands without an answer, and 1 while asking */
	enum dedup_answer	*answers;
	struct one		*ones;
};

struct one {
	struct question	*q;
	uint8_t		 key[DEDUP_KEY];
};

struct dedup {
	struct redis		*redis;
	struct dedup_local	*local;
	struct hmac		*hmac;
	char			*store_id, *prefix;
	size_t			 prefix_n;
	char			 token[TOKEN_TEXT + 1];
	char			 short_ms[24], long_ms[24];
	int64_t			 short_us, long_us;
	struct strbuf		 work;
	TAILQ_HEAD(questions, question) questions;
	struct dedup_figures	 figures;
};

/* Delete a claim if it is still ours. */
static const char release_script[] =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end "
    "return 0";

/* --- the module ---------------------------------------------------------------------------------- */

static void
put_ms(char out[24], int64_t us)
{
	snprintf(out, 24, "%lld", (long long)(us < 1000 ? 1 : us / 1000));
}

struct dedup *
dedup_new(struct redis *r, const struct dedup_conf *conf)
{
	struct dedup *d = xcalloc(1, sizeof(*d));
	uint8_t token[TOKEN_BYTES];

	d->redis = r;
	d->local = dedup_local_new(conf->local_max);
	d->hmac = hmac_new(conf->key);
	d->store_id = xstrndup(conf->store_id.p, conf->store_id.n);
	d->prefix = xstrdup(conf->prefix == NULL ? "" : conf->prefix);
	d->prefix_n = strnlen(d->prefix, PREFIX_MAX);
	random_bytes(token, sizeof(token));
	memcpy(d->token, "c:", 2);
	hex_text(token, sizeof(token), d->token + 2);
	d->short_us = conf->claim_short_us;
	d->long_us = conf->claim_long_us;
	put_ms(d->short_ms, d->short_us);
	put_ms(d->long_ms, d->long_us);
	d->work = (struct strbuf)STRBUF_INIT;
	TAILQ_INIT(&d->questions);
	return d;
}

void
dedup_free(struct dedup *d)
{
	struct question *q;

	if (d == NULL)
		return;
	while ((q = TAILQ_FIRST(&d->questions)) != NULL) {
		TAILQ_REMOVE(&d->questions, q, link);
		q->d = NULL;
	}
	dedup_local_free(d->local);
	hmac_free(d->hmac);
	free(d->store_id);
	free(d->prefix);
	strbuf_fini(&d->work);
	free(d);
}

void
dedup_figures(const struct dedup *d, struct dedup_figures *out)
{
	*out = d->figures;
	out->local_entries = dedup_local_count(d->local);
}

/* --- keys ---------------------------------------------------------------------------------------- */

/* HMAC of KIND | a | b, of which the first half is plenty. */
static void
make_key(struct dedup *d, const char *kind, struct slice a, struct slice b, uint8_t out[DEDUP_KEY])
{
	uint8_t mac[SHA256_LEN];

	strbuf_reset(&d->work);
	strbuf_adds(&d->work, kind);
	strbuf_addc(&d->work, '|');
	strbuf_addsl(&d->work, a);
	strbuf_addc(&d->work, '|');
	strbuf_addsl(&d->work, b);
	hmac_sha256(d->hmac, strbuf_slice(&d->work), mac);
	memcpy(out, mac, DEDUP_KEY);
}

struct dedup_key
dedup_key(struct dedup *d, struct slice what)
{
	struct dedup_key key = { .bytes = { 0 } };

	_Static_assert(sizeof(key.bytes) == DEDUP_KEY, "the local table has keys of this length");
	make_key(d, "claim", slice_of(d->store_id), what, key.bytes);
	return key;
}

static struct slice
name_of(const struct dedup *d, const char *kind, const uint8_t key[DEDUP_KEY], struct name *out)
{
	size_t kind_n = strlen(kind), n = d->prefix_n;

	memcpy(out->text, d->prefix, n);
	memcpy(out->text + n, kind, kind_n);
	n += kind_n;
	out->text[n++] = ':';
	hex_text(key, DEDUP_KEY, out->text + n);
	return slice_from(out->text, n + 2 * DEDUP_KEY);
}

static bool
is_up(const struct dedup *d, bool local_only)
{
	return !local_only && redis_state(d->redis) == REDIS_UP;
}

/* --- questions ----------------------------------------------------------------------------------- */

static struct question *
ask(struct dedup *d, size_t n, dedup_cb *cb, void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));
	size_t i;

	q->d = d;
	q->cb = cb;
	q->arg = arg;
	q->n = n;
	q->open = 1;
	q->answers = xcalloc(n + 1, sizeof(*q->answers));
	q->ones = xcalloc(n + 1, sizeof(*q->ones));
	for (i = 0; i < n; i++)
		q->ones[i].q = q;
	TAILQ_INSERT_TAIL(&d->questions, q, link);
	return q;
}

static void
count(struct dedup *d, enum dedup_answer a)
{
	switch (a) {
	case DEDUP_CLAIMED:
		d->figures.claimed++;
		break;
	case DEDUP_SEEN:
		d->figures.seen++;
		break;
	case DEDUP_BUSY:
		d->figures.busy++;
		break;
	case DEDUP_UNKNOWN:
		d->figures.unknown++;
		break;
	}
}

/* One command less is open; the last one tells. */
static void
answered(struct question *q)
{
	size_t i;

	if (--q->open > 0)
		return;
	if (q->d != NULL) {
		TAILQ_REMOVE(&q->d->questions, q, link);
		for (i = 0; i < q->n; i++)
			count(q->d, q->answers[i]);
		q->cb(q->arg, q->answers, q->n);
	}
	free(q->answers);
	free(q->ones);
	free(q);
}

static enum dedup_answer *
answer_of(const struct one *o)
{
	return &o->q->answers[o - o->q->ones];
}

/* Somebody else holds the key: which kind of holding? What Redis cannot say, the local claim says. */
static void
on_held(void *arg, const struct redis_reply *r)
{
	struct one *o = arg;
	struct dedup *d = o->q->d;

	if (d != NULL && r != NULL && r->kind == REDIS_TEXT) {
		if (slice_is(r->text, "seen")) {
			*answer_of(o) = DEDUP_SEEN;
			dedup_local_confirm(d->local, o->key, clock_mono_us() + d->long_us);
		} else {
			*answer_of(o) = DEDUP_BUSY;
			dedup_local_forget(d->local, o->key);
		}
	}
	answered(o->q);
}

/* The answer to SET NX: OK is ours, nil is somebody else's, anything else leaves the local answer. */
static void
on_set(void *arg, const struct redis_reply *r)
{
	struct one *o = arg;
	struct dedup *d = o->q->d;
	struct name name;

	if (d != NULL && r != NULL && r->kind == REDIS_NIL) {
		redis_command(d->redis, 2, (struct slice[]){ SLICE_LIT("GET"),
		    name_of(d, "claim", o->key, &name) }, on_held, o);
		return;
	}
	answered(o->q);
}

void
dedup_claim(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only, dedup_cb *cb,
    void *arg)
{
	struct question *q = ask(d, n, cb, arg);
	int64_t now = clock_mono_us();
	struct name name;
	size_t i;

	for (i = 0; i < n; i++) {
		struct one *o = &q->ones[i];

		memcpy(o->key, keys[i].bytes, sizeof(o->key));
		q->answers[i] = dedup_local_claim(d->local, o->key, now, now + d->short_us);
		if (q->answers[i] == DEDUP_SEEN || q->answers[i] == DEDUP_BUSY ||
		    !is_up(d, local_only))
			continue;
		q->open++;
		redis_command(d->redis, 6, (struct slice[]){ SLICE_LIT("SET"),
		    name_of(d, "claim", o->key, &name), slice_of(d->token), SLICE_LIT("NX"),
		    SLICE_LIT("PX"), slice_of(d->short_ms) }, on_set, o);
	}
	answered(q);
}

void
dedup_confirm(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only)
{
	int64_t until = clock_mono_us() + d->long_us;
	struct name name;
	size_t i;

	for (i = 0; i < n; i++) {
		dedup_local_confirm(d->local, keys[i].bytes, until);
		if (is_up(d, local_only))
			redis_command(d->redis, 5, (struct slice[]){ SLICE_LIT("SET"),
			    name_of(d, "claim", keys[i].bytes, &name), SLICE_LIT("seen"), SLICE_LIT("PX"),
			    slice_of(d->long_ms) }, NULL, NULL);
	}
}

void
dedup_release(struct dedup *d, const struct dedup_key *keys, size_t n, bool local_only)
{
	int64_t now = clock_mono_us();
	struct name name;
	size_t i;

	for (i = 0; i < n; i++) {
		if (dedup_local_release(d->local, keys[i].bytes, now) && is_up(d, local_only))
			redis_script(d->redis, release_script, 1, 2, (struct slice[]){
			    name_of(d, "claim", keys[i].bytes, &name), slice_of(d->token) }, NULL, NULL);
	}
}

void
dedup_forget(struct dedup *d, const struct dedup_key *keys, size_t n)
{
	struct name name;
	size_t i;

	for (i = 0; i < n; i++) {
		dedup_local_forget(d->local, keys[i].bytes);
		if (is_up(d, false))
			redis_command(d->redis, 2, (struct slice[]){ SLICE_LIT("DEL"),
			    name_of(d, "claim", keys[i].bytes, &name) }, NULL, NULL);
	}
}

/* --- sent ---------------------------------------------------------------------------------------- */

/* What stands under a sent key: only who holds the federation's key can write it, so a lying Redis can
 * make us send twice, never make us not send. */
static void
seal_of(struct dedup *d, const struct one *o, char seal[2 * DEDUP_KEY + 1])
{
	uint8_t mac[DEDUP_KEY];

	make_key(d, "mark", slice_from(o->key, sizeof(o->key)), SLICE_EMPTY, mac);
	hex_text(mac, sizeof(mac), seal);
}

/* The answer to GET or SET NX of a sent key. */
static void
on_sent(void *arg, const struct redis_reply *r)
{
	struct one *o = arg;
	struct dedup *d = o->q->d;
	enum dedup_answer *a = answer_of(o);
	char seal[2 * DEDUP_KEY + 1];

	if (d == NULL || r == NULL || r->kind == REDIS_ERROR) {
		*a = DEDUP_UNKNOWN;
	} else {
		seal_of(d, o, seal);
		*a = r->kind == REDIS_TEXT && slice_is(r->text, seal) ? DEDUP_SEEN : DEDUP_CLAIMED;
	}
	if (d != NULL && *a == DEDUP_SEEN)
		dedup_local_confirm(d->local, o->key, clock_mono_us() + d->long_us);
	answered(o->q);
}

/* The answer to SET NX: nil says that the key was there. */
static void
on_marked(void *arg, const struct redis_reply *r)
{
	static const struct redis_reply away = { .kind = REDIS_NIL };
	const struct one *o = arg;
	struct redis_reply there = { .kind = REDIS_TEXT };
	char seal[2 * DEDUP_KEY + 1] = "";

	if (o->q->d != NULL)
		seal_of(o->q->d, o, seal);
	there.text = slice_of(seal);
	if (r != NULL && r->kind == REDIS_NIL)
		r = &there;
	else if (r != NULL && r->kind == REDIS_STATUS)
		r = &away;
	else
		r = NULL;
	on_sent(arg, r);
}

void
dedup_sent(struct dedup *d, struct slice peer_pin, struct slice fp, bool mark, dedup_cb *cb,
    void *arg)
{
	struct question *q = ask(d, 1, cb, arg);
	struct one *o = &q->ones[0];
	int64_t now = clock_mono_us();
	struct name name = { "" };
	char seal[2 * DEDUP_KEY + 1];
	struct slice key;

	make_key(d, "sent", peer_pin, fp, o->key);
	q->answers[0] = dedup_local_look(d->local, o->key, now);
	if (mark)
		dedup_local_confirm(d->local, o->key, now + d->long_us);
	if (q->answers[0] != DEDUP_SEEN && d->redis != NULL) {
		q->open++;
		key = name_of(d, "sent", o->key, &name);
		seal_of(d, o, seal);
		if (mark)
			redis_command(d->redis, 6, (struct slice[]){ SLICE_LIT("SET"), key,
			    slice_of(seal), SLICE_LIT("NX"), SLICE_LIT("PX"),
			    slice_of(d->long_ms) }, on_marked, o);
		else
			redis_command(d->redis, 2, (struct slice[]){ SLICE_LIT("GET"), key },
			    on_sent, o);
	}
	answered(q);
}
