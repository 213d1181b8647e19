/*
 * csaf_read.c -- from the text of a CSAF document to objects.
 *
 * Verdicts: the codes of csaf_check.h, as warnings that stay with the report; in strict mode the
 * first refuses the document. MISSING_PROPERTY, TOO_LARGE and TOO_MANY refuse it in any mode.
 * BAD_ORIGINAL, LABEL_RAISED, ORIGINAL_REMOVED and BAD_LABEL are warnings.
 */
#include "formats/csaf_read.h"

#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum {
	BYTES_DEFAULT = 64 << 20, DOCUMENT_BYTES_DEFAULT = 8 << 20, OBJECTS_DEFAULT = 100000,
	REMARKS_MAX = 1000, PLACES_MAX = 20	/* to be found costs a look at the text */
};

/* One document on its way. */
struct csaf_input {
	struct csaf_reading	 r;
	struct advisory		*adv;
	struct json_doc		 doc;
	struct csaf_originals	 originals;
	bool			 refused;
};

/* Add a verdict about the document. */
static struct verdict *
add_verdict(struct csaf_input *in, enum verdict_kind kind, const char *code, enum err_code err,
    const char *path, const char *reason)
{
	struct verdict *v = advisory_verdict(in->adv, in->r.mem, kind, code);

	err_set(&v->err, err, "%s", reason);
	err_path(&v->err, "%s", path);
	err_input(&v->err, in->r.job->input);
	if (in->adv->nverdicts <= PLACES_MAX)
		v->err.at = csaf_place(in->r.job->in, slice_of(path));
	if (in->r.report != NULL)
		v->id = in->r.report->id;
	if (kind == VERDICT_REFUSED) {
		v->text = arena_slice(in->r.mem, in->r.job->in);
		in->refused = true;
	}
	return v;
}

/* csaf_issue_fn: in strict mode the first forbids the document. */
static void
on_issue(void *ctx, const struct csaf_issue *issue)
{
	struct csaf_input *in = ctx;

	if (in->adv->nverdicts >= REMARKS_MAX)
		return;
	add_verdict(in, in->r.job->strict && !issue->remark && !in->refused ? VERDICT_REFUSED :
	    VERDICT_WARNED, issue->code, issue->err, issue->path, issue->reason);
}

/* csaf_warn_fn */
static void
on_warning(void *ctx, const char *code, const char *path, const char *reason)
{
	struct csaf_input *in = ctx;

	if (in->adv->nverdicts < REMARKS_MAX)
		add_verdict(in, VERDICT_WARNED, code, ERR_VALUE, path, reason);
}

/* What a JSON text is that is no advisory; NULL if it may be one. */
static const char *
other_kind(const json *root)
{
	if (!json_is_object(root))
		return "a CSAF document is a JSON object";
	if (json_get(root, "document") != NULL)
		return NULL;
	if (json_get(root, "aggregator") != NULL || json_get(root, "aggregator_version") != NULL)
		return "a CSAF aggregator document: it lists who publishes advisories, and is none";
	if (json_get(root, "metadata_version") != NULL && json_get(root, "publisher") != NULL)
		return "CSAF provider metadata: it says where advisories are, and is none";
	return "no CSAF document: it has no member \"document\"";
}

/* Parse, and see what it is. */
static int
parse(struct csaf_input *in, struct err *e)
{
	const struct read_job *job = in->r.job;
	size_t bytes = job->limits.bytes > 0 ? job->limits.bytes : BYTES_DEFAULT;
	struct json_limits limits = { .depth = job->limits.depth, .bytes = bytes };
	const char *other;

	if (job->in.n > limits.bytes)
		return err_set(e, ERR_LIMIT, "%zu bytes are more than the limit of %zu", job->in.n,
		    limits.bytes);
	if (json_parse(job->in, &limits, in->r.mem, &in->doc, e) < 0)
		return -1;
	if ((other = other_kind(in->doc.root)) != NULL)
		return err_at(e, ERR_UNSUPPORTED, (struct pos){ 1, 1, 0 }, "%s", other);
	return 0;
}

/* bundle--UUIDv5 over the digest of the input: the same document, the same bundle. */
static void
name_advisory(struct csaf_input *in)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];

	format_digest(in->r.job, digest);
	hex_text(digest, SHA256_LEN, hex);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(in->r.mem, "csaf|input|%s", hex)), uuid);
	in->adv->id = slice_of(arena_fmt(in->r.mem, "bundle--%s", uuid));
}

