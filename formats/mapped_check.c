/*
 * mapped_check.c -- shows what a mapping makes of a sample (mapping_check of mapped.h).
 *
 *	row[1]  line 2
 *	    FIELD        VALUE          STIX PROPERTY             NOTE
 *	    seen_at      "1/2/2026"     indicator.valid_from
 *	    colour       "red"          -                         not mapped: kept in the extension
 *
 * Then what was not mapped, with how often it was there, and the fields of the mapping that never were.
 */
#include <stdio.h>

#include "formats/mapped_value.h"

enum {
	SHOWN_MAX = 36, FIELD_WIDTH = 24, VALUE_WIDTH = 40, PROPERTY_WIDTH = 38, TALLIES_MAX = 500,
	DEEP = 16
};

/* How often a field was there. */
struct tally {
	struct slice	name;		/* path of the record kind, a blank, the field */
	size_t		n;
	const char	*example;
};

struct tallies {
	struct tally	v[TALLIES_MAX];
	size_t		n, more;	/* more: not counted, there are too many */
};

struct check {
	const struct mapping	*map;
	struct arena		*mem;
	struct strbuf		*out;
	struct strbuf		 own;		/* fields of the record at hand */
	struct { const struct mapped_record *rec; size_t at; } open[DEEP];
	size_t			 nopen;
	size_t			 records, refused, skipped;
	struct tallies		 unmapped, used;
};

/* ---- words ------------------------------------------------------------------------------------ */

/* What a target becomes, beyond a property of its own name. */
static const struct { enum map_target target; const char *property; } properties[] = {
	{ T_KILL_CHAIN, "kill_chain_phases" }, { T_TLP, "object_marking_refs" },
	{ T_SOURCE_URL, "external_references.url" },
	{ T_EXTERNAL_ID, "external_references.external_id" },
};

/* Objects beside the record's own. */
static const struct { enum map_target target; const char *object; } objects[] = {
	{ T_MALWARE, "malware.name" }, { T_THREAT_ACTOR, "threat-actor.name" },
	{ T_CAMPAIGN, "campaign.name" }, { T_ATTACK_PATTERN, "attack-pattern.name" },
	{ T_VULNERABILITY, "vulnerability.name" }, { T_REPORT, "report.name" },
	{ T_CREATOR_NAME, "identity.name" }, { T_CREATOR_EMAIL, "identity.contact_information" },
	{ T_CREATOR_PHONE, "identity.contact_information" },
	{ T_TRAFFIC_SRC, "network-traffic.src_ref" }, { T_TRAFFIC_DST, "network-traffic.dst_ref" },
	{ T_TRAFFIC_SRC_PORT, "network-traffic.src_port" },
	{ T_TRAFFIC_DST_PORT, "network-traffic.dst_port" },
	{ T_TRAFFIC_PROTOCOL, "network-traffic.protocols" },
	{ T_TRAFFIC_SRC_BYTES, "network-traffic.src_byte_count" },
	{ T_TRAFFIC_DST_BYTES, "network-traffic.dst_byte_count" },
	{ T_USER, "user-account.account_login" }, { T_IP, "ipv4-addr.value" },
};

/* The observable that a target is a value of, "file.name"; NULL if it is none of one kind. */
static const char *
observable(struct arena *mem, enum map_target t)
{
	char *text;

	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
		if (objects[i].target == t)
			return objects[i].object;
	for (const struct map_flat *f = map_flats; f->type != NULL; f++) {
		if (f->target != t || f->path == NULL)
			continue;
		text = arena_str(mem, slice_of(f->path));
		if (strchr(text, ':') != NULL)
			*strchr(text, ':') = '.';
		return text;
	}
	return NULL;
}

/* The property of STIX that a row fills. */
static const char *
property_of(const struct check *c, const struct mapped_record *rec, const struct map_row *row)
{
	const char *type = map_object_type[rec->def->object], *name = map_targets[row->target].name;
	const char *other = observable(c->mem, row->target);

	if (row->target == T_X)
		return "-";
	if (map_targets[row->target].flags & TARGET_PATTERN) {
		if (rec->def->object != OBJ_INDICATOR)
			return other != NULL ? other : arena_fmt(c->mem, "observable (%s)", name);
		return arena_fmt(c->mem, "indicator.pattern (%s)", other != NULL ? other : name);
	}
	if (other != NULL)
		return other;
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++)
		if (properties[i].target == row->target)
			name = properties[i].property;
	return arena_fmt(c->mem, "%s.%s", type, name);
}

