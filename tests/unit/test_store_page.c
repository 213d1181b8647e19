/* If this fails, a SOC that polls misses an indicator for ever, or gets one that was withdrawn. */
#include "store_kit.h"

#include <event2/event.h>

/* ---- which versions a query chooses (taxii.md 9) ---- */

/* One version put into collection a, in this order. */
struct versioned {
	int		 number;
	const char	*hour;		/* 2024-01-01T..Z */
	const char	*spec;
};

static void
fill(struct kit *k, const struct versioned *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct object *o = kit_object(k, "indicator", v[i].number,
		    arena_fmt(k->mem, "2024-01-01T%s:00:00Z", v[i].hour), "x");
		struct store_put p;

		o->spec_version = slice_of(v[i].spec);
		p = kit_put(o, &k->a, 1);
		clock_fake_add(1000);
		assert_int_equal(kit_put_one(k, "x", &p), STORE_NEW);
	}
}

/* The date of the i-th of them: each is a commit of its own. */
static int64_t
date_of(size_t i)
{
	return start_us + 1000 * ((int64_t)i + 1);
}

/* Words of a query: "last", "first", "all", "k:HOUR", "s:2.1", "id:N", "t:TYPE", "after:I" (the I-th put). */
static struct page_query
query(struct kit *k, const char *words)
{
	struct page_query q = kit_query(k->a);
	struct slice *ids = arena_alloc(k->mem, 8 * sizeof(*ids)), *keys, *specs, *types;
	struct slice rest = slice_of(words);

	keys = arena_alloc(k->mem, 8 * sizeof(*keys));
	specs = arena_alloc(k->mem, 8 * sizeof(*specs));
	types = arena_alloc(k->mem, 32 * sizeof(*types));
	while (rest.n > 0) {
		struct slice w = slice_cut(&rest, ' '), arg = w;

		slice_cut(&arg, ':');
		q.last = q.last || slice_is(w, "last");
		q.first = q.first || slice_is(w, "first");
		q.all = q.all || slice_is(w, "all");
		if (slice_starts(w, "k:"))
			keys[q.nversion_keys++] = slice_of(arena_fmt(k->mem,
			    "2024-01-01T%.*s:00:00", SLICE_ARG(arg)));
		if (slice_starts(w, "s:"))
			specs[q.nspec_versions++] = arena_slice(k->mem, arg);
		if (slice_starts(w, "t:"))
			types[q.ntypes++] = arena_slice(k->mem, arg);
		if (slice_starts(w, "id:"))
			ids[q.nids++] = kit_id(k, "indicator", atoi(arg.p));
		if (slice_starts(w, "after:"))
			q.added_after_us = date_of((size_t)atoi(arg.p));
		if (slice_starts(w, "until:"))
			q.until_us = date_of((size_t)atoi(arg.p));
	}
	q.ids = ids;
	q.version_keys = keys;
	q.spec_versions = specs;
	q.types = types;
	return q;
}