/* Every leaf: what was not looked at is in the extension. The notes of ours stand behind all
 * others, so the places of those are what they were. */
static void
account(struct csaf_input *in, enum loss_kind otherwise, const char *note)
{
	json *root = in->doc.root, *notes = json_get(json_get(root, "document"), "notes");
	size_t i = 0;

	if (in->r.job->loss == NULL)
		return;
	if (in->originals.notes == 0 || otherwise != LOSS_MOVED) {
		ledger_account(in->r.ledger, in->r.job->loss, root, "", otherwise, note);
		return;
	}
	ledger_account(in->r.ledger, in->r.job->loss, in->originals.rest, "", otherwise, note);
	for (json *n = json_first(notes); n != NULL; n = json_next(n), i++) {
		struct slice title = json_member(n, "title");

		if (csaf_is_ours(n))
			ledger_account(in->r.ledger, in->r.job->loss, n, arena_fmt(in->r.mem,
			    "document/notes[%zu]", i), LOSS_KEPT, arena_str(in->r.mem, title));
	}
}

/* The document says nothing that its originals do not. */
static int
restore_exactly(struct csaf_input *in, struct err *e)
{
	account(in, LOSS_KEPT, NULL);
	in->adv->id = in->originals.bundle_id;
	if (csaf_originals_emit(&in->originals, &in->r, in->adv, on_warning, in, e) < 0)
		return -1;
	advisory_settle(in->adv, in->r.mem);
	return 0;
}

/* What the document itself says will be one object's to carry; originals in its notes will be
 * objects. */
static bool
is_too_large(const struct csaf_input *in)
{
	const struct format_limits *limits = &in->r.job->limits;
	size_t most = limits->object_bytes > 0 ? limits->object_bytes : DOCUMENT_BYTES_DEFAULT;

	return in->r.job->in.n - in->originals.note_bytes > most;
}

/* Make objects of what the document says, with the originals that came along. */
static int
make_objects(struct csaf_input *in, struct err *e)
{
	struct csaf_reading *r = &in->r;
	size_t most = r->job->limits.objects > 0 ? r->job->limits.objects : OBJECTS_DEFAULT;

	r->root = in->originals.rest;
	if (is_too_large(in)) {
		add_verdict(in, VERDICT_REFUSED, "TOO_LARGE", ERR_LIMIT, "",
		    "the document is larger than the limit for one");
	} else if (csaf_derive(r, e) < 0) {
		add_verdict(in, VERDICT_REFUSED, "MISSING_PROPERTY", e->code, e->path, e->reason);
	} else if (r->n + in->originals.n > most) {
		add_verdict(in, VERDICT_REFUSED, "TOO_MANY", ERR_LIMIT, "",
		    "more objects would be made of this document than the limit allows");
	}
	if (in->refused) {
		*e = (struct err)ERR_INIT;
		account(in, LOSS_DROPPED, "the document was refused");
		return 0;
	}
	csaf_originals_drop_twins(&in->originals);
	if (in->originals.n > 0)
		csaf_originals_merge(&in->originals, r, on_warning, in);
	csaf_originals_raise(&in->originals, r, on_warning, in);
	account(in, LOSS_MOVED, "in the csaf extension");
	if (!in->originals.merged)
		csaf_keep(r);
	if (csaf_originals_emit(&in->originals, r, in->adv, on_warning, in, e) < 0 ||
	    (r->n > 0 && csaf_mint(r, in->adv, e) < 0))
		return -1;
	advisory_settle(in->adv, r->mem);
	return 0;
}

/* See csaf.h. */
int
csaf_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct csaf_input in = { .r = { .job = job, .mem = mem, .ledger = ledger_new(mem) }, .adv = adv };
	struct err err = ERR_INIT;
	int rc = -1;

	if (parse(&in, &err) < 0)
		goto done;
	name_advisory(&in);
	csaf_check_structure(in.doc.root, mem, on_issue, &in);
	csaf_check_tests(in.doc.root, mem, on_issue, &in);
	if (in.refused) {
		account(&in, LOSS_DROPPED, "the document was refused");
		rc = 0;
		goto done;
	}
	csaf_originals_take(&in.originals, mem, in.doc.root, on_warning, &in);
	rc = csaf_originals_fit(&in.originals, mem) ? restore_exactly(&in, &err) : make_objects(&in, &err);
done:
	if (rc < 0) {
		err_input(&err, job->input);
		if (e != NULL)
			*e = err;
	}
	return rc;
}
