/*
 * mapped_file.c -- compiles a mapping file; the grammar is told in conf/mappings/README.md.
 *
 * Two passes over the lines: what paths depend on (format, namespaces) first, then the rest. Every
 * complaint names file and line; all are given at once.
 */
#include "formats/mapped_file.h"
#include "gateway/base/clock.h"

const char *const map_object_type[MAP_OBJECTS + 1] = {
	"indicator", "observed-data", "report", "incident", "vulnerability", "malware",
	"threat-actor", "identity", NULL
};

/* Return the ith word of the line. */
struct slice
map_word(const struct map_compile *k, size_t i)
{
	return i < k->at->nwords ? k->at->words[i] : SLICE_EMPTY;
}

/* How many records deep `wanted` lies. */
static unsigned
depth_of(const struct map_record *r, const struct map_record *wanted)
{
	if (r == wanted)
		return 1;
	for (size_t i = 0; i < r->nchildren; i++) {
		unsigned below = depth_of(&r->children[i], wanted);

		if (below > 0)
			return below + 1;
	}
	return 0;
}

/* Parse a path; false with a complaint. */
bool
map_path_word(struct map_compile *k, struct slice text, struct map_path *out)
{
	struct err e = ERR_INIT;

	if (map_path_parse(k->m, text, k->mem, out, &e) < 0) {
		COMPLAIN(k, "%s", e.reason);
		return false;
	}
	if (out->up > 0 && out->up >= depth_of(&k->m->record, k->rec)) {
		COMPLAIN(k, "path \"%.*s\": no record lies that far above", SLICE_ARG(text));
		return false;
	}
	return true;
}

/* ---- format ----------------------------------------------------------------------------------- */

enum { RECORD_DEPTH_MAX = 8 };

static const char *const format_names[] = { "csv", "json", "jsonl", "xml", NULL };
static const char *const encoding_names[] = {
	"utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "utf-16", NULL
};

/* Return the index of a word in a list, -1 with a complaint. */
int
map_choose(struct map_compile *k, const char *what, struct slice w, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (slice_is(w, list[i]))
			return i;
	complain_unknown(k->c, k->at, what, w, list);
	return -1;
}

/* One byte, or "tab". */
static void
set_byte(struct map_compile *k, struct slice w, char *out)
{
	if (slice_is(w, "tab"))
		*out = '\t';
	else if (w.n == 1 && w.p[0] != '\n' && w.p[0] != '\r')
		*out = w.p[0];
	else
		COMPLAIN(k, "\"%.*s\" is not one character (or `tab`)", SLICE_ARG(w));
}

/* One `NAME VALUE` of a csv format. */
static void
csv_option(struct map_compile *k, struct slice name, struct slice value)
{
	static const char *const names[] = {
		"delimiter", "quote", "header", "comment", "encoding", "skip", NULL
	};
	struct mapping *m = k->m;
	int64_t n;
	int choice;

	switch (map_choose(k, "csv option", name, names)) {
	case 0:	set_byte(k, value, &m->delimiter); break;
	case 1:	set_byte(k, value, &m->quote); break;
	case 2:
		if (!word_bool(value, &m->header))
			COMPLAIN(k, "header is yes or no");
		break;
	case 3:	m->comment = value; break;
	case 4:
		if ((choice = map_choose(k, "encoding", value, encoding_names)) >= 0)
			m->encoding = (enum map_encoding)choice;
		break;
	case 5:
		if (word_int(value, 0, 1000, &n))
			m->skip = (size_t)n;
		else
			COMPLAIN(k, "skip is a number of lines, up to 1000");
		break;
	}
}

/* `format csv|json|jsonl|xml ...` */
static void
line_format(struct map_compile *k)
{
	struct mapping *m = k->m;
	int f = map_choose(k, "format", map_word(k, 1), format_names);

	if (f < 0)
		return;
	if (k->has_format)
		COMPLAIN(k, "a mapping has one format line");
	k->has_format = true;
	m->format = (enum map_format)f;
	if (k->at->nwords % 2 != 0)
		COMPLAIN(k, "format options are pairs of a name and a value");
	for (size_t i = 2; i + 1 < k->at->nwords; i += 2) {
		if (m->format == MAP_CSV)
			csv_option(k, map_word(k, i), map_word(k, i + 1));
		else if (m->format != MAP_JSONL && slice_is(map_word(k, i), "records"))
			m->records.text = map_word(k, i + 1);
		else
			COMPLAIN(k, "unknown option '%.*s' of format %s", SLICE_ARG(map_word(k, i)),
			    format_names[f]);
	}
}

