/*
 * stix1_xpath.c -- the XPaths that Controlled_Structures are written in: unions of location paths with
 * names, node(), the axes up and down, and predicates on an attribute. What else there is in XPath is not
 * understood, and then the caller takes the marking to cover everything.
 *
 * A path that ends in node() covers what stands before that, with all below it; so does a name.
 */
#include "formats/stix1_read.h"
#include "gateway/base/arena.h"

enum { STEPS_MAX = 32, VISITS_MAX = 4000000 };

enum axis { SELF, CHILD, PARENT, DESCENDANT, DESCENDANT_OR_SELF, ANCESTOR, ANCESTOR_OR_SELF, ATTRIBUTE };

struct step {
	enum axis	 axis;
	bool		 any;		/* node() or * */
	struct slice	 prefix, name;
	struct slice	 attr, value;	/* [@attr="value"]; attr empty: none */
};

struct path {
	bool		 absolute;
	struct step	 v[STEPS_MAX];
	size_t		 n;
};

static const struct {
	const char	*word;
	enum axis	 axis;
} axes[] = {
	{ "self", SELF }, { "child", CHILD }, { "parent", PARENT }, { "descendant", DESCENDANT },
	{ "descendant-or-self", DESCENDANT_OR_SELF }, { "ancestor", ANCESTOR },
	{ "ancestor-or-self", ANCESTOR_OR_SELF }, { "attribute", ATTRIBUTE },
};

static void
skip(struct slice *s, size_t n)
{
	*s = slice_from(s->p + n, s->n - n);
}

static void
skip_blanks(struct slice *s)
{
	while (s->n > 0 && strchr(" \t\r\n", s->p[0]) != NULL && s->p[0] != '\0')
		skip(s, 1);
}

/* Take a literal text off the front; false if it is not there. */
static bool
take(struct slice *s, const char *text)
{
	skip_blanks(s);
	if (!slice_starts(*s, text))
		return false;
	skip(s, strlen(text));
	return true;
}

/* Take a name without colon off the front; empty if there is none. */
static struct slice
take_name(struct slice *s)
{
	size_t n = 0;

	skip_blanks(s);
	while (n < s->n && (strchr("_-.", s->p[n]) != NULL || (unsigned char)s->p[n] >= 0x80 ||
	    (s->p[n] >= '0' && s->p[n] <= '9') || (s->p[n] >= 'A' && s->p[n] <= 'Z') ||
	    (s->p[n] >= 'a' && s->p[n] <= 'z')) && s->p[n] != '\0')
		n++;
	skip(s, n);
	return slice_from(s->p - n, n);
}

/* [@name = "text"], as often as it stands there: at most once. */
static bool
parse_predicate(struct slice *s, struct step *st)
{
	const char *end;
	char quote;

	if (!take(s, "["))
		return true;
	if (!take(s, "@"))
		return false;
	st->attr = take_name(s);
	if (st->attr.n == 0 || !take(s, "="))
		return false;
	skip_blanks(s);
	if (s->n == 0 || (s->p[0] != '"' && s->p[0] != '\''))
		return false;
	quote = s->p[0];
	skip(s, 1);
	end = s->n == 0 ? NULL : memchr(s->p, quote, s->n);
	if (end == NULL)
		return false;
	st->value = slice_from(s->p, (size_t)(end - s->p));
	skip(s, st->value.n + 1);
	return take(s, "]") && !slice_starts(*s, "[");
}

/* Behind the axis: node(), *, name or prefix:name. */
static bool
parse_test(struct slice *s, struct step *st)
{
	if (take(s, "*")) {
		st->any = true;
		return parse_predicate(s, st);
	}
	st->name = take_name(s);
	if (st->name.n == 0)
		return false;
	if (slice_is(st->name, "node") && take(s, "(")) {
		st->any = true;
		return take(s, ")") && parse_predicate(s, st);
	}
	if (slice_starts(*s, ":")) {
		skip(s, 1);
		st->prefix = st->name;
		st->name = take_name(s);
		if (st->name.n == 0)
			return false;
	}
	skip_blanks(s);
	if (slice_starts(*s, "("))
		return false;
	return parse_predicate(s, st);
}

static bool
parse_step(struct slice *s, struct step *st)
{
	*st = (struct step){ .axis = CHILD, .prefix = SLICE_EMPTY, .name = SLICE_EMPTY };
	if (take(s, "..")) {
		st->axis = PARENT;
		st->any = true;
		return true;
	}
	if (take(s, "@")) {
		st->axis = ATTRIBUTE;
		return parse_test(s, st);
	}
	for (size_t i = COUNTOF(axes); i-- > 0; ) {
		struct slice before = *s;

		if (take(s, axes[i].word) && take(s, "::")) {
			st->axis = axes[i].axis;
			return parse_test(s, st);
		}
		*s = before;
	}
	if (take(s, ".")) {
		st->axis = SELF;
		st->any = true;
		return true;
	}
	return parse_test(s, st);
}

