/* csaf_write_document.c -- the member `document`: publisher, label, tracking, notes, references. */
#include "formats/csaf_check.h"
#include "formats/csaf_write.h"
#include "formats/labels.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

static void
put(struct csaf_writing *w, json *o, const char *name, struct slice value)
{
	json_put_str(w->mem, o, name, value);
}

/* The first URL by which the publisher is known, else a name made of its id. */
static struct slice
namespace_of(struct csaf_writing *w, json *identity, struct slice name)
{
	struct slice id = json_member(identity, "id");

	for (json *k = json_first(json_get(identity, "external_references")); k != NULL; k = json_next(k))
		if (csaf_is_uri(json_member(k, "url")))
			return csaf_take(w, k, "url");
	csaf_generated(w, "document/publisher/namespace", "the publisher has no address of its own");
	if (slice_starts(id, "identity--"))
		return slice_of(arena_fmt(w->mem, "urn:uuid:%.*s", (int)(id.n - 10), id.p + 10));
	id = slice_of(arena_fmt(w->mem, "https://%.*s", SLICE_ARG(name)));
	return csaf_is_uri(id) ? id : SLICE_LIT("urn:invalid:unknown");
}

/* The role that is a category of publishers. */
static struct slice
category_of(struct csaf_writing *w, json *identity)
{
	for (json *k = json_first(json_get(identity, "roles")); k != NULL; k = json_next(k))
		if (csaf_has_word("coordinator discoverer other user vendor", json_slice(k))) {
			csaf_kept(w, k);
			return json_slice(k);
		}
	csaf_generated(w, "document/publisher/category", "STIX does not say what kind of publisher it is");
	return SLICE_LIT("other");
}

static void
write_publisher(struct csaf_writing *w)
{
	json *to = json_put(w->mem, w->document, "publisher", json_object(w->mem));
	json *tree = w->publisher == NULL ? NULL : w->publisher->tree;
	struct slice name = csaf_take(w, tree, "name");

	put(w, to, "category", category_of(w, tree));
	if (json_member(tree, "contact_information").n > 0)
		put(w, to, "contact_details", csaf_take(w, tree, "contact_information"));
	if (name.n == 0) {
		name = w->job->csirt == NULL || w->job->csirt[0] == '\0' ? SLICE_LIT("csirt.invalid") :
		    slice_of(w->job->csirt);
		csaf_generated(w, "document/publisher/name", "the report has no creator here");
	}
	put(w, to, "name", name);
	put(w, to, "namespace", namespace_of(w, tree, name));
	if (w->publisher == NULL)
		return;
	csaf_wrote(w, w->publisher, to);
	csaf_kept(w, json_get(tree, "type"));
}

/* What the publisher calls the report, else its id. */
static struct slice
tracking_id(struct csaf_writing *w, const json **ref)
{
	struct slice name = json_member(json_get(w->document, "publisher"), "name");

	for (json *k = json_first(json_get(w->report->tree, "external_references")); k != NULL;
	    k = json_next(k)) {
		struct slice id = json_member(k, "external_id");

		if (!slice_eq(json_member(k, "source_name"), name) || !csaf_is_tracking_id(id))
			continue;
		csaf_kept(w, k);
		*ref = k;
		return id;
	}
	csaf_kept(w, json_get(w->report->tree, "id"));
	return w->report->o->id;
}

/* a is not later than b; unknown times are not. */
static bool
not_after(struct csaf_writing *w, struct slice a, struct slice b)
{
	struct slice x, y;

	return a.n > 0 && b.n > 0 && stamp_key(w->mem, a, &x) && stamp_key(w->mem, b, &y) &&
	    slice_cmp(x, y) <= 0;
}

static void
add_revision(struct csaf_writing *w, json *list, struct slice date, int number, const char *summary)
{
	json *to = json_push(list, json_object(w->mem));

	put(w, to, "date", date);
	put(w, to, "number", slice_of(arena_fmt(w->mem, "%d", number)));
	put(w, to, "summary", slice_of(summary));
}

/* STIX knows the first and the last of the versions; CSAF wants them numbered. */
static void
write_tracking(struct csaf_writing *w, const json **self)
{
	json *to = json_put(w->mem, w->document, "tracking", json_object(w->mem)), *list;
	json *tree = w->report->tree;
	struct slice current = csaf_take(w, tree, "modified"), status;
	struct slice initial = csaf_take(w, tree, "created");

	if (current.n == 0)	/* no STIX, but it was taken in */
		current = initial.n > 0 ? initial : w->job->received;
	if (not_after(w, json_member(tree, "published"), current))
		initial = csaf_take(w, tree, "published");
	if (!not_after(w, initial, current))
		initial = current;
	put(w, to, "current_release_date", current);
	put(w, to, "id", tracking_id(w, self));
	put(w, to, "initial_release_date", initial);
	list = json_put(w->mem, to, "revision_history", json_list(w->mem));
	add_revision(w, list, initial, 1, "Initial version");
	csaf_generated(w, "document/tracking/revision_history", "STIX does not count versions");
	if (!not_after(w, current, initial))
		add_revision(w, list, current, 2, "Current version");
	status = csaf_label_word(w, tree, CSAF_LABEL_DOCUMENT);
	if (!csaf_has_word("draft final interim", status)) {
		status = SLICE_LIT("final");
		csaf_generated(w, "document/tracking/status", "what is sent out is final");
	}
	put(w, to, "status", status);
	put(w, to, "version", slice_of(json_count(list) > 1 ? "2" : "1"));
	csaf_generated(w, "document/tracking/version", "STIX does not count versions");
}

