/* tls_ticket.c -- session tickets: sealed under keys that every worker of a node derives from one
 * secret, and believed only while the certificate in them would be believed today. Part of tls.h;
 * shapes: tls_parts.h. */
#include "adapters/tls_parts.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum {
	NAME_LEN = 16,			/* of a key, in clear in each ticket: OpenSSL's figure */
	EPOCH_SECONDS = 6 * 3600,	/* a key's time; it opens tickets for one epoch more */
	LIFE_SECONDS = 2 * 3600,	/* of a ticket */
	VERDICTS = 64,			/* on certificates, that are kept... */
	VERDICT_SECONDS = 60,		/* ...so long, and no longer than the files they rest on */
	US_PER_S = 1000000
};

/* What seals the tickets of one epoch. */
struct ticket_key {
	int64_t	epoch;
	uint8_t	name[NAME_LEN];
	uint8_t	cipher[SHA256_LEN], mac[SHA256_LEN];
};

/* A certificate that would be let in. */
struct verdict {
	uint8_t	digest[SHA256_LEN];
	int64_t	until_us;
};

struct tickets {
	uint8_t		 secret[SHA256_LEN];	/* of one listener */
	struct ticket_key keys[2];		/* by the epoch's last bit: this one, the one before */
	struct verdict	 verdicts[VERDICTS];	/* by the digest's first byte */
	EVP_CIPHER	*aes;			/* fetched once: OpenSSL 3.0 is slow at finding things */
};

static void
tickets_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct tickets *t = ptr;

	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (t == NULL)
		return;
	EVP_CIPHER_free(t->aes);
	secret_wipe(t, sizeof(*t));
	free(t);
}

/* OpenSSL hands out the slot for our pointer once a process; hence the one variable here. */
static int
tickets_slot(void)
{
	static int slot = -1;

	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, tickets_free);
	return slot;
}

static void
derive(const struct tickets *t, const char *what, int64_t epoch, uint8_t out[SHA256_LEN])
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s %lld", what, (long long)epoch);
	digest_hmac_sha256(slice_from(t->secret, sizeof(t->secret)), strbuf_slice(&text), out);
	strbuf_fini(&text);
}

static const struct ticket_key *
key_of_epoch(struct tickets *t, int64_t epoch)
{
	struct ticket_key *k = &t->keys[epoch & 1];
	uint8_t name[SHA256_LEN];

	if (k->epoch == epoch)
		return k;
	derive(t, "name", epoch, name);
	derive(t, "cipher", epoch, k->cipher);
	derive(t, "mac", epoch, k->mac);
	memcpy(k->name, name, NAME_LEN);
	k->epoch = epoch;
	return k;
}

static int
set_mac(EVP_MAC_CTX *mac, const struct ticket_key *k)
{
	static char sha256[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, (void *)k->mac, sizeof(k->mac)),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, sizeof(sha256) - 1), OSSL_PARAM_END
	};

	return EVP_MAC_CTX_set_params(mac, params);
}

/* A new ticket. None for TLS 1.2: there it would carry the keys of the connection itself, and who
 * learns our secret later could read what was recorded; in 1.3 each resumption has a key exchange of
 * its own. */
static int
seal(struct tickets *t, SSL *ssl, uint8_t *name, uint8_t *iv, EVP_CIPHER_CTX *aes, EVP_MAC_CTX *mac)
{
	const struct ticket_key *k =
	    key_of_epoch(t, clock_wall_us() / US_PER_S / EPOCH_SECONDS);

	if (SSL_version(ssl) < TLS1_3_VERSION)
		return 0;
	memcpy(name, k->name, NAME_LEN);
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->aes)) != 1 ||
	    EVP_EncryptInit_ex(aes, t->aes, NULL, k->cipher, iv) != 1 || set_mac(mac, k) != 1)
		return -1;
	return 1;
}

