/* If this finds something, a record from a stranger can crash the translator, or comes back changed.
 *
 * The first byte picks a mapping and a direction. In: the rest is an in-house input; it is read,
 * written, and what was written must read as the same objects. Out: the rest is a STIX bundle that is
 * written through the mapping. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/mapped.h"
#include "formats/mapped_impl.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const texts[] = {
	/* 0: CSV */
	"mapping list\n"
	"    format csv delimiter ; quote \"\\\"\" comment \"#\" encoding utf-8\n"
	"    producer Desk class organization since 2024-01-01T00:00:00.000Z\n"
	"    default tlp amber\n"
	"    record indicator key id\n"
	"    when kind not-in skip\n"
	"    field kind -> type table h host-or-url, x hash, n auto unknown pass required\n"
	"    field value -> value trim defang required\n"
	"    field seen -> valid_from time \"%d.%m.%Y %H:%M\" zone +01:00\n"
	"    field until -> valid_until time epoch\n"
	"    field tlp -> tlp\n"
	"    field conf -> confidence table low 15, high 85\n"
	"    field tags -> labels split \",\"\n"
	"    field more -> labels template \"m:{}\"\n"
	"    field fam -> malware split \"|\"\n"
	"    field url -> source_url\n"
	"    field odd -> x:odd\n"
	"    field set -> report\n",
	/* 1: JSON */
	"mapping alerts\n"
	"    format json records /a\n"
	"    default tlp green\n"
	"    record observed-data key /id\n"
	"    field /t -> first_observed time epoch required\n"
	"    field /t2 -> last_observed time epoch-ms\n"
	"    field /n -> number_observed default 2\n"
	"    field /s/ip -> traffic.src\n"
	"    field /s/p -> traffic.src_port\n"
	"    field /d/ip -> traffic.dst\n"
	"    field /proto -> traffic.protocol lower\n"
	"    field /dom -> domain\n"
	"    field /f/m -> file.md5\n"
	"    field /f/n -> file.name\n"
	"    field /f/s -> file.size\n"
	"    field /tags -> labels\n"
	"    field /cve -> vulnerability\n",
	/* 2: JSON lines */
	"mapping lines\n"
	"    format jsonl\n"
	"    record report key /id /sub\n"
	"    field /name -> name required\n"
	"    field /text -> description strip-html\n"
	"    field /at -> published time \"%Y-%m-%d %H:%M:%S.%f%z\"\n"
	"    field /who -> creator.name\n"
	"    field /mail -> creator.email\n"
	"    field /b64 -> labels base64\n"
	"    field /rep -> malware\n"
	"children /iocs\n"
	"    record indicator key /k\n"
	"    field /ip -> ip\n"
	"    field /file -> file.sha256\n"
	"    field /name -> file.name\n"
	"    field ../at -> valid_from time \"%Y-%m-%d %H:%M:%S.%f%z\"\n"
	"    field /kc -> kill_chain split \",\"\n",
	/* 3: XML */
	"mapping cases\n"
	"    format xml records /c:cases/c:case\n"
	"    namespace c urn:c\n"
	"    record report key @n\n"
	"    default tlp amber\n"
	"    field c:subject -> name required\n"
	"    field c:text -> description\n"
	"    field c:at -> published time rfc3339\n"
	"    field @tlp -> tlp table w clear, r red unknown reject\n"
	"    field c:by/@mail -> creator.email\n"
	"    field c:tag -> labels\n"
	"    field c:link[@rel='m'] -> source_url\n"
	"children c:items/c:item\n"
	"    record indicator\n"
	"    field @type -> type required\n"
	"    field . -> value trim refang required\n"
	"    field @port -> port\n"
	"    field ../../c:at -> valid_from time rfc3339\n",
	/* 4: CSV without header, in an old encoding; times without a zone */
	"mapping old\n"
	"    format csv delimiter tab header no encoding windows-1252\n"
	"    columns id name at note\n"
	"    record indicator key id\n"
	"    const ipv4 -> type\n"
	"    field name -> value required\n"
	"    field at -> valid_from time \"%Y-%m-%d %H:%M\"\n"
	"    field note -> description\n",
	/* 5: the same in another */
	"mapping older\n"
	"    format csv encoding iso-8859-1\n"
	"    record report key id\n"
	"    field id -> name required\n"
	"    field at -> published time \"%d/%m/%y\"\n"
	"    field note -> description\n",
	/* 6: CSV with conditions, expressions and numbers */
	"mapping mixed\n"
	"    format csv delimiter ;\n"
	"    default tlp green\n"
	"    record indicator key no\n"
	"    field seen -> valid_from time \"%Y-%m-%d\" zone UTC required\n"
	"    field what -> ipv4 refang if kind in addr, ip\n"
	"    field what -> domain refang if kind in name\n"
	"    field link -> url if kind not-in addr, name\n"
	"    field note -> vulnerability regex \"CVE-[0-9]{4}-[0-9]{4,}\"\n"
	"    field note -> malware regex \"f=([^,; ]+?)(,|$)\" group 1\n"
	"    field note -> description\n"
	"    field score -> confidence table none 0 unknown pass number decimal \",\" times 10\n"
	"    field tags -> labels split \"|\" if tags present\n"
	"    const benign -> indicator_types if kind in ip\n",
	/* 7: JSON, records in records in records */
	"mapping nested\n"
	"    format json records /c\n"
	"    default tlp amber\n"
	"    record report key /nr\n"
	"    field /t -> name required\n"
	"    field /at -> published time rfc3339 required\n"
	"    field /n -> description join \" / \"\n"
	"children /h as host\n"
	"    record incident key /n\n"
	"    field /n -> name template \"host {}\"\n"
	"    field /os -> labels if /os present\n"
	"children /f as finding of host\n"
	"    record malware key /m\n"
	"    field /m -> name required\n"
	"    field ../n -> labels template \"on:{}\"\n"
	"children /v of finding\n"
	"    record indicator\n"
	"    field /t -> type table a ipv4, d domain unknown reject required\n"
	"    field /v -> value refang required\n"
	"    field ../../../at -> valid_from time rfc3339 required\n",
};
enum { OLD = 6 };		/* mappings that seeds know by number: 0 to 5 in, 6 to 11 out */
enum { MAPPINGS = sizeof(texts) / sizeof(*texts) };

