/* rid.c -- what both directions of RID share: words, nodes, the envelope as JSON (see rid.h). */
#include <string.h>

#include "formats/iodef1.h"
#include "formats/rid.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static const struct {
	const char	*attr, *words;
} enums[] = {
	{ "MsgType", "TraceRequest Acknowledgement Result InvestigationRequest Report Query ext-value" },
	{ "MsgDestination", "RIDSystem SourceOfIncident ext-value" },
	{ "region", "ClientToSP SPToClient IntraConsortium PeerToPeer BetweenConsortiums ext-value" },
	{ "type", "Attack Network Content DataWithHandlingRequirements AudienceRestriction Other "
	  "ext-value" },
	{ "AuthorizationStatus", "Approved Denied Pending ext-value" },
	{ "Justification", "SystemResource Authentication AuthenticationOrigin Encryption "
	  "UnrecognizedFormat CannotProcess Other ext-value" },
};

const char *
rid_words(const char *attr)
{
	for (size_t i = 0; i < COUNTOF(enums); i++) {
		if (strcmp(attr, enums[i].attr) == 0)
			return enums[i].words;
	}
	return NULL;
}

bool
rid_has_word(const char *attr, struct slice word)
{
	struct slice rest = slice_of(rid_words(attr));

	while (rest.n > 0) {
		if (slice_eq(slice_cut(&rest, ' '), word))
			return true;
	}
	return false;
}

/* A word, or what ext-NAME says in its place (the prose of RFC 6545 has NAME-ext). */
static struct slice
word_of(struct arena *mem, const struct xml_node *n, const char *attr)
{
	struct slice word = slice_trim(xml_value(n, attr)), ext;

	if (!slice_is(word, "ext-value"))
		return word;
	ext = slice_trim(xml_value(n, arena_fmt(mem, "ext-%s", attr)));
	return ext.n > 0 ? ext : slice_trim(xml_value(n, arena_fmt(mem, "%s-ext", attr)));
}

static void
put_word(struct arena *mem, json *o, const char *name, const struct xml_node *n, const char *attr)
{
	struct slice word = word_of(mem, n, attr);

	if (word.n > 0)
		json_put_str(mem, o, name, word);
}

static json *
words_of(struct arena *mem, const struct xml_node *policy, const char *element, const char *attr)
{
	json *list = json_list(mem);

	for (const struct xml_node *k = xml_get(policy, element); k != NULL; k = xml_more(k))
		json_push(list, json_string(mem, word_of(mem, k, attr)));
	return list;
}

/* Elements of IODEF stand in the namespace of v1; some senders write that of v2. */
static const struct xml_node *
iodef_child(const struct xml_node *n, const char *name)
{
	const struct xml_node *k = xml_get_ns(n, IODEF1_NS, name);

	return k != NULL ? k : xml_get_ns(n, IODEF2_NS, name);
}

/* See rid.h. */
json *
rid_node_json(struct arena *mem, const struct xml_node *n)
{
	json *o = json_object(mem), *names = json_list(mem), *addresses = json_list(mem);
	struct strbuf b = STRBUF_INIT;

	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		json *a;

		if (slice_is(k->name, "NodeName"))
			json_push(names, json_string(mem, xml_text_line(k, mem)));
		if (!slice_is(k->name, "Address"))
			continue;
		a = json_push(addresses, json_object(mem));
		if (xml_attr(k, "category") != NULL)
			json_put_str(mem, a, "category", xml_value(k, "category"));
		json_put_str(mem, a, "value", xml_text_line(k, mem));
	}
	if (json_first(names) != NULL)
		json_put(mem, o, "names", names);
	if (json_first(addresses) != NULL)
		json_put(mem, o, "addresses", addresses);
	if (!xml_equal(rid_node_xml(mem, o), n)) {
		xml_print(&b, n, 0);
		json_put_str(mem, o, "xml", strbuf_slice(&b));
		strbuf_fini(&b);
	}
	return o;
}

