/* iodef2_read_indicator.c -- Indicators: what to look for, since when, how sure, and how bad. */
#include <string.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { PART_BYTES = PATTERN_BYTES - 16 * 1024, PART_TESTS = PATTERN_LITERALS / 2 };

/* What a NodeRole says about an indicator. */
static const struct { const char *role, *type; } roles[] = {
	{ "c2-server", "malicious-activity" }, { "malware-distribution", "malicious-activity" },
	{ "phishing-site", "malicious-activity" }, { "spear-phishing-site", "malicious-activity" },
	{ "drop-server", "malicious-activity" }, { "hop-point", "malicious-activity" },
	{ "reflector", "malicious-activity" }, { "recruiting-site", "malicious-activity" },
	{ "fraudulent-site", "malicious-activity" }, { "anonymization", "anonymization" },
	{ "sinkhole", "benign" }, { "honeypot", "benign" },
};

static void
read_roles(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "NodeRole"); k != NULL; k = xml_more(k)) {
		struct slice role = ir_word(k, "category");

		if (role.n == 0)
			continue;
		k->mark = XML_KEPT;
		for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
			if (slice_is(role, roles[i].role))
				sdo_list_add(r->mem, ob->tree, "indicator_types", slice_of(roles[i].type));
		}
		sdo_list_add(r->mem, ob->tree, "labels",
		    slice_of(arena_fmt(r->mem, "iodef-noderole:%s", role.p)));
	}
}

/* "chain:phase", or a phase of chain `iodef`. */
static void
read_phases(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	json *list = json_list(r->mem);

	for (struct xml_node *k = xml_get(n, "AttackPhase"); k != NULL; k = xml_more(k)) {
		for (struct xml_node *id = xml_get(k, "AttackPhaseID"); id != NULL; id = xml_more(id)) {
			struct slice text = ir_line(r, id), rest = text, chain = slice_cut(&rest, ':');
			bool named = chain.n > 0 && rest.n > 0;
			json *phase;

			if (text.n == 0)
				continue;
			k->mark = XML_KEPT;
			phase = json_push(list, json_object(r->mem));
			json_put_str(r->mem, phase, "kill_chain_name", named ? chain : SLICE_LIT("iodef"));
			json_put_str(r->mem, phase, "phase_name", named ? rest : text);
		}
	}
	if (json_first(list) != NULL)
		json_put(r->mem, ob->tree, "kill_chain_phases", list);
}

static void
read_references(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "Reference"); k != NULL; k = xml_more(k)) {
		struct xml_node *name = xml_get_ns(k, IODEF2_NS_ENUM, "ReferenceName");
		struct slice id = ir_line(r, xml_get_ns(name, IODEF2_NS_ENUM, "ID"));
		struct slice url = ir_child_line(r, k, "URL"), text = ir_child_line(r, k, "Description");

		k->mark = XML_KEPT;
		if (name != NULL) {
			name->mark = XML_KEPT;
			ir_attr(name, "specIndex");
		}
		sdo_reference(r->mem, ob->tree, slice_starts(id, "CVE-") ? "cve" : "iodef", id, url, text);
	}
	for (struct xml_node *k = xml_get(n, "AlternativeIndicatorID"); k != NULL; k = xml_more(k)) {
		for (struct xml_node *id = xml_get(k, "IndicatorID"); id != NULL; id = xml_more(id)) {
			struct slice version = ir_attr(id, "version");

			k->mark = XML_KEPT;
			sdo_reference(r->mem, ob->tree,
			    arena_fmt(r->mem, "iodef-indicator:%s", ir_attr(id, "name").p),
			    ir_line(r, id), SLICE_EMPTY, version.n == 0 ? SLICE_EMPTY :
			    slice_of(arena_fmt(r->mem, "version %s", version.p)));
		}
	}
}

