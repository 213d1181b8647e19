/* iodef1.c -- the format IODEF v1: its tree becomes one of v2 and is read as that, and back. */
#include <string.h>

#include "formats/iodef1.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* ---- what verdicts and the account say of the input ------------------------------------------- */

static void
origin_place(const struct iodef2_origin *o, struct arena *mem, const void *made_of, struct err *e)
{
	(void)o;
	if (made_of == NULL)
		return;
	e->at = xml_pos(made_of);
	err_path(e, "%s", xml_path_text(mem, made_of, NULL));
}

static void
origin_print(const struct iodef2_origin *o, const void *made_of, struct strbuf *out)
{
	(void)o;
	if (made_of != NULL)
		xml_print(out, made_of, 0);
}

struct origin {
	struct iodef2_origin	 base;
	struct xml_node		*doc;		/* of v1 */
	const char		*path;		/* of doc in the input, for the account */
};

static void
origin_account(const struct iodef2_origin *o, const struct read_job *job, struct arena *mem,
    struct xml_node *doc)
{
	const struct origin *origin = (const struct origin *)o;

	iodef_take_marks(doc);
	iodef_account_tree(job, mem, origin->doc, origin->path);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static void
adopt_namespace(struct xml_node *n)
{
	if (!xml_is_text(n) && n->ns.n == 0)
		n->ns = SLICE_LIT(IODEF1_NS);
	for (struct xml_node *k = n->first; k != NULL; k = k->next) {
		if (!slice_is(n->name, "AdditionalData") && !slice_is(n->name, "RecordItem"))
			adopt_namespace(k);
	}
}

/* Version 1.00; as in v2, what means the same is accepted. */
static int
check_root(const struct read_job *job, struct arena *mem, struct xml_node *doc, struct advisory *adv,
    struct err *e)
{
	struct slice v = slice_trim(xml_value(doc, "version"));

	if (!slice_is(doc->name, "IODEF-Document"))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(doc),
		    "the root element is %.60s, not IODEF-Document", doc->name.p);
	if (doc->ns.n == 0) {
		iodef_remark(job, mem, adv, doc, "NO_NAMESPACE", "no namespace: read as IODEF v1");
		adopt_namespace(doc);
	}
	if (!slice_is(doc->ns, IODEF1_NS))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(doc), "namespace %.80s is not IODEF v1",
		    doc->ns.p);
	if (v.n == 0)
		iodef_remark(job, mem, adv, doc, "MISSING_ATTRIBUTE",
		    "version is missing: read as 1.00");
	else if (slice_is(v, "1.0") || slice_is(v, "1"))
		iodef_remark(job, mem, adv, doc, "UNKNOWN_WORD", "version: read as 1.00");
	else if (!slice_is(v, "1.00"))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(doc),
		    "IODEF-Document version \"%.16s\" is unknown", arena_str(mem, v));
	if (xml_attr(doc, "lang") == NULL)
		iodef_remark(job, mem, adv, doc, "MISSING_ATTRIBUTE", "lang is missing");
	if (xml_get(doc, "Incident") == NULL)
		return err_at(e, ERR_MISSING, xml_pos(doc), "the document holds no Incident");
	return 0;
}

/* See iodef1.h. */
int
iodef1_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
    const char *path, struct advisory *adv, struct err *e)
{
	struct origin origin = {
		.base = { origin_place, origin_print, origin_account, true }, .doc = doc, .path = path,
	};
	struct err why = ERR_INIT;

	if (check_root(job, mem, doc, adv, &why) < 0) {
		err_input(&why, job->input);
		*e = why;
		return -1;
	}
	iodef_check_tree(job, mem, doc, &iodef1_model, adv);
	return iodef2_read_tree(job, mem, iodef1_up(mem, doc), &origin.base, adv, e);
}

static int
iodef1_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct xml_limits lim = { .bytes = job->limits.bytes, .depth = job->limits.depth };
	struct xml_node *doc;

	if (job->limits.objects > 0)
		lim.elements = job->limits.objects * 50;
	if (xml_parse(job->in, &lim, mem, &doc, e) < 0) {
		err_input(e, job->input);
		return -1;
	}
	return iodef1_read_tree(job, mem, doc, "", adv, e);
}

static int
iodef1_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct xml_node *doc;

	if (iodef2_write_tree(job, mem, &doc, e) < 0)
		return -1;
	xml_print(out, iodef1_down(mem, doc), XML_DECLARATION | (job->pretty ? XML_PRETTY : 0));
	return 0;
}

/* The root's start tag names IODEF v1, or has its version and no namespace. */
static int
sniff_iodef1(struct slice head)
{
	struct slice root = xml_root_tag(head);

	if (memmem(root.p, root.n, "IODEF-Document", 14) == NULL)
		return 0;
	if (memmem(root.p, root.n, IODEF1_NS, sizeof(IODEF1_NS) - 1) != NULL)
		return 95;
	return memmem(root.p, root.n, "xmlns", 5) == NULL &&
	    memmem(root.p, root.n, "\"1.00\"", 6) != NULL ? 70 : 0;
}

const struct format_ops format_iodef1 = {
	.name = "iodef1",
	.media_type = "application/xml",
	.file_ending = ".xml",
	.sniff = sniff_iodef1,
	.read = iodef1_read,
	.write = iodef1_write,
};
