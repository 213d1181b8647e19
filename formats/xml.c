/*
 * xml.c -- the parser: a pass over the bytes, then libxml2's SAX events into our tree.
 *
 * The order of the defences (hardening.md 7): size, UTF-8 and nothing else, the byte pass that
 * refuses every `<!` but comments and CDATA, a loader that loads nothing, a stop at internalSubset,
 * and counters. The byte pass is what closes the endless loop on nested parameter entities and the
 * quadratic duplicate check on huge start tags: both happen before any SAX event.
 */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum {
	DEFAULT_BYTES = 64 << 20, DEFAULT_ELEMENTS = 200000, DEFAULT_DEPTH = 64,
	DEFAULT_TEXT = 8 << 20, TAG_BYTES = 64 << 10, TAG_ATTRS = 256, NAMES = 512, NAMES_KEPT = 4096
};

#define XINCLUDE "http://www.w3.org/2001/XInclude"

/* One name of libxml2's dictionary and our copy of it; pointers are unique per parser. */
struct interned {
	const xmlChar	*key;
	struct slice	 copy;
};

/* A parser of libxml2, and the names that it met, for trees in one arena. */
struct xml_reader {
	xmlParserCtxtPtr	 ctx;
	struct arena		*mem;
	struct strbuf		 text;		/* the input, with a NUL behind it */
	struct interned		 names[NAMES];
};

struct builder {
	struct xml_reader	*reader;
	xmlParserCtxtPtr	 ctx;
	struct arena		*mem;
	struct xml_limits	 lim;
	struct err		*e;
	struct xml_node		*root, *cur;
	struct strbuf		 text;		/* of the run being collected */
	size_t			 elements;
	unsigned		 depth;
	bool			 failed;	/* *e is set */
};

/* The loader of external entities: there are none. */
static xmlParserInputPtr
load_nothing(const char *url, const char *id, xmlParserCtxtPtr ctx)
{
	(void)url;
	(void)id;
	(void)ctx;
	return NULL;
}

static struct pos
pos_in(struct slice in, size_t offset)
{
	return pos_of(in.p, in.n, offset);
}

/* The encoding named by an XML declaration, empty if none is. */
static struct slice
declared_encoding(struct slice decl)
{
	const char *p = memmem(decl.p, decl.n, "encoding", 8);
	struct slice rest, value;
	char quote;

	if (p == NULL)
		return SLICE_EMPTY;
	rest = slice_trim(slice_from(p + 8, decl.n - (size_t)(p + 8 - decl.p)));
	if (rest.n == 0 || rest.p[0] != '=')
		return SLICE_EMPTY;
	rest = slice_trim(slice_from(rest.p + 1, rest.n - 1));
	if (rest.n == 0 || (rest.p[0] != '"' && rest.p[0] != '\''))
		return SLICE_EMPTY;
	quote = rest.p[0];
	rest = slice_from(rest.p + 1, rest.n - 1);
	value = slice_cut(&rest, quote);
	return value;
}

/* Size, BOM, first byte, encoding. Leaves the text without BOM in *in. */
static int
check_head(struct slice *in, const struct xml_limits *lim, struct err *e)
{
	size_t bad, blanks = 0;
	const char *end;

	if (in->n > lim->bytes)
		return err_set(e, ERR_LIMIT, "XML of %zu bytes, the limit is %zu", in->n, lim->bytes);
	if (in->n >= 3 && memcmp(in->p, "\xEF\xBB\xBF", 3) == 0)
		*in = slice_from(in->p + 3, in->n - 3);
	if (in->n == 0)
		return err_set(e, ERR_SYNTAX, "no XML: the input is empty");
	/* without a declaration, blank lines may stand first */
	while (blanks < in->n && strchr(" \t\r\n", in->p[blanks]) != NULL && in->p[blanks] != '\0')
		blanks++;
	if (blanks == in->n || in->p[blanks] != '<' || memchr(in->p, '\0', in->n < 4 ? in->n : 4) != NULL)
		return err_at(e, ERR_ENCODING, pos_in(*in, 0), "XML must start with '<' in UTF-8");
	bad = utf8_bad_at(*in);
	if (bad < in->n)
		return err_at(e, ERR_ENCODING, pos_in(*in, bad), "not UTF-8");
	if (!slice_starts(*in, "<?xml") || (end = memmem(in->p, in->n, "?>", 2)) == NULL)
		return 0;
	struct slice enc = declared_encoding(slice_from(in->p, (size_t)(end - in->p)));
	if (enc.n > 0 && !slice_is_nocase(enc, "utf-8") && !slice_is_nocase(enc, "us-ascii"))
		return err_at(e, ERR_ENCODING, pos_in(*in, 0), "encoding %.*s is not accepted, only UTF-8",
		    enc.n > 40 ? 40 : (int)enc.n, enc.p);
	return 0;
}

