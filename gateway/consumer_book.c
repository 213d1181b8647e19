#include "gateway/consumer_book.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

/* ---- entries ---- */

/* What a client says of itself, as it may stand on a terminal and in a label. */
static void
copy_safe(char *to, size_t cap, struct slice from)
{
	size_t n = from.n < cap - 1 ? from.n : cap - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = from.p[i] >= ' ' && from.p[i] <= '~' ? from.p[i] : '?';
	to[n] = '\0';
}

static void
add_type(struct book *b, const char *word, int64_t n)
{
	struct book_type *t = b->types;

	while (t < b->types + b->ntypes && strcmp(t->word, word) != 0)
		t++;
	if (t == b->types + BOOK_TYPES) {
		t--;
		copy_safe(t->word, sizeof(t->word), SLICE_LIT("other"));
	} else if (t == b->types + b->ntypes) {
		copy_safe(t->word, sizeof(t->word), slice_of(word));
		b->ntypes++;
	}
	t->n += n;
}

static void
add_visit(struct book *b, int64_t at_us)
{
	if (b->nvisits == BOOK_VISITS)
		memmove(b->visits, b->visits + 1, --b->nvisits * sizeof(*b->visits));
	b->visits[b->nvisits++] = at_us;
}

static void
add_poll(struct book *b, const struct book_poll *p)
{
	if (b->npolls == BOOK_POLLS)
		memmove(b->polls, b->polls + 1, --b->npolls * sizeof(*b->polls));
	b->polls[b->npolls++] = *p;
}

const struct book_track *
book_track(const struct book *b, int64_t key)
{
	for (size_t i = 0; i < BOOK_TRACKS; i++)
		if (b->tracks[i].key == key)
			return &b->tracks[i];
	return NULL;
}

/* The track of this key; the longest unused makes room. */
static struct book_track *
track_for(struct book *b, int64_t key)
{
	struct book_track *t = b->tracks;

	for (size_t i = 0; i < BOOK_TRACKS; i++) {
		if (b->tracks[i].key == key)
			return &b->tracks[i];
		if (b->tracks[i].at_us < t->at_us)
			t = &b->tracks[i];
	}
	memset(t, 0, sizeof(*t));
	t->key = key;
	return t;
}

static int64_t
first_bytes(const uint8_t digest[32])
{
	uint64_t h;

	memcpy(&h, digest, sizeof(h));
	h &= (UINT64_C(1) << 52) - 1;	/* what JSON can say exactly */
	return h == 0 ? 1 : (int64_t)h;
}

static void
note_list(struct book *b, const struct book_call *c)
{
	const struct book_page *p = c->page;
	const struct page_seen *s = p->seen;
	struct book_track *t = track_for(b, p->track);
	const struct book_poll poll = {
		.at_us = c->at_us, .ask = p->ask, .answer = s->n == 0 ? 0 : first_bytes(s->digest),
		.after_us = p->after_us, .last_us = s->n == 0 ? 0 : s->last_us,
		.n = (int64_t)s->n, .more = s->full, .walk = p->walk,
	};

	add_poll(b, &poll);
	snprintf(t->collection, sizeof(t->collection), "%s", p->collection);
	t->at_us = c->at_us;
	t->more = s->full;
	t->filtered = p->filtered;
	if (s->n > 0)
		t->last_us = s->last_us;
	if (s->judged_us > t->judged_us)
		t->judged_us = s->judged_us;
}

static void
note_page(struct book *b, const struct book_call *c, bool repeats)
{
	const struct page_seen *s = c->page->seen;

	b->pages++;
	b->page_us = c->at_us;
	b->objects += (int64_t)s->n;
	for (size_t i = 0; i < s->ntypes; i++)
		add_type(b, s->types[i].word, s->types[i].n);
	for (int i = 0; i < POLICY_REASONS && !c->page->again; i++)
		b->withheld[i] += s->withheld[i];
	if (repeats) {
		b->repeats++;
		b->repeated_objects += (int64_t)s->n;
	}
	if (c->page->poll)
		note_list(b, c);
}

