/* cmd_document.c -- see cmd_document.h. */
#include "gateway/cmd_document.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "formats/mapped.h"

enum { SNIFF_BYTES = 4096, OBJECTS_MAX = 10000000, FORMATS_SHOWN = 16 };
#define INPUT_MAX ((size_t)1 << 30)

static const char epoch[] = "1970-01-01T00:00:00Z";

/* Where mapping files are looked for, first to last. */
static const char *const mapping_dirs[] = {
	"mappings", "conf/mappings", "/etc/tocsin/mappings", "/usr/local/share/tocsin/mappings",
	"/usr/share/tocsin/mappings", NULL
};

void
documents_init(struct documents *d, const struct format_ops *to)
{
	*d = (struct documents){ .mem = arena_new(), .to = to };
}

void
documents_fini(struct documents *d)
{
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

/* Keep `stamp` in *newest if it is later; false if it is no time. */
static bool
keep_newest(struct arena *mem, struct slice stamp, struct slice *newest)
{
	int64_t us, best = INT64_MIN;
	struct slice utc;
	bool zone;

	if (!stamp_parse_any(stamp, &us, &zone) || !stamp_to_utc(mem, stamp, &utc))
		return false;
	if (newest->n > 0)
		stamp_parse(*newest, &best);
	if (us > best)
		*newest = utc;
	return true;
}

/* The newest RFC 3339 time anywhere in the text. */
static struct slice
newest_in_text(struct arena *mem, struct slice text)
{
	struct slice newest = SLICE_EMPTY;

	for (size_t i = 0; i < text.n; i++) {
		size_t n;

		if (!ascii_is_digit(text.p[i]) || (i > 0 && ascii_is_digit(text.p[i - 1])))
			continue;
		n = stamp_length(slice_from(text.p + i, text.n - i));
		if (n > 0 && keep_newest(mem, slice_from(text.p + i, n), &newest))
			i += n - 1;
	}
	return newest;
}

/* The newest version of an object; empty if none has any. */
static struct slice
newest_version(struct arena *mem, const struct advisory *adv)
{
	struct slice newest = SLICE_EMPTY;

	for (size_t i = 0; i < adv->n; i++)
		keep_newest(mem, adv->objects[i].version, &newest);
	return newest;
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

	first.received = SLICE_LIT(epoch);
	first.loss = NULL;
	if (f->read(&first, mem, &adv, NULL) == 0)
		newest = newest_version(mem, &adv);
	if (newest.n > 0 && !slice_eq(newest, first.received))
		text = xstrndup(newest.p, newest.n);
	arena_free(mem);
	return text == NULL ? SLICE_EMPTY : slice_of(text);
}

/* Set job->received; false if nothing in the input can stand for it and it is needed. */
static bool
choose_received(struct documents *d, struct read_job *job, const struct format_ops *f)
{
	if (job->received.n > 0 || f == &format_stix21)
		return true;
	if (f == &format_mapped) {
		struct slice found = newest_in_records(job, f);

		job->received = arena_slice(d->mem, found);
		if (found.n > 0)
			free((char *)(uintptr_t)found.p);
	} else {
		job->received = newest_in_text(d->mem, job->in);
	}
	if (job->received.n > 0)
		return true;
	job->received = SLICE_LIT(epoch);	/* to see what else is wrong with it */
	return false;
}

/* ---- reading ---- */

static void
add_verdict(struct documents *d, const char *input, const char *format, const struct verdict *v)
{
	d->verdicts = arena_grow(d->mem, d->verdicts, d->nverdicts, &d->verdicts_cap,
	    sizeof(*d->verdicts));
	d->verdicts[d->nverdicts++] = (struct document_verdict){ input, format, *v };
	d->refused += v->kind == VERDICT_REFUSED;
}

/* Nothing could be read: one verdict for the whole input. */
static void
add_unreadable(struct documents *d, const char *input, const char *format, const struct err *e)
{
	struct verdict v = { .kind = VERDICT_REFUSED, .err = *e };
	char *code = arena_str(d->mem, slice_of(err_word(e->code)));

	for (char *c = code; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	v.code = code;
	add_verdict(d, input, format, &v);
	d->unreadable++;
}

static const struct format_ops *
choose_format(const struct documents *d, const struct args *a, struct slice text, struct err *e)
{
	const struct format_ops *f;

	if (args_get(a, "from") != NULL)
		return format_find(slice_of(args_get(a, "from")));
	if (d->mapping != NULL && d->to != &format_mapped)
		return &format_mapped;
	f = format_sniff(slice_from(text.p, text.n < SNIFF_BYTES ? text.n : SNIFF_BYTES));
	if (f == NULL)
		err_set(e, ERR_UNSUPPORTED, "this looks like no format we know; say --from, and --mapping "
		    "if it is an in-house format");
	return f;
}

/* Where (id, version) is in a table of object numbers, or the free place for it. */
static size_t
find_place(const struct documents *d, const size_t *table, size_t mask, const struct object *o)
{
	uint64_t hash = 1469598103934665603u;	/* FNV-1a */
	size_t at;

	for (size_t i = 0; i < o->id.n; i++)
		hash = (hash ^ (unsigned char)o->id.p[i]) * 1099511628211u;
	for (at = hash & mask; table[at] != 0; at = (at + 1) & mask) {
		const struct object *other = &d->all.objects[table[at] - 1];

		if (slice_eq(other->id, o->id) && slice_eq(other->version_key, o->version_key))
			break;
	}
	return at;
}

/* Add the objects of one more input: the same one is not added twice, and of two that contradict each
 * other the first stays. */
static void
merge(struct documents *d, const struct advisory *adv, const char *input, const char *format)
{
	size_t size = 64, *table;

	while (size < 2 * (d->all.n + adv->n))
		size *= 2;
	table = xcalloc(size, sizeof(*table));
	for (size_t i = 0; i < d->all.n; i++)
		table[find_place(d, table, size - 1, &d->all.objects[i])] = i + 1;
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];
		size_t at = find_place(d, table, size - 1, o);

		if (table[at] == 0) {
			*advisory_add(&d->all, d->mem) = *o;
			table[at] = d->all.n;
		} else if (!slice_eq(d->all.objects[table[at] - 1].bytes, o->bytes)) {
			struct verdict v = { .kind = VERDICT_REFUSED, .code = "VERSION_CONFLICT",
			    .id = o->id, .version = o->version };

			err_set(&v.err, ERR_CONFLICT, "%.*s: another input has other content under this "
			    "version; the first is kept", SLICE_ARG(o->id));
			add_verdict(d, input, format, &v);
		}
	}
	free(table);
}

