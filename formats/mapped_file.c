/*
 * mapped_file.c -- compiles a mapping file; the grammar is told in conf/mappings/README.md.
 *
 * Two passes over the lines: what paths depend on (format, namespaces) first, then the rest. Every
 * complaint names file and line; all are given at once.
 */
#include <dirent.h>

#include "formats/mapped_impl.h"
#include "gateway/base/clock.h"

const char *const map_object_type[MAP_OBJECTS + 1] = {
	"indicator", "observed-data", "report", "incident", "vulnerability", "malware",
	"threat-actor", "identity", NULL
};

struct compile {
	struct arena		*mem;
	struct complaints	*c;
	const struct line	*at;
	struct mapping		*m;
	struct map_record	*rec;		/* of the section we are in */
	bool			 has_format;
};

/* Complain about the current line; true so that callers can end with it. */
#define COMPLAIN(k, ...) ((void)complain((k)->c, (k)->at, __VA_ARGS__))

static struct slice
word(const struct compile *k, size_t i)
{
	return i < k->at->nwords ? k->at->words[i] : SLICE_EMPTY;
}

static bool
path_word(struct compile *k, struct slice text, struct map_path *out)
{
	struct err e = ERR_INIT;

	if (map_path_parse(k->m, text, k->mem, out, &e) == 0)
		return true;
	COMPLAIN(k, "%s", e.reason);
	return false;
}

/* ---- format ----------------------------------------------------------------------------------- */

static const char *const format_names[] = { "csv", "json", "jsonl", "xml", NULL };
static const char *const encoding_names[] = { "utf-8", "iso-8859-1", "windows-1252", NULL };

/* Index of a word in a list, or -1 with a complaint. */
static int
choose(struct compile *k, const char *what, struct slice w, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (slice_is(w, list[i]))
			return i;
	complain_unknown(k->c, k->at, what, w, list);
	return -1;
}

/* One byte, or "tab". */
static void
set_byte(struct compile *k, struct slice w, char *out)
{
	if (slice_is(w, "tab"))
		*out = '\t';
	else if (w.n == 1 && w.p[0] != '\n' && w.p[0] != '\r')
		*out = w.p[0];
	else
		COMPLAIN(k, "\"%.*s\" is not one character (or `tab`)", SLICE_ARG(w));
}

