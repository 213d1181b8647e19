/* cmd_document.c -- see cmd_document.h. */
#include "gateway/cmd_document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_input.h"
#include "formats/mapped.h"

enum { SNIFF_BYTES = 4096, FORMATS_SHOWN = 32, FAR = 4 << 20 };
#define INPUT_DEFAULT ((size_t)16 << 30)

/* Where mapping files are looked for, first to last. */
static const char *const mapping_dirs[] = {
	"mappings", "conf/mappings", "/etc/tocsin/mappings", "/usr/local/share/tocsin/mappings",
	"/usr/share/tocsin/mappings", NULL
};

void
documents_init(struct documents *d, const struct format_ops *to, struct work_bar *bar)
{
	*d = (struct documents){ .mem = arena_new(), .to = to, .shelf = shelf_new(),
	    .verdicts = verdicts_new(), .began_us = clock_mono_us(), .bar = bar };
}

void
documents_fini(struct documents *d)
{
	for (size_t i = 0; i < d->nsources; i++) {
		if (d->sources[i].whole != NULL)
			d->sources[i].format->split->close(d->sources[i].whole);
		input_close(d->sources[i].in);
	}
	account_free(d->account);
	shelf_free(d->shelf);
	verdicts_free(d->verdicts);
	arena_free(d->mem);
}

