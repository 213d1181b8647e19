/* csaf_read_document.c -- the member `document`: publisher, label, report and its notes. */
#include "formats/csaf.h"
#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

/* Copy a text member under another name, as it is. */
static void
copy_text(struct csaf_reading *r, json *from, const char *name, json *to, const char *as)
{
	struct slice s = json_member(from, name);

	if (s.n == 0)
		return;
	json_put_str(r->mem, to, as, s);
	ledger_take(r->ledger, from, name, LOSS_KEPT);
}

/* The host of a URL, as the name of a source; else what the caller has. */
static struct slice
source_of(struct slice url, struct slice otherwise)
{
	const char *start = memmem(url.p, url.n, "://", 3);
	struct slice host, user;

	if (start == NULL)
		return otherwise;
	host = slice_from(start + 3, (size_t)(url.p + url.n - start) - 3);
	host = slice_cut(&host, '/');
	host = slice_cut(&host, '?');
	user = host;
	slice_cut(&user, '@');
	if (user.n > 0)
		host = user;
	host = slice_cut(&host, ':');
	return host.n > 0 ? host : otherwise;
}

/* The publisher becomes the creator of all that is made. */
static void
read_publisher(struct csaf_reading *r)
{
	struct csaf_made *m = csaf_make(r, "identity", SLICE_LIT("publisher"), r->publisher);

	if (json_member(r->publisher, "name").n > 0)
		copy_text(r, r->publisher, "name", m->tree, "name");
	else
		json_put_str(r->mem, m->tree, "name", r->space);
	json_put_str(r->mem, m->tree, "identity_class", SLICE_LIT("organization"));
	copy_text(r, r->publisher, "contact_details", m->tree, "contact_information");
	if (json_member(r->publisher, "category").n > 0) {
		csaf_list_add(r->mem, m->tree, "roles", json_member(r->publisher, "category"));
		ledger_take(r->ledger, r->publisher, "category", LOSS_KEPT);
	}
	csaf_reference_add(r->mem, m->tree, source_of(r->space, json_member(m->tree, "name")),
	    SLICE_EMPTY, r->space, SLICE_EMPTY);
	ledger_take(r->ledger, r->publisher, "namespace", LOSS_KEPT);
	r->identity = m;
}

/* The label, and what is said about sharing in words. */
static void
read_distribution(struct csaf_reading *r)
{
	json *distribution = json_get(r->document, "distribution"), *definition;
	json *label = json_get(json_get(distribution, "tlp"), "label");
	struct slice text = json_member(distribution, "text");

	r->tlp = csaf_tlp_there(r->document, &r->label);
	if (label != NULL)
		ledger_mark(r->ledger, label, r->label == LABEL_TLP ? LOSS_KEPT : LOSS_APPROXIMATED, NULL);
	if (text.n == 0)
		return;
	r->statement = csaf_make(r, "marking-definition", csaf_key(r, "distribution", text, 0),
	    distribution);
	json_put_str(r->mem, r->statement->tree, "definition_type", SLICE_LIT("statement"));
	definition = json_put(r->mem, r->statement->tree, "definition", json_object(r->mem));
	copy_text(r, distribution, "text", definition, "statement");
}

/* True for the first reference by which a document names itself. */
static bool
is_self(const json *reference)
{
	return slice_is(json_member(reference, "category"), "self") && json_member(reference, "url").n > 0;
}

void
csaf_read_references(struct csaf_reading *r, json *tree, json *list, bool document)
{
	bool self = !document;

	for (json *k = json_first(list); k != NULL; k = json_next(k)) {
		struct slice url = json_member(k, "url"), summary = json_member(k, "summary");

		if (!self && is_self(k)) {
			self = true;	/* stands with the tracking id */
			continue;
		}
		if (url.n == 0 && summary.n == 0)
			continue;
		csaf_reference_add(r->mem, tree, source_of(url, json_member(r->identity->tree, "name")),
		    summary, url, SLICE_EMPTY);
		ledger_take(r->ledger, k, "url", LOSS_KEPT);
		ledger_take(r->ledger, k, "summary", LOSS_KEPT);
	}
}

