/* iodef_carry.c -- whole documents from one dialect to another, part by part (see iodef_carry.h). */
#include <stdint.h>
#include <string.h>

#include "formats/iodef1.h"
#include "formats/iodef_carry.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

struct carry {
	const struct iodef_way	*way;
	struct arena		*mem;
};

/* One part on its way: its own content, and the parts that were inside. */
struct part {
	const struct xml_node	*root;
	struct xml_node		*own;
	const struct xml_node	*carried;	/* AdditionalData that holds it in the other version */
	const struct xml_node	**inside;
	size_t			 n, cap;
};

/* ---- labels ----------------------------------------------------------------------------------- */

static enum tlp
level_of(const struct xml_node *n, enum tlp inherited)
{
	enum label_case label;

	if (xml_attr(n, "restriction") == NULL)
		return inherited;
	return iodef2_restriction_read(slice_trim(xml_value(n, "restriction")),
	    xml_value(n, "ext-restriction"), false, &label);
}

static enum tlp
strictest(const struct xml_node *n, enum tlp level)
{
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		level = strictest(k, tlp_join(level, level_of(k, level)));
	}
	return level;
}

static const char *
word_of(const struct iodef_model *m, enum tlp t)
{
	return m == &iodef1_model ? iodef1_restriction_word(t) : iodef2_restriction_word(t);
}

/* The word that the element around a carried part must bear; empty: none. */
static struct slice
carried_word(const struct iodef_model *in, const struct xml_node *own, enum tlp inherited)
{
	enum tlp level = level_of(own, inherited), most = strictest(own, level);

	return most != level ? slice_of(word_of(in, most)) : SLICE_EMPTY;
}

/* ---- order ------------------------------------------------------------------------------------ */

/* Where a child belongs by the schema; a place belongs where its part does. */
static size_t
order_of(const struct iodef_model *m, struct slice parent, const struct xml_node *n)
{
	struct xml_node part = *n;

	if (xml_is(n, IODEF1_NS_PART, IODEF1_PART)) {
		part.name = xml_value(n, "of");
		part.ns = slice_of(m->ns);
	}
	return iodef_order(m, parent, &part);
}

/* See iodef_carry.h. From the end: there is where most of them grow. */
void
iodef1_insert(const struct iodef_model *m, struct xml_node *parent, struct xml_node *child)
{
	size_t order = order_of(m, parent->name, child), at;
	struct xml_node *behind = NULL;

	for (struct xml_node *n = parent->last; n != NULL; behind = n, n = n->prev) {
		at = xml_is_text(n) ? SIZE_MAX : order_of(m, parent->name, n);
		if (at == SIZE_MAX || at <= order)
			break;
	}
	if (behind == NULL)
		xml_append(parent, child);
	else
		xml_insert(behind, child);
}

/* ---- parts ------------------------------------------------------------------------------------ */

static bool
is_in(const char *list, struct slice name)
{
	struct slice rest = slice_of(list);

	while (rest.n > 0) {
		if (slice_eq(slice_cut(&rest, ' '), name))
			return true;
	}
	return false;
}

/* Names of parts, and where both versions have them. */
const struct iodef_part iodef1_parts[] = {
	{ "Incident", "IODEF-Document" },
	{ "Contact", "Incident Contact EventData HistoryItem Expectation" },
	{ "Method", "Incident EventData" },
	{ "EventData", "Incident EventData" },
	{ "System", "Flow" },
	{ "RecordData", "Record" },
	{ "HistoryItem", "History" },
	{ "AdditionalData", "IODEF-Document Incident Contact Method EventData System RecordData "
	  "HistoryItem Assessment" },
	{ NULL, NULL }
};

/* Both dialects have this child there, or what moved holds no parts. */
static bool
is_common(const struct carry *c, const struct xml_node *n)
{
	static const char *const names = "Incident Contact Method EventData System RecordData HistoryItem "
	    "AdditionalData Flow Record History Expectation Assessment";

	return c->way->from == c->way->to || is_in(names, n->name);
}

/* An AdditionalData that stands for itself: there and back it is the same. */
static bool
is_plain(const struct carry *c, const struct xml_node *n)
{
	struct xml_node *there = c->way->forth(c->mem, n);

	return xml_equal(c->way->back(c->mem, there), n);
}

