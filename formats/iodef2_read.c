/* iodef2_read.c -- the reader of IODEF v2: document, Incidents, report and incident objects. */
#include <string.h>

#include "formats/iodef2_read.h"
#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/siphash.h"

enum { DEFINITIONS = 8 };	/* objects that every node ships, beside those of the document */

/* Elements without any namespace are taken for IODEF (real tools and RFC examples forget it). */
static void
adopt_namespace(struct xml_node *n)
{
	if (!xml_is_text(n) && n->ns.n == 0)
		n->ns = SLICE_LIT(IODEF2_NS);
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		adopt_namespace(k);
}

/* Version: 2.00; prose says 2.0; anything else is not ours. */
static int
check_version(struct ir *r, struct err *e)
{
	struct slice v = ir_attr(r->doc, "version");

	if (slice_is(v, "2.00"))
		return 0;
	if (v.n == 0) {
		ir_warn(r, r->doc, "MISSING_ATTRIBUTE", "version is missing: read as 2.00");
		return 0;
	}
	if (slice_is(v, "2.0") || slice_is(v, "2")) {
		ir_warn(r, r->doc, "UNKNOWN_WORD", "version %.8s: read as 2.00", v.p);
		return 0;
	}
	return err_at(e, ERR_UNSUPPORTED, xml_pos(r->doc), "IODEF-Document version \"%.16s\" is unknown",
	    v.p);
}

/* See iodef2_read.h. */
int
ir_open(struct ir *r, struct slice in, struct err *e)
{
	struct xml_limits lim = { .bytes = r->job->limits.bytes, .depth = r->job->limits.depth };

	if (r->job->limits.objects > 0)
		lim.elements = r->job->limits.objects * 50;
	if ((r->job->piece != NULL ? ir_piece_parse(r, in, &lim, e) :
	    xml_parse(in, &lim, r->xml != NULL ? r->xml : r->mem, &r->doc, e)) < 0)
		return -1;
	return ir_open_tree(r, e);
}

/* See that r->doc is IODEF v2. */
int
ir_open_tree(struct ir *r, struct err *e)
{
	r->model = &iodef2_model;
	if (!slice_is(r->doc->name, "IODEF-Document"))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(r->doc),
		    "the root element is %.60s, not IODEF-Document", r->doc->name.p);
	if (slice_is(r->doc->ns, IODEF1_NS))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(r->doc), "this is IODEF v1: format iodef1");
	if (r->doc->ns.n == 0) {
		ir_warn(r, r->doc, "NO_NAMESPACE", "no namespace: read as IODEF v2");
		adopt_namespace(r->doc);
	}
	if (!slice_is(r->doc->ns, IODEF2_NS))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(r->doc), "namespace %.80s is not IODEF v2",
		    r->doc->ns.p);
	if (check_version(r, e) < 0)
		return -1;
	if (xml_get(r->doc, "Incident") == NULL && r->origin == NULL)
		return err_at(e, ERR_MISSING, xml_pos(r->doc), "the document holds no Incident");
	r->lang = ir_attr(r->doc, "xml:lang");
	ir_collect_ids(r);
	return 0;
}

/* IncidentID, times and language: what everything in an Incident is made with. */
static int
read_head(struct ir *r, struct ir_incident *inc, struct err *e)
{
	struct xml_node *id = xml_get(inc->node, "IncidentID");
	struct xml_attr *lang = xml_attr(inc->node, "xml:lang");

	inc->name = ir_attr(id, "name");
	inc->instance = ir_attr(id, "instance");
	inc->text = ir_line(r, id);
	inc->lang = lang != NULL ? ir_attr(inc->node, "xml:lang") : r->lang;
	if (inc->lang.n < 2 || inc->lang.n > 35)
		inc->lang = SLICE_EMPTY;
	inc->generated = ir_millis(r, ir_time(r, inc->node, "GenerationTime"));
	if (inc->generated.n == 0) {
		ir_place(r, inc->node, e);
		return err_at(e, ERR_MISSING, e->at, "GenerationTime is missing");
	}
	inc->default_start = ir_time(r, inc->node, "StartTime");
	if (inc->default_start.n == 0)
		inc->default_start = ir_time(r, inc->node, "DetectTime");
	if (inc->default_start.n == 0)
		inc->default_start = inc->generated;
	if (slice_starts(inc->text, "report--") &&
	    uuid_is_valid(slice_from(inc->text.p + 8, inc->text.n - 8)))
		inc->uuid = slice_from(inc->text.p + 8, inc->text.n - 8);
	else
		inc->uuid = IR_UUID(r, "incident", inc->name, inc->text, inc->instance);
	return 0;
}

