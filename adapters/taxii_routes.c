#include "adapters/taxii_routes.h"

#include <stdio.h>

#include "adapters/taxii11_serve.h"
#include "adapters/taxii20_media.h"
#include "adapters/taxii20_read.h"
#include "adapters/taxii20_write.h"
#include "adapters/feeds.h"
#include "adapters/feeds_misp.h"
#include "adapters/taxii_media.h"
#include "adapters/taxii_request.h"
#include "adapters/taxii_write.h"
#include "gateway/config.h"

/* ---- the tables ---- */

static unsigned
wants_taxii21(const struct http1_head *h, const struct taxii_route *r)
{
	(void)r;
	return taxii_accepts(h);
}

static bool
accepts_taxii21(const struct http1_head *h, const struct taxii_route *r)
{
	return wants_taxii21(h, r) > 0;
}

static const char *
error_taxii21(struct strbuf *out, int status, const char *title, const char *detail,
    const char *request_id)
{
	taxii_write_error(out, status, title, detail, request_id);
	return taxii_media_type;
}

static bool
serves_taxii20(const struct config *conf, const struct peer *who)
{
	return conf->taxii20 && (who == NULL || !who->no_taxii20);
}

/* Objects are asked for in STIX 2.0; what comes of adding some is a TAXII resource. */
static unsigned
wants_taxii20(const struct http1_head *h, const struct taxii_route *r)
{
	return taxii20_accepts(h, r->carries_objects && r->method == HTTP_GET);
}

static bool
accepts_taxii20(const struct http1_head *h, const struct taxii_route *r)
{
	return wants_taxii20(h, r) > 0;
}

static const char *
error_taxii20(struct strbuf *out, int status, const char *title, const char *detail,
    const char *request_id)
{
	taxii_write_error(out, status, title, detail, request_id);
	return taxii20_media_type;
}

const struct taxii_family_ops taxii_families[TAXII_FAMILIES] = {
	[FAMILY_TAXII21] = {
		.media_type = taxii_media_type,
		.speaks = "this server speaks application/taxii+json;version=2.1",
		.accepts = accepts_taxii21, .wants = wants_taxii21,
		.content = taxii_content_fits, .error = error_taxii21,
		.takes = "send application/taxii+json;version=2.1 without a coding",
		.status = taxii_write_status,
	},
	[FAMILY_TAXII20] = {
		.media_type = taxii20_media_type, .on = serves_taxii20,
		.speaks = "here is application/vnd.oasis.taxii+json; version=2.0",
		.accepts = accepts_taxii20, .wants = wants_taxii20,
		.content = taxii20_content_fits, .error = error_taxii20,
		.takes = "send application/vnd.oasis.stix+json; version=2.0 without a coding",
		.status = taxii20_write_status,
	},
	[FAMILY_FEED] = {
		.media_type = "text/plain; charset=utf-8", .speaks = "", .on = feeds_are_served,
		.accepts = feeds_accept, .error = feeds_error, .resolve = feeds_resolve,
	},
	[FAMILY_TAXII11] = {
		.media_type = "application/xml", .speaks = "here is application/xml",
		.on = taxii11_is_served, .accepts = taxii11_accepts, .error = taxii11_error,
		.takes = "send application/xml",
	},
	/* Rows of a family without `accepts` are not served. */
};

#define COLLECTION	S_ROOT, S_COLLECTIONS, S_COLLECTION

