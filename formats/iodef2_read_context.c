/* iodef2_read_context.c -- contacts, related activity, methods, assessments, actions and history. */
#include <stdlib.h>
#include <string.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { REFERENCES_MAX = 4096 };	/* weaknesses times vulnerabilities of one Method */

struct ir_obj *
ir_sink(struct ir_incident *inc, bool incident)
{
	if (inc->owner != inc->report && ir_stricter(inc->owner->label, inc->report->label))
		return inc->owner;
	return incident && inc->incident != NULL ? inc->incident : inc->report;
}

/* A note that holds an element which has no object of its own but a label of its own. */
static struct ir_obj *
make_part(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct ir_label label)
{
	struct slice text = xml_text_line(xml_get(n, "Description"), r->mem);
	struct slice nth = slice_of(arena_fmt(r->mem, "%zu", ++inc->nparts));
	struct ir_obj *ob = ir_new(r, inc, "note", IR_UUID(r, "part", inc->report->id, nth), n, NULL);
	json *refs = json_list(r->mem);

	ob->label = label;
	json_put_str(r->mem, ob->tree, "abstract",
	    slice_of(arena_fmt(r->mem, "iodef-part:%s", n->name.p)));
	json_put_str(r->mem, ob->tree, "content", text.n > 0 ? text : n->name);
	json_push(refs, json_string(r->mem, inc->report->id));
	json_put(r->mem, ob->tree, "object_refs", refs);
	ir_unit(ob, n);
	return ob;
}

/* Elements whose stricter children become objects of their own. */
static bool
holds_objects(const struct xml_node *n)
{
	static const char *const names[] = { "RelatedActivity", "History", "Discovery", "EventData" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_is(n->name, names[i]))
			return true;
	}
	return false;
}

void
ir_part(struct ir *r, struct ir_incident *inc, struct xml_node *n,
    void (*read)(struct ir *, struct ir_incident *, struct xml_node *))
{
	struct ir_obj *owner = inc->owner;
	struct ir_label label = holds_objects(n) ? ir_label_here(r, n) : ir_label_within(r, n);

	if (ir_stricter(label, owner->label))
		inc->owner = make_part(r, inc, n, label);
	if (inc->owner != owner || xml_attr(n, "restriction") != NULL) {
		ir_attr(n, "restriction");
		ir_attr(n, "ext-restriction");
	}
	if (read != NULL)
		read(r, inc, n);
	inc->owner = owner;
}

static void
add_object_to(struct ir *r, unsigned role, struct ir_obj ***v, size_t *n, size_t *cap,
    struct ir_obj *ob)
{
	if (ob->roles & role)
		return;
	ob->roles |= role;
	*v = arena_grow(r->mem, *v, *n, cap, sizeof(struct ir_obj *));
	(*v)[(*n)++] = ob;
}

/* Contacts. */

/* "email: a@b" and "phone: 1" lines. */
static void
contact_information(struct ir *r, struct ir_obj *ob, struct xml_node *n)
{
	static const struct { const char *outer, *inner, *word; } rows[] = {
		{ "Email", "EmailTo", "email" }, { "Telephone", "TelephoneNumber", "phone" },
	};
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (struct xml_node *k = xml_get(n, rows[i].outer); k != NULL; k = xml_more(k)) {
			struct slice value = ir_child_line(r, k, rows[i].inner);

			if (value.n == 0)
				continue;
			k->mark = XML_KEPT;
			strbuf_addf(&text, "%s%s: %.*s", text.n > 0 ? "\n" : "", rows[i].word,
			    SLICE_ARG(value));
		}
	}
	if (text.n > 0)
		json_put_str(r->mem, ob->tree, "contact_information", strbuf_slice(&text));
	strbuf_fini(&text);
}

static const char *
identity_class(struct slice type)
{
	if (slice_is(type, "person"))
		return "individual";
	return slice_is(type, "organization") ? "organization" : "unknown";
}

