/* If this finds something, the query of one request crashes a worker, or a walk through a collection goes on
 * with other filters than it began with. */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/taxii_query.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KNOWS_ALL = (1 << PARAMS) - 1, LIMIT = 1000 };

#define KEY		SLICE_LIT("0123456789abcdef0123456789abcdef")
#define COLLECTION	SLICE_LIT("91a7b528-80eb-42ed-a74d-c6fbd5a26116")

/* What every query keeps that was taken. */
static void
check_query(const struct taxii_query *q)
{
	const struct page_query *p = &q->page;

	if (p->limit == 0 || p->limit > LIMIT || (p->all && p->nversion_keys > 0))
		abort();
	for (int f = 0; f < FILTERS; f++)
		if (q->text[f].p != NULL && memchr(q->text[f].p, '\n', q->text[f].n) != NULL)
			abort();
	for (size_t i = 0; i < p->nids; i++)
		if (p->ids[i].n == 0)
			abort();
}

/* The token alone brings every filter back, and nothing for another collection or key. */
static void
check_token(const struct taxii_query *q, struct arena *mem)
{
	const char *token = taxii_next(q, COLLECTION, KEY, 1234567, mem);
	struct http1_head h = { .has_query = true };
	struct taxii_query again;
	struct err e = ERR_INIT;

	h.query = slice_of(arena_fmt(mem, "next=%s", token));
	if (taxii_query_read(&h, KNOWS_ALL, COLLECTION, KEY, LIMIT, mem, &again, &e) < 0)
		abort();
	if (!again.has_next || again.next_us != 1234567 || again.page.nids != q->page.nids ||
	    again.page.ntypes != q->page.ntypes || again.page.nversion_keys != q->page.nversion_keys ||
	    again.page.first != q->page.first || again.page.last != q->page.last ||
	    again.page.all != q->page.all || again.added_after_us != q->added_after_us)
		abort();
	for (int f = 0; f < FILTERS; f++)
		if (!slice_eq(again.text[f], q->text[f]))
			abort();
	if (taxii_query_read(&h, KNOWS_ALL, SLICE_LIT("another"), KEY, LIMIT, mem, &again, &e) == 0 ||
	    taxii_query_read(&h, KNOWS_ALL, COLLECTION, COLLECTION, LIMIT, mem, &again, &e) == 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http1_head h = { .has_query = true, .query = slice_from(data, size) };
	struct arena *mem = arena_new();
	struct taxii_query q;
	struct err e = ERR_INIT;

	if (taxii_query_read(&h, KNOWS_ALL, COLLECTION, KEY, LIMIT, mem, &q, &e) == 0) {
		check_query(&q);
		check_token(&q, mem);
	} else if (e.code != ERR_VALUE) {
		abort();
	}
	arena_free(mem);
	return 0;
}
