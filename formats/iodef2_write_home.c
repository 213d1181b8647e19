/*
 * iodef2_write_home.c -- what came as IODEF goes home as it was (iodef2.h, first half).
 *
 *	report fits its S	its xml, with the xml of each object that fits in the place of its cut
 *	object changed		its place is emptied; it is written natively, with what only IODEF can
 *				say (`moved`) copied from its xml
 *	object not there	its place is emptied: it may be withheld from whoever gets this
 *	the rest		what a reader would make of the result by itself is not written again
 *
 * The residue comes from the sender like everything else: it is parsed with the limits of a document,
 * and its labels never weaken those of the objects.
 */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* What a made-up residue may cost. */
enum {
	NESTING_MAX = 16, MOVED_MAX = 2000, STRANGERS_MAX = 20000, PLACES_MAX = 1000,
	VERSIONS_MAX = 64, DEPTH_MAX = 64
};

static struct xml_node *build(struct iw *w, struct iw_obj *ob, const json *place, unsigned depth);

/* R or one of R.more: the k-th place that the object fills. */
static const json *
place_at(const struct iw_obj *ob, size_t k)
{
	const json *r = iodef2_residue(ob->o->tree);

	if (k >= PLACES_MAX)
		return NULL;
	return k == 0 ? r : json_at(json_get(r, "more"), k - 1);
}

static void
nodes_add(struct iw *w, struct iw_nodes *l, struct xml_node *n)
{
	l->v = arena_grow(w->mem, l->v, l->n, &l->cap, sizeof(struct xml_node *));
	l->v[l->n++] = n;
}

static struct xml_node *
parse(struct iw *w, struct slice xml, const char *element)
{
	struct xml_node *root;

	if (xml.n == 0 || xml_reader_parse(w->reader, xml, NULL, &root, NULL) < 0)
		return NULL;
	return element == NULL || xml_is(root, IODEF2_NS, element) ? root : NULL;
}

static bool
hash_fits(struct iw *w, struct iw_obj *ob, struct slice hash)
{
	if (ob->hash == NULL) {		/* a residue may ask thousands of times */
		ob->hash = arena_alloc(w->mem, 65);
		iodef2_object_hash(ob->o->tree, ob->hash);
	}
	return slice_is(hash, ob->hash);
}

/* The version of that object with that hash, NULL if none is there. */
static struct iw_obj *
fitting_version(struct iw *w, struct slice id, struct slice hash)
{
	const struct iw_ref *rows;
	size_t i, n;

	rows = iw_rows(&w->versions, id, &n);
	for (i = 0; i < n && i < VERSIONS_MAX; i++)
		if (hash_fits(w, rows[i].obj, hash))
			return rows[i].obj;
	return NULL;
}

/* An event is shown as it was only if all that it shows is there. */
static bool
refs_are_there(const struct iw *w, const struct iw_obj *ob)
{
	json *ref;

	if (!slice_is(ob->o->type, "observed-data"))
		return true;
	ref = json_first(json_get(ob->o->tree, "object_refs"));
	for (; ref != NULL; ref = json_next(ref))
		if (iw_find(w, json_slice(ref)) == NULL)
			return false;
	return true;
}

/* Elements that became objects without an xml of their own: out with those that are gone or changed. */
static bool
drop_strangers(struct iw *w, struct xml_node *root, const json *place)
{
	struct iw_nodes out = { NULL, 0, 0 };
	struct xml_node *n;
	struct iw_obj *ob;
	json *row = json_first(json_get(place, "objects"));
	size_t i, count;

	for (count = 0; row != NULL; row = json_next(row), count++) {
		if (count == STRANGERS_MAX)
			return false;
		n = xml_at(root, json_member(row, "path"));
		if (n == NULL || n == root)
			continue;
		ob = fitting_version(w, json_member(row, "id"), json_member(row, "sha256"));
		if (ob != NULL)
			iw_claim(w, ob, n);
		else
			nodes_add(w, &out, n);
	}
	for (i = 0; i < out.n; i++)	/* all found before the first goes: paths count siblings */
		xml_detach(out.v[i]);
	return true;
}

static void
find_cuts(struct iw *w, struct xml_node *n, struct iw_nodes *cuts)
{
	struct xml_node *c;

	for (c = xml_child(n); c != NULL; c = xml_sibling(c)) {
		if (xml_is(c, IODEF2_NS_CUT, "cut"))
			nodes_add(w, cuts, c);
		else
			find_cuts(w, c, cuts);
	}
}

