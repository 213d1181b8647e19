#include "gateway/test_token.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/keys.h"

static const char head[] = "tocsin-test.";

/* head NAME "." EXPIRY, and the MAC over it as hex. */
static void
mac_of(const struct keys *k, struct slice text, char hex[2 * SHA256_LEN + 1])
{
	uint8_t key[SHA256_LEN], mac[SHA256_LEN];

	digest_hmac_sha256(slice_from(k->common, sizeof(k->common)), SLICE_LIT("consumer test 1"), key);
	digest_hmac_sha256(slice_from(key, sizeof(key)), text, mac);
	hex_text(mac, sizeof(mac), hex);
	secret_wipe(key, sizeof(key));
}

const char *
test_token_make(const struct keys *k, const char *name, int64_t now_us, struct arena *mem)
{
	const char *text = arena_fmt(mem, "%s%s.%lld", head, name,
	    (long long)now_us / 1000000 + TEST_TOKEN_SECONDS);
	char hex[2 * SHA256_LEN + 1];

	mac_of(k, slice_of(text), hex);
	return arena_fmt(mem, "%s.%s", text, hex);
}

bool
test_token_is(struct slice token)
{
	return slice_starts(token, head);
}

/* Cut what stands behind the last dot off; empty if there is none. */
static struct slice
cut_last(struct slice *s)
{
	size_t n = s->n;
	struct slice last;

	while (n > 0 && s->p[n - 1] != '.')
		n--;
	last = n == 0 ? SLICE_EMPTY : slice_from(s->p + n, s->n - n);
	s->n = n == 0 ? 0 : n - 1;
	return last;
}

const char *
test_token_name(const struct keys *k, struct slice token, int64_t now_us, struct arena *mem)
{
	struct slice mac, expiry, text = token;
	char hex[2 * SHA256_LEN + 1];
	unsigned long long until;

	if (!test_token_is(token))
		return NULL;
	mac = cut_last(&text);
	mac_of(k, text, hex);
	if (!secret_eq(mac, slice_of(hex)))
		return NULL;
	expiry = cut_last(&text);
	if (!slice_u64(expiry, &until) || (long long)until < now_us / 1000000 ||
	    text.n < sizeof(head))
		return NULL;
	return arena_str(mem, slice_from(text.p + sizeof(head) - 1, text.n - (sizeof(head) - 1)));
}
