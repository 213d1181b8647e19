/*
 * flat_leaf.c -- from the tests of a pattern to records.
 *
 * Down the tree, the tests that must hold as well (AND) are carried along: ports and protocols as
 * fields of the record, all others as its context. What is denied or compared otherwise than by
 * equality is no value of a list; it is counted and told.
 */
#include "formats/flat_impl.h"
#include "formats/loss.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { BESIDE_MAX = 64, TESTS_MAX = 256, RANK_BEST = 3, HOST = -2 };

/* What a path holds. HOST: an address or a name, the value tells. */
static const struct leaf_path {
	const char	*object, *path;		/* `#` in a path: an index or * */
	int		 type;			/* enum flat_type or HOST */
	enum flat_role	 role;
} leaf_paths[] = {
	{ "ipv4-addr", "value", FLAT_IPV4, FLAT_ROLE_UNKNOWN },
	{ "ipv6-addr", "value", FLAT_IPV6, FLAT_ROLE_UNKNOWN },
	{ "domain-name", "value", FLAT_DOMAIN, FLAT_ROLE_UNKNOWN },
	{ "url", "value", FLAT_URL, FLAT_ROLE_UNKNOWN },
	{ "email-addr", "value", FLAT_EMAIL, FLAT_ROLE_UNKNOWN },
	{ "mac-addr", "value", FLAT_MAC, FLAT_ROLE_UNKNOWN },
	{ "autonomous-system", "number", FLAT_ASN, FLAT_ROLE_UNKNOWN },
	{ "file", "name", FLAT_FILENAME, FLAT_ROLE_UNKNOWN },
	{ "windows-registry-key", "key", FLAT_REGKEY, FLAT_ROLE_UNKNOWN },
	{ "mutex", "name", FLAT_MUTEX, FLAT_ROLE_UNKNOWN },
	{ "user-account", "account_login", FLAT_USER, FLAT_ROLE_UNKNOWN },
	{ "user-account", "user_id", FLAT_USER, FLAT_ROLE_UNKNOWN },
	{ "network-traffic", "src_ref.value", HOST, FLAT_SOURCE },
	{ "network-traffic", "dst_ref.value", HOST, FLAT_DESTINATION },
	{ "network-traffic", "extensions.'http-request-ext'.request_header.'User-Agent'",
	    FLAT_USERAGENT, FLAT_ROLE_UNKNOWN },
	{ "email-message", "from_ref.value", FLAT_EMAIL, FLAT_SOURCE },
	{ "email-message", "sender_ref.value", FLAT_EMAIL, FLAT_SOURCE },
	{ "email-message", "to_refs#.value", FLAT_EMAIL, FLAT_DESTINATION },
	{ "email-message", "cc_refs#.value", FLAT_EMAIL, FLAT_DESTINATION }
};

/* What a test that must hold too is as a text, and how telling the best value in it. */
struct sibling {
	struct slice	text;
	int		rank;
};

/* What must hold beside a test. */
struct beside {
	const struct beside	*up;
	const struct pat_node	*node;		/* an AND of comparisons or observations */
	const struct sibling	*kids;		/* the first of them */
	size_t			 self;		/* the kid we came by */
};

/* "to_refs[*].value" with every index as #, into buf. */
static struct slice
plain_path(const struct pat_node *t, struct strbuf *buf)
{
	size_t n = 0;
	struct strbuf all = STRBUF_INIT;

	pattern_path(&all, t);
	for (size_t i = 0; i < all.n; i++) {
		if (all.p[i] == '[') {
			strbuf_add(buf, all.p + n, i - n);
			strbuf_addc(buf, '#');
			while (i < all.n && all.p[i] != ']')
				i++;
			n = i + 1;
		}
	}
	if (n < all.n)
		strbuf_add(buf, all.p + n, all.n - n);
	strbuf_fini(&all);
	return strbuf_slice(buf);
}

/* The row of a test's path; a scratch row for hashes; NULL if it is no value of ours. */
static const struct leaf_path *
find_path(const struct pat_node *t, struct leaf_path *hash)
{
	const struct leaf_path *found = NULL;
	struct strbuf buf = STRBUF_INIT;
	struct slice path;

	if (t->npath == 2 && t->path[0].kind == PAT_STEP_NAME &&
	    slice_is(t->path[0].name, "hashes") && t->path[1].kind == PAT_STEP_NAME) {
		bool certificate = slice_is(t->object, "x509-certificate");

		if (!certificate && !slice_is(t->object, "file") && !slice_is(t->object, "artifact"))
			return NULL;
		*hash = (struct leaf_path){ .type = flat_hash_type(t->path[1].name, certificate) };
		return hash->type < 0 ? NULL : hash;
	}
	path = plain_path(t, &buf);
	for (size_t i = 0; i < COUNTOF(leaf_paths) && found == NULL; i++)
		if (slice_is(t->object, leaf_paths[i].object) && slice_is(path, leaf_paths[i].path))
			found = &leaf_paths[i];
	strbuf_fini(&buf);
	return found;
}

