#include "gateway/config.h"

#include <stdint.h>
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/config_parts.h"

enum { SECTIONS_MAX = 32, WORDS_SHOWN = 64 };

/* One load. */
struct load {
	struct config		*conf;
	struct arena		*mem;
	struct complaints	*c;
	const char		*folder;
	size_t			 caps[SECTIONS_MAX];	/* of the lists */
	/* the section that the next indented line belongs to; NULL: an unknown one */
	const struct config_section *section;
	size_t			 element;
};

/* ---- sections, elements, origins ---- */

size_t
config_elements(const struct config *conf, const struct config_section *s)
{
	return s->many ? *(const size_t *)((const char *)conf + s->count) : 1;
}

void *
config_element(const struct config *conf, const struct config_section *s, size_t i)
{
	char *at = (char *)conf + s->base;	/* the caller knows whether it may write */

	return s->many ? *(char **)at + i * s->element : at;
}

const struct config_origin *
config_origin_of(const struct config *conf, size_t section, size_t element, size_t key)
{
	const struct config_origins *o = conf->origins;

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].section == section && o->v[i].element == element && o->v[i].key == key)
			return &o->v[i];
	return NULL;
}

struct line
config_place(const struct config *conf, const char *section, size_t element, const char *key)
{
	const struct config_section *s = config_sections;
	const struct config_origin *o = NULL;
	size_t number = 0;

	while (s[number].name != NULL && strcmp(s[number].name, section) != 0)
		number++;
	for (size_t k = 0; key != NULL && s[number].keys[k].name != NULL; k++)
		if (strcmp(s[number].keys[k].name, key) == 0)
			o = config_origin_of(conf, number, element, k);
	if (o == NULL)
		o = config_origin_of(conf, number, element, SIZE_MAX);
	return (struct line){ .file = o == NULL ? conf->path : o->file,
	    .number = o == NULL ? 0 : o->line };
}

static size_t
number_of(const struct config_section *s)
{
	return (size_t)(s - config_sections);
}

static const struct config_origin *
origin(const struct load *ld, const struct config_section *s, size_t element, size_t key)
{
	return config_origin_of(ld->conf, number_of(s), element, key);
}

static void
add_origin(struct load *ld, size_t key, const struct line *l)
{
	struct config_origins *o = ld->conf->origins;

	o->v = arena_grow(ld->mem, o->v, o->n, &o->cap, sizeof(*o->v));
	o->v[o->n++] = (struct config_origin){ number_of(ld->section), ld->element, key, l->file,
	    l->number };
}

/* A line to complain at that stands for a section. */
static struct line
line_of(const struct config_origin *o)
{
	return (struct line){ .file = o->file, .number = o->line };
}

/* ---- reading lines ---- */

/* Read the words behind a key (or a section's name) into its field. */
static void
read_value(struct load *ld, const struct config_key *k, const struct line *l)
{
	struct config_value v = { .mem = ld->mem, .c = ld->c, .line = l, .folder = ld->folder,
	    .words = l->words + 1, .nwords = l->nwords - 1 };
	char *at = config_element(ld->conf, ld->section, ld->element);

	v.what = k == &ld->section->arg ? ld->section->name :
	    arena_fmt(ld->mem, "%s %s", ld->section->name, k->name);
	if (v.nwords == 0)
		complain(ld->c, l, "%s: a %s is missing", v.what, k->type->name);
	else if (v.nwords > 1 && !k->type->many)
		complain(ld->c, l, "%s takes one %s; quote it if it holds blanks", v.what,
		    k->type->name);
	else
		k->type->read(&v, k, at + k->offset);
}

/* Make room for one more element of a list; the new one is all zero. */
static void
grow(struct load *ld, const struct config_section *s, const struct line *l)
{
	char **list = (char **)((char *)ld->conf + s->base);
	size_t *n = (size_t *)((char *)ld->conf + s->count);
	char *at;

	*list = arena_grow(ld->mem, *list, *n, &ld->caps[number_of(s)], s->element);
	at = *list + *n * s->element;
	memset(at, 0, s->element);
	*(const char **)(at + s->file) = l->file;
	*(uint32_t *)(at + s->line) = l->number;
	ld->element = (*n)++;
}

