/* cybox_write.c -- trees as elements, row by row (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"

/* Elements. */

static struct xml_node *
new_child(struct cx_writer *w, struct xml_node *el, struct slice prefix, struct slice name)
{
	struct xml_node *k = xml_new(w->mem, cx_namespace(prefix), arena_str(w->mem, prefix),
	    arena_str(w->mem, name));

	xml_append(el, k);
	return k;
}

struct xml_node *
cx_element(struct cx_writer *w, struct xml_node *el, const char *path)
{
	struct slice rest = slice_of(path), prefix = slice_of(w->prefix);

	while (rest.n > 0) {
		struct slice name = slice_cut(&rest, '/'), step = name;
		bool repeats = name.p[name.n - 1] == '*';
		struct xml_node *k;

		if (memchr(step.p, ':', step.n) != NULL) {
			prefix = slice_cut(&step, ':');
			name = step;
		}
		name.n -= repeats;
		for (k = repeats ? NULL : el->last; k != NULL && !slice_eq(k->name, name); k = k->prev)
			;
		el = k != NULL ? k : new_child(w, el, prefix, name);
	}
	return el;
}

/* Take an element out if nothing came of it, and what was made for it alone. */
static void
prune(struct xml_node *el, const struct xml_node *top)
{
	while (el != top && el->first == NULL && el->attrs == NULL) {
		struct xml_node *up = el->parent;

		xml_detach(el);
		el = up;
	}
}

struct xml_node *
cx_put_text(struct cx_writer *w, struct xml_node *el, const char *path, struct slice text)
{
	struct xml_node *k = cx_element(w, el, path);

	xml_add_text(w->mem, k, text);
	return k;
}

void
cx_set_vocabulary(struct cx_writer *w, struct xml_node *el, const char *name)
{
	xml_set_type(w->mem, el, slice_of(arena_fmt(w->mem, "cyboxVocabs:%s", name)));
	xml_declare(w->mem, el, "cyboxVocabs", cx_namespace(SLICE_LIT("cyboxVocabs")));
}

/* Conditions. */

struct spelled {
	struct slice	*v;
	size_t		 n;
	const char	*condition;
	const char	*apply;
	bool		 regex;
};

