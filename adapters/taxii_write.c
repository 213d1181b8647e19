#include "adapters/taxii_write.h"

#include <stdio.h>

#include "adapters/taxii_media.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

/* ,"name":"value" (no comma behind an opening bracket) */
void
taxii_write_text(struct strbuf *b, const char *name, struct slice value)
{
	char last = b->n > 0 ? b->p[b->n - 1] : '{';

	if (last != '{' && last != '[')
		strbuf_addc(b, ',');
	strbuf_addc(b, '"');
	strbuf_adds(b, name);
	strbuf_adds(b, "\":");
	json_print_string(b, value);
}

/* How clients reach an API root: absolute, from the configured base. */
static void
root_url(struct strbuf *out, const struct config *conf, const struct root_conf *root,
    struct slice host)
{
	if (conf->public_url != NULL)
		strbuf_adds(out, conf->public_url);
	else if (host.n > 0)
		strbuf_addf(out, "https://%.*s", SLICE_ARG(host));
	strbuf_addf(out, "/%s/", root->name);
}

void
taxii_write_discovery(struct strbuf *out, const struct config *conf, const struct catalog *c,
    const struct reader *r, struct slice host)
{
	struct strbuf url = STRBUF_INIT;
	const struct root_conf *root;
	size_t shown = 0;

	strbuf_addc(out, '{');
	taxii_write_text(out, "title", slice_of(conf->title));
	if (conf->description != NULL)
		taxii_write_text(out, "description", slice_of(conf->description));
	if (conf->contact != NULL)
		taxii_write_text(out, "contact", slice_of(conf->contact));
	for (size_t i = 0; (root = config_root_at(conf, i)) != NULL; i++) {
		if (!catalog_root_visible(c, root, r))
			continue;
		strbuf_setlen(&url, 0);
		root_url(&url, conf, root, host);
		if (shown == 0)
			taxii_write_text(out, "default", strbuf_slice(&url));
		strbuf_adds(out, shown++ == 0 ? ",\"api_roots\":[" : ",");
		json_print_string(out, strbuf_slice(&url));
	}
	strbuf_adds(out, shown > 0 ? "]}" : "}");
	strbuf_fini(&url);
}

void
taxii_write_root(struct strbuf *out, const struct config *conf, const struct root_conf *root,
    const char *version)
{
	strbuf_addc(out, '{');
	taxii_write_text(out, "title", slice_of(root->title));
	if (root->description != NULL)
		taxii_write_text(out, "description", slice_of(root->description));
	strbuf_addf(out, ",\"versions\":[\"%s\"],\"max_content_length\":%zu}", version,
	    conf->limits.body_bytes);
}

void
taxii_write_collection(struct strbuf *out, const struct catalog *c,
    const struct collection_conf *col, const struct reader *r)
{
	strbuf_addc(out, '{');
	taxii_write_text(out, "id", slice_of(col->uuid));
	taxii_write_text(out, "title", slice_of(col->title != NULL ? col->title : col->name));
	if (col->description != NULL)
		taxii_write_text(out, "description", slice_of(col->description));
	taxii_write_text(out, "alias", slice_of(col->alias != NULL ? col->alias : col->name));
	strbuf_addf(out, ",\"can_read\":%s,\"can_write\":%s,"
	    "\"media_types\":[\"application/stix+json;version=2.1\","
	    "\"application/stix+json;version=2.0\"]}",
	    catalog_can_read(c, col, r) ? "true" : "false",
	    catalog_can_write(c, col, r) ? "true" : "false");
}

/* ---- pages ---- */

/* What most pages come to. */
enum { ROWS_FIRST = 100, OBJECT_BYTES = 1000, ENTRY_BYTES = 250 };

/* What is written is one of the collection's types: spec_version is the sender's text, whatever it is. */
static struct slice
media_type_of(const struct store_row *r)
{
	return slice_is(r->spec_version, "2.0") ? SLICE_LIT("application/stix+json;version=2.0") :
	    SLICE_LIT("application/stix+json;version=2.1");
}

static void
manifest_entry(struct strbuf *out, const struct store_row *r)
{
	char at[STAMP_TEXT + 1];

	stamp_text(r->date_added_us, at);
	strbuf_add(out, "{\"id\":", 6);
	json_print_string(out, r->id);
	strbuf_add(out, ",\"date_added\":\"", 15);
	strbuf_add(out, at, STAMP_TEXT);
	strbuf_add(out, "\",\"version\":", 12);
	json_print_string(out, r->version);
	strbuf_add(out, ",\"media_type\":\"", 15);
	strbuf_addsl(out, media_type_of(r));
	strbuf_add(out, "\"}", 2);
}