/* The report's first reference: who calls it what, and where it is. */
static void
read_self(struct csaf_reading *r, json *tree)
{
	struct slice url = SLICE_EMPTY;
	json *k = json_first(json_get(r->document, "references"));

	while (k != NULL && !is_self(k))
		k = json_next(k);
	if (k != NULL) {
		url = json_member(k, "url");
		ledger_take(r->ledger, k, "url", LOSS_KEPT);
		ledger_take(r->ledger, k, "category", LOSS_KEPT);
	}
	csaf_reference_add(r->mem, tree, json_member(r->identity->tree, "name"), SLICE_EMPTY, url,
	    r->tracking_id);
	ledger_take(r->ledger, r->tracking, "id", LOSS_KEPT);
}

void
csaf_read_texts(struct csaf_reading *r, json *tree, json *notes, const char *categories)
{
	struct strbuf text = STRBUF_INIT;

	for (json *n = json_first(notes); n != NULL; n = json_next(n)) {
		if (!csaf_has_word(categories, json_member(n, "category")) || json_member(n, "text").n == 0)
			continue;
		if (text.n > 0)
			strbuf_adds(&text, "\n\n");
		strbuf_addsl(&text, json_member(n, "text"));
		ledger_take(r->ledger, n, "text", LOSS_KEPT);
	}
	if (text.n > 0)
		json_put_str(r->mem, tree, "description", strbuf_slice(&text));
	strbuf_fini(&text);
}

struct csaf_made *
csaf_note_make(struct csaf_reading *r, struct slice key, json *from, struct csaf_made *about,
    const char *label, const char *text_member)
{
	struct slice category = json_member(from, "category"), text = json_member(from, text_member);
	struct csaf_made *m;

	if (text.n == 0)
		return NULL;
	m = csaf_make(r, "note", key, from);
	if (r->lang.n > 0)
		json_put_str(r->mem, m->tree, "lang", r->lang);
	if (category.n > 0) {
		csaf_list_add(r->mem, m->tree, "labels", slice_of(arena_fmt(r->mem, "%s%.*s", label,
		    SLICE_ARG(category))));
		ledger_take(r->ledger, from, "category", LOSS_KEPT);
	}
	if (json_member(from, "title").n > 0)
		copy_text(r, from, "title", m->tree, "abstract");
	else if (category.n > 0)
		json_put_str(r->mem, m->tree, "abstract", category);
	copy_text(r, from, text_member, m->tree, "content");
	csaf_list_add(r->mem, m->tree, "object_refs", about->id);
	return m;
}

/* The time of a member goes under another name: exactly, or moved to UTC. */
static void
copy_time(struct csaf_reading *r, json *from, const char *name, json *to, const char *as)
{
	struct slice had = json_member(from, name), t = csaf_time(r->mem, had);

	if (t.n == 0)
		return;
	json_put_str(r->mem, to, as, t);
	ledger_take(r->ledger, from, name, slice_eq(had, t) ? LOSS_KEPT : LOSS_APPROXIMATED);
}

static void
read_report(struct csaf_reading *r)
{
	struct csaf_made *m = r->report = csaf_make(r, "report", SLICE_EMPTY, r->document);
	struct slice category = json_member(r->document, "category");
	struct slice status = json_member(r->tracking, "status");

	if (r->lang.n > 0)
		copy_text(r, r->document, "lang", m->tree, "lang");
	if (json_member(r->document, "title").n > 0)
		copy_text(r, r->document, "title", m->tree, "name");
	else
		json_put_str(r->mem, m->tree, "name", r->tracking_id);
	csaf_read_texts(r, m->tree, json_get(r->document, "notes"), CSAF_TEXTS_DOCUMENT);
	csaf_list_add(r->mem, m->tree, "report_types", SLICE_LIT("vulnerability"));
	json_put_str(r->mem, m->tree, "published", r->created);
	copy_time(r, r->tracking, "initial_release_date", m->tree, "published");
	ledger_take(r->ledger, r->tracking, "current_release_date",
	    slice_eq(json_member(r->tracking, "current_release_date"), r->modified) ? LOSS_KEPT :
	    LOSS_APPROXIMATED);
	if (category.n > 0) {
		csaf_list_add(r->mem, m->tree, "labels", category);
		ledger_take(r->ledger, r->document, "category", LOSS_KEPT);
	}
	if (status.n > 0) {
		csaf_list_add(r->mem, m->tree, "labels", slice_of(arena_fmt(r->mem, "%s%.*s",
		    CSAF_LABEL_DOCUMENT, SLICE_ARG(status))));
		ledger_take(r->ledger, r->tracking, "status", LOSS_KEPT);
	}
	read_self(r, m->tree);
	csaf_read_references(r, m->tree, json_get(r->document, "references"), true);
}