/* The first creator Contact becomes created_by_ref of everything. */
static void
read_creator(struct ir *r, struct ir_incident *inc)
{
	/* stands in until the report, which names the creator, is there */
	inc->owner = arena_alloc(r->mem, sizeof(*inc->owner));
	inc->owner->label = ir_label_here(r, inc->node);
	for (struct xml_node *c = xml_get(inc->node, "Contact"); c != NULL; c = xml_more(c)) {
		if (slice_is(slice_trim(xml_value(c, "role")), "creator") && c->mark != XML_DROPPED) {
			inc->creator = ir_contact(r, inc, c);
			return;
		}
	}
}

/* A purpose other than watch is a case; so is a watch list that lists nothing. */
static bool
needs_incident(const struct ir_incident *inc)
{
	return !slice_is(slice_trim(xml_value(inc->node, "purpose")), "watch");
}

static struct ir_obj *
make_container(struct ir *r, struct ir_incident *inc, const char *type)
{
	struct ir_obj *ob = ir_new(r, inc, type, inc->uuid, inc->node, NULL);

	ob->label = ir_label_here(r, inc->node);
	if (xml_attr(xml_get(inc->node, "IncidentID"), "restriction") != NULL)
		ob->label = ir_strictest(ob->label,
		    ir_label_here(r, xml_get(inc->node, "IncidentID")));
	ir_describe(r, inc, ob, inc->node,
	    slice_of(arena_fmt(r->mem, "%s/%s", inc->name.p, inc->text.p)));
	sdo_reference(r->mem, ob->tree, arena_fmt(r->mem, "iodef:%s", inc->name.p), inc->text, SLICE_EMPTY,
	    inc->instance);
	return ob;
}

/* purpose and status become labels of both. */
static void
read_words(struct ir *r, struct ir_incident *inc)
{
	static const char *const names[] = { "purpose", "status" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct slice word = ir_word(inc->node, names[i]);
		struct slice label = slice_of(arena_fmt(r->mem, "iodef-%s:%s", names[i], word.p));

		if (word.n == 0)
			continue;
		sdo_list_add(r->mem, inc->report->tree, "labels", label);
		if (inc->incident != NULL)
			sdo_list_add(r->mem, inc->incident->tree, "labels", label);
	}
	ir_attr(inc->node, "restriction");
	ir_attr(inc->node, "ext-restriction");
}

static void
alternative_ids(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	for (struct xml_node *id = xml_get(n, "IncidentID"); id != NULL; id = xml_more(id)) {
		struct slice name = ir_attr(id, "name"), instance = ir_attr(id, "instance");

		sdo_reference(r->mem, ir_sink(inc, false)->tree, arena_fmt(r->mem, "iodef:%s", name.p),
		    ir_line(r, id), SLICE_EMPTY, instance);
	}
}

/* The children of an Incident, each kind by its own reader. */
static void
read_children(struct ir *r, struct ir_incident *inc)
{
	static const struct {
		const char	*name;
		void		(*read)(struct ir *, struct ir_incident *, struct xml_node *);
	} rows[] = {
		{ "AlternativeID", alternative_ids },
		{ "RelatedActivity", ir_related },
		{ "History", ir_history },
	};
	size_t event = 0;

	ir_contacts(r, inc, inc->node);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (struct xml_node *n = xml_get(inc->node, rows[i].name); n != NULL; n = xml_more(n)) {
			if (n->mark != XML_DROPPED)
				ir_part(r, inc, n, rows[i].read);
		}
	}
	ir_context(r, inc, inc->node);
	for (struct xml_node *n = xml_get(inc->node, "EventData"); n != NULL; n = xml_more(n)) {
		event++;
		if (n->mark != XML_DROPPED)
			ir_event(r, inc, n, slice_of(arena_fmt(r->mem, "%zu", event)));
	}
	ir_indicators(r, inc, xml_get(inc->node, "IndicatorData"));
	for (struct xml_node *n = xml_get(inc->node, "AdditionalData"); n != NULL; n = xml_more(n)) {
		if (!slice_starts(xml_value(n, "name"), "stix-"))
			ir_part(r, inc, n, NULL);
	}
}