static void
unknown_section(struct load *ld, const struct line *l)
{
	const char *names[SECTIONS_MAX + 1] = { NULL };
	size_t n = 0;

	for (; config_sections[n].name != NULL && n + 1 < SECTIONS_MAX; n++)
		names[n] = config_sections[n].name;
	names[n] = "include";
	complain_unknown(ld->c, l, "section", l->words[0], names);
}

static void
open_section(struct load *ld, const struct line *l)
{
	const struct config_section *s = config_sections;
	const struct config_origin *before;

	while (s->name != NULL && !slice_is(l->words[0], s->name))
		s++;
	ld->section = s->name == NULL ? NULL : s;
	ld->element = 0;
	if (s->name == NULL) {
		unknown_section(ld, l);
		return;
	}
	if (s->many) {
		grow(ld, s, l);
	} else if ((before = origin(ld, s, 0, SIZE_MAX)) != NULL) {
		complain(ld->c, l, "a second `%s` section; the first is at %s:%u", s->name,
		    before->file, before->line);
		return;
	}
	add_origin(ld, SIZE_MAX, l);
	if (s->arg.type != NULL)
		read_value(ld, &s->arg, l);
	else if (l->nwords > 1)
		complain(ld->c, l, "`%s` takes nothing behind it", s->name);
}

static void
unknown_key(struct load *ld, const struct line *l)
{
	const char *names[WORDS_SHOWN] = { NULL };
	const struct config_key *keys = ld->section->keys;

	if (keys[0].name == NULL) {
		complain(ld->c, l, "`%s` has no lines of its own", ld->section->name);
		return;
	}
	for (size_t i = 0; keys[i].name != NULL && i + 1 < WORDS_SHOWN; i++)
		names[i] = keys[i].name;
	complain_unknown(ld->c, l, arena_fmt(ld->mem, "word in `%s`:", ld->section->name), l->words[0],
	    names);
}

static void
read_key(struct load *ld, const struct line *l)
{
	const struct config_key *k = ld->section->keys;
	const struct config_origin *before;
	size_t number;

	while (k->name != NULL && !slice_is(l->words[0], k->name))
		k++;
	if (k->name == NULL) {
		unknown_key(ld, l);
		return;
	}
	number = (size_t)(k - ld->section->keys);
	before = origin(ld, ld->section, ld->element, number);
	if (before != NULL) {
		complain(ld->c, l, "%s is said twice; first at %s:%u", k->name, before->file,
		    before->line);
		return;
	}
	add_origin(ld, number, l);
	read_value(ld, k, l);
}

/* ---- defaults ---- */

/* Apply the default of one key, or complain that it must be said. */
static void
complete_key(struct load *ld, const struct config_section *s, size_t element, size_t number)
{
	const struct config_key *k = number == SIZE_MAX ? &s->arg : &s->keys[number];
	const struct config_origin *o = origin(ld, s, element, SIZE_MAX);
	struct slice words[4], rest = slice_of(k->initial);
	struct config_value v = { .mem = ld->mem, .c = ld->c, .folder = ld->folder,
	    .state = ld->conf->state_dir, .what = k->name, .words = words };

	if (origin(ld, s, element, number) != NULL)
		return;
	if (v.state == NULL)
		v.state = "";		/* its line was refused already */
	if ((k->flags & CONFIG_REQUIRED) != 0 && o != NULL) {
		struct line at = line_of(o);

		complain(ld->c, &at, "`%s` needs a line `%s`", s->name, k->name);
	}
	if (k->initial == NULL)
		return;
	while (rest.n > 0 && v.nwords < sizeof(words) / sizeof(*words))
		words[v.nwords++] = arena_slice(ld->mem, slice_cut(&rest, ' '));
	k->type->read(&v, k, (char *)config_element(ld->conf, s, element) + k->offset);
}

static void
complete(struct load *ld)
{
	for (const struct config_section *s = config_sections; s->name != NULL; s++) {
		for (size_t i = 0; i < config_elements(ld->conf, s); i++) {
			if (s->arg.type != NULL)
				complete_key(ld, s, i, SIZE_MAX);
			for (size_t k = 0; s->keys[k].name != NULL; k++)
				complete_key(ld, s, i, k);
		}
	}
}

