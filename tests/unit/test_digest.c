/* If this fails, signed advisories can be forged or refused, and passwords guessed or rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Compare bytes with their hex form. */
static void
assert_hex(const void *got, size_t n, const char *want)
{
	struct strbuf b = STRBUF_INIT;

	hex_add(&b, got, n);
	assert_string_equal(b.p, want);
	strbuf_fini(&b);
}

static void
unhex(const char *text, void *out, size_t n)
{
	assert_true(hex_decode(slice_of(text), out, n));
}

/* FIPS 180-4 examples, and the million 'a' in uneven pieces. */
static void
test_sha256(void **state)
{
	static const char million[] =
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	char hex[2 * SHA256_LEN + 1], piece[997];
	struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_LEN];
	size_t left = 1000000;

	(void)state;
	digest_sha256_hex(SLICE_LIT("abc"), hex);
	assert_string_equal(hex,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256_hex(slice_of(NULL), hex);
	assert_string_equal(hex,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha256_hex((struct slice){ NULL, 0 }, hex);
	assert_int_equal(hex[0], 'e');
	memset(piece, 'a', sizeof(piece));
	while (left > 0) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		sha256_add(h, slice_from(piece, n));
		left -= n;
	}
	sha256_end(h, sum);
	assert_hex(sum, sizeof(sum), million);
}

