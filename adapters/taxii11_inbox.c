/*
 * taxii11_inbox.c -- an Inbox_Message, taken in like any POST: rights and quarantine are those of all.
 * Part of taxii11_serve.h.
 */
#include "adapters/taxii11_serve.h"
#include "gateway/base/arena.h"
#include "gateway/intake.h"

enum { DESTINATIONS_MAX = 16 };

struct inbox {
	struct taxii11		*t;
	struct http_body	*body;		/* the client may vanish, what it sent need not */
	const char		*collections[DESTINATIONS_MAX + 1];
	size_t			 n;
	bool			 strict;
	struct intake_message	 m;
	uint8_t			 digest[SHA256_LEN];
};

static bool
may_write(const struct taxii11 *t, const struct collection_conf *col)
{
	return catalog_can_write(t->rq->g->catalog, col, &t->rq->reader);
}

/* Which would have been right. */
static void
refuse_destination(struct taxii11 *t, const char *why)
{
	const struct catalog *c = t->rq->g->catalog;
	size_t count = catalog_count(c);
	struct slice *names = arena_alloc(t->rq->mem, (count + 1) * sizeof(*names));
	struct taxii11_status s = { .type = "DESTINATION_COLLECTION_ERROR", .why = why,
	    .detail = "ACCEPTABLE_DESTINATION", .values = names };

	for (size_t i = 0; i < count; i++)
		if (may_write(t, catalog_at(c, i)))
			names[s.n++] = slice_of(catalog_at(c, i)->name);
	taxii11_say(t, &s);
}

static void
add(struct inbox *in, const struct collection_conf *col)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->collections[i], col->name) == 0)
			return;
	in->collections[in->n++] = arena_str(in->t->rq->mem, slice_of(col->name));
	in->strict = in->strict || col->validate_strict;
}

/* Those that are named; if none is, the only one that this client may write. NULL, or what is wrong. */
static const char *
find_destinations(struct inbox *in)
{
	const struct catalog *c = in->t->rq->g->catalog;
	const json *named = json_first(json_get(in->t->asked, "destinations"));
	const struct collection_conf *only = NULL;

	for (; named != NULL; named = json_next(named)) {
		const struct collection_conf *col = taxii11_collection(in->t, json_slice(named));

		if (col == NULL || !may_write(in->t, col))
			return "a destination is no collection that this client may write";
		if (in->n == DESTINATIONS_MAX)
			return "too many destinations";
		add(in, col);
	}
	for (size_t i = 0; in->n == 0 && i < catalog_count(c); i++) {
		if (!may_write(in->t, catalog_at(c, i)))
			continue;
		if (only != NULL)
			return "the message must name its destination";
		only = catalog_at(c, i);
	}
	if (only != NULL)
		add(in, only);
	return in->n > 0 ? NULL : "there is no collection that this client may write";
}

static void
on_taken(void *arg, const struct intake_result *r)
{
	struct inbox *in = arg;
	struct taxii11 *t = in->t;
	struct http_body *body = in->body;	/* the answer may end the request, and `in` with it */
	char words[sizeof(struct err) + 64];
	const char *said;

	if (r->error != NULL && r->retryable) {
		taxii11_busy(t, "not stored; try again");
	} else if (r->error != NULL) {
		taxii11_fail(t, "FAILURE", err_text(r->error, words, sizeof(words)));
	} else {
		said = arena_fmt(t->rq->mem, "%zu new, %zu known, %zu refused", r->accepted, r->known,
		    r->refused + r->conflicts);
		taxii11_fail(t, r->accepted + r->known > 0 || r->refused + r->conflicts == 0 ? "SUCCESS" :
		    "FAILURE", said);
	}
	http_body_free(body);
}

static void
submit(struct inbox *in)
{
	struct taxii_request *rq = in->t->rq;
	const struct peer *from = rq->reader.peer;

	in->body = http_take_body(rq->x);
	http_body_sha256(in->body, in->digest);
	in->m = (struct intake_message){
		.body = http_body_slice(in->body), .body_fd = http_body_fd(in->body),
		.sha256 = in->digest, .input = "inbox message", .format = "taxii11",
		.source = rq->reader.name, .from = from, .collections = in->collections,
		.request_id = arena_str(rq->mem, slice_of(rq->x->id)),
		.relay = { .unmarked = TLP_UNSET },
		.strict = in->strict || (from != NULL && from->validate_strict),
	};
	intake_submit(rq->g->intake, &in->m, on_taken, in);
}

void
taxii11_inbox(struct taxii11 *t)
{
	static const struct slice supported = { TAXII11_CONTENT, sizeof(TAXII11_CONTENT) - 1 };
	struct inbox *in = arena_alloc(t->rq->mem, sizeof(*in));
	int64_t blocks = 0, readable = 0;
	const char *wrong;

	in->t = t;
	wrong = find_destinations(in);
	json_int(json_get(t->asked, "blocks"), &blocks);
	json_int(json_get(t->asked, "readable"), &readable);
	if (wrong != NULL)
		refuse_destination(t, wrong);
	else if (blocks == 0)
		taxii11_fail(t, "SUCCESS", "there was nothing in it");
	else if (readable == 0)
		taxii11_say(t, &(struct taxii11_status){ .type = "UNSUPPORTED_CONTENT",
		    .why = "nothing in it is STIX 1.x", .detail = "SUPPORTED_CONTENT",
		    .values = &supported, .n = 1 });
	else
		submit(in);
}
