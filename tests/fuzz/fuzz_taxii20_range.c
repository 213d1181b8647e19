/* If this finds something, a Range header crashes a worker or makes it answer with items that were not asked for,
 * or what is remembered of a walk does not come back as it was. First line: the header; the rest: a note. */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/taxii20_range.h"
#include "adapters/taxii20_walk.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[] = "0123456789abcdef0123456789abcdef";

static void
check_range(struct slice text)
{
	struct http1_field field = { SLICE_LIT("Range"), text };
	struct http1_head h = { .fields = &field, .nfields = 1 };
	char out[CONTENT_RANGE_TEXT];
	struct taxii20_range r;
	size_t n;

	taxii20_range_read(&h, &r);
	if (r.last < r.first || (!r.given && (r.first != 0 || r.last != UINT64_MAX)))
		abort();
	n = taxii20_range_count(&r, 1000);
	if (n == 0 || n > 1000 || (r.given && n - 1 > r.last - r.first))
		abort();
	taxii20_range_text(out, r.first, n, r.last);
	taxii20_range_none(out, r.last);
	if (memchr(out, '\0', sizeof(out)) == NULL)
		abort();
}

static bool
same(const struct taxii20_place *a, const struct taxii20_place *b)
{
	return a->n == b->n && a->after_us == b->after_us && a->at_us == b->at_us &&
	    a->turns == b->turns && a->used == b->used && a->guessed == b->guessed;
}

static void
check_note(struct slice text)
{
	struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
	struct taxii20_walk w, again;
	struct taxii20_place p;

	strbuf_addf(&in, "1 %s\n", key);
	strbuf_addsl(&in, text);
	taxii20_walk_read(&w, key, in.p);
	taxii20_walk_write(&w, &out);
	taxii20_walk_read(&again, key, out.p);
	if (w.nplaces != again.nplaces || (w.end.n > 0 && !same(&w.end, &again.end)))
		abort();
	for (size_t i = 0; i < w.nplaces; i++)
		if (!same(&w.place[i], &again.place[i]))
			abort();
	for (uint64_t first = 0; first < 1000; first += 99) {
		taxii20_walk_find(&w, first, 0, 1, &p);
		if (p.n > first)
			abort();
		taxii20_walk_keep(&w, first, (int64_t)first, 0, 1, first % 2 == 0);
	}
	strbuf_fini(&in);
	strbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice note = slice_from(data, size), line = slice_cut(&note, '\n');

	check_range(line);
	check_note(note);
	return 0;
}