/* The label that all which goes into the document may bear. */
static enum tlp
strictest_label(const struct csaf_writing *w)
{
	struct csaf_labels sum = { .max = TLP_UNSET };

	for (size_t i = 0; i < w->n; i++)
		if (!w->job->no_residue || w->v[i].native)
			csaf_labels_add(&sum, w->v[i].o);
	return csaf_labels_say(&sum);
}

/* The texts of the statements that the report is marked with. */
static struct slice
statements(struct csaf_writing *w)
{
	struct strbuf text = STRBUF_INIT;
	struct slice s;

	for (json *k = json_first(json_get(w->report->tree, "object_marking_refs")); k != NULL;
	    k = json_next(k)) {
		struct csaf_part *p = csaf_part_find(w, json_slice(k));
		json *definition = p == NULL ? NULL : json_get(p->tree, "definition");

		if (json_member(definition, "statement").n == 0)
			continue;
		if (text.n > 0)
			strbuf_addc(&text, '\n');
		strbuf_addsl(&text, csaf_take(w, definition, "statement"));
		csaf_kept(w, k);
		p->native = true;
	}
	s = arena_slice(w->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

/* Mark what the label says of the markings: all of it, or something stricter. */
static void
mark_labels(struct csaf_writing *w, struct csaf_part *p, enum tlp label)
{
	for (json *k = json_first(json_get(p->tree, "object_marking_refs")); k != NULL; k = json_next(k)) {
		enum tlp t = tlp_of_marking_id(json_slice(k));

		if (t != TLP_UNSET)
			ledger_mark(w->ledger, k, t == label ? LOSS_KEPT : LOSS_APPROXIMATED, NULL);
	}
}

/* The label that stands there already, as a level; a document that came home may have another
 * word. */
static enum tlp
label_there(const struct csaf_writing *w)
{
	enum label_case word;

	return csaf_tlp_there(w->document, &word);
}

/* See csaf_write.h. Comes last: the label is that of what was written. */
void
csaf_write_label(struct csaf_writing *w)
{
	enum tlp label = strictest_label(w);
	bool relabel = label != label_there(w) && label != TLP_UNSET;
	struct slice text = statements(w);
	json *to = json_get(w->document, "distribution"), *tlp;

	if (to == NULL && (relabel || text.n > 0))
		to = json_put(w->mem, w->document, "distribution", json_object(w->mem));
	if (text.n > 0 && !slice_eq(text, json_member(to, "text")))
		put(w, to, "text", text);
	if (relabel) {
		tlp = json_get(to, "tlp");
		if (tlp == NULL)
			tlp = json_put(w->mem, to, "tlp", json_object(w->mem));
		put(w, tlp, "label", slice_of(csaf_tlp_word(label)));
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i].native && !w->v[i].home)
			mark_labels(w, &w->v[i], label);
}

/* The list of notes: the description, then the objects. */
static void
write_notes(struct csaf_writing *w)
{
	struct slice text = csaf_take(w, w->report->tree, "description");
	json *list = json_list(w->mem), *to;

	if (text.n > 0) {
		to = json_push(list, json_object(w->mem));
		put(w, to, "category", SLICE_LIT("summary"));
		put(w, to, "text", text);
	}
	for (struct csaf_link *l = w->notes.first; l != NULL; l = l->next)
		json_push(list, csaf_write_note(w, l->part));
	if (json_first(list) != NULL)
		json_put(w->mem, w->document, "notes", list);
}

void
csaf_write_document(struct csaf_writing *w)
{
	json *tree = w->report->tree, *ref;
	struct slice lang = json_member(tree, "lang"), title = csaf_take(w, tree, "name");
	const json *self = NULL;

	w->document = json_put(w->mem, w->root, "document", json_object(w->mem));
	csaf_wrote(w, w->report, w->document);
	csaf_kept(w, json_get(tree, "type"));
	put(w, w->document, "category", SLICE_LIT("csaf_base"));	/* until it is known */
	put(w, w->document, "csaf_version", SLICE_LIT("2.0"));
	if (csaf_is_language(lang))
		put(w, w->document, "lang", csaf_take(w, tree, "lang"));
	write_notes(w);
	write_publisher(w);
	put(w, w->document, "title", title.n > 0 ? title : w->report->o->id);
	write_tracking(w, &self);
	if (self != NULL && csaf_is_uri(json_member(self, "url"))) {
		ref = json_push(json_put(w->mem, w->document, "references", json_list(w->mem)),
		    json_object(w->mem));
		put(w, ref, "category", SLICE_LIT("self"));
		put(w, ref, "summary", json_member(json_get(w->document, "tracking"), "id"));
		put(w, ref, "url", json_member(self, "url"));
	}
	csaf_write_references(w, tree, w->document, false, self);
}
