/*
 * flat_leaf.c -- from the facts that a pattern looks for to records.
 *
 * Down the tree, the facts that must hold as well (AND) are carried along: ports and protocols as
 * fields of the record, all others as its context. What is denied or compared otherwise than by
 * equality is no value of a list; it is counted and told.
 */
#include "formats/flat_impl.h"
#include "formats/loss.h"
#include "formats/observe.h"
#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { BESIDE_MAX = 64, FACTS_MAX = 256, RANK_BEST = 3, HOST = -2 };

/* What a path holds. HOST: an address or a name, the value tells. */
static const struct leaf_path {
	const char	*path;			/* every index is [*] */
	int		 type;			/* enum flat_type or HOST */
	enum flat_role	 role;
} leaf_paths[] = {
	{ "ipv4-addr:value", FLAT_IPV4, FLAT_ROLE_UNKNOWN },
	{ "ipv6-addr:value", FLAT_IPV6, FLAT_ROLE_UNKNOWN },
	{ "domain-name:value", FLAT_DOMAIN, FLAT_ROLE_UNKNOWN },
	{ "url:value", FLAT_URL, FLAT_ROLE_UNKNOWN },
	{ "email-addr:value", FLAT_EMAIL, FLAT_ROLE_UNKNOWN },
	{ "mac-addr:value", FLAT_MAC, FLAT_ROLE_UNKNOWN },
	{ "autonomous-system:number", FLAT_ASN, FLAT_ROLE_UNKNOWN },
	{ "file:name", FLAT_FILENAME, FLAT_ROLE_UNKNOWN },
	{ "windows-registry-key:key", FLAT_REGKEY, FLAT_ROLE_UNKNOWN },
	{ "mutex:name", FLAT_MUTEX, FLAT_ROLE_UNKNOWN },
	{ "user-account:account_login", FLAT_USER, FLAT_ROLE_UNKNOWN },
	{ "user-account:user_id", FLAT_USER, FLAT_ROLE_UNKNOWN },
	{ "network-traffic:src_ref.value", HOST, FLAT_SOURCE },
	{ "network-traffic:dst_ref.value", HOST, FLAT_DESTINATION },
	{ "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
	    FLAT_USERAGENT, FLAT_ROLE_UNKNOWN },
	{ "email-message:from_ref.value", FLAT_EMAIL, FLAT_SOURCE },
	{ "email-message:sender_ref.value", FLAT_EMAIL, FLAT_SOURCE },
	{ "email-message:to_refs[*].value", FLAT_EMAIL, FLAT_DESTINATION },
	{ "email-message:cc_refs[*].value", FLAT_EMAIL, FLAT_DESTINATION }
};

/* What must hold too is as a text, and how telling the best value in it. */
struct sibling {
	struct slice	text;
	int		rank;
};

/* What must hold beside a fact. */
struct beside {
	const struct beside	*up;
	const struct sought	*node;		/* SOUGHT_ALL */
	const struct sibling	*kids;		/* the first of them */
	size_t			 self;		/* the kid we came by */
};

/* The row of a fact's path; a scratch row for hashes; NULL if it is no value of ours. */
static const struct leaf_path *
find_path(const struct sought *f, struct leaf_path *hash)
{
	struct slice name = observe_hash(f);
	bool certificate = slice_is(f->object, "x509-certificate");

	if (name.n > 0) {
		if (!certificate && !slice_is(f->object, "file") && !slice_is(f->object, "artifact"))
			return NULL;
		*hash = (struct leaf_path){ .type = flat_hash_type(name, certificate) };
		return hash->type < 0 ? NULL : hash;
	}
	for (size_t i = 0; i < COUNTOF(leaf_paths); i++)
		if (slice_is(f->loose, leaf_paths[i].path))
			return &leaf_paths[i];
	return NULL;
}

/* --- what stands beside --------------------------------------------------------------------- */

