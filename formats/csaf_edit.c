/*
 * csaf_edit.c -- an object that came out of a document was changed: so is its place there, and
 * nothing else.
 *
 * What the document gave (base) and what the object says now are compared property by property.
 * What differs and has a place is changed there; what has none stays as it was and is accounted as
 * dropped.
 */
#include "formats/csaf_check.h"
#include "formats/csaf_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* One object being taken home. */
struct edit {
	struct csaf_writing	*w;
	struct csaf_reading	*base;
	struct csaf_made	*m;
	struct csaf_part	*p;
	json			*element;
};

/* True if a property is no longer what the document gave. */
static bool
differs(const struct edit *d, const char *name)
{
	const json *was = json_get(d->m->tree, name), *is = json_get(d->p->tree, name);

	return (was == NULL) != (is == NULL) || (was != NULL && !json_equal(was, is));
}

/* A text property goes into a text member; without a text the member goes, if it may. */
static void
edit_text(struct edit *d, const char *name, json *to, const char *member, bool required)
{
	struct slice s = json_member(d->p->tree, name);

	if (!differs(d, name))
		return;
	csaf_kept(d->w, json_get(d->p->tree, name));
	if (s.n > 0)
		json_put_str(d->w->mem, to, member, s);
	else if (!required)
		json_remove(to, member);
}

/* Cut `part` and the blank line before or after it off the text, at its beginning or end. */
static bool
cut_start(struct slice *text, struct slice part)
{
	if (text->n < part.n + 2 || memcmp(text->p, part.p, part.n) != 0 ||
	    memcmp(text->p + part.n, "\n\n", 2) != 0)
		return false;
	*text = slice_from(text->p + part.n + 2, text->n - part.n - 2);
	return true;
}

static bool
cut_end(struct slice *text, struct slice part)
{
	const char *at = text->p + text->n - part.n;

	if (text->n < part.n + 2 || memcmp(at, part.p, part.n) != 0 || memcmp(at - 2, "\n\n", 2) != 0)
		return false;
	text->n -= part.n + 2;
	return true;
}

/* The notes that made a description; returns how many. */
static size_t
find_texts(struct arena *mem, json *notes, const char *categories, json ***out)
{
	size_t n = 0, cap = 0;
	json **v = NULL;

	for (json *k = json_first(notes); k != NULL; k = json_next(k)) {
		if (!csaf_has_word(categories, json_member(k, "category")) || json_member(k, "text").n == 0)
			continue;
		v = arena_grow(mem, v, n, &cap, sizeof(json *));
		v[n++] = k;
	}
	*out = v;
	return n;
}

/* A description goes back into the notes that it was made of: those whose text still stands at its
 * beginning or end stay as they are, the first of the others takes what is between. */
static void
edit_texts(struct edit *d, json *holder, const char *categories)
{
	struct arena *mem = d->w->mem;
	json *notes = json_get(holder, "notes"), **v;
	struct slice text = json_member(d->p->tree, "description");
	size_t n, from = 0, to;

	if (!differs(d, "description"))
		return;
	csaf_kept(d->w, json_get(d->p->tree, "description"));
	to = n = find_texts(mem, notes, categories, &v);
	while (from + 1 < to && cut_start(&text, json_member(v[from], "text")))
		from++;
	while (to > from + 1 && cut_end(&text, json_member(v[to - 1], "text")))
		to--;
	if (to > from && slice_eq(text, json_member(v[to - 1], "text"))) {
		to--;
	} else if (text.n > 0 && to > from) {
		json_put_str(mem, v[from++], "text", arena_slice(mem, text));
	} else if (text.n > 0) {
		json *note = json_object(mem);

		json_put_str(mem, note, "category", slice_cut(&(struct slice){ categories,
		    strlen(categories) }, ' '));
		json_put_str(mem, note, "text", text);
		json_push(notes != NULL ? notes : json_put(mem, holder, "notes", json_list(mem)), note);
	}
	for (; from < to; from++)
		json_detach(notes, v[from]);
	if (notes != NULL && json_first(notes) == NULL)
		json_remove(holder, "notes");
}

/* Take the first element of a list member away that says the same under two names. */
static bool
take_away(json *holder, const char *member, const char *a, struct slice x, const char *b, struct slice y)
{
	json *list = json_get(holder, member);

	for (json *k = json_first(list); k != NULL; k = json_next(k)) {
		if (!slice_eq(json_member(k, a), x) || !slice_eq(json_member(k, b), y))
			continue;
		json_detach(list, k);
		if (json_first(list) == NULL)
			json_remove(holder, member);
		return true;
	}
	return false;
}

