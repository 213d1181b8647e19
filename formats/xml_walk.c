/* xml_walk.c -- see xml_walk.h. */
#include "formats/xml_walk.h"

#include "formats/idmap.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Ordinals of all children, by one sort. */
static size_t *
sort_ordinals(struct arena *mem, const struct xml_node *parent)
{
	struct idmap names = { 0 };
	size_t *ordinals, i = 0, run = 0;

	for (const struct xml_node *k = xml_child(parent); k != NULL; k = xml_sibling(k))
		idmap_add(&names, mem, k->name, i++);
	idmap_sort(&names);
	ordinals = arena_alloc(mem, (i + 1) * sizeof(*ordinals));
	for (i = 0; i < names.n; i++) {
		run = i > 0 && slice_eq(names.v[i].id, names.v[i - 1].id) ? run + 1 : 1;
		ordinals[names.v[i].value] = run;
	}
	return ordinals;
}

/* Return the ordinal of the next child n. */
size_t
xml_next_ordinal(struct arena *mem, struct xml_names *t, const struct xml_node *n)
{
	t->next++;
	for (size_t i = 0; i < t->n && t->all == NULL; i++) {
		if (slice_eq(t->name[i], n->name))
			return ++t->count[i];
	}
	if (t->all == NULL && t->n < XML_NAMES_MAX) {
		t->name[t->n] = n->name;
		t->count[t->n++] = 1;
		return 1;
	}
	if (t->all == NULL)
		t->all = sort_ordinals(mem, n->parent);
	return t->all[t->next - 1];
}

/* Append a step to an element. */
void
xml_add_step(struct strbuf *path, const struct xml_node *n, size_t ordinal)
{
	if (path->n > 0)
		strbuf_addc(path, '/');
	strbuf_addsl(path, n->name);
	strbuf_addc(path, '[');
	strbuf_addn(path, (int64_t)ordinal);
	strbuf_addc(path, ']');
}

/* Append a step to an attribute. */
void
xml_add_attr_step(struct strbuf *path, const struct xml_attr *a)
{
	if (path->n > 0)
		strbuf_addc(path, '/');
	strbuf_addc(path, '@');
	if (a->prefix.n > 0) {
		strbuf_addsl(path, a->prefix);
		strbuf_addc(path, ':');
	}
	strbuf_addsl(path, a->name);
}

/* True if n, an attribute or anything below has a mark. */
bool
xml_was_touched(const struct xml_node *n)
{
	if (n->mark != XML_UNSEEN)
		return true;
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark != XML_UNSEEN)
			return true;
	}
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_was_touched(k))
			return true;
	}
	return false;
}

struct account {
	struct loss			*loss;
	struct arena			*mem;
	const struct xml_account	*notes;
	struct strbuf			 path;
};

/* Enter the leaf at the current path. */
static void
account_leaf(struct account *a, enum xml_mark mark)
{
	static const enum loss_kind kinds[] = {
		[XML_UNSEEN] = LOSS_MOVED, [XML_KEPT] = LOSS_KEPT,
		[XML_APPROXIMATED] = LOSS_APPROXIMATED, [XML_MOVED] = LOSS_MOVED,
		[XML_DROPPED] = LOSS_DROPPED,
	};
	const char *notes[LOSS_KINDS] = {
		[LOSS_MOVED] = a->notes->moved, [LOSS_APPROXIMATED] = a->notes->approximated,
		[LOSS_DROPPED] = a->notes->dropped,
	};

	loss_add(a->loss, kinds[mark], a->path.p, notes[kinds[mark]]);
}

static void
account_node(struct account *a, const struct xml_node *n)
{
	struct xml_names names = XML_NAMES_INIT;
	size_t n_path = a->path.n;

	for (const struct xml_attr *t = n->attrs; t != NULL; t = t->next) {
		xml_add_attr_step(&a->path, t);
		if (slice_is(t->ns, XML_NS_XSI) && slice_ends(t->name, "chemaLocation"))
			loss_add(a->loss, LOSS_DROPPED, a->path.p, "never followed");
		else
			account_leaf(a, t->mark);
		strbuf_setlen(&a->path, n_path);
	}
	if (n->first == NULL && n->attrs == NULL)
		account_leaf(a, n->mark);
	for (const struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k)) {
			account_leaf(a, k->mark);
			continue;
		}
		xml_add_step(&a->path, k, xml_next_ordinal(a->mem, &names, k));
		account_node(a, k);
		strbuf_setlen(&a->path, n_path);
	}
}

/* Enter every leaf of root. */
void
xml_account(struct loss *l, struct arena *mem, const struct xml_node *root, const char *prefix,
    const struct xml_account *notes)
{
	struct account a = { .loss = l, .mem = mem, .notes = notes, .path = STRBUF_INIT };

	strbuf_adds(&a.path, prefix);
	if (l != NULL)
		account_node(&a, root);
	strbuf_fini(&a.path);
}

/* Hash the object as it was derived: without our extension (and `extensions`, if it has no other), and a
 * report without its list. */
void
residue_object_hash(const json *object, const char *extension, char out[65])
{
	const json *ext = json_get(object, "extensions"), *without[2] = { json_get(ext, extension), NULL };
	struct strbuf text = STRBUF_INIT;

	if (without[0] != NULL && json_next(json_first(ext)) == NULL)
		without[0] = ext;
	if (slice_is(json_member(object, "type"), "report"))
		without[1] = json_get(object, "object_refs");
	json_print_jcs_without(&text, object, without, COUNTOF(without));
	digest_sha256_hex(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

void
xml_mark_own(struct xml_node *n, enum xml_mark mark)
{
	if (n == NULL)
		return;
	n->mark = mark;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		if (xml_is_text(k))
			k->mark = mark;
}

void
xml_mark_all(struct xml_node *n, enum xml_mark mark)
{
	if (n == NULL)
		return;
	n->mark = mark;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		a->mark = mark;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		xml_mark_all(k, mark);
}

/* How many bytes of the character at s.p[i], which XML cannot hold (or hardly); 0 if it can. */
static size_t
unsafe_at(struct slice s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
		return 1;
	return c == 0xef && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xbf &&
	    (unsigned char)s.p[i + 2] >= 0xbe ? 3 : 0;
}

/* The JSON text with what XML cannot hold as \uXXXX. Inside strings that is the same value; outside
 * of strings such characters cannot stand. */
struct slice
xml_safe_json(struct arena *mem, struct slice text)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out;
	size_t i, n, from = 0;

	for (i = 0; i < text.n; i += n > 0 ? n : 1) {
		if ((n = unsafe_at(text, i)) == 0)
			continue;
		strbuf_add(&b, text.p + from, i - from);
		if (n == 1)
			strbuf_addf(&b, "\\u%04x", (unsigned char)text.p[i]);
		else
			strbuf_addf(&b, "\\uff%s", (unsigned char)text.p[i + 2] == 0xbe ? "fe" : "ff");
		from = i + n;
	}
	if (from == 0)
		return text;
	strbuf_add(&b, text.p + from, text.n - from);
	out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}