static void
csv_option(struct compile *k, struct slice name, struct slice value)
{
	static const char *const names[] = {
		"delimiter", "quote", "header", "comment", "encoding", "skip", NULL
	};
	struct mapping *m = k->m;
	int64_t n;
	int choice;

	switch (choose(k, "csv option", name, names)) {
	case 0:	set_byte(k, value, &m->delimiter); break;
	case 1:	set_byte(k, value, &m->quote); break;
	case 2:
		if (!word_bool(value, &m->header))
			COMPLAIN(k, "header is yes or no");
		break;
	case 3:	m->comment = value; break;
	case 4:
		if ((choice = choose(k, "encoding", value, encoding_names)) >= 0)
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

static void
line_format(struct compile *k)
{
	struct mapping *m = k->m;
	int f = choose(k, "format", word(k, 1), format_names);

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
			csv_option(k, word(k, i), word(k, i + 1));
		else if (m->format != MAP_JSONL && slice_is(word(k, i), "records"))
			m->records.text = word(k, i + 1);
		else
			COMPLAIN(k, "unknown option '%.*s' of format %s", SLICE_ARG(word(k, i)),
			    format_names[f]);
	}
}

static void
line_namespace(struct compile *k)
{
	struct mapping *m = k->m;

	m->namespaces = arena_grow(k->mem, m->namespaces, m->nnamespaces, &m->namespaces_cap,
	    sizeof(*m->namespaces));
	m->namespaces[m->nnamespaces++] = (struct map_ns){ word(k, 1), word(k, 2) };
}

/* ---- head of the mapping ---------------------------------------------------------------------- */

static void
line_version(struct compile *k)
{
	if (!word_int(word(k, 1), 0, 1000000000, &k->m->version))
		COMPLAIN(k, "version is a whole number");
}

static void
line_columns(struct compile *k)
{
	struct mapping *m = k->m;

	if (m->format != MAP_CSV)
		COMPLAIN(k, "only csv has columns");
	m->layout = k->at->words + 1;
	m->nlayout = k->at->nwords - 1;
}

static void
line_producer(struct compile *k)
{
	static const char *const names[] = { "class", "id", "since", NULL };
	struct mapping *m = k->m;
	struct slice *const fields[] = { &m->producer_class, &m->producer_id, &m->producer_since };
	int choice;

	m->producer_name = word(k, 1);
	for (size_t i = 2; i < k->at->nwords; i += 2)
		if ((choice = choose(k, "producer option", word(k, i), names)) >= 0)
			*fields[choice] = word(k, i + 1);
	if (m->producer_id.n > 0 && (!slice_starts(m->producer_id, "identity--") ||
	    !uuid_is_valid((struct slice){ m->producer_id.p + 10, m->producer_id.n - 10 })))
		COMPLAIN(k, "id is the id of an identity");
	if (m->producer_since.n > 0 && !stamp_parse(m->producer_since, NULL))
		COMPLAIN(k, "since is a UTC time like 2024-01-01T00:00:00.000Z");
}

static void
line_container(struct compile *k)
{
	static const char *const types[] = { "report", "grouping", NULL };

	if (choose(k, "container", word(k, 1), types) < 0)
		return;
	k->m->container = word(k, 1);
	k->m->container_name = word(k, 2);
}

static void
line_residue(struct compile *k)
{
	bool yes;

	if (!word_bool(word(k, 1), &yes))
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

static enum map_target
target_word(struct compile *k, struct slice w)
{
	enum map_target t = map_target_find(w);

	if (t == T_NONE)
		complain_unknown(k->c, k->at, "target", w, target_names(k->mem));
	return t;
}

static void
line_default(struct compile *k)
{
	enum map_target t = target_word(k, word(k, 1));
	struct err e = ERR_INIT;
	struct slice s;

	if (t == T_NONE)
		return;
	if (t == T_VALID_FROM && (slice_is(word(k, 2), "now") || slice_is(word(k, 2), "record"))) {
		k->m->valid_from_now = slice_is(word(k, 2), "now");
		return;
	}
	for (size_t i = 2; i < k->at->nwords; i++) {
		if (map_normalise(t, word(k, i), k->mem, &s, &e) < 0)
			COMPLAIN(k, "%s", e.reason);
		else
			texts_add(&k->m->defaults.t[t], k->mem, s);
	}
}

/* ---- records ---------------------------------------------------------------------------------- */

static void
line_record(struct compile *k)
{
	struct map_record *r = k->rec;
	int choice = choose(k, "object", word(k, 1), map_object_type);

	if (choice >= 0)
		r->object = (enum map_object)choice;
	if (r->keys != NULL)
		COMPLAIN(k, "there is one record line");
	r->keys = arena_alloc(k->mem, k->at->nwords * sizeof(*r->keys));
	if (k->at->nwords > 2 && !slice_is(word(k, 2), "key"))
		COMPLAIN(k, "expected `key` and the fields that identify a record");
	for (size_t i = 3; i < k->at->nwords; i++)
		if (path_word(k, word(k, i), &r->keys[r->nkeys]))
			r->nkeys++;
}

static void
line_when(struct compile *k)
{
	static const char *const tests[] = { "in", "not-in", "present", "absent", NULL };
	struct map_record *r = k->rec;
	struct map_when w = { 0 };
	int choice = choose(k, "condition", word(k, 2), tests);

	if (choice < 0 || !path_word(k, word(k, 1), &w.path))
		return;
	w.test = choice;
	w.words = k->at->words + 3;
	w.nwords = k->at->nwords - 3;
	if ((choice <= 1) != (w.nwords > 0))
		COMPLAIN(k, choice <= 1 ? "which values?" : "no values belong here");
	r->whens = arena_grow(k->mem, r->whens, r->nwhens, &r->whens_cap, sizeof(*r->whens));
	r->whens[r->nwhens++] = w;
}

static void
add_pair(struct compile *k, struct map_row *row, struct slice from, struct slice to)
{
	row->pairs = arena_grow(k->mem, row->pairs, row->npairs, &row->pairs_cap,
	    sizeof(*row->pairs));
	row->pairs[row->npairs++] = (struct map_pair){ from, to };
}

/* `table A b, C d`: pairs with a comma after all but the last. Returns the index behind it. */
static size_t
row_table(struct compile *k, struct map_row *row, size_t i)
{
	for (; i + 1 < k->at->nwords; i += 2) {
		struct slice to = word(k, i + 1);
		bool more = to.n > 0 && to.p[to.n - 1] == ',';

		to.n -= more;
		add_pair(k, row, word(k, i), to);
		if (!more)
			return i + 2;
	}
	COMPLAIN(k, "a table is pairs of words with commas between them");
	return k->at->nwords;
}

/* `time FORM`: rfc3339, epoch, epoch-ms or a form with % letters. */
static void
row_time(struct compile *k, struct map_row *row, struct slice form)
{
	static const char *const forms[] = { "rfc3339", "epoch", "epoch-ms" };
	const char *why;

	row->time.form = TIME_FORMAT;
	row->time.format = form;
	for (int i = 0; i < 3; i++)
		if (slice_is(form, forms[i]))
			row->time.form = (enum map_time_form)(TIME_RFC3339 + i);
	if (row->time.form == TIME_FORMAT && (why = map_time_check(form)) != NULL)
		COMPLAIN(k, "%s", why);
}

static void
row_zone(struct compile *k, struct map_row *row, struct slice name)
{
	struct err e = ERR_INIT;

	if ((row->time.zone = map_zone_load(name, k->mem, &e)) == NULL)
		COMPLAIN(k, "%s", e.reason);
	if (row->time.form != TIME_FORMAT)
		COMPLAIN(k, "zone follows `time` and a form");
}

static void
add_part(struct compile *k, struct map_row *row, struct map_part part)
{
	row->parts = arena_grow(k->mem, row->parts, row->nparts, &row->parts_cap,
	    sizeof(*row->parts));
	row->parts[row->nparts++] = part;
}

/* "text {} text {path}". */
static void
row_template(struct compile *k, struct map_row *row, struct slice s)
{
	while (s.n > 0) {
		const char *open = memchr(s.p, '{', s.n), *close;
		size_t n = open == NULL ? s.n : (size_t)(open - s.p);
		struct map_part part = { .kind = PART_TEXT, .text = { s.p, n } };

		if (n > 0)
			add_part(k, row, part);
		if (open == NULL)
			return;
		close = memchr(open, '}', s.n - n);
		if (close == NULL) {
			COMPLAIN(k, "template: { without }");
			return;
		}
		part.text = (struct slice){ open + 1, (size_t)(close - open) - 1 };
		part.kind = part.text.n == 0 ? PART_VALUE : PART_PATH;
		if (part.kind == PART_VALUE || path_word(k, part.text, &part.path))
			add_part(k, row, part);
		s = (struct slice){ close + 1, s.n - n - (size_t)(close - open) - 1 };
	}
}

static bool
row_transform(struct compile *k, struct map_row *row, struct slice w)
{
	for (const struct map_transform *t = map_transforms; t->name != NULL; t++)
		if (slice_is(w, t->name)) {
			if (row->ntransforms == MAPPED_TRANSFORMS_MAX)
				COMPLAIN(k, "more than %d transforms", MAPPED_TRANSFORMS_MAX);
			else
				row->transforms[row->ntransforms++] = t;
			return true;
		}
	return false;
}

enum row_word { ROW_SPLIT, ROW_TABLE, ROW_UNKNOWN, ROW_TIME, ROW_ZONE, ROW_TEMPLATE, ROW_DEFAULT,
	ROW_REQUIRED, ROW_WORDS };

/* The words behind the target; everything a field can say about itself. */
static const char *const row_words[] = {
	"split", "table", "unknown", "time", "zone", "template", "default", "required",
	"trim", "lower", "upper", "refang", "defang", "collapse-space", "strip-html", "base64",
	"hex", NULL
};

static void
row_option(struct compile *k, struct map_row *row, enum row_word w, struct slice value)
{
	static const char *const unknowns[] = { "pass", "reject", "residue", NULL };
	int choice;

	switch (w) {
	case ROW_SPLIT:
		row->split = value;
		if (value.n == 0)
			COMPLAIN(k, "split needs a separator");
		break;
	case ROW_UNKNOWN:
		if ((choice = choose(k, "treatment of unknown values", value, unknowns)) >= 0)
			row->unknown = (enum map_unknown)choice;
		break;
	case ROW_TIME:		row_time(k, row, value); break;
	case ROW_ZONE:		row_zone(k, row, value); break;
	case ROW_TEMPLATE:	row_template(k, row, value); break;
	case ROW_DEFAULT:
		row->has_default = true;
		row->fallback = value;
		break;
	default:		break;
	}
}

static void
row_options(struct compile *k, struct map_row *row, size_t i)
{
	while (i < k->at->nwords) {
		struct slice w = word(k, i++);
		int choice;

		if (row_transform(k, row, w))
			continue;
		if ((choice = choose(k, "word", w, row_words)) < 0)
			return;
		if (choice == ROW_REQUIRED) {
			row->required = true;
		} else if (choice == ROW_TABLE) {
			i = row_table(k, row, i);
		} else if (i == k->at->nwords) {
			COMPLAIN(k, "'%.*s' needs a value", SLICE_ARG(w));
		} else {
			row_option(k, row, (enum row_word)choice, word(k, i++));
		}
	}
}

/* Values that the mapping itself gives must be legal for their target. */
static void
check_row(struct compile *k, const struct map_row *row)
{
	struct err e = ERR_INIT;
	struct slice s;
	bool has_time = map_targets[row->target].norm == NORM_TIME;

	if (row->is_const && map_normalise(row->target, row->constant, k->mem, &s, &e) < 0)
		COMPLAIN(k, "%s", e.reason);
	if (row->has_default && map_normalise(row->target, row->fallback, k->mem, &s, &e) < 0)
		COMPLAIN(k, "%s", e.reason);
	if (row->time.form != TIME_NONE && !has_time)
		COMPLAIN(k, "%s is no time", map_targets[row->target].name);
	for (size_t i = 0; i < row->npairs; i++) {
		if (row->time.form == TIME_NONE && row->nparts == 0 && row->target != T_X &&
		    map_normalise(row->target, row->pairs[i].to, k->mem, &s, &e) < 0)
			COMPLAIN(k, "%s", e.reason);
		if (row->target == T_TYPE && !map_kind_known(row->pairs[i].to))
			COMPLAIN(k, "'%.*s' is no kind of value", SLICE_ARG(row->pairs[i].to));
	}
	if (row->target == T_TYPE && row->is_const && !map_kind_known(row->constant))
		COMPLAIN(k, "'%.*s' is no kind of value", SLICE_ARG(row->constant));
}

/* `field SOURCE -> TARGET words...` and `const VALUE -> TARGET`. */
static void
line_row(struct compile *k)
{
	struct map_record *r = k->rec;
	struct map_row row = { .line = k->at->number };

	if (!slice_is(word(k, 2), "->")) {
		COMPLAIN(k, "expected: %.*s SOURCE -> TARGET", SLICE_ARG(word(k, 0)));
		return;
	}
	row.is_const = slice_is(word(k, 0), "const");
	if ((row.target = target_word(k, word(k, 3))) == T_NONE)
		return;
	if (row.target == T_X)
		row.x_name = word(k, 3);
	if (row.is_const)
		row.constant = word(k, 1);
	else if (!path_word(k, word(k, 1), &row.source))
		return;
	row_options(k, &row, 4);
	check_row(k, &row);
	if (r->nrows == MAPPED_ROWS_MAX) {
		COMPLAIN(k, "more than %d fields", MAPPED_ROWS_MAX);
		return;
	}
	r->rows = arena_grow(k->mem, r->rows, r->nrows, &r->rows_cap, sizeof(*r->rows));
	r->rows[r->nrows++] = row;
}

/* ---- the lines -------------------------------------------------------------------------------- */

static const struct {
	const char	*word;
	size_t		 least, most;	/* words of the line */
	int		 pass;
	bool		 in_children;
	void		(*fn)(struct compile *k);
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
	{ "field", 4, 4000, 1, true, line_row },
	{ "const", 4, 4, 1, true, line_row },
};
enum { LINES_KNOWN = sizeof(lines_known) / sizeof(*lines_known) };

static void
one_line(struct compile *k, int pass)
{
	const char *names[LINES_KNOWN + 1] = { NULL };

	for (size_t i = 0; i < LINES_KNOWN; i++) {
		names[i] = lines_known[i].word;
		if (!slice_is(word(k, 0), names[i]))
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
		complain_unknown(k->c, k->at, "word", word(k, 0), names);
}

/* Open a section; the lines that follow belong to it. */
static void
section(struct compile *k, int pass, size_t *nchildren)
{
	struct mapping *m = k->m;
	bool mapping = slice_is(word(k, 0), "mapping"), kids = slice_is(word(k, 0), "children");

	if (k->at->nwords != 2 || !(mapping || kids)) {
		if (pass == 0)
			COMPLAIN(k, "expected `mapping NAME` or `children PATH`");
		return;
	}
	if (mapping) {
		if (pass == 0 && m->name.n > 0)
			COMPLAIN(k, "a file holds one mapping");
		m->name = word(k, 1);
		k->rec = &m->record;
		return;
	}
	if (pass == 0) {
		m->record.children = arena_grow(k->mem, m->record.children, m->record.nchildren,
		    &m->record.children_cap, sizeof(*m->record.children));
		memset(&m->record.children[m->record.nchildren++], 0, sizeof(struct map_record));
	}
	k->rec = &m->record.children[pass == 0 ? m->record.nchildren - 1 : (*nchildren)++];
	if (pass == 1) {
		path_word(k, word(k, 1), &k->rec->at);
		if (m->format == MAP_CSV)
			COMPLAIN(k, "csv records have no children");
		if (k->rec->at.up > 0)
			COMPLAIN(k, "children lie below their record");
	}
}

/* What only the whole can tell. */
static void
check_record(struct compile *k, const struct map_record *r, const char *what)
{
	if (r->keys == NULL)
		COMPLAIN(k, "%s has no `record` line", what);
	if (r->nrows == 0)
		COMPLAIN(k, "%s has no `field` line", what);
	for (size_t i = 0; i < r->nrows; i++)
		if (r->object == OBJ_REPORT && r->rows[i].target == T_REPORT)
			COMPLAIN(k, "a report cannot be said to belong to a report");
}

static void
check_mapping(struct compile *k)
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
	check_record(k, &m->record, "the mapping");
	if (m->record.object == OBJ_REPORT && slice_is(m->container, "report"))
		COMPLAIN(k, "the container of reports is a grouping");
	for (size_t i = 0; i < m->record.nchildren; i++)
		check_record(k, &m->record.children[i], "children");
}

static struct mapping *
compile(const struct lines *lines, struct arena *mem, struct complaints *c)
{
	struct mapping *m = arena_alloc(mem, sizeof(*m));
	struct compile k = { .mem = mem, .c = c, .m = m, .rec = &m->record };
	size_t before = c->n + c->dropped, nchildren = 0;

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
				section(&k, pass, &nchildren);
		}
		if (pass == 0 && m->format != MAP_CSV && m->records.text.p != NULL)
			path_word(&k, m->records.text, &m->records);
	}
	k.at = lines->n > 0 ? &lines->v[lines->n - 1] : NULL;
	check_mapping(&k);
	return c->n + c->dropped == before ? m : NULL;
}

