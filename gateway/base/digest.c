#include "gateway/base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum {
	SALT_LEN = 16,
	HASH_LEN = 32,
	LOG2_N = 14,
	SCRYPT_R = 8,
	SCRYPT_P = 1,
	PASSWORD_MAX = 1024,
	STORED_MAX = 159,
};
static const uint64_t scrypt_memory_max = 64u << 20;

/* Fetched once: in OpenSSL 3.0 a fetch a call costs more than hashing a short message. */
static EVP_MD *md_sha256, *md_sha1, *md_md5;
static EVP_MAC_CTX *mac_sha256;		/* without a key: to be copied */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

struct sha256 {
	EVP_MD_CTX	*ctx;
};

struct hmac {
	EVP_MAC_CTX	*ctx;
};

/* End the process: a hash cannot fail but for want of memory or a broken installation, and no
 * caller could go on without one. */
static _Noreturn void
broken(const char *what)
{
	fprintf(stderr, "tocsin: OpenSSL cannot do %s\n", what);
	abort();
}

/* Put OpenSSL's first complaint into *e and empty its queue; always -1. */
static int
openssl_says(struct err *e, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return err_set(e, ERR_CRYPTO, "%s: %s", what,
	    why == NULL ? "OpenSSL gives no reason" : why);
}

