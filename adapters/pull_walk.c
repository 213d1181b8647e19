#include "adapters/pull_walk.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/recent.h"

static const struct {
	const char	*word, *text;
} stops[PULL_STOPS] = {
	[PULL_GOES_ON] = { "goes-on", "" },
	[PULL_DONE] = { "done", "" },
	[PULL_REPEATED_PAGE] = { "repeated-page", "the server gives the same page a second time" },
	[PULL_REPEATED_NEXT] = { "repeated-next", "the server gives the same `next` a second time" },
	[PULL_NO_PROGRESS] = { "no-progress",
	    "the server says `more`, and its dates or ranges do not move" },
	[PULL_NO_NEXT] = { "no-next",
	    "the server says `more`, and gives neither `next` nor a date to go on from" },
	[PULL_ONE_DATE] = { "one-date", "the server says `more` after a page of one date and gives no "
	    "`next`: the rest may have that date too; ask for larger pages" },
	[PULL_EMPTY_PAGES] = { "empty-pages", "the server says `more`, and gives one empty page after "
	    "the other" },
	[PULL_TOO_MUCH] = { "too-much", "more pages or bytes in one run than we take" },
};

const char *
pull_stop_word(enum pull_stop s)
{
	return stops[s].word;
}

const char *
pull_stop_text(enum pull_stop s)
{
	return stops[s].text;
}

/* ---- begin, end ---- */

static void
ask_after(struct pull_walk *w, int64_t us)
{
	w->asked_us = us;
	if (us < 0)
		w->added_after[0] = '\0';
	else
		stamp_text(us, w->added_after);
}

void
pull_walk_begin(struct pull_walk *w, int64_t mark_us, int64_t since_us, int64_t now_us, int64_t skew_us)
{
	pull_walk_end(w);
	*w = (struct pull_walk){
		.mark_us = mark_us, .began_us = now_us, .skew_us = skew_us, .in_order = true,
		.dated = true, .seen = recent_new(PULL_SEEN_MAX, 1),
	};
	ask_after(w, mark_us >= 0 ? mark_us : since_us);
}

void
pull_walk_end(struct pull_walk *w)
{
	recent_free(w->seen);
	free(w->next);
	w->seen = NULL;
	w->next = NULL;
}

/* ---- a page comes ---- */

/* Was this met before in this walk? It is remembered. `kind` keeps tokens and pages apart. */
static bool
is_seen(struct pull_walk *w, char kind, struct slice text)
{
	struct sha256 *h = sha256_new();
	uint8_t digest[SHA256_LEN];
	bool seen;

	sha256_add(h, slice_from(&kind, 1));
	sha256_add(h, text);
	sha256_end(h, digest);
	seen = recent_find(w->seen, digest) != NULL;
	recent_put(w->seen, digest);
	return seen;
}

enum pull_stop
pull_walk_meet(struct pull_walk *w, const struct taxii_page *page, int64_t server_us)
{
	if (w->pages == 0)
		w->server_us = server_us;
	w->pages++;
	w->bytes += page->body.n;
	if (page->objects > 0 && is_seen(w, 'p', page->list))
		return PULL_REPEATED_PAGE;
	if (w->pages > PULL_PAGES_MAX || w->bytes > PULL_BYTES_MAX)
		return PULL_TOO_MUCH;
	return PULL_GOES_ON;
}

/* ---- what is safe ---- */

/* Move the mark, never back. A date that our clock and the skew do not allow is none to go by: what comes
 * with honest dates must still lie behind the mark, or one bad date would hide it. */
static void
move_mark(struct pull_walk *w, int64_t us, int64_t now_us)
{
	if (us > now_us + w->skew_us) {
		w->future = true;
		us = now_us - w->skew_us;
	}
	if (us <= w->mark_us)
		return;
	w->mark_us = us;
	w->mark_moved = true;
}

/* What the dates of a page with something in it say. */
static void
look_at_dates(struct pull_walk *w, const struct taxii_page *page, int64_t now_us)
{
	int64_t first = page->first_us, last = page->last_us;

	if (first == 0 || last == 0) {
		w->dated = false;
		return;
	}
	w->in_order = w->in_order && last >= first && (!w->any || first >= w->last_us);
	if (w->any && w->dated && w->in_order && first > w->last_us)
		move_mark(w, w->last_us, now_us);
	w->last_us = last;
	if (last > w->most_us)
		w->most_us = last;
	if (first > w->most_us)
		w->most_us = first;
	w->future = w->future || w->most_us > now_us + w->skew_us;
}

/* The walk is over: everything that was there when it began has been taken in. */
static void
settle(struct pull_walk *w, int64_t now_us)
{
	int64_t safe = (w->server_us > 0 ? w->server_us : w->began_us) - w->skew_us;

	if (!w->any)
		return;
	if (w->dated && w->in_order)
		move_mark(w, w->last_us, now_us);
	else if (w->dated)
		move_mark(w, w->most_us < safe ? w->most_us : safe, now_us);
	else
		move_mark(w, safe, now_us);
}

/* ---- what comes next ---- */

static enum pull_stop
follow_token(struct pull_walk *w, const char *next)
{
	if (is_seen(w, 'n', slice_of(next)))
		return PULL_REPEATED_NEXT;
	free(w->next);
	w->next = xstrdup(next);
	return PULL_GOES_ON;
}

static enum pull_stop
follow_items(struct pull_walk *w, int64_t next_item)
{
	if (next_item <= w->item)
		return PULL_NO_PROGRESS;
	w->item = next_item;
	return PULL_GOES_ON;
}

/* A server without tokens: on from its last date. */
static enum pull_stop
follow_date(struct pull_walk *w, const struct taxii_page *page)
{
	if (page->last_us == 0)
		return PULL_NO_NEXT;
	if (page->last_us <= w->asked_us)
		return PULL_NO_PROGRESS;
	if (page->objects > 1 && page->first_us == page->last_us)
		return PULL_ONE_DATE;
	free(w->next);
	w->next = NULL;
	ask_after(w, page->last_us);
	return PULL_GOES_ON;
}

enum pull_stop
pull_walk_took(struct pull_walk *w, const struct taxii_page *page, int64_t now_us)
{
	w->objects += page->objects;
	w->empty = page->objects > 0 ? 0 : w->empty + 1;
	if (page->objects > 0) {
		look_at_dates(w, page, now_us);
		w->any = true;
	}
	/* a 2.0 server that does not know how much there is says so by giving nothing */
	if (!page->more || (page->objects == 0 && page->next_item >= 0)) {
		settle(w, now_us);
		return PULL_DONE;
	}
	if (w->empty > PULL_EMPTY_MAX)
		return PULL_EMPTY_PAGES;
	if (page->next != NULL)
		return follow_token(w, page->next);
	return page->next_item >= 0 ? follow_items(w, page->next_item) : follow_date(w, page);
}