/* What stood where the cut is; NULL if it is not to be shown. */
static struct xml_node *
fill_cut(struct iw *w, const struct iw_obj *owner, const json *place, const struct xml_node *cut,
    unsigned depth)
{
	struct slice ref = xml_value(cut, "ref");
	const struct iw_ref *rows;
	const json *next;
	unsigned long long part;
	size_t i, n;

	if (slice_starts(ref, "part:")) {
		if (!slice_u64(slice_from(ref.p + 5, ref.n - 5), &part))
			return NULL;
		return parse(w, json_slice(json_at(json_get(place, "parts"), (size_t)part)), NULL);
	}
	rows = iw_rows(&w->versions, ref, &n);
	for (i = 0; i < n && i < VERSIONS_MAX; i++) {
		next = place_at(rows[i].obj, rows[i].obj->places);
		if (next == NULL || !slice_eq(json_member(next, "in"), owner->o->id))
			continue;
		rows[i].obj->places++;
		return build(w, rows[i].obj, next, depth + 1);
	}
	return NULL;
}

static void
fill_cuts(struct iw *w, const struct iw_obj *ob, const json *place, struct xml_node *root,
    unsigned depth)
{
	struct iw_nodes cuts = { NULL, 0, 0 };
	struct xml_node *n;
	size_t i;

	find_cuts(w, root, &cuts);
	for (i = 0; i < cuts.n; i++) {
		n = fill_cut(w, ob, place, cuts.v[i], depth);
		if (n != NULL)
			xml_replace(cuts.v[i], n);
		else
			xml_detach(cuts.v[i]);
	}
}

static bool
has_attribute(const struct xml_node *n, const char *name)
{
	const struct iodef2_class *class = iodef2_class(n->name);
	struct slice rest, word;

	rest = class == NULL || !slice_is(n->ns, IODEF2_NS) ? SLICE_EMPTY : slice_of(class->attrs);
	while (rest.n > 0) {
		word = slice_cut(&rest, ' ');
		if (slice_is(word, name))
			return true;
	}
	return false;
}

/* The strictest label that stands anywhere in the element. */
static enum tlp
label_within(const struct xml_node *n)
{
	enum tlp label = TLP_CLEAR;
	struct xml_node *c;

	if (xml_value(n, "restriction").n > 0)
		label = iw_label_at(n);
	else if (slice_is(n->name, "Incident"))
		label = TLP_RED;	/* RFC 7970: private */
	for (c = xml_child(n); c != NULL; c = xml_sibling(c))
		label = iw_label_join(label, label_within(c));
	return label;
}

/* The object has the strictest label of its element, be it that of a part. Where not even a part says
 * as much, somebody has made the object stricter since: the whole element follows. */
static void
keep_label(struct iw *w, struct xml_node *n, enum tlp label)
{
	if (!has_attribute(n, "restriction") || label == TLP_UNSET ||
	    iw_label_covers(label_within(n), label) ||
	    (n->parent != NULL && iw_label_covers(iw_label_at(n->parent), label) &&
	    xml_value(n, "restriction").n == 0))
		return;
	iw_set(w, n, "restriction", iodef2_restriction_word(label));
	xml_unset(n, "ext-restriction");
}

/* The element as it came, if the object is what was made of it. */
static struct xml_node *
build(struct iw *w, struct iw_obj *ob, const json *place, unsigned depth)
{
	struct xml_node *root;
	struct slice element = json_member(place, "element");

	if (depth > NESTING_MAX || element.n == 0 ||
	    !hash_fits(w, ob, json_member(place, "sha256")) || !refs_are_there(w, ob))
		return NULL;
	root = parse(w, json_member(place, "xml"), element.p);
	if (root == NULL)
		return NULL;
	if (!drop_strangers(w, root, place))
		return NULL;
	fill_cuts(w, ob, place, root, depth);
	nodes_add(w, &w->home, root);
	root->user = ob;
	ob->done = true;
	return root;
}

/* ---- what only IODEF can say, for objects that changed ------------------------------------- */

/* May the parent take one more of these? */
static bool
has_room(const struct xml_node *parent, const struct xml_node *child)
{
	const struct iodef2_class *class = iodef2_class(parent->name);
	size_t at = iodef2_order(parent->name, child);

	if (at == SIZE_MAX)
		return false;
	return class->children[at].max == 0 ||
	    xml_get_ns(parent, child->ns.p, child->name.p) == NULL;
}

