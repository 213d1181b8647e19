/* The road of a TAXII 1.1 message, discovery and collections. */
#include <stdio.h>

#include "adapters/taxii11_serve.h"
#include "gateway/base/arena.h"
#include "gateway/translate.h"

enum { MESSAGE_MAX = 16 << 20, RETRY_S = 5 };

/* ---- the family ---- */

bool
taxii11_is_served(const struct config *conf, const struct peer *who)
{
	return conf->taxii11 && (who == NULL || !who->no_taxii11);
}

/* Clients of that time say what they take in headers of their own. */
bool
taxii11_accepts(const struct http1_head *h, const struct taxii_route *r)
{
	return r->path[0] == S_TAXII11 || http1_field(h, "x-taxii-content-type").n > 0;
}

static const char *
type_of(int status)
{
	static const struct { int status; const char *type; } rows[] = {
		{ 400, "BAD_MESSAGE" }, { 401, "UNAUTHORIZED" }, { 403, "DENIED" }, { 404, "NOT_FOUND" },
		{ 415, "UNSUPPORTED_MESSAGE" }, { 429, "RETRY" }, { 503, "RETRY" },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].status == status)
			return rows[i].type;
	return "FAILURE";
}

const char *
taxii11_error(struct strbuf *out, int status, const char *title, const char *detail,
    const char *request_id)
{
	struct taxii11_status s = { .type = type_of(status) };
	struct strbuf why = STRBUF_INIT;

	strbuf_addf(&why, "%s%s%s (request %s)", title, detail == NULL ? "" : ": ",
	    detail == NULL ? "" : detail, request_id);
	s.why = why.p;
	taxii11_status(out, SLICE_LIT("0"), &s);
	strbuf_fini(&why);
	return "application/xml";
}

/* ---- answers ---- */

void
taxii11_done(struct taxii11 *t)
{
	taxii_let_go(t->rq);
}

size_t
taxii11_headers(const struct http_exchange *x, struct http_header out[3])
{
	out[0] = (struct http_header){ "X-TAXII-Content-Type", TAXII11_MESSAGE };
	out[1] = (struct http_header){ "X-TAXII-Protocol", x != NULL && !x->secure ? TAXII11_HTTP :
	    TAXII11_HTTPS };
	out[2] = (struct http_header){ "X-TAXII-Services", TAXII11_SERVICES };
	return 3;
}

static void
send_message(struct taxii_request *rq, struct strbuf *message)
{
	struct http_header headers[3];

	taxii_answer(rq, 200, message, headers, taxii11_headers(rq->x, headers));
	strbuf_fini(message);
}

void
taxii11_answer(struct taxii11 *t, struct strbuf *message)
{
	send_message(t->rq, message);
	taxii11_done(t);
}

void
taxii11_say(struct taxii11 *t, const struct taxii11_status *s)
{
	struct strbuf b = STRBUF_INIT;

	if (strcmp(s->type, "SUCCESS") != 0)
		t->rq->why = s->why == NULL ? s->type : arena_str(t->rq->mem, slice_of(s->why));
	taxii11_status(&b, t->id, s);
	taxii11_answer(t, &b);
}

void
taxii11_fail(struct taxii11 *t, const char *type, const char *why)
{
	taxii11_say(t, &(struct taxii11_status){ .type = type, .why = why });
}

void
taxii11_busy(struct taxii11 *t, const char *why)
{
	char seconds[12];
	struct slice value;

	snprintf(seconds, sizeof(seconds), "%d", RETRY_S);
	value = slice_of(seconds);
	taxii11_say(t, &(struct taxii11_status){ .type = "RETRY", .why = why, .detail = "ESTIMATED_WAIT",
	    .values = &value, .n = 1 });
}

/* ---- discovery ---- */

enum { BINDING = 1, CONTENT = 2 };

/* How to reach a service. Where a list of addresses names it, `parts` is all that is said of it. */
static void
put_address(struct strbuf *b, const struct taxii11 *t, const char *place, int parts)
{
	const struct config *conf = t->rq->config;
	struct slice host = http1_field(t->rq->x->head, "host");
	struct strbuf url = STRBUF_INIT;

	if (conf->public_url != NULL)
		strbuf_adds(&url, conf->public_url);
	else
		strbuf_addf(&url, "%s://%.*s", t->rq->x->secure ? "https" : "http", SLICE_ARG(host));
	strbuf_addf(&url, "/taxii11/%s", place);
	taxii11_leaf(b, "Protocol_Binding", slice_of(t->rq->x->secure ? TAXII11_HTTPS : TAXII11_HTTP));
	taxii11_leaf(b, "Address", strbuf_slice(&url));
	if (parts & BINDING)
		taxii11_leaf(b, "Message_Binding", SLICE_LIT(TAXII11_MESSAGE));
	strbuf_fini(&url);
}