static void
test_sha1(void **state)
{
	char uuid[UUID_TEXT + 1];
	uint8_t sum[SHA1_LEN];

	(void)state;
	digest_sha1(SLICE_LIT("abc"), sum);
	assert_hex(sum, sizeof(sum), "a9993e364706816aba3e25717850c26c9cd0d89d");
	uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", SLICE_LIT("python.org"), uuid);
	assert_string_equal(uuid, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

/* RFC 4231 cases 1, 2 and 6. */
static void
test_hmac(void **state)
{
	uint8_t mac[SHA256_LEN];
	char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac_sha256(slice_from(key, 20), SLICE_LIT("Hi There"), mac);
	assert_hex(mac, sizeof(mac),
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac_sha256(SLICE_LIT("Jefe"), SLICE_LIT("what do ya want for nothing?"), mac);
	assert_hex(mac, sizeof(mac),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256(slice_from(key, sizeof(key)),
	    SLICE_LIT("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
	assert_hex(mac, sizeof(mac),
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	/* No key and no text is legal, and not a crash. */
	digest_hmac_sha256((struct slice){ NULL, 0 }, (struct slice){ NULL, 0 }, mac);
	assert_hex(mac, sizeof(mac),
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
	const char *priv, *pub, *msg, *sig;
} ed25519_vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
	  "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
	  "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
	  "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

/* A kept key gives what the one-shot form gives, every time it is used. */
static void
test_kept_hmac(void **state)
{
	static const size_t key_sizes[] = { 0, 1, 20, 32, 64, 65, 131 };
	uint8_t want[SHA256_LEN], got[SHA256_LEN];
	char key[131], text[300];
	size_t i, n;

	(void)state;
	memset(key, 0xaa, sizeof(key));
	memset(text, 'x', sizeof(text));
	for (i = 0; i < sizeof(key_sizes) / sizeof(*key_sizes); i++) {
		struct slice k = { key, key_sizes[i] };
		struct hmac *h = hmac_new(k);

		for (n = 0; n <= sizeof(text); n += 30) {
			digest_hmac_sha256(k, slice_from(text, n), want);
			hmac_sha256(h, slice_from(text, n), got);
			assert_memory_equal(got, want, sizeof(want));
		}
		hmac_free(h);
	}
	hmac_free(NULL);
}

static void
test_ed25519_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ed25519_vectors) / sizeof(*ed25519_vectors); i++) {
		uint8_t priv[ED25519_KEY_LEN], pub[ED25519_KEY_LEN], sig[ED25519_SIG_LEN], msg[2];
		size_t n = strlen(ed25519_vectors[i].msg) / 2;

		unhex(ed25519_vectors[i].priv, priv, sizeof(priv));
		unhex(ed25519_vectors[i].msg, msg, n);
		assert_int_equal(ed25519_public(priv, pub, NULL), 0);
		assert_hex(pub, sizeof(pub), ed25519_vectors[i].pub);
		assert_int_equal(ed25519_sign(priv, slice_from(msg, n), sig, NULL), 0);
		assert_hex(sig, sizeof(sig), ed25519_vectors[i].sig);
		assert_true(ed25519_verify(pub, slice_from(msg, n), sig));
	}
}

/* Any single changed bit of key, text or signature must be noticed. */
static void
test_ed25519_tamper(void **state)
{
	uint8_t priv[ED25519_KEY_LEN], pub[ED25519_KEY_LEN], sig[ED25519_SIG_LEN];
	char msg[] = "tlp amber";
	struct slice text = slice_from(msg, sizeof(msg) - 1);

	(void)state;
	assert_int_equal(ed25519_new(priv, pub, NULL), 0);
	assert_int_equal(ed25519_sign(priv, text, sig, NULL), 0);
	assert_true(ed25519_verify(pub, text, sig));
	for (size_t bit = 0; bit < 8 * sizeof(sig); bit++) {
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(ed25519_verify(pub, text, sig));
		sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	msg[4] ^= 1;
	assert_false(ed25519_verify(pub, text, sig));
	msg[4] ^= 1;
	pub[0] ^= 1;
	assert_false(ed25519_verify(pub, text, sig));
	pub[0] ^= 1;
	assert_false(ed25519_verify(pub, slice_from(msg, text.n - 1), sig));
	assert_true(ed25519_verify(pub, text, sig));
}

/* "correct horse", computed with Python's hashlib.scrypt. */
#define KNOWN_SALT "AAECAwQFBgcICQoLDA0ODw=="
#define KNOWN_HASH ":JbN2hANm9NOw4h5BRHZnbjzQ6Jr0QwNWojTOC2WgIbU="

static void
test_password(void **state)
{
	static const char known[] = "scrypt:14:8:1:" KNOWN_SALT KNOWN_HASH;
	char one[160], two[160], long_one[1025];

	(void)state;
	assert_true(password_check(SLICE_LIT("correct horse"), known));
	assert_false(password_check(SLICE_LIT("correct horsf"), known));
	assert_false(password_check(SLICE_LIT("correct horse "), known));
	assert_false(password_check(SLICE_EMPTY, known));
	assert_int_equal(password_hash(SLICE_LIT("s3cret"), one, NULL), 0);
	assert_int_equal(password_hash(SLICE_LIT("s3cret"), two, NULL), 0);
	assert_string_not_equal(one, two);
	assert_true(password_check(SLICE_LIT("s3cret"), one));
	assert_true(password_check(SLICE_LIT("s3cret"), two));
	memset(long_one, 'x', sizeof(long_one));
	assert_int_equal(password_hash(slice_from(long_one, 1025), one, NULL), -1);
	assert_int_equal(password_hash(SLICE_EMPTY, one, NULL), -1);
	assert_int_equal(password_hash(slice_from(long_one, 1024), one, NULL), 0);
	assert_true(password_check(slice_from(long_one, 1024), one));
	/* Cut to 1024 bytes it would match: longer than allowed is wrong all the same. */
	assert_false(password_check(slice_from(long_one, 1025), one));
}

static void
test_password_bad_forms(void **state)
{
	static const char *const bad[] = {
		NULL, "", "scrypt", "plain:correct horse",
		"scrypt:14:8:1:" KNOWN_SALT,
		"scrypt:14:8:1:" KNOWN_SALT ":",
		"scrypt:14:8:1:AAECAwQFBgcICQoLDA0ODw" KNOWN_HASH,
		"scrypt:2:8:1:" KNOWN_SALT KNOWN_HASH,
		"scrypt:40:8:1:" KNOWN_SALT KNOWN_HASH,
		"scrypt:14:8:9:" KNOWN_SALT KNOWN_HASH,
		"scrypt:14:8:1:" KNOWN_SALT KNOWN_HASH ":x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(password_check(SLICE_LIT("correct horse"), bad[i]));
}

static void
test_secrets(void **state)
{
	char key[8] = "secret!";

	(void)state;
	assert_true(secret_eq(SLICE_LIT("abc"), SLICE_LIT("abc")));
	assert_false(secret_eq(SLICE_LIT("abc"), SLICE_LIT("abd")));
	assert_false(secret_eq(SLICE_LIT("abc"), SLICE_LIT("ab")));
	assert_true(secret_eq(SLICE_EMPTY, (struct slice){ NULL, 0 }));
	secret_wipe(key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++)
		assert_int_equal(key[i], 0);
}

/* Two processes forked from one must not draw the same numbers. */
static void
test_random_after_fork(void **state)
{
	char mine[32], theirs[32];
	int pipes[2], status;
	pid_t child;

	(void)state;
	random_bytes(mine, sizeof(mine));
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		random_bytes(theirs, sizeof(theirs));
		_exit(write(pipes[1], theirs, sizeof(theirs)) == sizeof(theirs) ? 0 : 1);
	}
	random_bytes(mine, sizeof(mine));
	assert_int_equal(read(pipes[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_memory_not_equal(mine, theirs, sizeof(mine));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(pipes[0]);
	close(pipes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_kept_hmac),
		cmocka_unit_test(test_ed25519_vectors),
		cmocka_unit_test(test_ed25519_tamper),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_password_bad_forms),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_random_after_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
