/* If this fails, a stranger gets in, or a friend does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/credentials.h"

static const int64_t now = INT64_C(1767225600000000);	/* 2026-01-01 */
static const int64_t minute = 60 * INT64_C(1000000);

static void
add_token(struct strbuf *b, const char *name, const char *token, const char *tail)
{
	char hex[65];

	digest_sha256_hex(slice_of(token), hex);
	strbuf_addf(b, "token %s sha256:%s%s\n", name, hex, tail);
}

static struct credentials *
good(const char *text)
{
	struct complaints c = { .mem = arena_new() };
	struct credentials *cr = credentials_parse(slice_of(text), "credentials", &c);

	if (cr == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "no reason");
	arena_free(c.mem);
	return cr;
}

static void
bad(const char *text, const char *want)
{
	struct complaints c = { .mem = arena_new() };

	assert_null(credentials_parse(slice_of(text), "f", &c));
	assert_true(c.n >= 1);
	assert_string_equal(c.text[0], want);
	arena_free(c.mem);
}

static void
tokens_name_their_owner_until_their_day(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct credentials *cr;

	(void)state;
	add_token(&b, "soc", "secret-one", "");
	add_token(&b, "hunter", "secret-two", " until 2026-01-01");
	cr = good(b.p);
	assert_string_equal(credentials_token(cr, slice_of("secret-one"), now), "soc");
	assert_string_equal(credentials_token(cr, slice_of("secret-two"), now), "hunter");
	assert_string_equal(credentials_token(cr, slice_of("secret-two"),
	    now + 1439 * minute), "hunter");
	assert_null(credentials_token(cr, slice_of("secret-two"), now + 1440 * minute));
	assert_null(credentials_token(cr, slice_of("secret-on"), now));
	assert_null(credentials_token(cr, slice_of(""), now));
	assert_string_equal(credentials_name(cr, 0), "soc");
	assert_string_equal(credentials_name(cr, 1), "hunter");
	assert_null(credentials_name(cr, 2));
	credentials_free(cr);
	strbuf_fini(&b);
}

static void
passwords_are_hashed_once_and_then_remembered(void **state)
{
	struct slice user = SLICE_LIT("soc"), right = SLICE_LIT("a long pass phrase"),
	    wrong = SLICE_LIT("a long pass phrasf");
	char hash[160], text[256];
	struct credentials *cr;

	(void)state;
	assert_int_equal(password_hash(right, hash, NULL), 0);
	snprintf(text, sizeof(text), "password soc %s\n", hash);
	cr = good(text);
	assert_int_equal(credentials_cached(cr, user, right, now), CREDENTIALS_MUST_HASH);
	assert_null(credentials_password(cr, user, wrong, now));
	assert_int_equal(credentials_cached(cr, user, wrong, now), CREDENTIALS_MUST_HASH);
	assert_string_equal(credentials_password(cr, user, right, now), "soc");
	assert_int_equal(credentials_cached(cr, user, right, now), CREDENTIALS_YES);
	assert_int_equal(credentials_cached(cr, user, wrong, now), CREDENTIALS_MUST_HASH);
	assert_int_equal(credentials_cached(cr, SLICE_LIT("soc2"), right, now),
	    CREDENTIALS_MUST_HASH);
	/* The boundary of name and password is part of the key. */
	assert_int_equal(credentials_cached(cr, SLICE_LIT("so"), SLICE_LIT("ca long pass phrase"), now),
	    CREDENTIALS_MUST_HASH);
	assert_int_equal(credentials_cached(cr, user, right, now + 4 * minute), CREDENTIALS_YES);
	assert_int_equal(credentials_cached(cr, user, right, now + 5 * minute), CREDENTIALS_MUST_HASH);
	/* A clock that was put back does not prolong it. */
	assert_int_equal(credentials_cached(cr, user, right, now - minute), CREDENTIALS_MUST_HASH);
	credentials_free(cr);
	cr = good(text);	/* a reload forgets */
	assert_int_equal(credentials_cached(cr, user, right, now), CREDENTIALS_MUST_HASH);
	credentials_free(cr);
}