/* The element below `to` that says the same as `from`: its first part is the same. Ordinals do not
 * help, an object may have been written elsewhere. */
static struct xml_node *
counterpart(struct iw *w, const struct xml_node *to, const struct xml_node *from)
{
	const struct xml_node *part = xml_child(from), *mine;
	struct xml_node *c;

	for (c = xml_get_ns(to, from->ns.p, from->name.p); c != NULL; c = xml_more(c)) {
		mine = xml_child(c);
		if (part != NULL ? mine != NULL && xml_equal(part, mine) : mine == NULL &&
		    slice_eq(xml_text_line(c, w->mem), xml_text_line(from, w->mem)))
			return c;
	}
	return NULL;
}

/* Copy the node or attribute at `path` below `from` to where it belongs below `to`. */
static void
copy_moved(struct iw *w, struct xml_node *to, const struct xml_node *from, struct slice path)
{
	struct slice rest = path, step;
	const char *name;
	struct xml_attr *a;

	while (to != NULL && from != NULL) {
		step = slice_cut(&rest, '/');
		if (step.n == 0)
			return;
		if (step.p[0] == '@') {
			name = arena_str(w->mem, slice_from(step.p + 1, step.n - 1));
			a = xml_attr(from, name);
			if (a != NULL && xml_attr(to, name) == NULL &&
			    strcmp(name, "restriction") != 0 &&
			    strcmp(name, "ext-restriction") != 0)
				xml_set(w->mem, to, name, a->value);
			return;
		}
		from = xml_at(from, step);
		if (from == NULL)
			return;
		if (rest.n == 0) {
			if (has_room(to, from))
				iodef2_insert(to, xml_copy(w->mem, from));
			return;
		}
		to = counterpart(w, to, from);
	}
}

/* The object was written natively as `n`: add what its xml had and STIX has not. */
void
iw_home_moved(struct iw *w, const struct iw_obj *ob, struct xml_node *n)
{
	const json *place = place_at(ob, 0);
	struct xml_node *from;
	struct iw_nodes cuts = { NULL, 0, 0 };
	json *path;
	size_t i, count = 0;

	if (place == NULL || json_count(json_get(place, "moved")) == 0)
		return;
	from = parse(w, json_member(place, "xml"), NULL);
	if (from == NULL || !slice_eq(from->name, n->name))
		return;
	find_cuts(w, from, &cuts);
	for (i = 0; i < cuts.n; i++)
		xml_detach(cuts.v[i]);
	path = json_first(json_get(place, "moved"));
	for (; path != NULL && count < MOVED_MAX; path = json_next(path), count++)
		copy_moved(w, n, from, json_slice(path));
}

/* ---- documents ----------------------------------------------------------------------------- */

/* Attributes and AdditionalData of the document that the first report came in. */
static void
restore_document(struct iw *w, const json *document)
{
	json *m;
	struct xml_node *n;

	xml_unset(w->doc, "xml:lang");
	for (m = json_first(json_get(document, "attributes")); m != NULL; m = json_next(m))
		if (has_attribute(w->doc, json_name(m)) || strcmp(json_name(m), "xml:lang") == 0)
			xml_set(w->mem, w->doc, json_name(m), json_slice(m));
	if (xml_value(w->doc, "version").n == 0)
		iw_set(w, w->doc, "version", "2.00");
	for (m = json_first(json_get(document, "children")); m != NULL; m = json_next(m))
		if ((n = parse(w, json_slice(m), "AdditionalData")) != NULL)
			xml_append(w->doc, n);
}

/* xs:ID values that stand in what came home. */
static void
take_ids(struct iw *w, struct xml_node *n)
{
	struct xml_node *c;

	if (xml_value(n, "observable-id").n > 0)
		iw_take_id(w, xml_value(n, "observable-id"));
	if (slice_is(n->name, "IndicatorID"))
		iw_take_id(w, xml_text_trim(n, w->mem));
	for (c = xml_child(n); c != NULL; c = xml_sibling(c))
		take_ids(w, c);
}

/* A reader makes `object`: if it is one of ours, it need not be written. */
static void
cover(void *arg, const json *object)
{
	struct iw *w = arg;
	const struct iw_ref *rows;
	size_t n;

	rows = iw_rows(&w->versions, json_member(object, "id"), &n);
	for (size_t i = 0; i < n; i++)
		if (!rows[i].obj->covered && json_equal(rows[i].obj->o->tree, object))
			rows[i].obj->covered = rows[i].obj->done = true;
}