/* `namespace PREFIX URI` */
static void
line_namespace(struct map_compile *k)
{
	struct mapping *m = k->m;

	m->namespaces = arena_grow(k->mem, m->namespaces, m->nnamespaces, &m->namespaces_cap,
	    sizeof(*m->namespaces));
	m->namespaces[m->nnamespaces++] = (struct map_ns){ map_word(k, 1), map_word(k, 2) };
}

/* ---- head of the mapping ---------------------------------------------------------------------- */

/* `version N` */
static void
line_version(struct map_compile *k)
{
	if (!word_int(map_word(k, 1), 0, 1000000000, &k->m->version))
		COMPLAIN(k, "version is a whole number");
}

/* `columns A B ...` */
static void
line_columns(struct map_compile *k)
{
	struct mapping *m = k->m;

	if (m->format != MAP_CSV)
		COMPLAIN(k, "only csv has columns");
	m->layout = k->at->words + 1;
	m->nlayout = k->at->nwords - 1;
}

/* `producer NAME [class C] [id ID] [since T]` */
static void
line_producer(struct map_compile *k)
{
	static const char *const names[] = { "class", "id", "since", NULL };
	struct mapping *m = k->m;
	struct slice *const fields[] = { &m->producer_class, &m->producer_id, &m->producer_since };
	int choice;

	m->producer_name = map_word(k, 1);
	for (size_t i = 2; i < k->at->nwords; i += 2)
		if ((choice = map_choose(k, "producer option", map_word(k, i), names)) >= 0)
			*fields[choice] = map_word(k, i + 1);
	if (m->producer_id.n > 0 && (!slice_starts(m->producer_id, "identity--") ||
	    !uuid_is_valid((struct slice){ m->producer_id.p + 10, m->producer_id.n - 10 })))
		COMPLAIN(k, "id is the id of an identity");
	if (m->producer_since.n > 0 && !stamp_parse(m->producer_since, NULL))
		COMPLAIN(k, "since is a UTC time like 2024-01-01T00:00:00.000Z");
}

/* `container report|grouping NAME` */
static void
line_container(struct map_compile *k)
{
	static const char *const types[] = { "report", "grouping", NULL };

	if (map_choose(k, "container", map_word(k, 1), types) < 0)
		return;
	k->m->container = map_word(k, 1);
	k->m->container_name = map_word(k, 2);
}

/* `residue yes|no` */
static void
line_residue(struct map_compile *k)
{
	bool yes;

	if (!word_bool(map_word(k, 1), &yes))
		COMPLAIN(k, "residue is yes or no");
	else
		k->m->no_residue = !yes;
}

/* The names of all targets, for complaints. */
static const char *const *
target_names(struct arena *mem)
{
	const char **names = arena_alloc(mem, (TARGETS + 1) * sizeof(*names));

	for (int t = 1; t < TARGETS; t++)
		names[t - 1] = map_targets[t].name;
	return names;
}

/* Return a target, T_NONE with a complaint. */
enum map_target
map_target_word(struct map_compile *k, struct slice w)
{
	enum map_target t = map_target_find(w);

	if (t == T_NONE)
		complain_unknown(k->c, k->at, "target", w, target_names(k->mem));
	return t;
}

/* `default TARGET VALUE...` */
static void
line_default(struct map_compile *k)
{
	enum map_target t = map_target_word(k, map_word(k, 1));
	struct err e = ERR_INIT;
	struct slice s;

	if (t == T_NONE)
		return;
	if (t == T_VALID_FROM && (slice_is(map_word(k, 2), "now") || slice_is(map_word(k, 2), "record"))) {
		k->m->valid_from_now = slice_is(map_word(k, 2), "now");
		return;
	}
	for (size_t i = 2; i < k->at->nwords; i++) {
		if (map_normalise(t, map_word(k, i), k->mem, &s, &e) < 0)
			COMPLAIN(k, "%s", e.reason);
		else
			texts_add(&k->m->defaults.t[t], k->mem, s);
	}
}

/* ---- records ---------------------------------------------------------------------------------- */

/* `record OBJECT [key FIELD...]` */
static void
line_record(struct map_compile *k)
{
	struct map_record *r = k->rec;
	int choice = map_choose(k, "object", map_word(k, 1), map_object_type);

	if (choice >= 0)
		r->object = (enum map_object)choice;
	if (r->keys != NULL)
		COMPLAIN(k, "there is one record line");
	r->keys = arena_alloc(k->mem, k->at->nwords * sizeof(*r->keys));
	if (k->at->nwords > 2 && !slice_is(map_word(k, 2), "key"))
		COMPLAIN(k, "expected `key` and the fields that identify a record");
	for (size_t i = 3; i < k->at->nwords; i++)
		if (map_path_word(k, map_word(k, i), &r->keys[r->nkeys]))
			r->nkeys++;
}

