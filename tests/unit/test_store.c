/* If this fails, an advisory is stored twice, overwritten by a forgery, or never reaches a peer because
 * somebody else's copy of it was taken for as good. */
#include "store_kit.h"

#include "gateway/base/digest.h"

/* ---- new, known, conflict ---- */

static void
new_then_known(void **state)
{
	struct kit *k = *state;
	struct object *o = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "one");
	struct store_put p = kit_put(o, &k->a, 1);
	struct page_query q = kit_query(k->a), qb = kit_query(k->b);
	struct kit_page page, again;

	assert_int_equal(kit_put_one(k, "cert-x", &p), STORE_NEW);
	assert_string_equal(kit_page(k, &q, &page), "1@10:00:00");
	assert_string_equal(page.version, "2024-01-01T10:00:00Z");
	assert_string_equal(page.bytes, o->bytes.p);
	clock_fake_add(5000000);
	/* the same again, from another, into one more collection */
	p.collections = (int64_t[]){ k->a, k->b };
	p.ncollections = 2;
	assert_int_equal(kit_put_one(k, "cert-y", &p), STORE_KNOWN);
	kit_page(k, &q, &again);
	assert_int_equal(again.last_us, page.last_us);		/* unchanged content, unchanged date */
	assert_string_equal(kit_page(k, &qb, &again), "1@10:00:00");
	assert_true(again.last_us > page.last_us + 4000000);
}

/* Spellings of one instant are one version; digits beyond microseconds count. */
static void
versions_are_instants(void **state)
{
	static const struct { const char *version; enum store_outcome want; } row[] = {
		{ "2024-01-01T10:00:00.1Z", STORE_NEW },
		{ "2024-01-01T10:00:00.100Z", STORE_CONFLICT },	/* other bytes, same instant */
		{ "2024-01-01T10:00:00.1000000Z", STORE_CONFLICT },
		{ "2024-01-01T10:00:00.1000001Z", STORE_NEW },
		{ "2024-01-01T10:00:00.10Z", STORE_CONFLICT },
		{ "2024-01-01T10:00:00Z", STORE_NEW },
		{ "", STORE_NEW },				/* its content is its version */
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct object *o = kit_object(k, "indicator", 1, row[i].version, "same");
		struct store_put p = kit_put(o, &k->a, 1);

		assert_int_equal(kit_put_one(k, "cert-x", &p), row[i].want);
		if (row[i].want == STORE_NEW)
			assert_int_equal(kit_put_one(k, "cert-x", &p), STORE_KNOWN);
	}
}

struct caught {
	struct kit	*k;
	size_t		 n;
	int64_t		 qid;
	char		 text[256], bytes[256];
};

static void
on_quarantine(void *arg, const struct quarantine_row *rows, size_t n, const struct err *e)
{
	struct caught *c = arg;

	assert_null(e);
	c->n = n;
	if (n == 0)
		return;
	c->qid = rows[n - 1].qid;
	snprintf(c->text, sizeof(c->text), "%s %s %s %.*s", rows[n - 1].state,
	    rows[n - 1].q.source, rows[n - 1].q.code, SLICE_ARG(rows[n - 1].q.object_id));
	snprintf(c->bytes, sizeof(c->bytes), "%.*s", SLICE_ARG(rows[n - 1].q.bytes));
}

static void
conflict_is_kept_apart(void **state)
{
	struct kit *k = *state;
	struct object *good = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "good");
	struct object *evil = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "evil");
	struct store_put puts[2] = { kit_put(good, &k->a, 1), kit_put(evil, &k->a, 1) };
	struct store_status_entry entries[2] = {
		{ .id = good->id, .version = good->version, .put = 0 },
		{ .id = evil->id, .version = evil->version, .put = 1 },
	};
	struct store_status st = { .id = "11111111-1111-4111-8111-111111111111", .user = "u",
	    .entries = entries, .n = 2 };
	struct store_txn t = { .source = kit_source("cert-x"), .puts = puts, .nputs = 2,
	    .status = &st };
	struct page_query q = kit_query(k->a);
	struct kit_page page;
	struct caught c = { .k = k };

	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	assert_int_equal(puts[0].outcome, STORE_NEW);
	assert_int_equal(puts[1].outcome, STORE_CONFLICT);
	assert_false(entries[0].failed);
	assert_true(entries[1].failed);
	assert_non_null(strstr(entries[1].message, "VERSION_CONFLICT"));
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 1);
	assert_string_equal(page.bytes, good->bytes.p);
	store_quarantine_list(k->s, 0, 10, false, on_quarantine, &c);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.text, "held cert-x VERSION_CONFLICT "
	    "indicator--00000000-0000-4000-8000-000000000001");
	assert_string_equal(c.bytes, "");
	store_quarantine_get(k->s, c.qid, on_quarantine, &c);
	assert_string_equal(c.bytes, evil->bytes.p);
}

/* ---- sources ---- */

struct told {
	bool			 found;
	size_t			 nsightings, ndelivery;
	char			 sightings[512], delivery[512], warnings[64];
	struct policy_facts	 facts;
	char			 audience[64], version[64];
};

