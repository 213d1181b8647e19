/* If this finds something, a damaged credentials file crashes the node, or lets somebody in whom it does not
 * name. No password is hashed here: that is slow on purpose. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/credentials.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* True if the text holds this word, in whatever case. */
static bool
mentions(struct slice text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++)
		if (slice_is_nocase(slice_from(text.p + i, n), word))
			return true;
	return false;
}

static bool
is_listed(const struct credentials *cr, const char *name)
{
	const char *listed;

	for (size_t i = 0; (listed = credentials_name(cr, i)) != NULL; i++)
		if (strcmp(listed, name) == 0)
			return true;
	return false;
}

/* The token of the seeds is taken only if its hash stands in the file, and belongs to a listed name. */
static void
check_credentials(const struct credentials *cr, struct slice text)
{
	static const struct slice token = { "trial", 5 };
	char hex[2 * SHA256_LEN + 1];
	const char *owner = credentials_token(cr, token, 0), *name;

	digest_sha256_hex(token, hex);
	if (owner != NULL && (!is_listed(cr, owner) || !mentions(text, hex)))
		abort();
	for (size_t i = 0; (name = credentials_name(cr, i)) != NULL && i < 8; i++)
		if (name[0] == '\0' ||
		    credentials_cached(cr, slice_of(name), token, 0) == CREDENTIALS_YES)
			abort();
}

/* What a login puts into a request is a line that the file named, and cannot begin another. */
static void
check_logins(const struct credentials *cr)
{
	struct credentials_login l;
	const char *name;

	for (size_t i = 0; (name = credentials_name(cr, i)) != NULL && i < 8; i++) {
		if (credentials_login(cr, name, &l) != (l.kind != LOGIN_NONE))
			abort();
		if (l.kind != LOGIN_NONE && (l.secret[0] == '\0' || strpbrk(l.secret, "\r\n") != NULL))
			abort();
		if (l.kind == LOGIN_HEADER && strpbrk(l.header, ": \r\n") != NULL)
			abort();
		if ((l.kind == LOGIN_BASIC || credentials_proxy_login(cr, name, &l)) &&
		    strpbrk(l.user, ":\r\n") != NULL)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_from(data, size);
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	struct credentials *cr = credentials_parse(text, "fuzz", &c);

	if ((cr == NULL) != (c.n > 0))
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (strncmp(c.text[i], "fuzz:", 5) != 0)
			abort();
	if (cr != NULL)
		check_credentials(cr, text);
	if (cr != NULL)
		check_logins(cr);
	credentials_free(cr);
	arena_free(mem);
	return 0;
}
