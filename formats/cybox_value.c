/* cybox_value.c -- an element's text and condition as a leaf (see cybox_impl.h). */
#include <string.h>

#include "formats/cybox_impl.h"
#include "formats/value.h"

/* What an element says of its values. */
enum condition {
	C_EQUALS, C_NOT_EQUALS, C_GREATER, C_GREATER_EQUAL, C_LESS, C_LESS_EQUAL, C_CONTAINS,
	C_NOT_CONTAINS, C_STARTS, C_ENDS, C_FITS, C_WITHIN, C_BETWEEN, C_OTHER
};

static const struct {
	const char	*word;
	enum pat_op	 op;
	bool		 negated;
} conditions[] = {
	[C_EQUALS] = { "Equals", PAT_EQ, false },
	[C_NOT_EQUALS] = { "DoesNotEqual", PAT_NE, false },
	[C_GREATER] = { "GreaterThan", PAT_GT, false },
	[C_GREATER_EQUAL] = { "GreaterThanOrEqual", PAT_GE, false },
	[C_LESS] = { "LessThan", PAT_LT, false },
	[C_LESS_EQUAL] = { "LessThanOrEqual", PAT_LE, false },
	[C_CONTAINS] = { "Contains", PAT_LIKE, false },
	[C_NOT_CONTAINS] = { "DoesNotContain", PAT_LIKE, true },
	[C_STARTS] = { "StartsWith", PAT_LIKE, false },
	[C_ENDS] = { "EndsWith", PAT_LIKE, false },
	[C_FITS] = { "FitsPattern", PAT_MATCHES, false },
	[C_WITHIN] = { "InclusiveBetween", PAT_GE, false },
	[C_BETWEEN] = { "ExclusiveBetween", PAT_GT, false },
};

enum apply { APPLY_ANY, APPLY_ALL, APPLY_NONE };

struct said {
	enum condition	 condition;
	enum apply	 apply;
	struct slice	*v;
	size_t		 n;
};

static bool
find_apply(struct slice word, enum apply *out)
{
	static const char *const words[] = { "ANY", "ALL", "NONE" };

	for (size_t i = 0; i < COUNTOF(words); i++) {
		if (slice_is_nocase(word, words[i])) {
			*out = (enum apply)i;
			return true;
		}
	}
	return false;
}

bool
cx_applies_all(const struct xml_node *el)
{
	enum apply a;

	return find_apply(slice_trim(xml_value(el, "apply_condition")), &a) && a == APPLY_ALL;
}

/* The condition of an element; some write ANY there. */
static enum condition
find_condition(const struct xml_node *el, enum apply *apply)
{
	struct slice word = slice_trim(xml_value(el, "condition"));
	struct slice pattern = slice_trim(xml_value(el, "pattern_type"));

	if (pattern.n > 0 && !slice_is_nocase(pattern, "Regex"))
		return C_OTHER;
	if (word.n == 0)
		return pattern.n > 0 ? C_FITS : C_EQUALS;
	for (size_t i = 0; i < COUNTOF(conditions); i++) {
		if (slice_is_nocase(word, conditions[i].word))
			return (enum condition)i;
	}
	return find_apply(word, apply) ? C_EQUALS : C_OTHER;
}

/* Cut `text` at every `by`, trimmed; empty pieces are left out. -1 if there are too many. */
static int
split(struct arena *mem, struct slice text, struct slice by, struct said *s)
{
	size_t cap = 0;

	for (;;) {
		const char *hit = by.n > 0 && text.n >= by.n ? memmem(text.p, text.n, by.p, by.n) : NULL;
		struct slice piece = hit == NULL ? text : slice_from(text.p, (size_t)(hit - text.p));

		piece = slice_trim(piece);
		if (piece.n > 0) {
			if (s->n == CX_VALUES)
				return -1;
			s->v = arena_grow(mem, s->v, s->n, &cap, sizeof(*s->v));
			s->v[s->n++] = piece;
		}
		if (hit == NULL)
			return 0;
		text = slice_from(hit + by.n, text.n - (size_t)(hit + by.n - text.p));
	}
}

/* What stands between values; older documents write a comma where apply_condition says that there is a
 * list, and so does everyone between two limits. */