/* One path of the union; false if it is not understood. */
static bool
parse_path(struct slice *s, struct path *p)
{
	static const struct step deep = { .axis = DESCENDANT_OR_SELF, .any = true };
	bool more = true;

	p->n = 0;
	p->absolute = false;
	skip_blanks(s);
	if (slice_starts(*s, "/"))
		p->absolute = true;
	while (more) {
		if (p->n + 2 > STEPS_MAX)
			return false;
		if (p->n > 0 || p->absolute) {
			if (take(s, "//"))
				p->v[p->n++] = deep;
			else if (!take(s, "/"))
				return false;
		}
		if (!parse_step(s, &p->v[p->n++]))
			return false;
		skip_blanks(s);
		more = slice_starts(*s, "/");
	}
	return true;
}

/* Leave out the steps at the end that only say "and what is in it". False: it names attributes only. */
static bool
cut_tail(struct path *p)
{
	bool attributes = false, nodes = false;

	if (p->n > 0 && p->v[p->n - 1].axis == ATTRIBUTE) {
		attributes = true;
		p->n--;
	}
	while (p->n > 0) {
		const struct step *st = &p->v[p->n - 1];

		if (!st->any || st->attr.n > 0 || (st->axis != CHILD && st->axis != DESCENDANT &&
		    st->axis != DESCENDANT_OR_SELF))
			break;
		if (st->axis == CHILD || p->n < 2 || !attributes)
			nodes = true;
		p->n--;
	}
	return !attributes || nodes;
}

struct set {
	struct xml_node	**v;
	size_t		 n, cap;
};

struct eval {
	struct s1	*s;
	struct xml_node	*at;		/* the Controlled_Structure: prefixes mean what they mean there */
	struct set	 out;
	bool		 failed;
};

static void
add(struct eval *x, const struct step *st, struct xml_node *n)
{
	if (x->s->steps++ >= VISITS_MAX) {
		x->failed = true;
		return;
	}
	if (!st->any && (!slice_eq(n->name, st->name) || !slice_eq(n->ns,
	    st->prefix.n > 0 ? stix1_uri(x->at, st->prefix) : SLICE_EMPTY)))
		return;
	if (st->attr.n > 0) {
		const struct xml_attr *a = n->attrs;

		while (a != NULL && !(slice_eq(a->name, st->attr) && slice_eq(a->value, st->value)))
			a = a->next;
		if (a == NULL)
			return;
	}
	x->out.v = arena_grow(x->s->mem, x->out.v, x->out.n, &x->out.cap, sizeof(struct xml_node *));
	x->out.v[x->out.n++] = n;
}

static void
add_below(struct eval *x, const struct step *st, struct xml_node *n)
{
	for (struct xml_node *k = xml_child(n); k != NULL && !x->failed; k = xml_sibling(k)) {
		add(x, st, k);
		if (st->axis != CHILD)
			add_below(x, st, k);
	}
}

/* Take one step from one node. */
static void
walk(struct eval *x, const struct step *st, struct xml_node *n)
{
	switch (st->axis) {
	case SELF:
		add(x, st, n);
		break;
	case PARENT:
		if (n->parent != NULL)
			add(x, st, n->parent);
		break;
	case ANCESTOR_OR_SELF:
	case ANCESTOR:
		if (st->axis == ANCESTOR)
			n = n->parent;
		for (; n != NULL && !x->failed; n = n->parent)
			add(x, st, n);
		break;
	case DESCENDANT_OR_SELF:
		if (n->name.n > 0)	/* not the node above the root */
			add(x, st, n);
		else if (st->any)
			add(x, st, n);
		add_below(x, st, n);
		break;
	case CHILD:
	case DESCENDANT:
		add_below(x, st, n);
		break;
	case ATTRIBUTE:
		x->failed = true;
		break;
	}
}

/* Evaluate one path into x->out. */
static void
evaluate(struct eval *x, const struct path *p, struct xml_node *above)
{
	struct set from = { 0 };

	from.v = arena_grow(x->s->mem, from.v, 0, &from.cap, sizeof(struct xml_node *));
	from.v[from.n++] = p->absolute ? above : x->at;
	for (size_t i = 0; i < p->n && !x->failed; i++) {
		x->out = (struct set){ 0 };
		for (size_t k = 0; k < from.n && !x->failed; k++)
			walk(x, &p->v[i], from.v[k]);
		from = x->out;
	}
	x->out = from;
}

/* See stix1_read.h. */
int
s1_xpath(struct s1 *s, struct xml_node *at, struct slice text, void (*cover)(void *, struct xml_node *),
    void *arg)
{
	struct xml_node above = { .first = s->doc, .last = s->doc };
	struct eval x = { .s = s, .at = at };
	size_t covered = 0;
	struct path p;

	do {
		if (!parse_path(&text, &p))
			return -1;
		if (!cut_tail(&p))
			continue;	/* attributes of elements that another path of the union names */
		evaluate(&x, &p, &above);
		if (x.failed)
			return -1;
		for (size_t i = 0; i < x.out.n; i++)
			cover(arg, x.out.v[i] == &above ? s->doc : x.out.v[i]);
		covered += x.out.n;
	} while (take(&text, "|"));
	skip_blanks(&text);
	return text.n == 0 && covered > 0 ? 0 : -1;
}