void
book_note(struct book *b, const struct book_call *c, bool repeats)
{
	if (b->first_us == 0)
		b->first_us = c->at_us;
	if (b->last_us == 0 || c->at_us - b->last_us > BOOK_PAUSE_US)
		add_visit(b, c->at_us);
	b->last_us = c->at_us;
	b->requests++;
	b->bytes += (int64_t)c->bytes;
	b->slowed += c->slowed;
	b->files += c->file;
	b->messages += c->message;
	copy_safe(b->remote, sizeof(b->remote), slice_of(c->remote));
	copy_safe(b->agent, sizeof(b->agent), c->agent);
	copy_safe(b->version, sizeof(b->version), slice_of(c->version));
	if (c->status >= 400 && !c->slowed) {
		b->errors++;
		b->error_us = c->at_us;
		b->error_status = c->status;
		copy_safe(b->error, sizeof(b->error), slice_of(c->why == NULL ? "" : c->why));
	}
	if (c->page != NULL)
		note_page(b, c, repeats);
}

void
book_note_login(struct book *b, int64_t at_us, const char *remote)
{
	b->logins_failed++;
	b->login_us = at_us;
	copy_safe(b->login_remote, sizeof(b->login_remote), slice_of(remote));
}

/* ---- the tables of members ---- */

#define NUMBER(m)	{ #m, offsetof(struct book, m) }
static const struct number { const char *name; size_t at; } sums[] = {
	NUMBER(requests), NUMBER(pages), NUMBER(objects), NUMBER(bytes), NUMBER(files),
	NUMBER(messages), NUMBER(repeats), NUMBER(repeated_objects),
	NUMBER(slowed), NUMBER(errors), NUMBER(logins_failed),
}, dates[] = {
	NUMBER(first_us), NUMBER(last_us), NUMBER(page_us), NUMBER(error_us), NUMBER(error_status),
	NUMBER(login_us),
};
#undef NUMBER

#define WORD(m)	{ #m, offsetof(struct book, m), sizeof(((struct book *)NULL)->m) }
static const struct word { const char *name; size_t at, cap; } texts[] = {
	WORD(remote), WORD(agent), WORD(version), WORD(error), WORD(login_remote),
};
#undef WORD

static int64_t *
number_of(struct book *b, const struct number *n)
{
	return (int64_t *)(void *)((char *)b + n->at);
}

static int64_t
value_of(const struct book *b, const struct number *n)
{
	int64_t v;

	memcpy(&v, (const char *)b + n->at, sizeof(v));
	return v;
}

/* ---- merging ---- */

static int
by_time(const void *a, const void *b)
{
	const struct book_poll *x = a, *y = b;

	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The last of both, in order of time. */
static void
merge_polls(struct book *b, const struct book *from)
{
	struct book_poll all[2 * BOOK_POLLS];
	size_t n = b->npolls + from->npolls, skip = n > BOOK_POLLS ? n - BOOK_POLLS : 0;

	memcpy(all, b->polls, b->npolls * sizeof(*all));
	memcpy(all + b->npolls, from->polls, from->npolls * sizeof(*all));
	qsort(all, n, sizeof(*all), by_time);
	b->npolls = n - skip;
	memcpy(b->polls, all + skip, b->npolls * sizeof(*all));
}

/* A visit that went to several workers is one. */
static void
merge_visits(struct book *b, const struct book *from)
{
	int64_t all[2 * BOOK_VISITS];
	size_t n = b->nvisits + from->nvisits, kept = 0, skip;

	memcpy(all, b->visits, b->nvisits * sizeof(*all));
	memcpy(all + b->nvisits, from->visits, from->nvisits * sizeof(*all));
	qsort(all, n, sizeof(*all), by_value);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || all[i] - all[kept - 1] > BOOK_PAUSE_US)
			all[kept++] = all[i];
	skip = kept > BOOK_VISITS ? kept - BOOK_VISITS : 0;
	b->nvisits = kept - skip;
	memcpy(b->visits, all + skip, b->nvisits * sizeof(*all));
}

