/* taxii_look.c -- a page looked at without being read: what stands beside its objects, and in its headers.
 * Part of taxii_resources.h. */
#include "adapters/taxii_resources.h"

#include "adapters/http1.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json_walk.h"

#define SECOND	INT64_C(1000000)
#define DAY	(86400 * SECOND)

/* ---- the page ---- */

struct looking {
	struct arena		*mem;
	struct taxii_page	*page;
	struct slice		 objects;
	bool			 odd;		/* `objects` is no list, or a token too long */
};

static bool
on_item(void *ctx, struct slice name, struct slice value)
{
	size_t *n = ctx;

	(void)name;
	(void)value;
	(*n)++;
	return true;
}

static bool
on_member(void *ctx, struct slice name, struct slice value)
{
	struct looking *l = ctx;

	if (name.p == NULL) {			/* a list at top level */
		l->odd = true;
		return false;
	}
	if (slice_is(name, "objects")) {
		l->objects = value;
		l->odd = l->odd || !(json_walk_is(value, '[') || slice_is(value, "null"));
	} else if (slice_is(name, "more")) {
		l->page->more = slice_is(value, "true");
	} else if (slice_is(name, "next") && json_walk_is(value, '"') && value.n > 2) {
		l->odd = l->odd || value.n > TAXII_TOKEN_MAX;
		if (!l->odd)
			l->page->next = arena_str(l->mem, json_walk_text(value, true, l->mem));
	}
	return true;
}

int
taxii_look_page(struct slice body, struct arena *mem, struct taxii_page *out, struct err *e)
{
	struct looking l = { .mem = mem, .page = out, .objects = SLICE_EMPTY };
	struct slice trimmed = slice_trim(body);

	*out = (struct taxii_page){ .body = body, .list = SLICE_EMPTY, .next_item = -1 };
	if (trimmed.n > 0 && trimmed.p[0] == '<')
		return err_set(e, ERR_VALUE, "page: HTML, no JSON: this is no TAXII server, or a login "
		    "page stands before it");
	if (!json_walk_is(trimmed, '{'))
		return err_set(e, ERR_SYNTAX, "page: %s", trimmed.n == 0 ? "an empty answer" :
		    "no JSON object");
	if (!json_walk(body, 0, on_member, &l))
		return err_set(e, ERR_SYNTAX, "page: no JSON, or cut short");
	if (l.odd)
		return err_set(e, ERR_VALUE, "page: `objects` is no list, or `next` is too long");
	out->list = l.objects;
	if (json_walk_is(l.objects, '['))
		json_walk(l.objects, 0, on_item, &out->objects);
	return 0;
}

/* ---- headers ---- */

static int64_t
stamp_of(const struct http1_head *h, const char *name)
{
	int64_t us;
	bool zone;

	/* six digits and Z is the rule; offsets and other fractions are met */
	return stamp_parse_any(http1_field(h, name), &us, &zone) && us > 0 ? us : 0;
}

/* Digits up to `end`; -1 if there are none or too many. */
static int64_t
take_number(struct slice *s, char end)
{
	unsigned long long n;
	struct slice word = slice_trim(slice_cut(s, end));

	return slice_u64(word, &n) && n < (1ULL << 53) ? (int64_t)n : -1;
}

bool
taxii_read_range(struct slice text, int64_t *first, int64_t *last, int64_t *total)
{
	struct slice rest = slice_trim(text);

	if (!slice_starts(rest, "items") || rest.n < 6 || (rest.p[5] != ' ' && rest.p[5] != '='))
		return false;
	rest = slice_trim(slice_from(rest.p + 6, rest.n - 6));
	*first = take_number(&rest, '-');
	*last = take_number(&rest, '/');
	*total = slice_is(slice_trim(rest), "*") ? -1 : take_number(&rest, '\0');
	return *first >= 0 && *last >= *first && (*total == -1 || *total > *last);
}

void
taxii_look_headers(const struct http1_head *h, enum taxii_version version, struct taxii_page *page)
{
	int64_t first, last, total;

	page->first_us = stamp_of(h, "x-taxii-date-added-first");
	page->last_us = stamp_of(h, "x-taxii-date-added-last");
	if (version == TAXII_21)
		return;
	page->more = false;
	page->next = NULL;
	if (!taxii_read_range(http1_field(h, "content-range"), &first, &last, &total))
		return;
	/* of an unknown total there is more until a page says otherwise (416, empty) */
	page->more = total == -1 || last + 1 < total;
	page->next_item = last + 1;
}

/* ---- times ---- */

int64_t
taxii_read_date(struct slice s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *at;
	char text[21];
	int64_t us;
	int month;

	/* "Sat, 03 Feb 2024 04:05:06 GMT" */
	if (s.n != 29 || s.p[3] != ',' || !slice_ends(s, " GMT"))
		return 0;
	for (at = months; *at != '\0' && memcmp(at, s.p + 8, 3) != 0; at += 3)
		;
	month = (int)((at - months) / 3) + 1;
	if (month > 12)
		return 0;
	memcpy(text, "0000-00-00T00:00:00Z", sizeof(text));
	memcpy(text, s.p + 12, 4);
	text[5] = (char)('0' + month / 10);
	text[6] = (char)('0' + month % 10);
	memcpy(text + 8, s.p + 5, 2);
	memcpy(text + 11, s.p + 17, 8);
	return stamp_parse(slice_of(text), &us) && us > 0 ? us : 0;
}

int64_t
taxii_read_retry_after(struct slice text, int64_t now_us)
{
	unsigned long long seconds;
	int64_t at, us;

	if (slice_u64(text, &seconds))
		return seconds > 86400 ? DAY : (int64_t)seconds * SECOND;
	at = taxii_read_date(text);
	us = at > now_us ? at - now_us : 0;
	return us > DAY ? DAY : us;
}