/* S of our object of that id: if a reader makes another one of that id, that one is not covered. */
static const char *
known_hash(void *arg, struct slice id)
{
	struct iw *w = arg;
	const struct iw_ref *rows;
	size_t n;

	rows = iw_rows(&w->versions, id, &n);
	return n == 1 ? rows[0].obj->hash : NULL;
}

static unsigned
depth_of(const struct xml_node *n)
{
	unsigned deepest = 0, d;

	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		if ((d = depth_of(k)) > deepest)
			deepest = d;
	return deepest + 1;
}

/* What a reader makes of the document by itself is not written again: relationships, observables,
 * definitions. If it makes exactly these objects, no residue is needed either. */
static void
mark_covered(struct iw *w)
{
	struct read_job job = { .input = "own IODEF", .received = w->job->received };
	struct iodef2_question q = { .each = cover, .hash = known_hash, .arg = w };
	size_t i = 0;

	if (depth_of(w->doc) > DEPTH_MAX)	/* pieces in pieces: nobody reads that */
		return;
	iodef2_derive(&job, w->mem, xml_copy(w->mem, w->doc), &q);
	while (i < w->n && w->v[i].covered)
		i++;
	if (i < w->n)
		return;
	for (i = 0; i < w->n; i++)
		w->v[i].home = true;
}

/* The report claims its id only: what is in the Incident has claims of its own. */
static void
claim_home(struct iw *w)
{
	struct iw_obj *ob;
	struct xml_node *n;
	size_t i;

	for (i = 0; i < w->home.n; i++) {
		n = w->home.v[i];
		ob = n->user;
		n->user = NULL;
		keep_label(w, n, iw_label(ob->o));
		iw_claim(w, ob, slice_is(n->name, "Incident") ? xml_get(n, "IncidentID") : n);
	}
	w->home.n = 0;
}

/* Incidents whose report came from IODEF and is unchanged. */
void
iw_home(struct iw *w)
{
	struct iw_incident *inc;
	const json *place, *document = NULL;
	size_t i;

	for (i = 0; i < w->nincidents; i++) {
		inc = &w->incidents[i];
		place = inc->report == NULL ? NULL : place_at(inc->report, 0);
		if (place == NULL || !slice_is(json_member(place, "element"), "Incident"))
			continue;
		inc->report->places = 1;
		inc->node = build(w, inc->report, place, 0);
		if (inc->node == NULL)
			continue;
		iodef2_insert(w->doc, inc->node);
		inc->home = true;
		inc->id = xml_text_trim(xml_get(inc->node, "IncidentID"), w->mem);
		take_ids(w, inc->node);
		if (document == NULL)
			document = json_get(place, "document");
	}
	if (w->home.n == 0)
		return;
	if (document != NULL)
		restore_document(w, document);
	claim_home(w);
	mark_covered(w);
}

/* Where an element of that name stands in an Incident that we write. */
static struct xml_node *
home_parent(struct iw *w, struct iw_incident *inc, struct slice element)
{
	static const char *const pairs[][2] = { { "Indicator", "IndicatorData" },
	    { "HistoryItem", "History" }, { "EventData", NULL } };
	struct xml_node *n;
	size_t i;

	for (i = 0; i < 3 && !slice_is(element, pairs[i][0]); i++)
		;
	if (i == 3)
		return NULL;
	if (pairs[i][1] == NULL)
		return inc->node;
	n = xml_get(inc->node, pairs[i][1]);
	return n != NULL ? n : iw_el(w, inc->node, pairs[i][1]);
}

/* A member that came from IODEF in an Incident that did not: its own element as it came. */
bool
iw_home_member(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	const json *place = place_at(ob, 0);
	struct slice element = json_member(place, "element");
	struct xml_node *n, *id;

	if (place == NULL || ob->places > 0 ||
	    (!slice_is(element, "Indicator") && !slice_is(element, "HistoryItem") &&
	    !slice_is(element, "EventData")))
		return false;
	ob->places = 1;
	n = build(w, ob, place, 0);
	id = xml_get(n, "IndicatorID");
	if (n == NULL || (id != NULL && !iw_take_id(w, xml_text_trim(id, w->mem)))) {
		w->home.n = 0;
		ob->done = false;
		return false;
	}
	iodef2_insert(home_parent(w, inc, element), n);
	claim_home(w);
	return true;
}
