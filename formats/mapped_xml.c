/*
 * mapped_xml.c -- records in XML documents, in and out.
 *
 * Location paths pick elements and attributes (mapped_path.c). The tree comes from xml.c, which reads
 * UTF-8 only: a document that declares one of the two single-byte encodings of mappings is recoded
 * before. In the residue a leaf is named by its path from the record: "t:cost/@currency",
 * "t:note[2]".
 */
#include "formats/mapped_impl.h"
#include "formats/xml.h"

enum { INDEX_MAX = 1000 };	/* of [n] in a residue path */

struct xml_in {
	struct xml_node	*root;
	struct xml_node	**records;
	size_t		 n, next;
};

/* ---- encoding --------------------------------------------------------------------------------- */

/* The encoding that an XML declaration names; false if it names none of ours. */
static bool
declared(struct slice decl, enum map_encoding *enc)
{
	static const struct { const char *name; enum map_encoding enc; } known[] = {
		{ "iso-8859-1", ENC_LATIN1 }, { "latin1", ENC_LATIN1 },
		{ "iso-8859-15", ENC_LATIN9 },
		{ "us-ascii", ENC_LATIN1 }, { "windows-1252", ENC_CP1252 }
	};
	const char *p = memmem(decl.p, decl.n, "encoding", 8), *end = decl.p + decl.n, *close;
	struct slice name;

	if (p == NULL)
		return false;
	for (p += 8; p < end && *p != '"' && *p != '\''; p++)
		;
	if (p == end || (close = memchr(p + 1, *p, (size_t)(end - p) - 1)) == NULL)
		return false;
	name = (struct slice){ p + 1, (size_t)(close - p) - 1 };
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_is_nocase(name, known[i].name)) {
			*enc = known[i].enc;
			return true;
		}
	return false;
}

/* UTF-8 with a declaration that says so, if the document is in a single-byte encoding. */
static int
recode(struct slice *in, struct strbuf *out, struct err *e)
{
	const char *end = slice_starts(*in, "<?xml") ? memmem(in->p, in->n, "?>", 2) : NULL;
	enum map_encoding enc;
	size_t decl;

	if (end == NULL)
		return 0;
	decl = (size_t)(end - in->p) + 2;
	if (!declared((struct slice){ in->p, decl }, &enc))
		return 0;
	strbuf_adds(out, "<?xml version=\"1.0\"?>");
	for (size_t i = 0; i < decl; i++)
		if (in->p[i] == '\n')
			strbuf_addc(out, '\n');		/* lines keep their numbers */
	if (!map_decode(enc, (struct slice){ in->p + decl, in->n - decl }, out))
		return err_set(e, ERR_ENCODING, "bytes that windows-1252 does not define");
	*in = strbuf_slice(out);
	return 0;
}

/* ---- paths ------------------------------------------------------------------------------------ */

struct found {
	struct xml_node	**nodes;
	struct xml_attr	**attrs;	/* the attribute of the node, or NULL */
	size_t		 n, cap, acap;
	size_t		 limit;
	struct arena	*mem;
};

/* Return an attribute by namespace and name, or NULL. */
static struct xml_attr *
attr_of(struct xml_node *n, struct slice ns, struct slice name)
{
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		if (slice_eq(a->name, name) && slice_eq(a->ns, ns))
			return a;
	return NULL;
}

/* Note a match, up to the limit. */
static void
add_found(struct found *f, struct xml_node *n, struct xml_attr *a)
{
	if (f->n == f->limit)
		return;
	f->nodes = arena_grow(f->mem, f->nodes, f->n, &f->cap, sizeof(*f->nodes));
	f->attrs = arena_grow(f->mem, f->attrs, f->n, &f->acap, sizeof(*f->attrs));
	f->nodes[f->n] = n;
	f->attrs[f->n++] = a;
}