static const struct taxii_route routes[] = {
	{ FAMILY_TAXII21, HTTP_GET, { S_TAXII2 }, NO_RIGHT, "discovery", taxii_get_discovery, NULL,
	    false },
	{ FAMILY_TAXII21, HTTP_GET, { S_ROOT }, NO_RIGHT, "root", taxii_get_root, NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { S_ROOT, S_STATUS, S_STATUS_ID }, NO_RIGHT, "status",
	    taxii_get_status, NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { S_ROOT, S_COLLECTIONS }, NO_RIGHT, "collections",
	    taxii_get_collections, NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { COLLECTION }, RIGHT_SEE, "collection", taxii_get_collection,
	    NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { COLLECTION, S_MANIFEST }, RIGHT_READ, "manifest",
	    taxii_get_manifest, NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { COLLECTION, S_OBJECTS }, RIGHT_READ, "objects",
	    taxii_get_objects, NULL, true },
	{ FAMILY_TAXII21, HTTP_POST, { COLLECTION, S_OBJECTS }, RIGHT_WRITE, "post",
	    taxii_post_head, taxii_post_body, true },
	{ FAMILY_TAXII21, HTTP_GET, { COLLECTION, S_OBJECTS, S_OBJECT }, RIGHT_READ, "object",
	    taxii_get_object, NULL, true },
	{ FAMILY_TAXII21, HTTP_DELETE, { COLLECTION, S_OBJECTS, S_OBJECT }, RIGHT_BOTH, "delete",
	    taxii_delete_object, NULL, false },
	{ FAMILY_TAXII21, HTTP_GET, { COLLECTION, S_OBJECTS, S_OBJECT, S_VERSIONS }, RIGHT_READ,
	    "versions", taxii_get_versions, NULL, false },
	/* The same paths in 2.0: for who takes nothing else, so behind those above. */
	{ FAMILY_TAXII20, HTTP_GET, { S_TAXII }, NO_RIGHT, "discovery20", taxii_get_discovery, NULL,
	    false },
	{ FAMILY_TAXII20, HTTP_GET, { S_ROOT }, NO_RIGHT, "root20", taxii20_get_root, NULL, false },
	{ FAMILY_TAXII20, HTTP_GET, { S_ROOT, S_STATUS, S_STATUS_ID }, NO_RIGHT, "status20",
	    taxii_get_status, NULL, false },
	{ FAMILY_TAXII20, HTTP_GET, { S_ROOT, S_COLLECTIONS }, NO_RIGHT, "collections20",
	    taxii20_get_collections, NULL, false },
	{ FAMILY_TAXII20, HTTP_GET, { COLLECTION }, RIGHT_SEE, "collection20",
	    taxii20_get_collection, NULL, false },
	{ FAMILY_TAXII20, HTTP_GET, { COLLECTION, S_MANIFEST }, RIGHT_READ, "manifest20",
	    taxii20_get_manifest, NULL, false },
	{ FAMILY_TAXII20, HTTP_GET, { COLLECTION, S_OBJECTS }, RIGHT_READ, "objects20",
	    taxii20_get_objects, NULL, true },
	{ FAMILY_TAXII20, HTTP_POST, { COLLECTION, S_OBJECTS }, RIGHT_WRITE, "post20",
	    taxii_post_head, taxii_post_body, true },
	{ FAMILY_TAXII20, HTTP_GET, { COLLECTION, S_OBJECTS, S_OBJECT }, RIGHT_READ, "object20",
	    taxii20_get_object, NULL, true },
	{ FAMILY_FEED, HTTP_GET, { S_FEEDS, S_FEED }, RIGHT_READ, "feed", feeds_get_file, NULL, false },
	/* Every service of 1.1 answers every message. */
	{ FAMILY_TAXII11, HTTP_POST, { S_TAXII11 }, NO_RIGHT, "taxii11", taxii11_head, taxii11_body,
	    false },
	{ FAMILY_TAXII11, HTTP_POST, { S_TAXII11, S_DISCOVERY }, NO_RIGHT, "discovery11", taxii11_head,
	    taxii11_body, false },
	{ FAMILY_TAXII11, HTTP_POST, { S_TAXII11, S_COLLECTIONS }, NO_RIGHT, "collections11", taxii11_head,
	    taxii11_body, false },
	{ FAMILY_TAXII11, HTTP_POST, { S_TAXII11, S_POLL }, NO_RIGHT, "poll11", taxii11_head,
	    taxii11_body, false },
	{ FAMILY_TAXII11, HTTP_POST, { S_TAXII11, S_INBOX }, NO_RIGHT, "inbox11", taxii11_head,
	    taxii11_body, false },
	{ FAMILY_FEED, HTTP_GET, { S_FEEDS, S_FEED, S_MISP, S_FILE }, RIGHT_READ, "feed-misp",
	    feeds_misp_get, NULL, false },
};
enum { ROUTES = sizeof(routes) / sizeof(*routes) };

/* Words of ours; NULL: anything may stand there. */
static const char *const fixed_words[TAXII_SEGMENT_KINDS] = {
	[S_TAXII2] = "taxii2", [S_TAXII] = "taxii", [S_FEEDS] = "feeds",
	[S_TAXII11] = "taxii11", [S_DISCOVERY] = "discovery", [S_POLL] = "poll", [S_INBOX] = "inbox",
	[S_MISP] = "misp",
	[S_COLLECTIONS] = "collections", [S_OBJECTS] = "objects", [S_VERSIONS] = "versions",
	[S_MANIFEST] = "manifest", [S_STATUS] = "status",
};

/* ---- paths ---- */

int
taxii_split(struct slice path, struct slice out[TAXII_SEGMENTS])
{
	int n = 0;

	slice_cut(&path, '/');
	while (path.n > 0) {
		if (n == TAXII_SEGMENTS)
			return -1;
		out[n] = slice_cut(&path, '/');
		if (out[n++].n == 0)
			return -1;
	}
	return n;
}

