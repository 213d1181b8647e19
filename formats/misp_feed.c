/*
 * misp_feed.c -- a collection as the files of a MISP feed, in one text that is easily taken apart.
 *
 *	left-out N CODE ID	if objects could not be read: how many, of the first why and which
 *	UUID {"Event": ...}	a line an event
 *	manifest.json {...}	one line: UUID -> what a MISP decides by whether it fetches the event
 *	hashes.csv		all that follows: MD5 of a value, UUID of its event
 *
 * job->kind is the UUID of the collection: the event of what no report names keeps its name by it. A MISP
 * fetches an event again when its timestamp has grown: here it is that of the latest object in it, and for
 * the event of the rest also job->received, when something was added last.
 */
#include "formats/misp_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

struct feed_text {
	struct mw	*w;
	json		*manifest;
	struct strbuf	 events, hashes;
};

static void
put_hash(struct feed_text *f, struct slice value, struct slice uuid)
{
	char hex[2 * MD5_LEN + 1];
	uint8_t sum[MD5_LEN];

	digest_md5(value, sum);
	hex_text(sum, sizeof(sum), hex);
	strbuf_addf(&f->hashes, "%s,%.*s\n", hex, SLICE_ARG(uuid));
}

/* Of values with two parts, each part. */
static void
put_hashes(struct feed_text *f, const json *attributes, struct slice uuid)
{
	for (json *a = json_first(attributes); a != NULL; a = json_next(a)) {
		struct slice value = misp_text(f->w->mem, a, "value"), type = json_member(a, "type");
		bool two = slice_is(type, "malware-sample") ||
		    (type.n > 0 && memchr(type.p, '|', type.n) != NULL);

		while (two && value.n > 0 && memchr(value.p, '|', value.n) != NULL)
			put_hash(f, slice_cut(&value, '|'), uuid);
		if (value.n > 0)
			put_hash(f, value, uuid);
	}
}

/* A MISP wants to know whose event it is. */
static json *
creator_of(struct feed_text *f, json *event)
{
	struct arena *mem = f->w->mem;
	const char *csirt = f->w->job->csirt;
	struct slice name = csirt == NULL ? SLICE_LIT("unknown") : slice_of(csirt);
	json *org = json_get(event, "Orgc");

	if (json_is_object(org))
		return org;
	org = json_put(mem, event, "Orgc", json_object(mem));
	json_put_str(mem, org, "name", name);
	json_put_str(mem, org, "uuid", MISP_UUID(mem, "organisation", name));
	return org;
}

/* Its time is never before that of anything in it. */
static void
put_time(struct feed_text *f, struct mw_event *ev, json *event)
{
	int64_t best = 0, at;

	misp_number(event, "timestamp", &best);
	if (misp_seconds(mw_latest_time(f->w, ev), &at) && at > best)
		best = at;
	if (ev->container == NULL && misp_seconds(f->w->job->received, &at) && at > best)
		best = at;
	json_put_str(f->w->mem, event, "timestamp",
	    slice_of(arena_fmt(f->w->mem, "%lld", (long long)best)));
}

static void
put_entry(struct feed_text *f, json *event, struct slice uuid)
{
	static const char *const said[] = { "info", "date", "analysis", "threat_level_id", "timestamp" };
	struct arena *mem = f->w->mem;
	json *row = json_append(mem, f->manifest, arena_str(mem, uuid), json_object(mem));
	json *org = json_put(mem, row, "Orgc", json_object(mem)), *own = creator_of(f, event);
	json *tags = json_get(event, "Tag");

	json_put_str(mem, org, "name", misp_text(mem, own, "name"));
	json_put_str(mem, org, "uuid", misp_text(mem, own, "uuid"));
	json_put(mem, row, "Tag", tags == NULL ? json_list(mem) : json_copy(mem, tags));
	for (size_t i = 0; i < COUNTOF(said); i++)
		json_put_str(mem, row, said[i], misp_text(mem, event, said[i]));
}

/* The name is that of its report, whatever a kept part says: it becomes a file's. So it is a UUID in small
 * letters, which an id that was let pass with a warning need not have. */
