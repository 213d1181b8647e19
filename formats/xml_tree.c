/* xml_tree.c -- reading, building and comparing the trees of xml.h. No libxml2 here. */
#include <string.h>

#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/strbuf.h"

/* Behind the closing text of a comment or the like at the start of s. */
static struct slice
behind(struct slice s, const char *close)
{
	const char *p = memmem(s.p, s.n, close, strlen(close));

	return p == NULL ? SLICE_EMPTY :
	    slice_trim(slice_from(p + strlen(close), (size_t)(s.p + s.n - p) - strlen(close)));
}

/* From the next '<' on. */
static struct slice
from_tag(struct slice s)
{
	const char *p = memchr(s.p, '<', s.n);

	return p == NULL ? SLICE_EMPTY : slice_from(p, (size_t)(s.p + s.n - p));
}

struct slice
xml_root_tag(struct slice head)
{
	struct slice s = head, rest;

	if (slice_starts(s, "\xEF\xBB\xBF"))
		s = slice_from(s.p + 3, s.n - 3);
	for (s = slice_trim(s); s.n > 1 && s.p[0] == '<'; ) {
		if (slice_starts(s, "<?"))
			s = behind(s, "?>");
		else if (slice_starts(s, "<!--"))
			s = behind(s, "-->");
		else if (s.p[1] == '!')		/* a DTD: refused later, by who reads it */
			s = from_tag(slice_from(s.p + 2, s.n - 2));
		else {
			rest = s;
			return slice_cut(&rest, '>');
		}
	}
	return SLICE_EMPTY;
}

bool
xml_is(const struct xml_node *n, const char *ns, const char *name)
{
	return n != NULL && n->name.n > 0 && slice_is(n->name, name) && slice_is(n->ns, ns);
}

/* The first element from n on, n included. */
static struct xml_node *
element_from(struct xml_node *n)
{
	while (n != NULL && xml_is_text(n))
		n = n->next;
	return n;
}

struct xml_node *
xml_child(const struct xml_node *n)
{
	return n == NULL ? NULL : element_from(n->first);
}

struct xml_node *
xml_sibling(const struct xml_node *n)
{
	return n == NULL ? NULL : element_from(n->next);
}

/* The first element of that name and namespace from n on, n included. */
static struct xml_node *
named_from(struct xml_node *n, struct slice ns, struct slice name)
{
	for (n = element_from(n); n != NULL; n = xml_sibling(n)) {
		if (slice_eq(n->name, name) && slice_eq(n->ns, ns))
			return n;
	}
	return NULL;
}

struct xml_node *
xml_get(const struct xml_node *n, const char *name)
{
	return n == NULL ? NULL : named_from(n->first, n->ns, slice_of(name));
}

struct xml_node *
xml_get_ns(const struct xml_node *n, const char *ns, const char *name)
{
	return n == NULL ? NULL : named_from(n->first, slice_of(ns), slice_of(name));
}

struct xml_node *
xml_more(const struct xml_node *n)
{
	return n == NULL ? NULL : named_from(n->next, n->ns, n->name);
}

size_t
xml_count(const struct xml_node *n, const char *name)
{
	size_t count = 0;

	for (struct xml_node *c = xml_get(n, name); c != NULL; c = xml_more(c))
		count++;
	return count;
}

/* Local name and namespace of an attribute name as callers write it. */
static struct slice
attr_name(const char *name, struct slice *ns)
{
	*ns = SLICE_EMPTY;
	if (strncmp(name, "xml:", 4) == 0) {
		*ns = slice_of(XML_NS_XML);
		name += 4;
	}
	return slice_of(name);
}

struct xml_attr *
xml_attr(const struct xml_node *n, const char *name)
{
	struct slice ns, local;

	if (n == NULL || n->attrs == NULL)
		return NULL;
	local = attr_name(name, &ns);
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (slice_eq(a->name, local) && slice_eq(a->ns, ns))
			return a;
	}
	return NULL;
}

struct slice
xml_value(const struct xml_node *n, const char *name)
{
	const struct xml_attr *a = xml_attr(n, name);

	return a == NULL ? SLICE_EMPTY : a->value;
}