/* A reference that the document gave is gone: so is its element. */
static void
remove_reference(const struct edit *d, const json *ref)
{
	struct slice source = json_member(ref, "source_name"), id = json_member(ref, "external_id");
	json *e = d->element;

	if (take_away(e, "references", "url", json_member(ref, "url"), "summary",
	    json_member(ref, "description")) || take_away(e, "ids", "system_name", source, "text", id))
		return;
	if (slice_is(source, "cve") && slice_eq(json_member(e, "cve"), id))
		json_remove(e, "cve");
	else if (slice_is(source, "cwe") && slice_eq(json_member(json_get(e, "cwe"), "id"), id))
		json_remove(e, "cwe");
}

/* References: those that went, then those that came. The first of a report names the document
 * itself. */
static void
edit_references(struct edit *d, bool report)
{
	json *was = json_get(d->m->tree, "external_references");
	json *is = json_get(d->p->tree, "external_references");
	json *came = json_object(d->w->mem), *list;
	struct csaf_set had = { .values = { 0 } }, has = { .values = { 0 } };

	if (!differs(d, "external_references"))
		return;
	csaf_set_fill(&had, d->w->mem, was);
	csaf_set_fill(&has, d->w->mem, is);
	for (const json *k = json_first(was); k != NULL; k = json_next(k))
		if ((!report || k != json_first(was)) && !csaf_set_has(&has, d->w->mem, k))
			remove_reference(d, k);
	list = json_put(d->w->mem, came, "external_references", json_list(d->w->mem));
	for (json *k = json_first(is); k != NULL; k = json_next(k)) {
		if (csaf_set_has(&had, d->w->mem, k)) {
			csaf_kept(d->w, k);
			continue;
		}
		csaf_kept(d->w, json_get(k, report ? "url" : "external_id"));
		if (report)
			json_push(list, json_copy(d->w->mem, k));
		else
			csaf_write_name(d->w, k, d->element, true);
	}
	if (report)
		csaf_write_references(d->w, came, d->element, false, NULL);
	else
		csaf_list_once(d->w->mem, json_get(d->element, "ids"));
}

/* The word behind a prefix in the labels of a tree. */
static struct slice
label_word(const json *tree, const char *prefix)
{
	size_t n = strlen(prefix);

	for (const json *k = json_first(json_get(tree, "labels")); k != NULL; k = json_next(k))
		if (slice_starts(json_slice(k), prefix))
			return slice_from(json_slice(k).p + n, json_slice(k).n - n);
	return SLICE_EMPTY;
}

/* A label with one of these words behind its prefix goes into a member. */
static void
edit_label(struct edit *d, const char *prefix, json *to, const char *member, const char *words)
{
	struct slice was = label_word(d->m->tree, prefix), is = label_word(d->p->tree, prefix);

	if (slice_eq(was, is) || !csaf_has_word(words, is))
		return;
	csaf_label_word(d->w, d->p->tree, prefix);
	json_put_str(d->w->mem, to, member, is);
}

static void
edit_report(struct edit *d)
{
	json *document = d->element, *tracking = d->base->tracking;

	edit_text(d, "name", document, "title", true);
	edit_texts(d, document, "summary description");
	edit_text(d, "lang", document, "lang", false);
	edit_text(d, "published", tracking, "initial_release_date", true);
	edit_references(d, true);
	edit_label(d, CSAF_LABEL_DOCUMENT, tracking, "status", "draft final interim");
	for (json *k = json_first(json_get(d->p->tree, "labels")); k != NULL; k = json_next(k))
		if (csaf_profile_of(json_slice(k)) != CSAF_BASE || slice_is(json_slice(k), "csaf_base")) {
			json_put_str(d->w->mem, document, "category", json_slice(k));
			csaf_kept(d->w, k);
			break;
		}
}

static void
edit_identity(struct edit *d)
{
	edit_text(d, "name", d->element, "name", true);
	edit_text(d, "contact_information", d->element, "contact_details", false);
}

static void
edit_statement(struct edit *d)
{
	struct slice s = json_member(json_get(d->p->tree, "definition"), "statement");

	csaf_kept(d->w, json_get(d->p->tree, "definition"));
	if (s.n > 0)
		json_put_str(d->w->mem, d->element, "text", s);
}

static void
edit_vulnerability(struct edit *d)
{
	edit_texts(d, d->element, "description details general summary");
	edit_references(d, false);
	edit_text(d, "name", d->element, "title", true);
}

static void
edit_action(struct edit *d)
{
	const json *ref = json_first(json_get(d->p->tree, "external_references"));
	struct slice url = json_member(ref, "url");

	edit_text(d, "description", d->element, "details", true);
	edit_label(d, CSAF_LABEL_REMEDY, d->element, "category", "mitigation workaround vendor_fix");
	if (!differs(d, "external_references"))
		return;
	if (csaf_is_uri(url))
		json_put_str(d->w->mem, d->element, "url", url);
	else
		json_remove(d->element, "url");
	csaf_kept(d->w, json_get(ref, "url"));
}