static struct slice
name_of(struct feed_text *f, const struct mw_event *ev)
{
	static const char hex[] = "0123456789abcdef";
	struct arena *mem = f->w->mem;
	char *name = arena_str(mem, ev->uuid);
	size_t n = 0;

	for (char *p = name; *p != '\0'; p++, n++) {
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p | 0x20) : *p;
		if ((n == 8 || n == 13 || n == 18 || n == 23) ? *p != '-' : strchr(hex, *p) == NULL)
			return MISP_UUID(mem, "event", ev->uuid);
	}
	return n == 36 ? slice_of(name) : MISP_UUID(mem, "event", ev->uuid);
}

static void
put_event(struct feed_text *f, struct slice uuid, struct mw_event *ev, json *whole)
{
	json *event = json_get(whole, "Event"), *objects = json_get(event, "Object");

	json_put_str(f->w->mem, event, "uuid", uuid);
	put_time(f, ev, event);
	put_entry(f, event, uuid);
	put_hashes(f, json_get(event, "Attribute"), uuid);
	for (json *o = json_first(objects); o != NULL; o = json_next(o))
		put_hashes(f, json_get(o, "Attribute"), uuid);
	strbuf_addf(&f->events, "%.*s ", SLICE_ARG(uuid));
	json_print(&f->events, whole);
	strbuf_addc(&f->events, '\n');
}

/* Of a report and a grouping with one UUID the first is told. */
static void
put_events(struct feed_text *f)
{
	struct mw *w = f->w;
	json **wholes = arena_alloc(w->mem, (w->nevents + 1) * sizeof(*wholes));
	struct slice *name = arena_alloc(w->mem, (w->nevents + 1) * sizeof(*name));
	struct idmap names = { 0 };

	for (size_t i = 0; i < w->nevents; i++) {
		wholes[i] = mw_write_event(w, &w->events[i]);
		name[i] = name_of(f, &w->events[i]);
		idmap_add(&names, w->mem, name[i], i);
	}
	idmap_sort(&names);
	for (size_t i = 0; i < w->nevents; i++)
		if (idmap_find(&names, name[i]) == (long)i)
			put_event(f, name[i], &w->events[i], wholes[i]);
}

/* What the reader refused of the collection costs only itself, and is told. */
static void
put_left_out(const struct advisory *adv, struct strbuf *out)
{
	const struct verdict *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < adv->nverdicts; i++) {
		if (adv->verdicts[i].kind != VERDICT_REFUSED)
			continue;
		if (n++ == 0)
			first = &adv->verdicts[i];
	}
	if (n == 0)
		return;
	strbuf_addf(out, "left-out %zu %s ", n, first->code);
	for (size_t i = 0; i < first->id.n; i++)
		if (first->id.p[i] > ' ' && first->id.p[i] < 127)
			strbuf_addc(out, first->id.p[i]);
	strbuf_addc(out, '\n');
}

static int
feed_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct advisory adv = *job->adv;
	struct write_job own = *job;
	struct mw w = { 0 };
	struct feed_text f = { .w = &w, .manifest = json_object(mem), .events = STRBUF_INIT,
	    .hashes = STRBUF_INIT };

	if (job->kind != NULL)
		adv.id = slice_of(arena_fmt(mem, "bundle--%s", job->kind));
	own.adv = &adv;
	if (mw_open(&w, &own, mem, e) < 0)
		return -1;
	mw_plan(&w);
	w.loose = false;		/* attributes without an event get one here */
	if (w.n > 0)
		put_events(&f);
	mw_account(&w);
	put_left_out(job->adv, out);
	strbuf_addsl(out, strbuf_slice(&f.events));
	strbuf_adds(out, "manifest.json ");
	json_print(out, f.manifest);
	strbuf_adds(out, "\nhashes.csv\n");
	strbuf_addsl(out, strbuf_slice(&f.hashes));
	strbuf_fini(&f.events);
	strbuf_fini(&f.hashes);
	return 0;
}

const struct format_ops format_misp_feed = {
	.name = "misp-feed", .media_type = "text/plain", .file_ending = ".txt", .write = feed_write,
};