static void
gather_text(const struct xml_node *n, struct strbuf *out)
{
	for (const struct xml_node *c = n->first; c != NULL; c = c->next) {
		if (xml_is_text(c))
			strbuf_addsl(out, c->text);
		else
			gather_text(c, out);
	}
}

struct slice
xml_text(const struct xml_node *n, struct arena *mem)
{
	struct strbuf all = STRBUF_INIT;
	struct slice s;

	if (n == NULL || n->first == NULL)
		return n != NULL && xml_is_text(n) ? n->text : SLICE_EMPTY;
	if (n->first == n->last && xml_is_text(n->first))
		return n->first->text;
	gather_text(n, &all);
	s = arena_slice(mem, strbuf_slice(&all));
	strbuf_fini(&all);
	return s;
}

struct slice
xml_text_trim(const struct xml_node *n, struct arena *mem)
{
	struct slice all = xml_text(n, mem), s = slice_trim(all);

	return s.n == all.n ? all : arena_slice(mem, s);
}

struct slice
xml_collapse(struct slice s, struct arena *mem)
{
	struct slice all = s;
	bool clean = true;
	size_t n = 0;
	char *p;

	s = slice_trim(s);
	for (size_t i = 0; i < s.n && clean; i++)
		clean = !ascii_is_blank(s.p[i]) || (s.p[i] == ' ' && s.p[i + 1] != ' ');
	if (clean)
		return s.n == all.n ? all : arena_slice(mem, s);
	p = arena_raw(mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_blank(s.p[i]))
			p[n++] = s.p[i];
		else if (n > 0 && p[n - 1] != ' ')
			p[n++] = ' ';
	}
	p[n] = '\0';
	return slice_from(p, n);
}

struct slice
xml_text_line(const struct xml_node *n, struct arena *mem)
{
	return xml_collapse(xml_text(n, mem), mem);
}

/* Ordinal among equal local names under one parent, from 1. */
static size_t
ordinal_of(const struct xml_node *n)
{
	struct xml_node *memory = (struct xml_node *)(uintptr_t)n;	/* it changes nothing to see */
	const struct xml_node *p;
	size_t i = 1;

	/* from the last one that was counted: a document may have much to be told of */
	for (p = n; p != NULL; p = p->prev) {
		if (xml_is_text(p) || !slice_eq(p->name, n->name))
			continue;
		if (p->ordinal_of == n->parent && p->ordinal_at == n->parent->changes)
			break;
		i += p != n;
	}
	if (p != NULL)
		i = p == n ? p->ordinal : i + p->ordinal;
	memory->ordinal_of = n->parent;
	memory->ordinal_at = n->parent->changes;
	memory->ordinal = (uint32_t)i;
	return i;
}

/* Append the path of n below `top`, as xml_path_text gives it. */
static void
add_path(struct strbuf *out, const struct xml_node *n, const struct xml_node *top)
{
	if (n == NULL || n == top)
		return;
	if (n->parent == NULL) {
		if (out->n == 0)
			strbuf_addsl(out, n->name);
		return;
	}
	if (n->parent != top && n->parent->parent != NULL)
		add_path(out, n->parent, top);
	if (out->n > 0)
		strbuf_addc(out, '/');
	strbuf_addsl(out, n->name);
	strbuf_addf(out, "[%zu]", ordinal_of(n));
}