/* A ticket comes back: 0 if it is not ours, or of an earlier day. */
static int
open_up(struct tickets *t, const uint8_t *name, const uint8_t *iv, EVP_CIPHER_CTX *aes,
    EVP_MAC_CTX *mac)
{
	int64_t now = clock_wall_us() / US_PER_S / EPOCH_SECONDS;

	for (int64_t epoch = now; epoch >= now - 1; epoch--) {
		const struct ticket_key *k = key_of_epoch(t, epoch);

		if (memcmp(name, k->name, NAME_LEN) != 0)
			continue;
		return EVP_DecryptInit_ex(aes, t->aes, NULL, k->cipher, iv) == 1 &&
		    set_mac(mac, k) == 1 ? 1 : -1;
	}
	return 0;
}

static int
on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *aes,
    EVP_MAC_CTX *mac, int sealing)
{
	struct tickets *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_slot());

	return sealing ? seal(t, ssl, name, iv, aes, mac) : open_up(t, name, iv, aes, mac);
}

/* Would this certificate be let in today? Its intermediates are not in the ticket: who needs them, and has
 * them not in our file, shows them again in a full handshake. */
static bool
verify(SSL_CTX *ctx, X509 *cert)
{
	X509_STORE_CTX *check = X509_STORE_CTX_new();
	bool good = check != NULL &&
	    X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(ctx), cert, NULL) == 1 &&
	    X509_STORE_CTX_set_default(check, "ssl_client") == 1 &&
	    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(check), SSL_CTX_get0_param(ctx)) == 1 &&
	    X509_verify_cert(check) == 1;

	X509_STORE_CTX_free(check);
	ERR_clear_error();
	return good;
}

/* The same, with a good memory for a minute: a context lives no longer than the files it was made of. */
static bool
still_good(struct tickets *t, SSL_CTX *ctx, X509 *cert)
{
	uint8_t digest[SHA256_LEN];
	int64_t now = clock_mono_us();
	struct verdict *v;

	if (X509_digest(cert, EVP_sha256(), digest, NULL) != 1)
		return false;
	v = &t->verdicts[digest[0] % VERDICTS];
	if (now < v->until_us && memcmp(v->digest, digest, sizeof(digest)) == 0)
		return true;
	if (!verify(ctx, cert))
		return false;
	memcpy(v->digest, digest, sizeof(digest));
	v->until_us = now + INT64_C(1000000) * VERDICT_SECONDS;
	return true;
}

/* A session would keep yesterday's verdict about its client: it is asked again, under today's files.
 * Otherwise there is a full handshake, which says no in its own words. */
static SSL_TICKET_RETURN
on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t n,
    SSL_TICKET_STATUS status, void *arg)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	int mode = SSL_get_verify_mode(ssl);
	X509 *cert;

	(void)name;
	(void)n;
	(void)arg;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	cert = SSL_SESSION_get0_peer(session);
	if (cert == NULL)
		return (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0 ?
		    SSL_TICKET_RETURN_IGNORE_RENEW : SSL_TICKET_RETURN_USE_RENEW;
	if ((mode & SSL_VERIFY_PEER) == 0 ||
	    !still_good(SSL_CTX_get_ex_data(ctx, tickets_slot()), ctx, cert))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return SSL_TICKET_RETURN_USE_RENEW;
}

int
tls_use_tickets(SSL_CTX *ctx, struct slice secret, const char *listener)
{
	struct tickets *t = xcalloc(1, sizeof(*t));

	if (secret.n > 0)
		digest_hmac_sha256(secret, slice_of(listener), t->secret);
	else
		random_bytes(t->secret, sizeof(t->secret));
	t->keys[0].epoch = t->keys[1].epoch = -1;
	t->aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
	SSL_CTX_set_session_ticket_cb(ctx, NULL, on_ticket, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);	/* tickets are all we have */
	SSL_CTX_set_timeout(ctx, LIFE_SECONDS);
	SSL_CTX_set_num_tickets(ctx, 1);	/* two are the default, and each costs */
	if (t->aes != NULL && SSL_CTX_set_ex_data(ctx, tickets_slot(), t) == 1)
		return 0;
	tickets_free(NULL, t, NULL, 0, 0, NULL);
	return -1;
}
