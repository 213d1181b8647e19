/*
 * mapped_path.c -- where a cell lies in a record: column names, JSON Pointers, XML location paths.
 *
 *	csv	column name
 *	json	/a/b (JSON Pointer from the record; each "../" before it: from the record above)
 *	xml	a:b/c  @x  .  ..  *  [@k='v']  [n]; from the document with a leading /
 */
#include "formats/mapped_impl.h"

enum { STEPS_MAX = 32 };

/* Say what is wrong with a path; -1. */
static int
path_err(struct err *e, struct slice text, const char *why)
{
	return err_set(e, ERR_CONFIG, "path \"%.*s\": %s", SLICE_ARG(text), why);
}

/* ---- csv -------------------------------------------------------------------------------------- */

/* Find the column among those already named, or add it. */
static int
parse_column(struct mapping *m, struct slice text, struct arena *mem, struct map_path *out,
    struct err *e)
{
	if (text.n == 0)
		return path_err(e, text, "a column needs a name");
	for (out->column = 0; out->column < m->ncolumns; out->column++)
		if (slice_eq(m->columns[out->column], text))
			return 0;
	m->columns = arena_grow(mem, m->columns, m->ncolumns, &m->columns_cap,
	    sizeof(*m->columns));
	m->columns[m->ncolumns++] = text;
	return 0;
}

/* ---- json ------------------------------------------------------------------------------------- */

/* "~1" is "/", "~0" is "~". */
static bool
unescape(struct slice s, struct arena *mem, struct slice *out)
{
	char *p = arena_alloc(mem, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '~') {
			p[n++] = s.p[i];
			continue;
		}
		if (++i == s.n || (s.p[i] != '0' && s.p[i] != '1'))
			return false;
		p[n++] = s.p[i] == '0' ? '~' : '/';
	}
	*out = slice_from(p, n);
	return true;
}

/* Split a JSON Pointer, with "../" before it, into tokens. */
static int
parse_pointer(struct slice text, struct arena *mem, struct map_path *out, struct err *e)
{
	struct slice rest = text;

	while (slice_starts(rest, "../")) {
		out->up++;
		rest = (struct slice){ rest.p + 3, rest.n - 3 };
		if (!slice_starts(rest, "../") && rest.n > 0 && rest.p[0] != '/')
			rest = (struct slice){ rest.p - 1, rest.n + 1 };
	}
	if (rest.n == 0)
		return 0;
	if (rest.p[0] != '/')
		return path_err(e, text, "a JSON Pointer starts with /");
	out->tokens = arena_alloc(mem, STEPS_MAX * sizeof(*out->tokens));
	while (rest.n > 0) {
		struct slice token;

		rest = (struct slice){ rest.p + 1, rest.n - 1 };
		token = rest;
		for (size_t i = 0; i < rest.n; i++)
			if (rest.p[i] == '/') {
				token.n = i;
				break;
			}
		rest = (struct slice){ rest.p + token.n, rest.n - token.n };
		if (out->n == STEPS_MAX)
			return path_err(e, text, "too many steps");
		if (!unescape(token, mem, &out->tokens[out->n++]))
			return path_err(e, text, "~ must be followed by 0 or 1");
	}
	return 0;
}

/* ---- xml -------------------------------------------------------------------------------------- */

/* Is it a name without prefix? */
static bool
is_name(struct slice s)
{
	if (s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '-' || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '_' || c == '-' || c == '.' || c >= 0x80))
			return false;
	}
	return true;
}

/* "{uri}name", as the residue names what the mapping has no prefix for. */
static const char *
parse_braced(struct slice s, struct slice *prefix, struct slice *ns, struct slice *name)
{
	const char *close = memchr(s.p, '}', s.n);

	if (close == NULL || close == s.p + 1)
		return "{ without a namespace and }";
	*prefix = SLICE_LIT("x");
	*ns = (struct slice){ s.p + 1, (size_t)(close - s.p) - 1 };
	*name = (struct slice){ close + 1, s.n - ns->n - 2 };
	return is_name(*name) ? NULL : "not a name";
}

/* "p:name" or "name"; elements without a prefix are in no namespace. */
static const char *
parse_qname(const struct mapping *m, struct slice s, struct slice *prefix, struct slice *ns,
    struct slice *name)
{
	struct slice rest = s, first = slice_cut(&rest, ':');

