/* misp_write_residue.c -- labels of what is written, originals beside it, and the account. */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"

/* ---- labels ---- */

struct misp_label
mw_label_of(const struct mw_obj *ob)
{
	return (struct misp_label){ ob->tlp, ob->tlp == TLP_UNSET ? LABEL_ABSENT : LABEL_TLP,
		ob->handling, true };
}

void
mw_tag(struct mw *w, json *element, const char *name)
{
	json *tags = json_get(element, "Tag"), *tag;

	if (tags == NULL || !json_is_list(tags))
		tags = json_put(w->mem, element, "Tag", json_list(w->mem));
	for (json *t = json_first(tags); t != NULL; t = json_next(t))
		if (slice_is(json_member(t, "name"), name))
			return;
	tag = json_push(tags, json_object(w->mem));
	json_put_str(w->mem, tag, "name", slice_of(name));
}

/* Tag every attribute of an object, since an object has no tags; or the element itself. */
static void
tag_all(struct mw *w, json *element, const char *name)
{
	json *list = json_get(element, "Attribute");

	if (list == NULL || json_get(element, "info") != NULL) {
		mw_tag(w, element, name);
		return;
	}
	for (json *a = json_first(list); a != NULL; a = json_next(a))
		mw_tag(w, a, name);
}

/* The labels of the object that are no words of MISP's own, as tags. */
static void
put_labels(struct mw *w, json *element, const struct mw_obj *ob)
{
	json *list = json_get(element, "Attribute");
	json *to = list != NULL && json_get(element, "info") == NULL ? json_first(list) : element;

	for (json *l = json_first(json_get(ob->tree, "labels")); to != NULL && l != NULL;
	    l = json_next(l)) {
		struct slice s = json_slice(l);

		if (s.n > 0 && !slice_starts(s, "misp:") && !slice_is(s, "Threat-Report") &&
		    !misp_tag_is_label(s))
			mw_tag(w, to, arena_str(w->mem, s));
	}
}

/* The nearest word of MISP for a confidence of 0 to 100. */
static void
put_confidence(struct mw *w, json *element, const struct mw_obj *ob)
{
	static const char *const words[] = {
		"unconfident", "rarely-confident", "fairly-confident", "usually-confident",
		"completely-confident"
	};
	json *m = json_get(ob->tree, "confidence");
	int64_t n;

	if (!json_int(m, &n) || n < 0 || n > 100 || json_get(element, "Attribute") != NULL)
		return;
	mw_tag(w, element, arena_fmt(w->mem, "misp:confidence-level=\"%s\"", words[(n + 12) / 25]));
	ledger_mark(w->led, m, LOSS_APPROXIMATED, "as a tag");
}

void
mw_mark(struct mw *w, json *element, const struct mw_obj *ob, struct misp_label above)
{
	struct misp_label own = mw_label_of(ob);
	put_labels(w, element, ob);
	put_confidence(w, element, ob);
	if (own.tlp != above.tlp)
		tag_all(w, element, misp_tag_of(own.tlp));
	if (own.handling && !above.handling)
		tag_all(w, element, "tlp:ex:chr");
	json_put_int(w->mem, element, "distribution",
	    own.tlp >= TLP_AMBER_STRICT && own.tlp != above.tlp ? 0 : 5);
}

void
mw_raise(struct mw *w, json *element, const struct mw_obj *ob, struct misp_label above, bool event)
{
	struct misp_label own = mw_label_of(ob),
	    said = misp_label_join(above, misp_label_of(element, event));

	for (json *a = json_first(json_get(element, "Attribute")); a != NULL && !event;
	    a = json_next(a))
		said = misp_label_join(said, misp_label_of(a, false));
	if (own.handling && !said.handling)
		tag_all(w, element, "tlp:ex:chr");
	if (misp_label_covers(said, own))
		return;
	tag_all(w, element, misp_tag_of(own.tlp));
	if (own.tlp >= TLP_AMBER_STRICT)
		json_put_int(w->mem, element, "distribution", 0);
	loss_addf(w->job->loss, LOSS_GENERATED, "a stronger label", "%.*s", SLICE_ARG(ob->o->id));
}

/* ---- originals ---- */

/* Definitions that every node has, beside what came from MISP: the reader puts them there again. */
static bool
is_shipped(const struct mw_obj *ob)
{
	return tlp_of_marking_id(ob->o->id) != TLP_UNSET;
}