/* Name and [@k='v'] of a step; [n] is counted by the caller. */
static bool
fits(const struct xml_step *s, struct xml_node *n)
{
	struct xml_attr *a;

	if (xml_is_text(n) || (!s->any && !(slice_eq(n->name, s->name) && slice_eq(n->ns, s->ns))))
		return false;
	if (s->attr.n == 0)
		return true;
	a = attr_of(n, s->attr_ns, s->attr);
	return a != NULL && slice_eq(a->value, s->attr_value);
}

/* Collect what the steps lead to. */
static void
find(struct found *f, struct xml_node *n, const struct xml_step *steps, size_t nsteps)
{
	struct xml_attr *a;
	size_t count = 0;

	if (n == NULL || f->n == f->limit)
		return;
	if (nsteps == 0) {
		add_found(f, n, NULL);
		return;
	}
	switch (steps->kind) {
	case STEP_SELF:
		find(f, n, steps + 1, nsteps - 1);
		return;
	case STEP_PARENT:
		find(f, n->parent, steps + 1, nsteps - 1);
		return;
	case STEP_ATTR:
		if ((a = attr_of(n, steps->ns, steps->name)) != NULL)
			add_found(f, n, a);
		return;
	case STEP_CHILD:
		for (struct xml_node *k = n->first; k != NULL; k = k->next)
			if (fits(steps, k) && (++count == steps->index || steps->index == 0))
				find(f, k, steps + 1, nsteps - 1);
		return;
	}
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Parse the document and find its records. */
static int
xml_open(struct mapped_reader *r, struct err *e)
{
	struct xml_in *in = arena_alloc(r->mem, sizeof(*in));
	const struct map_path *p = &r->map->records;
	size_t most = r->job->limits.objects == 0 ? 100000 : r->job->limits.objects;
	struct found f = { .mem = r->mem, .limit = most + 1 };
	struct xml_limits lim = { .bytes = r->job->limits.bytes, .depth = r->job->limits.depth,
	    .text_bytes = r->job->limits.object_bytes };
	struct strbuf utf8 = STRBUF_INIT;
	struct slice text = r->job->in;
	int rc;

	r->state = in;
	rc = recode(&text, &utf8, e);
	if (rc == 0)
		rc = xml_parse(text, &lim, r->mem, &in->root, e);
	strbuf_fini(&utf8);
	if (rc < 0)
		return -1;
	if (!fits(&p->steps[0], in->root))
		return err_at(e, ERR_MISSING, xml_pos(in->root),
		    "the document does not begin with %.*s", SLICE_ARG(p->text));
	find(&f, in->root, p->steps + 1, p->n - 1);
	in->records = f.nodes;
	in->n = f.n;
	return 0;
}

/* Take the next record. */
static int
xml_next(struct mapped_reader *r, struct mapped_record *rec, struct err *e)
{
	struct xml_in *in = r->state;

	(void)e;
	if (in->next == in->n)
		return 0;
	rec->xml = in->records[in->next++];
	rec->xml->user = rec;
	rec->err.at = xml_pos(rec->xml);
	rec->path = xml_path_text(r->scratch, rec->xml, NULL);
	return 1;
}

/* Return what a path leads to: a string, a list of several, or NULL. */
static json *
xml_cell(struct mapped_reader *r, struct mapped_record *rec, const struct map_path *p, bool take)
{
	struct found f = { .mem = r->scratch, .limit = MAPPED_TEXTS_MAX };
	json *list = NULL, *one = NULL;

	find(&f, rec->xml, p->steps, p->n);
	if (p->n > 0 && p->steps[0].kind == STEP_PARENT)
		take = false;
	for (size_t i = 0; i < f.n; i++) {
		struct xml_attr *a = f.attrs[i];

		if (take && a != NULL)
			a->mark = XML_KEPT;
		else if (take)
			f.nodes[i]->mark = XML_KEPT;
		if (f.n > 1 && list == NULL)
			list = json_list(r->scratch);
		one = json_string(r->scratch, a != NULL ? a->value : xml_text(f.nodes[i], r->scratch));
		if (list != NULL)
			json_push(list, one);
	}
	return list != NULL ? list : one;
}

/* Append a name with the mapping's prefix, or {uri}. */
static void
add_name(struct strbuf *b, const struct mapping *m, struct slice ns, struct slice name)
{
	if (ns.n > 0) {
		size_t i = 0;

		while (i < m->nnamespaces && !slice_eq(m->namespaces[i].uri, ns))
			i++;
		if (i < m->nnamespaces)
			strbuf_addf(b, "%.*s:", SLICE_ARG(m->namespaces[i].prefix));
		else if (slice_is(ns, XML_NS_XML))
			strbuf_adds(b, "xml:");
		else
			strbuf_addf(b, "{%.*s}", SLICE_ARG(ns));
	}
	strbuf_addsl(b, name);
}

/* [n] for the second and later of equal siblings. */
static void
add_ordinal(struct strbuf *b, const struct xml_node *n)
{
	size_t count = 1;

	for (const struct xml_node *k = n->prev; k != NULL && count <= INDEX_MAX; k = k->prev)
		count += slice_eq(k->name, n->name) && slice_eq(k->ns, n->ns);
	if (count > 1)
		strbuf_addf(b, "[%zu]", count);
}

/* Collect what lies in an element and was not taken. */
static void
rest_of(struct mapped_reader *r, struct xml_node *n, struct strbuf *path,
    struct map_fields *fields)
{
	size_t here = path->n;
	struct slice text = SLICE_EMPTY;
	bool elements = false;

	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next) {
		if (a->mark == XML_KEPT || slice_is(a->ns, XML_NS_XSI))
			continue;
		strbuf_adds(path, here > 0 ? "/@" : "@");
		add_name(path, r->map, a->ns, a->name);
		map_fields_add(fields, r->scratch, path->p, json_string(r->scratch, a->value));
		strbuf_setlen(path, here);
	}
	for (struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (xml_is_text(k)) {
			if (slice_trim(k->text).n > 0)
				text = text.n == 0 ? k->text : slice_of(arena_fmt(r->scratch,
				    "%.*s%.*s", SLICE_ARG(text), SLICE_ARG(k->text)));
			continue;
		}
		elements = true;
		if (k->user != NULL)		/* a record of its own */
			continue;
		if (here > 0)
			strbuf_addc(path, '/');
		add_name(path, r->map, k->ns, k->name);
		add_ordinal(path, k);
		rest_of(r, k, path, fields);
		strbuf_setlen(path, here);
	}
	if (n->mark == XML_KEPT)
		return;
	if (text.n > 0 || (!elements && n->attrs == NULL && here > 0))
		map_fields_add(fields, r->scratch, here > 0 ? path->p : ".",
		    json_string(r->scratch, text));
}

