#include "adapters/taxii_query.h"

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { ITEMS_MAX = 1000, MAC_BYTES = 16, FRACTION_MAX = 9 };

static const char *const names[PARAMS] = {
	[FILTER_ADDED_AFTER] = "added_after",	[FILTER_ID] = "match[id]",
	[FILTER_TYPE] = "match[type]",		[FILTER_VERSION] = "match[version]",
	[FILTER_SPEC_VERSION] = "match[spec_version]",
	[PARAM_LIMIT] = "limit",		[PARAM_NEXT] = "next",
};

static int
bad(struct err *e, int param, const char *why)
{
	err_set(e, ERR_VALUE, "%s: %s", names[param], why);
	return -1;
}

/* ---- lists ---- */

static int
read_list(struct slice text, int param, struct arena *mem, const struct slice **out, size_t *n,
    struct err *e)
{
	struct slice *v = NULL;
	size_t cap = 0;

	*n = 0;
	for (bool last = false; !last; ) {
		struct slice item;

		last = text.n == 0 || memchr(text.p, ',', text.n) == NULL;
		item = slice_cut(&text, ',');
		if (item.n == 0)
			return bad(e, param, "an item of the list is empty; write a,b,c");
		for (size_t i = 0; i < item.n; i++)
			if ((unsigned char)item.p[i] <= ' ')
				return bad(e, param, "blanks do not belong in the list; write a,b,c");
		if (*n == ITEMS_MAX)
			return bad(e, param, "more than 1000 items");
		v = arena_grow(mem, v, *n, &cap, sizeof(*v));
		v[(*n)++] = item;
	}
	*out = v;
	return 0;
}

/* n.m */
static bool
is_spec_version(struct slice s)
{
	unsigned long long n;
	struct slice major = slice_cut(&s, '.');

	return slice_u64(major, &n) && slice_u64(s, &n);
}

static int
read_spec_versions(struct taxii_query *q, struct arena *mem, struct err *e)
{
	struct page_query *p = &q->page;

	if (read_list(q->text[FILTER_SPEC_VERSION], FILTER_SPEC_VERSION, mem, &p->spec_versions,
	    &p->nspec_versions, e) < 0)
		return -1;
	for (size_t i = 0; i < p->nspec_versions; i++)
		if (!is_spec_version(p->spec_versions[i]))
			return bad(e, FILTER_SPEC_VERSION, "versions look like 2.1");
	return 0;
}

/* first, last, all, timestamps; none twice; `all` alone. */
static int
read_versions(struct taxii_query *q, struct arena *mem, struct err *e)
{
	struct page_query *p = &q->page;
	const struct slice *items;
	struct slice *keys;
	size_t n;

	if (read_list(q->text[FILTER_VERSION], FILTER_VERSION, mem, &items, &n, e) < 0)
		return -1;
	keys = arena_alloc(mem, n * sizeof(*keys));
	for (size_t i = 0; i < n; i++) {
		bool *word = slice_is(items[i], "first") ? &p->first :
		    slice_is(items[i], "last") ? &p->last :
		    slice_is(items[i], "all") ? &p->all : NULL;
		struct slice key;

		if (word != NULL) {
			if (*word)
				return bad(e, FILTER_VERSION, "a word stands twice");
			*word = true;
			continue;
		}
		if (!stamp_key(mem, items[i], &key))
			return bad(e, FILTER_VERSION,
			    "first, last, all or a STIX timestamp such as 2026-01-31T12:00:00.000Z");
		for (size_t k = 0; k < p->nversion_keys; k++)
			if (slice_eq(keys[k], key))
				return bad(e, FILTER_VERSION, "a version stands twice");
		keys[p->nversion_keys++] = key;
	}
	if (p->all && n > 1)
		return bad(e, FILTER_VERSION, "all stands alone, without other words");
	p->version_keys = keys;
	return 0;
}

/* Up to nine fraction digits; the value is cut to microseconds, and "strictly later" stays right: what
 * was added within the same microsecond has that microsecond as its date. */
static int
read_added_after(struct taxii_query *q, struct err *e)
{
	struct slice s = q->text[FILTER_ADDED_AFTER], rest = s;

	slice_cut(&rest, '.');
	if (rest.n > FRACTION_MAX + 1 || !stamp_parse(s, &q->added_after_us))
		return bad(e, FILTER_ADDED_AFTER, "a UTC timestamp such as 2026-01-31T12:00:00.000000Z");
	q->page.added_after_us = q->added_after_us;
	return 0;
}

/* ---- token ---- */

static void
seal(struct slice collection, struct slice key, struct slice text, uint8_t mac[SHA256_LEN])
{
	struct strbuf b = STRBUF_INIT;

	strbuf_adds(&b, "taxii-next-1\n");
	strbuf_addsl(&b, collection);
	strbuf_addc(&b, '\n');
	strbuf_addsl(&b, text);
	digest_hmac_sha256(key, strbuf_slice(&b), mac);
	strbuf_fini(&b);
}