const char *
xml_path_text(struct arena *mem, const struct xml_node *n, const struct xml_node *top)
{
	struct strbuf b = STRBUF_INIT;
	const char *s;

	add_path(&b, n, top);
	s = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

/* Split "Name[3]" into name and ordinal; false if it is no step. */
static bool
split_step(struct slice step, struct slice *name, unsigned long long *ordinal)
{
	struct slice rest = step;

	*name = slice_cut(&rest, '[');
	*ordinal = 1;
	if (name->n == 0)
		return false;
	if (name->n == step.n)
		return true;
	if (rest.n < 2 || rest.p[rest.n - 1] != ']')
		return false;
	rest.n--;
	return slice_u64(rest, ordinal) && *ordinal > 0;
}

struct xml_node *
xml_at(const struct xml_node *top, struct slice path)
{
	struct xml_node *n = (struct xml_node *)top;
	unsigned long long left;

	while (path.n > 0 && n != NULL) {
		struct slice name, step = slice_cut(&path, '/');

		if (!split_step(step, &name, &left))
			return NULL;
		for (n = xml_child(n); n != NULL; n = xml_sibling(n)) {
			if (slice_eq(n->name, name) && --left == 0)
				break;
		}
	}
	return n;
}

struct pos
xml_pos(const struct xml_node *n)
{
	struct pos p = { 0 };

	while (n != NULL && n->line == 0)
		n = n->parent;
	if (n != NULL) {
		p.line = n->line;
		p.column = n->column;
	}
	return p;
}

/* Building. */

struct xml_node *
xml_new(struct arena *mem, const char *ns, const char *prefix, const char *name)
{
	struct xml_node *n = arena_alloc(mem, sizeof(*n));

	n->name = arena_slice(mem, slice_of(name));
	n->ns = arena_slice(mem, slice_of(ns));
	n->prefix = arena_slice(mem, slice_of(prefix));
	n->text = SLICE_EMPTY;
	return n;
}

struct xml_node *
xml_add(struct arena *mem, struct xml_node *parent, const char *name)
{
	struct xml_node *n = arena_alloc(mem, sizeof(*n));

	n->name = arena_slice(mem, slice_of(name));
	n->ns = parent->ns;
	n->prefix = parent->prefix;
	n->text = SLICE_EMPTY;
	xml_append(parent, n);
	return n;
}

struct xml_node *
xml_add_text(struct arena *mem, struct xml_node *parent, struct slice text)
{
	struct xml_node *n = arena_alloc(mem, sizeof(*n));

	n->name = n->ns = n->prefix = SLICE_EMPTY;
	n->text = arena_slice(mem, text);
	xml_append(parent, n);
	return n;
}

struct xml_node *
xml_add_leaf(struct arena *mem, struct xml_node *parent, const char *name, struct slice text)
{
	struct xml_node *n = xml_add(mem, parent, name);

	if (text.n > 0)
		xml_add_text(mem, n, text);
	return n;
}

void
xml_set(struct arena *mem, struct xml_node *n, const char *name, struct slice v)
{
	struct xml_attr *a = xml_attr(n, name), **tail = &n->attrs;
	struct slice ns;

	if (a == NULL) {
		a = arena_alloc(mem, sizeof(*a));
		a->name = arena_slice(mem, attr_name(name, &ns));
		a->ns = ns;
		a->prefix = ns.n > 0 ? SLICE_LIT("xml") : SLICE_EMPTY;
		while (*tail != NULL)
			tail = &(*tail)->next;
		*tail = a;
	}
	a->value = arena_slice(mem, v);
}

/* Set or replace xsi:type. */
void
xml_set_type(struct arena *mem, struct xml_node *n, struct slice type)
{
	struct xml_attr *a, **at = &n->attrs;

	while (*at != NULL && !(slice_is((*at)->ns, XML_NS_XSI) && slice_is((*at)->name, "type")))
		at = &(*at)->next;
	if ((a = *at) == NULL) {
		a = *at = arena_alloc(mem, sizeof(*a));
		a->name = SLICE_LIT("type");
		a->ns = SLICE_LIT(XML_NS_XSI);
		a->prefix = SLICE_LIT("xsi");
	}
	a->value = arena_slice(mem, type);
}

void
xml_unset(struct xml_node *n, const char *name)
{
	const struct xml_attr *a = xml_attr(n, name);

	for (struct xml_attr **p = &n->attrs; *p != NULL; p = &(*p)->next) {
		if (*p == a) {
			*p = a->next;
			return;
		}
	}
}

void
xml_declare(struct arena *mem, struct xml_node *n, const char *prefix, const char *uri)
{
	struct xml_decl *d = arena_alloc(mem, sizeof(*d)), **tail = &n->decls;

	d->prefix = arena_slice(mem, slice_of(prefix));
	d->uri = arena_slice(mem, slice_of(uri));
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = d;
}

void
xml_append(struct xml_node *parent, struct xml_node *child)
{
	child->parent = parent;
	child->prev = parent->last;
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->changes++;
}

void
xml_insert(struct xml_node *before, struct xml_node *child)
{
	child->parent = before->parent;
	child->prev = before->prev;
	child->next = before;
	if (before->prev != NULL)
		before->prev->next = child;
	else if (before->parent != NULL)
		before->parent->first = child;
	before->prev = child;
	if (before->parent != NULL)
		before->parent->changes++;
}

void
xml_detach(struct xml_node *n)
{
	if (n->prev != NULL)
		n->prev->next = n->next;
	else if (n->parent != NULL)
		n->parent->first = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	else if (n->parent != NULL)
		n->parent->last = n->prev;
	if (n->parent != NULL)
		n->parent->changes++;
	n->parent = n->prev = n->next = NULL;
}

void
xml_replace(struct xml_node *old, struct xml_node *with)
{
	xml_insert(old, with);
	xml_detach(old);
}

struct xml_node *
xml_copy(struct arena *mem, const struct xml_node *n)
{
	struct xml_node *c = arena_alloc(mem, sizeof(*c));
	struct xml_attr **atail = &c->attrs;
	struct xml_decl **dtail = &c->decls;

	*c = *n;
	c->attrs = NULL;
	c->decls = NULL;
	c->parent = c->first = c->last = c->next = c->prev = NULL;
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		*atail = arena_alloc(mem, sizeof(**atail));
		**atail = *a;
		(*atail)->next = NULL;
		atail = &(*atail)->next;
	}
	for (const struct xml_decl *d = n->decls; d != NULL; d = d->next) {
		*dtail = arena_alloc(mem, sizeof(**dtail));
		**dtail = *d;
		(*dtail)->next = NULL;
		dtail = &(*dtail)->next;
	}
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		xml_append(c, xml_copy(mem, k));
	return c;
}