static void
versions_are_chosen(void **state)
{
	/* 1 grows; 2 came backwards; 3 has one; 4 exists in two specification versions */
	static const struct versioned put[] = {
		{ 1, "10", "2.1" }, { 2, "12", "2.1" }, { 3, "10", "2.1" }, { 1, "11", "2.1" },
		{ 2, "11", "2.1" }, { 4, "10", "2.1" }, { 4, "12", "2.0" }, { 1, "12", "2.1" },
		{ 2, "10", "2.1" }, { 4, "11", "2.1" },
	};
	static const struct { const char *query, *want; } row[] = {
		{ "", "2@12:00:00 3@10:00:00 1@12:00:00 4@11:00:00" },
		{ "last", "2@12:00:00 3@10:00:00 1@12:00:00 4@11:00:00" },
		{ "first", "1@10:00:00 3@10:00:00 4@10:00:00 2@10:00:00" },
		{ "first last", "1@10:00:00 2@12:00:00 3@10:00:00 4@10:00:00 1@12:00:00 "
		    "2@10:00:00 4@11:00:00" },
		/* without the filter only the latest specification version */
		{ "all", "1@10:00:00 2@12:00:00 3@10:00:00 1@11:00:00 2@11:00:00 4@10:00:00 "
		    "1@12:00:00 2@10:00:00 4@11:00:00" },
		{ "all s:2.0", "4@12:00:00" },
		{ "s:2.0", "4@12:00:00" },
		{ "s:2.1", "2@12:00:00 3@10:00:00 1@12:00:00 4@11:00:00" },
		{ "s:2.0 s:2.1", "2@12:00:00 3@10:00:00 4@12:00:00 1@12:00:00" },
		{ "s:3.0", "" },
		{ "k:11", "1@11:00:00 2@11:00:00 4@11:00:00" },
		{ "k:11 last", "2@12:00:00 3@10:00:00 1@11:00:00 2@11:00:00 1@12:00:00 4@11:00:00" },
		{ "k:12", "2@12:00:00 1@12:00:00" },	/* 4@12 is of an older specification */
		{ "k:09", "" },
		/* added_after comes first: of what came later, the greatest */
		{ "after:0", "2@12:00:00 3@10:00:00 1@12:00:00 4@11:00:00" },
		{ "after:1", "3@10:00:00 2@11:00:00 1@12:00:00 4@11:00:00" },
		{ "after:4", "1@12:00:00 2@10:00:00 4@11:00:00" },
		{ "after:5", "1@12:00:00 2@10:00:00 4@11:00:00" },
		{ "after:7", "2@10:00:00 4@11:00:00" },
		{ "after:9", "" },
		/* a page ends at the last date that counts, whatever comes later */
		{ "until:2", "2@12:00:00 3@10:00:00" },
		{ "until:2 all", "1@10:00:00 2@12:00:00 3@10:00:00" },
		{ "after:4 until:8", "1@12:00:00 2@10:00:00" },
		{ "after:2 until:2", "" },
		{ "id:1 until:7", "1@12:00:00" },
		{ "id:1 until:6", "" },
		{ "id:1 all until:3", "1@10:00:00 1@11:00:00" },
		{ "after:4 first", "4@10:00:00 1@12:00:00 2@10:00:00" },
		{ "after:5 s:2.0", "4@12:00:00" },
		{ "after:2 all", "1@11:00:00 2@11:00:00 4@10:00:00 1@12:00:00 2@10:00:00 4@11:00:00" },
		{ "id:1", "1@12:00:00" },
		{ "id:1 id:2 id:1", "2@12:00:00 1@12:00:00" },
		{ "id:2 after:1", "2@11:00:00" },
		{ "id:9", "" },
		{ "id:1 all", "1@10:00:00 1@11:00:00 1@12:00:00" },
		{ "id:1 t:malware", "" },
		{ "t:indicator", "2@12:00:00 3@10:00:00 1@12:00:00 4@11:00:00" },
		{ "t:malware", "" },
		{ "t:malware t:indicator first", "1@10:00:00 3@10:00:00 4@10:00:00 2@10:00:00" },
		{ "t:indicator after:4", "1@12:00:00 2@10:00:00 4@11:00:00" },
	};
	struct kit *k = *state;

	fill(k, put, sizeof(put) / sizeof(*put));
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct page_query q = query(k, row[i].query);
		const char *got = kit_page(k, &q, NULL);

		if (strcmp(got, row[i].want) != 0)
			fail_msg("\"%s\": %s", row[i].query, got);
	}
}

static void
any_tells_404_from_empty(void **state)
{
	static const struct versioned put[] = { { 1, "10", "2.1" }, { 1, "11", "2.0" } };
	static const struct { const char *query; bool version, match; size_t n; } row[] = {
		{ "id:1", true, true, 1 },
		{ "id:2", false, false, 0 },
		{ "id:1 k:12", true, false, 0 },
		{ "id:1 k:10", true, true, 1 },
		{ "id:1 k:11", true, true, 0 },		/* there, but an older specification */
		{ "id:1 after:5", true, true, 0 },
		{ "id:1 s:2.2", true, true, 0 },
		{ "id:2 id:1 all", true, true, 1 },
	};
	struct kit *k = *state;

	fill(k, put, 2);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct page_query q = query(k, row[i].query);
		struct kit_page page;

		kit_page(k, &q, &page);
		if (page.any_version != row[i].version || page.any_match != row[i].match ||
		    page.n != row[i].n)
			fail_msg("%s: %d %d %zu", row[i].query, page.any_version, page.any_match,
			    page.n);
	}
}

/* ---- rights, sizes ---- */

