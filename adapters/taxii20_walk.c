#include "adapters/taxii20_walk.h"

#include <string.h>

/* Who pauses for longer than that between two pages does not go on: he begins anew. */
#define PLACE_LIVES_US	(INT64_C(3600) * 1000000)
#define COUNT_LIVES_US	(INT64_C(600) * 1000000)

enum { LONG_LIST = 50000 };

/* ---- as text: "1 KEY", then lines for the policy, the count and each place ---- */

static void
write_place(struct strbuf *out, char kind, const struct taxii20_place *p)
{
	const int64_t numbers[] = { (int64_t)p->n, p->after_us + 1, p->at_us, p->turns + 1 };

	strbuf_addc(out, '\n');
	strbuf_addc(out, kind);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		strbuf_addc(out, ' ');
		strbuf_addn(out, numbers[i]);
	}
	if (p->used)
		strbuf_adds(out, " used");
	if (p->guessed)
		strbuf_adds(out, " guessed");
}

void
taxii20_walk_write(const struct taxii20_walk *w, struct strbuf *out)
{
	strbuf_addf(out, "1 %s\nt %llu", w->key, (unsigned long long)w->policy);
	if (w->end.n > 0)
		write_place(out, 'e', &w->end);
	for (size_t i = 0; i < w->nplaces; i++)
		write_place(out, 'p', &w->place[i]);
}

static bool
read_place(struct slice line, struct taxii20_place *p)
{
	unsigned long long v[4];

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < 4; i++)
		if (!slice_u64(slice_cut(&line, ' '), &v[i]) || v[i] > INT64_MAX)
			return false;
	p->n = v[0];
	p->after_us = (int64_t)v[1] - 1;
	p->at_us = (int64_t)v[2];
	p->turns = (int64_t)v[3] - 1;
	while (line.n > 0) {
		struct slice word = slice_cut(&line, ' ');

		p->used = p->used || slice_is(word, "used");
		p->guessed = p->guessed || slice_is(word, "guessed");
	}
	return true;
}

void
taxii20_walk_read(struct taxii20_walk *w, const char *key, const char *text)
{
	struct slice rest = text == NULL ? SLICE_EMPTY : slice_of(text), line;

	memset(w, 0, sizeof(*w));
	memcpy(w->key, key, WALK_KEY);
	line = slice_cut(&rest, '\n');
	if (!slice_is(slice_cut(&line, ' '), "1") || !slice_is(line, w->key))
		return;
	while (rest.n > 0) {
		struct taxii20_place p;
		struct slice kind;

		line = slice_cut(&rest, '\n');
		kind = slice_cut(&line, ' ');
		if (slice_is(kind, "t")) {
			unsigned long long v;

			w->policy = slice_u64(line, &v) && v <= INT64_MAX ? (int64_t)v : 0;
			continue;
		}
		if (!read_place(line, &p))
			continue;
		if (slice_is(kind, "e"))
			w->end = p;
		else if (slice_is(kind, "p") && w->nplaces < WALK_PLACES)
			w->place[w->nplaces++] = p;
	}
}

void
taxii20_walk_under(struct taxii20_walk *w, const uint8_t *digest)
{
	uint64_t v;

	memcpy(&v, digest, sizeof(v));
	if (w->policy != (int64_t)(v >> 2))
		w->end.n = 0;
	w->policy = (int64_t)(v >> 2);
}

/* ---- places ---- */

/* Has nothing left its place since? */
static bool
stands(const struct taxii20_place *p, int64_t turns)
{
	return turns >= 0 && p->turns == turns;
}

static bool
lives(const struct taxii20_place *p, int64_t now_us)
{
	return now_us - p->at_us < PLACE_LIVES_US && p->at_us - now_us < PLACE_LIVES_US;
}

static struct taxii20_place *
place_of(struct taxii20_walk *w, uint64_t n)
{
	for (size_t i = 0; i < w->nplaces; i++)
		if (w->place[i].n == n)
			return &w->place[i];
	return NULL;
}

void
taxii20_walk_find(struct taxii20_walk *w, uint64_t first, int64_t now_us, int64_t turns,
    struct taxii20_place *out)
{
	struct taxii20_place *p = first == 0 ? NULL : place_of(w, first);

	*out = (struct taxii20_place){ .n = 0, .after_us = -1 };
	if (p != NULL && (stands(p, turns) || lives(p, now_us))) {
		p->used = true;
		*out = *p;
		return;
	}
	for (size_t i = 0; i < w->nplaces; i++) {
		p = &w->place[i];
		if (!p->guessed && stands(p, turns) && p->n <= first && p->n > out->n)
			*out = *p;
	}
	if (stands(&w->end, turns) && w->end.n <= first && w->end.n > out->n)
		*out = w->end;
}

/* The one that is missed least when there is no room. */
static struct taxii20_place *
oldest(struct taxii20_walk *w)
{
	struct taxii20_place *best = &w->place[0];

	for (size_t i = 1; i < w->nplaces; i++)
		if (w->place[i].at_us < best->at_us)
			best = &w->place[i];
	return best;
}

/* Two clients may walk under one name. What one of them will still go on from is not moved forward by the
 * other, who may see something twice then: nobody misses anything. */
static bool
is_awaited(const struct taxii20_place *p, int64_t after_us, int64_t now_us)
{
	return !p->used && !p->guessed && lives(p, now_us) && p->after_us <= after_us;
}

void
taxii20_walk_keep(struct taxii20_walk *w, uint64_t n, int64_t after_us, int64_t now_us,
    int64_t turns, bool guessed)
{
	struct taxii20_place *p = place_of(w, n);

	if (p != NULL && (is_awaited(p, after_us, now_us) || (guessed && !p->guessed)))
		return;
	if (p == NULL)
		p = w->nplaces < WALK_PLACES ? &w->place[w->nplaces++] : oldest(w);
	*p = (struct taxii20_place){ .n = n, .after_us = after_us, .at_us = now_us, .turns = turns,
	    .guessed = guessed };
}

/* ---- totals ---- */

/* Is it the count of a long list, and not old? Counting that anew for everybody who asks for the first page
 * would cost more than the page. */
static bool
is_good_enough(const struct taxii20_place *end, int64_t now_us)
{
	return end->n >= LONG_LIST && now_us - end->at_us < COUNT_LIVES_US &&
	    end->at_us - now_us < COUNT_LIVES_US;
}

/* A walk under way keeps the numbers that it was counted by: what leaves its place meanwhile is made good
 * by the last page, which knows the end. One that begins is counted anew if anything has. */
struct taxii20_place
taxii20_walk_counted(const struct taxii20_walk *w, uint64_t first, uint64_t next, int64_t last_us,
    int64_t now_us, int64_t turns)
{
	if (w->end.n >= next && w->end.after_us >= last_us &&
	    (first > 0 || stands(&w->end, turns) || is_good_enough(&w->end, now_us)))
		return w->end;
	return (struct taxii20_place){ .n = next, .after_us = last_us, .turns = -1 };
}

/* What is added to an earlier count makes it no younger. */
void
taxii20_walk_count(struct taxii20_walk *w, const struct taxii20_place *from, uint64_t total,
    int64_t last_us, int64_t now_us, int64_t turns)
{
	w->end = (struct taxii20_place){ .n = total, .after_us = last_us,
	    .at_us = from->at_us > 0 ? from->at_us : now_us,
	    .turns = from->at_us > 0 ? from->turns : turns };
}