static bool
is_part(const struct carry *c, const struct xml_node *n)
{
	for (const struct iodef_part *p = c->way->parts; p->name != NULL; p++) {
		if (slice_is(n->name, p->name) && slice_is(n->ns, c->way->from->ns) &&
		    is_in(p->parents, n->parent->name))
			return !slice_is(n->name, "AdditionalData") || is_plain(c, n);
	}
	return false;
}

/* The part as it would be in the other version, if this AdditionalData holds one. */
static bool
is_carried(const struct carry *c, const struct xml_node *n)
{
	struct slice name = xml_value(n, "name");

	if (c->way->takes == NULL || !xml_is(n, c->way->from->ns, "AdditionalData"))
		return false;
	if (c->way->from == &iodef1_model)
		name = iodef1_meaning_read(xml_value(n, "meaning")).name;
	return slice_is(name, c->way->takes);
}

/* v1 keeps the AdditionalData of the document in the first Incident. */
static bool
is_of_document(const struct carry *c, const struct xml_node *n)
{
	return c->way->from == &iodef1_model && xml_is(n, IODEF1_NS, "AdditionalData") &&
	    slice_is(n->parent->name, "Incident") && n->parent->parent != NULL &&
	    n->parent == xml_get(n->parent->parent, "Incident") &&
	    iodef1_meaning_read(xml_value(n, "meaning")).document;
}

static struct xml_node *
copy_shell(struct arena *mem, const struct xml_node *n)
{
	struct xml_node *c = arena_alloc(mem, sizeof(*c));
	struct xml_attr **tail = &c->attrs;

	*c = *n;
	c->made_of = n;
	c->user = NULL;
	c->attrs = NULL;
	c->decls = NULL;
	c->parent = c->first = c->last = c->next = c->prev = NULL;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		struct xml_attr *b = arena_alloc(mem, sizeof(*b));

		*b = *a;
		b->next = NULL;
		b->made_of = &a->mark;
		b->mark = XML_UNSEEN;
		*tail = b;
		tail = &b->next;
	}
	c->mark = XML_UNSEEN;
	return c;
}

/* A place where a part was. */
static struct xml_node *
put_place(struct carry *c, struct part *p, struct xml_node *to, const struct xml_node *inside)
{
	struct xml_node *n = xml_new(c->mem, IODEF1_NS_PART, "", IODEF1_PART);

	xml_set(c->mem, n, "of", inside->name);
	xml_set(c->mem, n, "n", slice_of(arena_fmt(c->mem, "%zu", p->n)));
	xml_append(to, n);
	p->inside = arena_grow(c->mem, p->inside, p->n, &p->cap, sizeof(*p->inside));
	p->inside[p->n++] = inside;
	return n;
}

/* Copy what is below `from`; parts leave places. `common`: parts are looked for. */
static void
copy_own(struct carry *c, struct part *p, struct xml_node *to, const struct xml_node *from, bool common)
{
	for (struct xml_node *k = from->first; k != NULL; k = k->next) {
		struct xml_node *n;

		if (k->mark == XML_DROPPED)
			continue;
		if (xml_is_text(k)) {
			xml_add_text(c->mem, to, k->text)->made_of = &k->mark;
			continue;
		}
		if (is_of_document(c, k))
			continue;
		if (k == p->carried)
			continue;
		if (common && is_part(c, k)) {
			put_place(c, p, to, k);
			continue;
		}
		n = copy_shell(c->mem, k);
		n->decls = k->decls;
		xml_append(to, n);
		copy_own(c, p, n, k, common && is_common(c, k));
	}
}

/* v1: what the first Incident keeps for the document. */
static void
take_document_data(struct carry *c, struct part *p)
{
	struct xml_node *k = xml_get(xml_get(p->root, "Incident"), "AdditionalData");

	for (; k != NULL && c->way->from == &iodef1_model; k = xml_more(k)) {
		if (is_of_document(c, k) && k != p->carried)
			put_place(c, p, p->own, k);
	}
}

/* The last AdditionalData that holds the part: there it was put. */
static const struct xml_node *
find_carried(const struct carry *c, const struct xml_node *root)
{
	bool document = root->parent == NULL && c->way->from == &iodef1_model;
	const struct xml_node *k = xml_get(document ? xml_get(root, "Incident") : root, "AdditionalData");
	const struct xml_node *last = NULL;

	for (; k != NULL; k = xml_more(k)) {
		if (is_of_document(c, k) == document && is_carried(c, k))
			last = k;
	}
	return last;
}