static void
fetch_mac(void)
{
	char name[] = "SHA2-256";
	const OSSL_PARAM with[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (mac == NULL || (mac_sha256 = EVP_MAC_CTX_new(mac)) == NULL ||
	    EVP_MAC_CTX_set_params(mac_sha256, with) != 1)
		broken("HMAC-SHA-256");
	EVP_MAC_free(mac);
}

static void
fetch(void)
{
	md_sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	md_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	md_md5 = EVP_MD_fetch(NULL, "MD5", NULL);	/* NULL where it is forbidden */
	if (md_sha256 == NULL || md_sha1 == NULL)
		broken("SHA-256 and SHA-1");
	fetch_mac();
}

/* Hash with a context that is kept: making one a call costs a third of hashing an id. */
static void
hash(struct slice s, uint8_t *out, EVP_MD *const *md, EVP_MD_CTX **ctx)
{
	if (*ctx == NULL) {
		pthread_once(&fetched, fetch);
		*ctx = EVP_MD_CTX_new();
	}
	if (*ctx == NULL || EVP_DigestInit_ex2(*ctx, *md, NULL) != 1 ||
	    EVP_DigestUpdate(*ctx, s.p, s.n) != 1 || EVP_DigestFinal_ex(*ctx, out, NULL) != 1)
		broken("a hash");
}

void
digest_sha256(struct slice s, uint8_t out[SHA256_LEN])
{
	static _Thread_local EVP_MD_CTX *ctx;

	hash(s, out, &md_sha256, &ctx);
}

void
digest_sha256_hex(struct slice s, char out[2 * SHA256_LEN + 1])
{
	uint8_t sum[SHA256_LEN];

	digest_sha256(s, sum);
	hex_text(sum, sizeof(sum), out);
}

void
digest_sha1(struct slice s, uint8_t out[SHA1_LEN])
{
	static _Thread_local EVP_MD_CTX *ctx;

	hash(s, out, &md_sha1, &ctx);
}

/* Zeros where the library does not do MD5. */
void
digest_md5(struct slice s, uint8_t out[MD5_LEN])
{
	static _Thread_local EVP_MD_CTX *ctx;

	pthread_once(&fetched, fetch);
	memset(out, 0, MD5_LEN);
	if (md_md5 != NULL)
		hash(s, out, &md_md5, &ctx);
}

struct hmac *
hmac_new(struct slice key)
{
	struct hmac *h = xmalloc(sizeof(*h));

	pthread_once(&fetched, fetch);
	/* Without a key EVP_MAC_init goes on with the last one: the empty key needs an address. */
	if ((h->ctx = EVP_MAC_CTX_dup(mac_sha256)) == NULL ||
	    EVP_MAC_init(h->ctx, (const unsigned char *)(key.n > 0 ? key.p : ""), key.n,
	    NULL) != 1)
		broken("HMAC-SHA-256");
	return h;
}

void
hmac_free(struct hmac *h)
{
	if (h == NULL)
		return;
	EVP_MAC_CTX_free(h->ctx);
	free(h);
}

void
hmac_sha256(struct hmac *h, struct slice s, uint8_t out[SHA256_LEN])
{
	size_t n = 0;

	if (EVP_MAC_init(h->ctx, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(h->ctx, (const unsigned char *)s.p, s.n) != 1 ||
	    EVP_MAC_final(h->ctx, out, &n, SHA256_LEN) != 1 || n != SHA256_LEN)
		broken("HMAC-SHA-256");
}

void
digest_hmac_sha256(struct slice key, struct slice s, uint8_t out[SHA256_LEN])
{
	struct hmac *h = hmac_new(key);

	hmac_sha256(h, s, out);
	hmac_free(h);
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *h = xmalloc(sizeof(*h));

	pthread_once(&fetched, fetch);
	if ((h->ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex2(h->ctx, md_sha256, NULL) != 1)
		broken("SHA-256");
	return h;
}

struct sha256 *
sha256_copy(const struct sha256 *from)
{
	struct sha256 *h = sha256_new();

	if (EVP_MD_CTX_copy_ex(h->ctx, from->ctx) != 1)
		broken("SHA-256");
	return h;
}

void
sha256_add(struct sha256 *h, struct slice s)
{
	if (EVP_DigestUpdate(h->ctx, s.p, s.n) != 1)
		broken("SHA-256");
}

void
sha256_end(struct sha256 *h, uint8_t out[SHA256_LEN])
{
	if (EVP_DigestFinal_ex(h->ctx, out, NULL) != 1)
		broken("SHA-256");
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n > 0) {
		int piece = n > 1 << 20 ? 1 << 20 : (int)n;

		if (RAND_bytes(at, piece) != 1)
			broken("random bytes");
		at += piece;
		n -= (size_t)piece;
	}
}

bool
secret_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

/* What a stored password says. */
struct stored {
	unsigned	log2_n, r, p;
	uint8_t		salt[SALT_LEN];
	uint8_t		hash[HASH_LEN];
};

/* Decode exactly n bytes of base64. */
static bool
exact_base64(struct slice s, uint8_t *out, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	bool ok = base64_decode(s, false, &b) && b.n == n;

	if (ok)
		memcpy(out, b.p, n);
	strbuf_fini(&b);
	return ok;
}

static bool
small_number(struct slice s, unsigned min, unsigned max, unsigned *out)
{
	unsigned long long v;

	if (!slice_u64(s, &v) || v < min || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

/* Read "scrypt:14:8:1:SALT" and leave what is behind its colon in *rest; false unless it is that, at a
 * cost we are ready to pay. */
static bool
recipe_parse(struct slice *rest, struct stored *st)
{
	return slice_is(slice_cut(rest, ':'), "scrypt") &&
	    small_number(slice_cut(rest, ':'), LOG2_N, LOG2_N + 1, &st->log2_n) &&
	    small_number(slice_cut(rest, ':'), SCRYPT_R, SCRYPT_R, &st->r) &&
	    small_number(slice_cut(rest, ':'), SCRYPT_P, 4, &st->p) &&
	    exact_base64(slice_cut(rest, ':'), st->salt, SALT_LEN);
}

/* Read "scrypt:14:8:1:SALT:HASH". */
static bool
stored_parse(const char *text, struct stored *st)
{
	struct slice rest = slice_of(text);

	return text != NULL && rest.n <= STORED_MAX && recipe_parse(&rest, st) &&
	    exact_base64(rest, st->hash, HASH_LEN);
}

static bool
scrypt(struct slice password, const struct stored *st, uint8_t out[HASH_LEN])
{
	return EVP_PBE_scrypt(password.p, password.n, st->salt, SALT_LEN,
	    (uint64_t)1 << st->log2_n, st->r, st->p, scrypt_memory_max, out, HASH_LEN) == 1;
}

int
password_hash(struct slice password, char out[160], struct err *e)
{
	struct stored st = { .log2_n = LOG2_N, .r = SCRYPT_R, .p = SCRYPT_P };
	struct strbuf text = STRBUF_INIT;

	if (password.n == 0 || password.n > PASSWORD_MAX)
		return err_set(e, ERR_VALUE, "a password has 1 to %d bytes", (int)PASSWORD_MAX);
	random_bytes(st.salt, SALT_LEN);
	if (!scrypt(password, &st, st.hash))
		return openssl_says(e, "scrypt");
	strbuf_addf(&text, "scrypt:%u:%u:%u:", st.log2_n, st.r, st.p);
	base64_add(&text, st.salt, SALT_LEN);
	strbuf_addc(&text, ':');
	base64_add(&text, st.hash, HASH_LEN);
	snprintf(out, 160, "%s", text.p);
	strbuf_fini(&text);
	secret_wipe(st.hash, sizeof(st.hash));
	return 0;
}

/* "scrypt:14:8:1:SALT" */
static void
recipe_text(const struct stored *st, char out[PASSWORD_RECIPE])
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "scrypt:%u:%u:%u:", st->log2_n, st->r, st->p);
	base64_add(&text, st->salt, SALT_LEN);
	snprintf(out, PASSWORD_RECIPE, "%s", text.p);
	strbuf_fini(&text);
}

void
password_recipe(const char *stored, char out[PASSWORD_RECIPE])
{
	static const struct stored nobody = { LOG2_N, SCRYPT_R, SCRYPT_P, { 1 }, { 2 } };
	struct stored st;
	bool known = stored_parse(stored, &st);

	/* An unknown user costs what a known one costs: time must not tell which names exist. */
	recipe_text(known ? &st : &nobody, out);
	secret_wipe(&st, sizeof(st));
}

bool
password_derive(struct slice password, const char *recipe, struct password_key *out)
{
	struct slice rest = slice_of(recipe);
	struct stored st;

	memset(out, 0, sizeof(*out));
	if (rest.n >= PASSWORD_RECIPE || !recipe_parse(&rest, &st) || rest.n > 0)
		return false;
	if (password.n == 0)
		password = SLICE_EMPTY;
	if (password.n <= PASSWORD_MAX && scrypt(password, &st, out->bytes))
		return true;
	ERR_clear_error();
	return false;
}

bool
password_fits(const struct password_key *key, const char *stored)
{
	struct stored st;
	bool same = false;

	if (stored_parse(stored, &st))
		same = CRYPTO_memcmp(key->bytes, st.hash, HASH_LEN) == 0;
	secret_wipe(&st, sizeof(st));
	return same;
}

bool
password_check(struct slice password, const char *stored)
{
	char recipe[PASSWORD_RECIPE];
	struct password_key key;
	bool derived, same;

	password_recipe(stored, recipe);
	derived = password_derive(password, recipe, &key);
	same = password_fits(&key, stored);
	secret_wipe(&key, sizeof(key));
	return derived && same;
}

int
ed25519_new(uint8_t priv[ED25519_KEY_LEN], uint8_t pub[ED25519_KEY_LEN], struct err *e)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t npriv = ED25519_KEY_LEN, npub = ED25519_KEY_LEN;
	int rc = -1;

	if (key == NULL || EVP_PKEY_get_raw_private_key(key, priv, &npriv) != 1 ||
	    EVP_PKEY_get_raw_public_key(key, pub, &npub) != 1)
		openssl_says(e, "making an Ed25519 key");
	else
		rc = 0;
	EVP_PKEY_free(key);
	return rc;
}

/* The private key in OpenSSL's form, or NULL. */
static EVP_PKEY *
ed25519_private(const uint8_t priv[ED25519_KEY_LEN])
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, priv, ED25519_KEY_LEN);
}

