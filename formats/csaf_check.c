/* csaf_check.c -- the structure of CSAF 2.0 as tables, and the walk over them (csaf_check.h). */
#include <stdio.h>

#include "formats/csaf_check.h"
#include "formats/csaf_words.h"
#include "formats/idmap.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

struct class;

/* What a member holds. Lists are never empty; texts have at least one byte. */
enum kind {
	TEXT, URI, TIME, WORD, FORM,		/* FORM: text for which `form` says yes */
	TEXTS, UNIQUE_TEXTS, URIS,		/* lists of them */
	OBJECT, OBJECTS, UNIQUE_OBJECTS, ANY_OBJECT
};

struct member {
	const char		*name;
	enum kind		 kind;
	bool			 required;
	const struct class	*class;		/* of objects */
	const char		*words;		/* of WORD, blank-separated */
	bool			(*form)(struct slice s);
};

struct class {
	const struct member	*members;	/* ends with name NULL */
	size_t			 least;		/* members that it must have */
};

#define MEMBERS(id, ...)							\
	static const struct member id##_members[] = { __VA_ARGS__, { .name = NULL } }
#define CLASS(id, least, ...)							\
	MEMBERS(id, __VA_ARGS__);							\
	static const struct class id = { id##_members, least }
#define M(n, k)			{ .name = n, .kind = k }
#define R(n, k)			{ .name = n, .kind = k, .required = true }
#define M_WORD(n, w)		{ .name = n, .kind = WORD, .words = w }
#define R_WORD(n, w)		{ .name = n, .kind = WORD, .required = true, .words = w }
#define M_FORM(n, f)		{ .name = n, .kind = FORM, .form = f }
#define R_FORM(n, f)		{ .name = n, .kind = FORM, .required = true, .form = f }
#define M_IN(n, k, c)		{ .name = n, .kind = k, .class = &c }
#define R_IN(n, k, c)		{ .name = n, .kind = k, .required = true, .class = &c }

#define PARTIES		"coordinator discoverer other user vendor"

/* "sha256:" values: at least 32 hex digits. */
static bool
is_hash(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return s.n >= 32;
}

CLASS(acknowledgment, 1, M("names", TEXTS), M("organization", TEXT), M("summary", TEXT), M("urls", URIS));
CLASS(note, 0, M("audience", TEXT),
    R_WORD("category", "description details faq general legal_disclaimer other summary"),
    R("text", TEXT), M("title", TEXT));
CLASS(reference, 0, M_WORD("category", "external self"), R("summary", TEXT), R("url", URI));

/* The document. */
CLASS(severity, 0, M("namespace", URI), R("text", TEXT));
CLASS(tlp, 0, R_WORD("label", "AMBER GREEN RED WHITE"), M("url", URI));
CLASS(distribution, 1, M("text", TEXT), M_IN("tlp", OBJECT, tlp));
CLASS(publisher, 0, R_WORD("category", PARTIES " translator"), M("contact_details", TEXT),
    M("issuing_authority", TEXT), R("name", TEXT), R("namespace", URI));
CLASS(engine, 0, R("name", TEXT), M("version", TEXT));
CLASS(generator, 0, M("date", TIME), R_IN("engine", OBJECT, engine));
CLASS(revision, 0, R("date", TIME), M("legacy_version", TEXT), R_FORM("number", csaf_is_version),
    R("summary", TEXT));
CLASS(tracking, 0, M("aliases", UNIQUE_TEXTS), R("current_release_date", TIME),
    M_IN("generator", OBJECT, generator), R_FORM("id", csaf_is_tracking_id),
    R("initial_release_date", TIME), R_IN("revision_history", OBJECTS, revision),
    R_WORD("status", "draft final interim"), R_FORM("version", csaf_is_version));
CLASS(document, 0, M_IN("acknowledgments", OBJECTS, acknowledgment),
    M_IN("aggregate_severity", OBJECT, severity), R_FORM("category", csaf_is_category),
    R_WORD("csaf_version", "2.0"), M_IN("distribution", OBJECT, distribution),
    M_FORM("lang", csaf_is_language), M_IN("notes", OBJECTS, note),
    R_IN("publisher", OBJECT, publisher), M_IN("references", OBJECTS, reference),
    M_FORM("source_lang", csaf_is_language), R("title", TEXT), R_IN("tracking", OBJECT, tracking));

/* The product tree. */
CLASS(file_hash, 0, R("algorithm", TEXT), R_FORM("value", is_hash));
CLASS(hashes, 0, R_IN("file_hashes", OBJECTS, file_hash), R("filename", TEXT));
CLASS(generic_uri, 0, R("namespace", URI), R("uri", URI));
CLASS(helper, 1, M_FORM("cpe", csaf_is_cpe), M_IN("hashes", OBJECTS, hashes),
    M("model_numbers", UNIQUE_TEXTS), M("purl", URI), M("sbom_urls", URIS),
    M("serial_numbers", UNIQUE_TEXTS), M("skus", TEXTS), M_IN("x_generic_uris", OBJECTS, generic_uri));
CLASS(product, 0, R("name", TEXT), R("product_id", TEXT),
    M_IN("product_identification_helper", OBJECT, helper));
static const struct class branch;
MEMBERS(branch, M_IN("branches", OBJECTS, branch),
    R_WORD("category", "architecture host_name language legacy patch_level product_family product_name "
    "product_version product_version_range service_pack specification vendor"),
    R("name", TEXT), M_IN("product", OBJECT, product));
static const struct class branch = { branch_members, 3 };
CLASS(group, 0, R("group_id", TEXT), R("product_ids", UNIQUE_TEXTS), M("summary", TEXT));
CLASS(relationship, 0,
    R_WORD("category", "default_component_of external_component_of installed_on installed_with "
    "optional_component_of"), R_IN("full_product_name", OBJECT, product),
    R("product_reference", TEXT), R("relates_to_product_reference", TEXT));
CLASS(product_tree, 1, M_IN("branches", OBJECTS, branch), M_IN("full_product_names", OBJECTS, product),
    M_IN("product_groups", OBJECTS, group), M_IN("relationships", OBJECTS, relationship));

/* Vulnerabilities. */
CLASS(cwe, 0, R_FORM("id", csaf_is_cwe), R("name", TEXT));
CLASS(flag, 0, M("date", TIME), M("group_ids", UNIQUE_TEXTS),
    R_WORD("label", "component_not_present inline_mitigations_already_exist "
    "vulnerable_code_cannot_be_controlled_by_adversary vulnerable_code_not_in_execute_path "
    "vulnerable_code_not_present"), M("product_ids", UNIQUE_TEXTS));
CLASS(id, 0, R("system_name", TEXT), R("text", TEXT));
CLASS(involvement, 0, M("date", TIME), R_WORD("party", PARTIES),
    R_WORD("status", "completed contact_attempted disputed in_progress not_contacted open"),
    M("summary", TEXT));
CLASS(status, 1, M("first_affected", UNIQUE_TEXTS), M("first_fixed", UNIQUE_TEXTS),
    M("fixed", UNIQUE_TEXTS), M("known_affected", UNIQUE_TEXTS), M("known_not_affected", UNIQUE_TEXTS),
    M("last_affected", UNIQUE_TEXTS), M("recommended", UNIQUE_TEXTS),
    M("under_investigation", UNIQUE_TEXTS));
CLASS(restart, 0, R_WORD("category", "connected dependencies machine none parent service system "
    "vulnerable_component zone"), M("details", TEXT));
CLASS(remediation, 0,
    R_WORD("category", "mitigation no_fix_planned none_available vendor_fix workaround"),
    M("date", TIME), R("details", TEXT), M("entitlements", TEXTS), M("group_ids", UNIQUE_TEXTS),
    M("product_ids", UNIQUE_TEXTS), M_IN("restart_required", OBJECT, restart), M("url", URI));
CLASS(score, 2, M("cvss_v2", ANY_OBJECT), M("cvss_v3", ANY_OBJECT), R("products", UNIQUE_TEXTS));
CLASS(threat, 0, R_WORD("category", "exploit_status impact target_set"), M("date", TIME),
    R("details", TEXT), M("group_ids", UNIQUE_TEXTS), M("product_ids", UNIQUE_TEXTS));
CLASS(vulnerability, 1, M_IN("acknowledgments", OBJECTS, acknowledgment), M_FORM("cve", csaf_is_cve),
    M_IN("cwe", OBJECT, cwe), M("discovery_date", TIME), M_IN("flags", UNIQUE_OBJECTS, flag),
    M_IN("ids", UNIQUE_OBJECTS, id), M_IN("involvements", UNIQUE_OBJECTS, involvement),
    M_IN("notes", OBJECTS, note), M_IN("product_status", OBJECT, status),
    M_IN("references", OBJECTS, reference), M("release_date", TIME),
    M_IN("remediations", OBJECTS, remediation), M_IN("scores", OBJECTS, score),
    M_IN("threats", OBJECTS, threat), M("title", TEXT));

CLASS(root_class, 0, R_IN("document", OBJECT, document), M_IN("product_tree", OBJECT, product_tree),
    M_IN("vulnerabilities", OBJECTS, vulnerability));

/* One walk. */
struct walk {
	struct arena	*mem;
	csaf_issue_fn	*report;
	void		*ctx;
	struct strbuf	 path;
	size_t		 issues;
};

/* Report something about the place that the walk is at. */
static void
say(struct walk *w, const char *code, enum err_code err, const char *reason)
{
	struct csaf_issue issue = { .code = code, .err = err };

	w->issues++;
	snprintf(issue.path, sizeof(issue.path), "%s", w->path.p);
	snprintf(issue.reason, sizeof(issue.reason), "%s", reason);
	w->report(w->ctx, &issue);
}

/* Check a text by its row. */
static void
check_text(struct walk *w, const json *v, const struct member *m)
{
	struct slice s = json_slice(v);

	if (!json_is_string(v))
		say(w, "BAD_TYPE_OF", ERR_VALUE, "this is a text");
	else if (s.n == 0)
		say(w, "EMPTY_TEXT", ERR_VALUE, "this text may not be empty");
	else if ((m->kind == URI || m->kind == URIS) && !csaf_is_uri(s))
		say(w, "BAD_URI", ERR_VALUE, "this is no URI");
	else if (m->kind == TIME && !csaf_is_time(s))
		say(w, "BAD_TIMESTAMP", ERR_VALUE, "this is no date-time with a zone (RFC 3339)");
	else if (m->kind == WORD && !csaf_has_word(m->words, s))
		say(w, "BAD_ENUM", ERR_VALUE, "this word is none of those that may stand here");
	else if (m->kind == FORM && !m->form(s))
		say(w, "BAD_FORMAT", ERR_VALUE, "this text has not the form that it must have");
}

static void	check_object(struct walk *w, const json *o, const struct class *c);

/* Check what stands in a list, or alone. */
static void
check_item(struct walk *w, const json *v, const struct member *m)
{
	if (m->kind < OBJECT)
		check_text(w, v, m);
	else if (!json_is_object(v))
		say(w, "BAD_TYPE_OF", ERR_VALUE, "this is an object");
	else if (m->class != NULL)
		check_object(w, v, m->class);
}

/* Report what stands in a list twice: equal texts have an equal canonical form. */
static void
check_unique(struct walk *w, const json *list)
{
	struct idmap seen = { 0 };
	size_t i = 0, at = w->path.n;

	for (const json *v = json_first(list); v != NULL; v = json_next(v), i++) {
		struct strbuf text = STRBUF_INIT;

		json_print_jcs(&text, v);
		idmap_add(&seen, w->mem, arena_slice(w->mem, strbuf_slice(&text)), i);
		strbuf_fini(&text);
	}
	idmap_sort(&seen);
	for (i = 1; i < seen.n; i++) {
		if (!slice_eq(seen.v[i].id, seen.v[i - 1].id))
			continue;
		strbuf_addf(&w->path, "[%zu]", seen.v[i].value);
		say(w, "DOUBLE_ITEM", ERR_DUPLICATE, "this stands in the list before");
		strbuf_setlen(&w->path, at);
	}
}

static bool
is_list_kind(enum kind k)
{
	return k == TEXTS || k == UNIQUE_TEXTS || k == URIS || k == OBJECTS || k == UNIQUE_OBJECTS;
}

/* Check one member by its row. */
static void
check_member(struct walk *w, const json *v, const struct member *m)
{
	size_t i = 0, at = w->path.n;

	if (!is_list_kind(m->kind)) {
		check_item(w, v, m);
		return;
	}
	if (!json_is_list(v)) {
		say(w, "BAD_TYPE_OF", ERR_VALUE, "this is a list");
		return;
	}
	if (json_first(v) == NULL)
		say(w, "EMPTY_LIST", ERR_VALUE, "a list without elements may not stand here");
	for (const json *k = json_first(v); k != NULL; k = json_next(k), i++) {
		strbuf_addf(&w->path, "[%zu]", i);
		check_item(w, k, m);
		strbuf_setlen(&w->path, at);
	}
	if (m->kind == UNIQUE_TEXTS || m->kind == UNIQUE_OBJECTS)
		check_unique(w, v);
}

/* Check an object by its class; members that the standard does not know may stand there. */
static void
check_object(struct walk *w, const json *o, const struct class *c)
{
	size_t at = w->path.n;

	if (json_count(o) < c->least)
		say(w, "EMPTY_OBJECT", ERR_MISSING, "this object needs more members");
	for (const struct member *m = c->members; m->name != NULL; m++) {
		const json *v = json_get(o, m->name);

		if (v == NULL && !m->required)
			continue;
		strbuf_addf(&w->path, "%s%s", at > 0 ? "." : "", m->name);
		if (v == NULL)
			say(w, "MISSING_PROPERTY", ERR_MISSING, "this is required");
		else
			check_member(w, v, m);
		strbuf_setlen(&w->path, at);
	}
}

/* See csaf_check.h. */
size_t
csaf_check_structure(const json *root, struct arena *mem, csaf_issue_fn *report, void *ctx)
{
	struct walk w = { .mem = mem, .report = report, .ctx = ctx, .path = STRBUF_INIT };

	if (json_is_object(root))
		check_object(&w, root, &root_class);
	else
		say(&w, "BAD_TYPE_OF", ERR_VALUE, "a CSAF document is a JSON object");
	strbuf_fini(&w.path);
	return w.issues;
}
