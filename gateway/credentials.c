#include "gateway/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum {
	ENTRIES_MAX = 100000,
	SECRET_MAX = 1024,		/* bytes of a user name, a password, a token */
	NAME_MAX_ = 63,
	TOKEN_BYTES = 32,
	CACHE_SLOTS = 1024,		/* a power of 2 */
	CREDENTIALS_FILE_MAX = 16 << 20
};
static const int64_t cache_us = 5 * 60 * INT64_C(1000000);

enum kind { TOKEN, PASSWORD };

struct entry {
	enum kind	 kind;
	const char	*name;
	uint8_t		 hash[SHA256_LEN];	/* tokens */
	const char	*stored;		/* passwords */
	int64_t		 until_us;		/* INT64_MAX: no end */
	const struct line *line;
};

struct entry_ref {
	const struct entry *e;
};

/* A success: the MAC of (user, password) and whose it is. */
struct cached {
	uint8_t		 mac[SHA256_LEN];
	const char	*name;			/* NULL: an empty slot */
	int64_t		 until_us;
};

struct credentials {
	struct arena	*mem;
	struct entry	*v;			/* in the order of the file */
	size_t		 n, cap;
	struct entry_ref *tokens;		/* by hash */
	size_t		 ntokens;
	uint8_t		 key[32];		/* of this process and this load */
	struct cached	 cache[CACHE_SLOTS];
};

/* ---- reading ---- */

static bool
is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (i > 0 && (c == '.' || c == '_' || c == '-'))))
			return false;
	}
	return s.n > 0 && s.n <= NAME_MAX_;
}

/* "scrypt:14:8:1:SALT:HASH", as far as one can see without hashing. */
static bool
is_password_hash(struct slice s)
{
	struct slice rest = s, word = slice_cut(&rest, ':');
	unsigned long long v;

	if (!slice_is(word, "scrypt") || s.n >= 160)
		return false;
	for (int i = 0; i < 3; i++)
		if (!slice_u64(slice_cut(&rest, ':'), &v) || v == 0)
			return false;
	word = slice_cut(&rest, ':');
	return word.n >= 16 && rest.n >= 32;
}

static void
read_token(struct entry *t, const struct line *l, struct complaints *c)
{
	static const char prefix[] = "sha256:";
	struct slice w = l->words[2];

	if (!slice_starts(w, prefix) ||
	    !hex_decode(slice_from(w.p + sizeof(prefix) - 1, w.n - (sizeof(prefix) - 1)), t->hash,
	    SHA256_LEN))
		complain(c, l, "token: behind the name stands sha256: and 64 hex digits");
	if (l->nwords == 3)
		return;
	if (l->nwords != 5 || !slice_is(l->words[3], "until") ||
	    !word_date(l->words[4], &t->until_us))
		complain(c, l, "token: behind the hash only `until 2027-03-31` may stand");
}

static void
read_password(struct entry *p, const struct line *l, struct complaints *c)
{
	if (l->nwords != 3 || !is_password_hash(l->words[2]))
		complain(c, l, "password: behind the name stands scrypt:LOG2N:R:P:SALT:HASH and no more");
	p->stored = l->words[2].p;
}

/* Take one line; false if the load has too many. */
static bool
read_line(struct credentials *cr, const struct line *l, struct complaints *c)
{
	static const struct {
		const char	*word;
		void		(*read)(struct entry *e, const struct line *l, struct complaints *c);
	} kinds[] = { [TOKEN] = { "token", read_token }, [PASSWORD] = { "password", read_password } };
	static const char *const words[] = { "token", "password", NULL };
	struct entry e = { .until_us = INT64_MAX, .line = l };
	size_t kind = 0;

	while (kind < 2 && !slice_is(l->words[0], kinds[kind].word))
		kind++;
	if (kind == 2) {
		complain_unknown(c, l, "word", l->words[0], words);
		return true;
	}
	if (l->nwords < 3) {
		complain(c, l, "%s: a name and a hash are needed", kinds[kind].word);
		return true;
	}
	if (cr->n == ENTRIES_MAX) {
		complain(c, l, "more than %d credentials", (int)ENTRIES_MAX);
		return false;
	}
	if (!is_name(l->words[1]))
		complain(c, l, "'%.*s' is no name of a consumer", SLICE_ARG(l->words[1]));
	e.kind = (enum kind)kind;
	e.name = l->words[1].p;
	kinds[kind].read(&e, l, c);
	cr->v = arena_grow(cr->mem, cr->v, cr->n, &cr->cap, sizeof(*cr->v));
	cr->v[cr->n++] = e;
	return true;
}