/* A value on one line, cut where it gets long. */
static const char *
show(const struct check *c, const json *v)
{
	struct strbuf b = STRBUF_INIT;
	const char *text = "-";
	size_t n = SHOWN_MAX;

	if (v != NULL) {
		json_print(&b, v);
		if (b.n > SHOWN_MAX) {
			while (n > 0 && ((unsigned char)b.p[n] & 0xc0) == 0x80)
				n--;
			strbuf_setlen(&b, n);
			strbuf_adds(&b, "...");
		}
		text = arena_str(c->mem, strbuf_slice(&b));
	}
	strbuf_fini(&b);
	return text;
}

/* A text, and blanks up to a width in characters; one at least. */
static void
add_column(struct strbuf *b, struct slice s, size_t width)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	strbuf_addsl(b, s);
	do
		strbuf_addc(b, ' ');
	while (++n < width);
}

/* One line of the table. */
static void
add_line(struct strbuf *b, struct slice field, const char *value, const char *property, const char *note)
{
	strbuf_adds(b, "    ");
	add_column(b, field, FIELD_WIDTH);
	add_column(b, slice_of(value), VALUE_WIDTH);
	if (*note != '\0')
		add_column(b, slice_of(property), PROPERTY_WIDTH);
	else
		strbuf_adds(b, property);
	strbuf_addf(b, "%s\n", note);
}

/* ---- tallies ---------------------------------------------------------------------------------- */

/* Count a field; `n` 0: only that it might be there. */
static void
count(struct check *c, struct tallies *t, const struct map_record *def, struct slice field, size_t n,
    const char *example)
{
	const char *name = def->at.text.n == 0 ? arena_str(c->mem, field) :
	    arena_fmt(c->mem, "%.*s %.*s", SLICE_ARG(def->at.text), SLICE_ARG(field));

	for (size_t i = 0; i < t->n; i++) {
		if (!slice_is(t->v[i].name, name))
			continue;
		t->v[i].n += n;
		return;
	}
	if (t->n == TALLIES_MAX)
		t->more++;
	else
		t->v[t->n++] = (struct tally){ slice_of(name), n, example };
}

/* ---- what the reader tells -------------------------------------------------------------------- */

/* Remember where the record's part of the table begins: its children come first. */
static void
on_begin(void *ctx, const struct mapped_record *rec)
{
	struct check *c = ctx;

	if (c->nopen < DEEP) {
		c->open[c->nopen].rec = rec;
		c->open[c->nopen].at = c->out->n;
	}
	c->nopen++;
	c->records++;
	strbuf_reset(&c->own);
}

/* One field that a row maps. */
static void
on_field(void *ctx, const struct mapped_record *rec, const struct map_row *row, const json *cell,
    const char *remark)
{
	struct check *c = ctx;
	struct slice field = row->is_const ? SLICE_LIT("(const)") : row->source.text;

	if (!row->is_const)
		count(c, &c->used, rec->def, field, cell != NULL, NULL);
	add_line(&c->own, field, row->is_const ? arena_str(c->mem, row->constant) : show(c, cell),
	    property_of(c, rec, row), remark);
}

/* One field that no row maps. */
static void
on_left(void *ctx, const struct mapped_record *rec, const char *path, const json *value)
{
	struct check *c = ctx;

	for (size_t i = 0; i < rec->def->nkeys; i++) {
		if (!slice_is(rec->def->keys[i].text, path))
			continue;
		add_line(&c->own, slice_of(path), show(c, value), arena_fmt(c->mem, "%s.id",
		    map_object_type[rec->def->object]), "the key: kept in the extension");
		return;
	}
	count(c, &c->unmapped, rec->def, slice_of(path), 1, show(c, value));
	add_line(&c->own, slice_of(path), show(c, value), "-", c->map->no_residue ?
	    "not mapped: dropped" : "not mapped: kept in the extension");
}

