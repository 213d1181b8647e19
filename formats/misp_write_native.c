/* misp_write_native.c -- indicators and observables become attributes and objects. See misp_write.h. */
#include "formats/misp_write.h"
#include "formats/pattern.h"
#include "gateway/base/arena.h"

enum { ROOTS_MAX = 256, REFS_MAX = 1000 };

/* ---- indicators ---- */

/* The type of attribute for a pattern in this language. */
static const char *
type_of_rule(struct slice language)
{
	for (const struct misp_type *t = misp_types; t->name != NULL; t++)
		if (t->fate == MISP_RULE && t->home && slice_is(language, t->rule))
			return t->name;
	return "other";
}

/* A rule without the brackets that misp-stix puts around. */
static struct slice
bare_rule(struct slice rule, bool labelled)
{
	if (labelled && rule.n > 2 && rule.p[0] == '[' && rule.p[rule.n - 1] == ']')
		return slice_from(rule.p + 1, rule.n - 2);
	return rule;
}

/* An alternative each; what they are of is in the comment. */
static void
write_alternatives(struct mw *w, struct mw_event *ev, struct mw_obj *ob, struct misp_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct misp_type *t = mw_type_of_fact(w, &f->v[i]);
		struct slice value = f->v[i].value;
		json *a;

		if (t == NULL)
			continue;
		if (t->part[0].value == MISP_ASN)
			value = slice_of(arena_fmt(w->mem, "AS%.*s", SLICE_ARG(value)));
		a = mw_attribute(w, ev, ob, t->name, value, i == 0 ? misp_uuid_of_id(ob->o->id) :
		    MISP_UUID(w->mem, "attribute", ev->uuid, ob->o->id, value), true);
		json_put_str(w->mem, a, "comment", ob->o->id);
	}
}

void
mw_indicator(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct slice language = json_member(ob->tree, "pattern_type"),
	    text = json_member(ob->tree, "pattern");
	struct slice uuid = misp_uuid_of_id(ob->o->id), type = mw_label(ob->tree, "type");
	const struct misp_type *t = misp_type_find(type);
	struct misp_facts f = { 0 };
	const struct pat_node *p = NULL;
	bool alternatives = false;

	if (text.n == 0)
		return;
	mw_take(w, ob->tree, "pattern");
	mw_take(w, ob->tree, "pattern_type");
	if (language.n > 0 && !slice_is(language, "stix")) {
		const struct misp_template *object = misp_template_find(mw_label(ob->tree, "name"));
		bool known = t != NULL && t->fate == MISP_RULE;

		if (object != NULL && object->sdo != NULL) {
			mw_template(w, ev, ob, object);
			return;
		}
		mw_attribute(w, ev, ob, known ? t->name : type_of_rule(language),
		    bare_rule(text, known), uuid, true);
		return;
	}
	p = pattern_parse(text, w->mem, NULL);
	if (p != NULL && !slice_is(type, "stix2-pattern"))
		misp_facts_of_pattern(&f, w->mem, p, &alternatives);
	if (f.n > 0 && f.all && mw_write_labelled(w, ev, ob, &f, true))
		return;
	if (f.n > 0 && f.all && alternatives && mw_type_of_fact(w, &f.v[0]) != NULL) {
		write_alternatives(w, ev, ob, &f);
		return;
	}
	if (f.n > 0 && f.all && !alternatives && mw_write_facts(w, ev, ob, &f, uuid, true))
		return;
	mw_attribute(w, ev, ob, "stix2-pattern", text, uuid, true);
}

/* ---- observables ---- */

/* True if another observable of the list refers to it. */
static bool
is_named_by(struct mw *w, const json *refs, struct slice id)
{
	size_t most = REFS_MAX;

	for (json *k = json_first(refs); k != NULL && most-- > 0; k = json_next(k)) {
		json *tree = mw_find_tree(w, json_slice(k));

		for (json *m = json_first(tree); m != NULL; m = json_next(m)) {
			if (slice_ends(slice_of(json_name(m)), "_ref") &&
			    slice_eq(json_slice(m), id))
				return true;
			if (json_is_list(m))
				for (json *l = json_first(m); l != NULL; l = json_next(l)) {
					if (slice_eq(json_slice(l), id) ||
					    slice_eq(json_member(l, "body_raw_ref"), id))
						return true;
				}
		}
	}
	return false;
}