static bool
admit_even(void *ctx, const struct store_row *row)
{
	(*(int *)ctx)++;
	assert_true(row->facts.tlp == TLP_GREEN && slice_is(row->type, "indicator"));
	return row->id.p[row->id.n - 1] % 2 == 0;
}

static void
only_admitted_rows_count(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);
	struct kit_page page;
	int asked = 0;

	for (int i = 1; i <= 9; i++) {
		struct store_put p = kit_put(kit_object(k, "indicator", i, "2024-01-01T10:00:00Z",
		    "x"), &k->a, 1);

		kit_put_one(k, "x", &p);
	}
	q.admit = admit_even;
	q.admit_ctx = &asked;
	q.limit = 2;
	assert_string_equal(kit_page(k, &q, &page), "2@10:00:00 4@10:00:00");
	assert_true(page.more);
	assert_int_equal(asked, 6);		/* as far as one that shows there is more */
	q.position_us = page.last_us;
	assert_string_equal(kit_page(k, &q, &page), "6@10:00:00 8@10:00:00");
	assert_false(page.more);		/* 9 is left, but not for this reader */
	q.ids = (struct slice[]){ kit_id(k, "indicator", 3) };
	q.nids = 1;
	q.position_us = -1;
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 0);
	assert_false(page.any_version);		/* what one may not have does not exist */
}

static void
pages_keep_to_bytes(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);
	struct kit_page page;
	size_t one = 0;

	for (int i = 1; i <= 5; i++) {
		struct object *o = kit_object(k, "indicator", i, "2024-01-01T10:00:00Z", "x");
		struct store_put p = kit_put(o, &k->a, 1);

		one = o->bytes.n;
		kit_put_one(k, "x", &p);
	}
	q.max_bytes = 2 * one;
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 2);
	assert_true(page.more);
	q.max_bytes = 1;			/* at least one passes */
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 1);
	assert_true(page.more);
	q.max_bytes = 5 * one;
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 5);
	assert_false(page.more);
	q.want_bytes = false;
	kit_page(k, &q, &page);
	assert_int_equal(page.n, 5);
	assert_string_equal(page.bytes, "");
}

/* ---- a reader who may have little does not keep the others waiting ---- */

static bool
admit_few(void *ctx, const struct store_row *row)
{
	(void)ctx;
	return slice_ends(row->id, "999");
}

static void
on_any_page(void *arg, const struct store_page *page, const struct err *e)
{
	struct kit *k = arg;

	k->answers++;
	k->count = page == NULL ? 0 : page->n;
	k->err.code = e == NULL ? ERR_NONE : e->code;
}

static void
fill_many(struct kit *k, int n)
{
	struct store_put *puts = arena_alloc(k->mem, (size_t)n * sizeof(*puts));
	struct store_txn t = { .puts = puts, .nputs = (size_t)n };

	t.source = kit_source("x");
	for (int i = 0; i < n; i++)
		puts[i] = kit_put(kit_object(k, "indicator", i, "2024-01-01T10:00:00Z", "x"), &k->a,
		    1);
	assert_int_equal(kit_commit(k, &t), ERR_NONE);
}

static void
long_search_takes_turns(void **state)
{
	struct kit *k = *state;
	struct slice type = SLICE_LIT("indicator");
	struct page_query q = kit_query(k->a);
	int turns = 0;

	fill_many(k, 7000);
	store_close(k->s);
	k->base = event_base_new();
	kit_open(k);
	k->answers = 0;
	q.admit = admit_few;
	q.types = &type;
	q.ntypes = 1;
	store_page(k->s, &q, on_any_page, k);
	assert_int_equal(k->answers, 0);
	type = SLICE_LIT("overwritten");	/* the lists are the caller's again */
	for (; k->answers == 0; turns++)
		event_base_loop(k->base, EVLOOP_ONCE);
	assert_int_equal(turns, 3);
	assert_int_equal(k->count, 7);
	/* an ordinary page does not wait */
	q = kit_query(k->a);
	store_page(k->s, &q, on_any_page, k);
	assert_int_equal(k->answers, 2);
	assert_int_equal(k->count, 100);
	/* closing answers who is still waiting */
	q.admit = admit_few;
	store_page(k->s, &q, on_any_page, k);
	store_close(k->s);
	k->s = NULL;
	assert_int_equal(k->answers, 3);
	assert_int_equal(k->err.code, ERR_BUSY);
	event_base_free(k->base);
}