static struct slice
delimiter(const struct xml_node *el, struct slice text, enum condition c)
{
	const struct xml_attr *own = xml_attr(el, "delimiter");

	if (own != NULL && own->value.n > 0)
		return own->value;
	if (memmem(text.p, text.n, "##comma##", 9) != NULL)
		return SLICE_LIT("##comma##");
	if (xml_attr(el, "apply_condition") != NULL || c == C_WITHIN || c == C_BETWEEN)
		return c == C_FITS ? SLICE_EMPTY : SLICE_LIT(",");
	return SLICE_EMPTY;
}

/* Take the text of an element apart; what is wrong, or NULL. */
static const char *
read_said(struct cx_reader *rd, enum cx_codec codec, struct xml_node *el, struct said *s)
{
	struct slice text = codec == CXC_EXACT ? xml_text(el, rd->mem) : xml_text_trim(el, rd->mem);
	struct slice by;

	memset(s, 0, sizeof(*s));
	s->condition = find_condition(el, &s->apply);
	if (s->condition == C_OTHER)
		return "this condition has no operator in a pattern";
	if (!find_apply(slice_trim(xml_value(el, "apply_condition")), &s->apply) &&
	    (s->condition == C_NOT_EQUALS || s->condition == C_NOT_CONTAINS))
		s->apply = APPLY_ALL;	/* nobody means "it is not this or it is not that" */
	by = delimiter(el, text, s->condition);
	if (by.n == 0 && codec == CXC_EXACT) {
		s->v = arena_slices(rd->mem, &text, 1);
		s->n = slice_trim(text).n > 0;
	} else if (split(rd->mem, text, by, s) < 0) {
		return "too many values in one list";
	}
	if (s->n == 0)
		return "";
	if ((s->condition == C_WITHIN || s->condition == C_BETWEEN) &&
	    (s->n != 2 || s->apply == APPLY_NONE))
		return "between needs two values";
	return NULL;
}

static struct cx_test
new_test(struct arena *mem, enum pat_op op, bool negated, const struct slice *v, size_t n)
{
	struct cx_test t = { .op = op, .negated = negated, .n = n };

	t.v = arena_slices(mem, v, n);
	return t;
}

/* Contains, StartsWith, EndsWith: LIKE, or a regular expression where the text holds a wildcard. */
static struct cx_test
part_test(struct arena *mem, enum condition c, bool negated, struct slice v)
{
	bool wild = memchr(v.p, '%', v.n) != NULL || memchr(v.p, '_', v.n) != NULL;
	const char *any = wild ? "" : "%";
	struct slice text = wild ? cx_quote_regex(mem, v) : v;
	const char *before = c == C_STARTS ? (wild ? "^" : "") : any;
	const char *after = c == C_ENDS ? (wild ? "$" : "") : any;

	text = slice_of(arena_fmt(mem, "%s%.*s%s", before, SLICE_ARG(text), after));
	return new_test(mem, wild ? PAT_MATCHES : PAT_LIKE, negated, &text, 1);
}

/* May values of that kind be compared like this? */
static bool
kind_allows(enum pat_literal_kind kind, enum condition c)
{
	switch (c) {
	case C_EQUALS:
	case C_NOT_EQUALS:
		return true;
	case C_CONTAINS:
	case C_NOT_CONTAINS:
	case C_STARTS:
	case C_ENDS:
	case C_FITS:
		return kind == PAT_STRING;
	default:
		return kind != PAT_BOOL && kind != PAT_BINARY && kind != PAT_HEX;
	}
}