/* Put the record's own lines in front of those of its children. */
static void
insert(struct check *c, size_t at)
{
	struct slice below = arena_slice(c->mem, slice_from(c->out->p + at, c->out->n - at));

	strbuf_setlen(c->out, at);
	strbuf_addsl(c->out, strbuf_slice(&c->own));
	strbuf_addsl(c->out, below);
	strbuf_reset(&c->own);
}

static void
on_end(void *ctx, const struct mapped_record *rec, enum mapped_end how, const struct err *why)
{
	struct check *c = ctx;
	struct slice fields = arena_slice(c->mem, strbuf_slice(&c->own));
	bool known = c->nopen > 0 && c->nopen <= DEEP && c->open[c->nopen - 1].rec == rec;
	size_t at = known ? c->open[c->nopen - 1].at : c->out->n;

	if (c->nopen > 0 && (known || c->nopen > DEEP))
		c->nopen--;
	strbuf_reset(&c->own);
	strbuf_adds(&c->own, rec->path);
	if (rec->err.at.line > 0)
		strbuf_addf(&c->own, "  line %u", rec->err.at.line);
	c->refused += how == RECORD_REFUSED;
	c->skipped += how == RECORD_SKIPPED;
	if (how == RECORD_REFUSED) {
		strbuf_setlen(c->out, at);	/* the children go with it */
		strbuf_addf(&c->own, "  REFUSED: %s\n", why->reason);
	} else if (how == RECORD_SKIPPED) {
		strbuf_adds(&c->own, "  skipped: the mapping does not want it\n");
	} else {
		strbuf_addc(&c->own, '\n');
		strbuf_addsl(&c->own, fields);
	}
	insert(c, at);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void
add_tallies(struct check *c, const struct tallies *t, bool never, const char *title)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		if (never != (t->v[i].n == 0))
			continue;
		if (!any)
			strbuf_addf(c->out, "%s\n", title);
		any = true;
		strbuf_adds(c->out, "    ");
		if (never) {
			strbuf_addf(c->out, "%.*s\n", SLICE_ARG(t->v[i].name));
			continue;
		}
		add_column(c->out, t->v[i].name, FIELD_WIDTH);
		strbuf_addf(c->out, "%zu times, first %s\n", t->v[i].n, t->v[i].example);
	}
	if (!never && t->more > 0)
		strbuf_addf(c->out, "    and other fields\n");
}

/* Read a sample and print the table; return how many records were refused, or -1. */
int
mapping_check(const struct mapping *m, struct slice sample, const char *input,
    struct slice received, struct strbuf *out, struct err *e)
{
	struct arena *mem = arena_new();
	struct check *c = arena_alloc(mem, sizeof(*c));
	struct mapped_watch watch = { on_begin, on_field, on_left, on_end, c };
	struct read_job job = { .in = sample, .input = input, .received = received, .mapping = m };
	struct advisory adv = { 0 };
	int rc;

	*c = (struct check){ .map = m, .mem = mem, .out = out, .own = STRBUF_INIT };
	add_line(out, SLICE_LIT("FIELD"), "VALUE", "STIX PROPERTY", "NOTE");
	rc = mapped_read(&job, mem, &adv, &watch, e);
	if (rc == 0) {
		strbuf_addf(out, "\n%zu records, %zu refused, %zu skipped: %zu objects\n", c->records,
		    c->refused, c->skipped, adv.n);
		add_tallies(c, &c->unmapped, false, m->no_residue ? "not mapped, dropped:" :
		    "not mapped, kept in the extension:");
		add_tallies(c, &c->used, true, "in the mapping, but in no record:");
		for (size_t i = 0; i < adv.nverdicts; i++)
			if (adv.verdicts[i].kind == VERDICT_WARNED)
				strbuf_addf(out, "remark: %s: %s\n", adv.verdicts[i].code,
				    adv.verdicts[i].err.reason);
	}
	rc = rc < 0 ? -1 : (int)c->refused;
	strbuf_fini(&c->own);
	arena_free(mem);
	return rc;
}
