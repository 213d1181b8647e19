/*
 * misp_write.c -- events out of reports and groupings. See misp_write.h.
 *
 * One event is written as {"Event": {...}}, what MISP exports and imports for one; several as {"response":
 * [{"Event": ...}, ...]}, what a search gives. Objects that no report names get an event of their own.
 */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

/* ---- opening an event ---- */

/* The latest of the objects' times, else the time of arrival. */
struct slice
mw_latest_time(struct mw *w, const struct mw_event *ev)
{
	struct slice best = SLICE_EMPTY, key = SLICE_EMPTY, k;

	for (size_t i = 0; i < ev->nmembers; i++) {
		struct slice at = json_member(ev->members[i]->tree, "modified");

		if (!stamp_key(w->mem, at, &k) || slice_cmp(k, key) <= 0)
			continue;
		best = at;
		key = k;
	}
	return best.n > 0 ? best : w->job->received.n > 0 ? w->job->received :
	    SLICE_LIT("1970-01-01T00:00:00Z");
}

static struct slice
seconds_text(struct mw *w, struct slice stamp)
{
	int64_t seconds;

	if (!misp_seconds(stamp, &seconds) || seconds < 0)
		return SLICE_LIT("0");
	return slice_of(arena_fmt(w->mem, "%lld", (long long)seconds));
}

/* Who made it, unless that is for fewer eyes than the event. */
static void
put_creator(struct mw *w, struct mw_event *ev)
{
	struct mw_obj *who = mw_find(w, ev->container->o->created_by);
	json *org;

	if (who == NULL || !misp_label_covers(ev->label, mw_label_of(who)))
		return;
	org = json_put(w->mem, ev->node, "Orgc", json_object(w->mem));
	json_put_str(w->mem, org, "name", json_slice(json_get(who->tree, "name")));
	json_put_str(w->mem, org, "uuid", misp_uuid_of_id(who->o->id));
	if (who->event == ev->container->event) {	/* else another event says it */
		mw_take(w, who->tree, "name");
		mw_take(w, who->tree, "id");
	}
	mw_take(w, ev->container->tree, "created_by_ref");
}

/* Levels of threat are words of MISP's own taxonomies in labels; what is not said is undefined. */
static void
put_head(struct mw *w, struct mw_event *ev, struct slice info, struct slice created,
    struct slice published)
{
	json *e = ev->node;

	json_put_str(w->mem, e, "uuid", ev->uuid);
	json_put_str(w->mem, e, "info", info);
	json_put_str(w->mem, e, "date", slice_from(created.p, created.n < 10 ? created.n : 10));
	json_put_str(w->mem, e, "timestamp", ev->stamp);
	json_put_str(w->mem, e, "threat_level_id", SLICE_LIT("4"));
	json_put_str(w->mem, e, "analysis", SLICE_LIT("2"));
	json_put_bool(w->mem, e, "published", published.n > 0);
	if (published.n > 0)
		json_put_str(w->mem, e, "publish_timestamp", seconds_text(w, published));
	json_put_int(w->mem, e, "distribution", misp_distribution_of(ev->label.tlp));
	if (ev->label.tlp != TLP_UNSET)
		mw_tag(w, e, misp_tag_of(ev->label.tlp));
	if (ev->label.handling)
		mw_tag(w, e, "tlp:ex:chr");
}

/* A container that was not made of an event, or was edited since. */
static void
open_native(struct mw *w, struct mw_event *ev)
{
	static const char *const said[] = {
		"type", "id", "name", "modified", "published", "labels", "object_marking_refs",
		"object_refs"
	};
	struct mw_obj *ob = ev->container;
	struct slice name = json_member(ob->tree, "name"),
	    text = json_member(ob->tree, "description");
	json *report;

	ev->node = json_object(w->mem);
	ev->label = mw_label_of(ob);
	ev->stamp = seconds_text(w, ob->o->version);
	for (size_t i = 0; i < COUNTOF(said); i++)
		mw_take(w, ob->tree, said[i]);
	put_head(w, ev, name.n > 0 ? name : ob->o->id, json_member(ob->tree, "created"),
	    json_member(ob->tree, "published"));
	put_creator(w, ev);
	for (json *l = json_first(json_get(ob->tree, "labels")); l != NULL; l = json_next(l)) {
		struct slice s = json_slice(l);

		if (s.n > 0 && !slice_starts(s, "misp:") && !slice_is(s, "Threat-Report") &&
		    !misp_tag_is_label(s))
			mw_tag(w, ev->node, arena_str(w->mem, s));
	}
	ev->reports = json_list(w->mem);
	if (text.n == 0)
		return;
	mw_take(w, ob->tree, "description");
	report = json_push(ev->reports, json_object(w->mem));
	json_put_str(w->mem, report, "uuid",
	    MISP_UUID(w->mem, "event-report", ev->uuid, SLICE_LIT("description")));
	json_put_str(w->mem, report, "name", name);
	json_put_str(w->mem, report, "content", text);
	json_put_int(w->mem, report, "distribution", 5);
	mw_came_of(w, ob, report);
}

/* The event that the container was made of, as it was; or with what it knew beyond. */
static void
open_kept(struct mw *w, struct mw_event *ev)
{
	json *part = mw_kept_part(w, ev->container);

	if (ev->container->intact) {
		ev->node = part;
		mw_raise(w, part, ev->container,
		    (struct misp_label){ TLP_UNSET, LABEL_ABSENT, false, false }, true);
		ev->label = misp_label_of(part, true);
		ev->stamp = misp_text(w->mem, part, "timestamp");
		ev->reports = json_list(w->mem);
		return;
	}
	open_native(w, ev);
	mw_put_event_rest(w, ev, part);
}