/* AdditionalData of a known name: indicator_types as comma-separated words. */
static void
read_types(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "AdditionalData"); k != NULL; k = xml_more(k)) {
		struct slice rest = xml_text_line(k, r->mem);

		if (!slice_is(xml_value(k, "name"), "indicator_types") || xml_child(k) != NULL)
			continue;
		xml_mark_all(k, XML_KEPT);
		while (rest.n > 0)
			sdo_list_add(r->mem, ob->tree, "indicator_types",
			    arena_slice(r->mem, slice_trim(slice_cut(&rest, ','))));
	}
}

static void
read_validity(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n)
{
	struct slice from = ir_time(r, n, "StartTime"), until = ir_time(r, n, "EndTime");

	if (from.n == 0)
		from = inc->generated;
	json_put_str(r->mem, ob->tree, "valid_from", from);
	if (until.n == 0)
		return;
	if (ir_before(r, from, until)) {
		json_put_str(r->mem, ob->tree, "valid_until", until);
		return;
	}
	xml_mark_own(xml_get(n, "EndTime"), XML_UNSEEN);
	ir_warn(r, xml_get(n, "EndTime"), "TIME_ORDER", "EndTime is not later than StartTime: not used");
}

/* The IndicatorID as UUID: the text itself if it is an indicator's id. */
static struct slice
indicator_uuid(struct ir *r, struct ir_incident *inc, struct xml_node *id)
{
	struct slice text = ir_line(r, id), name = ir_attr(id, "name");

	if (slice_starts(text, "indicator--") &&
	    uuid_is_valid(slice_from(text.p + 11, text.n - 11)))
		return slice_from(text.p + 11, text.n - 11);
	return IR_UUID(r, "indicator", name.n > 0 ? name : inc->name, text);
}

static void
put_pattern(struct ir *r, struct ir_obj *ob, const struct ir_pattern *p)
{
	struct strbuf text = STRBUF_INIT;

	if (p->kind == IR_STIX) {
		pattern_print(&text, pattern_bracket(r->mem, p->node));
		json_put_str(r->mem, ob->tree, "pattern", strbuf_slice(&text));
		json_put_str(r->mem, ob->tree, "pattern_type", SLICE_LIT("stix"));
		json_put_str(r->mem, ob->tree, "pattern_version", SLICE_LIT("2.1"));
	} else {
		json_put_str(r->mem, ob->tree, "pattern", p->text);
		json_put_str(r->mem, ob->tree, "pattern_type", p->type);
		if (slice_is(p->type, "stix"))
			json_put_str(r->mem, ob->tree, "pattern_version", SLICE_LIT("2.1"));
	}
	strbuf_fini(&text);
}

/* The Contact that made the indicator, when it is not the Incident's. */
static void
read_author(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "Contact"); k != NULL; k = xml_more(k)) {
		if (slice_is(slice_trim(xml_value(k, "role")), "creator")) {
			struct ir_obj *author = ir_contact(r, inc, k);

			json_put_str(r->mem, ob->tree, "created_by_ref", author->id);
			return;
		}
	}
}

/* What an Indicator says, into ob. `which` tells parts of one Indicator apart; empty: it is the whole. */
static void
fill_indicator(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n,
    const struct ir_pattern *p, const char *which)
{
	struct xml_node *id = xml_get(n, "IndicatorID");
	struct slice version = ir_attr(id, "version");
	const char *label = version.n > 0 ? arena_fmt(r->mem, "version %s%s", version.p, which) : which;
	int confidence;

	ob->label = ir_strictest(ob->label, p->label);
	ir_describe(r, inc, ob, n, SLICE_EMPTY);
	put_pattern(r, ob, p);
	read_validity(r, inc, ob, n);
	if ((confidence = ir_confidence(r, xml_get(n, "Confidence"))) >= 0)
		json_put_int(r->mem, ob->tree, "confidence", confidence);
	read_types(r, ob, n);
	read_roles(r, ob, n);
	read_phases(r, ob, n);
	sdo_reference(r->mem, ob->tree, arena_fmt(r->mem, "iodef-indicator:%s", xml_value(id, "name").p),
	    ir_line(r, id), SLICE_EMPTY, slice_of(label));
	read_references(r, ob, n);
	read_author(r, inc, ob, n);
}

