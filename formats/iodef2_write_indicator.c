/* iodef2_write_indicator.c -- indicator -> IndicatorData/Indicator (mapping.md 2.3). */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* The id that the indicator had in IODEF, else its STIX id; xs:ID either way, and used once. */
static void
write_id(struct iw *w, struct iw_obj *ob, struct xml_node *parent)
{
	static const char prefix[] = "iodef-indicator:";
	struct slice name = SLICE_EMPTY, id = SLICE_EMPTY, version = SLICE_LIT("1"), s;
	struct xml_node *n;
	json *ref;
	size_t i;

	for (ref = json_first(json_get(ob->o->tree, "external_references")), i = 0; ref != NULL;
	    ref = json_next(ref), i++) {
		s = json_member(ref, "source_name");
		if (!slice_starts(s, prefix) || !iw_is_ncname(json_member(ref, "external_id")))
			continue;
		name = slice_from(s.p + sizeof(prefix) - 1, s.n - sizeof(prefix) + 1);
		id = json_member(ref, "external_id");
		s = json_member(ref, "description");
		if (slice_starts(s, "version "))
			version = slice_from(s.p + 8, s.n - 8);
		iw_markf(w, ob, LOSS_KEPT, "external_references[%zu]", i);
		break;
	}
	if (id.n == 0 || !iw_take_id(w, id)) {
		id = ob->o->id;
		iw_take_id(w, id);
		iw_mark(w, ob, LOSS_KEPT, "id");
	}
	n = iw_leaf(w, parent, "IndicatorID", id);
	xml_set(w->mem, n, "name", name.n > 0 ? name : slice_of(w->job->csirt));
	xml_set(w->mem, n, "version", version);
}

/* What the other end of `indicates` is, for tools that follow ids. */
static void
write_indicates(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	const struct iw_ref *rows;
	struct xml_node *role, *x;
	struct iw_obj *to;
	struct slice target;
	size_t i, nrows;
	json *t;

	rows = iw_rows(&w->by_source, ob->o->id, &nrows);
	for (i = 0; i < nrows; i++) {
		if (!slice_is(json_member(rows[i].obj->o->tree, "relationship_type"), "indicates"))
			continue;
		target = json_member(rows[i].obj->o->tree, "target_ref");
		x = iw_extra(w, n, "string", "indicates", target);
		iw_restrict(w, x, iw_label_join(iw_label(ob->o), iw_label(rows[i].obj->o)));
		to = iw_find(w, target);
		/* NodeRole has no restriction of its own */
		if (to == NULL || !slice_is(to->o->type, "infrastructure") ||
		    !iw_label_covers(iw_label_at(n), iw_label(to->o)) ||
		    !iw_label_covers(iw_label_at(n), iw_label(rows[i].obj->o)))
			continue;
		t = json_first(json_get(to->o->tree, "infrastructure_types"));
		for (; t != NULL; t = json_next(t)) {
			if (!slice_is(json_slice(t), "command-and-control") ||
			    xml_get(n, "NodeRole") != NULL)
				continue;
			role = iw_el(w, n, "NodeRole");
			iw_set(w, role, "category", "c2-server");
		}
	}
}

static void
write_phases(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	struct slice chain, phase, text;
	size_t i;
	json *k;

	k = json_first(json_get(ob->o->tree, "kill_chain_phases"));
	for (i = 0; k != NULL; k = json_next(k), i++) {
		chain = json_member(k, "kill_chain_name");
		phase = json_member(k, "phase_name");
		text = slice_of(arena_fmt(w->mem, "%.*s:%.*s", SLICE_ARG(chain), SLICE_ARG(phase)));
		iw_leaf(w, iw_el(w, n, "AttackPhase"), "AttackPhaseID", text);
		if (iw_exact(text, IW_LINE) && memchr(chain.p, ':', chain.n) == NULL) {
			iw_markf(w, ob, LOSS_KEPT, "kill_chain_phases[%zu].kill_chain_name", i);
			iw_markf(w, ob, LOSS_KEPT, "kill_chain_phases[%zu].phase_name", i);
		}
	}
}

/* "a,b" of a list of strings; false if a value holds a comma or a blank at its ends. */
static bool
join_list(const json *list, struct strbuf *out)
{
	bool exact = true;
	const json *v;

	for (v = json_first(list); v != NULL; v = json_next(v)) {
		struct slice s = json_slice(v);

		if (out->n > 0)
			strbuf_addc(out, ',');
		strbuf_addsl(out, s);
		exact = exact && iw_exact(s, IW_LINE) && memchr(s.p, ',', s.n) == NULL;
	}
	return exact;
}