/* ---- what must fit together ---- */

/* No two elements of a list share a name. */
static void
check_unique(struct load *ld, const struct config_section *s)
{
	for (size_t i = 0; i < config_elements(ld->conf, s); i++) {
		char *a = config_element(ld->conf, s, i);
		struct slice name = slice_of(*(const char **)(a + s->arg.offset));

		for (size_t j = 0; j < i && name.n > 0; j++) {
			char *b = config_element(ld->conf, s, j);
			struct line at = { .file = *(const char **)(a + s->file),
			    .number = *(uint32_t *)(a + s->line) };

			if (!slice_is(name, *(const char **)(b + s->arg.offset)) ||
			    (s->arg.type == &config_address && slice_ends(name, ":0")))
				continue;
			complain(ld->c, &at, "a second %s '%.*s'; the first is at %s:%u", s->name,
			    SLICE_ARG(name), *(const char **)(b + s->file),
			    *(uint32_t *)(b + s->line));
			break;
		}
	}
}

static void
finish_listen(struct load *ld, size_t number)
{
	struct listen_conf *l = &ld->conf->listens[number];
	struct line at = { .file = l->file, .number = l->line };
	const struct config *conf = ld->conf;

	if ((l->certificate == NULL) != (l->key == NULL))
		complain(ld->c, &at, "listen: `certificate` and `key` go together");
	if (l->certificate == NULL && l->key == NULL) {
		l->certificate = conf->client_certificate;
		l->key = conf->client_key;
	}
	if (l->peer_ca == NULL)
		l->peer_ca = conf->peer_ca;
	if (l->certificate == NULL)
		complain(ld->c, &at, "listen: no certificate, neither here nor in `node`");
	if (l->clients != CLIENTS_NONE && l->peer_ca == NULL)
		complain(ld->c, &at, "listen: client certificates need a `peer-ca`, here or in `node`; "
		    "or say `clients none`");
	if (l->peer_crl != NULL && l->clients == CLIENTS_NONE)
		complain(ld->c, &at, "listen: `peer-crl` means nothing with `clients none`");
	if (!conf->authentication && l->address != NULL && !config_address_is_loopback(l->address))
		complain(ld->c, &at, "listen: with `authentication no` only loopback addresses are "
		    "served");
}

/* True if the collection exists and takes objects; catalog.c makes inbox-PEER by itself. */
static void
check_kept(struct load *ld, struct line at, const char *const *names)
{
	const char **known = arena_alloc(ld->mem, (ld->conf->ncollections + 1) * sizeof(*known));
	size_t n = 0;

	for (size_t i = 0; i < ld->conf->ncollections; i++)
		if (ld->conf->collections[i].name != NULL)
			known[n++] = ld->conf->collections[i].name;
	for (; names != NULL && *names != NULL; names++) {
		const struct collection_conf *col = config_collection(ld->conf, slice_of(*names));

		if (col == NULL && !slice_starts(slice_of(*names), "inbox-"))
			complain_unknown(ld->c, &at, "collection", slice_of(*names), known);
		else if (col != NULL && col->view)
			complain(ld->c, &at, "collection '%s' is a view: nothing is put there", *names);
	}
}

/* Spools that are named as sources exist; peers and consumers are for config_check. */
static void
check_sources(struct load *ld, struct line at, const char *const *names)
{
	const char **known = arena_alloc(ld->mem, (ld->conf->nspools + 1) * sizeof(*known));
	size_t n = 0;

	for (size_t i = 0; i < ld->conf->nspools; i++)
		if (ld->conf->spools[i].name != NULL)
			known[n++] = arena_fmt(ld->mem, "spool:%s", ld->conf->spools[i].name);
	for (; names != NULL && *names != NULL; names++) {
		bool found = !slice_starts(slice_of(*names), "spool:");

		for (size_t i = 0; i < n && !found; i++)
			found = strcmp(*names, known[i]) == 0;
		if (!found)
			complain_unknown(ld->c, &at, "source", slice_of(*names), known);
	}
}

