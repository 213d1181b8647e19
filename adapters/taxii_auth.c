#include "adapters/taxii_auth.h"

#include <arpa/inet.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/gateway.h"
#include "gateway/limiter.h"
#include "gateway/stats.h"

enum { CREDENTIAL_MAX = 4096 };

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

/* The bucket of an address: one of a /64 has all of it. */
static struct slice
guesser(const struct http_exchange *x)
{
	struct in6_addr a;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, x->remote, &a) != 1)
		return slice_of(arena_fmt(x->mem, "guess:%s", x->remote));
	memset(a.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &a, text, sizeof(text));
	return slice_of(arena_fmt(x->mem, "guess:%s/64", text));
}

/* A guess is taken from the address's budget before the slow check, and given back when it was right. */
static enum taxii_auth
check_password(struct gateway *g, const struct http_exchange *x, struct slice user,
    struct slice password, const char **name, int64_t *wait_us)
{
	int64_t now = clock_wall_us();
	bool slow = credentials_cached(g->credentials, user, password, now) ==
	    CREDENTIALS_MUST_HASH;
	struct slice who = guesser(x);
	struct limit limit = g->config->limits.guesses;

	if (slow) {
		struct limiter_answer a = limiter_take_local(g->limiter, who, limit, 1);

		if (!a.allowed) {
			*wait_us = a.wait_us;
			return TAXII_AUTH_SLOW;
		}
	}
	*name = credentials_password(g->credentials, user, password, now);
	if (slow && *name != NULL)
		limiter_refund_local(g->limiter, who, limit, 1);
	return *name != NULL ? TAXII_AUTH_OK : TAXII_AUTH_WHO;
}

static enum taxii_auth
check_header(struct gateway *g, const struct http_exchange *x, struct slice header,
    const char **name, int64_t *wait_us)
{
	struct strbuf raw = STRBUF_INIT;
	struct slice scheme = slice_cut(&header, ' '), user, password;
	enum taxii_auth answer = TAXII_AUTH_WHO;

	header = slice_trim(header);
	*name = NULL;
	if (slice_is_nocase(scheme, "basic")) {
		if (split_basic(header, &raw, &user, &password))
			answer = check_password(g, x, user, password, name, wait_us);
	} else if (slice_is_nocase(scheme, "bearer") || slice_is_nocase(scheme, "token")) {
		if (header.n <= CREDENTIAL_MAX)
			*name = credentials_token(g->credentials, header, clock_wall_us());
		answer = *name != NULL ? TAXII_AUTH_OK : TAXII_AUTH_WHO;
	}
	secret_wipe(raw.p, raw.cap);
	strbuf_fini(&raw);
	return answer;
}

static const struct peer *
peer_of_pin(const struct gateway *g, const char *hex)
{
	uint8_t pin[SHA256_LEN];

	return hex != NULL && hex_decode(slice_of(hex), pin, sizeof(pin)) ?
	    trust_by_pin(g->trust, pin) : NULL;
}

enum taxii_auth
taxii_auth(struct gateway *g, const struct http_exchange *x, const struct peer **peer,
    int64_t *wait_us)
{
	struct slice header = http1_field(x->head, "authorization");
	const struct peer *by_pin = peer_of_pin(g, x->pin), *by_name = NULL;
	const char *name = NULL;
	enum taxii_auth answer;

	*peer = by_pin;
	if (header.p == NULL) {
		if (by_pin != NULL || !g->config->authentication)
			return TAXII_AUTH_OK;
		return TAXII_AUTH_WHO;
	}
	answer = check_header(g, x, header, &name, wait_us);
	if (answer == TAXII_AUTH_OK)
		by_name = trust_find(g->trust, slice_of(name));
	/* A certificate and a header must name the same one (hardening: one identity a request), and a
	 * peer is known by its pin alone (rulings 26): a stolen token opens no inbox. */
	if (answer == TAXII_AUTH_OK && (by_name == NULL || (by_pin != by_name &&
	    (by_pin != NULL || !by_name->is_consumer))))
		answer = TAXII_AUTH_WHO;
	if (answer == TAXII_AUTH_WHO) {
		stats_add(g->stats, STAT_LOGIN_FAILED, NULL, 1);
		log_event(LOG_WARN, "login.failed", LF_S("request", x->id),
		    LF_S("remote", x->remote));
	}
	*peer = by_name;
	return answer;
}