/* What is taken in; of that, `written` is what goes out. */
static const char *const contents[] = {
	TAXII11_CONTENT, "urn:stix.mitre.org:xml:1.1.1", "urn:stix.mitre.org:xml:1.1",
	"urn:stix.mitre.org:xml:1.0.1", "urn:stix.mitre.org:xml:1.0",
};

static void
put_contents(struct strbuf *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(b, "<taxii_11:Content_Binding");
		taxii11_attr(b, "binding_id", slice_of(contents[i]));
		strbuf_adds(b, "/>");
	}
}

static void
discover(struct taxii11 *t)
{
	static const struct { const char *type, *place; int parts; } services[] = {
		{ "DISCOVERY", "discovery", BINDING }, { "COLLECTION_MANAGEMENT", "collections", BINDING },
		{ "POLL", "poll", BINDING }, { "INBOX", "inbox", BINDING | CONTENT },
	};
	struct strbuf b = STRBUF_INIT;

	taxii11_begin(&b, "Discovery_Response", t->id);
	strbuf_addc(&b, '>');
	for (size_t i = 0; i < COUNTOF(services); i++) {
		strbuf_adds(&b, "<taxii_11:Service_Instance");
		taxii11_attr(&b, "service_type", slice_of(services[i].type));
		taxii11_attr(&b, "service_version", SLICE_LIT(TAXII11_SERVICES));
		taxii11_attr(&b, "available", SLICE_LIT("true"));
		strbuf_addc(&b, '>');
		put_address(&b, t, services[i].place, services[i].parts);
		if (services[i].parts & CONTENT)
			put_contents(&b, COUNTOF(contents));
		strbuf_adds(&b, "</taxii_11:Service_Instance>");
	}
	taxii11_end(&b, "Discovery_Response");
	taxii11_answer(t, &b);
}

/* ---- collections ---- */

const struct collection_conf *
taxii11_collection(const struct taxii11 *t, struct slice name)
{
	const struct catalog *c = t->rq->g->catalog;
	const struct collection_conf *titled = NULL;

	for (size_t i = 0; i < catalog_count(c); i++) {
		const struct collection_conf *col = catalog_at(c, i);

		if (!catalog_visible(c, col, &t->rq->reader))
			continue;
		if (slice_is(name, col->name) || slice_is(name, col->uuid) ||
		    (col->alias != NULL && slice_is(name, col->alias)))
			return col;
		if (titled == NULL && col->title != NULL && slice_is(name, col->title))
			titled = col;
	}
	return titled;
}

static void
put_collection(struct strbuf *b, const struct taxii11 *t, const struct collection_conf *col)
{
	const struct catalog *c = t->rq->g->catalog;
	struct strbuf words = STRBUF_INIT;

	strbuf_adds(b, "<taxii_11:Collection");
	taxii11_attr(b, "collection_name", slice_of(col->name));
	taxii11_attr(b, "collection_type", SLICE_LIT("DATA_FEED"));
	taxii11_attr(b, "available", SLICE_LIT("true"));
	strbuf_addf(&words, "%s%s%s", col->title != NULL ? col->title : col->name,
	    col->description != NULL ? ": " : "", col->description != NULL ? col->description : "");
	strbuf_addc(b, '>');
	taxii11_leaf(b, "Description", strbuf_slice(&words));
	put_contents(b, 1);
	if (catalog_can_read(c, col, &t->rq->reader)) {
		strbuf_adds(b, "<taxii_11:Polling_Service>");
		put_address(b, t, "poll", BINDING);
		strbuf_adds(b, "</taxii_11:Polling_Service>");
	}
	if (catalog_can_write(c, col, &t->rq->reader)) {
		strbuf_adds(b, "<taxii_11:Receiving_Inbox_Service>");
		put_address(b, t, "inbox", BINDING);
		put_contents(b, COUNTOF(contents));
		strbuf_adds(b, "</taxii_11:Receiving_Inbox_Service>");
	}
	strbuf_adds(b, "</taxii_11:Collection>");
	strbuf_fini(&words);
}

static void
list_collections(struct taxii11 *t)
{
	const struct catalog *c = t->rq->g->catalog;
	struct strbuf b = STRBUF_INIT;

	taxii11_begin(&b, "Collection_Information_Response", t->id);
	strbuf_addc(&b, '>');
	for (size_t i = 0; i < catalog_count(c); i++)
		if (catalog_visible(c, catalog_at(c, i), &t->rq->reader))
			put_collection(&b, t, catalog_at(c, i));
	taxii11_end(&b, "Collection_Information_Response");
	taxii11_answer(t, &b);
}