static size_t
printed(struct pat_node *p)
{
	struct strbuf b = STRBUF_INIT;
	size_t n;

	pattern_print(&b, p);
	n = b.n;
	strbuf_fini(&b);
	return n;
}

/* How many alternatives from `from` on fit into one pattern. */
static size_t
fitting(const struct pat_node *all, size_t from)
{
	size_t n = 0, bytes = 0;

	while (from + n < all->nkids) {
		bytes += printed(all->kids[from + n]) + sizeof(" OR ");
		if (n > 0 && (bytes > PART_BYTES || n >= PART_TESTS))
			break;
		n++;
	}
	return n;
}

/* A list so long that no pattern holds it becomes several indicators: the first is the Indicator, and holds
 * its XML; the others are told apart by number. */
static void
split_indicator(struct ir *r, struct ir_incident *inc, struct ir_obj *first, struct xml_node *n,
    const struct ir_pattern *p)
{
	struct slice name = slice_trim(xml_value(xml_get(n, "IndicatorID"), "name"));
	struct slice text = xml_text_line(xml_get(n, "IndicatorID"), r->mem);
	struct ir_pattern part = *p;
	size_t count = 0;

	for (size_t from = 0, k; from < p->node->nkids; from += k) {
		const char *nth = arena_fmt(r->mem, "part %zu", ++count);
		struct ir_obj *ob = first;
		bool old = false;

		k = fitting(p->node, from);
		part.node = pattern_join(r->mem, false, p->node->kids + from, k);
		if (count > 1)
			ob = ir_new(r, inc, "indicator", IR_UUID(r, "indicator",
			    name.n > 0 ? name : inc->name, text, slice_of(nth)), n, &old);
		if (!old)
			fill_indicator(r, inc, ob, n, &part, arena_fmt(r->mem, ", %s", nth));
	}
	ir_warn(r, n, "SPLIT", "a list too long for one pattern: %zu indicators", count);
}

static void
read_indicator(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	struct xml_node *id = xml_get(n, "IndicatorID");
	struct ir_obj *ob, *owner = inc->owner;
	struct ir_pattern p;
	bool old;

	ir_pattern(r, n, &p);
	if (p.kind == IR_NONE) {
		ir_warn(r, n, "NO_PATTERN", "this Indicator cannot become a pattern: kept as it is");
		xml_mark_all(n, XML_UNSEEN);
		ir_part(r, inc, n, NULL);
		return;
	}
	ob = ir_new(r, inc, "indicator", indicator_uuid(r, inc, id), n, &old);
	ir_unit(ob, n);
	if (old) {
		ir_warn(r, n, "SAME_ID",
		    "the second Indicator of one id in one Incident is kept as XML only");
		xml_mark_all(n, XML_UNSEEN);
		return;
	}
	inc->owner = ob;
	n->mark = XML_KEPT;
	ir_attr(n, "restriction");
	if (p.kind == IR_STIX && (p.node->kind == PAT_OR || p.node->kind == PAT_OBS_OR) &&
	    printed(p.node) > PART_BYTES)
		split_indicator(r, inc, ob, n, &p);
	else
		fill_indicator(r, inc, ob, n, &p, "");
	inc->owner = owner;
}

/* See iodef2_read.h. */
void
ir_indicators(struct ir *r, struct ir_incident *inc, struct xml_node *data)
{
	if (data == NULL)
		return;
	data->mark = XML_KEPT;
	for (struct xml_node *n = xml_get(data, "Indicator"); n != NULL; n = xml_more(n)) {
		if (n->mark != XML_DROPPED)
			read_indicator(r, inc, n);
	}
}