static void
open_event(struct mw *w, struct mw_event *ev)
{
	struct slice at, own;

	if (ev->container == NULL) {
		at = mw_latest_time(w, ev);
		own = misp_uuid_of_id(w->job->adv->id);
		ev->node = json_object(w->mem);
		ev->uuid = MISP_UUID(w->mem, "event", own);
		ev->stamp = seconds_text(w, at);
		put_head(w, ev, SLICE_LIT("Objects that no report names"), at, SLICE_EMPTY);
		ev->reports = json_list(w->mem);
	} else {
		ev->uuid = misp_uuid_of_id(ev->container->o->id);
		if (ev->container->kind == MW_EVENT)
			open_kept(w, ev);
		else
			open_native(w, ev);
	}
	ev->attributes = json_list(w->mem);
	ev->objects = json_list(w->mem);
	ev->galaxies = json_list(w->mem);
}

/* ---- filling it ---- */

static void
put_object(struct mw *w, struct mw_event *ev, struct mw_obj *ob, int pass)
{
	struct slice type = ob->o->type;
	bool link = ob->o->class == OBJECT_SRO || slice_is(type, "opinion");
	int when = link ? 3 : ob->o->class == OBJECT_SCO ? 2 : 1;

	if (when != pass || ob->container || ob->o->class == OBJECT_META ||
	    mw_find(w, ob->o->id) != ob)
		return;
	if (ob->residue != NULL && ob->intact)
		return;
	if (link)
		mw_link(w, ev, ob);
	else if (ob->o->class == OBJECT_SCO)
		mw_observable(w, ev, ob);
	else if (slice_is(type, "indicator"))
		mw_indicator(w, ev, ob);
	else if (slice_is(type, "observed-data"))
		mw_observed(w, ev, ob);
	else
		mw_sdo(w, ev, ob);
	if (ob->residue != NULL)
		mw_put_rest(w, ev, ob);
}

/* Put a list in unless it is empty and the event had none. */
static void
put_list(struct mw *w, json *event, const char *name, json *list, bool always)
{
	if (always || json_first(list) != NULL || json_get(event, name) != NULL)
		json_put(w->mem, event, name, list);
}

json *
mw_write_event(struct mw *w, struct mw_event *ev)
{
	json *wrapper, *had;
	bool kept;

	open_event(w, ev);
	kept = ev->container != NULL && ev->container->intact;
	for (size_t i = 0; i < ev->nmembers; i++)
		if (!ev->members[i]->container)
			mw_put_kept(w, ev, ev->members[i]);
	for (int pass = 1; pass <= 3; pass++)
		for (size_t i = 0; i < ev->nmembers; i++)
			put_object(w, ev, ev->members[i], pass);
	had = json_get(ev->node, "Galaxy");
	for (json *g; had != NULL && (g = json_first(ev->galaxies)) != NULL;) {
		json_detach(ev->galaxies, g);
		json_push(had, g);
	}
	mw_residue(w, ev);
	put_list(w, ev->node, "Attribute", ev->attributes, !kept);
	put_list(w, ev->node, "Object", ev->objects, !kept);
	put_list(w, ev->node, "EventReport", ev->reports, false);
	if (had == NULL)
		put_list(w, ev->node, "Galaxy", ev->galaxies, false);
	wrapper = json_object(w->mem);
	json_put(w->mem, wrapper, "Event", ev->node);
	return wrapper;
}

/* ---- the document ---- */

/* Attributes and objects of a search: as the search gave them. */
static json *
write_loose(struct mw *w)
{
	json *root = json_object(w->mem), *response, *list = json_list(w->mem);
	bool objects = false;

	for (size_t i = 0; i < w->n; i++) {
		json *a = w->v[i].kind == MW_ATTRIBUTE ? json_copy(w->mem, w->v[i].part) : NULL;
		json *o = w->v[i].kind == MW_OBJECT ? json_copy(w->mem, w->v[i].part) : NULL;

		if (a != NULL || o != NULL)
			mw_raise(w, a != NULL ? a : o, &w->v[i],
			    (struct misp_label){ TLP_UNSET, LABEL_ABSENT, false, false }, false);
		if (a != NULL) {
			json_push(list, a);
		} else if (o != NULL) {
			json_put(w->mem, json_push(list, json_object(w->mem)), "Object", o);
			objects = true;
		}
	}
	if (objects) {
		json_put(w->mem, root, "response", list);
	} else {
		response = json_put(w->mem, root, "response", json_object(w->mem));
		json_put(w->mem, response, "Attribute", list);
	}
	return root;
}

static json *
write_events(struct mw *w)
{
	json *root, *list;

	if (w->nevents == 1 && w->n > 0)
		return mw_write_event(w, &w->events[0]);
	root = json_object(w->mem);
	list = json_put(w->mem, root, "response", json_list(w->mem));
	for (size_t i = 0; i < w->nevents && w->n > 0; i++)
		json_push(list, mw_write_event(w, &w->events[i]));
	return root;
}

int
misp_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct mw w = { 0 };
	json *root;

	if (mw_open(&w, job, mem, e) < 0)
		return -1;
	mw_plan(&w);
	root = w.loose ? write_loose(&w) : write_events(&w);
	json_print(out, root);
	strbuf_addc(out, '\n');
	mw_account(&w);
	return 0;
}
