/*
 * mapped_json.c -- records in JSON documents and JSON lines, in and out.
 *
 * Paths are JSON Pointers. What no row maps is kept whole: a subtree without a mapped field inside it
 * is one entry of the residue.
 */
#include "formats/mapped_impl.h"

enum { LINE_BYTES = 8 << 20 };

struct json_in {
	json		*root, *item;	/* document; the next record */
	json		*list;		/* that holds the records; NULL: the root is the only record */
	size_t		 index;
	size_t		 at;		/* jsonl: offset of the next line */
	uint32_t	 line;
};

/* ---- pointers --------------------------------------------------------------------------------- */

/* Return the value at the tokens, or NULL. */
static json *
walk(json *node, const struct slice *tokens, size_t n)
{
	unsigned long long i;

	for (size_t k = 0; k < n && node != NULL; k++) {
		if (json_is_list(node))
			node = slice_u64(tokens[k], &i) ? json_at(node, (size_t)i) : NULL;
		else if (memchr(tokens[k].p, '\0', tokens[k].n) == NULL)
			node = json_get(node, tokens[k].p);
	}
	return node;
}

/* Append "/name" with ~ and / escaped. */
static void
add_token(struct strbuf *b, const char *name)
{
	strbuf_addc(b, '/');
	for (; *name != '\0'; name++) {
		if (*name == '~')
			strbuf_adds(b, "~0");
		else if (*name == '/')
			strbuf_adds(b, "~1");
		else
			strbuf_addc(b, *name);
	}
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* Return the limits of the job for the parser. */
static struct json_limits
limits_of(const struct read_job *job)
{
	return (struct json_limits){ .depth = job->limits.depth, .bytes = job->limits.bytes };
}

/* Parse the document and find its records. */
static int
json_open(struct mapped_reader *r, struct err *e)
{
	struct json_in *in = arena_alloc(r->mem, sizeof(*in));
	struct json_limits lim = limits_of(r->job);
	const struct map_path *p = &r->map->records;
	struct json_doc doc;
	json *found;

	r->state = in;
	if (json_parse(r->job->in, &lim, r->mem, &doc, e) < 0)
		return -1;
	in->root = doc.root;
	found = walk(doc.root, p->tokens, p->n);
	if (json_is_list(found)) {
		in->list = found;
		in->item = json_first(found);
		return 0;
	}
	if (!json_is_object(found))
		return err_set(e, ERR_MISSING, "no records at \"%.*s\"", SLICE_ARG(p->text));
	in->item = found;
	return 0;
}

/* Take the next member of the list. */
static int
json_next_record(struct mapped_reader *r, struct mapped_record *rec, struct err *e)
{
	struct json_in *in = r->state;

	(void)e;
	if (in->item == NULL)
		return 0;
	rec->node = in->item;
	rec->path = arena_fmt(r->scratch, "%.*s/%zu", SLICE_ARG(r->map->records.text), in->index++);
	in->item = in->list == NULL ? NULL : json_next(in->item);
	if (!json_is_object(rec->node))
		err_set(&rec->err, ERR_SYNTAX, "a record is an object");
	return 1;
}

/* Return the value at a pointer, in the record or one above it. */
static json *
json_cell(struct mapped_reader *r, struct mapped_record *rec, const struct map_path *p, bool take)
{
	struct mapped_record *from = rec;

	(void)r;
	(void)take;		/* paths tell what is mapped: see json_rest */
	for (unsigned i = 0; i < p->up && from != NULL; i++)
		from = from->parent;
	return from == NULL ? NULL : walk(from->node, p->tokens, p->n);
}

/* How a path relates to what is mapped: 2 = it is mapped, 1 = something below it is, 0 = neither.
 * `off`: rows that have no say, or NULL. */
static int
mapped_at(const struct map_record *def, const bool *off, struct slice path)
{
	int found = 0;

	for (size_t i = 0; i < def->nrows + def->nchildren; i++) {
		const struct map_path *p = i < def->nrows ? &def->rows[i].source :
		    &def->children[i - def->nrows].at;

		if ((i < def->nrows && (def->rows[i].is_const || (off != NULL && off[i]))) || p->up > 0)
			continue;
		if (slice_eq(p->text, path))
			return 2;
		if (p->text.n > path.n && memcmp(p->text.p, path.p, path.n) == 0 &&
		    p->text.p[path.n] == '/')
			found = 1;
	}
	return found;
}

/* Collect what lies below a node and is not mapped. */
static void
rest_below(struct mapped_reader *r, const struct map_record *def, const bool *off, const json *node,
    struct strbuf *path, unsigned depth, struct map_fields *fields)
{
	size_t here = path->n, i = 0;

	for (const json *v = json_first(node); v != NULL; v = json_next(v), i++) {
		int how;

		strbuf_setlen(path, here);
		if (json_name(v) != NULL)
			add_token(path, json_name(v));
		else
			strbuf_addf(path, "/%zu", i);
		how = mapped_at(def, off, strbuf_slice(path));
		if (how == 1 && depth < MAPPED_DEPTH_MAX && json_first(v) != NULL)
			rest_below(r, def, off, v, path, depth + 1, fields);
		else if (how != 2)
			map_fields_add(fields, r->scratch, path->p, json_copy(r->scratch, v));
	}
	strbuf_setlen(path, here);
}

/* Collect what no row maps. */
static void
json_rest(struct mapped_reader *r, struct mapped_record *rec, struct map_fields *fields)
{
	struct strbuf path = STRBUF_INIT;

	rest_below(r, rec->def, rec->off, rec->node, &path, 0, fields);
	strbuf_fini(&path);
}

/* Return the records of a child definition. */
static size_t
json_children(struct mapped_reader *r, struct mapped_record *rec, const struct map_record *def,
    struct mapped_record **out)
{
	json *list = walk(rec->node, def->at.tokens, def->at.n);
	size_t n = json_is_list(list) ? json_count(list) : json_is_object(list), i = 0;

	*out = arena_alloc(r->scratch, (n + 1) * sizeof(**out));
	for (json *v = json_is_list(list) ? json_first(list) : list; i < n; v = json_next(v), i++) {
		struct mapped_record *kid = &(*out)[i];

		kid->def = def;
		kid->parent = rec;
		kid->node = v;
		kid->index = i;
		kid->path = arena_fmt(r->scratch, "%s%.*s/%zu", rec->path, SLICE_ARG(def->at.text), i);
		kid->err.at = rec->err.at;
		if (!json_is_object(v))
			err_set(&kid->err, ERR_SYNTAX, "a record is an object");
	}
	return n;
}

/* Everything of the document but the list of records. */
static void
json_outside(struct mapped_reader *r, struct map_fields *fields)
{
	struct json_in *in = r->state;
	struct map_row row = { .source = r->map->records };
	struct map_record def = { .rows = &row, .nrows = 1 };
	struct strbuf path = STRBUF_INIT;

	if (r->map->records.n > 0)
		rest_below(r, &def, NULL, in->root, &path, 0, fields);
	strbuf_fini(&path);
}

const struct mapped_input mapped_json_in = {
	json_open, json_next_record, json_cell, json_rest, json_children, json_outside
};

/* ---- JSON lines ------------------------------------------------------------------------------- */

/* Start at the first line. */
static int
jsonl_open(struct mapped_reader *r, struct err *e)
{
	struct json_in *in = arena_alloc(r->mem, sizeof(*in));

	(void)e;
	r->state = in;
	in->line = 1;
	return 0;
}

/* Parse the next line that is not blank. */
static int
jsonl_next(struct mapped_reader *r, struct mapped_record *rec, struct err *e)
{
	struct json_in *in = r->state;
	struct slice all = r->job->in, line, blank;
	struct json_limits lim = limits_of(r->job);
	struct json_doc doc;
	const char *nl;

	(void)e;
	lim.bytes = r->job->limits.object_bytes == 0 ? LINE_BYTES : r->job->limits.object_bytes;
	for (;; in->line++) {
		if (in->at >= all.n)
			return 0;
		nl = memchr(all.p + in->at, '\n', all.n - in->at);
		line = (struct slice){ all.p + in->at,
		    nl == NULL ? all.n - in->at : (size_t)(nl - all.p) - in->at };
		blank = slice_trim(line);
		rec->err.at = (struct pos){ in->line, 1, in->at };
		in->at += line.n + 1;
		if (blank.n > 0)
			break;
	}
	rec->text = line;
	rec->path = arena_fmt(r->scratch, "line[%u]", in->line++);
	if (json_parse(line, &lim, r->scratch, &doc, &rec->err) < 0) {
		rec->err.at.line += in->line - 2;
		rec->err.at.offset += (size_t)(line.p - all.p);
		return 1;
	}
	rec->node = doc.root;
	if (!json_is_object(rec->node))
		err_set(&rec->err, ERR_SYNTAX, "a record is an object");
	return 1;
}

const struct mapped_input mapped_jsonl_in = {
	jsonl_open, jsonl_next, json_cell, json_rest, json_children, NULL
};

/* ---- writing ---------------------------------------------------------------------------------- */

struct json_out {
	json	*root, *list;
};

/* Can the token be an index of a list? */
static bool
is_index(struct slice token)
{
	unsigned long long v;

	return slice_u64(token, &v) && v < MAPPED_TEXTS_MAX;
}

/* The child of a token, made if it is not there; NULL if the tree has another shape there. */
static json *
step_into(struct arena *mem, json *node, struct slice token, json *fresh)
{
	unsigned long long i = 0;
	json *v;

	if (memchr(token.p, '\0', token.n) != NULL)
		return NULL;
	if (json_is_object(node)) {
		v = json_get(node, token.p);
		return v != NULL ? v : json_put(mem, node, token.p, fresh);
	}
	if (!json_is_list(node) || !is_index(token))
		return NULL;
	slice_u64(token, &i);
	v = json_at(node, (size_t)i);
	return v != NULL ? v : json_push(node, fresh);
}

/* Put a value at a pointer. */
static bool
put_at(struct arena *mem, json *node, const struct slice *tokens, size_t n, json *value)
{
	for (size_t k = 0; k + 1 < n && node != NULL; k++)
		node = step_into(mem, node, tokens[k],
		    is_index(tokens[k + 1]) ? json_list(mem) : json_object(mem));
	return n > 0 && node != NULL && step_into(mem, node, tokens[n - 1], value) == value;
}

/* Return the record as a tree, with its children. */
static json *
record_of(struct mapped_writer *w, const struct mapped_row_out *row)
{
	struct mapping scratch = { .format = MAP_JSON };
	json *o = json_object(w->mem);

	for (size_t i = 0; i < row->nchildren; i++) {
		const struct map_path *at = &row->children[i].def->at;
		json *kid = record_of(w, &row->children[i]), *list = o;

		for (size_t k = 0; k < at->n && list != NULL; k++)
			list = step_into(w->mem, list, at->tokens[k],
			    k + 1 == at->n ? json_list(w->mem) : json_object(w->mem));
		if (json_is_list(list))
			json_push(list, kid);
	}
	for (size_t i = 0; i < row->n; i++) {
		struct map_path p;

		if (map_path_parse(&scratch, row->v[i].path, w->mem, &p, NULL) < 0 || p.up > 0 ||
		    !put_at(w->mem, o, p.tokens, p.n, json_copy(w->mem, row->v[i].value)))
			loss_addf(w->job->loss, LOSS_DROPPED, "no place in the record", "%.*s",
			    SLICE_ARG(row->v[i].path));
	}
	return o;
}

/* Make the frame around the records. */
static int
json_out_open(struct mapped_writer *w, const struct mapped_row_out *rows, size_t n, struct err *e)
{
	struct json_out *o = arena_alloc(w->mem, sizeof(*o));
	const struct map_path *p = &w->map->records;

	(void)rows;
	(void)n;
	w->state = o;
	o->list = json_list(w->mem);
	o->root = p->n == 0 ? o->list : json_object(w->mem);
	if (p->n > 0 && !put_at(w->mem, o->root, p->tokens, p->n, o->list))
		return err_set(e, ERR_CONFIG, "records \"%.*s\" cannot be written",
		    SLICE_ARG(p->text));
	return 0;
}

/* Append one record. */
static int
json_put_record(struct mapped_writer *w, const struct mapped_row_out *row, struct err *e)
{
	struct json_out *o = w->state;

	(void)e;
	json_push(o->list, record_of(w, row));
	return 0;
}

/* Print the document. */
static void
json_close(struct mapped_writer *w)
{
	struct json_out *o = w->state;

	json_print(w->out, o->root);
	strbuf_addc(w->out, '\n');
}

const struct mapped_output mapped_json_out = { json_out_open, json_put_record, json_close };

/* Nothing stands before the first line. */
static int
jsonl_out_open(struct mapped_writer *w, const struct mapped_row_out *rows, size_t n, struct err *e)
{
	(void)w;
	(void)rows;
	(void)n;
	(void)e;
	return 0;
}

/* Print one record as a line. */
static int
jsonl_put(struct mapped_writer *w, const struct mapped_row_out *row, struct err *e)
{
	(void)e;
	json_print(w->out, record_of(w, row));
	strbuf_addc(w->out, '\n');
	return 0;
}

/* Nothing stands behind the last line. */
static void
jsonl_close(struct mapped_writer *w)
{
	(void)w;
}

const struct mapped_output mapped_jsonl_out = { jsonl_out_open, jsonl_put, jsonl_close };