/* ---- walking while others write ---- */

static void
walk_gives_each_once(void **state)
{
	struct kit *k = *state;

	for (uint32_t limit = 1; limit <= 12; limit++) {
		struct page_query q = kit_query(limit % 2 ? k->a : k->b);
		int64_t after = -1;
		int next = (int)limit * 1000, seen[64] = { 0 }, rounds = 0;
		struct kit_page page;

		for (int i = 0; i < 10; i++) {
			struct store_put p = kit_put(kit_object(k, "indicator", next + i,
			    "2024-01-01T10:00:00Z", "x"), &q.cid, 1);

			kit_put_one(k, "x", &p);
		}
		q.limit = limit;
		q.position_us = -1;
		/* skip what earlier rounds left in this collection */
		q.ids = NULL;
		do {
			q.position_us = after;
			kit_page(k, &q, &page);
			for (size_t i = 0, at = 0; i < page.n; i++) {
				int number = atoi(page.text + at);

				if (number >= next && number < next + 64)
					seen[number - next]++;
				at += strcspn(page.text + at, " ") + 1;
			}
			if (page.n > 0)
				after = page.last_us;
			if (++rounds == 1) {
				/* meanwhile: one comes, one goes (the last of the ten) */
				struct store_put p = kit_put(kit_object(k, "indicator", next + 20,
				    "2024-01-01T10:00:00Z", "x"), &q.cid, 1);
				struct page_query gone = kit_query(q.cid);

				kit_put_one(k, "x", &p);
				gone.ids = (struct slice[]){ kit_id(k, "indicator", next + 9) };
				gone.nids = 1;
				store_remove(k->s, &gone, "\"ev\":\"delete\"", kit_counted, k);
				assert_int_equal(k->count, 1);
			}
		} while (page.more);
		for (int i = 0; i < 9; i++)
			assert_int_equal(seen[i], 1);
		assert_true(seen[9] <= 1);
		if (limit <= 10)
			assert_int_equal(seen[20], 1);
	}
}

/* ---- removing ---- */

static void
removal_takes_what_is_named(void **state)
{
	static const struct versioned put[] = {
		{ 1, "10", "2.1" }, { 1, "12", "2.1" }, { 1, "11", "2.1" }, { 1, "13", "2.0" },
	};
	static const struct { const char *query; size_t gone; const char *left; } row[] = {
		{ "id:1 k:12", 1, "1@10:00:00 1@11:00:00 1@13:00:00" },
		{ "id:1 first", 1, "1@12:00:00 1@11:00:00 1@13:00:00" },
		{ "id:1 last", 1, "1@10:00:00 1@11:00:00 1@13:00:00" },	/* of the latest spec */
		{ "id:1 s:2.0", 1, "1@10:00:00 1@12:00:00 1@11:00:00" },
		{ "id:1 s:2.1 last", 1, "1@10:00:00 1@11:00:00 1@13:00:00" },
		{ "id:1 k:09", 0, "1@10:00:00 1@12:00:00 1@11:00:00 1@13:00:00" },
		{ "id:1 all", 4, "" },
		{ "id:1", 4, "" },
		{ "id:2", 0, "1@10:00:00 1@12:00:00 1@11:00:00 1@13:00:00" },
	};
	struct kit *k = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct page_query q = query(k, row[i].query), all = query(k, "all s:2.0 s:2.1");
		struct page_query clean = query(k, "id:1 all"), other = query(k, "id:1");
		struct kit_page before;

		for (size_t j = 0; j < 4; j++) {
			struct object *o = kit_object(k, "indicator", 1, arena_fmt(k->mem,
			    "2024-01-01T%s:00:00Z", put[j].hour), "x");
			struct store_put p;

			o->spec_version = slice_of(put[j].spec);
			p = kit_put(o, (int64_t[]){ k->a, k->b }, 2);
			kit_put_one(k, "x", &p);	/* KNOWN after the first round: new dates */
		}
		kit_page(k, &all, &before);
		store_remove(k->s, &q, "\"ev\":\"delete\"", kit_counted, k);
		assert_int_equal(k->count, row[i].gone);
		if (strcmp(kit_page(k, &all, NULL), row[i].left) != 0)
			fail_msg("%s: %s", row[i].query, kit_page(k, &all, NULL));
		other.cid = k->b;		/* other collections keep theirs */
		assert_string_equal(kit_page(k, &other, NULL), "1@12:00:00");
		store_remove(k->s, &clean, NULL, kit_counted, k);
	}
}