char *
taxii_next(const struct taxii_query *q, struct slice collection, struct slice key,
    int64_t position_us, struct arena *mem)
{
	struct strbuf b = STRBUF_INIT, out = STRBUF_INIT;
	uint8_t mac[SHA256_LEN];
	char *text;

	strbuf_addf(&b, "%lld", (long long)position_us);
	for (int f = 0; f < FILTERS; f++) {
		strbuf_addc(&b, '\n');
		if (q->text[f].p != NULL) {
			strbuf_addc(&b, '=');
			strbuf_addsl(&b, q->text[f]);
		}
	}
	seal(collection, key, strbuf_slice(&b), mac);
	strbuf_add(&b, mac, MAC_BYTES);
	base64url_add(&out, b.p, b.n);
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&b);
	strbuf_fini(&out);
	return text;
}

/* Check the token and take over the filters that are absent now. */
static int
read_next(struct taxii_query *q, struct slice token, struct slice collection, struct slice key,
    struct arena *mem, struct err *e)
{
	struct strbuf raw = STRBUF_INIT;
	uint8_t mac[SHA256_LEN];
	struct slice text;
	unsigned long long at;
	int rc = -1;

	if (!base64url_decode(token, &raw) || raw.n <= MAC_BYTES)
		goto done;
	text = slice_from(raw.p, raw.n - MAC_BYTES);
	seal(collection, key, text, mac);
	if (!secret_eq(slice_from(mac, MAC_BYTES), slice_from(raw.p + text.n, MAC_BYTES)))
		goto done;
	text = arena_slice(mem, text);
	if (!slice_u64(slice_cut(&text, '\n'), &at))
		goto done;
	q->page.position_us = q->next_us = (int64_t)at;
	q->has_next = true;
	for (int f = 0; f < FILTERS; f++) {
		struct slice given = slice_cut(&text, '\n');

		if (q->text[f].p == NULL && given.n > 0)
			q->text[f] = slice_from(given.p + 1, given.n - 1);
	}
	rc = 0;
done:
	strbuf_fini(&raw);
	return rc == 0 ? 0 : bad(e, PARAM_NEXT, "this server issued no such token for this collection");
}

/* ---- the query ---- */

static int
collect(const struct http1_head *h, unsigned knows, struct arena *mem,
    struct slice given[PARAMS], struct err *e)
{
	struct slice rest = h->query;
	struct http1_param p;

	while (h->has_query && http1_query_next(&rest, mem, &p)) {
		for (int i = 0; i < PARAMS; i++) {
			if (p.bad_key || (knows & TAXII_KNOWS(i)) == 0 || !slice_is(p.key, names[i]))
				continue;
			if (p.bad_value)
				return bad(e, i, "a broken escape or no UTF-8");
			if (given[i].p != NULL)
				return bad(e, i, "stands twice");
			given[i] = p.has_value ? p.value : SLICE_EMPTY;
		}
	}
	return 0;
}

static int
read_limit(struct taxii_query *q, struct slice text, uint32_t limit_max, struct err *e)
{
	unsigned long long n;
	bool digits = text.n > 0;

	q->page.limit = limit_max;
	if (text.p == NULL)
		return 0;
	for (size_t i = 0; i < text.n; i++)
		digits = digits && text.p[i] >= '0' && text.p[i] <= '9';
	if (!digits)
		return bad(e, PARAM_LIMIT, "a whole number of 1 or more, such as 100");
	if (!slice_u64(text, &n))		/* beyond any integer: very many */
		return 0;
	if (n == 0)
		return bad(e, PARAM_LIMIT, "a whole number of 1 or more, such as 100");
	if (n < limit_max)
		q->page.limit = (uint32_t)n;
	return 0;
}

int
taxii_query_read(const struct http1_head *h, unsigned knows, struct slice collection,
    struct slice key, uint32_t limit_max, struct arena *mem, struct taxii_query *q, struct err *e)
{
	struct slice given[PARAMS] = { { NULL, 0 } };
	struct page_query *p = &q->page;

	memset(q, 0, sizeof(*q));
	p->added_after_us = p->position_us = q->added_after_us = -1;
	if (collect(h, knows, mem, given, e) < 0 ||
	    read_limit(q, given[PARAM_LIMIT], limit_max, e) < 0)
		return -1;
	memcpy(q->text, given, sizeof(q->text));
	if (given[PARAM_NEXT].n > 0 &&
	    read_next(q, given[PARAM_NEXT], collection, key, mem, e) < 0)
		return -1;
	if (q->text[FILTER_ADDED_AFTER].p != NULL && read_added_after(q, e) < 0)
		return -1;
	if (q->text[FILTER_ID].p != NULL && read_list(q->text[FILTER_ID], FILTER_ID, mem, &p->ids,
	    &p->nids, e) < 0)
		return -1;
	if (q->text[FILTER_TYPE].p != NULL && read_list(q->text[FILTER_TYPE], FILTER_TYPE, mem,
	    &p->types, &p->ntypes, e) < 0)
		return -1;
	if (q->text[FILTER_SPEC_VERSION].p != NULL && read_spec_versions(q, mem, e) < 0)
		return -1;
	if (q->text[FILTER_VERSION].p != NULL && read_versions(q, mem, e) < 0)
		return -1;
	return 0;
}