static void
write_types(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	struct strbuf b = STRBUF_INIT;
	bool exact = join_list(json_get(ob->o->tree, "indicator_types"), &b);

	if (b.n > 0) {
		iw_extra(w, n, "csv", "indicator_types", strbuf_slice(&b));
		iw_mark(w, ob, exact ? LOSS_KEPT : LOSS_APPROXIMATED, "indicator_types");
	}
	strbuf_fini(&b);
}

/* A pattern that IODEF has no classes for, word for word. */
static void
write_detection(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	struct slice type = json_member(ob->o->tree, "pattern_type");
	struct slice version = json_member(ob->o->tree, "pattern_version");
	struct slice pattern = json_member(ob->o->tree, "pattern");
	struct xml_node *dp, *app;

	dp = iw_el(w, iw_el(w, n, "Observable"), "DetectionPattern");
	app = iw_el(w, dp, "Application");
	if (type.n == 0)
		type = SLICE_LIT("stix");
	if (version.n > 0)
		type = slice_of(arena_fmt(w->mem, "%.*s %.*s", SLICE_ARG(type),
		    SLICE_ARG(version)));
	iw_leaf(w, app, "Description", type);
	iw_leaf(w, dp, "DetectionConfiguration", pattern);
	iw_mark(w, ob, iw_exact(pattern, IW_TEXT) ? LOSS_KEPT : LOSS_APPROXIMATED, "pattern");
	iw_mark(w, ob, LOSS_KEPT, "pattern_type");
	iw_mark(w, ob, LOSS_KEPT, "pattern_version");
}

static void
write_pattern(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	struct slice type = json_member(ob->o->tree, "pattern_type");
	struct slice text = json_member(ob->o->tree, "pattern");
	struct pat_node *p = NULL;
	struct strbuf again = STRBUF_INIT;
	bool exact;

	if (type.n == 0 || slice_is(type, "stix"))
		p = pattern_parse(text, w->mem, NULL);
	if (p == NULL || !iw_write_pattern(w, n, p, &exact)) {
		write_detection(w, ob, n);
		return;
	}
	/* another spelling of the same meaning comes back */
	pattern_print(&again, p);
	iw_mark(w, ob, exact && slice_eq(strbuf_slice(&again), text) ? LOSS_KEPT :
	    LOSS_APPROXIMATED, "pattern");
	iw_mark(w, ob, LOSS_KEPT, "pattern_type");
	iw_mark(w, ob, LOSS_KEPT, "pattern_version");
	strbuf_fini(&again);
}

/* Whoever made the indicator, if it was not who made the Incident. */
static void
write_creator(struct iw *w, struct iw_incident *inc, struct iw_obj *ob, struct xml_node *n)
{
	struct iw_obj *creator = iw_find(w, json_member(ob->o->tree, "created_by_ref"));

	if (creator == NULL || !slice_is(creator->o->type, "identity"))
		return;
	iw_mark(w, ob, LOSS_APPROXIMATED, "created_by_ref");
	if (creator == inc->creator)
		return;
	iw_write_contact(w, creator, n, "creator", NULL);
}

/* The end of validity; a revoked indicator ended when it was revoked. */
static void
write_end(struct iw *w, struct iw_obj *ob, struct xml_node *n)
{
	bool exact;

	if ((ob->o->flags & OBJECT_REVOKED) == 0) {
		iw_prop_time(w, ob, n, "EndTime", "valid_until");
		return;
	}
	if (iw_time(w, n, "EndTime", json_member(ob->o->tree, "modified"), &exact) != NULL)
		iw_mark(w, ob, LOSS_APPROXIMATED, "revoked");
}

void
iw_write_indicator(struct iw *w, struct iw_incident *inc, struct iw_obj *ob)
{
	struct xml_node *list = iw_only(w, &inc->indicators, inc->node, "IndicatorData");
	struct xml_node *n = iw_el(w, list, "Indicator");

	iw_claim(w, ob, n);
	iw_mark_kind(w, ob, false);
	iw_restrict(w, n, iw_label(ob->o));
	write_id(w, ob, n);
	iw_descriptions(w, ob, n, false);
	iw_prop_time(w, ob, n, "StartTime", "valid_from");
	write_end(w, ob, n);
	iw_confidence(w, ob, n);
	write_creator(w, inc, ob, n);
	write_pattern(w, ob, n);
	write_phases(w, ob, n);
	iw_references(w, ob, n);
	write_types(w, ob, n);
	write_indicates(w, ob, n);
}