/* LIKE as a regular expression. */
static struct slice
like_regex(struct arena *mem, struct slice like)
{
	struct strbuf out = STRBUF_INIT;
	struct slice text;

	strbuf_addc(&out, '^');
	for (size_t i = 0; i < like.n; i++) {
		if (like.p[i] == '%')
			strbuf_adds(&out, ".*");
		else if (like.p[i] == '_')
			strbuf_addc(&out, '.');
		else
			strbuf_addsl(&out, cx_quote_regex(mem, slice_from(like.p + i, 1)));
	}
	strbuf_addc(&out, '$');
	text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static void
spell_like(struct arena *mem, const struct cx_test *t, struct spelled *s)
{
	static const char *const words[] = {
		[CX_LIKE_PLAIN] = "Equals", [CX_LIKE_STARTS] = "StartsWith",
		[CX_LIKE_ENDS] = "EndsWith", [CX_LIKE_CONTAINS] = "Contains",
	};
	enum cx_like form = cx_like_form(t->v[0], &s->v[0]);

	/* blanks at the end of a text would not be read again */
	if (form == CX_LIKE_OTHER || slice_trim(s->v[0]).n != s->v[0].n) {
		s->v[0] = like_regex(mem, t->v[0]);
		s->condition = "FitsPattern";
		s->regex = true;
		s->apply = t->negated ? "NONE" : NULL;
		return;
	}
	s->condition = words[form];
	if (t->negated && form == CX_LIKE_CONTAINS)
		s->condition = "DoesNotContain";
	else if (t->negated && form == CX_LIKE_PLAIN)
		s->condition = "DoesNotEqual";
	else if (t->negated)
		s->apply = "NONE";
}

/* One comparison; false if there is no condition for it. */
static bool
spell_test(struct arena *mem, const struct cx_test *t, bool network, struct spelled *s)
{
	static const char *const words[] = {
		[PAT_LT] = "LessThan", [PAT_LE] = "LessThanOrEqual", [PAT_GT] = "GreaterThan",
		[PAT_GE] = "GreaterThanOrEqual", [PAT_MATCHES] = "FitsPattern",
	};

	memset(s, 0, sizeof(*s));
	s->v = arena_slices(mem, t->v, t->n);
	s->n = t->n;
	switch (t->op) {
	case PAT_ISSUBSET:
	case PAT_EQ:
	case PAT_NE:
		s->condition = (t->op == PAT_NE) != t->negated ? "DoesNotEqual" : "Equals";
		return t->op != PAT_ISSUBSET || (network && cx_is_network(mem, t->v[0]));
	case PAT_IN:
		s->condition = "Equals";
		s->apply = t->negated ? "NONE" : t->n > 1 ? "ANY" : NULL;
		return t->n > 0;
	case PAT_LIKE:
		spell_like(mem, t, s);
		return true;
	case PAT_LT:
	case PAT_LE:
	case PAT_GT:
	case PAT_GE:
	case PAT_MATCHES:
		s->condition = words[t->op];
		s->regex = t->op == PAT_MATCHES;
		s->apply = t->negated ? "NONE" : NULL;
		return true;
	default:
		return false;
	}
}

/* Several comparisons with one element: two limits, or the same condition on several values. */
static bool
spell_several(struct arena *mem, const struct cx *leaf, bool network, struct spelled *s)
{
	struct spelled one;

	memset(s, 0, sizeof(*s));
	s->v = arena_alloc(mem, leaf->ntests * sizeof(*s->v));
	for (size_t i = 0; i < leaf->ntests; i++) {
		if (!spell_test(mem, &leaf->tests[i], network, &one) || one.n != 1 || one.apply != NULL)
			return false;
		if (i > 0 && strcmp(one.condition, s->condition) != 0) {
			bool within = strcmp(one.condition, "LessThanOrEqual") == 0 &&
			    strcmp(s->condition, "GreaterThanOrEqual") == 0;
			bool between = strcmp(one.condition, "LessThan") == 0 &&
			    strcmp(s->condition, "GreaterThan") == 0;

			if (leaf->ntests != 2 || leaf->either || (!within && !between))
				return false;
			s->condition = within ? "InclusiveBetween" : "ExclusiveBetween";
			s->v[s->n++] = one.v[0];
			return true;
		}
		s->condition = one.condition;
		s->regex = one.regex;
		s->v[s->n++] = one.v[0];
	}
	s->apply = leaf->either ? "ANY" : "ALL";
	return true;
}

static bool
spell(struct cx_writer *w, const struct cx *leaf, struct spelled *s)
{
	bool network = leaf->parent != NULL && slice_starts(leaf->parent->type, "ipv");

	if (leaf->kind != CX_LEAF || leaf->ntests == 0)
		return false;
	if (!w->pattern) {
		memset(s, 0, sizeof(*s));
		if (cx_plain(leaf) == NULL)
			return false;
		s->v = arena_slices(w->mem, cx_plain(leaf), 1);
		s->n = 1;
		return true;
	}
	if (leaf->ntests > 1)
		return spell_several(w->mem, leaf, network, s);
	if (!spell_test(w->mem, leaf->tests, network, s))
		return false;
	if (w->all && s->apply == NULL)
		s->apply = "ALL";
	return true;
}

/* What stands between values, and in none of them. */
static const char *
delimiter(struct arena *mem, const struct spelled *s)
{
	const char *by = "##comma##";

	for (int i = 0;; i++) {
		size_t k = 0;

		while (k < s->n && memmem(s->v[k].p, s->v[k].n, by, strlen(by)) == NULL)
			k++;
		if (k == s->n)
			return by;
		by = arena_fmt(mem, "##next%d##", i);
	}
}

/* May every character stand in XML? */
static bool
is_writable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
		    (c == 0xef && s.n - i > 2 && (unsigned char)s.p[i + 1] == 0xbf &&
		    (unsigned char)s.p[i + 2] >= 0xbe))
			return false;
	}
	return true;
}

