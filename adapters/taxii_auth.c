#include "adapters/taxii_auth.h"

#include <arpa/inet.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/consumer_books.h"
#include "gateway/credentials.h"
#include "gateway/gateway.h"
#include "gateway/limiter.h"
#include "gateway/stats.h"
#include "gateway/test_token.h"
#include "gateway/translate.h"

enum { CREDENTIAL_MAX = 4096, RETRY_US = 1000000 };

/* "user:password" out of base64; the first colon splits (RFC 7617). */
static bool
split_basic(struct slice text, struct strbuf *raw, struct slice *user, struct slice *password)
{
	struct slice rest;

	if (text.n > CREDENTIAL_MAX || !base64_decode(text, false, raw))
		return false;
	rest = strbuf_slice(raw);
	if (utf8_bad_at(rest) != rest.n || memchr(rest.p, ':', rest.n) == NULL)
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] < ' ' || rest.p[i] == 0x7f)
			return false;
	*user = slice_cut(&rest, ':');
	*password = rest;
	return user->n > 0;
}

/* One question who somebody is, until it is answered. */
struct login {
	struct gateway		*g;
	taxii_auth_cb		*cb;
	void			*arg;
	const char		*request, *remote;	/* for the log */
	const struct peer	*by_pin;
	const char		*by_header;	/* whose token stands in the header for that; or NULL */
	bool			 test;		/* by a token of `tocsin consumer test` */
	const char		*named;		/* a name of trust.conf that was tried; NULL: none */
	struct strbuf		 secret;	/* what `user` and `password` lie in; wiped */
	struct slice		 user, password;	/* user.n 0: it was no password, or nonsense */
	struct slice		 here, everywhere;	/* buckets of this address */
};

/* An address as a guesser: one of a /64 is all of it. */
static const char *
guesser(struct arena *mem, const char *remote)
{
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, remote, &a) != 1)
		return arena_str(mem, slice_of(remote));
	memset(a.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &a, text, sizeof(text));
	return arena_fmt(mem, "%s/64", text);
}

static const struct peer *
peer_of_pin(const struct gateway *g, const char *hex)
{
	uint8_t pin[SHA256_LEN];

	return hex != NULL && hex_decode(slice_of(hex), pin, sizeof(pin)) ?
	    trust_by_pin(g->trust, pin) : NULL;
}

static void
answer(struct login *l, enum taxii_auth what, const struct peer *peer, int64_t wait_us)
{
	if (what == TAXII_AUTH_WHO) {
		stats_add(l->g->stats, STAT_LOGIN_FAILED, NULL, 1);
		log_event(LOG_WARN, "login.failed", LF_S("request", l->request),
		    LF_S("remote", l->remote));
		if (l->named != NULL)
			consumer_books_login(l->g->books, l->named, l->remote);
	}
	secret_wipe(l->secret.p, l->secret.cap);
	strbuf_fini(&l->secret);
	l->cb(l->arg, what, peer, wait_us);
}

/* The secret was right. A certificate and all headers must name the same one (hardening: one identity a
 * request), and a peer is known by its pin alone (rulings 26): a stolen token opens no inbox. */
static void
answer_name(struct login *l, const char *name)
{
	const struct peer *p = trust_find(l->g->trust, slice_of(name));
	enum taxii_auth yes = l->test ? TAXII_AUTH_TEST : TAXII_AUTH_OK;
	bool good = p != NULL && (p == l->by_pin || (l->by_pin == NULL && p->is_consumer)) &&
	    (l->by_header == NULL || strcmp(l->by_header, name) == 0);

	answer(l, good ? yes : TAXII_AUTH_WHO, good ? p : NULL, 0);
}

/* What this process allows by itself: while Redis holds the sum of all, as much; else its share. */
static struct limit
local_limit(const struct gateway *g)
{
	struct limit limit = g->config->limits.guesses;
	unsigned n = g->nworkers > 1 && redis_state(g->redis) != REDIS_UP ? g->nworkers : 1;

	limit.per_second /= n;
	limit.burst = (limit.burst + n - 1) / n;
	return limit;
}

static void
give_back(struct login *l)
{
	limiter_refund_local(l->g->limiter, l->here, local_limit(l->g), 1);
	limiter_refund(l->g->limiter, l->everywhere, l->g->config->limits.guesses, 1);
}

/* The password has been hashed. The files may have been read anew meanwhile: today's count. */
static void
on_hashed(void *arg, const struct password_key *key)
{
	struct login *l = arg;
	const char *name;

	if (key == NULL) {
		give_back(l);
		answer(l, TAXII_AUTH_BUSY, NULL, RETRY_US);
		return;
	}
	name = credentials_derived(l->g->credentials, l->user, l->password, key, clock_wall_us());
	if (name == NULL) {
		answer(l, TAXII_AUTH_WHO, NULL, 0);
		return;
	}
	give_back(l);
	answer_name(l, name);
}