/* Victims: targets of the only campaign or actor, else related to the incident. */
static void
relate_victims(struct ir *r, struct ir_incident *inc)
{
	struct ir_obj *by = inc->ncampaigns == 1 ? inc->campaigns[0] :
	    inc->ncampaigns == 0 && inc->nactors == 1 ? inc->actors[0] : NULL;

	for (size_t i = 0; i < inc->nvictims; i++) {
		if (by != NULL)
			ir_relate(r, inc, by, "targets", inc->victims[i]);
		else if (inc->incident != NULL)
			ir_relate(r, inc, inc->incident, "related-to", inc->victims[i]);
	}
}

static void
relate_incident(struct ir *r, struct ir_incident *inc, struct ir_obj **v, size_t n)
{
	for (size_t i = 0; inc->incident != NULL && i < n; i++)
		ir_relate(r, inc, inc->incident, "related-to", v[i]);
}

/* report.object_refs: everything in this Incident but the creator, SCOs within observed-data, and
 * language-content, which may not be there. */
static void
fill_report(struct ir *r, struct ir_incident *inc)
{
	struct slice published = ir_time(r, inc->node, "ReportTime");
	json *refs = json_list(r->mem), *tree = inc->report->tree;
	bool threats = inc->nactors + inc->ncampaigns > 0;

	json_put_str(r->mem, tree, "published", published.n > 0 ? published : inc->generated);
	sdo_list_add(r->mem, tree, "report_types", inc->incident == NULL ? SLICE_LIT("indicator") :
	    threats ? SLICE_LIT("threat-report") : SLICE_LIT("observed-data"));
	for (size_t i = 0; i < inc->n; i++) {
		struct ir_obj *ob = inc->objs[i];

		if (ob == inc->report || ob == inc->creator || ob->sco ||
		    slice_is(json_member(ob->tree, "type"), "language-content"))
			continue;
		json_push(refs, json_string(r->mem, ob->id));
	}
	if (json_first(refs) == NULL)
		json_push(refs, json_string(r->mem, inc->creator->id));
	json_put(r->mem, tree, "object_refs", refs);
}

/* One Incident into inc->objs. */
static int
derive_incident(struct ir *r, struct ir_incident *inc, struct err *e)
{
	if (read_head(r, inc, e) < 0)
		return -1;
	read_creator(r, inc);
	inc->report = make_container(r, inc, "report");
	ir_unit(inc->report, inc->node);
	inc->owner = inc->report;
	if (needs_incident(inc) || inc->creator == NULL)
		inc->incident = make_container(r, inc, "incident");
	read_words(r, inc);
	read_children(r, inc);
	for (size_t i = 0; i < inc->nactors; i++) {
		for (size_t k = 0; k < inc->ncampaigns && !ir_is_full(r); k++) {
			struct ir_obj *rel = ir_relate(r, inc, inc->campaigns[k], "attributed-to",
			    inc->actors[i]);

			if (inc->relation_confidence.n > 0)
				json_put(r->mem, rel->tree, "confidence",
				    json_raw(r->mem, inc->relation_confidence));
		}
	}
	relate_incident(r, inc, inc->actors, inc->nactors);
	relate_incident(r, inc, inc->campaigns, inc->ncampaigns);
	relate_incident(r, inc, inc->vulns, inc->nvulns);
	relate_victims(r, inc);
	fill_report(r, inc);
	if (ir_is_full(r)) {
		ir_place(r, inc->node, e);
		return err_at(e, ERR_LIMIT, e->at, "the document gives too many objects");
	}
	return 0;
}

/* See iodef2_read.h. */
void
ir_derive(struct ir *r)
{
	for (struct xml_node *n = xml_get(r->doc, "Incident"); n != NULL; n = xml_more(n)) {
		struct ir_incident *inc = arena_alloc(r->mem, sizeof(*inc));
		struct err e = ERR_INIT;

		inc->node = n;
		if (ir_check(r, n, &e) < 0 || derive_incident(r, inc, &e) < 0) {
			ir_refuse(r, n, "INVALID", &e);
			xml_mark_all(n, XML_DROPPED);
			continue;
		}
		r->incidents = arena_grow(r->mem, r->incidents, r->nincidents, &r->incidents_cap,
		    sizeof(struct ir_incident *));
		r->incidents[r->nincidents++] = inc;
	}
}