/* Somebody who is not there must cost as much as somebody who is: else time tells the names. */
/* The cage hashes, and learns neither the name nor what it should come to. */
static void
a_password_may_be_hashed_elsewhere(void **state)
{
	const struct slice user = SLICE_LIT("soc"), right = SLICE_LIT("yes"), wrong = SLICE_LIT("no");
	char hash[160], line[256], recipe[PASSWORD_RECIPE], other[PASSWORD_RECIPE];
	struct password_key key, bad;
	struct credentials *cr;

	(void)state;
	assert_int_equal(password_hash(right, hash, NULL), 0);
	snprintf(line, sizeof(line), "password soc %s\n", hash);
	cr = good(line);
	credentials_recipe(cr, user, recipe);
	credentials_recipe(cr, SLICE_LIT("nobody"), other);
	assert_true(strncmp(hash, recipe, strlen(recipe)) == 0 && strlen(recipe) < strlen(hash));
	assert_true(password_derive(right, recipe, &key) && password_derive(wrong, recipe, &bad));
	assert_null(credentials_derived(cr, user, wrong, &bad, now));
	assert_null(credentials_derived(cr, SLICE_LIT("nobody"), right, &key, now));
	assert_int_equal(credentials_cached(cr, user, right, now), CREDENTIALS_MUST_HASH);
	assert_string_equal(credentials_derived(cr, user, right, &key, now), "soc");
	assert_int_equal(credentials_cached(cr, user, right, now), CREDENTIALS_YES);
	assert_true(password_derive(right, other, &key));	/* nobody's recipe works, and fits nobody */
	assert_null(credentials_derived(cr, user, right, &key, now));
	assert_null(credentials_derived(cr, SLICE_LIT("nobody"), right, &key, now));
	credentials_free(cr);
}

static void
strangers_cost_as_much_as_friends(void **state)
{
	struct slice wrong = SLICE_LIT("no");
	char hash[160], text[256];
	struct credentials *cr;
	clock_t t[2] = { 0, 0 };	/* of the processor: other programs do not count */

	(void)state;
	assert_int_equal(password_hash(SLICE_LIT("yes"), hash, NULL), 0);
	snprintf(text, sizeof(text), "password soc %s\n", hash);
	cr = good(text);
	for (int i = 0; i < 6; i++) {
		clock_t from = clock();

		assert_null(credentials_password(cr, slice_of(i % 2 == 0 ? "soc" : "cos"), wrong, now));
		t[i % 2] += clock() - from;
	}
	/* A hash over 16 MiB of memory against none would be a thousand to one. */
	assert_true(t[1] * 4 > t[0] && t[0] * 4 > t[1]);
	credentials_free(cr);
}

static void
impossible_pairs_are_refused_without_hashing(void **state)
{
	struct credentials *cr = good("");
	char large[1026];

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(credentials_cached(cr, SLICE_LIT(""), SLICE_LIT("x"), now), CREDENTIALS_NO);
	assert_int_equal(credentials_cached(cr, SLICE_LIT("x"), SLICE_LIT(""), now), CREDENTIALS_NO);
	assert_int_equal(credentials_cached(cr, SLICE_LIT("x\0y"), SLICE_LIT("x"), now), CREDENTIALS_NO);
	assert_int_equal(credentials_cached(cr, SLICE_LIT("x"), slice_from(large, 1025), now),
	    CREDENTIALS_NO);
	assert_null(credentials_password(cr, SLICE_LIT("x"), slice_from(large, 1025), now));
	assert_null(credentials_token(cr, slice_from(large, 1025), now));
	credentials_free(cr);
	credentials_free(NULL);
}

static void
broken_lines_are_named(void **state)
{
	struct strbuf twice = STRBUF_INIT;

	(void)state;
	bad("tokn a sha256:00\n", "f:1: unknown word 'tokn', did you mean 'token'?");
	bad("token a\n", "f:1: token: a name and a hash are needed");
	bad("token a sha256:00\n", "f:1: token: behind the name stands sha256: and 64 hex digits");
	bad("token a/b sha256:00\n", "f:1: 'a/b' is no name of a consumer");
	bad("\npassword a secret\n",
	    "f:2: password: behind the name stands scrypt:LOG2N:R:P:SALT:HASH and no more");
	bad("token a sha256:0000000000000000000000000000000000000000000000000000000000000000 until x\n",
	    "f:1: token: behind the hash only `until 2027-03-31` may stand");
	add_token(&twice, "a", "x", "");
	add_token(&twice, "b", "x", "");
	bad(twice.p, "f:2: a token stands here twice");
	bad("password a scrypt:14:8:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	    "password a scrypt:14:8:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	    "f:2: a has two passwords");
	strbuf_fini(&twice);
}

