/*
 * digest.h -- hashes, MACs, signatures, passwords, random bytes: one of OpenSSL's two doormen
 * (the other is adapters/tls.h).
 *
 * Owns:    nothing lasting; keys belong to the callers.
 * Called:  by every layer.
 * Never:   shows an OpenSSL type, or returns half a result.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

enum { SHA256_LEN = 32, SHA1_LEN = 20, MD5_LEN = 16, ED25519_KEY_LEN = 32, ED25519_SIG_LEN = 64 };

void	digest_sha256(struct slice s, uint8_t out[SHA256_LEN]);
void	digest_sha256_hex(struct slice s, char out[2 * SHA256_LEN + 1]);
void	digest_sha1(struct slice s, uint8_t out[SHA1_LEN]);	/* UUIDv5 only */
void	digest_md5(struct slice s, uint8_t out[MD5_LEN]);	/* hashes.csv of MISP only */
void	digest_hmac_sha256(struct slice key, struct slice s, uint8_t out[SHA256_LEN]);

/* The same under a key that is used often: a fifth of the cost. */
struct hmac;
struct hmac	*hmac_new(struct slice key);
void		 hmac_free(struct hmac *h);		/* wipes the key; NULL is fine */
void		 hmac_sha256(struct hmac *h, struct slice s, uint8_t out[SHA256_LEN]);

/* Running SHA-256, for things that do not lie in one piece. */
struct sha256;
struct sha256	*sha256_new(void);
struct sha256	*sha256_copy(const struct sha256 *h);	/* what was added so far, to go on with */
void		 sha256_add(struct sha256 *h, struct slice s);
void		 sha256_end(struct sha256 *h, uint8_t out[SHA256_LEN]);	/* frees h */

/* Let OpenSSL take its memory as we do: a want of it ends the process. Before anything else of OpenSSL. */
void		 digest_share_memory(void);
const char *digest_library(void);	/* "OpenSSL 3.0.11 ...": what runs, not what was built with */

void	random_bytes(void *p, size_t n);	/* ends the process if the system has none */
/* Constant-time comparison. */
bool	secret_eq(struct slice a, struct slice b);
void	secret_wipe(void *p, size_t n);

/* "scrypt:14:8:1:BASE64SALT:BASE64HASH" (log2 N, r, p). out holds 160 bytes. */
int	password_hash(struct slice password, char out[160], struct err *e);
/* True if `password` matches. An unparsable or NULL `stored` costs the same time and is false. */
bool	password_check(struct slice password, const char *stored);

/* The same in two halves, of which the first is slow and may be done elsewhere: by somebody who learns
 * neither the name nor what it should come to. The recipe is the stored text without its hash; an
 * unparsable or NULL `stored` gives nobody's, at the same cost. */
enum { PASSWORD_RECIPE = 64 };
struct password_key {
	uint8_t	bytes[32];
};
void	password_recipe(const char *stored, char out[PASSWORD_RECIPE]);
/* False if the recipe is none, or out of memory. */
bool	password_derive(struct slice password, const char *recipe, struct password_key *out);
bool	password_fits(const struct password_key *key, const char *stored);

/* Ed25519 (RFC 8032); keys raw, 32 bytes. */
int	ed25519_new(uint8_t priv[ED25519_KEY_LEN], uint8_t pub[ED25519_KEY_LEN], struct err *e);
int	ed25519_public(const uint8_t priv[ED25519_KEY_LEN], uint8_t pub[ED25519_KEY_LEN],
	    struct err *e);
int	ed25519_sign(const uint8_t priv[ED25519_KEY_LEN], struct slice msg,
	    uint8_t sig[ED25519_SIG_LEN], struct err *e);
bool	ed25519_verify(const uint8_t pub[ED25519_KEY_LEN], struct slice msg,
	    const uint8_t sig[ED25519_SIG_LEN]);

#endif