/* Complain about a name that is none of these formats; returns NULL. */
static const struct format_ops *
no_format(const char *name, bool writers)
{
	const char *near, *names[FORMATS_SHOWN] = { NULL };
	size_t n = 0;

	for (size_t i = 0; n + 1 < FORMATS_SHOWN && formats[i] != NULL; i++)
		names[n++] = formats[i]->name;
	for (size_t i = 0; writers && n + 1 < FORMATS_SHOWN && format_writers[i] != NULL; i++)
		names[n++] = format_writers[i]->name;
	near = nearest_word(slice_of(name), names);
	fprintf(stderr, "tocsin: there is no format '%s'%s%s%s; there are:", name,
	    near == NULL ? "" : ", did you mean '", near == NULL ? "" : near, near == NULL ? "" : "'?");
	for (size_t i = 0; names[i] != NULL; i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
	return NULL;
}

const struct format_ops *
document_format(const char *name)
{
	const struct format_ops *f = format_find(slice_of(name));

	return f != NULL ? f : no_format(name, false);
}

const struct format_ops *
document_target(const char *name)
{
	const struct format_ops *f = format_find_writer(slice_of(name));

	return f != NULL ? f : no_format(name, true);
}

/* ---- mappings ---- */

/* The folder that has DIR/NAME.map, or else the first that there is. */
static const char *
find_mapping_dir(struct arena *mem, const char *name)
{
	const char *first = NULL;

	for (size_t i = 0; mapping_dirs[i] != NULL; i++) {
		if (access(mapping_dirs[i], R_OK | X_OK) < 0)
			continue;
		if (first == NULL)
			first = mapping_dirs[i];
		if (file_exists(arena_fmt(mem, "%s/%s.map", mapping_dirs[i], name)))
			return mapping_dirs[i];
	}
	return first;
}

static int
load_mapping(struct documents *d, const struct args *a)
{
	const char *name = args_get(a, "mapping"), *dir = args_get(a, "mappings");
	struct complaints c = { .mem = d->mem };

	if (name == NULL)
		return 0;
	if (strchr(name, '/') != NULL || slice_ends(slice_of(name), ".map")) {
		d->mapping = mapping_load(name, d->mem, &c);
	} else {
		if (dir == NULL)
			dir = find_mapping_dir(d->mem, name);
		if (dir == NULL)
			return cmd_complain("--mapping %s: there is no folder of mappings here; say "
			    "--mappings DIR", name);
		d->mapping = mapping_find(dir, slice_of(name), d->mem, &c);
	}
	if (d->mapping != NULL)
		return 0;
	cmd_complaints(&c);
	return -1;
}

/* ---- the only now ---- */

/* The length of what looks like a timestamp at the start of s; 0 if nothing does. */
static size_t
stamp_length(struct slice s)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	size_t n = sizeof(shape) - 1;

	if (s.n < n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (shape[i] == 'd' ? !ascii_is_digit(s.p[i]) : s.p[i] != shape[i])
			return 0;
	while (n < s.n && (ascii_is_digit(s.p[n]) || strchr(".:+-Z", s.p[n]) != NULL) && s.p[n] != '\0')
		n++;
	return n;
}

bool
document_newest(struct arena *mem, struct slice stamp, struct slice *newest)
{
	int64_t us, best = INT64_MIN;
	struct slice utc;
	bool zone;

	if (!stamp_parse_any(stamp, &us, &zone))
		return false;
	if (newest->n > 0)
		stamp_parse(*newest, &best);
	if (us <= best)
		return true;
	if (!stamp_to_utc(mem, stamp, &utc))
		return false;
	*newest = utc;
	return true;
}

/* The newest RFC 3339 time anywhere in the text. */
static struct slice
newest_in_text(struct arena *mem, const struct read_job *job)
{
	struct slice newest = SLICE_EMPTY, text = job->in;

	for (size_t i = 0; i < text.n; i++) {
		size_t n;

		if (i % FAR == 0 && job->passed != NULL)
			job->passed(job->passed_arg, text.p + i);
		if (!ascii_is_digit(text.p[i]) || (i > 0 && ascii_is_digit(text.p[i - 1])))
			continue;
		n = stamp_length(slice_from(text.p + i, text.n - i));
		if (n > 0)
			document_newest(mem, slice_from(text.p + i, n), &newest);
	}
	return newest;
}

/* The newest version of an object; empty if none has any. */
static struct slice
newest_version(struct arena *mem, const struct advisory *adv)
{
	struct slice newest = SLICE_EMPTY;

	for (size_t i = 0; i < adv->n; i++)
		document_newest(mem, adv->objects[i].version, &newest);
	return newest;
}

/* A first reading in pieces: the newest version so far. */
struct first_reading {
	struct read_job		 job;
	const struct format_ops	*f;
	char			*newest;	/* heap */
};

/* format_piece_fn */
static bool
on_first_piece(void *arg, const struct read_piece *piece)
{
	struct first_reading *first = arg;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct slice newest = slice_of(first->newest), before = newest;

	first->job.piece = piece;
	first->job.in = piece->text;
	if (first->f->read(&first->job, mem, &adv, NULL) == 0)
		for (size_t i = 0; i < adv.n; i++)
			document_newest(mem, adv.objects[i].version, &newest);
	if (newest.p != before.p) {
		char *text = xstrndup(newest.p, newest.n);

		free(first->newest);
		first->newest = text;
	}
	arena_free(mem);
	return true;
}

/* Heap; NULL if it has no time, or cannot be read so. */
static char *
newest_in_pieces(const struct read_job *job, const struct format_ops *f)
{
	struct first_reading first = { .job = *job, .f = f };
	struct whole *w;

	if (f->split == NULL || job->in.n <= f->split->window || f->split->open(job, &w, NULL) != 1)
		return NULL;
	f->split->each(w, on_first_piece, &first);
	f->split->close(w);
	return first.newest;
}

/* A first reading only for its times: in-house files write them in forms of their own. */
static struct slice
newest_in_records(const struct read_job *job, const struct format_ops *f)
{
	struct read_job first = *job;
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct slice newest = SLICE_EMPTY;
	char *text = NULL;

	first.received = SLICE_LIT(document_epoch);
	first.loss = NULL;
	text = newest_in_pieces(&first, f);
	if (text == NULL && f->read(&first, mem, &adv, NULL) == 0)
		newest = newest_version(mem, &adv);
	if (newest.n > 0)
		text = xstrndup(newest.p, newest.n);
	if (text != NULL && slice_eq(slice_of(text), first.received)) {
		free(text);
		text = NULL;
	}
	arena_free(mem);
	return text == NULL ? SLICE_EMPTY : slice_of(text);
}

bool
documents_choose_received(struct documents *d, struct read_job *job, const struct format_ops *f)
{
	if (job->received.n > 0 || f == &format_stix21)
		return true;
	if (f == &format_mapped) {
		struct slice found = newest_in_records(job, f);

		job->received = arena_slice(d->mem, found);
		if (found.n > 0)
			free((char *)(uintptr_t)found.p);
	} else {
		job->received = newest_in_text(d->mem, job);
	}
	if (job->received.n > 0)
		return true;
	job->received = SLICE_LIT(document_epoch);	/* to see what else is wrong with it */
	return false;
}

const struct format_ops *
documents_choose(const struct documents *d, const struct args *a, struct slice text, struct err *e)
{
	const struct format_ops *f;

	if (args_get(a, "from") != NULL)
		return format_find(slice_of(args_get(a, "from")));
	if (d->mapping != NULL && d->to != &format_mapped)
		return &format_mapped;
	f = format_sniff(slice_from(text.p, text.n < SNIFF_BYTES ? text.n : SNIFF_BYTES));
	if (f == NULL)
		err_at(e, ERR_UNSUPPORTED, (struct pos){ 1, 1, 0 }, "this looks like no format we know; "
		    "say --from, and --mapping if it is an in-house format");
	return f;
}

/* ---- options ---- */

/* "64M" as bytes: K, M, G or nothing. */
static bool
parse_size(const char *text, size_t *out)
{
	static const char units[] = "KMG";
	struct slice s = slice_of(text);
	unsigned long long n;
	unsigned shift = 0;
	const char *unit = s.n == 0 ? NULL : strchr(units, toupper((unsigned char)s.p[s.n - 1]));

	if (unit != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		s.n--;
	}
	if (!slice_u64(s, &n) || n > SIZE_MAX >> shift)
		return false;
	*out = (size_t)n << shift;
	return true;
}

static int
take_size(const struct args *a, const char *name, size_t *out, size_t otherwise)
{
	const char *said = args_get(a, name);

	*out = otherwise;
	if (said == NULL || parse_size(said, out))
		return 0;
	return cmd_complain("--%s %s is no size such as 64M", name, said);
}

static int
check_groups(const char *said)
{
	struct slice rest = slice_of(said == NULL ? "" : said);

	while (rest.n > 0) {
		struct slice label = slice_cut(&rest, ','), uuid = slice_cut(&label, '=');

		if (!uuid_is_shaped(uuid) || tlp_parse(label) == TLP_UNSET)
			return cmd_complain("--misp-groups takes UUID=LABEL,... such as "
			    "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40516=amber+strict, not %s", said);
	}
	return 0;
}

int
documents_prepare(struct documents *d, const struct args *a)
{
	const char *received = args_get(a, "received"), *from = args_get(a, "from");

	if (from != NULL && document_format(from) == NULL)
		return -1;
	if (received != NULL && !stamp_parse(slice_of(received), NULL))
		return cmd_complain("--received %s is no time such as 2026-05-01T12:00:00Z", received);
	if (check_groups(args_get(a, "misp-groups")) < 0)
		return -1;
	if (take_size(a, "input-limit", &d->limit, INPUT_DEFAULT) < 0 ||
	    take_size(a, "window", &d->window, SIZE_MAX) < 0)
		return -1;
	return load_mapping(d, a);
}
