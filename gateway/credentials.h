/*
 * credentials.h -- the one file with secrets (0600), and who a secret belongs to.
 *
 *	token    NAME sha256:HEX [until 2027-03-31]
 *	password NAME scrypt:14:8:1:SALT:HASH
 *	login NAME basic USER PASSWORD | bearer TOKEN | header NAME VALUE
 *	proxy-login NAME USER PASSWORD
 *
 * Owns:    tokens by hash, password hashes, the cache of successful verifications (HMAC under a key
 *          of this process, minutes long; dropped on reload); what we show to others, in the clear.
 * Called:  by TAXII server (who is this), by those who call peers (who are we there), by `tocsin
 *          consumer add` and `tocsin peer login` (write the file).
 * Never:   keeps what others show us in the clear, and never tells by time whether a name exists.
 *
 * The names are consumers (or peers) of trust.conf; those of logins are peers.
 */
#ifndef GATEWAY_CREDENTIALS_H
#define GATEWAY_CREDENTIALS_H

#include "gateway/base/digest.h"
#include "gateway/base/lines.h"

struct credentials;

struct credentials *credentials_load(const char *path, struct complaints *c);
struct credentials *credentials_parse(struct slice text, const char *name, struct complaints *c);
void		 credentials_free(struct credentials *cr);
/* Names in order, for checking against trust; NULL past the end. */
const char	*credentials_name(const struct credentials *cr, size_t i);
/* The owner of a bearer token, or NULL (unknown, expired). */
const char	*credentials_token(const struct credentials *cr, struct slice token, int64_t now_us);

/* A password check costs about 50 ms of CPU; a success is remembered. */
enum credentials_answer { CREDENTIALS_YES, CREDENTIALS_NO, CREDENTIALS_MUST_HASH };
/* What the cache knows. */
enum credentials_answer credentials_cached(const struct credentials *cr, struct slice user,
		    struct slice password, int64_t now_us);
/* The slow check itself; fills the cache on success. Returns the name, or NULL. */
const char	*credentials_password(struct credentials *cr, struct slice user,
		    struct slice password, int64_t now_us);
/* The same in two halves, of which the slow one is done elsewhere (password_derive, digest.h): the recipe
 * for this user, who may be nobody; then what the key is worth. */
void		 credentials_recipe(const struct credentials *cr, struct slice user,
		    char out[PASSWORD_RECIPE]);
const char	*credentials_derived(struct credentials *cr, struct slice user, struct slice password,
		    const struct password_key *key, int64_t now_us);

/* What we show to a peer's server, or to the proxy before it. */
struct credentials_login {
	enum { LOGIN_NONE, LOGIN_BASIC, LOGIN_BEARER, LOGIN_HEADER } kind;
	const char	*user;		/* basic */
	const char	*secret;	/* password, token, or value of the header line */
	const char	*header;	/* header: its name */
};
/* False (and LOGIN_NONE) if there is none; cr may be NULL. Borrowed until credentials_free. */
bool		 credentials_login(const struct credentials *cr, const char *peer,
		    struct credentials_login *out);
bool		 credentials_proxy_login(const struct credentials *cr, const char *peer,
		    struct credentials_login *out);	/* always basic */
/* "none", "basic", "bearer", "header". */
const char	*credentials_login_word(const struct credentials_login *login);

/* For commands: add a line durably. The new secret is printed into out (44 characters for tokens). */
int	credentials_add_token(const char *path, const char *name, const char *until, char out[64],
	    struct err *e);
int	credentials_add_password(const char *path, const char *name, struct slice password,
	    struct err *e);
/* Take out the hashes of its tokens and its password; *gone says how many there were. */
int	credentials_remove_secrets(const char *path, const char *name, size_t *gone, struct err *e);
/* The login that the name had before goes. */
int	credentials_set_login(const char *path, const char *name, const struct credentials_login *login,
	    struct err *e);
int	credentials_set_proxy_login(const char *path, const char *name, const char *user,
	    const char *secret, struct err *e);
/* Take it out again; *gone says whether there was one. */
int	credentials_remove_login(const char *path, const char *name, bool proxy, bool *gone,
	    struct err *e);

#endif