static int
by_hash(const void *a, const void *b)
{
	const struct entry_ref *x = a, *y = b;

	return memcmp(x->e->hash, y->e->hash, SHA256_LEN);
}

static int
by_name(const void *a, const void *b)
{
	const struct entry_ref *x = a, *y = b;

	return strcmp(x->e->name, y->e->name);
}

/* Sort the tokens by hash; no token twice, no second password of a name. */
static void
index_entries(struct credentials *cr, struct complaints *c)
{
	struct entry_ref *passwords = arena_alloc(cr->mem, (cr->n + 1) * sizeof(*passwords));
	size_t n = 0;

	cr->tokens = arena_alloc(cr->mem, (cr->n + 1) * sizeof(*cr->tokens));
	for (size_t i = 0; i < cr->n; i++) {
		if (cr->v[i].kind == TOKEN)
			cr->tokens[cr->ntokens++].e = &cr->v[i];
		else
			passwords[n++].e = &cr->v[i];
	}
	qsort(cr->tokens, cr->ntokens, sizeof(*cr->tokens), by_hash);
	for (size_t i = 1; i < cr->ntokens; i++)
		if (by_hash(&cr->tokens[i - 1], &cr->tokens[i]) == 0)
			complain(c, cr->tokens[i].e->line, "a token stands here twice");
	qsort(passwords, n, sizeof(*passwords), by_name);
	for (size_t i = 1; i < n; i++)
		if (by_name(&passwords[i - 1], &passwords[i]) == 0)
			complain(c, passwords[i].e->line, "%s has two passwords",
			    passwords[i].e->name);
}

static struct credentials *
credentials_new(struct complaints *c)
{
	struct arena *mem = arena_new();
	struct credentials *cr = arena_alloc(mem, sizeof(*cr));

	cr->mem = mem;
	if (c->mem == NULL)
		c->mem = arena_new();
	random_bytes(cr->key, sizeof(cr->key));
	return cr;
}

/* Consumes cr; NULL if there is any complaint beyond `before`. */
static struct credentials *
build(struct credentials *cr, const struct lines *lines, struct complaints *c, size_t before)
{
	for (size_t i = 0; i < lines->n; i++) {
		if (lines->v[i].indented)
			complain(c, &lines->v[i], "nothing is indented in this file");
		else if (!read_line(cr, &lines->v[i], c))
			break;
	}
	index_entries(cr, c);
	if (c->n + c->dropped == before)
		return cr;
	credentials_free(cr);
	return NULL;
}

struct credentials *
credentials_load(const char *path, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct credentials *cr = credentials_new(c);
	struct lines lines = { 0 };

	lines_read(path, cr->mem, &lines, c);
	return build(cr, &lines, c, before);
}

struct credentials *
credentials_parse(struct slice text, const char *name, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct credentials *cr = credentials_new(c);
	struct lines lines = { 0 };

	lines_parse(text, name, cr->mem, &lines, c);
	return build(cr, &lines, c, before);
}

void
credentials_free(struct credentials *cr)
{
	struct arena *mem;

	if (cr == NULL)
		return;
	mem = cr->mem;
	secret_wipe(cr, sizeof(*cr));
	arena_free(mem);
}

const char *
credentials_name(const struct credentials *cr, size_t i)
{
	return i < cr->n ? cr->v[i].name : NULL;
}

/* ---- who is this ---- */