/* Collect what no row has taken. */
static void
xml_rest(struct mapped_reader *r, struct mapped_record *rec, struct map_fields *fields)
{
	struct strbuf path = STRBUF_INIT;

	rest_of(r, rec->xml, &path, fields);
	strbuf_fini(&path);
}

/* Return the records of a child definition. */
static size_t
xml_children(struct mapped_reader *r, struct mapped_record *rec, const struct map_record *def,
    struct mapped_record **out)
{
	struct found f = { .mem = r->scratch, .limit = MAPPED_TEXTS_MAX };

	find(&f, rec->xml, def->at.steps, def->at.n);
	*out = arena_alloc(r->scratch, (f.n + 1) * sizeof(**out));
	for (size_t i = 0; i < f.n; i++) {
		struct mapped_record *kid = &(*out)[i];

		kid->def = def;
		kid->parent = rec;
		kid->xml = f.nodes[i];
		kid->xml->user = kid;
		kid->index = i;
		kid->path = xml_path_text(r->scratch, kid->xml, NULL);
		kid->err.at = xml_pos(kid->xml);
	}
	return f.n;
}

/* Collect what stands outside of the records. */
static void
xml_outside(struct mapped_reader *r, struct map_fields *fields)
{
	struct xml_in *in = r->state;
	struct strbuf path = STRBUF_INIT;

	if (in->root->user == NULL)
		rest_of(r, in->root, &path, fields);
	strbuf_fini(&path);
}

