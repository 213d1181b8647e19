/* iodef_json.c -- the format JSON-IODEF: its tree is one of IODEF v2 and is read as that, and back. */
#include <string.h>

#include "formats/iodef_json.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { NODES_MAX = 800000, NODES_PER_OBJECT = 100, DEPTH_MAX = 100 };

/* ---- native, for parts ------------------------------------------------------------------------ */

/* What comes back when an element goes through JSON. */
static struct xml_node *
through_json(struct arena *mem, const struct xml_node *n)
{
	struct iodef_json_reader r = { .mem = mem, .places = true };
	struct xml_node *parent = n->parent;

	if (slice_is(n->name, "IODEF-Document"))
		return iodef_json_document(&r, iodef_json_value(mem, n));
	return iodef_json_element(&r, parent, n->name.p, iodef_json_value(mem, n));
}

static struct xml_node *
as_it_is(struct arena *mem, const struct xml_node *n)
{
	return xml_copy(mem, n);
}

static const struct iodef_part parts[] = {
	{ "Incident", "IODEF-Document" },
	{ "Contact", "Incident Contact EventData HistoryItem Expectation" },
	{ "Method", "Incident EventData" },
	{ "EventData", "Incident EventData" },
	{ "System", "Flow" },
	{ "HistoryItem", "History" },
	{ "Indicator", "IndicatorData" },
	{ "AdditionalData", "IODEF-Document Incident Contact Method EventData System HistoryItem Indicator "
	  "Assessment RelatedActivity ThreatActor Campaign" },
	{ NULL, NULL }
};

static const struct iodef_way to_json = {
	&iodef2_model, &iodef2_model, through_json, as_it_is, NULL, IODEF_JSON_CARRIED, parts,
};
static const struct iodef_way from_json = {
	&iodef2_model, &iodef2_model, as_it_is, through_json, IODEF_JSON_CARRIED, NULL, parts,
};

/* ---- places and the account ------------------------------------------------------------------- */

struct source {
	struct iodef2_origin		 base;
	struct iodef_json_reader	 reader;
	const struct read_job		*job;
	struct advisory			*adv;
	const json			*root;
	struct xml_node			*tree;		/* as JSON gave it */
	const struct iodef_json_place	**refused;	/* Incidents that strict mode refuses, in order */
	size_t				 nrefused, refused_cap;
	size_t				 remarks;	/* told so far */
};

static void
add_path(struct strbuf *b, const struct iodef_json_place *at)
{
	if (at == NULL)
		return;
	add_path(b, at->up);
	if (at->name == NULL && at->up != NULL)
		strbuf_addf(b, "[%zu]", at->index);
	else if (at->name != NULL)
		strbuf_addf(b, "%s%s", b->n > 0 ? "." : "", at->name);
}

static void
set_place(struct err *e, const struct iodef_json_place *at)
{
	struct strbuf b = STRBUF_INIT;

	add_path(&b, at);
	err_path(e, "%s", b.p);
	strbuf_fini(&b);
}

/* The place behind a node of the tree that JSON gave. */
static const struct iodef_json_place *
place_of(const struct xml_node *n)
{
	while (n != NULL && n->made_of == NULL)
		n = n->parent;
	return n == NULL ? NULL : n->made_of;
}

static void
origin_place(const struct iodef2_origin *o, struct arena *mem, const void *made_of, struct err *e)
{
	(void)o;
	(void)mem;
	set_place(e, place_of(made_of));
}

static void
origin_print(const struct iodef2_origin *o, const void *made_of, struct strbuf *out)
{
	const struct iodef_json_place *at = place_of(made_of);

	(void)o;
	if (at != NULL)
		json_print(out, at->node);
}

static const enum loss_kind losses[] = {
	[XML_UNSEEN] = LOSS_MOVED, [XML_KEPT] = LOSS_KEPT, [XML_APPROXIMATED] = LOSS_APPROXIMATED,
	[XML_MOVED] = LOSS_MOVED, [XML_DROPPED] = LOSS_DROPPED,
};

static const char *
note_of(enum xml_mark mark)
{
	if (mark == XML_KEPT)
		return NULL;
	return mark == XML_DROPPED ? "refused, see the verdict" : mark == XML_APPROXIMATED ?
	    "the exact form is in the iodef extension" : "in the iodef extension";
}

/* Hand the marks of the tree on to the values it was made of. */
static void
mark_values(struct ledger *l, const struct xml_node *n)
{
	const struct iodef_json_place *at = n->made_of;

	if (xml_is_text(n)) {
		ledger_mark(l, n->made_of, losses[n->mark], note_of(n->mark));
		return;
	}
	if (at != NULL && (n->mark == XML_DROPPED || json_first(at->node) == NULL))
		ledger_mark(l, at->node, losses[n->mark], note_of(n->mark));
	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		ledger_mark(l, a->made_of, losses[a->mark], note_of(a->mark));
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		mark_values(l, k);
}

static void
origin_account(const struct iodef2_origin *o, const struct read_job *job, struct arena *mem,
    struct xml_node *doc)
{
	const struct source *s = (const struct source *)o;