static void
on_object(void *arg, const struct store_object *o, const struct err *e)
{
	struct told *t = arg;
	size_t at = 0;

	assert_null(e);
	memset(t, 0, sizeof(*t));
	t->found = o != NULL;
	if (o == NULL)
		return;
	t->facts = o->row.facts;
	snprintf(t->audience, sizeof(t->audience), "%.*s", SLICE_ARG(o->row.facts.audience));
	snprintf(t->version, sizeof(t->version), "%.*s", SLICE_ARG(o->row.version));
	snprintf(t->warnings, sizeof(t->warnings), "%s", o->warnings);
	t->nsightings = o->nsightings;
	t->ndelivery = o->ndelivery;
	for (size_t i = 0; i < o->nsightings; i++)
		at += (size_t)snprintf(t->sightings + at, sizeof(t->sightings) - at, "%s%d:%s*%u",
		    i > 0 ? " " : "", atoi(o->sightings[i].id.p + o->sightings[i].id.n - 12),
		    o->sightings[i].source, o->sightings[i].count);
	at = 0;
	for (size_t i = 0; i < o->ndelivery; i++)
		at += (size_t)snprintf(t->delivery + at, sizeof(t->delivery) - at, "%s%s:%s",
		    i > 0 ? " " : "", o->delivery[i].peer, o->delivery[i].state);
}

static struct told
object(struct kit *k, int number)
{
	struct told t;

	store_object(k->s, kit_id(k, "indicator", number), on_object, &t);
	return t;
}

static void
sightings_count_sources(void **state)
{
	struct kit *k = *state;
	struct store_put p = kit_put(kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "x"),
	    &k->a, 1);
	struct store_figures f;
	struct told t;

	p.warnings = "ODD_TIME valid_from: far away\n";
	kit_put_one(k, "cert-x", &p);
	kit_put_one(k, "cert-x", &p);
	kit_put_one(k, "cert-y", &p);
	kit_put_one(k, "cert-x", &p);
	t = object(k, 1);
	assert_true(t.found);
	assert_string_equal(t.sightings, "1:cert-x*3 1:cert-y*1");
	assert_string_equal(t.delivery, "cert-x:gave cert-y:gave");
	assert_string_equal(t.warnings, p.warnings);
	assert_int_equal(store_figures(k->s, &f, &k->err), 0);
	assert_int_equal(f.objects, 1);
	assert_int_equal(f.versions, 1);
	assert_int_equal(f.sources, 2);
	assert_int_equal(f.sightings, 3);
	assert_int_equal(f.members, 1);
	assert_false(object(k, 2).found);
}

static void
strictest_source_decides(void **state)
{
	static const struct {
		struct { enum origin origin; const char *audience; } source[3];
		enum origin want;
		const char *audience;
	} row[] = {
		{ { { ORIGIN_OWN, "" } }, ORIGIN_OWN, "" },
		{ { { ORIGIN_RECEIVED, "b,c" } }, ORIGIN_RECEIVED, "b,c" },
		{ { { ORIGIN_OWN, "" }, { ORIGIN_RECEIVED, "b" } }, ORIGIN_RECEIVED, "b" },
		{ { { ORIGIN_RECEIVED, "b" }, { ORIGIN_OWN, "" } }, ORIGIN_RECEIVED, "b" },
		{ { { ORIGIN_RECEIVED, "b" }, { ORIGIN_RECEIVED, "b" } }, ORIGIN_RECEIVED, "b" },
		{ { { ORIGIN_RECEIVED, "b" }, { ORIGIN_RECEIVED, "c" } }, ORIGIN_RECEIVED, "" },
		{ { { ORIGIN_RECEIVED, "b" }, { ORIGIN_RECEIVED, "" }, { ORIGIN_RECEIVED, "b" } },
		    ORIGIN_RECEIVED, "" },
		{ { { ORIGIN_ADDRESSED, "b" }, { ORIGIN_OWN, "" } }, ORIGIN_ADDRESSED, "b" },
		{ { { ORIGIN_OWN, "" }, { ORIGIN_OWN, "" } }, ORIGIN_OWN, "" },
	};
	static const char *const names[] = { "s1", "s2", "s3" };
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct store_put p = kit_put(kit_object(k, "indicator", (int)i + 1,
		    "2024-01-01T10:00:00Z", "x"), &k->a, 1);
		struct told t;

		for (size_t n = 0; n < 3 && row[i].source[n].audience != NULL; n++) {
			struct store_txn x = { .source = kit_source(names[n]), .puts = &p,
			    .nputs = 1 };

			x.source.origin = row[i].source[n].origin;
			x.source.audience = row[i].source[n].audience;
			assert_int_equal(kit_commit(k, &x), ERR_NONE);
		}
		t = object(k, (int)i + 1);
		assert_int_equal(t.facts.origin, row[i].want);
		assert_string_equal(t.audience, row[i].audience);
	}
}

/* What policy asks at the moment of leaving is what it found at the moment of coming: a fact that is lost
 * in between is a gate that stands open. */
static void
facts_come_back(void **state)
{
	struct kit *k = *state;
	struct object *o = kit_object(k, "indicator", 1, "2024-01-01T10:00:00Z", "x");
	struct store_put p = kit_put(o, &k->a, 1);
	struct page_query q = kit_query(k->a);
	struct kit_page page;

	o->sectors = 5;
	o->phase = PHASE_RESPONSE;
	o->flags = OBJECT_EXERCISE | OBJECT_EMBARGO;
	p.tlp = TLP_AMBER_STRICT;
	p.tlp_by_default = true;
	p.pap = PAP_RED;
	p.embargo_desk = SLICE_LIT("desk");
	kit_put_one(k, "x", &p);
	for (int again = 0; again < 2; again++) {
		kit_page(k, &q, &page);
		assert_int_equal(page.facts.tlp, TLP_AMBER_STRICT);
		assert_true(page.facts.tlp_by_default);
		assert_int_equal(page.facts.pap, PAP_RED);
		assert_int_equal(page.facts.sectors, 5);
		assert_int_equal(page.facts.phase, PHASE_RESPONSE);
		assert_int_equal(page.facts.flags, OBJECT_EXERCISE | OBJECT_EMBARGO);
		assert_string_equal(page.desk, "desk");
		kit_put_one(k, "y", &p);	/* another source rewrites the facts */
	}
}