const struct mapped_input mapped_xml_in = {
	xml_open, xml_next, xml_cell, xml_rest, xml_children, xml_outside
};

/* ---- writing ---------------------------------------------------------------------------------- */

struct xml_out {
	struct xml_node	*root, *parent;		/* of the document, of the records */
};

/* Control characters that XML has no way to say. */
static bool
can_say(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 && strchr("\t\n\r", s.p[i]) == NULL)
			return false;
	return memchr(s.p, '\0', s.n) == NULL && utf8_bad_at(s) == s.n;
}

/* Set or replace an attribute with a namespace. */
static void
set_attr(struct arena *mem, struct xml_node *n, struct slice prefix, struct slice ns,
    struct slice name, struct slice value)
{
	struct xml_attr *a = attr_of(n, ns, name), **end = &n->attrs;

	if (a == NULL) {
		a = arena_alloc(mem, sizeof(*a));
		a->name = arena_slice(mem, name);
		a->ns = arena_slice(mem, ns);
		a->prefix = arena_slice(mem, prefix);
		while (*end != NULL)
			end = &(*end)->next;
		*end = a;
	}
	a->value = arena_slice(mem, value);
}

/* Return a new element for a step, with the attribute that its predicate asks for. */
static struct xml_node *
new_element(struct arena *mem, struct xml_node *parent, const struct xml_step *s)
{
	struct xml_node *n = xml_new(mem, arena_str(mem, s->ns), arena_str(mem, s->prefix),
	    arena_str(mem, s->name));

	if (s->attr.n > 0)
		set_attr(mem, n, s->attr_prefix, s->attr_ns, s->attr, s->attr_value);
	if (parent != NULL)
		xml_append(parent, n);
	return n;
}

/* The element a step leads to, made if it is not there; NULL if it cannot be made. */
static struct xml_node *
step_into(struct arena *mem, struct xml_node *n, const struct xml_step *s)
{
	size_t count = 0, want = s->index == 0 ? 1 : s->index;

	if (s->kind == STEP_SELF)
		return n;
	if (s->kind != STEP_CHILD || want > INDEX_MAX)
		return NULL;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		if (fits(s, k) && ++count == want)
			return k;
	if (s->any)
		return NULL;
	for (n = new_element(mem, n, s); ++count < want; n = new_element(mem, n->parent, s))
		;
	return n;
}

/* Text at an element: the first match without text, or a new one beside it. */
static bool
put_text(struct arena *mem, struct xml_node *n, const struct xml_step *s, struct slice text)
{
	struct xml_node *at = step_into(mem, n, s);

	if (at == NULL)
		return false;
	if (s->kind == STEP_CHILD && s->index == 0)
		while (at != NULL && at->user == at) {
			do
				at = at->next;
			while (at != NULL && !fits(s, at));
		}
	if (at == NULL)
		at = new_element(mem, n, s);
	at->user = at;				/* it has its text */
	if (text.n > 0)
		xml_add_text(mem, at, text);
	return true;
}

/* Put one text at a path; false if the path cannot be made. */
static bool
put_value(struct arena *mem, struct xml_node *n, const struct map_path *p, struct slice text)
{
	const struct xml_step *last = &p->steps[p->n - 1];

	for (size_t i = 0; i + 1 < p->n && n != NULL; i++)
		n = step_into(mem, n, &p->steps[i]);
	if (n == NULL)
		return false;
	if (last->kind == STEP_ATTR) {
		set_attr(mem, n, last->prefix, last->ns, last->name, text);
		return true;
	}
	return put_text(mem, n, last, text);
}