/* The text of all values; false if white space would be lost. */
static bool
spell_text(struct cx_writer *w, enum cx_codec codec, const struct spelled *s, const char *by,
    struct slice *out)
{
	bool part = s->regex || (s->condition != NULL && (strcmp(s->condition, "Contains") == 0 ||
	    strcmp(s->condition, "StartsWith") == 0 || strcmp(s->condition, "EndsWith") == 0 ||
	    strcmp(s->condition, "DoesNotContain") == 0));
	struct strbuf text = STRBUF_INIT;
	bool ok = true;

	for (size_t i = 0; i < s->n && ok; i++) {
		struct slice v = s->v[i];

		ok = v.n > 0 && is_writable(v) && (part || cx_encode(w->mem, codec, v, &v));
		ok = ok && (slice_trim(v).n == v.n || (codec == CXC_EXACT && s->n == 1 &&
		    slice_trim(v).n > 0));
		if (i > 0)
			strbuf_adds(&text, by);
		strbuf_addsl(&text, v);
	}
	*out = arena_slice(w->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return ok;
}

static void
put_conditions(struct cx_writer *w, struct xml_node *el, const struct spelled *s, const char *by)
{
	if (s->condition == NULL)
		return;
	xml_set(w->mem, el, "condition", slice_of(s->condition));
	if (s->regex)
		xml_set(w->mem, el, "pattern_type", SLICE_LIT("Regex"));
	if (s->apply != NULL)
		xml_set(w->mem, el, "apply_condition", slice_of(s->apply));
	if (strcmp(by, "##comma##") != 0)
		xml_set(w->mem, el, "delimiter", slice_of(by));
}

/* Would reading give the same literals? A number in quotes, or GET for get, comes back as what it
 * should be. */
static bool
is_own_spelling(struct arena *mem, enum cx_codec codec, const struct cx *leaf)
{
	struct slice out;
	bool same;

	if (leaf->value != cx_literal(codec) && !(leaf->value == PAT_INT && codec == CXC_FLOAT))
		return false;
	for (size_t i = 0; i < leaf->ntests; i++) {
		const struct cx_test *t = &leaf->tests[i];

		if (t->op == PAT_LIKE || t->op == PAT_MATCHES)
			continue;
		for (size_t k = 0; k < t->n; k++) {
			if (codec != CXC_HEXINT && codec != CXC_HEXTIME && codec != CXC_PE_TYPE &&
			    codec != CXC_FLAG && (!cx_decode(mem, codec, t->v[k], &out, &same) ||
			    !slice_eq(out, t->v[k])))
				return false;
		}
	}
	return true;
}

/* An attribute has no condition. */
static bool
put_attr(struct cx_writer *w, struct xml_node *el, const char *path, enum cx_codec codec,
    struct cx *leaf)
{
	const char *at = strrchr(path, '@');
	const struct slice *v = cx_plain(leaf);
	struct slice text;

	if (v == NULL || !is_writable(*v) || !cx_encode(w->mem, codec, *v, &text))
		return false;
	if (at > path)
		el = cx_element(w, el, arena_str(w->mem, slice_from(path, (size_t)(at - path) - 1)));
	xml_set(w->mem, el, at + 1, text);
	return true;
}

bool
cx_put(struct cx_writer *w, struct xml_node *el, const char *path, enum cx_codec codec,
    struct cx *leaf)
{
	struct spelled s;
	struct slice text;
	const char *by;
	struct xml_node *k;