/* "street$code city$area$BE": a location, if the last line is a country's code, which STIX wants. */
static void
read_address(struct ir *r, struct ir_incident *inc, struct ir_obj *who, struct xml_node *n)
{
	struct xml_node *text = xml_get(n, "PAddress");
	struct slice all = xml_text_line(text, r->mem), country;
	const char *last = all.n == 0 ? NULL : memrchr(all.p, '$', all.n);
	struct strbuf street = STRBUF_INIT;
	struct ir_obj *ob;
	bool old;

	if (last == NULL)
		return;
	country = slice_trim(slice_from(last + 1, (size_t)(all.p + all.n - last) - 1));
	if (country.n != 2 || country.p[0] < 'A' || country.p[0] > 'Z' || country.p[1] < 'A' ||
	    country.p[1] > 'Z')
		return;
	ob = ir_new(r, inc, "location", IR_UUID(r, "location", inc->name, all), n, &old);
	n->mark = XML_KEPT;
	xml_mark_own(text, XML_APPROXIMATED);
	if (!old) {
		for (const char *c = all.p; c < last; c++)
			strbuf_adds(&street, *c == '$' ? ", " : (char[]){ *c, '\0' });
		json_put_str(r->mem, ob->tree, "country", arena_slice(r->mem, country));
		if (street.n > 0)
			json_put_str(r->mem, ob->tree, "street_address", strbuf_slice(&street));
	}
	ir_relate(r, inc, who, "located-at", ob);
	strbuf_fini(&street);
}

static struct ir_obj *
read_contact(struct ir *r, struct ir_incident *inc, struct xml_node *n, unsigned depth)
{
	struct slice type = ir_attr(n, "type"), role = ir_word(n, "role");
	struct slice name = ir_child_line(r, n, "ContactName");
	struct slice email = xml_text_line(xml_get(xml_get(n, "Email"), "EmailTo"), r->mem);
	struct ir_obj *ob, *owner;
	bool old;

	ob = ir_new(r, inc, "identity", IR_UUID(r, "contact", inc->name, type, name, email), n, &old);
	owner = ir_enter(r, inc, ob, n);
	n->mark = XML_KEPT;
	sdo_list_add(r->mem, ob->tree, "roles", role);
	if (!old) {
		struct xml_node *first = xml_get(n, "Description");

		json_put_str(r->mem, ob->tree, "name", name.n > 0 ? name : email.n > 0 ? email :
		    first != NULL ? ir_cut(r, xml_text_line(first, r->mem), 120) :
		    SLICE_LIT("unnamed contact"));
		json_put_str(r->mem, ob->tree, "identity_class", slice_of(identity_class(type)));
		ir_describe(r, inc, ob, n, SLICE_EMPTY);
		contact_information(r, ob, n);
	}
	for (struct xml_node *k = xml_get(n, "PostalAddress"); k != NULL; k = xml_more(k))
		read_address(r, inc, ob, k);
	for (struct xml_node *k = xml_get(n, "Contact"); k != NULL && depth < 32; k = xml_more(k)) {
		struct ir_obj *child = read_contact(r, inc, k, depth + 1);

		if (child != ob)
			ir_relate(r, inc, child, "related-to", ob);
	}
	if (slice_is(role, "victim"))
		add_object_to(r, IR_VICTIM, &inc->victims, &inc->nvictims, &inc->victims_cap, ob);
	inc->owner = owner;
	return ob;
}

struct ir_obj *
ir_contact(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	return read_contact(r, inc, n, 0);
}

void
ir_contacts(struct ir *r, struct ir_incident *inc, struct xml_node *parent)
{
	for (struct xml_node *n = xml_get(parent, "Contact"); n != NULL; n = xml_more(n)) {
		if (n->mark != XML_KEPT)	/* the creator was read before all */
			ir_contact(r, inc, n);
	}
}

/* Related activity. */