/* --- what stands beside --------------------------------------------------------------------- */

/* A port or protocol of network traffic tested for one value: a field of its own. */
static bool
is_traffic_field(const struct pat_node *t)
{
	return t->kind == PAT_TEST && t->op == PAT_EQ && !t->negated &&
	    slice_is(t->object, "network-traffic") && t->npath > 0 &&
	    (slice_is(t->path[0].name, "src_port") || slice_is(t->path[0].name, "dst_port") ||
	    slice_is(t->path[0].name, "protocols"));
}

/* The port of the other side's role says nothing about this one. */
static bool
fits_role(struct slice property, enum flat_role role)
{
	return role == FLAT_SOURCE ? slice_is(property, "src_port") : slice_is(property, "dst_port");
}

/* Of several protocols the one that has ports. */
static bool
is_transport(struct slice word)
{
	return slice_is(word, "tcp") || slice_is(word, "udp") || slice_is(word, "sctp");
}

static void
take_traffic(struct flat_reading *r, const struct pat_node *t, struct flat_record *rec)
{
	struct slice property = t->path[0].name, value = t->values[0].text, word;
	unsigned long long port;

	if (slice_is(property, "protocols")) {
		if (!is_transport(rec->protocol) &&
		    value_normalise(VALUE_PROTOCOL, value, r->mem, &word) &&
		    !flat_is_odd(word) && word.n <= FLAT_NAME_MAX)
			rec->protocol = word;
	} else if (fits_role(property, rec->role) && slice_u64(value, &port) && port <= UINT16_MAX) {
		rec->port = (int)port;
	}
}

static bool
takes_traffic(enum flat_type t)
{
	return t == FLAT_IPV4 || t == FLAT_IPV4_NET || t == FLAT_IPV6 || t == FLAT_IPV6_NET ||
	    t == FLAT_DOMAIN;
}

/* The rank of the most telling value that is asked for below a node, among its first tests; -1 if there
 * is none. */
static int
best_rank(const struct pat_node *p, size_t *tests)
{
	struct leaf_path hash;
	const struct leaf_path *row;
	int best = -1;

	if (p->kind != PAT_TEST) {
		for (size_t i = 0; i < p->nkids && *tests < TESTS_MAX; i++) {
			int rank = best_rank(p->kids[i], tests);

			best = rank > best ? rank : best;
		}
		return best;
	}
	++*tests;
	row = p->negated || p->op == PAT_NE ? NULL : find_path(p, &hash);
	return row == NULL ? -1 : flat_rank(row->type == HOST ? FLAT_IPV4 :
	    (enum flat_type)row->type);
}

/* The kids of an AND, each looked at once: every leaf below asks for them. */
static struct sibling *
look_at_kids(struct flat_reading *r, const struct pat_node *p)
{
	size_t n = p->nkids < BESIDE_MAX ? p->nkids : BESIDE_MAX;
	struct sibling *kids = arena_raw(r->mem, n * sizeof(*kids));
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct pat_node *k = p->kids[i];
		bool wrap = k->kind == PAT_OR && !k->group;
		size_t tests = 0;

		strbuf_reset(&text);
		strbuf_adds(&text, wrap ? "(" : "");
		pattern_print(&text, k);
		strbuf_adds(&text, wrap ? ")" : "");
		kids[i].text = arena_slice(r->mem, flat_cut(strbuf_slice(&text),
		    FLAT_CONTEXT_MAX));
		kids[i].rank = best_rank(k, &tests);
	}
	strbuf_fini(&text);
	return kids;
}

/* Everything that must hold beside the test: fields, and a text of limited length. What is nothing
 * much by itself (rank 0) needs all of it. */
