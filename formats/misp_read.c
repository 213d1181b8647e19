/* misp_read.c -- from the shapes a MISP document has to its events. See misp_read.h. */
#include <stdarg.h>
#include <stdio.h>

#include "formats/misp_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

enum { BYTES_DEFAULT = 64 << 20, OBJECT_BYTES_DEFAULT = 8 << 20, WARNINGS_MAX = 10000 };

/* ---- remarks ---- */

void
mr_at(struct mr *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->where, sizeof(r->where), fmt, ap);
	va_end(ap);
}

void
mr_warn(struct mr *r, const char *code, struct slice id, const char *fmt, ...)
{
	struct verdict *v;
	char reason[200];
	va_list ap;

	if (r->warnings++ >= WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	v = advisory_verdict(r->adv, r->mem, VERDICT_WARNED, code);
	v->id = id;
	v->index = r->index;
	err_set(&v->err, ERR_VALUE, "%s", reason);
	err_path(&v->err, "%s", r->where);
	err_input(&v->err, r->job->input);
}

void
mr_refuse(struct mr *r, const json *node, const char *code, const char *fmt, ...)
{
	struct verdict *v = advisory_verdict(r->adv, r->mem, VERDICT_REFUSED, code);
	struct strbuf text = STRBUF_INIT;
	char reason[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	json_print(&text, node);
	v->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	v->id = json_member(node, "uuid");
	v->index = r->index;
	err_set(&v->err, ERR_VALUE, "%s", reason);
	err_path(&v->err, "%s", r->where);
	err_input(&v->err, r->job->input);
	ledger_mark(r->led, node, LOSS_DROPPED, "it was refused");
}

/* ---- members ---- */

json *
mr_take(struct mr *r, const json *o, const char *name)
{
	return ledger_take(r->led, o, name, LOSS_KEPT);
}

struct slice
mr_text(struct mr *r, const json *o, const char *name)
{
	mr_take(r, o, name);
	return misp_text(r->mem, o, name);
}

struct slice
mr_uuid(
    struct mr *r, const json *o, const char *kind, struct slice a, struct slice b, struct slice c)
{
	struct slice uuid = slice_trim(mr_text(r, o, "uuid"));
	char *lower;

	if (!uuid_is_valid(uuid)) {
		if (uuid.n > 0)
			mr_warn(r, "BAD_ID", uuid, "uuid: \"%.*s\" is no UUID", SLICE_ARG(uuid));
		return MISP_UUID(r->mem, kind, a, b, c);
	}
	lower = arena_str(r->mem, uuid);
	for (size_t i = 0; i < uuid.n; i++)
		lower[i] = ascii_lower(lower[i]);
	return slice_from(lower, uuid.n);
}

struct slice
mr_stamp(struct mr *r, const json *o, struct slice otherwise)
{
	struct slice out;
	int64_t seconds;

	if (!misp_number(o, "timestamp", &seconds)) {
		if (misp_text(r->mem, o, "timestamp").n > 0)
			mr_warn(r, "BAD_TIMESTAMP", SLICE_EMPTY,
			    "timestamp: not in seconds since 1970");
		return otherwise;
	}
	mr_take(r, o, "timestamp");
	out = seconds == 0 ? SLICE_EMPTY : misp_stamp(r->mem, seconds);
	return out.n > 0 ? out : otherwise;
}

struct slice
mr_time(struct mr *r, const json *o, const char *name)
{
	static const struct misp_path any = { NULL, MISP_TIME };
	struct slice text = misp_text(r->mem, o, name), out;
	unsigned long long seconds;

	if (text.n == 0)
		return SLICE_EMPTY;
	if (slice_u64(text, &seconds) && seconds < INT64_MAX)
		out = misp_stamp(r->mem, (int64_t)seconds);
	else if (!misp_value(&any, text, r->mem, &out))
		out = SLICE_EMPTY;
	if (out.n == 0)
		mr_warn(r, "BAD_TIMESTAMP", SLICE_EMPTY, "%s: no date", name);
	else
		ledger_mark(r->led, json_get(o, name), slice_eq(out, text) ? LOSS_KEPT :
		    LOSS_APPROXIMATED, "as an instant in UTC");
	return out;
}

bool
mr_before(struct mr *r, struct slice a, struct slice b)
{
	struct slice x, y;

	return stamp_key(r->mem, a, &x) && stamp_key(r->mem, b, &y) && slice_cmp(x, y) < 0;
}

/* ---- one event ---- */

/* Midnight of the event's date, empty if it has none. */
static struct slice
day_of(struct mr *r, const json *event)
{
	static const struct misp_path any = { NULL, MISP_TIME };
	struct slice text = json_member(event, "date"), out;
	int64_t seconds;

	if (text.n != 10 || !misp_value(&any, text, r->mem, &out) || !misp_seconds(out, &seconds))
		return SLICE_EMPTY;
	return misp_stamp(r->mem, seconds);
}

/* The times of the event: when it was edited last, and its date unless that is later. */
static void
read_times(struct mr *r, struct mr_event *ev)
{
	struct slice day = day_of(r, ev->node), now = r->job->received;
	int64_t seconds;

	if (now.n == 0 || !misp_seconds(now, &seconds))
		now = SLICE_LIT("1970-01-01T00:00:00.000Z");
	else
		now = misp_stamp(r->mem, seconds);
	ev->modified = mr_stamp(r, ev->node, day.n > 0 ? day : now);
	ev->created = day.n > 0 && mr_before(r, day, ev->modified) ? day : ev->modified;
	if (day.n > 0)
		ledger_mark(r->led, json_get(ev->node, "date"), slice_eq(ev->created, day) ?
		    LOSS_KEPT : LOSS_MOVED, NULL);
}

/* The organisation that made it. */
static void
read_creator(struct mr *r, struct mr_event *ev)
{
	json *org = json_get(ev->node, "Orgc");
	struct slice name = misp_text(r->mem, org, "name"), none = SLICE_EMPTY;
	struct mr_made *m;

	if (name.n == 0)
		return;
	m = mr_new(r, ev, "identity", mr_uuid(r, org, "organisation", name, none, none),
	    ev->modified, ev->modified, ev->label);
	if (m == NULL)
		return;
	json_put_str(r->mem, m->tree, "name", mr_text(r, org, "name"));
	json_put_str(r->mem, m->tree, "identity_class", SLICE_LIT("organization"));
	ev->creator = m->id;
}

/* What stands in a container that would else be empty: a list of references needs one. */
static void
add_empty_note(struct mr *r, struct mr_event *ev)
{
	struct mr_made *m =
	    mr_new(r, ev, "note", MISP_UUID(r->mem, "note", ev->uuid, SLICE_LIT("empty")),
		ev->created, ev->modified, ev->label);

	if (m == NULL)
		return;
	json_put_str(r->mem, m->tree, "content", SLICE_LIT("The event holds nothing yet."));
	json_push(json_put(r->mem, m->tree, "object_refs", json_list(r->mem)),
	    json_string(r->mem, ev->container->id));
	loss_addf(
	    r->job->loss, LOSS_GENERATED, "a container names something", "%.*s", SLICE_ARG(m->id));
}

/* The report or grouping, without its references. */
static void
open_container(struct mr *r, struct mr_event *ev, bool original)
{
	bool published = misp_bool(ev->node, "published");
	struct slice info = mr_text(r, ev->node, "info"), at;
	struct mr_made *m;
	int64_t seconds;

	mr_take(r, ev->node, "published");
	if (original)
		return;
	m = mr_container(r, ev, published ? "report" : "grouping");
	json_put_str(r->mem, m->tree, "name", info);
	if (published) {
		at = misp_number(ev->node, "publish_timestamp", &seconds) && seconds > 0 ?
		    misp_stamp(r->mem, seconds) : SLICE_EMPTY;
		if (at.n > 0)
			mr_take(r, ev->node, "publish_timestamp");
		json_put_str(r->mem, m->tree, "published", at.n > 0 ? at : ev->modified);
		json_push(json_put(r->mem, m->tree, "report_types", json_list(r->mem)),
		    json_string(r->mem, SLICE_LIT("threat-report")));
	} else {
		json_put_str(r->mem, m->tree, "context", SLICE_LIT("suspicious-activity"));
	}
	mr_tags(r, m->tree, ev->node);
}

/* The references of the container, in the order things were made. */
static void
close_container(struct mr *r, struct mr_event *ev)
{
	json *refs;

	if (ev->container == NULL)
		return;
	if (ev->n == 0 || (ev->n == 1 && slice_eq(ev->v[0]->id, ev->creator)))
		add_empty_note(r, ev);
	refs = json_put(r->mem, ev->container->tree, "object_refs", json_list(r->mem));
	for (size_t i = 0; i < ev->n; i++)
		if (!slice_eq(ev->v[i]->id, ev->creator) &&
		    !slice_starts(ev->v[i]->id, "marking-definition--") &&
		    !slice_starts(ev->v[i]->id, "extension-definition--"))
			json_push(refs, json_string(r->mem, ev->v[i]->id));
	ev->container->part = ev->part;
}

/* The event without what stands on objects of its own. */
static json *
event_part(struct mr *r, const json *event)
{
	static const char *const elsewhere[] = { "Attribute", "Object", "EventReport" };
	json *part = json_object(r->mem);

	for (json *m = json_first(event); m != NULL; m = json_next(m)) {
		bool cut = false;

		for (size_t i = 0; i < COUNTOF(elsewhere); i++)
			cut |= strcmp(json_name(m), elsewhere[i]) == 0 && json_is_list(m);
		if (cut)
			json_put(r->mem, part, json_name(m), json_list(r->mem));
		else
			json_put(r->mem, part, json_name(m), json_copy(r->mem, m));
	}
	return part;
}

/* How many bytes the texts in it have. */
static size_t
weight_of(const json *node)
{
	size_t n = json_slice(node).n;

	for (const json *k = json_first(node); k != NULL; k = json_next(k))
		n += weight_of(k);
	return n;
}

/* True if it is too large to be one object, and was refused. */
static bool
is_too_large(struct mr *r, const json *said, const json *node)
{
	size_t most = r->job->limits.object_bytes;

	if (weight_of(said) <= (most > 0 ? most : (size_t)OBJECT_BYTES_DEFAULT))
		return false;
	mr_refuse(r, node, "TOO_LARGE", "larger than one object may be");
	return true;
}

/* All elements of a list of the event. */
static void
read_list(struct mr *r, struct mr_event *ev, const char *name, const struct mr_originals *os,
    void (*read)(struct mr *, struct mr_event *, json *))
{
	char event[48];
	size_t i = 0;

	snprintf(event, sizeof(event), "Event[%zu]", r->index);
	for (json *k = json_first(json_get(ev->node, name)); k != NULL; k = json_next(k), i++) {
		if (mr_is_explained(os, k))
			continue;
		mr_at(r, "%s/%s[%zu]", event, name, i);
		if (!is_too_large(r, k, k))
			read(r, ev, k);
	}
	mr_at(r, "%s", event);
}

/* Everything that an event says. */
static int
read_event(struct mr *r, json *node, struct err *e)
{
	struct mr_event ev = { .node = node };
	struct slice info = misp_text(r->mem, node, "info");
	struct mr_originals *os;

	mr_at(r, "Event[%zu]", r->index);
	if (!json_is_object(node)) {
		mr_refuse(r, node, "BAD_TYPE", "an event is a JSON object");
		return 0;
	}
	if (info.n == 0) {
		if (r->job->strict) {
			mr_refuse(
			    r, node, "MISSING_PROPERTY", "info: an event says what it is about");
			return 0;
		}
		mr_warn(r, "MISSING_PROPERTY", json_member(node, "uuid"),
		    "info: an event says what it is about");
	}
	ev.label = misp_label_in(node, true, r->job->misp_groups);
	if (ev.label.label == LABEL_UNREADABLE)
		mr_warn(r, "UNREADABLE_LABEL", json_member(node, "uuid"),
		    "a tlp tag or the distribution is "
		    "no word that we can read: RED");
	ev.part = event_part(r, node);
	if (is_too_large(r, ev.part, node))
		return 0;
	ev.uuid = mr_uuid(r, node, "event", misp_text(r->mem, json_get(node, "Orgc"), "name"),
	    json_member(node, "date"), info);
	os = mr_originals_read(r, node);
	ev.originals = os;
	if (mr_originals_bundle(os).n > 0)
		r->adv->id = mr_originals_bundle(os);
	else if (r->index == 0)
		r->adv->id = slice_of(arena_fmt(r->mem, "bundle--%.*s",
		    SLICE_ARG(MISP_UUID(r->mem, "bundle", ev.uuid))));
	read_times(r, &ev);
	if (!mr_container_is_original(os))
		read_creator(r, &ev);
	open_container(r, &ev, mr_container_is_original(os));
	read_list(r, &ev, "Attribute", os, mr_attribute);
	read_list(r, &ev, "Object", os, mr_object);
	for (json *o = json_first(json_get(node, "Object")); o != NULL; o = json_next(o))
		if (!mr_is_explained(os, o))
			mr_references(r, &ev, o);
	mr_galaxies(r, &ev, node, NULL, ev.label);
	read_list(r, &ev, "EventReport", os, mr_event_report);
	mr_originals_put(r, &ev, os);
	close_container(r, &ev);
	return mr_mint(r, &ev, e);
}

/* Attributes or objects of a search, which no event holds. */
static int
read_loose(struct mr *r, json *attributes, json *object, struct err *e)
{
	struct misp_label open = { TLP_UNSET, LABEL_ABSENT, false, false };
	struct mr_event ev = { .label = open };
	size_t i = 0;

	read_times(r, &ev);
	for (json *k = json_first(attributes); k != NULL; k = json_next(k)) {
		mr_at(r, "Attribute[%zu]", i++);
		mr_attribute(r, &ev, k);
	}
	if (object != NULL) {
		mr_at(r, "Object[%zu]", r->index);
		mr_object(r, &ev, object);
		mr_references(r, &ev, object);
	}
	return mr_mint(r, &ev, e);
}

/* ---- the document ---- */

static bool
is_event(const json *o)
{
	return json_get(o, "info") != NULL || json_get(o, "threat_level_id") != NULL ||
	    json_get(o, "Orgc") != NULL;
}

/* One element of a document: an event in its wrapper or without, or what a search gave. */
static int
read_element(struct mr *r, json *o, struct err *e)
{
	json *inner;

	if ((inner = json_get(o, "Event")) != NULL && !is_event(o))
		return read_event(r, inner, e);
	if (is_event(o))
		return read_event(r, o, e);
	if ((inner = json_get(o, "Object")) != NULL && json_is_object(inner))
		return read_loose(r, NULL, inner, e);
	if ((inner = json_get(o, "Attribute")) != NULL) {
		if (!json_is_object(inner))
			return read_loose(r, inner, NULL, e);
		o = json_list(r->mem);	/* one attribute: as a list */
		json_push(o, json_copy(r->mem, inner));
		ledger_mark(r->led, inner, LOSS_KEPT, NULL);
		return read_loose(r, o, NULL, e);
	}
	mr_at(r, "[%zu]", r->index);
	mr_refuse(r, o, "BAD_TYPE", "neither an event nor what a search gives");
	return 0;
}

static int
read_elements(struct mr *r, json *root, struct err *e)
{
	json *list = json_get(root, "response");

	if (list == NULL)
		list = root;
	if (!json_is_list(list))
		return read_element(r, list, e);
	for (json *k = json_first(list); k != NULL; k = json_next(k), r->index++)
		if (read_element(r, k, e) < 0)
			return -1;
	return 0;
}

/* True if the top of the document is one of the shapes we know. */
static bool
is_misp(const json *root)
{
	return json_is_list(root) || json_get(root, "response") != NULL ||
	    json_get(root, "Event") != NULL || json_get(root, "Attribute") != NULL ||
	    json_get(root, "Object") != NULL || is_event(root);
}

/* An id that follows from the input. */
struct slice
misp_document_id(const struct read_job *job, struct arena *mem)
{
	uint8_t digest[SHA256_LEN];
	char uuid[UUID_TEXT + 1];

	format_digest(job, digest);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(mem, "misp|bundle|%02x%02x%02x%02x%02x%02x%02x%02x",
	    digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7])), uuid);
	return slice_of(arena_fmt(mem, "bundle--%s", uuid));
}