/* threat-actor or campaign: the first id is the name, the others are aliases. */
static struct ir_obj *
read_party(struct ir *r, struct ir_incident *inc, struct xml_node *n, const char *type,
    const char *kind, const char *id_name)
{
	struct slice name = ir_child_line(r, n, id_name), key = name;
	struct ir_obj *ob, *owner;
	bool old;

	if (key.n == 0)
		key = xml_text_line(xml_get(n, "Description"), r->mem);
	if (key.n == 0)
		key = xml_text_line(xml_get(n, "URL"), r->mem);
	if (key.n == 0)
		return NULL;
	ob = ir_new(r, inc, type, IR_UUID(r, kind, inc->name, key), n, &old);
	owner = ir_enter(r, inc, ob, n);
	n->mark = XML_KEPT;
	ir_attr(n, "restriction");
	if (!old) {
		json_put_str(r->mem, ob->tree, "name", ir_cut(r, key, 120));
		ir_describe(r, inc, ob, n, SLICE_EMPTY);
	}
	for (struct xml_node *k = xml_more(xml_get(n, id_name)); k != NULL; k = xml_more(k)) {
		struct slice alias = ir_line(r, k);

		if (!slice_eq(alias, name))
			sdo_list_add(r->mem, ob->tree, "aliases", alias);
	}
	for (struct xml_node *k = xml_get(n, "URL"); k != NULL; k = xml_more(k))
		sdo_reference(r->mem, ob->tree, "iodef", SLICE_EMPTY, ir_line(r, k), SLICE_EMPTY);
	inc->owner = owner;
	return ob;
}

/* IncidentID, URL and IndicatorID of a RelatedActivity: references, since what they name is not here. */
static void
related_references(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	json *tree = ir_sink(inc, false)->tree;

	for (struct xml_node *k = xml_get(n, "IncidentID"); k != NULL; k = xml_more(k))
		sdo_reference(r->mem, tree, arena_fmt(r->mem, "iodef:%s", ir_attr(k, "name").p),
		    ir_line(r, k), SLICE_EMPTY, SLICE_LIT("related"));
	for (struct xml_node *k = xml_get(n, "URL"); k != NULL; k = xml_more(k))
		sdo_reference(r->mem, tree, "iodef", SLICE_EMPTY, ir_line(r, k), SLICE_LIT("related"));
	for (struct xml_node *k = xml_get(n, "IndicatorID"); k != NULL; k = xml_more(k)) {
		struct slice version = ir_attr(k, "version");

		sdo_reference(r->mem, tree, arena_fmt(r->mem, "iodef-indicator:%s", ir_attr(k, "name").p),
		    ir_line(r, k), SLICE_EMPTY, version.n == 0 ? SLICE_LIT("related") :
		    slice_of(arena_fmt(r->mem, "related, version %s", version.p)));
	}
}

void
ir_related(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	int confidence = ir_confidence(r, xml_get(n, "Confidence"));

	for (struct xml_node *k = xml_get(n, "ThreatActor"); k != NULL; k = xml_more(k)) {
		struct ir_obj *ob = read_party(r, inc, k, "threat-actor", "actor", "ThreatActorID");

		if (ob != NULL)
			add_object_to(r, IR_ACTOR, &inc->actors, &inc->nactors, &inc->actors_cap, ob);
	}
	for (struct xml_node *k = xml_get(n, "Campaign"); k != NULL; k = xml_more(k)) {
		struct ir_obj *ob = read_party(r, inc, k, "campaign", "campaign", "CampaignID");

		if (ob != NULL)
			add_object_to(r, IR_CAMPAIGN, &inc->campaigns, &inc->ncampaigns,
			    &inc->campaigns_cap, ob);
	}
	related_references(r, inc, n);
	if (confidence >= 0)
		inc->relation_confidence = slice_of(arena_fmt(r->mem, "%d", confidence));
}

/* Methods. */

/* "CVE-YYYY-N..." at the start of the text, upper case, or empty. */
static struct slice
cve_in(struct ir *r, struct slice s)
{
	char *p = arena_str(r->mem, slice_trim(s));
	size_t n = 9;

	if (strncasecmp(p, "CVE-", 4) != 0 || strspn(p + 4, "0123456789") != 4 || p[8] != '-')
		return SLICE_EMPTY;
	n += strspn(p + 9, "0123456789");
	if (n < 13)
		return SLICE_EMPTY;
	memcpy(p, "CVE", 3);
	return slice_from(arena_str(r->mem, slice_from(p, n)), n);
}

static struct ir_obj *
make_vulnerability(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice cve)
{
	bool old;
	struct ir_obj *ob = ir_new(r, inc, "vulnerability", IR_UUID(r, "vuln", inc->name, cve), n, &old);

	n->mark = XML_KEPT;
	if (!old) {
		json_put_str(r->mem, ob->tree, "name", cve);
		if (cve_in(r, cve).n > 0)
			sdo_reference(r->mem, ob->tree, "cve", cve, SLICE_EMPTY, SLICE_EMPTY);
	}
	add_object_to(r, IR_VULN, &inc->vulns, &inc->nvulns, &inc->vulns_cap, ob);
	return ob;
}