static void
edit_note(struct edit *d)
{
	bool note = json_get(d->element, "text") != NULL;

	edit_text(d, "content", d->element, note ? "text" : "details", true);
	if (!note)
		return;
	edit_text(d, "abstract", d->element, "title", false);
	edit_label(d, CSAF_LABEL_NOTE, d->element, "category",
	    "description details faq general legal_disclaimer other summary");
}

/* Name and version stand in the branch of the product, the CPE name with the product; a vendor is
 * that of many products and stays. */
static void
edit_software(struct edit *d)
{
	json *branch = d->m->software == NULL ? NULL : d->m->software->branch;
	struct slice category = json_member(branch, "category"), cpe = json_member(d->p->tree, "cpe");
	json *helper = json_get(d->element, "product_identification_helper");

	if (slice_starts(category, "product_version"))
		edit_text(d, "version", branch, "name", true);
	if (slice_is(category, "product_name"))
		edit_text(d, "name", branch, "name", true);
	else if (branch == NULL)
		edit_text(d, "name", d->element, "name", true);
	if (!differs(d, "cpe") || !csaf_is_cpe(cpe))
		return;
	if (helper == NULL)
		helper = json_put(d->w->mem, d->element, "product_identification_helper",
		    json_object(d->w->mem));
	json_put_str(d->w->mem, helper, "cpe", csaf_take(d->w, d->p->tree, "cpe"));
}

static const struct {
	const char	*type;
	void		(*edit)(struct edit *d);
} edits[] = {
	{ "report", edit_report }, { "identity", edit_identity }, { "marking-definition", edit_statement },
	{ "vulnerability", edit_vulnerability }, { "course-of-action", edit_action },
	{ "note", edit_note }, { "software", edit_software },
};

/* What is as it was is kept; the rest counts as dropped until it finds a place. */
static void
mark_differences(struct edit *d)
{
	static const char nowhere[] = "the document that came home has no place for it";

	for (json *k = json_first(d->p->tree); k != NULL; k = json_next(k)) {
		const char *name = json_name(k);

		if (strcmp(name, "extensions") == 0 || strcmp(name, "object_refs") == 0)
			continue;	/* the residue, and what is there or not */
		if (strcmp(name, "modified") == 0 || strcmp(name, "object_marking_refs") == 0)
			ledger_mark(d->w->ledger, k, LOSS_APPROXIMATED, "the document has one for all");
		else if (strcmp(name, "labels") == 0 && d->m->source != NULL)
			continue;	/* what they say goes into lists (csaf_edit_status.c) */
		else if (differs(d, name))
			ledger_mark(d->w->ledger, k, LOSS_DROPPED, nowhere);
	}
}

/* See csaf_write.h. */
void
csaf_edit(struct csaf_writing *w, struct csaf_reading *base, struct csaf_made *m, struct csaf_part *p)
{
	struct edit d = { .w = w, .base = base, .m = m, .p = p, .element = m->from };
	struct slice type = p->o->type;

	mark_differences(&d);
	for (size_t i = 0; i < COUNTOF(edits); i++)
		if (slice_is(type, edits[i].type))
			edits[i].edit(&d);
}

/* The list that an element of this key stands in. */
static const char *
list_of_key(struct slice key)
{
	if (slice_starts(key, "threat"))
		return "threats";
	return slice_starts(key, "note") ? "notes" : "remediations";
}

/* Take an element out of its list, if it is still there; an empty list goes too. */
static void
detach_from(json *holder, const char *name, json *element)
{
	json *list = json_get(holder, name), *k = json_first(list);

	while (k != NULL && k != element)
		k = json_next(k);
	if (k == NULL)
		return;
	json_detach(list, k);
	if (json_first(list) == NULL)
		json_remove(holder, name);
}

/* See csaf_write.h. Products, the publisher and what holds everything else stay. */
void
csaf_edit_away(struct csaf_writing *w, struct csaf_reading *base, struct csaf_made *m)
{
	struct slice type = json_member(m->tree, "type");
	json *holder = m->within != NULL ? m->within : base->document;

	if (slice_is(type, "note") || slice_is(type, "course-of-action"))
		detach_from(holder, list_of_key(m->key), m->from);
	else if (m->source != NULL && slice_starts(m->source->id, "course-of-action--"))
		detach_from(holder, "remediations", m->from);
	else if (slice_is(type, "vulnerability"))
		json_detach(json_get(w->root, "vulnerabilities"), m->from);
	else if (m == base->statement)
		json_remove(m->from, "text");
	if (json_get(w->root, "vulnerabilities") != NULL &&
	    json_first(json_get(w->root, "vulnerabilities")) == NULL)
		json_remove(w->root, "vulnerabilities");
	if (m == base->statement && json_first(m->from) == NULL)
		json_remove(base->document, "distribution");
}
