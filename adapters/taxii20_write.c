#include "adapters/taxii20_write.h"

#include "adapters/taxii20_media.h"
#include "adapters/taxii_write.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

/* What most pages come to. */
enum { ROWS_FIRST = 100, OBJECT_BYTES = 1000 };

static const char bundle_head[] = "{\"type\":\"bundle\",\"spec_version\":\"2.0\"";

void
taxii20_write_collection(struct strbuf *out, const struct catalog *c,
    const struct collection_conf *col, const struct reader *r)
{
	strbuf_addc(out, '{');
	taxii_write_text(out, "id", slice_of(col->uuid));
	taxii_write_text(out, "title", slice_of(col->title != NULL ? col->title : col->name));
	if (col->description != NULL)
		taxii_write_text(out, "description", slice_of(col->description));
	strbuf_addf(out, ",\"can_read\":%s,\"can_write\":%s,\"media_types\":[\"%s\"]}",
	    catalog_can_read(c, col, r) ? "true" : "false",
	    catalog_can_write(c, col, r) ? "true" : "false", taxii20_stix_type);
}

/* ---- bundles ---- */

void
taxii20_write_next(struct strbuf *out, size_t rows)
{
	if (out->n > 0) {
		strbuf_addc(out, ',');
	} else {
		strbuf_reserve(out, (rows < ROWS_FIRST ? rows : ROWS_FIRST) * OBJECT_BYTES);
		strbuf_adds(out, bundle_head);
		strbuf_adds(out, ",\"objects\":[");
	}
}

void
taxii20_write_object(struct strbuf *out, const struct store_row *row, size_t rows,
    enum tlp_vocab vocab)
{
	taxii20_write_next(out, rows);
	tlp_vocab_write(out, row->bytes, vocab);
}

/* STIX 2.0 knows no other UUIDs than version 4, and some readers insist: the digest wears its form. */
static void
uuid_of(const uint8_t digest[32], char out[UUID_TEXT + 1])
{
	static const size_t dash[] = { 8, 13, 18, 23 };
	uint8_t bytes[16];
	char hex[33];
	size_t from = 0;

	memcpy(bytes, digest, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	hex_text(bytes, sizeof(bytes), hex);
	for (size_t i = 0; i < UUID_TEXT; i++)
		out[i] = from < 4 && i == dash[from] ? (from++, '-') : hex[i - from];
	out[UUID_TEXT] = '\0';
}

void
taxii20_write_bundle_end(struct strbuf *out, const uint8_t digest[32], bool empty_list)
{
	char uuid[UUID_TEXT + 1];

	uuid_of(digest, uuid);
	if (out->n > 0) {
		strbuf_addc(out, ']');
	} else {
		strbuf_adds(out, bundle_head);
		if (empty_list)
			strbuf_adds(out, ",\"objects\":[]");
	}
	strbuf_addf(out, ",\"id\":\"bundle--%s\"}", uuid);
}

/* ---- manifests ---- */

void
taxii20_write_entry(struct strbuf *out, struct slice id, int64_t date_us, const struct slice *versions,
    size_t n)
{
	char at[STAMP_TEXT + 1];

	stamp_text(date_us, at);
	strbuf_adds(out, out->n > 0 ? ",{\"id\":" : "{\"objects\":[{\"id\":");
	json_print_string(out, id);
	strbuf_addf(out, ",\"date_added\":\"%s\",\"versions\":[", at);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		json_print_string(out, versions[i]);
	}
	strbuf_addf(out, "],\"media_types\":[\"%s\"]}", taxii20_stix_type);
}

void
taxii20_write_manifest_end(struct strbuf *out, bool empty_list)
{
	strbuf_adds(out, out->n > 0 ? "]}" : empty_list ? "{\"objects\":[]}" : "{}");
}

/* ---- status ---- */

/* One of the lists; left out when empty. */
static void
list(struct strbuf *out, const struct store_status *st, bool failed, const char *name)
{
	bool open = false;

	for (size_t i = 0; i < st->n; i++) {
		const struct store_status_entry *x = &st->entries[i];

		if (x->failed != failed)
			continue;
		strbuf_addf(out, open ? "," : ",\"%s\":[", name);
		open = true;
		if (!failed) {
			json_print_string(out, x->id);
			continue;
		}
		strbuf_addc(out, '{');
		taxii_write_text(out, "id", x->id);
		if (x->message != NULL)
			taxii_write_text(out, "message", slice_of(x->message));
		strbuf_addc(out, '}');
	}
	if (open)
		strbuf_addc(out, ']');
}

void
taxii20_write_status(struct strbuf *out, const struct store_status *st)
{
	taxii_write_counts(out, st);
	list(out, st, false, "successes");
	list(out, st, true, "failures");
	strbuf_addc(out, '}');
}