int
ed25519_public(const uint8_t priv[ED25519_KEY_LEN], uint8_t pub[ED25519_KEY_LEN], struct err *e)
{
	EVP_PKEY *key = ed25519_private(priv);
	size_t npub = ED25519_KEY_LEN;
	int rc = -1;

	if (key == NULL || EVP_PKEY_get_raw_public_key(key, pub, &npub) != 1)
		openssl_says(e, "Ed25519 public key");
	else
		rc = 0;
	EVP_PKEY_free(key);
	return rc;
}

int
ed25519_sign(const uint8_t priv[ED25519_KEY_LEN], struct slice msg, uint8_t sig[ED25519_SIG_LEN],
    struct err *e)
{
	EVP_PKEY *key = ed25519_private(priv);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *text = msg.n > 0 ? (const uint8_t *)msg.p : (const uint8_t *)"";
	size_t nsig = ED25519_SIG_LEN;
	int rc = -1;

	if (key == NULL || ctx == NULL || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig, &nsig, text, msg.n) != 1 || nsig != ED25519_SIG_LEN)
		openssl_says(e, "Ed25519 signature");
	else
		rc = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return rc;
}

bool
ed25519_verify(const uint8_t pub[ED25519_KEY_LEN], struct slice msg,
    const uint8_t sig[ED25519_SIG_LEN])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *text = msg.n > 0 ? (const uint8_t *)msg.p : (const uint8_t *)"";
	bool ok;

	ok = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, sig, ED25519_SIG_LEN, text, msg.n) == 1;
	ERR_clear_error();
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

static void *
take(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return xmalloc(n);
}

static void *
take_more(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n > 0)
		return xrealloc(p, n);
	free(p);
	return NULL;
}

static void
give_back(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void
digest_share_memory(void)
{
	CRYPTO_set_mem_functions(take, take_more, give_back);
}

const char *
digest_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
