/* stix1_read.c -- the STIX 1.x reader: from text to objects, see stix1_read.h. */
#include "formats/stix1_originals.h"

#include "formats/shipped.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { PREFIXES_MAX = 2000 };

/* Number of namespace declarations in n and below. */
static size_t
count_prefixes(const struct xml_node *n)
{
	size_t count = 0;

	for (const struct xml_decl *d = n->decls; d != NULL; d = d->next)
		count++;
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		count += count_prefixes(k);
	return count;
}

/* Parse, and see that it is STIX 1.x or CybOX. */
static int
open_document(struct s1 *s, struct err *e)
{
	struct xml_limits lim = { .bytes = s->job->limits.bytes, .depth = s->job->limits.depth };
	enum stix1_family family;

	if (s->job->limits.objects > 0)
		lim.elements = s->job->limits.objects * 100;
	if (s->doc == NULL && xml_parse(s->job->in, &lim, s->mem, &s->doc, e) < 0)
		return -1;
	family = stix1_family(s->doc->ns);
	if (!(family == STIX1_STIX && slice_is(s->doc->name, "STIX_Package")) &&
	    !(family == STIX1_CYBOX && slice_is(s->doc->name, "Observables")))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(s->doc),
		    "the root element is %.60s of namespace \"%.80s\", not a STIX_Package or Observables",
		    s->doc->name.p, s->doc->ns.p);
	/* every piece that is kept by itself looks for the prefixes it needs among all of them */
	if (count_prefixes(s->doc) > PREFIXES_MAX)
		return err_at(e, ERR_LIMIT, xml_pos(s->doc), "more than %d namespace declarations",
		    PREFIXES_MAX);
	return 0;
}

/* bundle--UUIDv5 over the digest of the input: the same document, the same bundle. */
static void
name_advisory(struct s1 *s)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	format_digest(s->job, digest);
	memcpy(&s->seed, digest, sizeof(s->seed));
	hex_text(digest, SHA256_LEN, hex);
	s->digest = arena_slice(s->mem, slice_of(hex));
	s->adv->id = s1_id(s, "bundle", S1_UUID(s, SLICE_LIT("document"), s->digest));
}

static void (*const readers[S1_KINDS])(struct s1 *, struct s1_unit *) = {
	[S1_PACKAGE] = s1_read_package, [S1_REPORT] = s1_read_report,
	[S1_INDICATOR] = s1_read_indicator, [S1_TTP] = s1_read_ttp, [S1_TARGET] = s1_read_target,
	[S1_INCIDENT] = s1_read_incident, [S1_COA] = s1_read_coa, [S1_CAMPAIGN] = s1_read_campaign,
	[S1_ACTOR] = s1_read_actor, [S1_OBSERVABLE] = s1_read_observable,
};

/* The lists that units stand in say nothing more. */
static void
keep_around(const struct s1_unit *u)
{
	for (struct xml_node *p = u->node->parent; p != NULL && u->up != NULL && p != u->up->node;
	    p = p->parent)
		if (p->mark == XML_UNSEEN)
			p->mark = XML_KEPT;
}

/* All objects of the document into s->objs. */
static int
derive(struct s1 *s, struct err *e)
{
	s1_find_units(s);
	s1_read_times(s);
	s1_find_markings(s);
	s1_originals_take(s);
	if (s->originals.intact)
		return 0;
	if (s1_check(s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->nunits; i++)
		if (!s->units[i]->refused)
			s1_read_source(s, s->units[i]);
	for (size_t i = 0; i < s->nunits; i++) {
		struct s1_unit *u = s->units[i];

		if (u->refused)
			continue;
		u->node->mark = XML_KEPT;
		s1_keep_type(u->node);
		readers[u->kind](s, u);
		s1_label_faces(s, u);
		if (u->faces.n > 0)
			keep_around(u);
	}
	s1_relate_units(s);
	s1_fill_reports(s);
	s1_originals_merge(s);
	if (s1_is_full(s))
		return err_at(e, ERR_LIMIT, xml_pos(s->doc), "the document gives too many objects");
	if (s->untimed)
		return err_at(e, ERR_MISSING, xml_pos(s->doc),
		    "the document has no time, and no time of receipt was given");
	return 0;
}

static int
mint_one(struct s1 *s, struct s1_obj *ob, struct err *e)
{
	struct object *o;

	if (advisory_add_marking(s->adv, s->mem, ob->label.tlp) < 0 ||
	    advisory_add_marking(s->adv, s->mem, ob->label.floor) < 0 ||
	    (ob->residue != NULL && advisory_add_extension(s->adv, s->mem, EXTENSION_STIX1) < 0) ||
	    advisory_mint(s->adv, s->mem, ob->tree, e) < 0) {
		err_context(e, "%s", ob->id.p);
		return -1;
	}
	o = &s->adv->objects[s->adv->n - 1];
	if (ob->label.label == LABEL_UNREADABLE)
		o->label = LABEL_UNREADABLE;
	return 0;
}

/* Statement markings first: what is minted looks up what marks it. */
static int
mint(struct s1 *s, struct err *e)
{
	for (int definitions = 1; definitions >= 0; definitions--)
		for (size_t i = 0; i < s->objs.n; i++) {
			struct s1_obj *ob = s->objs.v[i];

			if (!ob->dead && ob->definition == (definitions == 1) && mint_one(s, ob, e) < 0)
				return -1;
		}
	return 0;
}

/* The document says nothing that its originals do not. */
static int
restore(struct s1 *s, struct err *e)
{
	s1_originals_show(s, true);
	xml_mark_all(s->doc, XML_KEPT);
	s1_account(s);
	if (s1_originals_emit(s, e) < 0)
		return -1;
	advisory_settle(s->adv, s->mem);
	return 0;
}

/* What no object can carry. */
static void
drop_rest(struct s1 *s, struct xml_node *n)
{
	if (s->originals.n == 0) {
		xml_mark_all(n, XML_DROPPED);
		return;
	}
	if (n->mark == XML_UNSEEN)
		n->mark = XML_DROPPED;
	for (struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		if (a->mark == XML_UNSEEN)
			a->mark = XML_DROPPED;
	for (struct xml_node *k = n->first; k != NULL; k = k->next)
		drop_rest(s, k);
}

/* The whole way from text to objects. */
static int
read_document(struct s1 *s, struct err *e)
{
	struct s1_obj *bearer;

	if (open_document(s, e) < 0)
		return -1;
	name_advisory(s);
	if (derive(s, e) < 0)
		return -1;
	if (s->originals.intact)
		return restore(s, e);
	bearer = s1_bearer(s);
	if (bearer == NULL)
		drop_rest(s, s->doc);
	s1_originals_show(s, true);
	s1_account(s);
	s1_originals_show(s, false);
	s1_raise_holders(s, bearer);
	for (size_t i = 0; i < s->objs.n; i++)
		s1_write_label(s, s->objs.v[i]);
	s1_keep(s);
	if (mint(s, e) < 0 || s1_originals_emit(s, e) < 0)
		return -1;
	advisory_settle(s->adv, s->mem);
	return 0;
}

/* See stix1.h. */
int
stix1_read_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc, const char *path,
    struct advisory *adv, struct err *e)
{
	struct s1 s = { .job = job, .mem = mem, .adv = adv, .doc = doc, .path = path };
	struct err why = ERR_INIT;

	if (read_document(&s, &why) == 0)
		return 0;
	err_input(&why, job->input);
	*e = why;
	return -1;
}

/* See format.h. */
int
stix1_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	return stix1_read_tree(job, mem, NULL, "", adv, e);
}