/* One comparison per value, or one for all. */
static void
make_tests(struct arena *mem, const struct said *s, struct cx *leaf)
{
	bool part = s->condition == C_CONTAINS || s->condition == C_NOT_CONTAINS ||
	    s->condition == C_STARTS || s->condition == C_ENDS;
	bool none = s->apply == APPLY_NONE;
	bool negated = conditions[s->condition].negated != none;
	enum pat_op op = conditions[s->condition].op;

	leaf->tests = arena_alloc(mem, (s->n + 1) * sizeof(*leaf->tests));
	leaf->ntests = 1;
	if (s->condition == C_WITHIN || s->condition == C_BETWEEN) {
		leaf->tests[0] = new_test(mem, op, false, s->v, 1);
		leaf->tests[1] = new_test(mem, op == PAT_GE ? PAT_LE : PAT_LT, false, s->v + 1, 1);
		leaf->ntests = 2;
	} else if (s->condition == C_EQUALS && (s->n == 1 || s->apply != APPLY_ALL)) {
		leaf->tests[0] = new_test(mem, s->n == 1 ? none ? PAT_NE : PAT_EQ : PAT_IN,
		    s->n > 1 && none, s->v, s->n);
	} else if (s->condition == C_NOT_EQUALS && s->n > 1 && s->apply == APPLY_ALL) {
		leaf->tests[0] = new_test(mem, PAT_IN, true, s->v, s->n);
	} else {
		leaf->ntests = s->n;
		leaf->either = s->apply == APPLY_ANY;
		for (size_t i = 0; i < s->n; i++)
			leaf->tests[i] = part ? part_test(mem, s->condition, negated, s->v[i]) :
			    op == PAT_NE && none ? new_test(mem, PAT_EQ, false, &s->v[i], 1) :
			    new_test(mem, op, negated, &s->v[i], 1);
	}
}

/* Decode all values; *same stays only if none was changed. */
static bool
decode_all(struct cx_reader *rd, enum cx_codec codec, struct said *s, bool *same)
{
	for (size_t i = 0; i < s->n; i++) {
		struct slice out;
		bool as_is = true;

		/* a regular expression or a part of a text is not a value of its kind */
		if (s->condition >= C_CONTAINS && s->condition <= C_FITS) {
			if (codec == CXC_LOWER || codec == CXC_HTTP)
				s->v[i] = value_lower(s->v[i], rd->mem);
			continue;
		}
		if (!cx_decode(rd->mem, codec, s->v[i], &out, &as_is))
			return false;
		s->v[i] = out;
		*same = *same && as_is;
	}
	return true;
}

/* Undo the defanging that the element itself declares. */
static void
refang(struct cx_reader *rd, const struct xml_node *el, struct said *s, bool *same)
{
	if (!slice_is(slice_trim(xml_value(el, "is_defanged")), "true"))
		return;
	for (size_t i = 0; i < s->n; i++) {
		struct slice v = value_refang(s->v[i], rd->mem);

		*same = *same && slice_eq(v, s->v[i]);
		s->v[i] = v;
	}
}

void
cx_mark(struct xml_node *n, enum xml_mark mark)
{
	if (n->mark != XML_KEPT)
		n->mark = mark;
	for (struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k) && k->mark != XML_KEPT)
			k->mark = mark;
	}
}

/* Attributes that a leaf has said by what it is. */
static void
mark_value_attrs(struct xml_node *el)
{
	static const char *const said[] = {
		"condition", "apply_condition", "delimiter", "pattern_type", "datatype",
		"is_defanged",
	};

	for (struct xml_attr *a = el->attrs; a != NULL; a = a->next) {
		bool type = slice_is(a->ns, XML_NS_XSI) && slice_is(a->name, "type");

		for (size_t i = 0; a->ns.n == 0 && !type && i < COUNTOF(said); i++)
			type = slice_is(a->name, said[i]);
		if (type || (slice_is(a->name, "is_case_sensitive") && slice_is(a->value, "true")))
			a->mark = XML_KEPT;
	}
}

/* Wrappers above have been understood as well. */
static void
mark_above(struct xml_node *n)
{
	for (; n != NULL && n->mark == XML_UNSEEN && !slice_is(n->name, "Object"); n = n->parent) {
		n->mark = XML_KEPT;
		mark_value_attrs(n);
		if (slice_is(n->name, "Properties"))
			break;
	}
}