const char *
credentials_token(const struct credentials *cr, struct slice token, int64_t now_us)
{
	struct entry wanted = { 0 };
	const struct entry_ref key = { &wanted }, *found;

	if (token.n == 0 || token.n > SECRET_MAX)
		return NULL;
	/* Found by its hash: how long the search takes says nothing about the token. */
	digest_sha256(token, wanted.hash);
	found = bsearch(&key, cr->tokens, cr->ntokens, sizeof(*cr->tokens), by_hash);
	if (found == NULL || now_us > found->e->until_us)
		return NULL;
	return found->e->name;
}

/* What could be a pair of user and password at all. */
static bool
is_plausible(struct slice user, struct slice password)
{
	if (user.n == 0 || user.n > NAME_MAX_ || password.n == 0 || password.n > SECRET_MAX)
		return false;
	return memchr(user.p, '\0', user.n) == NULL && memchr(password.p, '\0', password.n) == NULL;
}

/* The MAC of the pair, and the slot it would stand in. */
static size_t
slot_of(const struct credentials *cr, struct slice user, struct slice password,
    uint8_t mac[SHA256_LEN])
{
	struct strbuf pair = STRBUF_INIT;

	strbuf_reserve(&pair, user.n + password.n + 1);
	strbuf_addsl(&pair, user);
	strbuf_addc(&pair, '\0');
	strbuf_addsl(&pair, password);
	digest_hmac_sha256(slice_from(cr->key, sizeof(cr->key)), strbuf_slice(&pair), mac);
	secret_wipe(pair.p, pair.cap);
	strbuf_fini(&pair);
	return (size_t)(mac[0] | mac[1] << 8) & (CACHE_SLOTS - 1);
}

/* The name that the cache has for the pair, or NULL. */
static const char *
look_up(const struct credentials *cr, struct slice user, struct slice password, int64_t now_us)
{
	uint8_t mac[SHA256_LEN];
	const struct cached *slot = &cr->cache[slot_of(cr, user, password, mac)];

	if (slot->name == NULL || now_us >= slot->until_us || now_us < slot->until_us - cache_us ||
	    !secret_eq(slice_from(mac, sizeof(mac)), slice_from(slot->mac, sizeof(slot->mac))))
		return NULL;
	return slot->name;
}

enum credentials_answer
credentials_cached(const struct credentials *cr, struct slice user, struct slice password,
    int64_t now_us)
{
	if (!is_plausible(user, password))
		return CREDENTIALS_NO;
	return look_up(cr, user, password, now_us) != NULL ? CREDENTIALS_YES : CREDENTIALS_MUST_HASH;
}

/* The hash of this user's password as it stands in the file, or NULL. */
static const struct entry *
find_password(const struct credentials *cr, struct slice user)
{
	const struct entry *found = NULL;

	for (size_t i = 0; i < cr->n; i++)
		if (cr->v[i].kind == PASSWORD && slice_is(user, cr->v[i].name))
			found = &cr->v[i];
	return found;
}

/* It was right: it costs nothing for a while. */
static const char *
remember(struct credentials *cr, const struct entry *found, struct slice user, struct slice password,
    int64_t now_us)
{
	struct cached *slot = &cr->cache[slot_of(cr, user, password, (uint8_t[SHA256_LEN]){ 0 })];

	slot_of(cr, user, password, slot->mac);
	slot->name = found->name;
	slot->until_us = now_us + cache_us;
	return found->name;
}

const char *
credentials_password(struct credentials *cr, struct slice user, struct slice password,
    int64_t now_us)
{
	const struct entry *found = find_password(cr, user);
	const char *name;

	if (!is_plausible(user, password))
		return NULL;
	name = look_up(cr, user, password, now_us);
	if (name != NULL)
		return name;
	/* Nobody of that name costs the same. */
	if (!password_check(password, found == NULL ? NULL : found->stored) || found == NULL)
		return NULL;
	return remember(cr, found, user, password, now_us);
}

void
credentials_recipe(const struct credentials *cr, struct slice user, char out[PASSWORD_RECIPE])
{
	const struct entry *found = find_password(cr, user);

	password_recipe(found == NULL ? NULL : found->stored, out);
}