static void
open_part(struct carry *c, struct part *p, const struct xml_node *root)
{
	*p = (struct part){ .root = root, .carried = find_carried(c, root) };
	p->own = copy_shell(c->mem, root);
	p->own->parent = root->parent;	/* for what it inherits; the parent does not know it */
	copy_own(c, p, p->own, root, true);
	if (root->parent == NULL)
		take_document_data(c, p);
}

/* The places below n, by number; false if one is wrong or met twice. */
static bool
find_places(struct xml_node *n, struct xml_node **v, size_t count)
{
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		unsigned long long at;

		if (!xml_is(k, IODEF1_NS_PART, IODEF1_PART)) {
			if (!find_places(k, v, count))
				return false;
			continue;
		}
		if (!slice_u64(xml_value(k, "n"), &at) || at >= count || v[at] != NULL)
			return false;
		v[at] = k;
	}
	return true;
}

/* ---- carried parts ---------------------------------------------------------------------------- */

/* The places of all parts in what is carried; NULL if they are not just these. */
static struct xml_node **
places_of(struct carry *c, struct xml_node *n, size_t count, bool all)
{
	struct xml_node **v = arena_alloc(c->mem, (count + 1) * sizeof(*v));

	if (!find_places(n, v, count))
		return NULL;
	for (size_t i = 0; i < count && all; i++) {
		if (v[i] == NULL)
			return NULL;
	}
	return v;
}

/* The part as the other version had it, if that is what it says natively. */
static struct xml_node *
use_carried(struct carry *c, const struct part *p, enum tlp inherited, struct xml_node ***places)
{
	struct slice have, want;
	struct xml_node *made;
	enum label_case label;
	enum tlp said;

	if (xml_parse(xml_text(p->carried, c->mem), NULL, c->mem, &made, NULL) < 0 ||
	    !slice_eq(made->name, p->root->name) || !slice_is(made->ns, c->way->to->ns))
		return NULL;
	made->parent = p->own->parent;
	*places = places_of(c, made, p->n, true);
	if (*places == NULL || !xml_equal(c->way->back(c->mem, made), p->own))
		return NULL;
	made->made_of = p->root;
	have = slice_trim(xml_value(p->carried, "restriction"));
	want = carried_word(c->way->from, made, inherited);
	said = iodef2_restriction_read(have, SLICE_EMPTY, false, &label);
	if (have.n > 0 && !slice_eq(have, want) &&
	    iodef2_is_stricter(said, level_of(made, inherited))) {
		/* somebody wants it kept closer than it was */
		xml_set(c->mem, made, "restriction", slice_of(word_of(c->way->to, said)));
		xml_unset(made, "ext-restriction");
	}
	return made;
}

static void
mark_used(struct xml_node *n)
{
	n->mark = XML_KEPT;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		a->mark = XML_KEPT;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		mark_used(k);
}

/* The leaves that the copy n was made of. */
static void
mark_origin(const struct xml_node *n)
{
	if (n->made_of != NULL && xml_is_text(n))
		*(enum xml_mark *)n->made_of = XML_KEPT;
	else if (n->made_of != NULL && n->first == NULL && n->attrs == NULL)
		((struct xml_node *)n->made_of)->mark = XML_KEPT;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->made_of != NULL)
			*(enum xml_mark *)a->made_of = XML_KEPT;
	}
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		mark_origin(k);
}

/* A copy of an element of the input as it stands, with all parts. */
static struct xml_node *
copy_whole(struct carry *c, const struct xml_node *n)
{
	struct xml_node *copy = copy_shell(c->mem, n);
	struct part none = { .root = NULL };

	copy->decls = n->decls;
	copy_own(c, &none, copy, n, false);
	return copy;
}

/* How the places come in the other dialect: there they are counted anew on the way back. */
static void
count_places(const struct xml_node *made, size_t *number, size_t count, size_t *next)
{
	for (const struct xml_node *k = xml_child(made); k != NULL; k = xml_sibling(k)) {
		unsigned long long at;

		if (!xml_is(k, IODEF1_NS_PART, IODEF1_PART))
			count_places(k, number, count, next);
		else if (slice_u64(xml_value(k, "n"), &at) && at < count)
			number[at] = (*next)++;
	}
}

