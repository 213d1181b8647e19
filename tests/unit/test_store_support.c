/* If this fails, a feed shows what names a creator or a marking that the reader cannot look up. */
#include "store_kit.h"

#include "gateway/base/strbuf.h"

#define DAY1	"2026-11-01T10:00:00Z"
#define DAY2	"2026-11-02T11:00:00Z"

/* What object i is: 1 to 9 identities, from 10 on indicators. */
static struct store_put
some(struct kit *k, int i, const char *version, const char *names)
{
	struct store_put p = kit_put(kit_object(k, i < 10 ? "identity" : "indicator", i, version, "x"),
	    &k->a, 1);
	struct strbuf b = STRBUF_INIT;

	for (const char *c = names; *c != '\0'; c++)
		strbuf_addf(&b, "%s%s", b.n > 0 ? " " : "",
		    arena_str(k->mem, kit_id(k, "identity", *c - '0')));
	p.supporters = arena_slice(k->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	if (i < 10) {
		p.follow = &k->b;
		p.nfollow = 1;
	} else {
		p.views = &k->b;
		p.nviews = 1;
	}
	return p;
}

static void
commit(struct kit *k, struct store_put *puts, size_t n)
{
	struct store_txn t = { .source = kit_source("x"), .puts = puts, .nputs = n };

	if (kit_commit(k, &t) != ERR_NONE)
		fail_msg("commit: %s", k->err.reason);
}

static const char *
view(struct kit *k)
{
	struct page_query q = kit_query(k->b);

	q.all = true;
	return kit_page(k, &q, NULL);
}

#define PUT(...)								\
	do {									\
		struct store_put puts_[] = { __VA_ARGS__ };			\
		commit(k, puts_, sizeof(puts_) / sizeof(*puts_));		\
	} while (0)

/* Who is named is in the view before who names it, whatever the order of arrival allows. */
static void
who_is_named_comes_first(void **state)
{
	struct kit *k = *state;
	struct page_query q = kit_query(k->a);

	PUT(some(k, 1, DAY1, ""), some(k, 2, DAY1, "1"), some(k, 3, DAY1, ""));
	assert_string_equal(view(k), "");
	PUT(some(k, 10, DAY1, "2"), some(k, 11, DAY1, "12"));
	assert_string_equal(view(k), "1@10:00:00 2@10:00:00 10@10:00:00 11@10:00:00");
	/* in one envelope, behind who names it: the collection keeps the order, the view does not */
	PUT(some(k, 12, DAY1, "4"), some(k, 4, DAY1, "5"), some(k, 5, DAY1, ""));
	assert_string_equal(view(k), "1@10:00:00 2@10:00:00 10@10:00:00 11@10:00:00 5@10:00:00 "
	    "4@10:00:00 12@10:00:00");
	assert_string_equal(kit_page(k, &q, NULL), "1@10:00:00 2@10:00:00 3@10:00:00 10@10:00:00 "
	    "11@10:00:00 12@10:00:00 4@10:00:00 5@10:00:00");
}

/* It comes when it comes, with what it names, and once. */
static void
who_is_missing_is_remembered(void **state)
{
	struct kit *k = *state;
	struct store_put red;

	PUT(some(k, 10, DAY1, "12"), some(k, 11, DAY1, "1"));
	assert_string_equal(view(k), "10@10:00:00 11@10:00:00");
	PUT(some(k, 3, DAY1, ""));
	PUT(some(k, 1, DAY1, "3"));
	assert_string_equal(view(k), "10@10:00:00 11@10:00:00 3@10:00:00 1@10:00:00");
	red = some(k, 2, DAY1, "");
	red.tlp = TLP_RED;
	commit(k, &red, 1);
	PUT(some(k, 10, DAY1, "12"), some(k, 1, DAY1, "3"));		/* again */
	assert_string_equal(view(k), "10@10:00:00 11@10:00:00 3@10:00:00 1@10:00:00");
	/* a new version follows the old one; of what is in no view, nothing does */
	PUT(some(k, 1, DAY2, "3"), some(k, 9, DAY1, ""), some(k, 9, DAY2, ""));
	assert_string_equal(view(k), "10@10:00:00 11@10:00:00 3@10:00:00 1@10:00:00 1@11:00:00");
}

static void
views_are_filled_with_them(void **state)
{
	struct kit *k = *state;
	struct store_put lonely = some(k, 10, DAY1, "12");
	const int64_t vid = 3;
	const char *names;

	lonely.nviews = 0;
	PUT(some(k, 1, DAY1, "3"), some(k, 3, DAY1, ""));
	commit(k, &lonely, 1);
	assert_string_equal(view(k), "");
	names = arena_fmt(k->mem, "%s %s", arena_str(k->mem, kit_id(k, "identity", 1)),
	    arena_str(k->mem, kit_id(k, "identity", 2)));
	store_join(k->s, k->b, names, &vid, 1, NULL, 0, kit_done, k);
	assert_string_equal(view(k), "3@10:00:00 1@10:00:00 10@10:00:00");
	PUT(some(k, 2, DAY1, ""));
	assert_string_equal(view(k), "3@10:00:00 1@10:00:00 10@10:00:00 2@10:00:00");
}

/* ---- both backends, whatever comes ---- */

static uint32_t
roll(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

/* What is in the view names nobody who was known when it came and is not before it. */
static void
check_view(const char *text, const char *const names[64], const int known_at[16], const int came_at[64])
{
	bool seen[16] = { false };

	for (const char *at = text; *at != '\0'; ) {
		int i = atoi(at);

		if (i < 10)
			seen[i] = true;
		for (const char *c = i < 10 ? "" : names[i]; *c != '\0'; c++)
			if (known_at[*c - '0'] != 0 && known_at[*c - '0'] <= came_at[i] &&
			    !seen[*c - '0'])
				fail_msg("%d before %c: %s", i, *c, text);
		at += strcspn(at, " ");
		at += *at == ' ';
	}
}

static void
any_order_of_arrival(void **state)
{
	static char first[4096];
	struct kit *k = *state;
	const char *names[64] = { NULL };
	int known_at[16] = { 0 }, came_at[64] = { 0 }, next = 10;
	uint32_t seed = 42;

	for (int turn = 1; turn <= 40 && next < 60; turn++) {
		struct store_put puts[4];
		size_t n = 1 + roll(&seed, 4);

		for (size_t i = 0; i < n; i++) {
			char who[3] = { (char)('1' + roll(&seed, 9)), (char)('1' + roll(&seed, 9)), 0 };
			int id = roll(&seed, 3) == 0 ? 1 + (int)roll(&seed, 9) : next++;

			names[id] = arena_str(k->mem, slice_of(who));
			puts[i] = some(k, id, DAY1, names[id]);
			if (id < 10 && known_at[id] == 0)
				known_at[id] = turn;
			came_at[id] = turn;
		}
		commit(k, puts, n);
	}
	check_view(view(k), names, known_at, came_at);
	if (first[0] == '\0')
		snprintf(first, sizeof(first), "%s", view(k));
	assert_string_equal(view(k), first);	/* by one backend as by the other */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(who_is_named_comes_first),
		BOTH(who_is_missing_is_remembered),
		BOTH(views_are_filled_with_them),
		BOTH(any_order_of_arrival),
	};

	return cmocka_run_group_tests_name("store support", tests, NULL, NULL);
}