struct cx *
cx_value(struct cx_reader *rd, enum cx_codec codec, struct xml_node *el)
{
	struct cx *leaf;
	struct said s;
	bool same = true;
	const char *wrong;

	if (!cx_step(rd, el))
		return NULL;
	wrong = read_said(rd, codec, el, &s);
	if (wrong != NULL) {
		if (*wrong != '\0')
			cx_tell(rd, CYBOX_CONDITION, el, wrong);
		return NULL;
	}
	if (!kind_allows(cx_literal(codec), s.condition) ||
	    (!rd->pattern && s.condition != C_EQUALS) || (!rd->pattern && s.apply == APPLY_NONE)) {
		cx_tell(rd, CYBOX_CONDITION, el, rd->pattern ? "no condition for this kind of value" :
		    "a condition is no observation");
		return NULL;
	}
	rd->steps += s.n / CX_VALUES_STEP;
	if (rd->job->steps != NULL)
		*rd->job->steps += s.n / CX_VALUES_STEP;
	refang(rd, el, &s, &same);
	if (!decode_all(rd, codec, &s, &same)) {
		cx_tell(rd, CYBOX_VALUE, el, "no value of its kind");
		return NULL;
	}
	leaf = arena_alloc(rd->mem, sizeof(*leaf));
	leaf->kind = CX_LEAF;
	leaf->value = cx_literal(codec);
	leaf->from[0] = el;
	leaf->again = el->mark == XML_KEPT || el->mark == XML_APPROXIMATED;
	make_tests(rd->mem, &s, leaf);
	cx_mark(el, same ? XML_KEPT : XML_APPROXIMATED);
	mark_value_attrs(el);
	mark_above(el->parent);
	return leaf;
}

/* Give the node in the tree what a leaf on its own says. */
struct cx *
cx_place(struct cx_reader *rd, struct cx *into, const char *path, struct cx *leaf)
{
	struct cx *at = cx_make(rd->mem, into, path, CX_LEAF);

	if (at == NULL) {
		cx_unmark(leaf);
		cx_tell(rd, CYBOX_PROPERTY, leaf->from[0], "said twice");
		return NULL;
	}
	at->value = leaf->value;
	at->tests = leaf->tests;
	at->ntests = leaf->ntests;
	at->either = leaf->either;
	at->again = leaf->again;
	at->attr = leaf->attr;
	memcpy(at->from, leaf->from, sizeof(at->from));
	return at;
}

struct cx *
cx_take(struct cx_reader *rd, struct cx *into, const char *path, enum cx_codec codec,
    struct xml_node *el)
{
	struct cx *leaf = cx_value(rd, codec, el);

	return leaf == NULL ? NULL : cx_place(rd, into, path, leaf);
}

bool
cx_add_tests(struct arena *mem, struct cx *leaf, const struct cx *other)
{
	struct cx_test *all;

	if ((leaf->either && leaf->ntests > 1) || (other->either && other->ntests > 1))
		return false;
	all = arena_alloc(mem, (leaf->ntests + other->ntests) * sizeof(*all));
	memcpy(all, leaf->tests, leaf->ntests * sizeof(*all));
	memcpy(all + leaf->ntests, other->tests, other->ntests * sizeof(*all));
	leaf->tests = all;
	leaf->ntests += other->ntests;
	leaf->either = false;
	for (size_t i = 0; i < COUNTOF(leaf->from); i++) {
		if (leaf->from[i] == NULL) {
			leaf->from[i] = other->from[0];
			break;
		}
	}
	return true;
}

struct cx *
cx_take_attr(struct cx_reader *rd, struct cx *into, const char *path, enum cx_codec codec,
    struct xml_node *el, struct xml_attr *a)
{
	struct slice out;
	bool same;
	struct cx *at;

	if (!cx_decode(rd->mem, codec, slice_trim(a->value), &out, &same)) {
		cx_tell(rd, CYBOX_VALUE, el, "no value of its kind in an attribute");
		return NULL;
	}
	if ((at = cx_make(rd->mem, into, path, CX_LEAF)) == NULL)
		return NULL;
	cx_equals(rd->mem, at, cx_literal(codec), out);
	at->attr = a;
	at->again = a->mark != XML_UNSEEN;
	a->mark = same ? XML_KEPT : XML_APPROXIMATED;
	mark_above(el);
	return at;
}

void
cx_unmark(struct cx *o)
{
	for (struct cx *k = o->first; k != NULL; k = k->next)
		cx_unmark(k);
	if (o->again)
		return;
	if (o->attr != NULL)
		o->attr->mark = XML_UNSEEN;
	for (size_t i = 0; i < COUNTOF(o->from); i++) {
		struct xml_node *n = o->from[i];

		if (n == NULL)
			continue;
		n->mark = XML_UNSEEN;
		for (struct xml_node *k = n->first; k != NULL; k = k->next)
			k->mark = xml_is_text(k) ? XML_UNSEEN : k->mark;
		for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
			a->mark = XML_UNSEEN;
	}
}