	if (leaf->done || leaf->kind != CX_LEAF)
		return false;
	if (strchr(path, '@') != NULL)
		return leaf->done = put_attr(w, el, path, codec, leaf);
	if (!spell(w, leaf, &s))
		return false;
	by = delimiter(w->mem, &s);
	/* a comma between the two sides of a list would be read as one */
	if (s.n == 1 && s.apply != NULL && memchr(s.v[0].p, ',', s.v[0].n) != NULL &&
	    strcmp(by, "##comma##") == 0)
		by = "##next##";
	if (!spell_text(w, codec, &s, by, &text))
		return false;
	w->respelled = w->respelled || (w->pattern && !is_own_spelling(w->mem, codec, leaf));
	k = cx_element(w, el, path);
	if (k->first != NULL)
		return false;
	xml_add_text(w->mem, k, text);
	put_conditions(w, k, &s, by);
	return leaf->done = true;
}

/* Rows. */

static size_t
done_leaves(const struct cx *o)
{
	size_t n = o->done && (o->kind == CX_LEAF || o->id.n > 0);

	for (const struct cx *k = o->first; k != NULL; k = k->next)
		n += done_leaves(k);
	return n;
}

static void
forget(struct cx *o)
{
	o->done = false;
	for (struct cx *k = o->first; k != NULL; k = k->next)
		forget(k);
}

/* The content of an object below el; what comes of nothing is not left behind. */
static void
write_sub(struct cx_writer *w, const struct cx_row *row, struct cx *o, struct xml_node *el)
{
	const char *prefix = w->prefix;
	bool all = w->all;
	struct xml_node *k;
	size_t before = done_leaves(o);

	if (o->kind != CX_OBJECT || w->deep >= CX_DEEP || cx_leaves(o) == before)
		return;
	if (o->type.n > 0 && row->stix[0] != '\0' && row->sub->stix != NULL &&
	    row->sub->stix[0] != '\0' && !slice_is(o->type, row->sub->stix))
		return;
	k = cx_element(w, el, row->xml);
	w->deep++;
	w->all = all || (w->pattern && (row->flags & CXR_ANY) && !o->parent->any &&
	    o->parent->first != o->parent->last);
	cx_write_type(w, row->sub, o, k);
	w->all = all;
	w->prefix = prefix;
	w->deep--;
	if ((row->flags & CXR_HASHED) && (k->first == NULL || !slice_is(k->first->name, "Hash"))) {
		k->first = k->last = NULL;
		forget(o);
	}
	prune(k, el);
}

/* All items of a list, or as many as the element may repeat. */
static void
write_list(struct cx_writer *w, const struct cx_row *row, struct cx *list, struct xml_node *el)
{
	const char *tail = strchr(row->stix, '*') + 1;
	bool repeats = row->xml[strlen(row->xml) - 1] == '*';

	if (list->kind != CX_LIST)
		return;
	if (*tail == '.')
		tail++;
	for (struct cx *k = list->first; k != NULL; k = k->next) {
		struct cx *leaf = *tail == '\0' ? k : cx_find(k, tail);

		if (row->xml[0] == '~') {
			cx_write_related(w, k, row->xml + 1);
		} else if (row->sub != NULL) {
			write_sub(w, row, k, el);
		} else if (leaf != NULL && leaf->kind == CX_LEAF && !leaf->done) {
			if (cx_put(w, el, row->xml, row->codec, leaf) && !repeats)
				return;
		}
	}
}

static void
write_row(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *el)
{
	struct cx *node;

	if (row->hook != NULL) {
		if (row->hook->write != NULL)
			row->hook->write(w, row, from, el);
		return;
	}
	if ((node = cx_find(from, row->stix)) == NULL)
		return;
	if (strchr(row->stix, '*') != NULL)
		write_list(w, row, node, el);
	else if (row->sub != NULL)
		write_sub(w, row, node, el);
	else if (node->kind == CX_LEAF)
		cx_put(w, el, row->xml, row->codec, node);
	else if (node->kind == CX_LIST && node->first != NULL && node->first == node->last &&
	    node->first->kind == CX_LEAF)
		cx_put(w, el, row->xml, row->codec, node->first);
}

void
cx_write_type(struct cx_writer *w, const struct cx_type *type, struct cx *from, struct xml_node *el)
{
	if (type->base != NULL)
		cx_write_type(w, type->base, from, el);
	for (const struct cx_row *row = type->rows; row->xml != NULL; row++) {
		w->prefix = type->prefix;
		if (!(row->flags & CXR_READ))
			write_row(w, row, from, el);
	}
}

/* Objects. */

/* What the type alone says: true if the object says the same; its leaf is done. */
static bool
says_always(const struct cx_type *type, struct cx *o)
{
	struct slice rest = slice_of(type->always), name = slice_cut(&rest, '=');
	struct cx *leaf = type->always == NULL ? NULL : cx_member(o, name);

	if (type->always == NULL)
		return true;
	if (leaf == NULL || leaf->kind != CX_LEAF || cx_plain(leaf) == NULL ||
	    !slice_eq(*cx_plain(leaf), rest))
		return false;
	return leaf->done = true;
}

static struct xml_node *
write_properties(struct cx_writer *w, const struct cx_type *type, struct cx *o,
    struct xml_node *object)
{
	struct xml_node *props = new_child(w, object, SLICE_LIT("cybox"), SLICE_LIT("Properties"));

