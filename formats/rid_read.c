/* rid_read.c -- RID: the envelope checked and told of, the document inside read as IODEF (see rid.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/iodef1.h"
#include "formats/rid.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { WARNINGS_MAX = 64 };

struct rid {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	struct xml_node		*root, *policy;
	struct xml_node		*doc;		/* the document, taken out; NULL: there is none */
	const char		*path;		/* where it was */
	size_t			 warnings;
};

static int __attribute__((format(printf, 5, 6)))
fail(struct rid *r, const struct xml_node *n, enum err_code code, struct err *e, const char *fmt, ...)
{
	char reason[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	err_at(e, code, xml_pos(n), "%s", reason);
	err_path(e, "%s", xml_path_text(r->mem, n, NULL));
	return -1;
}

static void
warn(struct rid *r, const struct xml_node *n, const char *code, const char *reason)
{
	if (r->warnings++ < WARNINGS_MAX)
		iodef_remark(r->job, r->mem, r->adv, n, code, reason);
}

/* One attribute: required or not, a word of its list, ext-value with what it means. */
static int
check_word(struct rid *r, const struct xml_node *n, const char *attr, bool required, struct err *e)
{
	struct slice word = slice_trim(xml_value(n, attr));

	if (xml_attr(n, attr) == NULL)
		return required ? fail(r, n, ERR_MISSING, e, "%s is missing", attr) : 0;
	if (!rid_has_word(attr, word))
		return fail(r, n, ERR_VALUE, e, "%s=\"%.40s\" is no word of RID", attr, word.p);
	if (slice_is(word, "ext-value") && xml_attr(n, arena_fmt(r->mem, "ext-%s", attr)) == NULL &&
	    xml_attr(n, arena_fmt(r->mem, "%s-ext", attr)) == NULL)
		warn(r, n, "VALUE_WITHOUT_EXT", "ext-value without what it means");
	return 0;
}

static int
check_each(struct rid *r, const char *element, const char *attr, struct err *e)
{
	const struct xml_node *n = xml_get(r->policy, element);

	if (n == NULL)
		warn(r, r->policy, "MISSING_ELEMENT", arena_fmt(r->mem, "%s is missing", element));
	for (; n != NULL; n = xml_more(n)) {
		if (check_word(r, n, attr, true, e) < 0)
			return -1;
	}
	return 0;
}

static int
check_root(struct rid *r, struct err *e)
{
	const struct xml_node *n = r->root;

	if (slice_is(n->ns, RID_NS_OLD))
		return fail(r, n, ERR_UNSUPPORTED, e, "RID 1.0 (RFC 6045) is obsolete and not read");
	if (!slice_is(n->ns, RID_NS) || !slice_is(n->name, "RID"))
		return fail(r, n, ERR_UNSUPPORTED, e, "the root element is %.60s, not RID", n->name.p);
	if (xml_attr(n, "lang") == NULL)
		warn(r, n, "MISSING_ATTRIBUTE", "lang is missing");
	r->policy = xml_get(n, "RIDPolicy");
	if (r->policy == NULL)
		return fail(r, n, ERR_MISSING, e, "RIDPolicy is missing");
	return 0;
}

/* What each type of message must bring along. */
static void
check_message(struct rid *r)
{
	struct slice type = slice_trim(xml_value(r->policy, "MsgType"));
	bool document = xml_get(r->policy, "ReportSchema") != NULL;

	if (slice_is(type, "Acknowledgement") && xml_get(r->root, "RequestStatus") == NULL)
		warn(r, r->root, "MISSING_ELEMENT", "an Acknowledgement needs a RequestStatus");
	if (slice_is(type, "Result") && xml_get(r->root, "IncidentSource") == NULL)
		warn(r, r->root, "MISSING_ELEMENT", "a Result needs an IncidentSource");
	if ((slice_is(type, "Report") || slice_ends(type, "Request")) && !document)
		warn(r, r->policy, "MISSING_ELEMENT",
		    "this message needs a ReportSchema with an IODEF document");
}

static int
check_envelope(struct rid *r, struct err *e)
{
	struct xml_node *status = xml_get(r->root, "RequestStatus");

	if (check_word(r, r->policy, "MsgType", true, e) < 0 ||
	    check_word(r, r->policy, "MsgDestination", true, e) < 0 ||
	    check_each(r, "PolicyRegion", "region", e) < 0 ||
	    check_each(r, "TrafficType", "type", e) < 0)
		return -1;
	if (xml_get_ns(r->policy, IODEF1_NS, "Node") == NULL &&
	    xml_get_ns(r->policy, IODEF2_NS, "Node") == NULL)
		warn(r, r->policy, "MISSING_ELEMENT", "Node is missing");
	if (status != NULL && (check_word(r, status, "AuthorizationStatus", true, e) < 0 ||
	    check_word(r, status, "Justification", false, e) < 0))
		return -1;
	check_message(r);
	return 0;
}

/* Some senders leave the root of the document without a namespace: its children have one. */
static void
adopt_root(struct xml_node *doc)
{
	const struct xml_node *k = xml_child(doc);

	if (doc->ns.n == 0 && k != NULL && k->ns.n > 0)
		doc->ns = k->ns;
}

/* Take the document out of the envelope. */
static void
take_document(struct rid *r)
{
	struct xml_node *in = xml_get(xml_get(r->policy, "ReportSchema"), "XMLDocument");
	struct xml_node *doc = xml_child(in);
	struct verdict *v;
	struct strbuf text = STRBUF_INIT;

	if (in == NULL)
		return;
	if (doc != NULL && slice_is(doc->name, "IODEF-Document") && xml_sibling(doc) == NULL) {
		r->path = xml_path_text(r->mem, doc, NULL);
		xml_detach(doc);
		adopt_root(doc);
		r->doc = doc;
		return;
	}
	v = advisory_verdict(r->adv, r->mem, VERDICT_REFUSED, "UNSUPPORTED_DOCUMENT");
	err_at(&v->err, ERR_UNSUPPORTED, xml_pos(in), "the document is none of IODEF");
	err_input(&v->err, r->job->input);
	err_path(&v->err, "%s", xml_path_text(r->mem, in, NULL));
	xml_print(&text, in, 0);
	v->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
}

/* Every label that is said in n becomes this one. */
static void
set_labels(struct arena *mem, struct xml_node *n, struct slice word)
{
	if (xml_attr(n, "restriction") != NULL) {
		xml_set(mem, n, "restriction", word);
		if (xml_attr(n, "ext-restriction") != NULL)
			xml_set(mem, n, "ext-restriction", word);
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		set_labels(mem, k, word);
}

/* A policy that is stricter than all that the document says holds for every Incident. Words of v1 are few:
 * need-to-know is what anything between public and private becomes. */
static void
raise_labels(struct rid *r)
{
	struct slice word = slice_trim(xml_value(r->policy, "restriction"));
	enum label_case label;
	enum tlp policy = iodef2_restriction_read(word, SLICE_EMPTY, false, &label);
	enum tlp most = rid_strictest(r->doc, r->job->iodef_amber_strict);

	if (word.n == 0 || policy == TLP_UNSET || !iodef2_is_stricter(policy, most) ||
	    slice_is(word, iodef1_restriction_word(most)))
		return;
	warn(r, r->policy, "LABEL_RAISED", "the policy is stricter than every Incident: they become so");
	for (struct xml_node *n = xml_get(r->doc, "Incident"); n != NULL; n = xml_more(n)) {
		set_labels(r->mem, n, label == LABEL_UNREADABLE ? SLICE_LIT("private") : word);
	}
}

struct origin {
	struct iodef2_origin	 base;
	const char		*path;
};

static void
origin_account(const struct iodef2_origin *o, const struct read_job *job, struct arena *mem,
    struct xml_node *doc)
{
	iodef_account_tree(job, mem, doc, ((const struct origin *)o)->path);
}

/* The envelope goes to adv->envelope: every leaf of it is told there. */
static void
account_envelope(struct rid *r)
{
	struct xml_node *stack = r->root;

	while (stack != NULL) {		/* document order, without recursion */
		stack->mark = XML_MOVED;
		for (struct xml_attr *a = stack->attrs; a != NULL; a = a->next)
			a->mark = XML_MOVED;
		if (stack->first != NULL) {
			stack = stack->first;
			continue;
		}
		while (stack != NULL && stack->next == NULL)
			stack = stack->parent;
		stack = stack == NULL ? NULL : stack->next;
	}
	iodef_account_tree(r->job, r->mem, r->root, "");
}

/* An advisory without objects has an id all the same. */
static void
name_advisory(struct rid *r)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];

	if (r->adv->id.n > 0)
		return;
	format_digest(r->job, digest);
	hex_text(digest, SHA256_LEN, hex);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(r->mem, "iodef|document|%s", hex)), uuid);
	r->adv->id = slice_of(arena_fmt(r->mem, "bundle--%s", uuid));
}

