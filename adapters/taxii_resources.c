#include "adapters/taxii_resources.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { TEXT_MAX = 300, SHOWN = 8, REFUSALS_MAX = 1000000, ERROR_BODY_MAX = 65536 };

/* Resources are flat; a status names every object of one message, four values each. */
static const struct json_limits limits = { .depth = 16, .nodes = 500000, .bytes = TAXII_RESOURCE_MAX };

/* ---- helpers ---- */

static int
parse(struct slice body, struct arena *mem, const json **root, const char *what, struct err *e)
{
	struct err why = ERR_INIT;
	struct json_doc doc;

	*root = NULL;
	if (json_parse(body, &limits, mem, &doc, &why) < 0)
		return err_set(e, why.code, "%s: %s", what, body.n == 0 ? "an empty answer" : why.reason);
	if (!json_is_object(doc.root))
		return err_set(e, ERR_VALUE, "%s: not a JSON object", what);
	*root = doc.root;
	return 0;
}

const char *
taxii_printable(struct slice s, size_t max, struct arena *mem)
{
	struct strbuf mended = STRBUF_INIT, line = STRBUF_INIT;
	struct slice rest;
	const char *text;

	if (s.n > max)
		for (s.n = max; s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80; )
			s.n--;
	utf8_mend(&mended, s);
	rest = strbuf_slice(&mended);
	while (rest.n > 0) {
		struct slice one = rest;

		if (utf8_is_unseen(utf8_next(&rest)))
			strbuf_addc(&line, ' ');
		else
			strbuf_add(&line, one.p, one.n - rest.n);
	}
	text = arena_str(mem, strbuf_slice(&line));
	strbuf_fini(&mended);
	strbuf_fini(&line);
	return text;
}

static const char *
text_of(const json *o, const char *name, struct arena *mem)
{
	return taxii_printable(json_member(o, name), TEXT_MAX, mem);
}

/* An identifier or alias: it becomes a segment of a path, and must be the same there. */
static const char *
segment_of(const json *o, const char *name, struct arena *mem)
{
	struct slice s = json_member(o, name);

	if (s.n == 0 || s.n >= 256)
		return "";
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 127 ||
		    strchr("/?#%\\\"", s.p[i]) != NULL)
			return "";
	return arena_str(mem, s);
}

/* ---- discovery and roots ---- */

int
taxii_read_discovery(struct slice body, struct arena *mem, struct taxii_discovery *out, struct err *e)
{
	struct slice *roots = arena_alloc(mem, TAXII_ROOTS_MAX * sizeof(*roots));
	const json *root, *list;

	memset(out, 0, sizeof(*out));
	out->first = SLICE_EMPTY;
	if (parse(body, mem, &root, "discovery", e) < 0)
		return -1;
	list = json_get(root, "api_roots");
	for (const json *r = json_is_list(list) ? json_first(list) : NULL;
	    r != NULL && out->nroots < TAXII_ROOTS_MAX; r = json_next(r))
		if (json_slice(r).n > 0)
			roots[out->nroots++] = json_slice(r);
	out->title = text_of(root, "title", mem);
	out->roots = roots;
	out->first = json_member(root, "default");
	if (out->first.n == 0 && out->nroots == 1)
		out->first = roots[0];
	if (out->nroots == 0 && out->first.n == 0)
		return err_set(e, ERR_MISSING, "discovery: it lists no API root (it may list other ones to "
		    "who logs in)");
	return 0;
}

int
taxii_read_root(struct slice body, struct arena *mem, struct taxii_root *out, struct err *e)
{
	const json *root, *list;
	int64_t max = 0;

	memset(out, 0, sizeof(*out));
	if (parse(body, mem, &root, "API root", e) < 0)
		return -1;
	out->title = text_of(root, "title", mem);
	out->is_discovery = json_get(root, "api_roots") != NULL && json_get(root, "versions") == NULL;
	list = json_get(root, "versions");
	for (const json *v = json_is_list(list) ? json_first(list) : NULL; v != NULL; v = json_next(v)) {
		struct slice s = json_slice(v);

		out->has_21 = out->has_21 || memmem(s.p, s.n, "taxii+json", 10) != NULL ||
		    slice_is(s, "taxii-2.1");
		out->has_20 = out->has_20 || memmem(s.p, s.n, "2.0", 3) != NULL;
	}
	if (json_int(json_get(root, "max_content_length"), &max) && max > 0)
		out->max_content = (uint64_t)max;
	return 0;
}

/* ---- collections ---- */

/* A right that is not spoken of is tried. */
static bool
right_of(const json *c, const char *name)
{
	const json *m = json_get(c, name);

	return m == NULL || json_bool(m);
}

/* False if it has no usable id. */
static bool
read_collection(const json *c, struct arena *mem, struct taxii_collection *out)
{
	*out = (struct taxii_collection){
		.id = segment_of(c, "id", mem), .alias = segment_of(c, "alias", mem),
		.title = text_of(c, "title", mem), .description = text_of(c, "description", mem),
		.can_read = right_of(c, "can_read"), .can_write = right_of(c, "can_write"),
	};
	return out->id[0] != '\0';
}

int
taxii_read_collections(struct slice body, struct arena *mem, const struct taxii_collection **out, size_t *n,
    struct err *e)
{
	struct taxii_collection *v = arena_alloc(mem, sizeof(*v));
	const json *root, *list;
	size_t cap = 1;

