/* mapped_finish.c -- all records are read: what they made becomes one advisory. */
#include "formats/mapped_read.h"
#include "formats/shipped.h"

/* ---- the whole input -------------------------------------------------------------------------- */

/* Two records under one key: the same twice is one; another content under the same version is
 * refused; another version is another version. */
void
map_finish_duplicates(struct map_reading *rd)
{
	struct idmap ids = { 0 };
	size_t k;

	for (size_t i = 0; i < rd->n; i++)
		idmap_add(&ids, rd->r.mem, json_member(rd->units[i].made.v[0], "id"), i);
	idmap_sort(&ids);
	for (size_t i = 1; i < ids.n; i++) {
		struct map_unit *u = &rd->units[ids.v[i].value], *first;
		struct mapped_record rec = { .path = u->path, .index = u->index,
		    .text = u->text };
		struct err e = ERR_INIT;

		for (k = i; k > 0 && slice_eq(ids.v[k - 1].id, ids.v[i].id); k--) {
			first = &rd->units[ids.v[k - 1].value];
			if (!slice_eq(first->made.modified, u->made.modified) || first->refused)
				continue;
			u->refused = true;
			if (json_equal(first->made.v[0], u->made.v[0]))
				break;
			rec.err.at = u->at;
			err_set(&e, ERR_DUPLICATE, "the same key and time as %s, but not the same "
			    "content", first->path);
			map_read_refuse(rd, &rec, u->text, ids.v[i].id, &e);
			break;
		}
	}
}

/* Leave one object an id, and settle its label. */
static void
merge(struct map_reading *rd, struct map_entry *v, size_t n)
{
	struct idmap ids = { 0 };

	for (size_t i = 0; i < n; i++)
		idmap_add(&ids, rd->r.mem, json_member(v[i].tree, "id"), i);
	idmap_sort(&ids);
	for (size_t i = 0, end; i < n; i = end) {
		enum tlp tlp = v[ids.v[i].value].tlp;
		bool own = false, first = true;

		for (end = i; end < n && slice_eq(ids.v[end].id, ids.v[i].id); end++) {
			own |= v[ids.v[end].value].own;
			tlp = map_stricter(tlp, v[ids.v[end].value].tlp);
		}
		for (size_t k = i; k < end && end - i > 1; k++) {
			struct map_entry *en = &v[ids.v[k].value];

			en->skip = en->own ? false : own || !first;
			first = false;
			if (!en->own && tlp != en->tlp)
				map_set_tlp(rd->r.mem, en->tree, tlp);
		}
	}
}

/* Reports named by the records (target `report`) or by the mapping (`container`). */
static void
add_groups(struct map_reading *rd, struct idmap *members, json **groups, size_t *ngroups, size_t cap)
{
	const struct mapping *m = rd->r.map;
	bool full = false;

	for (size_t i = 0; i < rd->n; i++) {
		struct map_unit *u = &rd->units[i];
		size_t names = u->groups.n + (m->container.n > 0);

		for (size_t k = 0; !u->refused && !u->child && k < names; k++) {
			struct slice name = k < u->groups.n ? u->groups.v[k] : m->container_name;
			const char *type = k < u->groups.n ? "report" :
			    slice_is(m->container, "report") ? "report" : "grouping";
			struct slice id = map_id(m, rd->r.mem, type, &name, 1);
			size_t g = 0;

			while (g < *ngroups && !slice_eq(json_member(groups[g], "id"), id))
				g++;
			if (g == cap) {
				if (!full)
					map_read_warn(rd, "TOO_MANY_REPORTS", "records name more than %zu "
					    "reports: the rest is kept with the records only", cap);
				full = true;
				continue;
			}
			if (g == *ngroups)
				groups[(*ngroups)++] = map_group_new(m, rd->r.mem, type, name,
				    &u->made);
			json_push(json_get(groups[g], "object_refs"), json_string(rd->r.mem,
			    json_member(u->made.v[0], "id")));
			idmap_add(members, rd->r.mem, id, (size_t)u->made.tlp);
		}
	}
}

enum { GROUPS_MAX = 1000 };

/* Mint the reports around records, with the strictest label of their members. */
static int
mint_groups(struct map_reading *rd, struct err *e)
{
	json **groups = arena_alloc(rd->r.mem, GROUPS_MAX * sizeof(*groups));
	struct idmap members = { 0 };
	size_t n = 0;

	add_groups(rd, &members, groups, &n, GROUPS_MAX);
	for (size_t g = 0; g < n; g++) {
		enum tlp tlp = TLP_UNSET;
		bool any = false;

		for (size_t i = 0; i < members.n; i++)
			if (slice_eq(members.v[i].id, json_member(groups[g], "id"))) {
				enum tlp t = (enum tlp)members.v[i].value;

				tlp = any ? map_stricter(tlp, t) : t;
				any = true;
			}
		map_set_tlp(rd->r.mem, groups[g], tlp);
		if (advisory_mint(rd->adv, rd->r.mem, groups[g], e) < 0)
			return -1;
	}
	return 0;
}

/* Mint what others refer to: labels, the extension, the producer. */
static int
mint_definitions(struct map_reading *rd, const struct map_entry *v, size_t n, struct err *e)
{
	bool used[TLP_LEVELS] = { false };
	const bool *whole = rd->r.job->piece == NULL ? NULL : map_piece_used(rd);
	json *producer;

	if (rd->r.job->piece != NULL && whole == NULL)
		return 0;
	if (whole != NULL)
		memcpy(used, whole, sizeof(used));
	for (size_t i = 0; i < n; i++)
		used[v[i].tlp] = true;
	producer = map_producer(rd->r.map, rd->r.mem, rd->r.job->received);
	if (producer != NULL)
		used[tlp_parse(fact_one(&rd->r.map->defaults, T_TLP))] = true;
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++)
		if (used[t])
			advisory_add_marking(rd->adv, rd->r.mem, (enum tlp)t);
	if (!rd->r.map->no_residue)
		advisory_add_extension(rd->adv, rd->r.mem, EXTENSION_INHOUSE);
	return producer == NULL ? 0 : advisory_mint(rd->adv, rd->r.mem, producer, e);
}

/* Mint everything, in the order of the records. */
int
map_finish(struct map_reading *rd, struct err *e)
{
	struct map_entry *v;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < rd->n; i++)
		total += rd->units[i].made.n;
	v = arena_alloc(rd->r.mem, (total + 1) * sizeof(*v));
	for (size_t i = 0; i < rd->n; i++)
		for (size_t k = 0; !rd->units[i].refused && k < rd->units[i].made.n; k++)
			v[n++] = (struct map_entry){ rd->units[i].made.v[k], rd->units[i].made.tlp,
			    k == 0, false };
	if (rd->r.job->piece != NULL) {
		if (map_piece_noted(rd, v, n))
			return 0;
		merge(rd, v, n);
		map_piece_join(rd, v, n);
	} else if (n == 0) {
		return 0;
	} else {
		merge(rd, v, n);
	}
	if (mint_definitions(rd, v, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!v[i].skip && advisory_mint(rd->adv, rd->r.mem, v[i].tree, e) < 0)
			return -1;
	return mint_groups(rd, e);
}