bool
taxii_is_fixed(const struct config *conf, struct slice segment)
{
	for (int i = 0; i < TAXII_SEGMENT_KINDS; i++)
		if (fixed_words[i] != NULL && slice_is(segment, fixed_words[i]))
			return true;
	return config_root(conf, segment) != NULL;
}

static int
length_of(const struct taxii_route *r)
{
	int n = 0;

	while (n < TAXII_PATH && r->path[n] != S_END)
		n++;
	return n;
}

/* `root`: the first segment is the name of an API root, which stands nowhere else. */
static bool
path_fits(const struct taxii_route *r, bool root, const struct slice *have, int n)
{
	if (length_of(r) != n)
		return false;
	for (int i = 0; i < n; i++) {
		const char *word = fixed_words[r->path[i]];

		if (r->path[i] == S_ROOT ? !root : word != NULL && !slice_is(have[i], word))
			return false;
	}
	return true;
}

static bool
is_served(const struct config *conf, const struct peer *who, enum taxii_family f)
{
	const struct taxii_family_ops *ops = &taxii_families[f];

	return ops->accepts != NULL && (ops->on == NULL || ops->on(conf, who));
}

/* ---- the choice ---- */

/* How well a row of the right path and method fits: first the body that comes, among those whose answer
 * would be taken; then how much that answer is wanted. */
enum { FIT_NOT, FIT_PATH, FIT_BODY = 1 << 16 };

static unsigned
wanted(const struct http1_head *h, const struct taxii_route *r)
{
	const struct taxii_family_ops *ops = &taxii_families[r->family];

	return !ops->accepts(h, r) ? 0 : ops->wants == NULL ? 1 : ops->wants(h, r);
}

static unsigned
fit_of(const struct http1_head *h, const struct taxii_route *r)
{
	const struct taxii_family_ops *ops = &taxii_families[r->family];
	unsigned want = wanted(h, r);
	bool body = r->method != HTTP_POST || ops->content == NULL || ops->content(h);

	return want == 0 ? FIT_PATH : FIT_PATH + want + (body ? FIT_BODY : 0);
}

static const char *
method_words(enum http_method m)
{
	return m == HTTP_GET ? "GET, HEAD" : m == HTTP_POST ? "POST" : "DELETE";
}

/* Whose error is it, where no row says so: that of the family that the client wants most. */
static enum taxii_family
family_of_nothing(const struct http1_head *h, const struct config *conf, const struct peer *who)
{
	enum taxii_family best = FAMILY_TAXII21;
	unsigned most = 0;

	for (int f = 0; f < TAXII_FAMILIES; f++) {
		const struct taxii_route resource = { .family = (enum taxii_family)f };
		unsigned want = f != FAMILY_FEED && is_served(conf, who, resource.family) ?
		    wanted(h, &resource) : 0;

		if (want > most) {
			most = want;
			best = resource.family;
		}
	}
	return best;
}

/* A row whose path fits: of the better fit, the better family; else one method more that is allowed. */
static void
consider(const struct http1_head *h, const struct taxii_route *r, enum taxii_family theirs,
    struct taxii_match *out, unsigned *best)
{
	enum http_method method = h->method == HTTP_HEAD ? HTTP_GET : h->method;
	size_t len = strlen(out->allow);
	unsigned fit;

	if (out->route == NULL && (out->place == NULL || r->family == theirs))
		out->family = r->family;
	if (out->place == NULL)
		out->place = r;
	if (strstr(out->allow, method_words(r->method)) == NULL)
		snprintf(out->allow + len, sizeof(out->allow) - len, "%s%s", len > 0 ? ", " : "",
		    method_words(r->method));
	if (r->method != method || (fit = fit_of(h, r)) <= *best)
		return;
	*best = fit;
	out->route = r;
	out->family = r->family;
	out->acceptable = fit > FIT_PATH;
}

void
taxii_match(const struct http1_head *h, const struct config *conf, const struct peer *who,
    struct taxii_match *out)
{
	enum taxii_family theirs = family_of_nothing(h, conf, who);
	unsigned best = FIT_NOT;
	int n;

	memset(out, 0, sizeof(*out));
	out->family = theirs;
	n = h->path_odd ? -1 : taxii_split(h->path, out->have);
	if (n > 0)
		out->root = config_root(conf, out->have[0]);
	for (int i = 0; n >= 0 && i < ROUTES; i++) {
		const struct taxii_route *r = &routes[i];

		if (is_served(conf, who, r->family) && path_fits(r, out->root != NULL, out->have, n))
			consider(h, r, theirs, out, &best);
	}
	n = (int)strlen(out->allow);
	if (n > 0)
		snprintf(out->allow + n, sizeof(out->allow) - (size_t)n, ", OPTIONS");
}