/* ---- the two backends say the same ---- */

struct pair {
	struct kit	 k[2];
	uint64_t	 seed;
};

static uint32_t
dice(struct pair *p, uint32_t sides)
{
	p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(p->seed >> 33) % sides;
}

static void
random_put(struct pair *p)
{
	static const char *const types[] = { "indicator", "malware", "x-odd" };
	static const char *const specs[] = { "2.1", "2.1", "2.1", "2.1", "2.1", "2.0" };
	int number = (int)dice(p, 6) + 1, type = (int)dice(p, 3), hour = (int)dice(p, 10);
	uint32_t spec = dice(p, number < 3 ? 6 : 1), both = dice(p, 3), fp = dice(p, 4);
	enum tlp tlp = (enum tlp)(TLP_CLEAR + dice(p, 4));
	bool distinct = dice(p, 2) == 0, revoked = dice(p, 8) == 0;
	enum store_outcome outcome[2];
	size_t queued[2];

	for (int i = 0; i < 2; i++) {
		struct kit *k = &p->k[i];
		int64_t cids[2] = { k->a, k->b };
		static const char *const peers[] = { "p", "q" };
		struct object *o = kit_object(k, types[type], number,
		    arena_fmt(k->mem, "2024-01-01T%02d:00:00Z", hour), revoked ? "r" : "x");
		struct store_put put;

		o->spec_version = slice_of(specs[spec]);
		o->flags = revoked ? OBJECT_REVOKED : 0;
		o->has_fp = true;
		memset(o->fp, (int)fp + 1, sizeof(o->fp));
		put = kit_put(o, cids + (both == 2), both == 0 ? 2 : 1);
		put.tlp = tlp;
		put.peers = peers;
		put.npeers = 2;
		if (distinct) {
			put.ncollections = 1;
			put.collections = cids;
			put.distinct = cids + 1;
			put.ndistinct = 1;
		}
		outcome[i] = kit_put_one(k, fp == 3 ? "p" : "x", &put);
		queued[i] = put.queued;
	}
	assert_int_equal(outcome[0], outcome[1]);
	assert_int_equal(queued[0], queued[1]);
}

static void
random_remove(struct pair *p)
{
	static const char *const words[] = { "last", "first", "all", "", "k:05", "s:2.0" };
	const char *word = words[dice(p, 6)];
	int number = (int)dice(p, 6) + 1;
	bool beta = dice(p, 2) == 1;

	for (int i = 0; i < 2; i++) {
		struct page_query q = query(&p->k[i], arena_fmt(p->k[i].mem, "id:%d %s", number,
		    word));

		if (beta)
			q.cid = p->k[i].b;
		store_remove(p->k[i].s, &q, "\"ev\":\"delete\"", kit_counted, &p->k[i]);
	}
	assert_int_equal(p->k[0].count, p->k[1].count);
}

static void
booked(void *arg, const struct outbox_item *items, size_t n, const struct err *e)
{
	struct outbox_update *u = arg;

	assert_null(e);
	u->oid = n == 0 ? 0 : items[0].oid;
	u->due_us = n == 0 ? 0 : items[0].row.vid;
}

static void
random_delivery(struct pair *p)
{
	const char *peer = dice(p, 2) == 0 ? "p" : "q";
	enum outbox_result result = (enum outbox_result)dice(p, 5);
	struct outbox_update u[2];
	struct outbox_counts c[2];

	for (int i = 0; i < 2; i++) {
		struct store *s = p->k[i].s;

		store_outbox_lease(s, peer, "me", clock_wall_us(), 2000, 1, 0, booked, &u[i]);
	}
	assert_int_equal(u[0].due_us, u[1].due_us);
	for (int i = 0; i < 2 && u[0].oid != 0; i++) {
		u[i].result = result;
		u[i].reason = "r";
		u[i].due_us = clock_wall_us() + 3000;
		store_outbox_update(p->k[i].s, &u[i], 1, NULL, 0, kit_done, &p->k[i]);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_outbox_counts(p->k[i].s, peer, &c[i], &p->k[i].err), 0);
	assert_int_equal(c[0].queued, c[1].queued);
	assert_int_equal(c[0].held, c[1].held);
	assert_int_equal(c[0].sent, c[1].sent);
	assert_int_equal(c[0].dead + c[0].denied, c[1].dead + c[1].denied);
	assert_int_equal(store_outbox_due_us(p->k[0].s, peer), store_outbox_due_us(p->k[1].s, peer));
}

