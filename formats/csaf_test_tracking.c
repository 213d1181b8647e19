/* csaf_test_tracking.c -- tests 12, 14 to 22, 28, 30: versions, revisions and languages. */
#include <stdlib.h>

#include "formats/csaf_test.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

struct revision {
	int64_t			us;
	struct csaf_version	v;
	struct slice		number;
	size_t			index;		/* in revision_history */
};

/* The revisions that can be read. */
struct history {
	struct revision	*v;
	size_t		 n;
};

/* Order by date; on one date by number. */
static int
by_date(const void *a, const void *b)
{
	const struct revision *x = a, *y = b;
	int c = (x->us > y->us) - (x->us < y->us);

	if (c == 0)
		c = csaf_version_cmp(&x->v, &y->v, true);
	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

static struct history
read_history(struct csaf_testing *t)
{
	const json *list = json_get(t->tracking, "revision_history");
	struct history h = { arena_alloc(t->mem, (json_count(list) + 1) * sizeof(*h.v)), 0 };
	size_t i = 0;

	for (const json *k = json_first(list); k != NULL; k = json_next(k), i++) {
		struct revision *r = &h.v[h.n];
		bool zone;

		r->index = i;
		r->number = json_member(k, "number");
		if (csaf_version_parse(r->number, &r->v) && json_member(k, "date").n > 0 &&
		    stamp_parse_any(json_member(k, "date"), &r->us, &zone))
			h.n++;
	}
	qsort(h.v, h.n, sizeof(*h.v), by_date);
	return h;
}

/* Report something about the number of a revision. */
static void
fail_at(struct csaf_testing *t, enum csaf_test which, const struct revision *r)
{
	size_t at = csaf_enter_at(t, "revision_history", r->index);

	csaf_fail(t, which, "number");
	csaf_leave(t, at);
}

/* Test 14: along the dates. */
static void
test_order(struct csaf_testing *t, const struct history *h)
{
	for (size_t i = 1; i < h->n; i++)
		if (csaf_version_cmp(&h->v[i - 1].v, &h->v[i].v, true) > 0)
			fail_at(t, T_UNSORTED_REVISIONS, &h->v[i]);
}

/* Order by number alone. */
static int
by_number(const void *a, const void *b)
{
	const struct revision *x = a, *y = b;
	int c = csaf_version_cmp(&x->v, &y->v, true);

	return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

/* Test 21: along the numbers. */
static void
test_gaps(struct csaf_testing *t, const struct history *h)
{
	struct revision *v = arena_alloc(t->mem, (h->n + 1) * sizeof(*v));
	unsigned long long last = 0, major;

	memcpy(v, h->v, h->n * sizeof(*v));
	qsort(v, h->n, sizeof(*v), by_number);
	for (size_t i = 0; i < h->n; i++) {
		if (!slice_u64(v[i].v.major, &major) || major > last + 1)
			fail_at(t, T_REVISION_GAP, &v[i]);
		last = major;
	}
}

/* Test 22. */
static void
test_doubles(struct csaf_testing *t, const struct history *h)
{
	struct idmap seen = { 0 };

	for (size_t i = 0; i < h->n; i++)
		idmap_add(&seen, t->mem, h->v[i].number, i);
	idmap_sort(&seen);
	for (size_t i = 1; i < seen.n; i++)
		if (slice_eq(seen.v[i].id, seen.v[i - 1].id))
			fail_at(t, T_DOUBLE_REVISION, &h->v[seen.v[i].value]);
}

/* Tests 16 to 20. */
static void
test_status(struct csaf_testing *t, const struct history *h, const struct csaf_version *version)
{
	bool draft = slice_is(json_member(t->tracking, "status"), "draft");

	if (h->n > 0 && csaf_version_cmp(version, &h->v[h->n - 1].v, !draft) != 0)
		csaf_fail(t, T_NOT_LATEST_VERSION, "version");
	if (!draft && (csaf_version_is_zero(version) || version->pre.n > 0))
		csaf_fail(t, T_DRAFT_EXPECTED, "status");
	if (!draft && version->pre.n > 0)
		csaf_fail(t, T_PRERELEASE_VERSION, "version");
	for (size_t i = 0; i < h->n; i++) {
		if (!draft && csaf_version_is_zero(&h->v[i].v))
			fail_at(t, T_RELEASED_REVISION_ZERO, &h->v[i]);
		if (h->v[i].v.pre.n > 0)
			fail_at(t, T_PRERELEASE_REVISION, &h->v[i]);
	}
}

/* Test 30. */
static void
test_scheme(struct csaf_testing *t, const struct history *h, const struct csaf_version *version)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].v.semantic != version->semantic) {
			fail_at(t, T_MIXED_VERSIONING, &h->v[i]);
			return;
		}
}

/* Tests 12, 15 and 28. */
static void
test_languages(struct csaf_testing *t)
{
	static const char *const names[] = { "lang", "source_lang" };
	struct slice lang = json_member(t->document, "lang");
	struct slice source = json_member(t->document, "source_lang");

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (json_is_string(json_get(t->document, names[i])) &&
		    !csaf_is_language(json_member(t->document, names[i])))
			csaf_fail(t, T_BAD_LANGUAGE, names[i]);
	if (source.n == 0 &&
	    slice_is(json_member(json_get(t->document, "publisher"), "category"), "translator"))
		csaf_fail(t, T_MISSING_SOURCE_LANG, "source_lang");
	if (source.n > 0 && slice_is_nocase(lang, arena_str(t->mem, source)))
		csaf_fail(t, T_SAME_LANGUAGE, "source_lang");
}

void
csaf_test_tracking(struct csaf_testing *t)
{
	struct history h = read_history(t);
	size_t at = csaf_enter(t, "document"), in;
	struct csaf_version version;

	test_languages(t);
	in = csaf_enter(t, "tracking");
	test_order(t, &h);
	if (csaf_version_parse(json_member(t->tracking, "version"), &version)) {
		test_status(t, &h, &version);
		test_scheme(t, &h, &version);
	}
	test_gaps(t, &h);
	test_doubles(t, &h);
	csaf_leave(t, in);
	csaf_leave(t, at);
}