	*out = v;
	*n = 0;
	if (parse(body, mem, &root, "collections", e) < 0)
		return -1;
	list = json_get(root, "collections");
	if (list == NULL && read_collection(root, mem, &v[0]))
		*n = 1;
	for (const json *c = json_is_list(list) ? json_first(list) : NULL;
	    c != NULL && *n < TAXII_COLLECTIONS_MAX; c = json_next(c)) {
		v = arena_grow(mem, v, *n, &cap, sizeof(*v));
		*n += read_collection(c, mem, &v[*n]);
	}
	*out = v;
	return 0;
}

static int
nothing_fits(const struct taxii_collection *v, size_t n, const char *wanted, struct err *e)
{
	char names[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < n && i < SHOWN && at < sizeof(names); i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%.60s", i > 0 ? ", " : "",
		    v[i].title[0] != '\0' ? v[i].title : v[i].id);
	if (n == 0)
		return err_set(e, ERR_REFERENCE, "the server shows us no collection at all");
	if (wanted == NULL)
		return err_set(e, ERR_REFERENCE, "which collection? There are %zu: %s", n, names);
	return err_set(e, ERR_REFERENCE, "no collection '%.80s' among %zu: %s", wanted, n, names);
}

const struct taxii_collection *
taxii_choose(const struct taxii_collection *v, size_t n, const char *wanted, struct err *e)
{
	const struct taxii_collection *found = NULL;
	size_t titles = 0;

	for (size_t i = 0; i < n && wanted != NULL; i++)
		if (slice_is_nocase(slice_of(v[i].id), wanted))
			return &v[i];
	for (size_t i = 0; i < n && wanted != NULL; i++)
		if (strcmp(v[i].alias, wanted) == 0)
			return &v[i];
	for (size_t i = 0; i < n; i++) {
		if (wanted != NULL && strcmp(v[i].title, wanted) != 0)
			continue;
		found = &v[i];
		titles++;
	}
	if (titles == 1)
		return found;
	if (titles > 1 && wanted != NULL)
		err_set(e, ERR_REFERENCE, "%zu collections are called '%.80s': name one by its id", titles,
		    wanted);
	else
		nothing_fits(v, n, wanted, e);
	return NULL;
}

/* ---- status ---- */

/* A 2.1 status-details, or what 2.0 has for it. */
static struct taxii_refusal
refusal_of(const json *f)
{
	struct taxii_refusal r = { json_member(f, "id"), json_member(f, "version"),
		json_member(f, "message") };

	if (json_is_string(f))
		r.id = json_slice(f);
	return r;
}

/* Is every word in it "complete"? Some 2.0 servers say "completed". */
static bool
is_complete(struct slice word)
{
	return slice_is_nocase(word, "complete") || slice_is_nocase(word, "completed");
}

int
taxii_read_status(struct slice body, struct arena *mem, struct taxii_status *out, struct err *e)
{
	struct taxii_refusal *v = NULL;
	const json *root, *list;
	size_t cap = 0;

	memset(out, 0, sizeof(*out));
	if (parse(body, mem, &root, "status", e) < 0)
		return -1;
	if (json_member(root, "status").n == 0)
		return err_set(e, ERR_MISSING, "status: it does not say `status`");
	out->id = segment_of(root, "id", mem);
	out->complete = is_complete(json_member(root, "status"));
	json_int(json_get(root, "total_count"), &out->total);
	json_int(json_get(root, "success_count"), &out->success);
	json_int(json_get(root, "failure_count"), &out->failure);
	json_int(json_get(root, "pending_count"), &out->pending);
	list = json_get(root, "failures");
	for (const json *f = json_is_list(list) ? json_first(list) : NULL;
	    f != NULL && out->nrefusals < REFUSALS_MAX; f = json_next(f)) {
		v = arena_grow(mem, v, out->nrefusals, &cap, sizeof(*v));
		v[out->nrefusals++] = refusal_of(f);
	}
	out->refusals = v;
	return 0;
}

/* ---- errors ---- */

/* What stands in HTML or text, without its tags. */
static const char *
bare_text(struct slice body, struct arena *mem)
{
	char *text = arena_raw(mem, TEXT_MAX + 1);
	bool tag = false, gap = true;
	size_t n = 0;

	for (size_t i = 0; i < body.n && i < ERROR_BODY_MAX && n < TEXT_MAX / 2; i++) {
		unsigned char c = (unsigned char)body.p[i];

		tag = tag || c == '<';
		if (tag) {
			tag = c != '>';
			c = ' ';
		}
		if (c <= ' ' || c >= 127) {
			if (!gap)
				text[n++] = ' ';
			gap = true;
			continue;
		}
		text[n++] = (char)c;
		gap = false;
	}
	text[n] = '\0';
	return text;
}

const char *
taxii_read_error(struct slice body, struct arena *mem)
{
	static const struct json_limits few = { .depth = 16, .nodes = 10000, .bytes = ERROR_BODY_MAX };
	const char *title, *more;
	struct json_doc doc;

	if (json_parse(body, &few, mem, &doc, NULL) < 0 || !json_is_object(doc.root))
		return bare_text(body, mem);
	title = text_of(doc.root, "title", mem);
	more = text_of(doc.root, "description", mem);
	if (title[0] == '\0' && more[0] == '\0')
		return bare_text(body, mem);
	return arena_fmt(mem, "%s%s%s", title, title[0] != '\0' && more[0] != '\0' ? ": " : "", more);
}