/* The same object under two defaults has the stricter one, whoever comes first. */
static void
strictest_default_decides(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);
	struct kit_page page;

	for (int i = 0; i < 2; i++) {
		struct store_put p = kit_put(kit_object(k, "indicator", i + 1,
		    "2024-01-01T10:00:00Z", "x"), &k->a, 1);

		p.tlp_by_default = true;
		p.tlp = i == 0 ? TLP_CLEAR : TLP_AMBER;
		kit_put_one(k, "x", &p);
		p.tlp = i == 0 ? TLP_AMBER : TLP_CLEAR;
		kit_put_one(k, "y", &p);
		kit_page(k, &q, &page);
		assert_int_equal(page.facts.tlp, TLP_AMBER);
	}
}

/* ---- covering (rulings 1) ---- */

/* One copy of what all of a story are about. */
struct copy {
	int		 number;
	const char	*version;
	enum tlp	 tlp;
	const char	*until;		/* valid_until, "" = no end */
	bool		 revoked;
	const char	*from;
};

static struct store_put
linked_put(struct kit *k, const struct copy *c, const char *const *peers, size_t n)
{
	struct object *o = kit_object(k, "indicator", c->number, c->version, "linked");
	struct store_put p;

	o->has_fp = true;
	memset(o->fp, 7, sizeof(o->fp));
	o->flags = c->revoked ? OBJECT_REVOKED : 0;
	if (c->until[0] != '\0')
		assert_true(stamp_key(k->mem, slice_of(c->until), &o->valid_until_key));
	p = kit_put(o, &k->a, 1);
	p.tlp = c->tlp;
	p.peers = peers;
	p.npeers = n;
	return p;
}

#define DAY1 "2024-01-01T10:00:00Z"
#define DAY2 "2024-01-02T10:00:00Z"
#define Y25 "2025-01-01T00:00:00Z"
#define Y26 "2026-01-01T00:00:00Z"

static void
covered_copies_stay(void **state)
{
	static const struct {
		const char *story;
		struct copy first, second;
		bool linked, queued;	/* of the second */
	} row[] = {
		{ "the same from another",
		    { 1, DAY1, TLP_GREEN, "", false, "x" }, { 2, DAY1, TLP_GREEN, "", false, "y" },
		    true, false },
		{ "a freer label", { 1, DAY1, TLP_AMBER, "", false, "x" },
		    { 2, DAY1, TLP_GREEN, "", false, "y" }, true, true },
		{ "a stricter label", { 1, DAY1, TLP_GREEN, "", false, "x" },
		    { 2, DAY1, TLP_AMBER, "", false, "y" }, true, false },
		{ "revoked now", { 1, DAY1, TLP_GREEN, "", false, "x" },
		    { 2, DAY1, TLP_GREEN, "", true, "y" }, true, true },
		{ "revoked both", { 1, DAY1, TLP_GREEN, "", true, "x" },
		    { 2, DAY1, TLP_GREEN, "", true, "y" }, true, false },
		{ "valid longer", { 1, DAY1, TLP_GREEN, Y25, false, "x" },
		    { 2, DAY1, TLP_GREEN, Y26, false, "y" }, true, true },
		{ "valid shorter", { 1, DAY1, TLP_GREEN, Y26, false, "x" },
		    { 2, DAY1, TLP_GREEN, Y25, false, "y" }, true, false },
		{ "valid for ever now", { 1, DAY1, TLP_GREEN, Y26, false, "x" },
		    { 2, DAY1, TLP_GREEN, "", false, "y" }, true, true },
		{ "no longer for ever", { 1, DAY1, TLP_GREEN, "", false, "x" },
		    { 2, DAY1, TLP_GREEN, Y26, false, "y" }, true, false },
		{ "a new version of the same", { 1, DAY1, TLP_GREEN, "", false, "x" },
		    { 1, DAY2, TLP_GREEN, "", false, "x" }, false, true },
		{ "the peer gave the first", { 1, DAY1, TLP_GREEN, "", false, "peer-p" },
		    { 2, DAY1, TLP_GREEN, "", false, "y" }, true, false },
		{ "the peer gave a stricter one", { 1, DAY1, TLP_RED, "", false, "peer-p" },
		    { 2, DAY1, TLP_GREEN, "", false, "y" }, true, true },
	};
	static const char *const peers[] = { "peer-p" };
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct copy first = row[i].first, second = row[i].second;
		struct store_put p;

		first.number += (int)i * 10;
		second.number += (int)i * 10;
		p = linked_put(k, &first, peers, 1);
		((struct object *)p.object)->fp[0] = (uint8_t)i;
		kit_put_one(k, first.from, &p);
		assert_int_equal(p.queued, strcmp(first.from, "peer-p") != 0);
		assert_false(p.linked);
		p = linked_put(k, &second, peers, 1);
		((struct object *)p.object)->fp[0] = (uint8_t)i;
		kit_put_one(k, second.from, &p);
		if (p.linked != row[i].linked || (p.queued == 1) != row[i].queued)
			fail_msg("%s: linked %d, queued %zu", row[i].story, p.linked, p.queued);
	}
}

