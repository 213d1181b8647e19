#include "adapters/taxii_ask.h"

#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static const struct {
	const char	*discovery;
	const char	*resource;	/* media type of everything but objects */
	const char	*objects;	/* of pages and posts */
} dialects[] = {
	[TAXII_21] = { "/taxii2/", "application/taxii+json;version=2.1",
	    "application/taxii+json;version=2.1" },
	[TAXII_20] = { "/taxii/", "application/vnd.oasis.taxii+json; version=2.0",
	    "application/vnd.oasis.stix+json; version=2.0" },
};

const char *
taxii_ask_discovery(enum taxii_version version)
{
	return dialects[version].discovery;
}

/* ---- targets ---- */

static void
add_escaped(struct strbuf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= '0' && ch <= '9') || (ch != '\0' && strchr("-._~", ch) != NULL);

		if (plain)
			strbuf_addc(b, (char)ch);
		else
			strbuf_addf(b, "%%%02X", ch);
	}
}

static void
add_param(struct strbuf *b, char *gap, const char *name, struct slice value)
{
	if (value.n == 0)
		return;
	strbuf_addc(b, *gap);
	*gap = '&';
	strbuf_addf(b, "%s=", name);
	add_escaped(b, value);
}

static void
add_page_query(struct strbuf *b, enum taxii_version version, const struct taxii_ask *ask)
{
	struct strbuf kinds = STRBUF_INIT;
	char gap = '?', number[16];

	add_param(b, &gap, "added_after", slice_of(ask->added_after));
	for (const char *const *k = ask->kinds; k != NULL && *k != NULL; k++)
		strbuf_addf(&kinds, "%s%s", kinds.n > 0 ? "," : "", *k);
	add_param(b, &gap, "match%5Btype%5D", strbuf_slice(&kinds));
	strbuf_fini(&kinds);
	if (version == TAXII_20)
		return;
	snprintf(number, sizeof(number), "%u", ask->limit);
	if (ask->limit > 0)
		add_param(b, &gap, "limit", slice_of(number));
	add_param(b, &gap, "next", slice_of(ask->next));
}

static void
add_segment(struct strbuf *b, const char *folder, const char *name, const char *rest)
{
	strbuf_adds(b, folder);
	add_escaped(b, slice_of(name));
	strbuf_adds(b, rest);
}

void
taxii_ask_target(struct strbuf *b, const struct taxii_question *q)
{
	if (q->kind == ASK_DISCOVERY) {
		strbuf_adds(b, q->discovery[0] != '\0' ? q->discovery : dialects[q->version].discovery);
		return;
	}
	strbuf_adds(b, q->root);
	switch (q->kind) {
	case ASK_COLLECTIONS:
		strbuf_adds(b, "collections/");
		break;
	case ASK_COLLECTION:
		add_segment(b, "collections/", q->what, "/");
		break;
	case ASK_PAGE:
		add_segment(b, "collections/", q->collection, "/objects/");
		add_page_query(b, q->version, q->page);
		break;
	case ASK_POST:
		add_segment(b, "collections/", q->collection, "/objects/");
		break;
	case ASK_STATUS:
		add_segment(b, "status/", q->what, "/");
		break;
	default:
		break;
	}
}

/* ---- headers, bodies ---- */

size_t
taxii_ask_headers(const struct taxii_question *q, char range[TAXII_RANGE_TEXT],
    struct http_header out[TAXII_ASK_HEADERS])
{
	const char *objects = dialects[q->version].objects;
	size_t n = 0;

	out[n++] = (struct http_header){ "Accept",
	    q->kind == ASK_PAGE ? objects : dialects[q->version].resource };
	if (q->kind == ASK_POST)
		out[n++] = (struct http_header){ "Content-Type", objects };
	if (q->kind == ASK_PAGE && q->version == TAXII_20 && q->page->limit > 0) {
		snprintf(range, TAXII_RANGE_TEXT, "items=%lld-%lld", (long long)q->page->first_item,
		    (long long)(q->page->first_item + q->page->limit - 1));
		out[n++] = (struct http_header){ "Range", range };
	}
	return n;
}

void
taxii_ask_open_body(enum taxii_version version, struct strbuf *out)
{
	char id[UUID_TEXT + 1];

	if (version == TAXII_21) {
		strbuf_adds(out, "{\"objects\":[");
		return;
	}
	uuid_v4(id);
	strbuf_addf(out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"spec_version\":\"2.0\","
	    "\"objects\":[", id);
}