static void
merge_track(struct book *b, const struct book_track *x)
{
	struct book_track *t = track_for(b, x->key);
	int64_t judged_us = t->judged_us > x->judged_us ? t->judged_us : x->judged_us;

	if (x->at_us >= t->at_us)
		*t = *x;
	t->judged_us = judged_us;
}

static void
take_text(struct book *b, const struct book *from, const char *member)
{
	for (size_t i = 0; i < COUNTOF(texts); i++)
		if (strcmp(texts[i].name, member) == 0)
			memcpy((char *)b + texts[i].at, (const char *)from + texts[i].at,
			    texts[i].cap);
}

void
book_merge_tracks(struct book *b, const struct book *from)
{
	for (size_t i = 0; i < BOOK_TRACKS; i++)
		if (from->tracks[i].key != 0)
			merge_track(b, &from->tracks[i]);
}

void
book_merge(struct book *b, const struct book *from)
{
	if (from->last_us > b->last_us) {
		take_text(b, from, "remote");
		take_text(b, from, "agent");
		take_text(b, from, "version");
	}
	if (from->error_us > b->error_us) {
		take_text(b, from, "error");
		b->error_status = from->error_status;
	}
	if (from->login_us > b->login_us)
		take_text(b, from, "login_remote");
	if (from->first_us != 0 && (b->first_us == 0 || from->first_us < b->first_us))
		b->first_us = from->first_us;
	for (size_t i = 0; i < COUNTOF(sums); i++)
		*number_of(b, &sums[i]) += value_of(from, &sums[i]);
	for (size_t i = 0; i < COUNTOF(dates); i++)
		if (dates[i].at != offsetof(struct book, first_us) &&
		    dates[i].at != offsetof(struct book, error_status) &&
		    value_of(from, &dates[i]) > value_of(b, &dates[i]))
			*number_of(b, &dates[i]) = value_of(from, &dates[i]);
	for (size_t i = 0; i < from->ntypes; i++)
		add_type(b, from->types[i].word, from->types[i].n);
	for (int i = 0; i < POLICY_REASONS; i++)
		b->withheld[i] += from->withheld[i];
	book_merge_tracks(b, from);
	merge_polls(b, from);
	merge_visits(b, from);
}

/* ---- as text ---- */

static void
write_list(struct strbuf *out, const int64_t *v, size_t n)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		strbuf_addn(out, v[i]);
	}
	strbuf_addc(out, ']');
}

static void
write_polls(struct strbuf *out, const struct book *b)
{
	strbuf_adds(out, ",\"polls\":[");
	for (size_t i = 0; i < b->npolls; i++) {
		const struct book_poll *p = &b->polls[i];
		const int64_t v[] = { p->at_us, p->ask, p->answer, p->after_us, p->last_us, p->n,
		    p->more, p->walk };

		if (i > 0)
			strbuf_addc(out, ',');
		write_list(out, v, COUNTOF(v));
	}
	strbuf_addc(out, ']');
}

