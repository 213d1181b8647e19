/*
 * credentials_parts.h -- between credentials.c (who is this), credentials_login.c (who are we, to others)
 * and credentials_write.c (adding lines).
 *
 * Owns:    one line of the file, as it was read.
 * Called:  by those files.
 * Never:   included by anyone else.
 */
#ifndef GATEWAY_CREDENTIALS_PARTS_H
#define GATEWAY_CREDENTIALS_PARTS_H

#include "gateway/credentials.h"

enum {
	SECRET_MAX = 1024,		/* bytes of a user, a password, a token that is shown to us */
	CREDENTIALS_FILE_MAX = 16 << 20
};

enum kind { TOKEN, PASSWORD, LOGIN, PROXY_LOGIN, KINDS };

struct entry {
	enum kind	 kind;
	const char	*name;
	uint8_t		 hash[SHA256_LEN];	/* tokens */
	const char	*stored;		/* passwords */
	struct credentials_login login;		/* what we show to others */
	int64_t		 until_us;		/* INT64_MAX: no end */
	const struct line *line;
};

struct credentials {
	struct arena	*mem;
	struct entry	*v;			/* in the order of the file */
	size_t		 n, cap;
	struct entry_ref *tokens;		/* by hash */
	size_t		 ntokens;
	uint8_t		 key[32];		/* of this process and this load */
	struct cached	*cache;			/* CACHE_SLOTS of them */
};

/* credentials.c */
bool	credentials_is_name(struct slice s);
/* What could be a pair of user and password at all. */
bool	credentials_is_pair(struct slice user, struct slice password);

/* credentials_login.c: a line's words behind the name; complaints never quote a secret. */
void	credentials_read_login(struct entry *e, const struct line *l, struct complaints *c);
void	credentials_read_proxy_login(struct entry *e, const struct line *l, struct complaints *c);
/* Could it stand in the file, and in the head of a request? -1 and *e if not. */
int	credentials_check_login(const struct credentials_login *login, struct err *e);

#endif