/* Read one input into the advisory of all. -1 after a message. */
static int
read_input(struct documents *d, const struct args *a, const char *path)
{
	const char *name = strcmp(path, "-") == 0 ? "stdin" : path;
	struct read_job job = { .input = name, .mapping = d->mapping, .loss = d->loss,
	    .strict = args_get(a, "strict") != NULL, .received = slice_of(args_get(a, "received")),
	    .iodef_amber_strict = args_get(a, "iodef-amber-strict") != NULL,
	    .limits = { .bytes = INPUT_MAX, .objects = OBJECTS_MAX } };
	struct strbuf text = STRBUF_INIT;
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	const struct format_ops *f;
	bool timed;

	if (file_read(path, INPUT_MAX, &text, &e) < 0) {
		strbuf_fini(&text);
		err_input(&e, name);
		cmd_fail_err(&e);
		return -1;
	}
	job.in = arena_slice(d->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	f = choose_format(d, a, job.in, &e);
	if (f == &format_mapped && d->mapping == NULL)
		return cmd_complain("%s: format mapped needs --mapping", name);
	timed = f != NULL && choose_received(d, &job, f);
	if (f == NULL || f->read(&job, d->mem, &adv, &e) < 0) {
		add_unreadable(d, name, f == NULL ? NULL : f->name, &e);
		return 0;
	}
	if (!timed && d->to != NULL)
		return cmd_complain("%s: there is no time in it that could stand for the time of "
		    "receipt; say --received 2026-05-01T12:00:00Z", name);
	for (size_t i = 0; i < adv.nverdicts; i++)
		add_verdict(d, name, f->name, &adv.verdicts[i]);
	keep_newest(d->mem, job.received.n > 0 ? job.received : newest_version(d->mem, &adv),
	    &d->received);
	if (d->all.id.n == 0) {
		d->all = adv;
		d->all.nverdicts = 0;
	} else {
		merge(d, &adv, name, f->name);
	}
	return 0;
}

/* Several inputs make a bundle whose id depends on what they hold. */
static void
name_bundle(struct documents *d)
{
	struct strbuf ids = STRBUF_INIT;
	char uuid[UUID_TEXT + 1];

	for (size_t i = 0; i < d->all.n; i++) {
		strbuf_addsl(&ids, d->all.objects[i].id);
		strbuf_addsl(&ids, d->all.objects[i].version_key);
		strbuf_addc(&ids, '\n');
	}
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&ids), uuid);
	strbuf_fini(&ids);
	d->all.id = slice_of(arena_fmt(d->mem, "bundle--%s", uuid));
}

int
documents_read(struct documents *d, const struct args *a)
{
	static const char *const standard_input[] = { "-", NULL };
	const char *const *path = a->n == 0 ? standard_input : a->v;
	const char *received = args_get(a, "received"), *from = args_get(a, "from");

	if (from != NULL && document_format(from) == NULL)
		return -1;
	if (received != NULL && !stamp_parse(slice_of(received), NULL))
		return cmd_complain("--received %s is no time such as 2026-05-01T12:00:00Z", received);
	if (load_mapping(d, a) < 0)
		return -1;
	for (; *path != NULL; path++)
		if (read_input(d, a, *path) < 0)
			return -1;
	if (a->n > 1)
		name_bundle(d);
	/* A writer that needs a now, and objects that have no time: the caller must say one. */
	if (d->received.n == 0 && d->to != NULL && d->to->read != NULL && d->to != &format_stix21 &&
	    d->unreadable == 0)
		return cmd_complain("no object has a time that could stand for now; say --received "
		    "2026-05-01T12:00:00Z");
	return 0;
}

void
documents_print_verdicts(const struct documents *d, FILE *out)
{
	for (size_t i = 0; i < d->nverdicts; i++) {
		const struct document_verdict *dv = &d->verdicts[i];
		const struct err *e = &dv->v.err;

		print_safe(out, slice_of(e->input[0] != '\0' ? e->input : dv->input));
		if (e->at.line > 0)
			fprintf(out, ":%u:%u", e->at.line, e->at.column);
		fprintf(out, ": %s%s ", dv->v.kind == VERDICT_WARNED ? "warning " : "", dv->v.code);
		if (e->path[0] != '\0') {
			print_safe(out, slice_of(e->path));
			fputs(": ", out);
		}
		print_safe(out, slice_of(e->reason));
		fputc('\n', out);
	}
}