/* `when FIELD CONDITION [WORDS]` */
static void
line_when(struct map_compile *k)
{
	static const char *const tests[] = { "in", "not-in", "present", "absent", NULL };
	struct map_record *r = k->rec;
	struct map_when w = { 0 };
	int choice = map_choose(k, "condition", map_word(k, 2), tests);

	if (choice < 0 || !map_path_word(k, map_word(k, 1), &w.path))
		return;
	w.test = choice;
	w.words = k->at->words + 3;
	w.nwords = k->at->nwords - 3;
	if ((choice <= 1) != (w.nwords > 0))
		COMPLAIN(k, choice <= 1 ? "which values?" : "no values belong here");
	r->whens = arena_grow(k->mem, r->whens, r->nwhens, &r->whens_cap, sizeof(*r->whens));
	r->whens[r->nwhens++] = w;
}

/* ---- the lines -------------------------------------------------------------------------------- */

static const struct {
	const char	*word;
	size_t		 least, most;	/* words of the line */
	int		 pass;
	bool		 in_children;
	void		(*fn)(struct map_compile *k);
} lines_known[] = {
	{ "format", 2, 20, 0, false, line_format },
	{ "namespace", 3, 3, 0, false, line_namespace },
	{ "version", 2, 2, 1, false, line_version },
	{ "columns", 2, MAPPED_COLUMNS_MAX, 1, false, line_columns },
	{ "producer", 2, 8, 1, false, line_producer },
	{ "container", 3, 3, 1, false, line_container },
	{ "residue", 2, 2, 1, false, line_residue },
	{ "default", 3, 100, 1, false, line_default },
	{ "record", 2, 20, 1, true, line_record },
	{ "when", 3, 1000, 1, true, line_when },
	{ "field", 4, 4000, 1, true, map_line_row },
	{ "const", 4, 1000, 1, true, map_line_row },
};
enum { LINES_KNOWN = sizeof(lines_known) / sizeof(*lines_known) };

/* Find the line in the table and compile it, if it is for this pass. */
static void
one_line(struct map_compile *k, int pass)
{
	const char *names[LINES_KNOWN + 1] = { NULL };

	for (size_t i = 0; i < LINES_KNOWN; i++) {
		names[i] = lines_known[i].word;
		if (!slice_is(map_word(k, 0), names[i]))
			continue;
		if (lines_known[i].pass != pass)
			return;
		if (k->rec != &k->m->record && !lines_known[i].in_children)
			COMPLAIN(k, "'%s' belongs to the mapping, not to its children", names[i]);
		else if (k->at->nwords < lines_known[i].least)
			COMPLAIN(k, "'%s' needs more words", names[i]);
		else if (k->at->nwords > lines_known[i].most)
			COMPLAIN(k, "'%s' takes fewer words", names[i]);
		else
			lines_known[i].fn(k);
		return;
	}
	if (pass == 1)
		complain_unknown(k->c, k->at, "word", map_word(k, 0), names);
}

/* The record that `fits`, of this one and those below it; NULL if none does. */
static struct map_record *
search_record(struct map_record *r, bool (*fits)(const struct map_record *, const void *), const void *what)
{
	struct map_record *found = fits(r, what) ? r : NULL;

	for (size_t i = 0; found == NULL && i < r->nchildren; i++)
		found = search_record(&r->children[i], fits, what);
	return found;
}

static bool
is_called(const struct map_record *r, const void *name)
{
	return r->name.n > 0 && slice_eq(r->name, *(const struct slice *)name);
}

static bool
stands_at(const struct map_record *r, const void *line)
{
	return r->line == *(const uint32_t *)line;
}

/* `children PATH [as NAME] [of NAME]`: make its record below that of its parent. */
static void
add_children(struct map_compile *k)
{
	static const char *const options[] = { "as", "of", NULL };
	struct map_record *parent = &k->m->record, *r;
	struct slice name = SLICE_EMPTY;

	for (size_t i = 2; i < k->at->nwords; i += 2) {
		struct slice w = map_word(k, i + 1);
		int choice = map_choose(k, "word", map_word(k, i), options);

		if (choice == 0)
			name = w;
		if (choice == 1 && (parent = search_record(&k->m->record, is_called, &w)) == NULL) {
			COMPLAIN(k, "no children before this line are called \"%.*s\"", SLICE_ARG(w));
			parent = &k->m->record;
		}
	}
	if (name.n > 0 && search_record(&k->m->record, is_called, &name) != NULL)
		COMPLAIN(k, "two sections are called \"%.*s\"", SLICE_ARG(name));
	if (depth_of(&k->m->record, parent) >= RECORD_DEPTH_MAX)
		COMPLAIN(k, "records lie more than %d deep", RECORD_DEPTH_MAX);
	parent->children = arena_grow(k->mem, parent->children, parent->nchildren,
	    &parent->children_cap, sizeof(*parent->children));
	r = &parent->children[parent->nchildren++];
	memset(r, 0, sizeof(*r));
	r->line = k->at->number;
	r->name = name;
}