	if (s.n > 0 && s.p[0] == '{')
		return parse_braced(s, prefix, ns, name);
	*prefix = *ns = SLICE_EMPTY;
	*name = s;
	if (first.n < s.n) {
		*prefix = first;
		*name = rest;
		if (slice_is(first, "xml"))
			*ns = SLICE_LIT("http://www.w3.org/XML/1998/namespace");
		for (size_t i = 0; i < m->nnamespaces; i++)
			if (slice_eq(m->namespaces[i].prefix, first))
				*ns = m->namespaces[i].uri;
		if (ns->n == 0)
			return "its prefix has no `namespace` line";
	}
	return is_name(*name) ? NULL : "not a name";
}

/* What stands in brackets: a number or @k='v'. */
static const char *
parse_predicate(const struct mapping *m, struct slice s, struct xml_step *step)
{
	unsigned long long n;
	struct slice key, value;

	if (slice_u64(s, &n)) {
		step->index = (size_t)n;
		return n >= 1 && n <= 100000 ? NULL : "[n] counts from 1";
	}
	value = s;
	key = slice_cut(&value, '=');
	if (key.n < 2 || key.p[0] != '@' || value.n < 2 || value.p[0] != value.p[value.n - 1] ||
	    (value.p[0] != '\'' && value.p[0] != '"'))
		return "brackets may hold a number or @name='value'";
	step->attr_value = (struct slice){ value.p + 1, value.n - 2 };
	return parse_qname(m, (struct slice){ key.p + 1, key.n - 1 }, &step->attr_prefix,
	    &step->attr_ns, &step->attr);
}

/* Parse one step; returns what is wrong with it, or NULL. */
static const char *
parse_step(const struct mapping *m, struct slice s, struct xml_step *step)
{
	const char *open, *close, *why;

	memset(step, 0, sizeof(*step));
	if (slice_is(s, ".")) {
		step->kind = STEP_SELF;
		return NULL;
	}
	if (slice_is(s, "..")) {
		step->kind = STEP_PARENT;
		return NULL;
	}
	if (s.n > 0 && s.p[0] == '@') {
		step->kind = STEP_ATTR;
		return parse_qname(m, (struct slice){ s.p + 1, s.n - 1 }, &step->prefix, &step->ns,
		    &step->name);
	}
	step->kind = STEP_CHILD;
	open = memchr(s.p, '[', s.n);
	if (open != NULL) {
		close = memrchr(s.p, ']', s.n);
		if (close != s.p + s.n - 1)
			return "[ without ]";
		why = parse_predicate(m, (struct slice){ open + 1, (size_t)(close - open) - 1 },
		    step);
		if (why != NULL)
			return why;
		s.n = (size_t)(open - s.p);
	}
	if (slice_is(s, "*")) {
		step->any = true;
		return NULL;
	}
	return parse_qname(m, s, &step->prefix, &step->ns, &step->name);
}

/* Cut one step off; a slash inside quotes or braces belongs to it. */
static struct slice
next_step(struct slice *rest)
{
	char quote = 0;
	size_t i = 0;
	struct slice s;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (quote != 0)
			quote = c == quote ? 0 : quote;
		else if (c == '\'' || c == '"' || c == '{')
			quote = c == '{' ? '}' : c;
		else if (c == '/')
			break;
	}
	s = (struct slice){ rest->p, i };
	*rest = i < rest->n ? (struct slice){ rest->p + i + 1, rest->n - i - 1 } : SLICE_EMPTY;
	return s;
}

/* Split a location path into steps. */
static int
parse_xml(const struct mapping *m, struct slice text, struct arena *mem, struct map_path *out,
    struct err *e)
{
	struct slice rest = text;
	const char *why;

	if (rest.n > 0 && rest.p[0] == '/')
		rest = (struct slice){ rest.p + 1, rest.n - 1 };
	if (rest.n == 0 || rest.p[rest.n - 1] == '/')
		return path_err(e, text, "a step is missing");
	out->steps = arena_alloc(mem, STEPS_MAX * sizeof(*out->steps));
	while (rest.n > 0) {
		if (out->n == STEPS_MAX)
			return path_err(e, text, "too many steps");
		if ((why = parse_step(m, next_step(&rest), &out->steps[out->n])) != NULL)
			return path_err(e, text, why);
		if (out->steps[out->n++].kind == STEP_ATTR && rest.n > 0)
			return path_err(e, text, "an attribute is the last step");
	}
	return 0;
}

/* Parse a path as the mapping's format writes them. */
int
map_path_parse(struct mapping *m, struct slice text, struct arena *mem, struct map_path *out,
    struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->text = text;
	switch (m->format) {
	case MAP_CSV:	return parse_column(m, text, mem, out, e);
	case MAP_JSON:
	case MAP_JSONL:	return parse_pointer(text, mem, out, e);
	case MAP_XML:	return parse_xml(m, text, mem, out, e);
	}
	return -1;
}