/* All nodes together have allowed one guess more, or not. */
static void
on_allowed(void *arg, struct limiter_answer a)
{
	struct login *l = arg;
	char recipe[PASSWORD_RECIPE];

	if (!a.allowed) {
		answer(l, TAXII_AUTH_SLOW, NULL, a.wait_us);
	} else if (l->user.n == 0) {
		answer(l, TAXII_AUTH_WHO, NULL, 0);
	} else {
		credentials_recipe(l->g->credentials, l->user, recipe);
		translate_hash(l->g->translate, l->password, recipe, on_hashed, l);
	}
}

/* A guess is taken from the budgets of its address before it is looked at, and given back if it was
 * right: of what this process has seen, which holds whatever happens, and of what all nodes have seen
 * that share a Redis. */
static void
guess(struct login *l, struct arena *mem)
{
	const char *who = guesser(mem, l->remote);
	struct limiter_answer a;

	l->here = slice_of(arena_fmt(mem, "guess:%s", who));
	l->everywhere = slice_of(arena_fmt(mem, "guesses:%s", who));
	a = limiter_take_local(l->g->limiter, l->here, local_limit(l->g), 1);
	if (!a.allowed)
		answer(l, TAXII_AUTH_SLOW, NULL, a.wait_us);
	else
		limiter_take(l->g->limiter, l->everywhere, l->g->config->limits.guesses, 1,
		    on_allowed, l);
}

/* Whose name is tried: a failure is told in that book. */
static void
note_name(struct login *l, struct arena *mem)
{
	const struct peer *p = trust_find(l->g->trust, l->user);

	if (p != NULL)
		l->named = arena_str(mem, slice_of(p->name));
}

/* `tocsin consumer test` asks in the place of a consumer: as its token, or as its password. */
static const char *
test_name(struct login *l, struct slice token, struct slice user, struct arena *mem)
{
	const char *name = test_token_name(l->g->keys, token, clock_wall_us(), mem);

	l->user = SLICE_EMPTY;		/* nothing to be hashed */
	l->test = name != NULL && (user.n == 0 || slice_is(user, name));
	return l->test ? name : NULL;
}

/* Who is known without any cost: by a token, or by a password that was right a moment ago. */
static const char *
known_name(struct login *l, struct slice header, struct arena *mem)
{
	const struct credentials *all = l->g->credentials;
	struct slice scheme = slice_cut(&header, ' ');
	int64_t now = clock_wall_us();

	header = slice_trim(header);
	if ((slice_is_nocase(scheme, "bearer") || slice_is_nocase(scheme, "token")) &&
	    test_token_is(header))
		return test_name(l, header, SLICE_EMPTY, mem);
	if (slice_is_nocase(scheme, "bearer") || slice_is_nocase(scheme, "token"))
		return header.n <= CREDENTIAL_MAX ? credentials_token(all, header, now) : NULL;
	if (!slice_is_nocase(scheme, "basic") ||
	    !split_basic(header, &l->secret, &l->user, &l->password)) {
		l->user = SLICE_EMPTY;
		return NULL;
	}
	if (test_token_is(l->password))
		return test_name(l, l->password, l->user, mem);
	note_name(l, mem);
	switch (credentials_cached(all, l->user, l->password, now)) {
	case CREDENTIALS_YES:
		return credentials_password(l->g->credentials, l->user, l->password, now);
	case CREDENTIALS_NO:
		l->user = SLICE_EMPTY;
		break;
	default:
		break;
	}
	return NULL;
}

/* The token of the configured header. True if there is one: *name is whose it is, NULL if nobody's. */
static bool
header_token(const struct gateway *g, const struct http1_head *h, const char **name)
{
	const char *header = g->config->token_header;
	struct slice token, second;
	size_t at = 0;

	*name = NULL;
	if (header == NULL || !http1_field_next(h, header, &at, &token))
		return false;
	if (token.n <= CREDENTIAL_MAX && !http1_field_next(h, header, &at, &second))
		*name = credentials_token(g->credentials, token, clock_wall_us());
	return true;
}

void
taxii_auth(struct gateway *g, const struct http_exchange *x, struct arena *mem, taxii_auth_cb *cb,
    void *arg)
{
	struct slice header = http1_field(x->head, "authorization");
	const struct peer *by_pin = peer_of_pin(g, x->pin);
	const char *name, *by_header;
	bool has_token = header_token(g, x->head, &by_header);
	struct login *l;

	if (header.p == NULL && !has_token) {
		cb(arg, by_pin != NULL || !g->config->authentication ? TAXII_AUTH_OK :
		    TAXII_AUTH_WHO, by_pin, 0);
		return;
	}
	l = arena_alloc(mem, sizeof(*l));
	if (by_header != NULL)		/* it is the credentials', which a reload may replace */
		by_header = arena_str(mem, slice_of(by_header));
	*l = (struct login){ .g = g, .cb = cb, .arg = arg, .by_pin = by_pin, .by_header = by_header,
	    .named = by_pin == NULL ? NULL : arena_str(mem, slice_of(by_pin->name)),
	    .request = arena_str(mem, slice_of(x->id)),
	    .remote = arena_str(mem, slice_of(x->remote)) };
	strbuf_init(&l->secret);
	name = has_token && (by_header == NULL || header.p == NULL) ? by_header :
	    known_name(l, header, mem);
	if (name != NULL)
		answer_name(l, name);
	else
		guess(l, mem);
}