/* ---- the road ---- */

static void
refuse_subscription(struct taxii11 *t)
{
	taxii11_fail(t, "FAILURE", "there are no subscriptions here: poll");
}

static const struct {
	const char	*message;
	void		(*run)(struct taxii11 *t);
} messages[] = {
	{ "Discovery_Request", discover }, { "Collection_Information_Request", list_collections },
	{ "Poll_Request", taxii11_poll }, { "Poll_Fulfillment", taxii11_fulfill },
	{ "Inbox_Message", taxii11_inbox }, { "Subscription_Management_Request", refuse_subscription },
};

static void
run_message(struct taxii11 *t)
{
	struct slice name = json_member(t->asked, "message"), wrong = json_member(t->asked, "wrong");

	for (size_t i = 0; wrong.n == 0 && i < COUNTOF(messages); i++)
		if (slice_is(name, messages[i].message)) {
			messages[i].run(t);
			return;
		}
	taxii11_fail(t, "BAD_MESSAGE", wrong.n == 0 ? "an unknown message" :
	    arena_str(t->rq->mem, wrong));
}

static void
on_asked(void *arg, const struct translated *text)
{
	static const struct json_limits limits = { .depth = 8, .nodes = 1000, .bytes = 1 << 20 };
	struct taxii11 *t = arg;
	char words[sizeof(struct err) + 64];
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (taxii11_is_gone(t)) {
		taxii11_done(t);
	} else if (text->error != NULL && text->retryable) {
		taxii11_busy(t, "too much is being read; try again");
	} else if (text->error != NULL) {
		taxii11_fail(t, "BAD_MESSAGE", err_text(text->error, words, sizeof(words)));
	} else if (json_parse(text->text, &limits, t->rq->mem, &doc, &e) < 0) {
		taxii11_fail(t, "FAILURE", "the message could not be read");
	} else {
		t->asked = doc.root;
		t->id = json_member(doc.root, "id");
		run_message(t);
	}
}

void
taxii11_body(struct taxii_request *rq, struct slice body)
{
	struct taxii11 *t = arena_alloc(rq->mem, sizeof(*t));

	t->rq = rq;
	t->id = SLICE_LIT("0");
	taxii_hold(rq);
	translate_ask(rq->g->translate, "taxii11", body, arena_str(rq->mem, slice_of(rq->x->id)),
	    on_asked, t);
}

/* One header of the request. `must`: it may not be absent. True if it will do, else it is answered. */
static bool
check_header(struct taxii_request *rq, const char *name, const char *const *good, bool must,
    const char *status, const char *detail)
{
	struct slice said = slice_trim(http1_field(rq->x->head, name));
	struct slice value = slice_of(good[0]);
	struct taxii11_status s = { .type = said.n == 0 ? "FAILURE" : status, .detail = detail,
	    .values = &value, .n = said.n == 0 || detail == NULL ? 0 : 1 };
	struct strbuf b = STRBUF_INIT;

	if (said.n == 0 && !must)
		return true;
	for (size_t i = 0; good[i] != NULL; i++)
		if (slice_is(said, good[i]))
			return true;
	s.why = arena_fmt(rq->mem, "the header %s must say %s", name, good[0]);
	rq->why = s.why;
	taxii11_status(&b, SLICE_LIT("0"), &s);
	send_message(rq, &b);
	return false;
}

void
taxii11_head(struct taxii_request *rq)
{
	static const char *const message[] = { TAXII11_MESSAGE, NULL };
	static const char *const services[] = { TAXII11_SERVICES, NULL };
	static const char *const protocols[] = { TAXII11_HTTPS, TAXII11_HTTP, NULL };
	size_t most = rq->config->limits.body_bytes;

	if (http1_field(rq->x->head, "content-encoding").n > 0)
		taxii_refuse(rq, 415, "a body with a Content-Encoding is not read");
	else if (check_header(rq, "x-taxii-content-type", message, true, "UNSUPPORTED_MESSAGE",
	    "SUPPORTED_BINDING") &&
	    check_header(rq, "x-taxii-accept", message, false, "UNSUPPORTED_MESSAGE",
	    "SUPPORTED_BINDING") &&
	    check_header(rq, "x-taxii-services", services, true, "FAILURE", NULL) &&
	    check_header(rq, "x-taxii-protocol", protocols, false, "UNSUPPORTED_PROTOCOL",
	    "SUPPORTED_PROTOCOL"))
		http_want_body(rq->x, most < MESSAGE_MAX ? most : MESSAGE_MAX);
}