/* Offset behind the closing text of a construct that starts at `at`, 0 if it is not closed. */
static size_t
skip_to(struct slice in, size_t at, const char *close)
{
	size_t n = strlen(close);
	const char *p = memmem(in.p + at, in.n - at, close, n);

	return p == NULL ? 0 : (size_t)(p - in.p) + n;
}

/* The end of a tag that starts at `at`, or 0 and *e. */
static size_t
scan_tag(struct slice in, size_t at, struct err *e)
{
	size_t i, attrs = 0;
	char quote = 0;

	for (i = at + 1; i < in.n; i++) {
		char c = in.p[i];

		if (i - at > TAG_BYTES) {
			err_at(e, ERR_LIMIT, pos_in(in, at), "a tag longer than %d bytes", TAG_BYTES);
			return 0;
		}
		if (quote != 0) {
			if (c == quote)
				quote = 0;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '=' && ++attrs > TAG_ATTRS) {
			err_at(e, ERR_LIMIT, pos_in(in, at), "more than %d attributes", TAG_ATTRS);
			return 0;
		} else if (c == '>') {
			return i + 1;
		}
	}
	err_at(e, ERR_SYNTAX, pos_in(in, at), "a tag is not closed");
	return 0;
}

/* The pass over the bytes before libxml2 sees them. */
static int
check_bytes(struct slice in, struct err *e)
{
	size_t at = 0, next;
	const char *p;

	while (at < in.n && (p = memchr(in.p + at, '<', in.n - at)) != NULL) {
		struct slice rest;

		at = (size_t)(p - in.p);
		rest = slice_from(p, in.n - at);
		if (slice_starts(rest, "<!--"))
			next = skip_to(in, at + 4, "-->");
		else if (slice_starts(rest, "<![CDATA["))
			next = skip_to(in, at + 9, "]]>");
		else if (slice_starts(rest, "<!"))
			return err_at(e, ERR_FORBIDDEN, pos_in(in, at),
			    "a DOCTYPE or other declaration is never accepted");
		else if (slice_starts(rest, "<?"))
			next = skip_to(in, at + 2, "?>");
		else if ((next = scan_tag(in, at, e)) == 0)
			return -1;
		if (next == 0)
			return err_at(e, ERR_SYNTAX, pos_in(in, at),
			    "a comment, CDATA section or processing instruction is not closed");
		at = next;
	}
	return 0;
}

/* Stop the parser; the first failure wins. */
static void
fail(struct builder *b, enum err_code code, const char *reason, unsigned long limit)
{
	struct pos at = { 0 };

	if (b->failed)
		return;
	b->failed = true;
	if (b->ctx->input != NULL) {
		at.line = (uint32_t)b->ctx->input->line;
		at.column = (uint32_t)b->ctx->input->col;
	}
	if (limit > 0)
		err_at(b->e, code, at, "%s (the limit is %lu)", reason, limit);
	else
		err_at(b->e, code, at, "%s", reason);
	xmlStopParser(b->ctx);
}

/* Our copy of a dictionary string. */
static struct slice
intern(struct builder *b, const xmlChar *s)
{
	struct interned *slot;

	if (s == NULL)
		return SLICE_EMPTY;
	slot = &b->reader->names[((uintptr_t)s >> 3) % NAMES];
	if (slot->key != s) {
		slot->key = s;
		slot->copy = arena_slice(b->mem, slice_of((const char *)s));
	}
	return slot->copy;
}

/* True for line breaks and indentation. */
static bool
is_layout(struct slice s)
{
	return memchr(s.p, '\n', s.n) != NULL && slice_trim(s).n == 0;
}

/* Close the run of text collected so far. `beside` = an element follows or came before. */
static void
flush_text(struct builder *b, bool beside)
{
	struct slice s = strbuf_slice(&b->text);
	struct xml_node *n;

	if (s.n == 0)
		return;
	if (b->cur != NULL && !(beside && is_layout(s))) {
		n = arena_alloc(b->mem, sizeof(*n));
		n->name = n->ns = n->prefix = SLICE_EMPTY;
		n->text = arena_slice(b->mem, s);
		n->line = b->cur->line;
		n->column = b->cur->column;
		xml_append(b->cur, n);
	}
	strbuf_reset(&b->text);
}

/* An attribute value as it was meant: as long as entities are not replaced (we never ask for that),
 * libxml2 hands out every `&` as `&#38;`. */
static struct slice
attr_value(struct builder *b, struct slice s)
{
	char *p;
	size_t n = 0;

	if (memchr(s.p, '&', s.n) == NULL)
		return arena_slice(b->mem, s);
	p = arena_raw(b->mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		p[n++] = s.p[i];
		if (s.p[i] == '&' && slice_starts(slice_from(s.p + i, s.n - i), "&#38;"))
			i += 4;
	}
	p[n] = '\0';
	return slice_from(p, n);
}

