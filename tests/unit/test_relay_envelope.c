/* If this fails, a relay between two CERTs can change label, audience, path or content unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "adapters/relay_envelope.h"
#include "adapters/url.h"
#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static uint8_t priv[ED25519_KEY_LEN], pub[ED25519_KEY_LEN];

static const char objects[] = "{\"type\":\"a\",\"id\":\"a--1\"},{\"type\":\"b\",\"n\":1.50}";

static const struct relay_envelope env = {
	.advisory = "report--1", .from = "cert-a", .hops = "cert-z,cert-a",
	.audience = "cert-b,cert-c", .label = TLP_AMBER_STRICT, .unmarked = TLP_AMBER,
};

static int
setup(void **state)
{
	(void)state;
	return ed25519_new(priv, pub, NULL);
}

static void
write_envelope(struct strbuf *out)
{
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_LEN];

	sha256_add(h, slice_from(objects, 24));
	sha256_add(h, SLICE_LIT("\n"));
	sha256_add(h, slice_of(objects + 25));
	sha256_add(h, SLICE_LIT("\n"));
	sha256_end(h, digest);
	assert_int_equal(relay_envelope_write(out, &env, priv, slice_of(objects), digest, NULL), 0);
}

static int
read_envelope(struct slice text, const uint8_t *key, struct arena *mem, struct relay_envelope *got)
{
	struct relay_member x = { .text = SLICE_EMPTY };
	struct read_job job = { .in = text, .received = SLICE_LIT("2024-01-01T00:00:00Z"), .relay = &x };
	struct advisory adv = { .n = 0 };
	struct err e = ERR_INIT;

	/* the objects are none that a reader would take: only the envelope is looked at */
	if (format_stix21.read(&job, mem, &adv, &e) < 0 && e.code != ERR_VALUE && e.code != ERR_MISSING)
		return -2;
	return relay_envelope_read(x.text, x.digest, key, mem, got, &e);
}

static void
test_round_trip(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct relay_envelope got;

	(void)state;
	write_envelope(&b);
	assert_int_equal(read_envelope(strbuf_slice(&b), pub, mem, &got), 1);
	assert_true(got.is_signed);
	assert_string_equal(got.advisory, env.advisory);
	assert_string_equal(got.hops, env.hops);
	assert_string_equal(got.audience, env.audience);
	assert_int_equal(got.label, TLP_AMBER_STRICT);
	assert_int_equal(got.unmarked, TLP_AMBER);
	assert_int_equal(read_envelope(strbuf_slice(&b), NULL, mem, &got), 1);
	assert_false(got.is_signed);
	assert_int_equal(read_envelope(SLICE_LIT("{\"objects\":[]}"), pub, mem, &got), 0);
	strbuf_fini(&b);
	arena_free(mem);
}

/* Flip each byte: the envelope is broken JSON, refused, or says exactly what it said before. */
static void
test_every_byte(void **state)
{
	struct strbuf b = STRBUF_INIT;
	size_t refused = 0;

	(void)state;
	write_envelope(&b);
	for (size_t i = 0; i < b.n; i++) {
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			struct arena *mem = arena_new();
			struct relay_envelope got;
			int rc;

			b.p[i] = (char)(b.p[i] ^ (char)bit);
			rc = read_envelope(strbuf_slice(&b), pub, mem, &got);
			/* 0: the member's name itself was hit, so there is none */
			assert_true(rc < 0 || rc == 0 || (got.is_signed &&
			    strcmp(got.hops, env.hops) == 0 && got.label == env.label &&
			    got.unmarked == env.unmarked &&
			    strcmp(got.audience, env.audience) == 0));
			refused += rc < 0;
			b.p[i] = (char)(b.p[i] ^ (char)bit);
			arena_free(mem);
		}
	}
	assert_true(refused > b.n * 7);
	strbuf_fini(&b);
}

#define ENVELOPE(hops, labels)							\
	"{\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x\",\"hops\":" hops "," labels ","	\
	"\"digest\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"},\"objects\":[]}"

/* Who leaves himself out of the path gets his own advisories back, and his loops are not cut. */
static void
test_sender_is_the_last_hop(void **state)
{
	static const struct { const char *text; int rc; } rows[] = {
		{ ENVELOPE("[\"x\"]", "\"label\":\"green\",\"unmarked\":\"none\""), 1 },
		{ ENVELOPE("[\"y\",\"x\"]", "\"label\":\"green\",\"unmarked\":\"none\""), 1 },
		{ ENVELOPE("[\"x\",\"y\"]", "\"label\":\"green\",\"unmarked\":\"none\""), -1 },
		{ ENVELOPE("[\"yx\"]", "\"label\":\"green\",\"unmarked\":\"none\""), -1 },
		{ ENVELOPE("[]", "\"label\":\"green\",\"unmarked\":\"none\""), -1 },
		{ ENVELOPE("[\"x\"]", "\"label\":\"green\""), -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct arena *mem = arena_new();
		struct relay_envelope got;

		assert_int_equal(read_envelope(slice_of(rows[i].text), NULL, mem, &got), rows[i].rc);
		arena_free(mem);
	}
}

/* Names that would blur the signed text are refused. */
static void
test_odd_names(void **state)
{
	static const char *const bad[] = {
		"{\"objects\":[],\"x_tocsin\":1}", "{\"objects\":[],\"x_tocsin\":{}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\\nb\",\"from\":\"x\",\"label\":\"red\"}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x,y\",\"label\":\"red\"}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x\",\"hops\":\"x\",\"label\":\"red\"}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x\",\"hops\":[1],\"label\":\"red\"}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x\",\"hops\":[\"\"],\"label\":\"red\"}}",
		"{\"objects\":[],\"x_tocsin\":{\"advisory\":\"a\",\"from\":\"x\",\"label\":\"mauve\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct arena *mem = arena_new();
		struct relay_envelope got;

		assert_int_equal(read_envelope(slice_of(bad[i]), NULL, mem, &got), -1);
		arena_free(mem);
	}
}

static void
test_urls(void **state)
{
	static const struct { const char *text, *host, *path; int port; } rows[] = {
		{ "https://a.example/api/", "a.example", "/api/", 443 },
		{ "https://a.example:8443/api", "a.example", "/api/", 8443 },
		{ "https://[2001:db8::1]:9/", "2001:db8::1", "/", 9 },
		{ "https://192.0.2.1", "192.0.2.1", "/", 443 },
		{ "http://a.example/", NULL, NULL, 0 }, { "https:///x/", NULL, NULL, 0 },
		{ "https://u@a.example/", NULL, NULL, 0 }, { "https://a.example:0/", NULL, NULL, 0 },
		{ "https://a.example:65536/", NULL, NULL, 0 },
		{ "https://a.example:8x/", NULL, NULL, 0 },
		{ "https://a.example/?x", NULL, NULL, 0 }, { "https://[::1]x/", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct url u;
		int rc = url_parse(rows[i].text, &u, NULL);

		assert_int_equal(rc, rows[i].host == NULL ? -1 : 0);
		if (rc < 0)
			continue;
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.path, rows[i].path);
		assert_int_equal(u.port, rows[i].port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_odd_names), cmocka_unit_test(test_urls),
		cmocka_unit_test(test_sender_is_the_last_hop),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