/* True if an event says all of it. */
static bool
needs_no_original(const struct mw *w, const struct mw_event *ev, const struct mw_obj *ob)
{
	if (ob->intact || (w->born && slice_is(ob->o->id, MISP_EXT)))
		return true;
	if (ev->container != NULL && ev->container->intact)
		return is_shipped(ob) ||
		    (ob->o->class == OBJECT_SCO && ob->done && ob->nnodes == 0);
	return false;
}

static json *
stix_attribute(
    struct mw *w, struct mw_event *ev, const char *comment, struct slice value, struct slice name)
{
	json *a = json_push(ev->attributes, json_object(w->mem));

	json_put_str(w->mem, a, "uuid", MISP_UUID(w->mem, comment, ev->uuid, name));
	json_put_str(w->mem, a, "type", SLICE_LIT("text"));
	json_put_str(w->mem, a, "category", SLICE_LIT("Other"));
	json_put_str(w->mem, a, "value", value);
	json_put_bool(w->mem, a, "to_ids", false);
	json_put_str(w->mem, a, "comment", slice_of(comment));
	json_put_bool(w->mem, a, "disable_correlation", true);
	json_put_str(w->mem, a, "timestamp", ev->stamp);
	return a;
}

/* The entry of the index: which elements were made of it, and what they were then. */
static void
add_entry(struct mw *w, json *list, const struct mw_obj *ob)
{
	json *entry = json_push(list, json_object(w->mem)), *uuids;
	char hash[65];

	json_put_str(w->mem, entry, "id", ob->o->id);
	json_put_str(w->mem, entry, "version", json_member(ob->tree, "modified"));
	uuids = json_put(w->mem, entry, "uuids", json_list(w->mem));
	for (size_t i = 0; i < ob->nnodes; i++)
		json_push(uuids, json_string(w->mem, json_member(ob->nodes[i], "uuid")));
	if (ob->nnodes == 0)
		return;
	misp_native_hash((const json *const *)ob->nodes, ob->nnodes, w->mem, hash);
	json_put_str(w->mem, entry, "sha256", slice_of(hash));
}

void
mw_residue(struct mw *w, struct mw_event *ev)
{
	json *index = json_object(w->mem), *list;
	const json *self = ev->node;
	struct strbuf text = STRBUF_INIT;
	char hash[65];
	size_t n = 0;

	if (w->job->no_residue)
		return;
	misp_native_hash(&self, 1, w->mem, hash);
	json_put_str(w->mem, index, "event", slice_of(hash));
	if (ev->container == NULL)
		json_put_bool(w->mem, index, "generated", true);
	json_put_str(w->mem, index, "bundle", w->job->adv->id);
	list = json_put(w->mem, index, "objects", json_list(w->mem));
	for (size_t i = 0; i < ev->nmembers; i++) {
		struct mw_obj *ob = ev->members[i];
		struct misp_label own = mw_label_of(ob);
		json *a;

		if (needs_no_original(w, ev, ob))
			continue;
		a = stix_attribute(w, ev, MISP_OBJECT_COMMENT, ob->o->bytes,
		    slice_of(arena_fmt(w->mem, "%.*s %.*s", SLICE_ARG(ob->o->id),
			SLICE_ARG(json_member(ob->tree, "modified")))));
		mw_tag(w, a, misp_tag_of(own.tlp));
		if (own.handling)
			mw_tag(w, a, "tlp:ex:chr");
		json_put_int(w->mem, a, "distribution", own.tlp >= TLP_AMBER_STRICT ? 0 : 5);
		add_entry(w, list, ob);
		n++;
	}
	if (n > 0 || ev->container == NULL) {
		json_print(&text, index);
		stix_attribute(w, ev, MISP_BUNDLE_COMMENT, strbuf_slice(&text), SLICE_EMPTY);
		strbuf_fini(&text);
	}
}

/* ---- the account ---- */

void
mw_account(struct mw *w)
{
	if (w->job->loss == NULL)
		return;
	for (size_t i = 0; i < w->n; i++) {
		struct mw_obj *ob = &w->v[i];
		const struct mw_event *ev = w->loose || ob->event < 0 ? NULL : &w->events[ob->event];

		if (!w->loose && ev == NULL)
			continue;	/* another batch has it */
		if (w->loose || needs_no_original(w, ev, ob))
			ledger_mark(w->led, ob->tree, LOSS_KEPT, NULL);
		ledger_account(w->led, w->job->loss, ob->tree, arena_str(w->mem, ob->o->id),
		    w->job->no_residue ? LOSS_DROPPED : LOSS_MOVED, w->job->no_residue ?
		    "MISP has no place for it" : "an attribute stix-object");
	}
}