/* Give the places these numbers; parts that the other dialect has no place for stay where they are. */
static void
settle_places(struct carry *c, const struct part *p, struct xml_node *own, const size_t *number)
{
	struct xml_node *after;

	for (struct xml_node *k = xml_child(own); k != NULL; k = after) {
		unsigned long long at;

		after = xml_sibling(k);
		if (!xml_is(k, IODEF1_NS_PART, IODEF1_PART))
			settle_places(c, p, k, number);
		else if (!slice_u64(xml_value(k, "n"), &at) || at >= p->n)
			continue;
		else if (number[at] == SIZE_MAX)
			xml_replace(k, copy_whole(c, p->inside[at]));
		else
			xml_set(c->mem, k, "n", slice_of(arena_fmt(c->mem, "%zu", number[at])));
	}
}

/* Put the part as it was beside what became of it. */
static void
add_carried(struct carry *c, const struct part *p, struct xml_node *made, enum tlp inherited)
{
	struct xml_node *n = xml_new(c->mem, c->way->to->ns, "", "AdditionalData"), *own;
	size_t *number = arena_alloc(c->mem, (p->n + 1) * sizeof(*number)), next = 0;
	struct strbuf text = STRBUF_INIT;
	struct slice word;

	for (size_t i = 0; i < p->n; i++)
		number[i] = SIZE_MAX;
	count_places(made, number, p->n, &next);
	own = xml_copy(c->mem, p->own);
	settle_places(c, p, own, number);
	word = carried_word(c->way->to, own, inherited);

	if (c->way->to != &iodef1_model)
		xml_set(c->mem, n, "name", slice_of(c->way->adds));
	xml_set(c->mem, n, "dtype", SLICE_LIT("xml"));
	if (c->way->to == &iodef1_model)
		xml_set(c->mem, n, "meaning", slice_of(arena_fmt(c->mem, "[%s]", c->way->adds)));
	if (word.n > 0)
		xml_set(c->mem, n, "restriction", word);
	xml_print(&text, own, 0);
	xml_add_text(c->mem, n, strbuf_slice(&text));
	strbuf_fini(&text);
	xml_append(made, n);
}

/* ---- documents -------------------------------------------------------------------------------- */

/* One part with all that is inside. Depth is that of the input, which has a limit. */
static struct xml_node *
convert(struct carry *c, const struct xml_node *root, enum tlp inherited)
{
	struct xml_node *made = NULL, **places = NULL;
	enum tlp level = level_of(root, inherited);
	struct part p;

	if (slice_is(root->name, "AdditionalData"))
		return c->way->forth(c->mem, copy_whole(c, root));
	open_part(c, &p, root);
	if (p.carried != NULL) {
		made = use_carried(c, &p, inherited, &places);
		if (made != NULL) {
			mark_used((struct xml_node *)p.carried);
			mark_origin(p.own);
		} else
			put_place(c, &p, p.own, p.carried);
	}
	if (made == NULL) {
		made = c->way->forth(c->mem, p.own);
		places = places_of(c, made, p.n, false);
		made->parent = root->parent;
		if (c->way->adds != NULL && !xml_equal(c->way->back(c->mem, made), p.own))
			add_carried(c, &p, made, inherited);
	}
	made->parent = NULL;
	for (size_t i = 0; places != NULL && i < p.n; i++) {
		if (places[i] != NULL)
			xml_replace(places[i], convert(c, p.inside[i], level));
	}
	return made;
}

/* See iodef_carry.h. */
struct xml_node *
iodef_carry(const struct iodef_way *way, struct arena *mem, const struct xml_node *doc)
{
	struct carry c = { way, mem };

	return convert(&c, doc, TLP_RED);
}

/* A leaf that went to several places is as well kept as the best of them. */
static void
raise(enum xml_mark *to, enum xml_mark mark)
{
	static const int ranks[] = {
		[XML_UNSEEN] = 1, [XML_MOVED] = 1, [XML_DROPPED] = 0, [XML_APPROXIMATED] = 2,
		[XML_KEPT] = 3,
	};

	if (*to == XML_UNSEEN || ranks[mark] > ranks[*to])
		*to = mark;
}

/* See iodef_carry.h. */
void
iodef_take_marks(const struct xml_node *n)
{
	if (xml_is_text(n)) {
		if (n->made_of != NULL)
			raise((enum xml_mark *)n->made_of, n->mark);
		return;
	}
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->made_of != NULL)
			raise((enum xml_mark *)a->made_of, a->mark);
	}
	if (n->made_of != NULL) {
		struct xml_node *from = (struct xml_node *)n->made_of;

		if (from->first == NULL && from->attrs == NULL)
			raise(&from->mark, n->mark);
	}
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		iodef_take_marks(k);
}