	xml_set_type(w->mem, props, slice_of(arena_fmt(w->mem, "%s:%s", type->prefix, type->xsi)));
	xml_declare(w->mem, props, type->prefix, cx_namespace(slice_of(type->prefix)));
	cx_write_type(w, type, o, props);
	return props;
}

/* The type that says most of an object; NULL if none says anything. */
static const struct cx_type *
best_type(struct cx_writer *w, struct cx *o)
{
	const struct cx_type *best = NULL, *type;
	struct cx_writer scratch = *w;
	size_t most = 0, n;

	for (size_t i = 0; (type = cx_type_for(o->type, i)) != NULL; i++) {
		if (!says_always(type, o))
			continue;
		scratch = *w;
		scratch.object = xml_new(w->mem, cx_namespace(SLICE_LIT("cybox")), "cybox", "Object");
		scratch.related = NULL;
		scratch.dry = true;
		write_properties(&scratch, type, o, scratch.object);
		n = done_leaves(o);
		forget(o);
		if (n > most) {
			most = n;
			best = type;
		}
	}
	return best;
}

bool
cx_write_object(struct cx_writer *w, struct cx *o, struct xml_node *object)
{
	const struct cx_type *type = w->deep >= CX_DEEP ? NULL : best_type(w, o);
	struct xml_node *outer = w->object, *related = w->related;
	const char *prefix = w->prefix;
	struct xml_node *props;

	if (type == NULL)
		return false;
	w->object = object;
	w->related = NULL;
	w->deep++;
	says_always(type, o);
	props = write_properties(w, type, o, object);
	if (w->related != NULL)
		xml_append(object, w->related);
	w->deep--;
	w->object = outer;
	w->related = related;
	w->prefix = prefix;
	return props->first != NULL || props->attrs->next != NULL;	/* only related: no object */
}

/* A trial does not go into related objects: they are tried when they are written. */
static void
mark_done(struct cx *o)
{
	o->done = o->done || o->kind == CX_LEAF;
	for (struct cx *k = o->first; k != NULL; k = k->next)
		mark_done(k);
}

static void
put_relationship(struct cx_writer *w, struct xml_node *el, const char *word)
{
	struct xml_node *k = new_child(w, el, SLICE_LIT("cybox"), SLICE_LIT("Relationship"));

	xml_add_text(w->mem, k, slice_of(word));
	cx_set_vocabulary(w, k, "ObjectRelationshipVocab-1.1");
}

struct slice
cx_write_related(struct cx_writer *w, struct cx *o, const char *relationship)
{
	struct xml_node *el;
	struct slice id;

	if (o->kind != CX_OBJECT || o->done || w->deep >= CX_DEEP)
		return SLICE_EMPTY;
	if (w->dry) {
		o->done = true;
		mark_done(o);
		return SLICE_LIT("-");
	}
	el = xml_new(w->mem, cx_namespace(SLICE_LIT("cybox")), "cybox", "Related_Object");
	if (o->id.n > 0) {
		id = w->job->name(w->job->arg, "Object", o->id);
		xml_set(w->mem, el, "idref", id);
	} else {
		id = w->job->name(w->job->arg, "Object", slice_of(arena_fmt(w->mem, "%.*s|%zu",
		    SLICE_ARG(w->key), ++w->inlined)));
		xml_set(w->mem, el, "id", id);
		if (!cx_write_object(w, o, el))
			return SLICE_EMPTY;
	}
	o->done = true;
	put_relationship(w, el, relationship);
	if (w->related == NULL)
		w->related = xml_new(w->mem, cx_namespace(SLICE_LIT("cybox")), "cybox",
		    "Related_Objects");
	xml_append(w->related, el);
	return id;
}