/* What narrows a copy besides TLP and time: PAP, exercise, embargo. */
static void
narrower_copies_cover_nothing(void **state)
{
	static const struct {
		const char	*story;
		enum pap	 first_pap, second_pap;
		uint32_t	 first_flags, second_flags;
		bool		 queued;
	} row[] = {
		{ "a freer PAP", PAP_RED, PAP_CLEAR, 0, 0, true },
		{ "a stricter PAP", PAP_CLEAR, PAP_RED, 0, 0, false },
		{ "real, after an exercise", 0, 0, OBJECT_EXERCISE, 0, true },
		{ "an exercise, after the real thing", 0, 0, 0, OBJECT_EXERCISE, true },
		{ "both an exercise", 0, 0, OBJECT_EXERCISE, OBJECT_EXERCISE, false },
		{ "no embargo any more", 0, 0, OBJECT_EMBARGO, 0, true },
		{ "an embargo now", 0, 0, 0, OBJECT_EMBARGO, false },
	};
	static const char *const peers[] = { "peer-p" };
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		for (int second = 0; second < 2; second++) {
			const struct copy c = { (int)i * 2 + second, DAY1, TLP_GREEN, "", false, "x" };
			struct store_put p = linked_put(k, &c, peers, 1);
			struct object *o = (struct object *)p.object;

			o->fp[0] = (uint8_t)i;
			o->flags = second ? row[i].second_flags : row[i].first_flags;
			p.pap = second ? row[i].second_pap : row[i].first_pap;
			kit_put_one(k, second ? "y" : "x", &p);
			if ((p.queued == 1) != (!second || row[i].queued))
				fail_msg("%s: copy %d queued %zu", row[i].story, second + 1,
				    p.queued);
		}
	}
}

/* A third version of an id is not covered by a copy that came between. */
static void
new_version_is_never_covered(void **state)
{
	static const char *const peers[] = { "peer-p" };
	static const struct copy copies[] = {
		{ 1, DAY1, TLP_GREEN, "", false, "x" }, { 2, DAY1, TLP_GREEN, "", false, "y" },
		{ 2, DAY2, TLP_GREEN, "", false, "y" }, { 1, DAY2, TLP_GREEN, "", false, "x" },
	};
	static const size_t want[] = { 1, 0, 1, 1 };
	struct kit *k = *state;

	for (size_t i = 0; i < 4; i++) {
		struct store_put p = linked_put(k, &copies[i], peers, 1);

		kit_put_one(k, copies[i].from, &p);
		assert_int_equal(p.queued, want[i]);
	}
}

static void
on_lease(void *arg, const struct outbox_item *items, size_t n, const struct err *e)
{
	int64_t *oid = arg;

	assert_null(e);
	*oid = n > 0 ? items[0].oid : 0;
}

static int64_t
lease_one(struct kit *k, const char *peer)
{
	int64_t oid = 0;

	store_outbox_lease(k->s, peer, "me", clock_wall_us(), 60000000, 1, 0, on_lease, &oid);
	return oid;
}

/* What was left out because another copy was on its way goes when that one comes to nothing. */
static void
denied_copy_uncovers_the_other(void **state)
{
	static const enum outbox_result results[] = { OUTBOX_DENIED, OUTBOX_DEAD, OUTBOX_HELD,
	    OUTBOX_SENT };
	static const char *const peers[] = { "peer-p" };
	struct kit *k = *state;

	for (size_t i = 0; i < 4; i++) {
		struct copy first = { (int)i * 10 + 1, DAY1, TLP_GREEN, "", false, "x" };
		struct copy second = { (int)i * 10 + 2, DAY1, TLP_GREEN, "", false, "y" };
		struct store_put p1 = linked_put(k, &first, peers, 1);
		struct store_put p2 = linked_put(k, &second, peers, 1);
		struct outbox_update u = { .result = results[i], .reason = "r",
		    .due_us = clock_wall_us() + 3600000000LL };

		((struct object *)p1.object)->fp[0] = ((struct object *)p2.object)->fp[0] =
		    (uint8_t)i;
		kit_put_one(k, "x", &p1);
		kit_put_one(k, "y", &p2);
		assert_int_equal(p2.queued, 0);
		assert_string_equal(object(k, second.number).delivery, "y:gave peer-p:covered");
		u.oid = lease_one(k, "peer-p");
		assert_true(u.oid > 0);
		store_outbox_update(k->s, &u, 1, NULL, 0, kit_done, k);
		assert_int_equal(k->err.code, ERR_NONE);
		if (results[i] == OUTBOX_SENT) {
			assert_int_equal(lease_one(k, "peer-p"), 0);
			assert_string_equal(object(k, first.number).delivery,
			    "x:gave peer-p:sent");
			continue;
		}
		u.oid = lease_one(k, "peer-p");
		assert_true(u.oid > 0);
		u.result = OUTBOX_SENT;
		store_outbox_update(k->s, &u, 1, NULL, 0, kit_done, k);
		assert_string_equal(object(k, second.number).delivery, "y:gave peer-p:sent");
	}
}