/* Copy the attributes of a start tag; libxml2 gives five pointers each, into an input that is gone once the
 * parser was stopped. */
static void
add_attrs(struct builder *b, struct xml_node *n, int count, const xmlChar **v)
{
	struct xml_attr **tail = &n->attrs;

	for (int i = 0; i < count && !b->failed; i++, v += 5) {
		struct xml_attr *a = arena_alloc(b->mem, sizeof(*a));

		a->name = intern(b, v[0]);
		a->prefix = intern(b, v[1]);
		a->ns = intern(b, v[2]);
		a->value = attr_value(b, slice_from(v[3], (size_t)(v[4] - v[3])));
		if (a->value.n > b->lim.text_bytes)
			fail(b, ERR_LIMIT, "an attribute value is too long", b->lim.text_bytes);
		*tail = a;
		tail = &a->next;
	}
}

static void
on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int ndecls,
    const xmlChar **decls, int nattrs, int ndefaulted, const xmlChar **attrs)
{
	struct builder *b = ((xmlParserCtxtPtr)user)->_private;
	struct xml_decl **tail;
	struct xml_node *n;

	(void)ndefaulted;
	if (b->failed)
		return;
	if (++b->elements > b->lim.elements) {
		fail(b, ERR_LIMIT, "too many elements", b->lim.elements);
		return;
	}
	if (++b->depth > b->lim.depth) {
		fail(b, ERR_DEPTH, "elements are nested too deep", b->lim.depth);
		return;
	}
	if (uri != NULL && strncmp((const char *)uri, XINCLUDE, sizeof(XINCLUDE) - 1) == 0) {
		fail(b, ERR_FORBIDDEN, "XInclude is never accepted", 0);
		return;
	}
	flush_text(b, true);
	n = arena_alloc(b->mem, sizeof(*n));
	n->name = intern(b, local);
	n->prefix = intern(b, prefix);
	n->ns = intern(b, uri);
	n->text = SLICE_EMPTY;
	n->line = (uint32_t)b->ctx->input->line;
	n->column = (uint32_t)b->ctx->input->col;
	tail = &n->decls;
	for (int i = 0; i < ndecls; i++) {
		struct xml_decl *d = arena_alloc(b->mem, sizeof(*d));

		d->prefix = intern(b, decls[2 * i]);
		d->uri = intern(b, decls[2 * i + 1]);
		*tail = d;
		tail = &d->next;
	}
	add_attrs(b, n, nattrs, attrs);
	if (b->cur != NULL)
		xml_append(b->cur, n);
	else
		b->root = n;
	b->cur = n;
}

static void
on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct builder *b = ((xmlParserCtxtPtr)user)->_private;

	(void)local;
	(void)prefix;
	(void)uri;
	if (b->failed || b->cur == NULL)
		return;
	flush_text(b, b->cur->last != NULL && !xml_is_text(b->cur->last));
	b->cur = b->cur->parent;
	b->depth--;
}

static void
on_text(void *user, const xmlChar *s, int n)
{
	struct builder *b = ((xmlParserCtxtPtr)user)->_private;

	if (b->failed || b->cur == NULL || n <= 0)
		return;
	if (b->text.n + (size_t)n > b->lim.text_bytes) {
		fail(b, ERR_LIMIT, "a text is too long", b->lim.text_bytes);
		return;
	}
	strbuf_add(&b->text, s, (size_t)n);
}

/* Second line of defence behind check_bytes: a DTD that got here ends the parse. */
static void
on_subset(void *user, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
	struct builder *b = ((xmlParserCtxtPtr)user)->_private;

	(void)name;
	(void)id;
	(void)system;
	fail(b, ERR_FORBIDDEN, "a DOCTYPE is never accepted", 0);
}

/* Turn libxml2's complaint into ours. */
static int
libxml_error(struct builder *b)
{
	const xmlError *x = xmlCtxtGetLastError(b->ctx);
	struct pos at = { 0 };
	struct slice why = SLICE_LIT("not well-formed XML");
	enum err_code code = ERR_SYNTAX;

	if (x != NULL) {
		at.line = x->line > 0 ? (uint32_t)x->line : 0;
		at.column = x->int2 > 0 ? (uint32_t)x->int2 : 0;
		if (x->message != NULL)
			why = slice_trim(slice_of(x->message));
		if (x->code == XML_ERR_INVALID_CHAR || x->code == XML_ERR_INVALID_CHARREF)
			code = ERR_ENCODING;
	}
	if (why.n > 200)
		why.n = 200;
	while (why.n > 0 && (why.p[why.n - 1] & 0xC0) == 0x80)
		why.n--;
	return err_at(b->e, code, at, "XML: %.*s", SLICE_ARG(why));
}