static void
take_context(struct flat_reading *r, const struct beside *b, struct flat_record *rec)
{
	struct strbuf text = STRBUF_INIT;
	int rank = flat_rank(rec->type);

	for (; b != NULL; b = b->up) {
		rec->part = rec->part || (b->node->nkids > BESIDE_MAX && rank < RANK_BEST);
		for (size_t i = 0; i < b->node->nkids && i < BESIDE_MAX; i++) {
			if (i == b->self)
				continue;
			if (takes_traffic(rec->type) && is_traffic_field(b->node->kids[i])) {
				take_traffic(r, b->node->kids[i], rec);
				continue;
			}
			rec->part = rec->part || rank == 0 || b->kids[i].rank > rank;
			if (text.n < FLAT_CONTEXT_MAX) {
				strbuf_adds(&text, text.n > 0 ? " AND " : "");
				strbuf_addsl(&text, b->kids[i].text);
			}
		}
	}
	if (text.n > 0)
		rec->context = arena_slice(r->mem, flat_cut(strbuf_slice(&text),
		    FLAT_CONTEXT_MAX));
	strbuf_fini(&text);
}

/* --- the walk ------------------------------------------------------------------------------- */

static void
skip_test(struct flat_reading *r, const struct pat_node *t, const char *why)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "pattern/%.*s:", SLICE_ARG(t->object));
	pattern_path(&path, t);
	strbuf_setlen(&path, flat_cut(strbuf_slice(&path), FLAT_NAME_MAX).n);
	flat_skip(r, path.p, why);
	strbuf_fini(&path);
}

static void
read_value(struct flat_reading *r, const struct pat_node *t, const struct leaf_path *row,
    struct slice text, const struct beside *beside)
{
	enum flat_type type = (enum flat_type)row->type;
	struct flat_record *rec;
	struct slice value;

	if (row->type == HOST) {
		if (!flat_host(text, r->mem, &type, &value)) {
			skip_test(r, t, "neither an address nor a name");
			return;
		}
		text = value;
	}
	if (!flat_add_value(r, type, text, &rec)) {
		skip_test(r, t, "no such value");
		return;
	}
	rec->role = row->role;
	take_context(r, beside, rec);
}

static void
read_test(struct flat_reading *r, const struct pat_node *t, const struct beside *beside)
{
	struct leaf_path hash;
	const struct leaf_path *row = find_path(t, &hash);
	bool address = row != NULL && (row->type == FLAT_IPV4 || row->type == FLAT_IPV6 ||
	    row->type == HOST);

	if (t->negated || t->op == PAT_NE) {
		skip_test(r, t, "denied: what must not be there is nothing to look for");
		return;
	}
	if (t->op != PAT_EQ && t->op != PAT_IN && !(t->op == PAT_ISSUBSET && address)) {
		skip_test(r, t, "compared otherwise than by equality");
		return;
	}
	if (row == NULL) {
		skip_test(r, t, "no type of flat record");
		return;
	}
	for (size_t i = 0; i < t->nvalues; i++) {
		if (t->values[i].kind == PAT_STRING || t->values[i].kind == PAT_INT)
			read_value(r, t, row, t->values[i].text, beside);
		else
			skip_test(r, t, "no text");
	}
}

static void
read_node(struct flat_reading *r, const struct pat_node *p, const struct beside *beside)
{
	bool all = p->kind == PAT_AND || p->kind == PAT_OBS_AND;
	struct sibling *kids;

	if (p->kind == PAT_TEST) {
		if (beside == NULL || !is_traffic_field(p))	/* else a field of its neighbours */
			read_test(r, p, beside);
		return;
	}
	kids = all ? look_at_kids(r, p) : NULL;
	for (size_t i = 0; i < p->nkids; i++) {
		struct beside here = { beside, p, kids, i };

		read_node(r, p->kids[i], all ? &here : beside);
	}
}

/* Something in it must come in an order, within a time or often: one sight of a value is no match. */
static bool
is_about_time(const struct pat_node *p)
{
	if (p->kind == PAT_OBS_FOLLOWEDBY)
		return true;
	if (p->kind == PAT_TEST)
		return false;
	for (size_t i = 0; i < p->nquals; i++)
		if (p->quals[i].kind != PAT_START_STOP)
			return true;
	for (size_t i = 0; i < p->nkids; i++)
		if (is_about_time(p->kids[i]))
			return true;
	return false;
}

void
flat_read_pattern(struct flat_reading *r, const struct pat_node *p)
{
	if (is_about_time(p))
		flat_skip(r, "pattern", "FOLLOWEDBY, WITHIN or REPEATS: no single value matches");
	else
		read_node(r, p, NULL);
}