static int
read_document(struct rid *r, struct err *e)
{
	struct origin origin = { { NULL, NULL, origin_account, false }, r->path };

	if (r->doc == NULL)
		return 0;
	raise_labels(r);
	if (slice_is(r->doc->ns, IODEF1_NS))
		return iodef1_read_tree(r->job, r->mem, r->doc, r->path, r->adv, e);
	return iodef2_read_tree(r->job, r->mem, r->doc, &origin.base, r->adv, e);
}

/* See format.h. */
int
rid_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct xml_limits lim = { .bytes = job->limits.bytes, .depth = job->limits.depth };
	struct rid r = { .job = job, .mem = mem, .adv = adv };
	struct err why = ERR_INIT;

	if (job->limits.objects > 0)
		lim.elements = job->limits.objects * 50;
	if (xml_parse(job->in, &lim, mem, &r.root, &why) < 0 || check_root(&r, &why) < 0 ||
	    check_envelope(&r, &why) < 0)
		goto failed;
	warn(&r, r.policy, "RID_ENVELOPE", rid_summary(mem, r.root).p);
	take_document(&r);
	adv->envelope = rid_envelope(mem, r.root);
	account_envelope(&r);
	if (read_document(&r, &why) < 0)
		goto failed;
	name_advisory(&r);
	return 0;
failed:
	err_input(&why, job->input);
	if (e != NULL)
		*e = why;
	return -1;
}
