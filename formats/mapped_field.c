/* mapped_field.c -- compiles `field` and `const` lines of a mapping file. */
#include "formats/mapped_file.h"
#include "formats/mapped_regex.h"
#include "gateway/base/ascii.h"

/* Append a pair to the table of a row. */
static void
add_pair(struct map_compile *k, struct map_row *row, struct slice from, struct slice to)
{
	row->pairs = arena_grow(k->mem, row->pairs, row->npairs, &row->pairs_cap,
	    sizeof(*row->pairs));
	row->pairs[row->npairs++] = (struct map_pair){ from, to };
}

/* `table A b, C d`: pairs with a comma after all but the last. Returns the index behind it. */
static size_t
row_table(struct map_compile *k, struct map_row *row, size_t i)
{
	for (; i + 1 < k->at->nwords; i += 2) {
		struct slice to = map_word(k, i + 1);
		bool more = to.n > 0 && to.p[to.n - 1] == ',';

		to.n -= more;
		add_pair(k, row, map_word(k, i), to);
		if (!more)
			return i + 2;
	}
	COMPLAIN(k, "a table is pairs of words with commas between them");
	return k->at->nwords;
}

/* `time FORM`: rfc3339, epoch, epoch-ms or a form with % letters. */
static void
row_time(struct map_compile *k, struct map_row *row, struct slice form)
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

/* `zone NAME`: load it. */
static void
row_zone(struct map_compile *k, struct map_row *row, struct slice name)
{
	struct err e = ERR_INIT;

	if ((row->time.zone = map_zone_load(name, k->mem, &e)) == NULL)
		COMPLAIN(k, "%s", e.reason);
	if (row->time.form != TIME_FORMAT)
		COMPLAIN(k, "zone follows `time` and a form");
}

/* Append a part to the template of a row. */
static void
add_part(struct map_compile *k, struct map_row *row, struct map_part part)
{
	row->parts = arena_grow(k->mem, row->parts, row->nparts, &row->parts_cap,
	    sizeof(*row->parts));
	row->parts[row->nparts++] = part;
}

/* "text {} text {path}". */
static void
row_template(struct map_compile *k, struct map_row *row, struct slice s)
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
		if (part.kind == PART_VALUE || map_path_word(k, part.text, &part.path))
			add_part(k, row, part);
		s = (struct slice){ close + 1, s.n - n - (size_t)(close - open) - 1 };
	}
}

/* Is the word a transform? Then it is added. */
static bool
row_transform(struct map_compile *k, struct map_row *row, struct slice w)
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
	ROW_REQUIRED, ROW_JOIN, ROW_REGEX, ROW_NUMBER, ROW_IF };

/* The words behind the target; everything a field can say about itself. */
static const char *const row_words[] = {
	"split", "table", "unknown", "time", "zone", "template", "default", "required", "join", "regex",
	"number", "if",
	"trim", "lower", "upper", "refang", "defang", "collapse-space", "strip-html", "base64",
	"hex", NULL
};

/* `regex EXPR [group N]`: returns the index behind it. */
static size_t
row_regex(struct map_compile *k, struct map_row *row, size_t i)
{
	struct slice expr = map_word(k, i++);
	int64_t group = 0;
	const char *why;

	if (slice_is(map_word(k, i), "group")) {
		if (!word_int(map_word(k, i + 1), 0, 100, &group))
			COMPLAIN(k, "group is a number: 1 is the first ( )");
		i += 2;
	}
	if ((row->regex = map_regex_compile(expr, (unsigned)group, k->mem, &why)) == NULL)
		COMPLAIN(k, "regex: %s", why);
	return i;
}

/* The factor behind `times`: up to six digits behind a point. */
static bool
read_factor(struct slice s, struct map_number *n)
{
	n->times = 0;
	for (size_t i = 0, point = s.n; i < s.n; i++) {
		if (s.p[i] == '.' && point == s.n) {
			point = i;
			continue;
		}
		if (!ascii_is_digit(s.p[i]) || s.n > 12)
			return false;
		n->times = 10 * n->times + (s.p[i] - '0');
		n->scale += point < s.n;
	}
	return n->times > 0 && n->scale <= 6;
}