void
taxii_write_row(struct strbuf *out, enum taxii_page_kind kind, const struct store_row *row,
    size_t rows, enum tlp_vocab vocab)
{
	if (out->n > 0) {
		strbuf_addc(out, ',');
	} else {
		strbuf_reserve(out, (rows < ROWS_FIRST ? rows : ROWS_FIRST) *
		    (kind == PAGE_OBJECTS ? OBJECT_BYTES : ENTRY_BYTES));
		strbuf_adds(out, kind == PAGE_VERSIONS ? "{\"versions\":[" : "{\"objects\":[");
	}
	switch (kind) {
	case PAGE_OBJECTS:
		tlp_vocab_write(out, row->bytes, vocab);
		break;
	case PAGE_MANIFEST:
		manifest_entry(out, row);
		break;
	case PAGE_VERSIONS:
		json_print_string(out, row->version);
		break;
	}
}

/* The token stands behind the list: it is known when the list is written. */
void
taxii_write_end(struct strbuf *out, enum taxii_page_kind kind, const char *next, bool empty_list)
{
	if (out->n == 0 && empty_list && kind != PAGE_VERSIONS)
		strbuf_adds(out, "{\"objects\":[");
	strbuf_addc(out, out->n > 0 ? ']' : '{');
	if (next != NULL) {
		strbuf_adds(out, ",\"more\":true");	/* there were rows before it */
		taxii_write_text(out, "next", slice_of(next));
	}
	strbuf_addc(out, '}');
}

/* One of the lists of a status; left out when empty. */
static void
details(struct strbuf *out, const struct store_status *st, bool failed, const char *name)
{
	bool open = false;

	for (size_t i = 0; i < st->n; i++) {
		const struct store_status_entry *x = &st->entries[i];

		if (x->failed != failed)
			continue;
		if (open)
			strbuf_addc(out, ',');
		else
			strbuf_addf(out, ",\"%s\":[", name);
		open = true;
		strbuf_addc(out, '{');
		taxii_write_text(out, "id", x->id);
		taxii_write_text(out, "version", x->version);
		if (x->message != NULL)
			taxii_write_text(out, "message", slice_of(x->message));
		strbuf_addc(out, '}');
	}
	if (open)
		strbuf_addc(out, ']');
}

/* About how long it gets: a text of megabytes is not moved again and again while it grows. */
static size_t
length_of(const struct store_status *st)
{
	enum { FRAME = 256, ENTRY = 40 };
	size_t n = FRAME;

	for (size_t i = 0; i < st->n; i++)
		n += ENTRY + st->entries[i].id.n + st->entries[i].version.n +
		    (st->entries[i].message == NULL ? 0 : strlen(st->entries[i].message));
	return n;
}

void
taxii_write_counts(struct strbuf *out, const struct store_status *st)
{
	char at[STAMP_TEXT + 1];

	stamp_text(st->requested_us, at);
	strbuf_reserve(out, length_of(st));
	strbuf_addc(out, '{');
	taxii_write_text(out, "id", slice_of(st->id));
	taxii_write_text(out, "status", slice_of(st->pending ? "pending" : "complete"));
	taxii_write_text(out, "request_timestamp", slice_of(at));
	strbuf_addf(out, ",\"total_count\":%llu,\"success_count\":%llu,\"failure_count\":%llu,"
	    "\"pending_count\":%llu", (unsigned long long)st->total,
	    (unsigned long long)st->succeeded, (unsigned long long)st->failed,
	    (unsigned long long)(st->total - st->succeeded - st->failed));
}

/* Lists have an entry for each object that is counted, or are not there: while it is pending they are not,
 * so that a client may ask as often as it likes. */
void
taxii_write_status(struct strbuf *out, const struct store_status *st)
{
	taxii_write_counts(out, st);
	details(out, st, false, "successes");
	details(out, st, true, "failures");
	strbuf_addc(out, '}');
}

void
taxii_write_error(struct strbuf *out, int status, const char *title, const char *detail,
    const char *request_id)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	strbuf_addc(out, '{');
	taxii_write_text(out, "title", slice_of(title));
	if (detail != NULL && detail[0] != '\0')
		taxii_write_text(out, "description", slice_of(detail));
	taxii_write_text(out, "error_id", slice_of(request_id));
	taxii_write_text(out, "error_code", slice_of(number));
	taxii_write_text(out, "http_status", slice_of(number));
	strbuf_addc(out, '}');
}