static struct arena *kept;
static struct mapping *mappings[MAPPINGS];

static void
load(void)
{
	struct complaints c = { 0 };

	kept = c.mem = arena_new();
	for (size_t i = 0; i < MAPPINGS; i++) {
		mappings[i] = mapping_parse(slice_of(texts[i]), "fuzz.map", kept, &c);
		if (mappings[i] == NULL) {
			fprintf(stderr, "%s\n", c.text[0]);
			abort();
		}
	}
}

/* Two versions of one record: only the newer is written. */
static bool
has_versions(const struct advisory *a)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq(a->objects[i].id, a->objects[k].id))
				return true;
	return false;
}

/* The objects of both are the same, in any order. */
static bool
same_objects(const struct advisory *a, const struct advisory *b)
{
	if (has_versions(a))
		return true;
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		size_t k = 0;

		while (k < b->n && !slice_eq(a->objects[i].bytes, b->objects[k].bytes))
			k++;
		if (k == b->n)
			return false;
	}
	return true;
}

/* Show the objects of `a` that are not in `b`. */
static void
show_missing(const struct advisory *a, const struct advisory *b, char sign)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t k = 0;

		while (k < b->n && !slice_eq(a->objects[i].bytes, b->objects[k].bytes))
			k++;
		if (k == b->n)
			fprintf(stderr, "%c %.*s\n", sign, SLICE_ARG(a->objects[i].bytes));
	}
}

static void
read_and_back(const struct mapping *m, struct slice text, struct arena *mem, struct strbuf *out)
{
	struct advisory first = { 0 }, again = { 0 };
	struct loss loss;
	struct read_job job = { .in = text, .input = "fuzz", .mapping = m, .loss = &loss,
	    .received = SLICE_LIT("2024-06-01T00:00:00Z") };
	struct write_job back = { .adv = &first, .mapping = m, .received = job.received };
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	if (format_mapped.read(&job, mem, &first, &e) < 0) {
		if (e.code == ERR_NONE || e.reason[0] == '\0')
			abort();
		return;
	}
	for (size_t i = 0; i < first.nverdicts; i++)
		if (first.verdicts[i].err.reason[0] == '\0')
			abort();
	back.loss = &loss;
	if (format_mapped.write(&back, mem, out, &e) < 0)
		return;
	job.in = strbuf_slice(out);
	if (format_mapped.read(&job, mem, &again, &e) < 0 || !same_objects(&first, &again)) {
		fprintf(stderr, "came back changed:\n%s\n%s\n", out->p, e.reason);
		show_missing(&first, &again, '-');
		show_missing(&again, &first, '+');
		for (size_t i = 0; i < again.nverdicts; i++)
			fprintf(stderr, "refused: %s\n", again.verdicts[i].err.reason);
		abort();
	}
}