/* See rid.h. */
struct xml_node *
rid_node_xml(struct arena *mem, const json *node)
{
	struct xml_node *n = xml_new(mem, IODEF1_NS, "iodef", "Node"), *k, *root;
	struct slice xml = json_member(node, "xml");

	if (xml.n > 0 && xml_parse(xml, NULL, mem, &root, NULL) == 0 && slice_is(root->name, "Node"))
		return root;
	for (const json *m = json_first(json_get(node, "names")); m != NULL; m = json_next(m))
		xml_add_leaf(mem, n, "NodeName", json_slice(m));
	for (const json *m = json_first(json_get(node, "addresses")); m != NULL; m = json_next(m)) {
		k = xml_add_leaf(mem, n, "Address", json_member(m, "value"));
		if (json_get(m, "category") != NULL)
			xml_set(mem, k, "category", json_member(m, "category"));
	}
	return n;
}

static void
put_policy(struct arena *mem, json *o, const struct xml_node *policy)
{
	const struct xml_node *node = iodef_child(policy, "Node");
	const struct xml_node *id = iodef_child(policy, "IncidentID");
	json *incident;

	put_word(mem, o, "msg_type", policy, "MsgType");
	put_word(mem, o, "destination", policy, "MsgDestination");
	put_word(mem, o, "restriction", policy, "restriction");
	json_put(mem, o, "regions", words_of(mem, policy, "PolicyRegion", "region"));
	json_put(mem, o, "traffic_types", words_of(mem, policy, "TrafficType", "type"));
	if (node != NULL)
		json_put(mem, o, "node", rid_node_json(mem, node));
	if (id == NULL)
		return;
	incident = json_put(mem, o, "incident_id", json_object(mem));
	json_put_str(mem, incident, "name", xml_value(id, "name"));
	json_put_str(mem, incident, "id", xml_text_line(id, mem));
	if (xml_attr(id, "instance") != NULL)
		json_put_str(mem, incident, "instance", xml_value(id, "instance"));
}

static void
put_schema(struct arena *mem, json *o, const struct xml_node *schema)
{
	const struct xml_node *url = xml_get(schema, "URL");
	struct slice version = word_of(mem, schema, "Version");
	json *list = json_list(mem);

	if (schema != NULL)
		json_put_str(mem, o, "iodef", slice_starts(version, "2") ? SLICE_LIT("2.00") :
		    SLICE_LIT("1.00"));
	if (url != NULL)
		json_put_str(mem, o, "url", xml_text_line(url, mem));
	for (const struct xml_node *k = xml_get(schema, "Signature"); k != NULL; k = xml_more(k)) {
		struct strbuf b = STRBUF_INIT;

		xml_print(&b, k, 0);
		json_push(list, json_string(mem, strbuf_slice(&b)));
		strbuf_fini(&b);
	}
	if (json_first(list) != NULL)
		json_put(mem, o, "signatures", list);
}

static void
put_answers(struct arena *mem, json *o, const struct xml_node *root)
{
	const struct xml_node *status = xml_get(root, "RequestStatus");
	const struct xml_node *source = xml_get(root, "IncidentSource");
	json *nodes = json_list(mem), *m;

	if (status != NULL) {
		m = json_put(mem, o, "request_status", json_object(mem));
		put_word(mem, m, "status", status, "AuthorizationStatus");
		put_word(mem, m, "justification", status, "Justification");
		put_word(mem, m, "restriction", status, "restriction");
	}
	if (source == NULL)
		return;
	m = json_put(mem, o, "incident_source", json_object(mem));
	if (xml_get(source, "SourceFound") != NULL) {
		struct slice found = xml_text_line(xml_get(source, "SourceFound"), mem);

		json_put_bool(mem, m, "found", slice_is(found, "true") || slice_is(found, "1"));
	}
	for (const struct xml_node *k = xml_child(source); k != NULL; k = xml_sibling(k)) {
		if (slice_is(k->name, "Node"))
			json_push(nodes, rid_node_json(mem, k));
	}
	if (json_first(nodes) != NULL)
		json_put(mem, m, "nodes", nodes);
	put_word(mem, m, "restriction", source, "restriction");
}

