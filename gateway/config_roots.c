/* config_roots.c -- API roots, and what must be unique within one: aliases and titles. Part of config.h;
 * shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include "gateway/base/arena.h"

const struct root_conf *
config_root_at(const struct config *conf, size_t i)
{
	return i == 0 ? &conf->root : i <= conf->nroots ? &conf->roots[i - 1] : NULL;
}

const struct root_conf *
config_root(const struct config *conf, struct slice name)
{
	const struct root_conf *r;

	for (size_t i = 0; (r = config_root_at(conf, i)) != NULL; i++)
		if (slice_is(name, r->name))
			return r;
	return NULL;
}

static bool
in_root(const struct collection_conf *col, const char *root)
{
	for (const char *const *r = col->roots; r != NULL && *r != NULL; r++)
		if (strcmp(*r, root) == 0)
			return true;
	return false;
}

bool
config_in_root(const struct collection_conf *col, const struct root_conf *root)
{
	return in_root(col, root->name);
}

/* ---- what must fit together ---- */

/* The names of all API roots. */
static const char *const *
root_names(const struct config *conf)
{
	const char **names = arena_alloc(conf->mem, (conf->nroots + 2) * sizeof(*names));

	for (size_t i = 0; i <= conf->nroots; i++)
		names[i] = config_root_at(conf, i)->name;
	return names;
}

static bool
share_root(const struct collection_conf *a, const struct collection_conf *b)
{
	for (const char *const *r = a->roots; r != NULL && *r != NULL; r++)
		if (in_root(b, *r))
			return true;
	return false;
}

/* A complaint about the key of a collection that clashes with another one. */
static void
clash(const struct config *conf, struct complaints *c, size_t i, const char *key, const char *word,
    size_t other)
{
	const struct collection_conf *b = &conf->collections[other];
	struct line at = config_place(conf, "collection", i, key);

	complain(c, &at, "%s '%s' is taken in the same API root by the collection at %s:%u", key, word,
	    b->file, b->line);
}

static bool
is_word_of(const struct collection_conf *col, const char *word)
{
	return strcmp(col->name, word) == 0 ||
	    (col->alias != NULL && strcmp(col->alias, word) == 0);
}

/* An alias stands where a name or an id may: it means one collection in each API root. */
static void
check_alias(const struct config *conf, struct complaints *c, size_t i)
{
	const struct collection_conf *a = &conf->collections[i];
	struct line at = config_place(conf, "collection", i, "alias");

	if (a->alias == NULL)
		return;
	if (slice_starts(slice_of(a->alias), "inbox-"))
		complain(c, &at, "alias '%s': such names are those of peers' inboxes", a->alias);
	for (size_t j = 0; j < conf->ncollections; j++) {
		const struct collection_conf *b = &conf->collections[j];

		if (j != i && b->name != NULL && share_root(a, b) && is_word_of(b, a->alias)) {
			clash(conf, c, i, "alias", a->alias, j);
			return;
		}
	}
}

/* An id is of one collection, wherever it is served. */
static void
check_id(const struct config *conf, struct complaints *c, size_t i)
{
	const struct collection_conf *a = &conf->collections[i];
	struct line at = config_place(conf, "collection", i, "id");

	for (size_t j = 0; j < i && a->id != NULL; j++) {
		const struct collection_conf *b = &conf->collections[j];

		if (b->id == NULL || strcmp(a->id, b->id) != 0)
			continue;
		complain(c, &at, "id %s is that of the collection at %s:%u already", a->id, b->file,
		    b->line);
		return;
	}
}

static void
check_title(const struct config *conf, struct complaints *c, size_t i)
{
	const struct collection_conf *a = &conf->collections[i];
	struct line at = config_place(conf, "collection", i, "title");

	for (const char *p = a->title; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			complain(c, &at, "title: it holds a control character");
			return;
		}
	}
	for (size_t j = 0; j < i; j++) {
		const struct collection_conf *b = &conf->collections[j];

		if (b->name != NULL && strcmp(a->name, b->name) != 0 && share_root(a, b) &&
		    strcmp(a->title, b->title) == 0) {
			clash(conf, c, i, "title", a->title, j);
			return;
		}
	}
}

/* The API roots that a collection names exist; without a line it is in the first. */
static void
settle_roots(struct config *conf, struct complaints *c, size_t i)
{
	struct collection_conf *col = &conf->collections[i];
	struct line at = config_place(conf, "collection", i, "roots");
	const char **first;

	for (const char *const *r = col->roots; r != NULL && *r != NULL; r++)
		if (config_root(conf, slice_of(*r)) == NULL)
			complain_unknown(c, &at, "API root", slice_of(*r), root_names(conf));
	if (col->roots != NULL && col->roots[0] != NULL)
		return;
	first = arena_alloc(conf->mem, 2 * sizeof(*first));
	first[0] = conf->api_root;
	col->roots = first;
}

void
config_finish_roots(struct config *conf, struct complaints *c)
{
	conf->root = (struct root_conf){ .name = conf->api_root == NULL ? "" : conf->api_root,
	    .title = conf->title, .description = conf->description };
	for (size_t i = 0; i < conf->nroots; i++) {
		struct root_conf *r = &conf->roots[i];
		struct line at = { .file = r->file, .number = r->line };

		if (r->name == NULL)
			r->name = "";		/* refused already */
		else if (strcmp(r->name, conf->root.name) == 0)
			complain(c, &at, "root '%s' is the `api-root` of `taxii` already", r->name);
		if (r->title == NULL)
			r->title = r->name;
	}
	for (size_t i = 0; i < conf->ncollections; i++)
		settle_roots(conf, c, i);
	for (size_t i = 0; i < conf->ncollections; i++) {
		if (conf->collections[i].name == NULL)
			continue;
		check_id(conf, c, i);
		check_alias(conf, c, i);
		check_title(conf, c, i);
	}
}