/* One element of a large document. */
static int
read_piece(struct mr *r, struct err *e)
{
	struct json_limits limits = { .depth = 0 };
	const char *path = mr_piece_begin(r, &limits);
	struct json_doc doc;
	int rc;

	if (json_parse(r->job->in, &limits, r->mem, &doc, e) < 0) {
		err_input(e, r->job->input);
		return -1;
	}
	r->root = doc.root;
	rc = read_element(r, doc.root, e);
	if (rc == 0)
		ledger_account(r->led, r->job->loss, doc.root, path, LOSS_MOVED, NULL);
	mr_piece_end(r);
	return rc;
}

int
misp_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	size_t most = job->limits.bytes > 0 ? job->limits.bytes : BYTES_DEFAULT;
	struct json_limits limits = { .depth = job->limits.depth };
	struct mr r = { .job = job, .mem = mem, .adv = adv, .led = ledger_new(mem) };
	struct json_doc doc;
	uint8_t digest[SHA256_LEN];

	if (job->piece != NULL)
		return read_piece(&r, e);
	if (job->in.n > most)
		return err_set(
		    e, ERR_LIMIT, "%zu bytes are more than the limit of %zu", job->in.n, most);
	if (json_parse(job->in, &limits, mem, &doc, e) < 0) {
		err_input(e, job->input);
		return -1;
	}
	if (!is_misp(doc.root)) {
		err_input(e, job->input);
		return err_at(e, ERR_VALUE, (struct pos){ 1, 1, 0 },
		    "no MISP event and no result of a search");
	}
	format_digest(job, digest);
	memcpy(&r.seed, digest, sizeof(r.seed));
	adv->id = misp_document_id(job, mem);
	r.root = doc.root;
	if (read_elements(&r, doc.root, e) < 0)
		return -1;
	ledger_account(r.led, job->loss, doc.root, "", LOSS_MOVED, NULL);
	advisory_settle(adv, mem);
	return 0;
}