/* See rid.h. */
struct slice
rid_envelope(struct arena *mem, const struct xml_node *root)
{
	const struct xml_node *policy = xml_get(root, "RIDPolicy");
	json *o = json_object(mem), *rid = json_put(mem, o, "rid", json_object(mem));
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	if (xml_attr(root, "lang") != NULL)
		json_put_str(mem, rid, "lang", xml_value(root, "lang"));
	put_policy(mem, rid, policy);
	put_schema(mem, rid, xml_get(policy, "ReportSchema"));
	put_answers(mem, rid, root);
	json_print(&b, o);
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* "TITLE WORD WORD", a few of them. */
static void
add_words(struct strbuf *b, struct arena *mem, const char *title, const struct xml_node *n,
    const char *attr)
{
	enum { WORDS = 4 };
	size_t i = 0;

	for (; n != NULL && i < WORDS; n = xml_more(n), i++)
		strbuf_addf(b, "%s %.24s", i == 0 ? title : "", word_of(mem, n, attr).p);
	strbuf_adds(b, n != NULL ? " ..." : "");
}

/* See rid.h. */
struct slice
rid_summary(struct arena *mem, const struct xml_node *root)
{
	const struct xml_node *policy = xml_get(root, "RIDPolicy");
	const struct xml_node *status = xml_get(root, "RequestStatus");
	struct slice type = word_of(mem, policy, "MsgType"), to = word_of(mem, policy, "MsgDestination");
	size_t signatures = xml_count(xml_get(policy, "ReportSchema"), "Signature");
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	strbuf_addf(&b, "RID %.40s to %.40s", type.p, to.p);
	if (xml_attr(policy, "restriction") != NULL)
		strbuf_addf(&b, ", restriction %.40s", word_of(mem, policy, "restriction").p);
	add_words(&b, mem, ", regions", xml_get(policy, "PolicyRegion"), "region");
	add_words(&b, mem, ", about", xml_get(policy, "TrafficType"), "type");
	strbuf_adds(&b, "; this and the policy are not part of the objects");
	if (status != NULL)
		strbuf_addf(&b, "; status %.40s", word_of(mem, status, "AuthorizationStatus").p);
	if (signatures > 0)
		strbuf_addf(&b, "; %zu signatures, not checked", signatures);
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* See rid.h. */
enum tlp
rid_strictest(const struct xml_node *n, bool amber_strict)
{
	bool iodef = slice_is(n->ns, IODEF2_NS) || slice_is(n->ns, IODEF1_NS);
	enum tlp most = TLP_CLEAR;
	enum label_case label;

	if (iodef && xml_attr(n, "restriction") != NULL)
		most = iodef2_restriction_read(slice_trim(xml_value(n, "restriction")),
		    xml_value(n, "ext-restriction"), amber_strict, &label);
	else if (iodef && slice_is(n->name, "Incident"))
		most = TLP_RED;
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		enum tlp below = rid_strictest(k, amber_strict);

		most = iodef2_is_stricter(below, most) ? below : most;
	}
	return most;
}

/* The root's start tag names RID, of this or the obsolete version. */
static int
sniff_rid(struct slice head)
{
	struct slice root = xml_root_tag(head);

	return memmem(root.p, root.n, "urn:ietf:params:xml:ns:iodef-rid-", 33) != NULL ? 98 : 0;
}

const struct format_ops format_rid = {
	.name = "rid",
	.media_type = "text/xml",
	.file_ending = ".xml",
	.sniff = sniff_rid,
	.read = rid_read,
	.write = rid_write,
};
