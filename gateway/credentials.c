#include "gateway/credentials_parts.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum {
	ENTRIES_MAX = 100000,
	NAME_MAX_ = 63,
	CACHE_SLOTS = 1024		/* a power of 2 */
};
static const int64_t cache_us = 5 * 60 * INT64_C(1000000);

struct entry_ref {
	const struct entry *e;
};

/* A success: the MAC of (user, password) and whose it is. */
struct cached {
	uint8_t		 mac[SHA256_LEN];
	const char	*name;			/* NULL: an empty slot */
	int64_t		 until_us;
};

/* ---- reading ---- */

bool
credentials_is_name(struct slice s)
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

/* What may stand at the beginning of a line, and what is needed behind it. */
static const struct {
	const char	*word;
	void		(*read)(struct entry *e, const struct line *l, struct complaints *c);
	const char	*needs;
} kinds[KINDS] = {
	[TOKEN] = { "token", read_token, "a name and a hash are needed" },
	[PASSWORD] = { "password", read_password, "a name and a hash are needed" },
	[LOGIN] = { "login", credentials_read_login, "a name and a way to log in are needed" },
	[PROXY_LOGIN] = { "proxy-login", credentials_read_proxy_login,
	    "a name, a user and a password are needed" },
};

/* Take one line; false if the load has too many. */
static bool
read_line(struct credentials *cr, const struct line *l, struct complaints *c)
{
	static const char *const words[] = { "token", "password", "login", "proxy-login", NULL };
	struct entry e = { .until_us = INT64_MAX, .line = l };
	size_t kind = 0;

	while (kind < KINDS && !slice_is(l->words[0], kinds[kind].word))
		kind++;
	if (kind == KINDS) {
		complain_unknown(c, l, "word", l->words[0], words);
		return true;
	}
	if (l->nwords < 3) {
		complain(c, l, "%s: %s", kinds[kind].word, kinds[kind].needs);
		return true;
	}
	if (cr->n == ENTRIES_MAX) {
		complain(c, l, "more than %d credentials", (int)ENTRIES_MAX);
		return false;
	}
	if (!credentials_is_name(l->words[1]))
		complain(c, l, "'%.*s' is no name of a %s", SLICE_ARG(l->words[1]),
		    kind < LOGIN ? "consumer" : "peer");
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
by_kind_and_name(const void *a, const void *b)
{
	const struct entry_ref *x = a, *y = b;
	int order = (int)x->e->kind - (int)y->e->kind;

	return order != 0 ? order : strcmp(x->e->name, y->e->name);
}

/* Sort the tokens by hash; no token twice, no second password or login of a name. */
static void
index_entries(struct credentials *cr, struct complaints *c)
{
	struct entry_ref *others = arena_alloc(cr->mem, (cr->n + 1) * sizeof(*others));
	size_t n = 0;

	cr->tokens = arena_alloc(cr->mem, (cr->n + 1) * sizeof(*cr->tokens));
	for (size_t i = 0; i < cr->n; i++) {
		if (cr->v[i].kind == TOKEN)
			cr->tokens[cr->ntokens++].e = &cr->v[i];
		else
			others[n++].e = &cr->v[i];
	}
	qsort(cr->tokens, cr->ntokens, sizeof(*cr->tokens), by_hash);
	for (size_t i = 1; i < cr->ntokens; i++)
		if (by_hash(&cr->tokens[i - 1], &cr->tokens[i]) == 0)
			complain(c, cr->tokens[i].e->line, "a token stands here twice");
	qsort(others, n, sizeof(*others), by_kind_and_name);
	for (size_t i = 1; i < n; i++)
		if (by_kind_and_name(&others[i - 1], &others[i]) == 0)
			complain(c, others[i].e->line, "%s has two %ss", others[i].e->name,
			    kinds[others[i].e->kind].word);
}

static struct credentials *
credentials_new(struct complaints *c)
{
	struct arena *mem = arena_new();
	struct credentials *cr = arena_alloc(mem, sizeof(*cr));

	cr->mem = mem;
	cr->cache = arena_alloc(mem, CACHE_SLOTS * sizeof(*cr->cache));
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
	for (size_t i = 0; i < cr->n; i++)
		if (cr->v[i].login.secret != NULL)
			secret_wipe((char *)cr->v[i].login.secret, strlen(cr->v[i].login.secret));
	secret_wipe(cr->cache, CACHE_SLOTS * sizeof(*cr->cache));
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

bool
credentials_is_pair(struct slice user, struct slice password)
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
	if (!credentials_is_pair(user, password))
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

	if (!credentials_is_pair(user, password))
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

	if (!credentials_is_pair(user, password) ||
	    !password_fits(key, found == NULL ? NULL : found->stored) || found == NULL)
		return NULL;
	return remember(cr, found, user, password, now_us);
}