static void
compare(struct pair *p)
{
	static const char *const words[] = { "", "last", "first", "all", "first last", "k:05",
	    "k:05 last", "s:2.0", "s:2.1", "s:2.0 s:2.1", "s:2.0 first", "all s:2.0 s:2.1",
	    "t:malware", "t:x-odd t:indicator", "id:1 id:2 id:3", "id:2 all", "id:1 k:05" };
	char text[4096];

	for (size_t w = 0; w < sizeof(words) / sizeof(*words); w++) {
		int64_t after = dice(p, 2) == 0 ? -1 : start_us + dice(p, 120000);
		int64_t position = dice(p, 3) > 0 ? -1 : start_us + dice(p, 120000);
		uint32_t limit = dice(p, 2) == 0 ? 100 : 1 + dice(p, 5);
		int64_t until = dice(p, 3) > 0 ? 0 : start_us + dice(p, 120000);
		bool beta = dice(p, 2) == 1;

		for (int i = 0; i < 2; i++) {
			struct page_query q = query(&p->k[i], words[w]);
			struct kit_page page;

			q.cid = beta ? p->k[i].b : q.cid;
			q.added_after_us = after;
			q.position_us = position;
			q.until_us = until;
			q.limit = limit;
			kit_page(&p->k[i], &q, &page);
			snprintf(page.text + strlen(page.text), 64, "%s %lld %d%d",
			    page.more ? " +" : "", (long long)page.last_us, page.any_version,
			    page.any_match);
			if (i == 0)
				strcpy(text, page.text);
			else if (strcmp(text, page.text) != 0)
				fail_msg("\"%s\" after %lld:\n sqlite %s\n memory %s", words[w],
				    (long long)after, text, page.text);
		}
	}
}

static void
backends_agree(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 25; seed++) {
		struct pair *p = calloc(1, sizeof(*p));
		void *a = NULL, *b = NULL;

		assert_int_equal(kit_sqlite(&a), 0);
		assert_int_equal(kit_memory(&b), 0);
		p->k[0] = *(struct kit *)a;
		p->k[1] = *(struct kit *)b;
		p->seed = seed;
		for (int step = 0; step < 120; step++) {
			uint32_t what = dice(p, 10);

			clock_fake_add(1000);
			if (what < 6)
				random_put(p);
			else if (what < 8)
				random_remove(p);
			else
				random_delivery(p);
			if (step % 5 == 0)
				compare(p);
		}
		*(struct kit *)a = p->k[0];
		*(struct kit *)b = p->k[1];
		assert_int_equal(kit_tear_down(&a), 0);
		assert_int_equal(kit_tear_down(&b), 0);
		free(p);
	}
}

/* Twenty types at once are more than there are ranges for. */
static void
many_types_at_once(void **state)
{
	struct kit *k = *state;
	struct slice types[20];
	struct page_query q = kit_query(k->a);

	for (int i = 0; i < 20; i++) {
		const char *type = arena_fmt(k->mem, "x-type-%c", 'a' + i);
		struct store_put p = kit_put(kit_object(k, type, i, "2024-01-01T10:00:00Z", "x"),
		    &k->a, 1);

		types[i] = slice_of(type);
		kit_put_one(k, "x", &p);
	}
	q.types = types;
	q.ntypes = 19;
	kit_page(k, &q, NULL);
	for (size_t n = 1; n <= 20; n++) {
		struct kit_page page;

		q.ntypes = n;
		kit_page(k, &q, &page);
		assert_int_equal(page.n, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(versions_are_chosen),
		BOTH(any_tells_404_from_empty),
		BOTH(only_admitted_rows_count),
		BOTH(pages_keep_to_bytes),
		DISK(long_search_takes_turns),
		BOTH(walk_gives_each_once),
		BOTH(removal_takes_what_is_named),
		BOTH(many_types_at_once),
		cmocka_unit_test(backends_agree),
	};

	return cmocka_run_group_tests_name("store_page", tests, NULL, NULL);
}
