/*
 * stix20_write.c -- objects of 2.1 become a bundle of STIX 2.0.
 *
 * Observables go into the observed-data that refers to them, directly or through others; one that none
 * refers to gets an observed-data of its own, at the time of the newest object. Our definition of the
 * residue that came up is left out: the way up makes it again.
 */
#include "formats/format.h"
#include "formats/ledger.h"
#include "formats/shipped.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

/* One writing. */
struct writing20 {
	const struct write_job	*job;
	struct arena		*mem;
	struct stix20		 c;
	const json		**from;		/* the objects, as trees */
	json			**said;		/* and what 2.0 gets; NULL: nothing of its own */
	size_t			*sco;		/* number in c.sco, plus one */
	bool			*known;		/* our definition, which needs no saying */
	const json		**patch;	/* what does not come back by itself */
	struct idmap		 held;		/* observables, by the observed-data that holds them */
	struct idmap		 homes;		/* observed-data that was said, id -> object */
};

/* ---- what there is ---- */

/* The newest `modified` there is, else when it was received. */
static struct slice
newest(const struct write_job *job)
{
	struct slice key = SLICE_EMPTY, at = job->received;

	for (size_t i = 0; i < job->adv->n; i++) {
		const struct object *o = &job->adv->objects[i];

		if (o->version.n > 0 && slice_cmp(o->version_key, key) > 0) {
			key = o->version_key;
			at = o->version;
		}
	}
	return at.n > 0 ? at : SLICE_LIT("1970-01-01T00:00:00.000Z");
}

/* The tree of an object: the streaming reader leaves none. */
static const json *
tree_of(struct writing20 *w, const struct object *o)
{
	struct json_doc doc;

	if (o->tree != NULL)
		return o->tree;
	return json_parse(o->bytes, NULL, w->mem, &doc, NULL) < 0 ? NULL : doc.root;
}

static bool
is_own_definition(const json *tree)
{
	return slice_is(json_member(tree, "id"), extension_definition_id(EXTENSION_STIX20));
}

/* Some object has a residue that the way up makes again, and with it the definition. */
static bool
has_rest(const struct writing20 *w)
{
	const char *id = extension_definition_id(EXTENSION_STIX20);

	for (size_t i = 0; i < w->job->adv->n; i++)
		if (json_get(json_get(w->from[i], "extensions"), id) != NULL)
			return true;
	return false;
}

static void
sort_out(struct writing20 *w)
{
	const struct advisory *adv = w->job->adv;
	bool rest;

	w->from = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->from));
	w->said = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->said));
	w->sco = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->sco));
	w->known = arena_alloc(w->mem, adv->n + 1);
	w->c.sco = arena_alloc(w->mem, (adv->n + 1) * sizeof(*w->c.sco));
	for (size_t i = 0; i < adv->n; i++)
		w->from[i] = tree_of(w, &adv->objects[i]);
	rest = has_rest(w);
	for (size_t i = 0; i < adv->n; i++) {
		w->known[i] = rest && is_own_definition(w->from[i]);
		if (w->from[i] == NULL || !stix20_is_sco(w->from[i]))
			continue;
		w->c.sco[w->c.nsco] = (struct stix20_sco){
			.id = adv->objects[i].id, .tree = w->from[i],
			.bytes = adv->objects[i].bytes.n,
		};
		w->sco[i] = ++w->c.nsco;
	}
	stix20_index(&w->c);
}

/* Note what 2.0 has no such object for, before others refer to it. */
static void
find_custom(struct writing20 *w)
{
	for (size_t i = 0; i < w->job->adv->n; i++)
		if (slice_is(json_member(w->from[i], "type"), "indicator") &&
		    stix20_is_unsayable(w->mem, w->from[i]))
			idmap_add(&w->c.custom, w->mem, w->job->adv->objects[i].id, i);
	idmap_sort(&w->c.custom);
}

/* Memory for one object, and the end of it: what was made of the object stays. */
static void
begin_object(struct writing20 *w)
{
	w->c.mem = arena_new();
}

static void
end_object(struct writing20 *w, size_t i, const json *said)
{
	w->said[i] = json_copy(w->mem, said);
	arena_free(w->c.mem);
	w->c.mem = w->mem;
}