/* Open a section; the lines that follow belong to it. */
static void
section(struct map_compile *k, int pass)
{
	struct mapping *m = k->m;
	bool mapping = slice_is(map_word(k, 0), "mapping"), kids = slice_is(map_word(k, 0), "children");

	if ((!mapping && !kids) || k->at->nwords % 2 != 0 || k->at->nwords > (mapping ? 2 : 6)) {
		if (pass == 0)
			COMPLAIN(k, "expected `mapping NAME` or `children PATH [as NAME] [of NAME]`");
		return;
	}
	if (mapping) {
		if (pass == 0 && m->name.n > 0)
			COMPLAIN(k, "a file holds one mapping");
		m->name = map_word(k, 1);
		k->rec = &m->record;
		return;
	}
	if (pass == 0)
		add_children(k);
	k->rec = search_record(&m->record, stands_at, &k->at->number);
	if (pass == 1 && map_path_word(k, map_word(k, 1), &k->rec->at) && k->rec->at.up > 0)
		COMPLAIN(k, "children lie below their record");
}

/* What only the whole can tell. */
static void
check_record(struct map_compile *k, const struct map_record *r, const char *what)
{
	if (r->keys == NULL)
		COMPLAIN(k, "%s has no `record` line", what);
	if (r->nrows == 0)
		COMPLAIN(k, "%s has no `field` line", what);
	for (size_t i = 0; i < r->nrows; i++)
		if (r->object == OBJ_REPORT && r->rows[i].target == T_REPORT)
			COMPLAIN(k, "a report cannot be said to belong to a report");
}

/* The same for all records below one. */
static void
check_children(struct map_compile *k, const struct map_record *r)
{
	for (size_t i = 0; i < r->nchildren; i++) {
		check_record(k, &r->children[i], "children");
		check_children(k, &r->children[i]);
	}
}

/* Complain about what is missing in the whole. */
static void
check_mapping(struct map_compile *k)
{
	struct mapping *m = k->m;

	if (m->name.n == 0) {
		COMPLAIN(k, "no `mapping NAME` line");
		return;
	}
	if (!k->has_format)
		COMPLAIN(k, "mapping %.*s has no `format` line", SLICE_ARG(m->name));
	if (m->format == MAP_CSV && !m->header && m->nlayout == 0)
		COMPLAIN(k, "csv without header needs a `columns` line");
	if (m->format == MAP_CSV && m->delimiter == m->quote)
		COMPLAIN(k, "delimiter and quote are the same");
	if (m->format == MAP_XML && m->records.text.n == 0)
		COMPLAIN(k, "format xml needs `records PATH`");
	if (m->format == MAP_CSV && m->record.nchildren > 0)
		COMPLAIN(k, "csv records have no children");
	check_record(k, &m->record, "the mapping");
	if (m->record.object == OBJ_REPORT && slice_is(m->container, "report"))
		COMPLAIN(k, "the container of reports is a grouping");
	check_children(k, &m->record);
}

/* Compile all lines; NULL if there were complaints. */
static struct mapping *
compile(const struct lines *lines, struct arena *mem, struct complaints *c)
{
	struct mapping *m = arena_alloc(mem, sizeof(*m));
	struct map_compile k = { .mem = mem, .c = c, .m = m, .rec = &m->record };
	size_t before = c->n + c->dropped;

	m->delimiter = ',';
	m->quote = '"';
	m->header = true;
	m->version = 1;
	for (int pass = 0; pass < 2; pass++) {
		k.rec = &m->record;
		for (size_t i = 0; i < lines->n; i++) {
			k.at = &lines->v[i];
			if (k.at->indented)
				one_line(&k, pass);
			else
				section(&k, pass);
		}
		if (pass == 0 && m->format != MAP_CSV && m->records.text.p != NULL)
			map_path_word(&k, m->records.text, &m->records);
	}
	k.at = lines->n > 0 ? &lines->v[lines->n - 1] : NULL;
	check_mapping(&k);
	return c->n + c->dropped == before ? m : NULL;
}

/* Load a mapping file; NULL if there were complaints. */
struct mapping *
mapping_load(const char *path, struct arena *mem, struct complaints *c)
{
	struct lines lines = { 0 };

	return lines_read(path, mem, &lines, c) < 0 ? NULL : compile(&lines, mem, c);
}

/* Compile a text; NULL if there were complaints. */
struct mapping *
mapping_parse(struct slice text, const char *name, struct arena *mem, struct complaints *c)
{
	struct lines lines = { 0 };

	return lines_parse(text, name, mem, &lines, c) < 0 ? NULL : compile(&lines, mem, c);
}
