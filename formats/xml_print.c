/* xml_print.c -- the printers of xml.h: as it stands, pretty, and canonical. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* A namespace declaration in force at the point of printing. */
struct binding {
	struct slice	prefix, uri;
};

struct printer {
	struct strbuf	*out;
	struct binding	*v;		/* innermost last */
	size_t		 n, cap;
	int		 flags;
	bool		 canonical;
	bool		(*skip)(const struct xml_node *n);
};

static bool
is_xml_prefix(struct slice prefix)
{
	return slice_is(prefix, "xml");
}

/* The URI in force for a prefix; empty if none. */
static struct slice
bound_to(const struct printer *p, struct slice prefix)
{
	for (size_t i = p->n; i > 0; i--) {
		if (slice_eq(p->v[i - 1].prefix, prefix))
			return p->v[i - 1].uri;
	}
	return SLICE_EMPTY;
}

static void
bind(struct printer *p, struct slice prefix, struct slice uri)
{
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 16 : p->cap * 2;
		p->v = xrealloc(p->v, p->cap * sizeof(*p->v));
	}
	p->v[p->n++] = (struct binding){ prefix, uri };
}

/* Length of a forbidden character at s.p[i]: control characters (1), U+FFFE and U+FFFF (3), else 0. */
static size_t
forbidden_at(struct slice s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
		return 1;
	if (c == 0xEF && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xBF &&
	    ((unsigned char)s.p[i + 2] == 0xBE || (unsigned char)s.p[i + 2] == 0xBF))
		return 3;
	return 0;
}

/* What a byte must be written as, NULL for itself. */
static const char *
escape_of(char c, bool in_attr)
{
	switch (c) {
	case '&':	return "&amp;";
	case '<':	return "&lt;";
	case '>':	return in_attr ? NULL : "&gt;";
	case '"':	return in_attr ? "&quot;" : NULL;
	case '\r':	return "&#xD;";
	case '\n':	return in_attr ? "&#xA;" : NULL;
	case '\t':	return in_attr ? "&#x9;" : NULL;
	default:	return NULL;
	}
}

/* Bytes at the start of s, eight at a time, that stand for themselves. A byte of `odd` has its top bit
 * set if that of v is a control character or one that may be escaped (or stands behind one), or is no
 * ASCII. */
static size_t
plain_run(struct slice s, bool in_attr)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	const uint64_t quote = ones * (in_attr ? '"' : '&');
	size_t i = 0;

	for (; s.n - i >= sizeof(ones); i += sizeof(ones)) {
		uint64_t v, odd;

		memcpy(&v, s.p + i, sizeof(v));
		odd = (v - ones * ' ') | ((v ^ ones * '&') - ones) | ((v ^ ones * '<') - ones) |
		    ((v ^ ones * '>') - ones) | ((v ^ quote) - ones) | v;
		if ((odd & tops) != 0)
			break;
	}
	return i;
}

static void
print_escaped(struct strbuf *out, struct slice s, bool in_attr)
{
	size_t from = 0;

	for (size_t i = plain_run(s, in_attr); i < s.n; ) {
		const char *esc = escape_of(s.p[i], in_attr);
		size_t bad = forbidden_at(s, i), step = bad > 0 ? bad : 1;

		if (esc != NULL || bad > 0) {
			strbuf_add(out, s.p + from, i - from);
			strbuf_adds(out, esc != NULL ? esc : "\xEF\xBF\xBD");
			from = i + step;
		}
		i += step;
		i += plain_run(slice_from(s.p + i, s.n - i), in_attr);
	}
	strbuf_add(out, s.p + from, s.n - from);
}

/* Text with blanks collapsed and trimmed (canonical form). */
static void
print_collapsed(struct strbuf *out, struct slice s)
{
	s = slice_trim(s);
	while (s.n > 0) {
		size_t i = 0;

		while (i < s.n && s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\n' && s.p[i] != '\r')
			i++;
		print_escaped(out, slice_from(s.p, i), false);
		if (i == s.n)
			return;
		strbuf_addc(out, ' ');
		s = slice_trim(slice_from(s.p + i, s.n - i));
	}
}

static void
print_decl(struct printer *p, struct slice prefix, struct slice uri)
{
	strbuf_adds(p->out, " xmlns");
	if (prefix.n > 0) {
		strbuf_addc(p->out, ':');
		strbuf_addsl(p->out, prefix);
	}
	strbuf_adds(p->out, "=\"");
	print_escaped(p->out, uri, true);
	strbuf_addc(p->out, '"');
}

static void
print_name(struct strbuf *out, struct slice prefix, struct slice name)
{
	if (prefix.n > 0) {
		strbuf_addsl(out, prefix);
		strbuf_addc(out, ':');
	}
	strbuf_addsl(out, name);
}

/* Put a binding in force unless it already is. `from` = first binding of this element: a prefix is
 * not bound twice on one element. */
static void
need(struct printer *p, size_t from, struct slice prefix, struct slice uri)
{
	if (is_xml_prefix(prefix) || slice_eq(bound_to(p, prefix), uri))
		return;
	for (size_t i = from; i < p->n; i++) {
		if (slice_eq(p->v[i].prefix, prefix))
			return;
	}
	bind(p, prefix, uri);
}

/* Does a value begin with "prefix:" (a qualified name in content, as in xsi:type)? */
static bool
value_uses(struct slice v, struct slice prefix)
{
	return v.n > prefix.n && v.p[prefix.n] == ':' && memcmp(v.p, prefix.p, prefix.n) == 0;
}

static bool
content_uses(const struct xml_node *n, struct slice prefix)
{
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (value_uses(a->value, prefix))
			return true;
	}
	for (const struct xml_node *c = n->first; c != NULL; c = c->next) {
		if (xml_is_text(c) ? value_uses(slice_trim(c->text), prefix) : content_uses(c, prefix))
			return true;
	}
	return false;
}