static void
set_limits(struct builder *b, const struct xml_limits *lim)
{
	if (lim != NULL)
		b->lim = *lim;
	if (b->lim.bytes == 0 || b->lim.bytes > INT32_MAX)
		b->lim.bytes = DEFAULT_BYTES;
	if (b->lim.elements == 0)
		b->lim.elements = DEFAULT_ELEMENTS;
	if (b->lim.depth == 0 || b->lim.depth > 250)	/* libxml2 has its own limit at 256 */
		b->lim.depth = DEFAULT_DEPTH;
	if (b->lim.text_bytes == 0)
		b->lim.text_bytes = DEFAULT_TEXT;
}

/* See xml.h. */
struct xml_reader *
xml_reader_new(struct arena *mem)
{
	struct xml_reader *r = xcalloc(1, sizeof(*r));

	r->mem = mem;
	r->text = (struct strbuf)STRBUF_INIT;
	return r;
}

void
xml_reader_into(struct xml_reader *r, struct arena *mem)
{
	memset(r->names, 0, sizeof(r->names));
	r->mem = mem;
}

void
xml_reader_free(struct xml_reader *r)
{
	if (r == NULL)
		return;
	xmlFreeParserCtxt(r->ctx);
	strbuf_fini(&r->text);
	free(r);
}

/* The parser of a reader: the one it has, unless that has met more names than it should keep. */
static xmlParserCtxtPtr
parser_of(struct xml_reader *r)
{
	static bool ready;

	if (!ready) {
		xmlInitParser();
		xmlSetExternalEntityLoader(load_nothing);
		ready = true;
	}
	if (r->ctx != NULL && xmlDictSize(r->ctx->dict) <= NAMES_KEPT) {
		xmlCtxtReset(r->ctx);
		return r->ctx;
	}
	xmlFreeParserCtxt(r->ctx);
	memset(r->names, 0, sizeof(r->names));
	r->ctx = xmlNewParserCtxt();
	if (r->ctx == NULL)
		abort();	/* out of memory ends the process, as everywhere */
	return r->ctx;
}

/* Hand libxml2 the text as it lies here. Through a buffer of its own it would copy it, and look for more of
 * it at every token. */
static void
put_input(xmlParserCtxtPtr ctx, const struct strbuf *text)
{
	xmlParserInputPtr input = xmlNewInputStream(ctx);

	if (input == NULL || (ctx->encoding = xmlStrdup((const xmlChar *)"UTF-8")) == NULL)
		abort();
	input->base = input->cur = (const xmlChar *)text->p;
	input->end = input->base + text->n;
	ctx->charset = XML_CHAR_ENCODING_UTF8;
	if (inputPush(ctx, input) < 0)
		abort();
}

/* Run libxml2 over checked bytes. */
static int
run_libxml(struct builder *b, struct slice in)
{
	xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC };
	int rc = -1;

	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.internalSubset = on_subset;
	b->ctx = parser_of(b->reader);
	xmlCtxtUseOptions(b->ctx, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
	    XML_PARSE_IGNORE_ENC);
	*b->ctx->sax = sax;
	b->ctx->_private = b;
	strbuf_reset(&b->reader->text);
	strbuf_addsl(&b->reader->text, in);
	put_input(b->ctx, &b->reader->text);
	xmlParseDocument(b->ctx);
	if (!b->failed) {
		if (!b->ctx->wellFormed || !b->ctx->nsWellFormed || b->root == NULL)
			libxml_error(b);
		else
			rc = 0;
	}
	xmlFreeDoc(b->ctx->myDoc);
	b->ctx->myDoc = NULL;
	return rc;
}

/* See xml.h. */
int
xml_reader_parse(struct xml_reader *r, struct slice in, const struct xml_limits *lim,
    struct xml_node **root, struct err *e)
{
	struct builder b = { .reader = r, .mem = r->mem, .e = e, .text = STRBUF_INIT };
	int rc = -1;

	*root = NULL;
	set_limits(&b, lim);
	if (check_head(&in, &b.lim, e) == 0 && check_bytes(in, e) == 0 && run_libxml(&b, in) == 0) {
		*root = b.root;
		rc = 0;
	}
	strbuf_fini(&b.text);
	return rc;
}

/* See xml.h. */
int
xml_parse(struct slice in, const struct xml_limits *lim, struct arena *mem, struct xml_node **root,
    struct err *e)
{
	struct xml_reader *r = xml_reader_new(mem);
	int rc = xml_reader_parse(r, in, lim, root, e);

	xml_reader_free(r);
	return rc;
}

void
xml_share_memory(void)
{
	xmlMemSetup(free, xmalloc, xrealloc, xstrdup);
}

const char *
xml_library(void)
{
	return xmlParserVersion;
}