/* Pack all observed-data; then what no one holds, at the place of the first of it. */
static void
pack_all(struct writing20 *w)
{
	const struct advisory *adv = w->job->adv;

	for (size_t i = 0; i < adv->n; i++) {
		if (!slice_is(json_member(w->from[i], "type"), "observed-data") ||
		    json_get(w->from[i], "object_refs") == NULL)
			continue;
		begin_object(w);
		end_object(w, i, stix20_pack(&w->c, w->from[i]));
	}
	for (size_t i = 0; i < adv->n; i++) {
		if (w->sco[i] == 0 || w->c.sco[w->sco[i] - 1].home.n > 0)
			continue;
		begin_object(w);
		end_object(w, i, stix20_pack_alone(&w->c, &w->c.sco[w->sco[i] - 1]));
	}
}

/* True for what only a word of our own could say. */
static bool
is_ours(const struct writing20 *w, const json *o)
{
	return stix20_is_new_type(json_member(o, "type")) ||
	    idmap_find(&w->c.custom, json_member(o, "id")) != IDMAP_NONE;
}

static void
say_all(struct writing20 *w)
{
	for (size_t i = 0; i < w->job->adv->n; i++) {
		if (w->said[i] != NULL || w->from[i] == NULL || w->sco[i] > 0 || w->known[i] ||
		    (w->job->no_residue && is_ours(w, w->from[i])))
			continue;
		begin_object(w);
		end_object(w, i, stix20_down(&w->c, w->from[i]));
	}
}

/* ---- the account ---- */

/* The entry of an observed-data that holds an observable, and its residue. */
static const json *
entry_of(const struct writing20 *w, const struct stix20_sco *sco)
{
	long i = idmap_find(&w->homes, sco->home);

	return i == IDMAP_NONE || sco->home_key == NULL ? NULL :
	    json_get(json_get(w->said[i], "objects"), sco->home_key);
}

/* What the way up would not give of an object, without residue. */
static const json *
bare_patch(struct writing20 *w, const json *from, const json *said)
{
	struct stix20 alone = { .mem = w->mem, .keep = w->mem, .now = w->c.now };
	json *copy = json_copy(w->mem, from);

	stix20_take_rest(copy);
	return stix20_diff(w->mem, stix20_up_core(&alone, said), copy);
}

/* The same of an observed-data and of those observables that have their first place in it. */
static void
bare_patches(struct writing20 *w, size_t i, const json **of_sco)
{
	struct stix20 alone = { .mem = w->mem, .keep = w->mem, .now = w->c.now };
	struct slice id = json_member(w->said[i], "id");
	json *copy = json_copy(w->mem, w->from[i]);
	struct stix20_unpacked back;

	if (stix20_unpack(&alone, w->said[i], NULL, NULL, &back, NULL) < 0)
		return;
	stix20_take_rest(copy);
	w->patch[i] = w->sco[i] > 0 ? NULL : stix20_diff(w->mem, back.od, copy);
	for (size_t k = idmap_place(&w->held, id); k < w->held.n && slice_eq(w->held.v[k].id, id); k++) {
		const struct stix20_sco *sco = &w->c.sco[w->held.v[k].value];
		long at = idmap_find(&back.keys, slice_of(sco->home_key));

		if (at != IDMAP_NONE)
			of_sco[w->held.v[k].value] = stix20_diff(w->mem, back.v[at].to, sco->tree);
	}
}

