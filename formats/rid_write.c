/* rid_write.c -- an IODEF document in an envelope of RID (see rid.h). */
#include <string.h>

#include "formats/iodef1.h"
#include "formats/rid.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static const char nobody[] = "csirt.invalid";	/* RFC 2606: no one's name */

struct making {
	const struct write_job	*job;
	struct arena		*mem;
	const json		*rid;		/* what the envelope shall say; NULL: nothing given */
	struct xml_node		*root, *policy;
	struct xml_node		*doc;		/* of IODEF v2; NULL: no objects */
};

static struct xml_node *
add(struct making *m, struct xml_node *parent, const char *name)
{
	struct xml_node *n = xml_new(m->mem, RID_NS, "iodef-rid", name);

	if (parent != NULL)
		xml_append(parent, n);
	return n;
}

/* A word of RID, or ext-value with it. */
static void
set_word(struct making *m, struct xml_node *n, const char *attr, struct slice word)
{
	if (rid_has_word(attr, word) && !slice_is(word, "ext-value")) {
		xml_set(m->mem, n, attr, word);
		return;
	}
	xml_set(m->mem, n, attr, SLICE_LIT("ext-value"));
	xml_set(m->mem, n, arena_fmt(m->mem, "ext-%s", attr), word);
}

static struct slice
said(const struct making *m, const char *name, const char *otherwise)
{
	struct slice s = json_member(m->rid, name);

	return s.n > 0 ? s : slice_of(otherwise);
}

static void
add_words(struct making *m, const char *member, const char *element, const char *attr,
    const char *otherwise)
{
	const json *list = json_get(m->rid, member);

	if (json_first(list) == NULL)
		set_word(m, add(m, m->policy, element), attr, slice_of(otherwise));
	for (const json *v = json_first(list); v != NULL; v = json_next(v))
		set_word(m, add(m, m->policy, element), attr, json_slice(v));
}

static void
add_node(struct making *m)
{
	const json *node = json_get(m->rid, "node");
	const char *csirt = m->job->csirt;
	struct xml_node *n;

	if (json_first(node) != NULL) {
		xml_append(m->policy, rid_node_xml(m->mem, node));
		return;
	}
	n = xml_new(m->mem, IODEF1_NS, "iodef", "Node");
	xml_add_leaf(m->mem, n, "NodeName",
	    slice_of(csirt == NULL || csirt[0] == '\0' ? nobody : csirt));
	xml_append(m->policy, n);
}

/* The IncidentID of the envelope, else the first of the document. */
static void
add_incident_id(struct making *m)
{
	const json *id = json_get(m->rid, "incident_id");
	const struct xml_node *from = xml_get(xml_get(m->doc, "Incident"), "IncidentID");
	struct slice text = id != NULL ? json_member(id, "id") : xml_text_line(from, m->mem);
	struct slice instance = id != NULL ? json_member(id, "instance") : xml_value(from, "instance");
	struct xml_node *n = xml_new(m->mem, IODEF1_NS, "iodef", "IncidentID");

	if (id == NULL && from == NULL)
		return;
	xml_set(m->mem, n, "name", id != NULL ? json_member(id, "name") : xml_value(from, "name"));
	if (instance.n > 0)
		xml_set(m->mem, n, "instance", instance);
	if (text.n > 0)
		xml_add_text(m->mem, n, text);
	xml_append(m->policy, n);
}

/* The strictest of the document, and never laxer than the envelope wants it. */
static void
set_restriction(struct making *m)
{
	struct slice word = json_member(m->rid, "restriction");
	enum label_case label;
	enum tlp most = m->doc == NULL ? TLP_CLEAR : rid_strictest(m->doc, false), wanted;

	if (word.n > 0) {
		wanted = iodef2_restriction_read(word, SLICE_EMPTY, false, &label);
		most = iodef2_is_stricter(wanted, most) ? wanted : most;
	}
	if (word.n > 0 || m->doc != NULL)
		xml_set(m->mem, m->policy, "restriction", slice_of(iodef1_restriction_word(most)));
}