/* A queued version that the peer itself gives us is not sent to it. */
static void
given_is_not_sent_back(void **state)
{
	static const char *const peers[] = { "peer-p", "peer-q" };
	struct kit *k = *state;
	struct store_put p = kit_put(kit_object(k, "indicator", 1, DAY1, "x"), &k->a, 1);
	struct outbox_counts c;

	p.peers = peers;
	p.npeers = 2;
	kit_put_one(k, "x", &p);
	assert_int_equal(p.queued, 2);
	assert_int_equal(kit_put_one(k, "peer-p", &p), STORE_KNOWN);
	assert_int_equal(p.queued, 0);		/* a sighting is not sent again */
	assert_int_equal(lease_one(k, "peer-p"), 0);
	assert_int_equal(store_outbox_due_us(k->s, "peer-p"), INT64_MAX);
	assert_true(lease_one(k, "peer-q") > 0);
	assert_int_equal(store_outbox_counts(k->s, NULL, &c, &k->err), 0);
	assert_int_equal(c.queued, 1);
}

/* ---- views that show one row a group ---- */

static void
distinct_view_shows_one_of_a_group(void **state)
{
	static const struct copy copies[] = {
		{ 1, DAY1, TLP_AMBER, "", false, "x" },
		{ 2, DAY1, TLP_AMBER, "", false, "y" },		/* says no more: a sighting */
		{ 3, DAY1, TLP_GREEN, "", false, "y" },		/* freer: in */
		{ 4, DAY1, TLP_CLEAR, Y25, false, "y" },	/* freer, though it ends: in */
		{ 1, DAY2, TLP_RED, "", false, "x" },		/* a new version of what is in */
		{ 2, DAY2, TLP_AMBER, "", false, "x" },		/* ... of what is not */
	};
	struct kit *k = *state;
	struct page_query q = kit_query(k->b);

	for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
		struct store_put p = linked_put(k, &copies[i], NULL, 0);

		p.distinct = &k->b;
		p.ndistinct = 1;
		kit_put_one(k, copies[i].from, &p);
		/* the collection may be lent by others as well */
		p.collections = (int64_t[]){ k->a, k->a };
		p.ncollections = 2;
		assert_int_equal(kit_put_one(k, copies[i].from, &p), STORE_KNOWN);
	}
	q.all = true;
	assert_string_equal(kit_page(k, &q, NULL), "1@10:00:00 3@10:00:00 4@10:00:00 1@10:00:00");
}

/* ---- all or nothing, status, audit ---- */

static void
unknown_collection_refuses_all(void **state)
{
	struct kit *k = *state;
	int64_t bad = 99;
	struct store_put puts[2] = {
		kit_put(kit_object(k, "indicator", 1, DAY1, "x"), &k->a, 1),
		kit_put(kit_object(k, "indicator", 2, DAY1, "x"), &bad, 1),
	};
	struct store_txn t = { .source = kit_source("x"), .puts = puts, .nputs = 2 };
	struct page_query q = kit_query(k->a);

	assert_int_equal(kit_commit(k, &t), ERR_REFERENCE);
	assert_string_equal(kit_page(k, &q, NULL), "");
	assert_false(object(k, 1).found);
	t.nputs = 1;
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	assert_string_equal(kit_page(k, &q, NULL), "1@10:00:00");
}

static void
on_status(void *arg, const struct store_status *st, const struct err *e)
{
	char *text = arg;
	size_t at = 0;

	assert_null(e);
	strcpy(text, "none");
	if (st == NULL)
		return;
	at += (size_t)sprintf(text, "%s", st->user);
	for (size_t i = 0; i < st->n; i++)
		at += (size_t)sprintf(text + at, " %c:%.*s:%s", st->entries[i].failed ? 'f' : 's',
		    SLICE_ARG(st->entries[i].version),
		    st->entries[i].message == NULL ? "" : st->entries[i].message);
}

static void
status_tells_each(void **state)
{
	struct kit *k = *state;
	struct store_put puts[2] = {
		kit_put(kit_object(k, "indicator", 1, DAY1, "x"), &k->a, 1),
		kit_put(kit_object(k, "ipv4-addr", 2, "", "x"), &k->a, 1),
	};
	struct store_status_entry entries[] = {
		{ .id = SLICE_LIT("unknown"), .version = SLICE_LIT("unknown"), .failed = true,
		    .message = "no id", .put = -1 },
		{ .id = puts[1].object->id, .put = 1 },
		{ .id = puts[0].object->id, .version = puts[0].object->version, .put = 0 },
	};
	struct store_status st = { .id = "11111111-1111-4111-8111-111111111111", .user = "soc",
	    .requested_us = start_us, .entries = entries, .n = 3 };
	struct store_txn t = { .source = kit_source("soc"), .puts = puts, .nputs = 2,
	    .status = &st };
	struct page_query q = kit_query(k->a);
	struct kit_page page;
	char text[512], want[512];

	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	kit_page(k, &q, &page);
	/* an observable's version is its date added, in page and status alike */
	snprintf(want, sizeof(want), "soc f:unknown:no id s:%s: s:%s:", page.version, DAY1);
	assert_int_equal(strlen(page.version), 27);
	store_status_get(k->s, st.id, on_status, text);
	assert_string_equal(text, want);
	/* the same again reads the same: the date stays */
	clock_fake_add(1000000);
	memcpy(st.id, "22222222", 8);
	st.requested_us = clock_wall_us();
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	store_status_get(k->s, st.id, on_status, text);
	assert_string_equal(text, want);
	store_status_expire(k->s, clock_wall_us(), kit_counted, k);
	assert_int_equal(k->count, 1);
	store_status_get(k->s, "11111111-1111-4111-8111-111111111111", on_status, text);
	assert_string_equal(text, "none");
	store_status_get(k->s, st.id, on_status, text);
	assert_string_equal(text, want);
}

/* ---- statuses that are pending ---- */

static const char pending_id[] = "33333333-3333-4333-8333-333333333333";