struct mapping *
mapping_load(const char *path, struct arena *mem, struct complaints *c)
{
	struct lines lines = { 0 };

	return lines_read(path, mem, &lines, c) < 0 ? NULL : compile(&lines, mem, c);
}

struct mapping *
mapping_parse(struct slice text, const char *name, struct arena *mem, struct complaints *c)
{
	struct lines lines = { 0 };

	return lines_parse(text, name, mem, &lines, c) < 0 ? NULL : compile(&lines, mem, c);
}

/* ---- a folder of mappings --------------------------------------------------------------------- */

enum { FOLDER_MAX = 1000 };

/* The names of a folder's mappings, NULL at the end. */
static const char *const *
folder_names(const char *dir, struct arena *mem)
{
	const char **names = arena_alloc(mem, (FOLDER_MAX + 1) * sizeof(*names));
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t n = 0;

	while (d != NULL && n < FOLDER_MAX && (entry = readdir(d)) != NULL) {
		struct slice s = slice_of(entry->d_name);

		if (slice_ends(s, ".map"))
			names[n++] = arena_str(mem, (struct slice){ s.p, s.n - 4 });
	}
	if (d != NULL)
		closedir(d);
	return names;
}

struct mapping *
mapping_find(const char *dir, struct slice name, struct arena *mem, struct complaints *c)
{
	const char *const *names = folder_names(dir, mem);
	struct mapping *m;

	for (size_t i = 0; names[i] != NULL; i++) {
		if (!slice_is(name, names[i]))
			continue;
		m = mapping_load(arena_fmt(mem, "%s/%s.map", dir, names[i]), mem, c);
		if (m != NULL && !slice_eq(m->name, name)) {
			complain(c, NULL, "%s/%s.map: describes the mapping %.*s", dir, names[i],
			    SLICE_ARG(m->name));
			return NULL;
		}
		return m;
	}
	complain_unknown(c, NULL, "mapping", name, names);
	return NULL;
}

struct slice
mapping_name(const struct mapping *m)
{
	return m->name;
}

static const struct {
	const char	*media_type, *ending;
} forms[] = {
	[MAP_CSV] = { "text/csv", ".csv" }, [MAP_JSON] = { "application/json", ".json" },
	[MAP_JSONL] = { "application/x-ndjson", ".jsonl" }, [MAP_XML] = { "application/xml", ".xml" }
};

const char *
mapping_media_type(const struct mapping *m)
{
	return forms[m->format].media_type;
}

const char *
mapping_file_ending(const struct mapping *m)
{
	return forms[m->format].ending;
}