static void
write_stix(const struct mapping *m, struct slice text, struct arena *mem, struct strbuf *out)
{
	struct advisory adv = { 0 }, again = { 0 };
	struct loss loss;
	struct read_job job = { .in = text, .input = "fuzz",
	    .received = SLICE_LIT("2024-06-01T00:00:00Z") };
	struct write_job write = { .adv = &adv, .mapping = m, .received = job.received,
	    .loss = &loss };
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	if (format_stix21.read(&job, mem, &adv, &e) < 0 ||
	    format_mapped.write(&write, mem, out, &e) < 0)
		return;
	job.in = strbuf_slice(out);
	job.mapping = m;
	if (format_mapped.read(&job, mem, &again, &e) < 0) {
		fprintf(stderr, "cannot be read: %s\n%s\n", e.reason, out->p);
		abort();
	}
}

static void
saw_begin(void *ctx, const struct mapped_record *rec)
{
	size_t *open = ctx;

	if (rec == NULL)
		abort();
	(*open)++;
}

static void
saw_field(void *ctx, const struct mapped_record *rec, const struct map_row *row, const json *cell,
    const char *remark)
{
	(void)cell;
	if (*(size_t *)ctx == 0 || rec == NULL || row == NULL || remark == NULL)
		abort();
}

static void
saw_left(void *ctx, const struct mapped_record *rec, const char *path, const json *value)
{
	if (*(size_t *)ctx == 0 || rec == NULL || path == NULL || value == NULL)
		abort();
}

/* A record ends once; that one of two is refused at the end of all is told without a beginning. */
static void
saw_end(void *ctx, const struct mapped_record *rec, enum mapped_end how, const struct err *why)
{
	size_t *open = ctx;

	if (rec == NULL || (how == RECORD_REFUSED) != (why != NULL) ||
	    (why != NULL && why->reason[0] == '\0') || (*open == 0 && how != RECORD_REFUSED))
		abort();
	*open -= *open > 0;
}

/* Somebody watches (`tocsin mapping check`), and the limits bite. */
static void
read_narrowly(const struct mapping *m, struct slice text, struct arena *mem)
{
	size_t open = 0;
	const struct mapped_watch watch = { saw_begin, saw_field, saw_left, saw_end, &open };
	struct read_job job = { .in = text, .input = "fuzz", .mapping = m, .strict = true,
	    .received = SLICE_LIT("2024-06-01T00:00:00Z"),
	    .limits = { .bytes = 20000, .object_bytes = 200, .objects = 8 } };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	if (mapped_read(&job, mem, &adv, &watch, &e) < 0 && e.reason[0] == '\0')
		abort();
}

/* The mapping that the first byte picks; true: it is read, false: it is written. */
static bool
which(uint8_t byte, const struct mapping **m)
{
	unsigned b = byte % (2 * MAPPINGS);

	if (b < 2 * OLD) {
		*m = mappings[b % OLD];
		return b < OLD;
	}
	b -= 2 * OLD;
	*m = mappings[OLD + b % (MAPPINGS - OLD)];
	return b < MAPPINGS - OLD;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct mapping *m;
	struct arena *mem;
	struct strbuf out = STRBUF_INIT;
	struct slice text;

	if (n == 0)
		return 0;
	if (kept == NULL)
		load();
	mem = arena_new();
	text = slice_from(data + 1, n - 1);
	if (which(data[0], &m)) {
		read_and_back(m, text, mem, &out);
		read_narrowly(m, text, mem);
	} else {
		write_stix(m, text, mem, &out);
	}
	strbuf_fini(&out);
	arena_free(mem);
	return 0;
}