/* Find what is not said for good: the residue tells, or, where none is wanted, the way back. */
static void
find_patches(struct writing20 *w)
{
	const json **of_sco = arena_alloc(w->mem, (w->c.nsco + 1) * sizeof(*of_sco));
	size_t n = w->job->adv->n;

	w->patch = arena_alloc(w->mem, (n + 1) * sizeof(*w->patch));
	for (size_t k = 0; k < w->c.nsco; k++)
		if (w->c.sco[k].home_key != NULL)
			idmap_add(&w->held, w->mem, w->c.sco[k].home, k);
	idmap_sort(&w->held);
	for (size_t i = 0; i < n; i++) {
		if (w->said[i] == NULL)
			continue;
		if (!w->job->no_residue)
			w->patch[i] = json_get(json_get(w->said[i], STIX20_REST), "patch");
		else if (w->sco[i] > 0 || json_get(w->from[i], "object_refs") != NULL)
			bare_patches(w, i, of_sco);
		else
			w->patch[i] = bare_patch(w, w->from[i], w->said[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (w->sco[i] > 0)
			w->patch[i] = w->job->no_residue ? of_sco[w->sco[i] - 1] :
			    json_get(json_get(entry_of(w, &w->c.sco[w->sco[i] - 1]),
			    STIX20_REST), "patch");
}

static void
account(struct writing20 *w, size_t i)
{
	struct loss *loss = w->job->loss;
	const json *from = w->from[i], *said = w->said[i];
	struct ledger *l = ledger_new(w->mem);
	bool bare = w->job->no_residue;
	bool gone = said == NULL && bare && !w->known[i] && w->sco[i] == 0;

	if (w->sco[i] > 0)
		said = entry_of(w, &w->c.sco[w->sco[i] - 1]);
	stix20_account(l, from, said, w->patch[i], bare);
	ledger_account(l, loss, from, arena_str(w->mem, w->job->adv->objects[i].id),
	    gone ? LOSS_DROPPED : LOSS_KEPT, NULL);
	if (w->sco[i] > 0 && w->said[i] != NULL)
		loss_addf(loss, LOSS_GENERATED, "to hold an observable that nothing refers to", "%.*s",
		    SLICE_ARG(json_member(w->said[i], "id")));
}

static void
account_all(struct writing20 *w)
{
	for (size_t i = 0; i < w->job->adv->n; i++)
		if (json_get(w->said[i], "objects") != NULL)
			idmap_add(&w->homes, w->mem, json_member(w->said[i], "id"), i);
	idmap_sort(&w->homes);
	find_patches(w);
	for (size_t i = 0; i < w->job->adv->n; i++)
		account(w, i);
}

/* ---- the document ---- */

/* The id of a bundle of these members: the same members always give the same id. */
static void
add_bundle_id(struct strbuf *out, struct slice members)
{
	uint8_t sum[SHA256_LEN];
	char name[sizeof("stix20|bundle|") + 2 * SHA256_LEN], uuid[UUID_TEXT + 1];

	digest_sha256(members, sum);
	memcpy(name, "stix20|bundle|", sizeof("stix20|bundle|") - 1);
	hex_text(sum, sizeof(sum), name + sizeof("stix20|bundle|") - 1);
	uuid_v5(uuid_ns_tocsin, slice_of(name), uuid);
	strbuf_addf(out, "bundle--%s", uuid);
}

static void
print(const struct writing20 *w, struct strbuf *out)
{
	bool pretty = w->job->pretty;
	struct strbuf members = STRBUF_INIT;

	for (size_t i = 0; i < w->job->adv->n; i++) {
		if (w->said[i] == NULL)
			continue;
		strbuf_adds(&members, members.n == 0 ? "" : pretty ? ",\n  " : ",");
		json_print(&members, w->said[i]);
	}
	strbuf_adds(out, pretty ? "{\n \"type\": \"bundle\",\n \"id\": \"" :
	    "{\"type\":\"bundle\",\"id\":\"");
	add_bundle_id(out, strbuf_slice(&members));
	strbuf_adds(out, pretty ? "\",\n \"spec_version\": \"2.0\"" : "\",\"spec_version\":\"2.0\"");
	if (members.n > 0) {
		strbuf_adds(out, pretty ? ",\n \"objects\": [\n  " : ",\"objects\":[");
		strbuf_addsl(out, strbuf_slice(&members));
		strbuf_adds(out, pretty ? "\n ]" : "]");
	}
	strbuf_adds(out, pretty ? "\n}\n" : "}\n");
	strbuf_fini(&members);
}

int
stix20_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct writing20 w = {
		.job = job, .mem = mem,
		.c = { .mem = mem, .keep = mem, .now = newest(job), .no_rest = job->no_residue },
	};

	(void)e;
	sort_out(&w);
	find_custom(&w);
	pack_all(&w);
	say_all(&w);
	if (job->loss != NULL)
		account_all(&w);
	print(&w, out);
	return 0;
}