static void
finish_collection(struct load *ld, size_t number)
{
	struct collection_conf *col = &ld->conf->collections[number];
	struct line at = { .file = col->file, .number = col->line };
	bool filters = col->kinds != NULL || col->tlps != 0 || col->sectors != 0 ||
	    col->phases != 0 || col->sources != NULL || col->distinct ||
	    col->confidence != 0 || col->age_us != 0;

	if (!col->view && filters)
		complain(ld->c, &at, "collection %s: a filter needs `mode view`; a kept collection "
		    "holds what is put there", col->name == NULL ? "" : col->name);
	if (col->title == NULL)
		col->title = col->name;
	check_sources(ld, config_place(ld->conf, "collection", number, "from"), col->sources);
}

static void
finish_spool(struct load *ld, size_t number)
{
	struct spool_conf *s = &ld->conf->spools[number];
	struct line at = { .file = s->file, .number = s->line };
	bool mapped = s->format != NULL && strcmp(s->format, "mapped") == 0;

	if (mapped && s->mapping == NULL)
		complain(ld->c, &at, "spool: format `mapped` needs a `mapping`");
	if (s->mapping != NULL && s->format != NULL && !mapped)
		complain(ld->c, &at, "spool: a `mapping` is for format `mapped`");
	if (s->mapping != NULL && ld->conf->mappings_dir != NULL) {
		s->format = "mapped";
		s->mapping = arena_fmt(ld->mem, "%s/%s.map", ld->conf->mappings_dir, s->mapping);
	}
	check_kept(ld, config_place(ld->conf, "spool", number, "collections"), s->collections);
}

/* The collection exists; files on disk have a reader, and a folder of their own. */
static void
finish_feed(struct load *ld, size_t number)
{
	const struct feed_conf *f = &ld->conf->feeds[number];
	struct line at = { .file = f->file, .number = f->line };
	const char **known = arena_alloc(ld->mem, (ld->conf->ncollections + 1) * sizeof(*known));
	size_t n = 0;

	for (size_t i = 0; i < ld->conf->ncollections; i++)
		if (ld->conf->collections[i].name != NULL)
			known[n++] = ld->conf->collections[i].name;
	if ((f->path == NULL) != (f->reader == NULL))
		complain(ld->c, &at, "feed: `path` and `for` go together: files have the rights of "
		    "one consumer");
	at = config_place(ld->conf, "feed", number, "collection");
	if (f->collection != NULL && config_collection(ld->conf, slice_of(f->collection)) == NULL &&
	    !slice_starts(slice_of(f->collection), "inbox-"))
		complain_unknown(ld->c, &at, "collection", slice_of(f->collection), known);
	for (size_t i = 0; i < number && f->path != NULL; i++)
		if (ld->conf->feeds[i].path != NULL && f->name != NULL &&
		    ld->conf->feeds[i].name != NULL && strcmp(f->path, ld->conf->feeds[i].path) == 0 &&
		    (slice_starts(slice_of(f->name), ld->conf->feeds[i].name) ||
		    slice_starts(slice_of(ld->conf->feeds[i].name), f->name)))
			complain(ld->c, &at, "feed: %s and %s might write the same file in %s", f->name,
			    ld->conf->feeds[i].name, f->path);
}

/* Say that two values of `limits` contradict each other. */
static void
check_limits(struct load *ld, const struct limits_conf *l)
{
	struct line at = config_place(ld->conf, "limits", 0, "retry-min");

	if (l->retry_min_us > l->retry_max_us)
		complain(ld->c, &at, "limits: retry-min is longer than retry-max");
	at = config_place(ld->conf, "limits", 0, "connections");
	if (l->connections_per_address > l->connections)
		complain(ld->c, &at, "limits: connections-per-address is more than connections");
}