static void
add_document(struct making *m)
{
	bool old = slice_is(json_member(m->rid, "iodef"), "1.00");
	struct xml_node *schema, *in;
	struct slice url = json_member(m->rid, "url");

	if (m->doc == NULL)
		return;
	schema = add(m, m->policy, "ReportSchema");
	if (old) {
		xml_set(m->mem, schema, "Version", SLICE_LIT("1.0"));
	} else {
		xml_set(m->mem, schema, "Version", SLICE_LIT("ext-value"));
		xml_set(m->mem, schema, "ext-Version", SLICE_LIT("2.00"));
		xml_set(m->mem, schema, "XMLSchemaID", SLICE_LIT("ext-value"));
		xml_set(m->mem, schema, "ext-XMLSchemaID", SLICE_LIT(IODEF2_NS));
	}
	in = add(m, schema, "XMLDocument");
	xml_set(m->mem, in, "dtype", SLICE_LIT("xml"));
	xml_set(m->mem, in, "meaning", SLICE_LIT("xml"));
	xml_append(in, old ? iodef1_down(m->mem, m->doc) : m->doc);
	if (url.n > 0)
		xml_add_text(m->mem, add(m, schema, "URL"), url);
}

static int
add_answers(struct making *m, struct err *e)
{
	const json *status = json_get(m->rid, "request_status");
	const json *source = json_get(m->rid, "incident_source");
	bool found = json_bool(json_get(source, "found"));
	struct xml_node *n;

	if (status != NULL) {
		n = add(m, m->root, "RequestStatus");
		set_word(m, n, "AuthorizationStatus", json_member(status, "status"));
		if (json_get(status, "justification") != NULL)
			set_word(m, n, "Justification", json_member(status, "justification"));
		if (json_get(status, "restriction") != NULL)
			xml_set(m->mem, n, "restriction", json_member(status, "restriction"));
	} else if (slice_is(xml_value(m->policy, "MsgType"), "Acknowledgement")) {
		return err_set(e, ERR_MISSING, "an Acknowledgement needs a request_status");
	}
	if (source == NULL)
		return 0;
	n = add(m, m->root, "IncidentSource");
	xml_add_text(m->mem, add(m, n, "SourceFound"), found ? SLICE_LIT("true") : SLICE_LIT("false"));
	for (const json *v = json_first(json_get(source, "nodes")); v != NULL; v = json_next(v))
		xml_append(n, rid_node_xml(m->mem, v));
	if (json_get(source, "restriction") != NULL)
		xml_set(m->mem, n, "restriction", json_member(source, "restriction"));
	return 0;
}

/* The envelope of the job, else of the advisory. */
static int
open_envelope(struct making *m, struct err *e)
{
	struct slice text = m->job->envelope.n > 0 ? m->job->envelope : m->job->adv->envelope;
	struct json_limits lim = { .depth = 16 };
	struct json_doc doc;

	if (text.n == 0)
		return 0;
	if (json_parse(text, &lim, m->mem, &doc, e) < 0) {
		err_context(e, "the envelope");
		return -1;
	}
	m->rid = json_get(doc.root, "rid");
	return json_is_object(m->rid) ? 0 : err_set(e, ERR_VALUE, "the envelope has no object \"rid\"");
}

/* See format.h. */
int
rid_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct making m = { .job = job, .mem = mem };

	if (open_envelope(&m, e) < 0 ||
	    (job->adv->n > 0 && iodef2_write_tree(job, mem, &m.doc, e) < 0))
		return -1;
	m.root = add(&m, NULL, "RID");
	xml_declare(mem, m.root, "iodef-rid", RID_NS);
	xml_declare(mem, m.root, "iodef", IODEF1_NS);
	xml_set(mem, m.root, "lang", said(&m, "lang", "en"));
	m.policy = add(&m, m.root, "RIDPolicy");
	set_word(&m, m.policy, "MsgType", said(&m, "msg_type", "Report"));
	set_word(&m, m.policy, "MsgDestination", said(&m, "destination", "RIDSystem"));
	set_restriction(&m);
	add_words(&m, "regions", "PolicyRegion", "region", "PeerToPeer");
	add_node(&m);
	add_words(&m, "traffic_types", "TrafficType", "type", "Attack");
	add_incident_id(&m);
	add_document(&m);
	if (add_answers(&m, e) < 0)
		return -1;
	xml_print(out, m.root, XML_DECLARATION | (job->pretty ? XML_PRETTY : 0));
	return 0;
}