/* See csaf.h. */
void
csaf_read_head(struct csaf_reading *r)
{
	read_publisher(r);
	read_distribution(r);
	read_report(r);
	if (csaf_profile_of(json_member(r->document, "category")) == CSAF_INCIDENT) {
		struct csaf_made *m = csaf_make(r, "incident", SLICE_LIT("incident"), r->document);

		json_put_str(r->mem, m->tree, "name", json_member(r->report->tree, "name"));
	}
}

/* See csaf.h. */
void
csaf_read_notes(struct csaf_reading *r)
{
	size_t i = 0;

	for (json *n = json_first(json_get(r->document, "notes")); n != NULL; n = json_next(n)) {
		i++;
		if (!csaf_has_word(CSAF_TEXTS_DOCUMENT, json_member(n, "category")))
			csaf_note_make(r, csaf_key(r, "note", SLICE_EMPTY, i), n, r->report,
			    CSAF_LABEL_NOTE, "text");
	}
}

/* Say what is missing. */
static int
lacks(struct err *e, const char *path)
{
	err_set(e, ERR_MISSING, "without it nothing can be made of the document");
	err_path(e, "%s", path);
	return -1;
}

/* When the document was made and when it was changed: its own dates, else those of its revisions.
 * */
static int
read_times(struct csaf_reading *r, struct err *e)
{
	struct slice key_created, key_modified;

	r->created = csaf_time(r->mem, json_member(r->tracking, "initial_release_date"));
	r->modified = csaf_time(r->mem, json_member(r->tracking, "current_release_date"));
	for (json *k = json_first(json_get(r->tracking, "revision_history"));
	    k != NULL && (r->created.n == 0 || r->modified.n == 0); k = json_next(k)) {
		struct slice t = csaf_time(r->mem, json_member(k, "date"));

		r->created = r->created.n == 0 ? t : r->created;
		r->modified = r->modified.n == 0 && json_next(k) == NULL ? t : r->modified;
	}
	r->modified = r->modified.n == 0 ? r->created : r->modified;
	r->created = r->created.n == 0 ? r->modified : r->created;
	if (r->created.n == 0)
		return lacks(e, "document.tracking.current_release_date");
	if (stamp_key(r->mem, r->created, &key_created) && stamp_key(r->mem, r->modified, &key_modified) &&
	    slice_cmp(key_created, key_modified) > 0)
		r->created = r->modified;
	return 0;
}

/* See csaf.h. */
int
csaf_derive(struct csaf_reading *r, struct err *e)
{
	r->document = json_get(r->root, "document");
	r->tracking = json_get(r->document, "tracking");
	r->publisher = json_get(r->document, "publisher");
	r->space = json_member(r->publisher, "namespace");
	r->tracking_id = slice_trim(json_member(r->tracking, "id"));
	r->lang = json_member(r->document, "lang");
	if (!csaf_is_language(r->lang))
		r->lang = SLICE_EMPTY;
	if (r->space.n == 0)
		return lacks(e, "document.publisher.namespace");
	if (r->tracking_id.n == 0)
		return lacks(e, "document.tracking.id");
	if (read_times(r, e) < 0)
		return -1;
	csaf_read_head(r);
	csaf_read_products(r);
	csaf_read_vulnerabilities(r);
	csaf_read_notes(r);
	csaf_read_finish(r);
	return 0;
}