static void
finish(struct load *ld)
{
	struct config *conf = ld->conf;

	if (origin(ld, &config_sections[0], 0, SIZE_MAX) == NULL)
		complain(ld->c, NULL, "%s: there is no `node` section", conf->path);
	for (const struct config_section *s = config_sections; s->name != NULL; s++)
		if (s->many)
			check_unique(ld, s);
	if ((conf->client_certificate == NULL) != (conf->client_key == NULL))
		complain(ld->c, NULL, "%s: node: `certificate` and `key` go together", conf->path);
	if (conf->redis.url != NULL && slice_starts(slice_of(conf->redis.url), "rediss:") &&
	    conf->redis.ca == NULL)
		complain(ld->c, NULL, "%s: redis: rediss needs a `ca`", conf->path);
	for (size_t i = 0; i < conf->nlistens; i++)
		finish_listen(ld, i);
	for (size_t i = 0; i < conf->ncollections; i++)
		finish_collection(ld, i);
	config_finish_roots(conf, ld->c);
	for (size_t i = 0; i < conf->nspools; i++)
		finish_spool(ld, i);
	for (size_t i = 0; i < conf->npulls; i++)
		check_kept(ld, config_place(conf, "pull", i, "into"), conf->pulls[i].collections);
	for (size_t i = 0; i < conf->nroutes; i++) {
		check_sources(ld, config_place(conf, "route", i, "from"), conf->routes[i].from);
		check_kept(ld, config_place(conf, "route", i, "collections"),
		    conf->routes[i].collections);
	}
	for (size_t i = 0; i < conf->nfeeds; i++)
		finish_feed(ld, i);
	check_limits(ld, &conf->limits);
}

/* ---- loading ---- */

/* The folder of a path: "" for the current one. */
static const char *
folder_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return "";
	return slash == path ? "/" : arena_str(mem, slice_from(path, (size_t)(slash - path)));
}

static struct config *
new_config(const char *path, struct complaints *c)
{
	struct arena *mem = arena_new();
	struct config *conf = arena_alloc(mem, sizeof(*conf));

	/* Complaints outlive a config that they prevent. */
	if (c->mem == NULL)
		c->mem = arena_new();
	conf->mem = mem;
	conf->holds = 1;
	conf->path = arena_str(mem, slice_of(path));
	conf->origins = arena_alloc(mem, sizeof(*conf->origins));
	return conf;
}

/* Make a config of its lines; consumes conf. NULL if there is any complaint beyond `before`. */
static struct config *
build(struct config *conf, const struct lines *lines, struct complaints *c, size_t before)
{
	struct load ld = { .conf = conf, .mem = conf->mem, .c = c,
	    .folder = folder_of(conf->mem, conf->path) };

	for (size_t i = 0; i < lines->n; i++) {
		if (!lines->v[i].indented)
			open_section(&ld, &lines->v[i]);
		else if (ld.section != NULL)
			read_key(&ld, &lines->v[i]);
	}
	complete(&ld);
	finish(&ld);
	if (c->n + c->dropped > before) {
		config_free(conf);
		return NULL;
	}
	return conf;
}

struct config *
config_load(const char *path, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct config *conf = new_config(path, c);
	struct lines lines = { 0 };

	/* A file that cannot be read at all is one complaint, not one more for each missing line. */
	if (lines_read(path, conf->mem, &lines, c) < 0 && lines.n == 0) {
		config_free(conf);
		return NULL;
	}
	return build(conf, &lines, c, before);
}

struct config *
config_parse(struct slice text, const char *name, struct complaints *c)
{
	size_t before = c->n + c->dropped;
	struct config *conf = new_config(name, c);
	struct lines lines = { 0 };

	lines_parse(text, name, conf->mem, &lines, c);
	return build(conf, &lines, c, before);
}

struct config *
config_hold(struct config *conf)
{
	conf->holds++;
	return conf;
}

void
config_free(struct config *conf)
{
	if (conf != NULL && --conf->holds == 0)
		arena_free(conf->mem);
}

struct collection_conf *
config_collection(const struct config *conf, struct slice name)
{
	for (size_t i = 0; i < conf->ncollections; i++) {
		struct collection_conf *col = &conf->collections[i];

		if (col->name == NULL || name.n == 0)
			continue;
		if (slice_is(name, col->name) || slice_is_nocase(name, col->uuid) ||
		    (col->id != NULL && slice_is_nocase(name, col->id)))
			return col;
	}
	return NULL;
}

struct feed_conf *
config_feed(const struct config *conf, struct slice name)
{
	for (size_t i = 0; i < conf->nfeeds; i++)
		if (slice_is(name, conf->feeds[i].name))
			return &conf->feeds[i];
	return NULL;
}