static struct ir_obj *
make_attack_pattern(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct slice ref,
    const char *source, struct slice url)
{
	bool old;
	struct ir_obj *ob = ir_new(r, inc, "attack-pattern", IR_UUID(r, "ap", inc->name, ref), n, &old);

	n->mark = XML_KEPT;
	if (!old)
		json_put_str(r->mem, ob->tree, "name", ir_cut(r, ref, 120));
	if (source != NULL)
		sdo_reference(r->mem, ob->tree, source, ref, url, SLICE_EMPTY);
	return ob;
}

/* "T1566.001" from an ATT&CK URL, empty if it is none. */
static struct slice
technique_in(struct ir *r, struct slice url)
{
	static const char mark[] = "attack.mitre.org/techniques/T";
	const char *p = url.n == 0 ? NULL : strstr(url.p, mark);
	size_t main, sub = 0;

	if (p == NULL)
		return SLICE_EMPTY;
	p += sizeof(mark) - 1;
	main = strspn(p, "0123456789");
	if (main != 4)
		return SLICE_EMPTY;
	if (p[main] == '/')
		sub = strspn(p + main + 1, "0123456789");
	if (sub == 3)
		return slice_of(arena_fmt(r->mem, "T%.4s.%.3s", p, p + 5));
	return slice_of(arena_fmt(r->mem, "T%.4s", p));
}

/* The CVE of a Reference: ReferenceName of enumeration 1, or text that looks like one. */
static struct slice
reference_cve(struct ir *r, struct xml_node *n)
{
	struct xml_node *name = xml_get_ns(n, IODEF2_NS_ENUM, "ReferenceName");
	struct xml_node *id = xml_get_ns(name, IODEF2_NS_ENUM, "ID");
	struct slice cve = cve_in(r, xml_text_line(id, r->mem));

	if (cve.n > 0) {
		ir_attr(name, "specIndex");
		xml_mark_own(name, XML_KEPT);
		xml_mark_own(id, XML_KEPT);
	}
	return cve;
}

/* A Reference becomes a vulnerability, an attack-pattern, or a reference of the report. */
static struct ir_obj *
read_reference(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	struct slice cve = reference_cve(r, n), text = ir_line(r, xml_get(n, "Description"));
	struct slice url = ir_child_line(r, n, "URL"), technique = technique_in(r, url);
	struct ir_obj *ob = NULL;
	json *tree;

	if (cve.n > 0)
		ob = make_vulnerability(r, inc, n, cve);
	else if (technique.n > 0)
		ob = make_attack_pattern(r, inc, n, technique, "mitre-attack", url);
	tree = ob != NULL ? ob->tree : ir_sink(inc, false)->tree;
	if (technique.n == 0 || text.n > 0)
		sdo_reference(r->mem, tree, "iodef", SLICE_EMPTY, url, text);
	for (struct xml_node *k = xml_more(xml_get(n, "URL")); k != NULL; k = xml_more(k))
		sdo_reference(r->mem, tree, "iodef", SLICE_EMPTY, ir_line(r, k), SLICE_EMPTY);
	return ob;
}

/* "malware: X" and the like in a Method's Description. */
static void
read_method_text(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	static const char *const words[] = { "malware: ", "tool: ", "attack-pattern: ", "vulnerability: " };
	struct slice line = xml_text_line(n, r->mem), rest = line;
	struct ir_obj *ob;
	size_t i = 0;
	bool old;

	while (i < 4 && !(slice_starts(line, words[i]) && line.n > strlen(words[i])))
		i++;
	if (i < 4)
		rest = slice_from(line.p + strlen(words[i]), line.n - strlen(words[i]));
	if (line.n == 0)
		return;
	if (i < 2) {
		const char *type = i == 0 ? "malware" : "tool";

		ob = ir_new(r, inc, type, IR_UUID(r, type, inc->name, rest), n, &old);
		json_put_str(r->mem, ob->tree, "name", rest);
		if (i == 0)
			json_put_bool(r->mem, ob->tree, "is_family", false);
	} else if (i == 3) {
		make_vulnerability(r, inc, n, cve_in(r, rest).n > 0 ? cve_in(r, rest) : rest);
	} else {
		ob = make_attack_pattern(r, inc, n, rest, NULL, SLICE_EMPTY);
		if (i == 4)
			json_put_str(r->mem, ob->tree, "description", xml_text_trim(n, r->mem));
	}
	xml_mark_own(n, XML_KEPT);
}