/* A port or protocol of network traffic that is one value: a field of its own. */
static bool
is_traffic_field(const struct sought *f)
{
	return observe_is_plain(f) && f->nvalues == 1 && slice_is(f->object, "network-traffic") &&
	    (slice_is(f->steps[0].name, "src_port") || slice_is(f->steps[0].name, "dst_port") ||
	    slice_is(f->steps[0].name, "protocols"));
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
take_traffic(struct flat_reading *r, const struct sought *f, struct flat_record *rec)
{
	struct slice property = f->steps[0].name, value = f->values[0].text, word;
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

/* The rank of the most telling value that is asked for below a node, among its first facts; -1 if there
 * is none. */
static int
best_rank(const struct sought *s, size_t *facts)
{
	struct leaf_path hash;
	const struct leaf_path *row;
	int best = -1;

	for (size_t i = 0; i < s->nkids && *facts < FACTS_MAX; i++) {
		int rank = best_rank(s->kids[i], facts);

		best = rank > best ? rank : best;
	}
	if (s->kind != SOUGHT_FACT)
		return best;
	++*facts;
	row = (s->has & SOUGHT_DENIED) != 0 ? NULL : find_path(s, &hash);
	return row == NULL ? -1 : flat_rank(row->type == HOST ? FLAT_IPV4 :
	    (enum flat_type)row->type);
}

/* The kids of an ALL, each looked at once: every leaf below asks for them. */
static struct sibling *
look_at_kids(struct flat_reading *r, const struct sought *s)
{
	size_t n = s->nkids < BESIDE_MAX ? s->nkids : BESIDE_MAX;
	struct sibling *kids = arena_raw(r->mem, n * sizeof(*kids));
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct pat_node *p = s->apart ? observe_expand(s->kids[i], r->mem) :
		    observe_comparison(s->kids[i], r->mem);
		bool wrap = p->kind == PAT_OR || p->kind == PAT_OBS_OR;
		size_t facts = 0;

		strbuf_reset(&text);
		strbuf_adds(&text, wrap ? "(" : "");
		pattern_print(&text, p);
		strbuf_adds(&text, wrap ? ")" : "");
		kids[i].text = arena_slice(r->mem, flat_cut(strbuf_slice(&text),
		    FLAT_CONTEXT_MAX));
		kids[i].rank = best_rank(s->kids[i], &facts);
	}
	strbuf_fini(&text);
	return kids;
}

/* Everything that must hold beside the fact: fields, and a text of limited length. What is nothing
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
			if (takes_traffic(rec->type) && !b->node->apart &&
			    is_traffic_field(b->node->kids[i])) {
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
skip_fact(struct flat_reading *r, const struct sought *f, const char *why)
{
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "pattern/%.*s", SLICE_ARG(f->path));
	strbuf_setlen(&path, flat_cut(strbuf_slice(&path), FLAT_NAME_MAX).n);
	flat_skip(r, path.p, why);
	strbuf_fini(&path);
}

static void
read_value(struct flat_reading *r, const struct sought *f, const struct leaf_path *row,
    struct slice text, const struct beside *beside)
{
	enum flat_type type = (enum flat_type)row->type;
	struct flat_record *rec;
	struct slice value;

	if (row->type == HOST) {
		if (!flat_host(text, r->mem, &type, &value)) {
			skip_fact(r, f, "neither an address nor a name");
			return;
		}
		text = value;
	}
	if (!flat_add_value(r, type, text, &rec)) {
		skip_fact(r, f, "no such value");
		return;
	}
	rec->role = row->role;
	take_context(r, beside, rec);
}

static void
read_fact(struct flat_reading *r, const struct sought *f, const struct beside *beside)
{
	struct leaf_path hash;
	const struct leaf_path *row = find_path(f, &hash);

	if ((f->has & SOUGHT_DENIED) != 0) {
		skip_fact(r, f, "denied: what must not be there is nothing to look for");
		return;
	}
	if (f->op != PAT_EQ) {
		skip_fact(r, f, "compared otherwise than by equality");
		return;
	}
	if (row == NULL) {
		skip_fact(r, f, "no type of flat record");
		return;
	}
	for (size_t i = 0; i < f->nvalues; i++) {
		if (f->values[i].kind == PAT_STRING || f->values[i].kind == PAT_INT)
			read_value(r, f, row, f->values[i].text, beside);
		else
			skip_fact(r, f, "no text");
	}
}

static void
read_sought(struct flat_reading *r, const struct sought *s, const struct beside *beside)
{
	bool all = s->kind == SOUGHT_ALL;
	struct sibling *kids;

	if (s->kind == SOUGHT_FACT) {
		if (beside == NULL || !is_traffic_field(s))	/* else a field of its neighbours */
			read_fact(r, s, beside);
		return;
	}
	kids = all ? look_at_kids(r, s) : NULL;
	for (size_t i = 0; i < s->nkids; i++) {
		struct beside here = { beside, s, kids, i };

		read_sought(r, s->kids[i], all ? &here : beside);
	}
}

/* Where something must come in an order, within a time or often, one sight of a value is no match. */
void
flat_read_pattern(struct flat_reading *r, const struct pat_node *p)
{
	const struct sought *s = observe_reduce(p, r->mem);

	if ((s->has & SOUGHT_ORDERED) != 0)
		flat_skip(r, "pattern", "FOLLOWEDBY, WITHIN or REPEATS: no single value matches");
	else
		read_sought(r, s, NULL);
}