/* "pending TOTAL SUCCEEDED FAILED ENTRIES", or "none". */
static void
on_counts(void *arg, const struct store_status *st, const struct err *e)
{
	assert_null(e);
	if (st == NULL)
		strcpy(arg, "none");
	else
		sprintf(arg, "%s %d %d %d %zu", st->pending ? "pending" : "complete", (int)st->total,
		    (int)st->succeeded, (int)st->failed, st->n);
}

static const char *
counts(struct kit *k)
{
	char *text = arena_alloc(k->mem, 64);

	store_status_get(k->s, pending_id, on_counts, text);
	return text;
}

static bool
add_pending(void *ctx, const struct store_status *st)
{
	struct strbuf *b = ctx;

	assert_true(st->pending);
	strbuf_addf(b, "%s %s %d/%d %s %s %s %d %d %d;", st->id, st->user,
	    (int)(st->succeeded + st->failed), (int)st->total, st->errand->source, st->errand->collection, st->errand->request, st->errand->strict,
	    (int)st->errand->bytes, st->errand->sha256[31]);
	return true;
}

static const char *
all_pending(struct kit *k)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	assert_int_equal(store_pending_each(k->s, add_pending, &b, NULL), 0);
	text = arena_str(k->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static struct store_status
pending_status(enum store_status_step step, uint64_t from)
{
	struct store_status st = { .user = "soc", .requested_us = start_us, .step = step, .from = from };

	memcpy(st.id, pending_id, sizeof(st.id));
	return st;
}

static void
open_pending(struct kit *k, uint64_t total)
{
	struct store_errand errand = { .source = "soc", .collection = "kept", .request = "r1", .strict = true,
	    .bytes = 5000000, .sha256 = { [31] = 7 } };
	struct store_status st = pending_status(STATUS_OPEN, 0);
	struct store_txn t = { .source = kit_source("soc"), .status = &st };

	st.total = total;
	st.errand = &errand;
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
}

/* One object and one refusal more. */
static enum err_code
add_part(struct kit *k, enum store_status_step step, uint64_t from, int number, const char *rest)
{
	struct store_put put = kit_put(kit_object(k, "indicator", number, DAY1, "x"), &k->a, 1);
	struct store_status_entry entries[] = {
		{ .id = put.object->id, .version = put.object->version, .put = 0 },
		{ .id = SLICE_LIT("unknown"), .version = SLICE_LIT("unknown"), .failed = true,
		    .message = "no id", .put = -1 },
	};
	struct store_status st = pending_status(step, from);
	struct store_txn t = { .source = kit_source("soc"), .puts = &put, .nputs = 1, .status = &st };

	st.entries = entries;
	st.n = 2;
	st.rest = rest;
	return kit_commit(k, &t);
}

static void
pending_status_grows(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);
	struct store_figures f;
	char text[512];

	assert_string_equal(all_pending(k), "");
	open_pending(k, 4);
	assert_string_equal(counts(k), "pending 4 0 0 0");
	assert_string_equal(all_pending(k), "33333333-3333-4333-8333-333333333333 soc 0/4 soc kept r1 1 "
	    "5000000 7;");
	assert_int_equal(store_figures(k->s, &f, NULL), 0);
	assert_int_equal(f.pending, 1);
	assert_int_equal(f.pending_bytes, 5000000);
	assert_int_equal(add_part(k, STATUS_PART, 0, 1, NULL), ERR_NONE);
	assert_string_equal(counts(k), "pending 4 1 1 0");
	clock_fake_add(1000000);
	/* what is pending is not forgotten, however old it is */
	store_status_expire(k->s, clock_wall_us() + 1, kit_counted, k);
	assert_int_equal(k->count, 0);
	assert_int_equal(add_part(k, STATUS_LAST, 2, 2, NULL), ERR_NONE);
	assert_string_equal(counts(k), "complete 4 2 2 4");
	store_status_get(k->s, pending_id, on_status, text);
	assert_string_equal(text, "soc s:" DAY1 ": f:unknown:no id s:" DAY1 ": f:unknown:no id");
	assert_string_equal(all_pending(k), "");
	assert_string_equal(kit_page(k, &q, NULL), "1@10:00:00 2@10:00:00");
	/* it is kept from its end on */
	store_status_expire(k->s, clock_wall_us(), kit_counted, k);
	assert_int_equal(k->count, 0);
	clock_fake_add(1000000);
	store_status_expire(k->s, clock_wall_us(), kit_counted, k);
	assert_int_equal(k->count, 1);
	assert_string_equal(counts(k), "none");
}

/* Two who work the same envelope off, or one who does not know that its last commit was done. */
static void
pending_part_counts_once(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);

	assert_int_equal(add_part(k, STATUS_PART, 0, 1, NULL), ERR_CONFLICT);	/* there is none */
	open_pending(k, 4);
	assert_int_equal(add_part(k, STATUS_PART, 2, 1, NULL), ERR_CONFLICT);
	assert_int_equal(add_part(k, STATUS_PART, 0, 1, NULL), ERR_NONE);
	assert_int_equal(add_part(k, STATUS_PART, 0, 2, NULL), ERR_CONFLICT);
	assert_int_equal(add_part(k, STATUS_LAST, 0, 2, NULL), ERR_CONFLICT);
	assert_int_equal(add_part(k, STATUS_PART, 3, 2, NULL), ERR_CONFLICT);
	assert_string_equal(counts(k), "pending 4 1 1 0");
	/* nothing of what was refused is there */
	assert_string_equal(kit_page(k, &q, NULL), "1@10:00:00");
	assert_int_equal(add_part(k, STATUS_LAST, 2, 2, NULL), ERR_NONE);
	/* a complete status never changes */
	assert_int_equal(add_part(k, STATUS_PART, 4, 3, NULL), ERR_CONFLICT);
	assert_string_equal(counts(k), "complete 4 2 2 4");
}