/* Comparing. */

/* The next blank-collapsed byte of a text, -1 at its end; *i moves on. */
static int
next_collapsed(struct slice s, size_t *i)
{
	if (*i >= s.n)
		return -1;
	if (!ascii_is_blank(s.p[*i]))
		return (unsigned char)s.p[(*i)++];
	while (*i < s.n && ascii_is_blank(s.p[*i]))
		(*i)++;
	return ' ';
}

static bool
text_equal(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;
	int c;

	a = slice_trim(a);
	b = slice_trim(b);
	do {
		c = next_collapsed(a, &i);
		if (c != next_collapsed(b, &j))
			return false;
	} while (c != -1);
	return true;
}

/* xsi:schemaLocation and noNamespaceSchemaLocation do not count. */
static bool
attr_counts(const struct xml_attr *a)
{
	return !(slice_is(a->ns, XML_NS_XSI) && (slice_is(a->name, "schemaLocation") ||
	    slice_is(a->name, "noNamespaceSchemaLocation")));
}

static size_t
attrs_counted(const struct xml_node *n)
{
	size_t count = 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		count += attr_counts(a) ? 1 : 0;
	return count;
}

static bool
attrs_equal(const struct xml_node *a, const struct xml_node *b)
{
	if (attrs_counted(a) != attrs_counted(b))
		return false;
	for (const struct xml_attr *x = a->attrs; x != NULL; x = x->next) {
		const struct xml_attr *y = b->attrs;

		if (!attr_counts(x))
			continue;
		while (y != NULL && !(slice_eq(x->name, y->name) && slice_eq(x->ns, y->ns)))
			y = y->next;
		if (y == NULL || !text_equal(x->value, y->value))
			return false;
	}
	return true;
}

/* The first node from n on that is an element or a text that is not blank. */
static const struct xml_node *
solid_from(const struct xml_node *n)
{
	while (n != NULL && xml_is_text(n) && slice_trim(n->text).n == 0)
		n = n->next;
	return n;
}

bool
xml_equal(const struct xml_node *a, const struct xml_node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (xml_is_text(a) || xml_is_text(b))
		return xml_is_text(a) && xml_is_text(b) && text_equal(a->text, b->text);
	if (!slice_eq(a->name, b->name) || !slice_eq(a->ns, b->ns) || !attrs_equal(a, b))
		return false;
	a = solid_from(a->first);
	b = solid_from(b->first);
	while (a != NULL && b != NULL) {
		if (!xml_equal(a, b))
			return false;
		a = solid_from(a->next);
		b = solid_from(b->next);
	}
	return a == b;
}