static void
write_tracks(struct strbuf *out, const struct book *b)
{
	size_t n = 0;

	strbuf_adds(out, ",\"tracks\":[");
	for (size_t i = 0; i < BOOK_TRACKS; i++) {
		const struct book_track *t = &b->tracks[i];

		if (t->key == 0)
			continue;
		strbuf_adds(out, n++ > 0 ? ",{\"v\":" : "{\"v\":");
		write_list(out, (const int64_t[]){ t->key, t->at_us, t->last_us, t->judged_us,
		    t->more, t->filtered }, 6);
		audit_text(out, "collection", slice_of(t->collection));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

void
book_write(struct strbuf *out, const struct book *b)
{
	strbuf_adds(out, "{\"form\":1");
	for (size_t i = 0; i < COUNTOF(sums); i++)
		audit_number(out, sums[i].name, value_of(b, &sums[i]));
	for (size_t i = 0; i < COUNTOF(dates); i++)
		audit_number(out, dates[i].name, value_of(b, &dates[i]));
	for (size_t i = 0; i < COUNTOF(texts); i++)
		audit_text(out, texts[i].name, slice_of((const char *)b + texts[i].at));
	strbuf_adds(out, ",\"types\":{\"\":0");
	for (size_t i = 0; i < b->ntypes; i++)
		audit_number(out, b->types[i].word, b->types[i].n);
	strbuf_adds(out, "},\"withheld\":{\"\":0");
	for (int i = 0; i < POLICY_REASONS; i++)
		if (b->withheld[i] > 0)
			audit_number(out, policy_reason_word((enum policy_reason)i), b->withheld[i]);
	strbuf_adds(out, "},\"visits\":");
	write_list(out, b->visits, b->nvisits);
	write_polls(out, b);
	write_tracks(out, b);
	strbuf_addc(out, '}');
}

/* Up to n numbers of a list; how many there were. */
static size_t
read_list(const json *list, int64_t *v, size_t n)
{
	size_t i = 0;

	for (const json *x = json_first(list); x != NULL && i < n; x = json_next(x))
		if (json_int(x, &v[i]))
			i++;
	return i;
}

static void
read_polls(struct book *b, const json *list)
{
	int64_t v[8];

	for (const json *x = json_first(list); x != NULL; x = json_next(x)) {
		if (read_list(x, v, COUNTOF(v)) != COUNTOF(v))
			continue;
		add_poll(b, &(struct book_poll){ v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7] });
	}
}

static void
read_tracks(struct book *b, const json *list)
{
	int64_t v[6];

	for (const json *x = json_first(list); x != NULL; x = json_next(x)) {
		struct book_track *t;

		if (read_list(json_get(x, "v"), v, COUNTOF(v)) != COUNTOF(v) || v[0] == 0)
			continue;
		t = track_for(b, v[0]);
		t->at_us = v[1];
		t->last_us = v[2];
		t->judged_us = v[3];
		t->more = v[4];
		t->filtered = v[5];
		copy_safe(t->collection, sizeof(t->collection), json_member(x, "collection"));
	}
}

static void
read_counts(struct book *b, const json *root)
{
	const json *types = json_get(root, "types"), *withheld = json_get(root, "withheld");
	int64_t n;

	for (const json *x = json_first(types); x != NULL; x = json_next(x))
		if (json_int(x, &n) && json_name(x)[0] != '\0')
			add_type(b, json_name(x), n);
	for (int i = 0; i < POLICY_REASONS; i++)
		json_int(json_get(withheld, policy_reason_word((enum policy_reason)i)),
		    &b->withheld[i]);
}

bool
book_read(struct book *b, const char *name, const char *text)
{
	struct arena *mem = arena_new();
	struct json_doc doc;
	bool good = json_parse(slice_of(text), NULL, mem, &doc, NULL) == 0 &&
	    json_is_object(doc.root);

	memset(b, 0, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "%s", name);
	for (size_t i = 0; good && i < COUNTOF(sums); i++)
		json_int(json_get(doc.root, sums[i].name), number_of(b, &sums[i]));
	for (size_t i = 0; good && i < COUNTOF(dates); i++)
		json_int(json_get(doc.root, dates[i].name), number_of(b, &dates[i]));
	for (size_t i = 0; good && i < COUNTOF(texts); i++)
		copy_safe((char *)b + texts[i].at, texts[i].cap,
		    json_member(doc.root, texts[i].name));
	if (good) {
		read_counts(b, doc.root);
		read_polls(b, json_get(doc.root, "polls"));
		read_tracks(b, json_get(doc.root, "tracks"));
		b->nvisits = read_list(json_get(doc.root, "visits"), b->visits, BOOK_VISITS);
	}
	arena_free(mem);
	return good;
}