/* The same version of an object may come from two Incidents (a creator, a CVE): one is enough. What both
 * say alike is as free as the laxer one says; but one that holds XML of its own, or says something else,
 * is as strict as the stricter. */
static void
join(struct ir *r, struct ir_obj *first, struct ir_obj *ob)
{
	bool same = json_equal(first->tree, ob->tree);

	ob->twin = first;
	if (same && !first->holds && !ob->holds) {
		if (ir_stricter(first->label, ob->label))
			first->label = ob->label;
		return;
	}
	first->label = ir_strictest(first->label, ob->label);
	first->holds |= ob->holds;
	if (!same && ob->from != NULL)
		ir_warn(r, ob->from, "SAME_ID", "two objects %s in one version: the first is kept",
		    ob->id.p);
}

/* All objects of all Incidents, by id; equal ones are joined. */
static void
join_objects(struct ir *r)
{
	struct idmap ids = { 0 };
	struct ir_obj **all = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < r->nincidents; i++) {
		for (size_t k = 0; k < r->incidents[i]->n; k++) {
			all = arena_grow(r->mem, all, n, &cap, sizeof(struct ir_obj *));
			idmap_add(&ids, r->mem, r->incidents[i]->objs[k]->id, n);
			all[n++] = r->incidents[i]->objs[k];
		}
	}
	idmap_sort(&ids);
	for (size_t i = 0, from = 0; all != NULL && i < ids.n; i++) {
		struct ir_obj *ob = all[ids.v[i].value];

		if (!slice_eq(ids.v[i].id, ids.v[from].id))
			from = i;
		for (size_t k = from; k < i && ob->twin == NULL; k++) {
			struct ir_obj *first = all[ids.v[k].value];

			if (first->twin == NULL && slice_eq(json_member(first->tree, "modified"),
			    json_member(ob->tree, "modified")))
				join(r, first, ob);
		}
	}
}

/* Labels go into the trees when all Incidents had their say, before the residue hashes them. */
static void
write_labels(struct ir *r)
{
	for (size_t i = 0; i < r->nincidents; i++) {
		for (size_t k = 0; k < r->incidents[i]->n; k++) {
			struct ir_obj *ob = r->incidents[i]->objs[k];
			json *list;

			if (ob->twin != NULL || ob->label.tlp == TLP_UNSET)
				continue;
			list = json_put(r->mem, ob->tree, "object_marking_refs", json_list(r->mem));
			json_push(list, json_string(r->mem, slice_of(tlp_marking_id(ob->label.tlp))));
		}
	}
}

static int
mint_one(struct ir *r, struct ir_obj *ob, struct err *e)
{
	struct object *o;

	if (advisory_add_marking(r->adv, r->mem, ob->label.tlp) < 0 ||
	    (ob->residue != NULL && advisory_add_extension(r->adv, r->mem, EXTENSION_IODEF) < 0) ||
	    (r->question == NULL && advisory_mint(r->adv, r->mem, ob->tree, e) < 0)) {
		err_context(e, "%s", ob->id.p);
		return -1;
	}
	if (r->question != NULL) {
		r->question->each(r->question->arg, ob->tree);
		return 0;
	}
	o = &r->adv->objects[r->adv->n - 1];
	if (ob->label.label == LABEL_IODEF_ABSENT || ob->label.label == LABEL_UNREADABLE)
		o->label = ob->label.label;
	return 0;
}

/* An object is at least as strict as everything in the XML that it will hold. */
static void
raise_holders(struct ir *r, struct xml_node *n, struct ir_obj *holder)
{
	for (struct ir_tag *t = n->user; t != NULL; t = t->next) {
		if (t->unit)
			holder = t->ob;
	}
	if (slice_is(n->ns, IODEF2_NS) && xml_attr(n, "restriction") != NULL)
		holder->label = ir_strictest(holder->label, ir_label_here(r, n));
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (k->mark != XML_DROPPED)
			raise_holders(r, k, holder);
	}
}

/* The first report carries the AdditionalData of the document: it is as strict as they are. */
static void
raise_first_report(struct ir *r)
{
	for (struct xml_node *n = xml_get(r->doc, "AdditionalData"); n != NULL && r->nincidents > 0;
	    n = xml_more(n)) {
		struct ir_obj *report = r->incidents[0]->report;

		if (xml_attr(n, "restriction") != NULL)
			report->label = ir_strictest(report->label, ir_label_here(r, n));
	}
}