/* The sender is gone, the bytes are lost: what was not spoken of failed, with the reason. */
static void
pending_rest_fails_with_reason(void **state)
{
	struct kit *k = *state;
	struct store_status st = pending_status(STATUS_LAST, 2);
	struct store_txn t = { .source = kit_source("soc"), .status = &st };
	char text[512];

	open_pending(k, 5);
	assert_int_equal(add_part(k, STATUS_PART, 0, 1, NULL), ERR_NONE);
	st.rest = "gone";
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	assert_string_equal(counts(k), "complete 5 1 4 5");
	store_status_get(k->s, pending_id, on_status, text);
	assert_string_equal(text, "soc s:" DAY1 ": f:unknown:no id f:unknown:gone f:unknown:gone "
	    "f:unknown:gone");
	assert_string_equal(all_pending(k), "");
}

static bool
check_line(void *ctx, uint64_t seq, struct slice line)
{
	struct audit_check *c = ctx;

	(void)seq;
	return audit_check_line(c, line);
}

static bool
last_line(void *ctx, uint64_t seq, struct slice line)
{
	(void)seq;
	snprintf(ctx, 512, "%.*s", SLICE_ARG(line));
	return true;
}

static void
audit_chain_holds(void **state)
{
	struct kit *k = *state;
	struct store_audit records[2] = { { "\"ev\":\"intake\"", true }, { "\"ev\":\"y\"", false } };
	struct store_put p = kit_put(kit_object(k, "indicator", 1, DAY1, "x"), &k->a, 1);
	struct store_txn t = { .source = kit_source("x"), .puts = &p, .nputs = 1,
	    .audit = records, .naudit = 2 };
	struct audit_check c;
	struct store_figures f;
	char line[512];

	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	store_audit_add(k->s, "\"ev\":\"page\"", kit_done, k);
	if (k->sqlite) {
		store_close(k->s);
		kit_open(k);
	}
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	audit_check_init(&c, slice_from(kit_key, 32));
	assert_int_equal(store_audit_each(k->s, 0, check_line, &c, &k->err), 0);
	assert_int_equal(c.bad_seq, 0);
	assert_int_equal(c.seq, 5);
	store_figures(k->s, &f, &k->err);
	assert_int_equal(f.audit_records, 5);
	store_audit_each(k->s, 3, last_line, line, &k->err);
	assert_non_null(strstr(line, "\"seq\":5"));
	t.naudit = 1;
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	store_audit_each(k->s, 5, last_line, line, &k->err);
	assert_non_null(strstr(line, "\"ev\":\"intake\",\"new\":0,\"known\":1,\"conflict\":0"));
}

static void
quarantine_is_bounded(void **state)
{
	struct kit *k = *state;
	struct store_quarantine rows[5];
	struct store_txn t = { .quarantine = rows, .nquarantine = 5 };
	struct caught c = { .k = k };
	struct store_figures f;

	for (int i = 0; i < 5; i++)
		rows[i] = (struct store_quarantine){ .source = "spool:in", .input = "f.xml",
		    .format = "iodef2", .code = "BAD_XML", .path = "/a", .line = 3, .column = 4,
		    .offset = 5, .reason = "r", .collection = "",
		    .bytes = slice_of(arena_fmt(k->mem, "%d23456789", i)) };
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
	store_quarantine_list(k->s, 0, 2, false, on_quarantine, &c);
	assert_int_equal(c.n, 2);
	store_quarantine_list(k->s, c.qid, 10, false, on_quarantine, &c);
	assert_int_equal(c.n, 3);
	store_quarantine_set(k->s, c.qid, "retried", kit_done, k);
	store_quarantine_set(k->s, 999, "retried", kit_done, k);
	assert_int_equal(k->err.code, ERR_REFERENCE);
	store_figures(k->s, &f, &k->err);
	assert_int_equal(f.quarantined, 4);
	store_quarantine_list(k->s, 0, 10, false, on_quarantine, &c);
	assert_int_equal(c.n, 4);
	store_quarantine_trim(k->s, 4, 1000, kit_counted, k);
	assert_int_equal(k->count, 1);
	store_quarantine_trim(k->s, 10, 25, kit_counted, k);	/* ten bytes each */
	assert_int_equal(k->count, 2);
	store_quarantine_list(k->s, 0, 10, true, on_quarantine, &c);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.text, "retried spool:in BAD_XML ");
	store_quarantine_get(k->s, c.qid, on_quarantine, &c);
	assert_string_equal(c.bytes, "423456789");
	store_quarantine_trim(k->s, 0, 0, kit_counted, k);
	assert_int_equal(k->count, 2);
}

/* ---- collections, views ---- */