/* sci:AttackPattern, sci:Vulnerability (RFC 7203). Attributes name them. */
static void
read_sci(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	if (xml_is(n, IODEF2_NS_SCI, "AttackPattern")) {
		struct slice id = ir_attr(n, "AttackPatternID");

		if (id.n > 0)
			make_attack_pattern(r, inc, n, id,
			    slice_starts(id, "CAPEC-") ? "capec" : NULL, SLICE_EMPTY);
	} else if (xml_is(n, IODEF2_NS_SCI, "Vulnerability")) {
		struct slice id = cve_in(r, xml_value(n, "VulnerabilityID"));

		if (id.n == 0) {
			id = xml_value(n, "VulnerabilityID");
			if (id.n == 0)
				return;
		}
		ir_attr(n, "VulnerabilityID");
		make_vulnerability(r, inc, n, id);
	}
}

/* sci:Weakness: CWE references on the vulnerabilities of this Method, else on the incident. */
static void
read_weaknesses(struct ir *r, struct ir_incident *inc, struct xml_node *method, size_t first_vuln)
{
	size_t made = 0;

	for (struct xml_node *n = xml_child(method); n != NULL; n = xml_sibling(n)) {
		struct slice cwe = slice_trim(xml_value(n, "WeaknessID"));

		if (!xml_is(n, IODEF2_NS_SCI, "Weakness") || !slice_starts(cwe, "CWE-"))
			continue;
		n->mark = XML_KEPT;
		ir_attr(n, "WeaknessID");
		for (size_t i = first_vuln; i < inc->nvulns && made++ < REFERENCES_MAX; i++)
			sdo_reference(r->mem, inc->vulns[i]->tree, "cwe", cwe, SLICE_EMPTY, SLICE_EMPTY);
		if (first_vuln == inc->nvulns)
			sdo_reference(r->mem, ir_sink(inc, true)->tree, "cwe", cwe, SLICE_EMPTY,
			    SLICE_EMPTY);
	}
}

static void
read_method(struct ir *r, struct ir_incident *inc, struct xml_node *method)
{
	size_t first_vuln = inc->nvulns;

	for (struct xml_node *n = xml_child(method); n != NULL; n = xml_sibling(n)) {
		if (xml_is(n, IODEF2_NS, "Reference"))
			read_reference(r, inc, n);
		else if (xml_is(n, IODEF2_NS, "Description"))
			read_method_text(r, inc, n);
		else if (slice_is(n->ns, IODEF2_NS_SCI))
			read_sci(r, inc, n);
	}
	read_weaknesses(r, inc, method, first_vuln);
}

/* Assessments. */

static void
read_assessment(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	json *tree = ir_sink(inc, true)->tree;
	int confidence = ir_confidence(r, xml_get(n, "Confidence"));

	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (xml_is(k, IODEF2_NS, "IncidentCategory")) {
			sdo_list_add(r->mem, tree, "labels", slice_of(arena_fmt(r->mem, "iodef-category:%s",
			    ir_line(r, k).p)));
		} else if (xml_is(k, IODEF2_NS, "SystemImpact") ||
		    xml_is(k, IODEF2_NS, "BusinessImpact") || xml_is(k, IODEF2_NS, "IntendedImpact")) {
			struct slice type = ir_word(k, "type");

			if (type.n == 0)
				continue;
			k->mark = XML_KEPT;
			sdo_list_add(r->mem, tree, "labels",
			    slice_of(arena_fmt(r->mem, "iodef-impact:%s", type.p)));
		}
	}
	if (confidence < 0)
		return;
	json_put_int(r->mem, tree, "confidence", confidence);
	if (tree == (inc->incident != NULL ? inc->incident->tree : NULL))
		json_put_int(r->mem, inc->report->tree, "confidence", confidence);
}