/* See iodef2_read.h. */
void
ir_settle_labels(struct ir *r)
{
	for (size_t i = 0; i < r->nincidents; i++)
		raise_holders(r, r->incidents[i]->node, r->incidents[i]->report);
	raise_first_report(r);
}

/* All that is needed of the tree is in the objects now, and these need the memory. */
static void
forget_tree(struct ir *r)
{
	size_t n = 0;

	arena_free(r->xml);
	r->xml = NULL;
	for (size_t i = 0; i < r->nincidents; i++)
		n += r->incidents[i]->n;
	if (r->question == NULL)
		advisory_reserve(r->adv, r->mem, n + DEFINITIONS);
}

/* See iodef2_read.h. */
int
ir_mint(struct ir *r, struct err *e)
{
	ir_settle_labels(r);
	join_objects(r);
	if (r->job->piece != NULL)
		ir_piece_join(r);
	write_labels(r);
	for (size_t i = 0; i < r->nincidents; i++)
		ir_keep(r, r->incidents[i]);
	if (ir_piece_is_first(r))
		ir_keep_document(r);
	forget_tree(r);
	for (size_t i = 0; i < r->nincidents; i++) {
		for (size_t k = 0; k < r->incidents[i]->n; k++) {
			struct ir_obj *ob = r->incidents[i]->objs[k];

			if (ob->twin == NULL && !ob->elsewhere && mint_one(r, ob, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* bundle--UUIDv5 over the digest of the input: the same document, the same bundle. */
static void
name_advisory(struct ir *r)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	format_digest(r->job, digest);
	memcpy(&r->seed, digest, sizeof(r->seed));
	hex_text(digest, SHA256_LEN, hex);
	r->adv->id = ir_id(r, "bundle", IR_UUID(r, "document", slice_of(hex)));
}

/* See iodef2_read.h. */
struct slice
ir_document_id(const struct read_job *job, struct arena *mem)
{
	struct advisory adv = { .n = 0 };
	struct ir r = { .job = job, .mem = mem, .adv = &adv };

	name_advisory(&r);
	return adv.id;
}

/* The tree lives as long as the objects. */
static void
keep_tree(struct ir *r)
{
	if (r->xml != NULL)
		arena_join(r->mem, r->xml);
	r->xml = NULL;
}

/* The whole way from the tree to objects. */
static int
read_document(struct ir *r, struct err *e)
{
	if (r->question == NULL)
		name_advisory(r);
	if (r->job->piece != NULL) {
		ir_piece_begin(r);
	} else if (ir_has_originals(r)) {
		keep_tree(r);		/* originals are slices of their elements */
		return ir_restore(r, e);
	}
	ir_derive(r);
	ir_account(r);
	if (ir_mint(r, e) < 0)
		return -1;
	if (r->job->piece != NULL)
		ir_piece_end(r);
	advisory_settle(r->adv, r->mem);
	return 0;
}

/* See format.h. */
int
iodef2_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct ir r = { .job = job, .mem = mem, .adv = adv, .xml = arena_new() };
	struct err why = ERR_INIT;
	int rc = ir_open(&r, job->in, &why) < 0 || read_document(&r, &why) < 0 ? -1 : 0;

	keep_tree(&r);
	if (rc == 0)
		return 0;
	err_input(&why, job->input);
	if (e != NULL)
		*e = why;
	return -1;
}

/* See iodef2.h. */
int
iodef2_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
    const struct iodef2_origin *origin, struct advisory *adv, struct err *e)
{
	struct ir r = { .job = job, .mem = mem, .adv = adv, .doc = doc, .origin = origin };
	struct err why = ERR_INIT;

	if (ir_open_tree(&r, &why) == 0 && read_document(&r, &why) == 0)
		return 0;
	err_input(&why, job->input);
	if (e != NULL)
		*e = why;
	return -1;
}

/* See iodef2.h. */
int
iodef2_derive(const struct read_job *job, struct arena *mem, struct xml_node *doc,
    const struct iodef2_question *q)
{
	struct advisory adv = { 0 };
	struct ir r = { .job = job, .mem = mem, .adv = &adv, .doc = doc, .question = q };

	r.seed = siphash_key_new().k0;
	if (ir_open_tree(&r, NULL) < 0 || read_document(&r, NULL) < 0)
		return -1;
	for (size_t i = 0; i < adv.n; i++)	/* definitions, and what came back whole */
		q->each(q->arg, adv.objects[i].tree);
	return 0;
}