	(void)mem;
	iodef_take_marks(doc);
	mark_values(s->reader.ledger, s->tree);
	ledger_account(s->reader.ledger, job->loss, s->root, "", LOSS_MOVED, "in the iodef extension");
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* The Incident around a place, NULL if it stands beside them. */
static const struct iodef_json_place *
incident_of(const struct iodef_json_place *at)
{
	for (; at != NULL && at->up != NULL && at->up->up != NULL; at = at->up) {
		if (at->name == NULL && at->up->name != NULL &&
		    strcmp(at->up->name, "Incident") == 0 && at->up->up->up == NULL)
			return at;
	}
	return NULL;
}

/* A remark of the reader: a refusal of the Incident in strict mode if it is a bad one. */
static void
on_remark(struct iodef_json_reader *r, const struct iodef_json_place *at, const char *code,
    const char *reason, bool bad)
{
	struct source *s = (struct source *)((char *)r - offsetof(struct source, reader));
	const struct iodef_json_place *inc = incident_of(at);
	bool refuse = bad && s->job->strict && inc != NULL;
	struct strbuf text = STRBUF_INIT;
	struct verdict *v;

	if (refuse && s->nrefused > 0 && s->refused[s->nrefused - 1]->node == inc->node)
		return;		/* one reason is enough */
	if (!refuse && s->remarks++ >= 256)
		return;
	v = advisory_verdict(s->adv, r->mem, refuse ? VERDICT_REFUSED : VERDICT_WARNED,
	    refuse ? "INVALID" : code);
	err_set(&v->err, ERR_VALUE, "%s", reason);
	err_input(&v->err, s->job->input);
	set_place(&v->err, at);
	if (!refuse)
		return;
	s->refused = arena_grow(r->mem, s->refused, s->nrefused, &s->refused_cap, sizeof(*s->refused));
	s->refused[s->nrefused++] = inc;
	v->index = inc->index;
	v->id = json_member(json_get(inc->node, "IncidentID"), "id");
	json_print(&text, inc->node);
	v->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
}

static void
drop_refused(struct source *s)
{
	size_t i = 0;

	for (struct xml_node *n = xml_get(s->tree, "Incident"); n != NULL && i < s->nrefused;
	    n = xml_more(n)) {
		if (s->refused[i]->node != place_of(n)->node)
			continue;
		n->mark = XML_DROPPED;
		i++;
	}
}

static int
check_root(struct source *s, const json *root, struct err *e)
{
	const json *v = json_get(root, "version");
	struct slice version = json_is_number(v) ? json_number_text(s->reader.mem, v) : json_slice(v);
	struct iodef_json_place top = { NULL, NULL, 0, root };

	if (!json_is_object(root))
		return err_set(e, ERR_UNSUPPORTED, "JSON-IODEF is an object");
	if (version.n == 0)
		on_remark(&s->reader, &top, "MISSING_MEMBER", "version is missing: read as 2.0", false);
	else if (!slice_is(version, "2.0") && !slice_is(version, "2.00") && !slice_is(version, "2"))
		return err_set(e, ERR_UNSUPPORTED, "version \"%.16s\" is unknown",
		    arena_str(s->reader.mem, version));
	if (json_first(json_get(root, "Incident")) == NULL)
		return err_set(e, ERR_MISSING, "the document holds no Incident");
	return 0;
}

static int
read_root(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct json_limits lim = { .depth = job->limits.depth > 0 ? job->limits.depth : DEPTH_MAX,
	    .nodes = job->limits.objects > 0 ? job->limits.objects * NODES_PER_OBJECT : NODES_MAX,
	    .bytes = job->limits.bytes };
	struct source s = { .base = { origin_place, origin_print, origin_account, false },
	    .reader = { .mem = mem, .remark = on_remark }, .job = job, .adv = adv };
	struct xml_node *doc;
	struct json_doc text;

	if (json_parse(job->in, &lim, mem, &text, e) < 0 || check_root(&s, text.root, e) < 0)
		return -1;
	if (job->loss != NULL)
		s.reader.ledger = ledger_new(mem);
	s.root = text.root;
	s.tree = iodef_json_document(&s.reader, text.root);
	drop_refused(&s);
	doc = iodef_carry(&from_json, mem, s.tree);
	iodef_json_join(doc);
	xml_declare(mem, doc, "", IODEF2_NS);
	return iodef2_read_tree(job, mem, doc, &s.base, adv, e);
}

static int
iodef_json_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct err why = ERR_INIT;

	if (read_root(job, mem, adv, &why) == 0)
		return 0;
	err_input(&why, job->input);
	if (e != NULL)
		*e = why;
	return -1;
}

static int
iodef_json_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct xml_node *doc;

	if (iodef2_write_tree(job, mem, &doc, e) < 0)
		return -1;
	iodef_json_split(mem, doc);
	json_print(out, iodef_json_value(mem, iodef_carry(&to_json, mem, doc)));
	strbuf_addc(out, '\n');
	return 0;
}

/* There is no mark but the names that IODEF gives to what it is about. Its ids may be those of a bundle. */
static int
sniff_iodef_json(struct slice head)
{
	struct slice s = slice_trim(head);

	if (s.n == 0 || s.p[0] != '{' || !format_head_has(s, "\"Incident\""))
		return 0;
	if (format_head_has(s, "\"IncidentID\""))
		return 97;
	return format_head_has(s, "\"spec_version\"") ? 0 : 60;
}

const struct format_ops format_iodef_json = {
	.name = "iodef-json",
	.media_type = "application/json",
	.file_ending = ".json",
	.sniff = sniff_iodef_json,
	.read = iodef_json_read,
	.write = iodef_json_write,
};