/* Discovery: a DetectionPattern with a rule is an indicator. */
static void
read_discovery(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "DetectionPattern"); k != NULL; k = xml_more(k)) {
		struct slice type, text, id = slice_of(xml_path_text(r->mem, k, inc->node));
		struct ir_obj *ob, *owner;

		if (!ir_detection(r, k, &type, &text))
			continue;
		ob = ir_new(r, inc, "indicator", IR_UUID(r, "detection", inc->report->id, id), k, NULL);
		owner = ir_enter(r, inc, ob, k);
		k->mark = XML_KEPT;
		ir_describe(r, inc, ob, k, SLICE_LIT("Detection pattern"));
		json_put_str(r->mem, ob->tree, "pattern", text);
		json_put_str(r->mem, ob->tree, "pattern_type", type);
		json_put_str(r->mem, ob->tree, "valid_from", inc->default_start);
		inc->owner = owner;
	}
}

/* Actions and history. */

/* Expectation: a course of action. */
static void
read_expectation(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	struct slice action = ir_word(n, "action");
	struct slice nth = slice_of(arena_fmt(r->mem, "%zu", ++inc->nexpectations));
	struct ir_obj *ob;

	if (action.n == 0)
		action = SLICE_LIT("other");
	ob = ir_new(r, inc, "course-of-action", IR_UUID(r, "coa", inc->report->id, nth), n, NULL);
	ir_unit(ob, n);
	n->mark = XML_KEPT;
	ir_attr(n, "restriction");
	json_put_str(r->mem, ob->tree, "name", action);
	ir_describe(r, inc, ob, n, SLICE_EMPTY);
	sdo_list_add(r->mem, ob->tree, "labels",
	    slice_of(arena_fmt(r->mem, "iodef-action:%s", action.p)));
	for (struct xml_node *k = xml_get(n, "DefinedCOA"); k != NULL; k = xml_more(k))
		sdo_reference(r->mem, ob->tree, "iodef-coa", ir_line(r, k), SLICE_EMPTY, SLICE_EMPTY);
}

void
ir_history(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "HistoryItem"); k != NULL; k = xml_more(k)) {
		struct slice action = ir_word(k, "action"), when = ir_time(r, k, "DateTime");
		struct slice nth = slice_of(arena_fmt(r->mem, "%zu", ++inc->nhistory)), text;
		struct ir_obj *ob;
		json *refs = json_list(r->mem);

		if (action.n == 0)
			action = SLICE_LIT("other");
		ob = ir_new(r, inc, "note", IR_UUID(r, "note", inc->report->id, nth), k, NULL);
		ir_unit(ob, k);
		k->mark = XML_KEPT;
		ir_attr(k, "restriction");
		if (when.n > 0) {
			json_put_str(r->mem, ob->tree, "created", ir_millis(r, when));
			if (ir_before(r, inc->generated, when))
				json_put_str(r->mem, ob->tree, "modified", ir_millis(r, when));
		}
		text = ir_texts(r, inc, k);
		json_put_str(r->mem, ob->tree, "abstract",
		    slice_of(arena_fmt(r->mem, "iodef-action:%s", action.p)));
		json_put_str(r->mem, ob->tree, "content", text.n > 0 ? text : action);
		json_push(refs, json_string(r->mem,
		    inc->incident != NULL ? inc->incident->id : inc->report->id));
		json_put(r->mem, ob->tree, "object_refs", refs);
	}
}

/* What Incident and EventData have in common, besides contacts. */
void
ir_context(struct ir *r, struct ir_incident *inc, struct xml_node *parent)
{
	static const struct {
		const char	*name;
		void		(*read)(struct ir *, struct ir_incident *, struct xml_node *);
	} rows[] = {
		{ "Discovery", read_discovery }, { "Assessment", read_assessment },
		{ "Method", read_method },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (struct xml_node *n = xml_get(parent, rows[i].name); n != NULL; n = xml_more(n))
			ir_part(r, inc, n, rows[i].read);
	}
	for (struct xml_node *n = xml_get(parent, "Expectation"); n != NULL; n = xml_more(n))
		read_expectation(r, inc, n);
}