/* A piece printed out of its document takes along the prefixes its *content* speaks of. */
static void
need_inherited(struct printer *p, const struct xml_node *n)
{
	for (const struct xml_node *up = n->parent; up != NULL; up = up->parent) {
		for (const struct xml_decl *d = up->decls; d != NULL; d = d->next) {
			if (d->prefix.n > 0 && d->uri.n > 0 && content_uses(n, d->prefix))
				need(p, 0, d->prefix, d->uri);
		}
	}
}

static int
by_prefix(const void *a, const void *b)
{
	return slice_cmp(((const struct binding *)a)->prefix, ((const struct binding *)b)->prefix);
}

/* Bind and print the namespaces this element needs. */
static void
print_decls(struct printer *p, const struct xml_node *n, bool apex)
{
	size_t from = p->n;

	need(p, from, n->prefix, n->ns);
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->prefix.n > 0)
			need(p, from, a->prefix, a->ns);
	}
	for (const struct xml_decl *d = p->canonical ? NULL : n->decls; d != NULL; d = d->next)
		need(p, from, d->prefix, d->uri);
	if (apex && !p->canonical)
		need_inherited(p, n);
	if (p->canonical && p->n > from + 1)
		qsort(p->v + from, p->n - from, sizeof(*p->v), by_prefix);
	for (size_t i = from; i < p->n; i++)
		print_decl(p, p->v[i].prefix, p->v[i].uri);
}

static int
by_name(const void *a, const void *b)
{
	const struct xml_attr *x = *(const struct xml_attr *const *)a;
	const struct xml_attr *y = *(const struct xml_attr *const *)b;
	int c = slice_cmp(x->ns, y->ns);

	return c != 0 ? c : slice_cmp(x->name, y->name);
}

static void
print_attr(struct printer *p, const struct xml_attr *a)
{
	strbuf_addc(p->out, ' ');
	print_name(p->out, a->prefix, a->name);
	strbuf_adds(p->out, "=\"");
	print_escaped(p->out, a->value, true);
	strbuf_addc(p->out, '"');
}

static void
print_attrs(struct printer *p, const struct xml_node *n)
{
	const struct xml_attr **v;
	size_t count = 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		count++;
		if (!p->canonical)
			print_attr(p, a);
	}
	if (!p->canonical || count == 0)
		return;
	v = xcalloc(count, sizeof(const struct xml_attr *));
	count = 0;
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		v[count++] = a;
	qsort(v, count, sizeof(const struct xml_attr *), by_name);
	for (size_t i = 0; i < count; i++)
		print_attr(p, v[i]);
	free(v);
}

/* Only elements inside, so that line breaks may be put between them. */
static bool
holds_only_elements(const struct xml_node *n)
{
	for (const struct xml_node *c = n->first; c != NULL; c = c->next) {
		if (xml_is_text(c))
			return false;
	}
	return n->first != NULL;
}

static void
new_line(struct strbuf *out, unsigned level)
{
	strbuf_addc(out, '\n');
	while (level-- > 0)
		strbuf_adds(out, "  ");
}

static void
print_node(struct printer *p, const struct xml_node *n, unsigned level, bool apex)
{
	bool spread = (p->flags & XML_PRETTY) && holds_only_elements(n);
	size_t from = p->n;

	strbuf_addc(p->out, '<');
	print_name(p->out, n->prefix, n->name);
	print_decls(p, n, apex);
	print_attrs(p, n);
	if (n->first == NULL && !p->canonical) {
		strbuf_adds(p->out, "/>");
		p->n = from;
		return;
	}
	strbuf_addc(p->out, '>');
	for (const struct xml_node *c = n->first; c != NULL; c = c->next) {
		if (spread)
			new_line(p->out, level + 1);
		if (!xml_is_text(c)) {
			if (p->skip == NULL || !p->skip(c))
				print_node(p, c, level + 1, false);
		} else if (p->canonical) {
			print_collapsed(p->out, c->text);
		} else {
			print_escaped(p->out, c->text, false);
		}
	}
	if (spread)
		new_line(p->out, level);
	strbuf_adds(p->out, "</");
	print_name(p->out, n->prefix, n->name);
	strbuf_addc(p->out, '>');
	p->n = from;
}

void
xml_print(struct strbuf *out, const struct xml_node *n, int flags)
{
	struct printer p = { .out = out, .flags = flags };

	if (flags & XML_DECLARATION)
		strbuf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	print_node(&p, n, 0, true);
	if (flags & XML_DECLARATION)
		strbuf_addc(out, '\n');
	free(p.v);
}

void
xml_print_canonical(struct strbuf *out, const struct xml_node *n,
    bool (*skip)(const struct xml_node *n))
{
	struct printer p = { .out = out, .canonical = true, .skip = skip };

	print_node(&p, n, 0, true);
	free(p.v);
}