/* Texts of a cell, where an empty string counts. */
static bool
put_cell(struct mapped_writer *w, struct xml_node *n, const struct mapped_cell *c, struct err *e)
{
	struct map_path p;
	struct mapping scratch = *w->map;
	const json *v = json_is_list(c->value) ? json_first(c->value) : c->value;

	if (c->row == NULL && map_path_parse(&scratch, c->path, w->mem, &p, NULL) < 0)
		return false;
	if (c->row != NULL)
		p = *c->row;
	if (p.n == 0 || c->path.n == 0 || c->path.p[0] == '/')
		return false;
	for (; v != NULL; v = json_is_list(c->value) ? json_next(v) : NULL) {
		struct texts t = { 0 };
		struct slice s;

		if (json_is_list(v) || !map_cell_texts(v, w->mem, &t))
			return false;
		s = t.n > 0 ? t.v[0] : SLICE_EMPTY;
		if (!can_say(s)) {
			err_set(e, ERR_ENCODING, "%.*s: XML cannot hold its control characters",
			    (int)(c->path.n < 80 ? c->path.n : 80), c->path.p);
			return true;
		}
		if (!put_value(w->mem, n, &p, s))
			return false;
	}
	return true;
}

/* Fill a record's element. -1 if one of its values cannot be said in XML. */
static int
fill(struct mapped_writer *w, struct xml_node *n, const struct mapped_row_out *row, struct err *e)
{
	struct err cell = ERR_INIT;

	for (size_t i = 0; i < row->n; i++) {
		if (!put_cell(w, n, &row->v[i], &cell))
			loss_addf(w->job->loss, LOSS_DROPPED, "no place in the record", "%.*s",
			    SLICE_ARG(row->v[i].path));
		if (cell.code != ERR_NONE) {
			*e = cell;
			return -1;
		}
	}
	for (size_t i = 0; i < row->nchildren; i++) {
		const struct map_path *at = &row->children[i].def->at;
		struct xml_node *parent = n;

		for (size_t k = 0; k + 1 < at->n && parent != NULL; k++)
			parent = step_into(w->mem, parent, &at->steps[k]);
		if (parent == NULL || at->steps[at->n - 1].any)
			return err_set(e, ERR_UNSUPPORTED, "children at %.*s cannot be written",
			    SLICE_ARG(at->text));
		if (fill(w, new_element(w->mem, parent, &at->steps[at->n - 1]), &row->children[i],
		    e) < 0)
			return -1;
	}
	return 0;
}

/* Make the frame around the records. */
static int
xml_out_open(struct mapped_writer *w, const struct mapped_row_out *rows, size_t n, struct err *e)
{
	struct xml_out *o = arena_alloc(w->mem, sizeof(*o));
	const struct map_path *p = &w->map->records;

	(void)rows;
	(void)n;
	w->state = o;
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind != STEP_CHILD || p->steps[i].any)
			return err_set(e, ERR_CONFIG, "records %.*s cannot be written",
			    SLICE_ARG(p->text));
	if (p->n < 2)
		return err_set(e, ERR_CONFIG, "records need an element around them");
	o->root = o->parent = new_element(w->mem, NULL, &p->steps[0]);
	for (size_t i = 0; i < w->map->nnamespaces; i++)
		xml_declare(w->mem, o->root, arena_str(w->mem, w->map->namespaces[i].prefix),
		    arena_str(w->mem, w->map->namespaces[i].uri));
	for (size_t i = 1; i + 1 < p->n; i++)
		o->parent = step_into(w->mem, o->parent, &p->steps[i]);
	return 0;
}

/* Append one record. */
static int
xml_put(struct mapped_writer *w, const struct mapped_row_out *row, struct err *e)
{
	struct xml_out *o = w->state;
	struct xml_node *n = new_element(w->mem, NULL, &w->map->records.steps[w->map->records.n - 1]);

	if (fill(w, n, row, e) < 0)
		return -1;
	xml_append(o->parent, n);
	return 0;
}

/* Print the document. */
static void
xml_close(struct mapped_writer *w)
{
	struct xml_out *o = w->state;

	xml_print(w->out, o->root, XML_DECLARATION | (w->job->pretty ? XML_PRETTY : 0));
	strbuf_addc(w->out, '\n');
}

const struct mapped_output mapped_xml_out = { xml_out_open, xml_put, xml_close };