static void
collections_keep_their_ids(void **state)
{
	static const char fixed[] = "99999999-9999-4999-8999-999999999999";
	struct kit *k = *state;
	char first[37], second[37];
	uint8_t digest[32] = { 1, 2, 3 }, got[32];
	int64_t cid = store_collection(k->s, "gamma", fixed, first, &k->err);

	assert_string_equal(first, fixed);
	assert_int_equal(store_collection(k->s, "gamma", NULL, second, &k->err), cid);
	assert_string_equal(second, fixed);
	assert_int_equal(store_collection(k->s, "alpha", NULL, first, &k->err), k->a);
	assert_int_equal(store_collection(k->s, "alpha", "88888888-8888-4888-8888-888888888888",
	    second, &k->err), k->a);
	assert_string_equal(first, second);
	assert_true(store_collection(k->s, "delta", fixed, second, &k->err) < 0);
	assert_int_equal(k->err.code, ERR_CONFLICT);
	assert_int_equal(store_view_digest(k->s, cid, got, &k->err), 0);
	assert_int_equal(got[0], 0);
	assert_int_equal(store_view_set_digest(k->s, cid, digest, &k->err), 0);
	assert_int_equal(store_view_digest(k->s, cid, got, &k->err), 0);
	assert_memory_equal(got, digest, 32);
}

struct scanned {
	int64_t	vids[64];
	size_t	n;
	bool	more;
};

static void
on_scan(void *arg, const struct store_page *page, const struct err *e)
{
	struct scanned *x = arg;

	assert_null(e);
	x->more = page->more;
	for (size_t i = 0; i < page->n; i++) {
		assert_true(page->rows[i].bytes.n > 0);
		x->vids[x->n++] = page->rows[i].vid;
	}
}

static void
views_are_filled_by_scan(void **state)
{
	struct kit *k = *state;
	struct scanned x = { .n = 0 };
	struct page_query q = kit_query(k->b);
	struct kit_page page, later;

	for (int i = 1; i <= 7; i++) {
		struct store_put p = kit_put(kit_object(k, "indicator", i, DAY1, "x"), &k->a, 1);

		kit_put_one(k, "x", &p);
	}
	do
		store_scan(k->s, x.n == 0 ? 0 : x.vids[x.n - 1], 3, on_scan, &x);
	while (x.more);
	assert_int_equal(x.n, 7);
	store_join(k->s, k->b, "", x.vids, 5, NULL, 0, kit_done, k);
	assert_string_equal(kit_page(k, &q, &page),
	    "1@10:00:00 2@10:00:00 3@10:00:00 4@10:00:00 5@10:00:00");
	clock_fake_add(1000000);
	store_join(k->s, k->b, "", x.vids + 4, 3, x.vids, 2, kit_done, k);
	assert_int_equal(k->err.code, ERR_NONE);
	assert_string_equal(kit_page(k, &q, &later),
	    "3@10:00:00 4@10:00:00 5@10:00:00 6@10:00:00 7@10:00:00");
	assert_int_equal(later.dates[2], page.dates[4]);	/* who was in keeps the date */
	assert_true(later.dates[3] >= start_us + 1000000);
	store_join(k->s, 77, "", x.vids, 1, NULL, 0, kit_done, k);
	assert_int_equal(k->err.code, ERR_REFERENCE);
}

/* ---- dates ---- */

static void
dates_grow_whatever_the_clock_does(void **state)
{
	static const int64_t steps_us[] = { 0, 0, 10, 999, 1, -3600000000LL, 0, 5, 3601000000LL,
	    -1, 100 };
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);
	struct store_figures f;
	int64_t last = 0;
	int number = 0;

	for (size_t i = 0; i < sizeof(steps_us) / sizeof(*steps_us); i++) {
		struct store_put puts[3];
		struct store_txn t = { .puts = puts, .nputs = 3 };
		struct kit_page page;

		clock_fake_add(steps_us[i]);
		if (i == 6 && k->sqlite) {	/* a restart forgets nothing */
			store_close(k->s);
			kit_open(k);
		}
		t.source = kit_source("x");
		for (int j = 0; j < 3; j++)
			puts[j] = kit_put(kit_object(k, "indicator", ++number, DAY1, "x"), &k->a,
			    1);
		assert_int_equal(kit_commit(k, &t), ERR_NONE);
		q.position_us = last == 0 ? -1 : last;
		kit_page(k, &q, &page);
		assert_int_equal(page.n, 3);
		/* a fresh millisecond, above the last one even if that is rounded up */
		assert_true(page.dates[0] % 1000 <= 1 && page.dates[0] / 1000 > last / 1000);
		assert_true(page.dates[0] > (last + 999) / 1000 * 1000);
		assert_int_equal(page.dates[1], page.dates[0] + 1);
		assert_int_equal(page.dates[2], page.dates[0] + 2);
		last = page.last_us;
		if (i == 5) {
			store_figures(k->s, &f, &k->err);
			assert_true(f.date_ahead_us > 3599000000LL);
		}
	}
	store_figures(k->s, &f, &k->err);
	assert_true(f.date_ahead_us < 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(new_then_known),
		BOTH(versions_are_instants),
		BOTH(conflict_is_kept_apart),
		BOTH(sightings_count_sources),
		BOTH(strictest_source_decides),
		BOTH(facts_come_back),
		BOTH(strictest_default_decides),
		BOTH(covered_copies_stay),
		BOTH(narrower_copies_cover_nothing),
		BOTH(new_version_is_never_covered),
		BOTH(denied_copy_uncovers_the_other),
		BOTH(given_is_not_sent_back),
		BOTH(distinct_view_shows_one_of_a_group),
		BOTH(unknown_collection_refuses_all),
		BOTH(status_tells_each),
		BOTH(pending_status_grows),
		BOTH(pending_part_counts_once),
		BOTH(pending_rest_fails_with_reason),
		BOTH(audit_chain_holds),
		BOTH(quarantine_is_bounded),
		BOTH(collections_keep_their_ids),
		BOTH(views_are_filled_by_scan),
		BOTH(dates_grow_whatever_the_clock_does),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