const char *
credentials_derived(struct credentials *cr, struct slice user, struct slice password,
    const struct password_key *key, int64_t now_us)
{
	const struct entry *found = find_password(cr, user);

	if (!is_plausible(user, password) ||
	    !password_fits(key, found == NULL ? NULL : found->stored) || found == NULL)
		return NULL;
	return remember(cr, found, user, password, now_us);
}

/* ---- writing ---- */

/* Hold the folder of the file, so that two commands do not write at once; -1 and *e. */
static int
lock_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? xstrdup(".") :
	    xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(folder);
	return fd;
}

/* Copy the lines of `text` but those that are `skip` NAME. */
static void
copy_without(struct strbuf *out, struct slice text, const char *skip, const char *name)
{
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), rest = slice_trim(line), word[2];

		for (int i = 0; i < 2; i++) {
			size_t n = 0;

			while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t')
				n++;
			word[i] = slice_from(rest.p, n);
			rest = slice_trim(slice_from(rest.p + n, rest.n - n));
		}
		if (skip != NULL && slice_is(word[0], skip) && slice_is(word[1], name))
			continue;
		strbuf_addsl(out, line);
		strbuf_addc(out, '\n');
	}
}

/* Check that the file can be read as it is: a broken one is not touched. */
static int
check_text(const char *path, struct slice text, struct err *e)
{
	struct complaints c = { .mem = arena_new() };
	struct credentials *cr = credentials_parse(text, path, &c);
	int rc = 0;

	if (cr == NULL)
		rc = err_set(e, ERR_CONFIG, "%s", c.n > 0 ? c.text[0] : "cannot be read");
	credentials_free(cr);
	arena_free(c.mem);
	return rc;
}

/* Add a line behind the others; lines `replace` NAME go. */
static int
add_line(const char *path, const char *name, const char *replace, const char *line, struct err *e)
{
	struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	int rc = -1, lock = lock_folder(path, e);

	if (lock < 0)
		return -1;
	if (file_exists(path) && file_read(path, CREDENTIALS_FILE_MAX, &text, e) < 0)
		goto done;
	if (check_text(path, strbuf_slice(&text), e) < 0)
		goto done;
	copy_without(&out, strbuf_slice(&text), replace, name);
	strbuf_adds(&out, line);
	rc = file_write(path, strbuf_slice(&out), 0600, e);
done:
	close(lock);
	strbuf_fini(&text);
	strbuf_fini(&out);
	return rc;
}

static int
check_name(const char *name, struct err *e)
{
	if (is_name(slice_of(name)))
		return 0;
	return err_set(e, ERR_VALUE, "'%s' is no name: letters, digits, and . _ - after the first", name);
}

int
credentials_add_token(const char *path, const char *name, const char *until, char out[64],
    struct err *e)
{
	uint8_t secret[TOKEN_BYTES];
	struct strbuf token = STRBUF_INIT, line = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];
	int64_t end_us;
	int rc;

	if (check_name(name, e) < 0)
		return -1;
	if (until != NULL && !word_date(slice_of(until), &end_us))
		return err_set(e, ERR_VALUE, "'%s' is no date such as 2027-03-31", until);
	random_bytes(secret, sizeof(secret));
	base64url_add(&token, secret, sizeof(secret));
	digest_sha256_hex(strbuf_slice(&token), hex);
	strbuf_addf(&line, "token    %s sha256:%s%s%s\n", name, hex, until == NULL ? "" : " until ",
	    until == NULL ? "" : until);
	rc = add_line(path, name, NULL, line.p, e);
	if (rc == 0)
		snprintf(out, 64, "%s", token.p);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(token.p, token.cap);
	strbuf_fini(&token);
	strbuf_fini(&line);
	return rc;
}

int
credentials_add_password(const char *path, const char *name, struct slice password, struct err *e)
{
	char hash[160], line[320];

	if (check_name(name, e) < 0)
		return -1;
	if (!is_plausible(slice_of(name), password))
		return err_set(e, ERR_VALUE, "a password has 1 to %d bytes and no NUL", (int)SECRET_MAX);
	if (password_hash(password, hash, e) < 0)
		return -1;
	snprintf(line, sizeof(line), "password %s %s\n", name, hash);
	return add_line(path, name, "password", line, e);
}