/* `number [decimal C] [times N]`: returns the index behind it. */
static size_t
row_number(struct map_compile *k, struct map_row *row, size_t i)
{
	row->number = (struct map_number){ true, '.', 1, 0 };
	for (; slice_is(map_word(k, i), "decimal") || slice_is(map_word(k, i), "times"); i += 2) {
		struct slice value = map_word(k, i + 1);

		if (slice_is(map_word(k, i), "times")) {
			if (!read_factor(value, &row->number))
				COMPLAIN(k, "times takes a number like 100 or 0.1");
		} else if (value.n != 1 || memchr(".,", value.p[0], 2) == NULL) {
			COMPLAIN(k, "the decimal sign is . or ,");
		} else {
			row->number.decimal = value.p[0];
		}
	}
	return i;
}

/* `if FIELD in A, B`, `if FIELD present`: returns the index behind it. */
static size_t
row_condition(struct map_compile *k, struct map_row *row, size_t i)
{
	static const char *const tests[] = { "in", "not-in", "present", "absent", NULL };
	struct map_when *w = &row->only;
	int choice;

	if (!map_path_word(k, map_word(k, i), &w->path) ||
	    (choice = map_choose(k, "condition", map_word(k, i + 1), tests)) < 0)
		return k->at->nwords;
	row->conditional = true;
	w->test = choice;
	i += 2;
	if (w->test == WHEN_PRESENT || w->test == WHEN_ABSENT)
		return i;
	w->words = arena_alloc(k->mem, (k->at->nwords + 1) * sizeof(*w->words));
	for (bool more = true; more && i < k->at->nwords; i++) {
		struct slice word = map_word(k, i);

		more = word.n > 0 && word.p[word.n - 1] == ',';
		word.n -= more;
		w->words[w->nwords++] = word;
	}
	if (w->nwords == 0)
		COMPLAIN(k, "which values? Words with commas between them");
	return i;
}

/* One word that takes a value. */
static void
row_option(struct map_compile *k, struct map_row *row, enum row_word w, struct slice value)
{
	static const char *const unknowns[] = { "pass", "reject", "residue", NULL };
	int choice;

	switch (w) {
	case ROW_SPLIT:
		row->split = value;
		if (value.n == 0)
			COMPLAIN(k, "split needs a separator");
		break;
	case ROW_JOIN:
		row->join = value;
		if (value.n == 0)
			COMPLAIN(k, "join needs a separator");
		break;
	case ROW_UNKNOWN:
		if ((choice = map_choose(k, "treatment of unknown values", value, unknowns)) >= 0)
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

/* All words behind the target. */
static void
row_options(struct map_compile *k, struct map_row *row, size_t i)
{
	while (i < k->at->nwords) {
		struct slice w = map_word(k, i++);
		int choice;

		if (row_transform(k, row, w))
			continue;
		if ((choice = map_choose(k, "word", w, row_words)) < 0)
			return;
		if (choice == ROW_REQUIRED) {
			row->required = true;
		} else if (choice == ROW_TABLE) {
			i = row_table(k, row, i);
		} else if (choice == ROW_NUMBER) {
			i = row_number(k, row, i);
		} else if (choice == ROW_IF) {
			i = row_condition(k, row, i);
		} else if (i == k->at->nwords) {
			COMPLAIN(k, "'%.*s' needs a value", SLICE_ARG(w));
		} else if (choice == ROW_REGEX) {
			i = row_regex(k, row, i);
		} else {
			row_option(k, row, (enum row_word)choice, map_word(k, i++));
		}
	}
}

/* Values that the mapping itself gives must be legal for their target. */
static void
check_row(struct map_compile *k, const struct map_row *row)
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
	if (row->number.used && row->time.form != TIME_NONE)
		COMPLAIN(k, "a value is a number or a time");
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
void
map_line_row(struct map_compile *k)
{
	struct map_record *r = k->rec;
	struct map_row row = { .line = k->at->number };

	if (!slice_is(map_word(k, 2), "->")) {
		COMPLAIN(k, "expected: %.*s SOURCE -> TARGET", SLICE_ARG(map_word(k, 0)));
		return;
	}
	row.is_const = slice_is(map_word(k, 0), "const");
	if ((row.target = map_target_word(k, map_word(k, 3))) == T_NONE)
		return;
	if (row.target == T_X)
		row.x_name = map_word(k, 3);
	if (row.is_const)
		row.constant = map_word(k, 1);
	else if (!map_path_word(k, map_word(k, 1), &row.source))
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