static void
commands_add_durably(void **state)
{
	char dir[] = "/tmp/tocsin-credentials-XXXXXX", path[64], token[64], second[64];
	struct complaints c = { .mem = arena_new() };
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct credentials *cr;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/credentials", dir);
	assert_int_equal(credentials_add_token(path, "soc", NULL, token, &e), 0);
	assert_int_equal(strlen(token), 43);
	assert_int_equal(credentials_add_token(path, "soc", "2030-12-31", second, &e), 0);
	assert_string_not_equal(token, second);
	assert_int_equal(credentials_add_password(path, "soc", SLICE_LIT("first"), &e), 0);
	assert_int_equal(credentials_add_password(path, "soc", SLICE_LIT("second"), &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	cr = credentials_load(path, &c);
	assert_non_null(cr);
	assert_string_equal(credentials_token(cr, slice_of(token), now), "soc");
	assert_string_equal(credentials_token(cr, slice_of(second), now), "soc");
	assert_null(credentials_password(cr, SLICE_LIT("soc"), SLICE_LIT("first"), now));
	assert_string_equal(credentials_password(cr, SLICE_LIT("soc"), SLICE_LIT("second"), now), "soc");
	credentials_free(cr);
	/* No secret is in the file. */
	assert_int_equal(file_read(path, 1 << 20, &text, &e), 0);
	assert_null(strstr(text.p, token));
	assert_null(strstr(text.p, "second"));
	assert_int_equal(credentials_add_token(path, "a b", NULL, token, &e), -1);
	assert_int_equal(credentials_add_token(path, "a", "tomorrow", token, &e), -1);
	/* A file that cannot be read is left alone. */
	assert_int_equal(file_write(path, SLICE_LIT("nonsense\n"), 0600, &e), 0);
	assert_int_equal(credentials_add_token(path, "soc", NULL, token, &e), -1);
	strbuf_reset(&text);
	assert_int_equal(file_read(path, 1 << 20, &text, &e), 0);
	assert_string_equal(text.p, "nonsense\n");
	strbuf_fini(&text);
	unlink(path);
	rmdir(dir);
	arena_free(c.mem);
}

/* What we show to others is there as it was written, whatever else the peer has. */
static void
logins_are_found_by_peer(void **state)
{
	struct credentials *cr = good("login cert-b basic alice \"p \\\"w\\\\d\"\n"
	    "login cert-c bearer abc.def-_~+/==\n"
	    "login cert-d header X-API-Key \"Key 7\"\n"
	    "proxy-login cert-b squid hole\n");
	struct credentials_login l;

	(void)state;
	assert_true(credentials_login(cr, "cert-b", &l));
	assert_int_equal(l.kind, LOGIN_BASIC);
	assert_string_equal(l.user, "alice");
	assert_string_equal(l.secret, "p \"w\\d");
	assert_true(credentials_login(cr, "cert-c", &l));
	assert_int_equal(l.kind, LOGIN_BEARER);
	assert_string_equal(l.secret, "abc.def-_~+/==");
	assert_string_equal(credentials_login_word(&l), "bearer");
	assert_true(credentials_login(cr, "cert-d", &l));
	assert_int_equal(l.kind, LOGIN_HEADER);
	assert_string_equal(l.header, "X-API-Key");
	assert_string_equal(l.secret, "Key 7");
	assert_true(credentials_proxy_login(cr, "cert-b", &l));
	assert_int_equal(l.kind, LOGIN_BASIC);
	assert_string_equal(l.user, "squid");
	assert_string_equal(l.secret, "hole");
	assert_false(credentials_proxy_login(cr, "cert-c", &l));
	assert_int_equal(l.kind, LOGIN_NONE);
	assert_false(credentials_login(cr, "cert-e", &l));
	assert_false(credentials_login(NULL, "cert-b", &l));
	/* Nobody gets in here with what we show elsewhere. */
	assert_null(credentials_token(cr, slice_of("abc.def-_~+/=="), now));
	assert_null(credentials_password(cr, SLICE_LIT("cert-b"), SLICE_LIT("p \"w\\d"), now));
	credentials_free(cr);
}

/* A complaint ends up in logs: it must not carry what was meant to be secret. */
static void
broken_logins_are_named_without_their_secret(void **state)
{
	static const char *const texts[] = {
		"login b s3cret\n", "login b basic alice\n", "login b basic alice s3cret more\n",
		"login b basic al:ice s3cret\n", "login b bearer \"s3cret s3cret\"\n",
		"login b header Host s3cret\n", "login b header \"X Key\" s3cret\n",
		"login b header X-Key \"s3cr\xc3\xa9t\"\n", "login b header X-Key \" s3cret\"\n",
		"login b basic alice \"\"\n", "proxy-login b s3cret\n", "proxy-login b a:b s3cret\n",
		"login b/c basic alice s3cret\n", "login b header content-LENGTH s3cret\n",
		"login b basic alice s3cret\nlogin b bearer s3cret\n",
		"proxy-login b alice s3cret\nproxy-login b bob s3cret\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct complaints c = { .mem = arena_new() };

		assert_null(credentials_parse(slice_of(texts[i]), "f", &c));
		assert_int_equal(c.n, 1);
		assert_null(strstr(c.text[0], "s3cr"));
		arena_free(c.mem);
	}
	bad("login b s3cret\n", "f:1: login: behind the name stands basic USER PASSWORD, bearer TOKEN, "
	    "or header NAME VALUE");
	bad("login b basic a b\nlogin b bearer c\n", "f:2: b has two logins");
}

static void
logins_are_kept_durably_and_taken_out(void **state)
{
	static const char odd[] = "\"\\ # \xc3\xa9 and blanks ";
	char dir[] = "/tmp/tocsin-credentials-XXXXXX", path[64], token[64], large[4098];
	struct credentials_login l = { .kind = LOGIN_BASIC, .user = "al \"ice", .secret = odd };
	struct complaints c = { .mem = arena_new() };
	struct err e = ERR_INIT;
	struct credentials *cr;
	struct stat st;
	bool gone;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/credentials", dir);
	assert_int_equal(credentials_add_token(path, "b", NULL, token, &e), 0);
	assert_int_equal(credentials_set_login(path, "b", &l, &e), 0);
	assert_int_equal(credentials_set_proxy_login(path, "b", "squid", "hole", &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	cr = credentials_load(path, &c);
	assert_non_null(cr);
	assert_true(credentials_login(cr, "b", &l));
	assert_string_equal(l.user, "al \"ice");
	assert_string_equal(l.secret, odd);
	assert_string_equal(credentials_token(cr, slice_of(token), now), "b");
	credentials_free(cr);
	/* A second one takes the place of the first, and of no other line. */
	l = (struct credentials_login){ .kind = LOGIN_HEADER, .header = "X-Key", .secret = "7" };
	assert_int_equal(credentials_set_login(path, "b", &l, &e), 0);
	assert_int_equal(credentials_remove_login(path, "b", true, &gone, &e), 0);
	assert_true(gone);
	assert_int_equal(credentials_remove_login(path, "b", true, &gone, &e), 0);
	assert_false(gone);
	cr = credentials_load(path, &c);
	assert_true(credentials_login(cr, "b", &l));
	assert_int_equal(l.kind, LOGIN_HEADER);
	assert_false(credentials_proxy_login(cr, "b", &l));
	assert_string_equal(credentials_token(cr, slice_of(token), now), "b");
	credentials_free(cr);
	/* What could not be read back is not written. */
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	l = (struct credentials_login){ .kind = LOGIN_BEARER, .secret = large };
	assert_int_equal(credentials_set_login(path, "b", &l, &e), -1);
	l.secret = "two words";
	assert_int_equal(credentials_set_login(path, "b", &l, &e), -1);
	l = (struct credentials_login){ .kind = LOGIN_BASIC, .user = "a", .secret = "line\nbreak" };
	assert_int_equal(credentials_set_login(path, "b", &l, &e), -1);
	l.secret = "\xff";
	assert_int_equal(credentials_set_login(path, "b", &l, &e), -1);
	cr = credentials_load(path, &c);
	assert_true(credentials_login(cr, "b", &l));
	assert_string_equal(l.secret, "7");
	credentials_free(cr);
	unlink(path);
	rmdir(dir);
	arena_free(c.mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_name_their_owner_until_their_day),
		cmocka_unit_test(passwords_are_hashed_once_and_then_remembered),
		cmocka_unit_test(a_password_may_be_hashed_elsewhere),
		cmocka_unit_test(strangers_cost_as_much_as_friends),
		cmocka_unit_test(impossible_pairs_are_refused_without_hashing),
		cmocka_unit_test(broken_lines_are_named),
		cmocka_unit_test(commands_add_durably),
		cmocka_unit_test(logins_are_found_by_peer),
		cmocka_unit_test(broken_logins_are_named_without_their_secret),
		cmocka_unit_test(logins_are_kept_durably_and_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