/* Observables that facts came from are said, and what they are said by is theirs too. */
static void
share_nodes(struct mw *w, const struct misp_facts *f, const struct mw_obj *ob)
{
	for (size_t i = 0; i < f->n; i++) {
		struct mw_obj *of = f->v[i].owner == NULL ? NULL :
		    mw_find(w, json_member(f->v[i].owner, "id"));

		if (of == NULL || of == ob || of->event != ob->event)
			continue;
		of->done = true;
		mw_take(w, of->tree, "type");
		for (size_t k = 0; k < ob->nnodes; k++)
			mw_came_of(w, of, ob->nodes[k]);
	}
}

/* Protocols that stand there because something has to. */
static void
drop_default(struct misp_facts *f)
{
	size_t kept = 0, protocols = 0;

	for (size_t i = 0; i < f->n; i++)
		protocols += slice_ends(f->v[i].path, "protocols[*]");
	for (size_t i = 0; i < f->n; i++)
		if (protocols != 1 || f->n < 2 ||
		    !slice_is(f->v[i].path, "network-traffic:protocols[*]") ||
		    !slice_is(f->v[i].value, "tcp"))
			f->v[kept++] = f->v[i];
	f->n = kept;
}

static struct slice
data_of(const struct misp_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_ends(f->v[i].path, "payload_bin"))
			return f->v[i].value;
	return SLICE_EMPTY;
}

void
mw_observed(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	const json *refs = json_get(ob->tree, "object_refs");
	struct misp_facts all = { .all = true };
	json *roots[ROOTS_MAX];
	size_t n = 0, most = REFS_MAX;

	for (json *k = json_first(refs); k != NULL && n < ROOTS_MAX && most-- > 0; k = json_next(k)) {
		json *tree = mw_find_tree(w, json_slice(k));

		if (tree != NULL && !is_named_by(w, refs, json_slice(k)))
			roots[n++] = tree;
	}
	for (size_t i = 0; i < n; i++)
		misp_facts_of_sco(&all, w->mem, roots[i], mw_find_tree, w);
	if (mw_label(ob->tree, "type").n > 0 || mw_label(ob->tree, "name").n > 0) {
		if (mw_write_labelled(w, ev, ob, &all, false)) {
			struct slice data = data_of(&all);

			if (data.n > 0 && json_get(ob->nodes[0], "Attribute") == NULL)
				json_put_str(w->mem, ob->nodes[0], "data", data);
			share_nodes(w, &all, ob);
			return;
		}
	}
	for (size_t i = 0; i < n; i++) {
		struct mw_obj *of = mw_find(w, json_member(roots[i], "id"));
		struct misp_facts f = { .all = true };
		bool here = of != NULL && of->event == ob->event;
		/* Of several, each for itself, unless it is another event's: uuids are used once. */
		struct mw_obj *as = n == 1 || !here ? ob : of;

		if (of == NULL || (here && of->done))
			continue;
		misp_facts_of_sco(&f, w->mem, roots[i], mw_find_tree, w);
		drop_default(&f);
		if (!mw_write_facts(w, ev, as, &f, misp_uuid_of_id(as->o->id), false))
			continue;
		share_nodes(w, &f, as);
		for (size_t k = 0; as != of && k < as->nnodes; k++)
			mw_raise(w, as->nodes[k], of, ev->label, false);
		for (size_t k = 0; as == of && k < of->nnodes; k++)
			mw_came_of(w, ob, of->nodes[k]);
		of->done = of->done || here;
	}
}

void
mw_observable(struct mw *w, struct mw_event *ev, struct mw_obj *ob)
{
	struct misp_facts f = { .all = true };

	if (ob->done)
		return;
	misp_facts_of_sco(&f, w->mem, ob->tree, mw_find_tree, w);
	drop_default(&f);
	if (mw_write_facts(w, ev, ob, &f, misp_uuid_of_id(ob->o->id), false))
		share_nodes(w, &f, ob);
}
