#include "gateway/cmd_consumer_card.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"

/* ---- what this node is ---- */

const char *
card_ca(struct arena *mem, const struct config *conf)
{
	const char *cert = conf->nlistens > 0 ? conf->listens[0].certificate : conf->client_certificate;
	const char *slash = cert == NULL ? NULL : strrchr(cert, '/');
	char *path;

	if (slash == NULL)
		return NULL;
	path = arena_fmt(mem, "%.*s/ca.crt", (int)(slash - cert), cert);
	return file_exists(path) ? path : NULL;
}

/* Without a slash at its end. */
const char *
card_base(struct arena *mem, const struct config *conf)
{
	size_t n = conf->public_url == NULL ? 0 : strlen(conf->public_url);

	while (n > 0 && conf->public_url[n - 1] == '/')
		n--;
	if (n > 0)
		return arena_fmt(mem, "%.*s", (int)n, conf->public_url);
	return conf->nlistens == 0 ? "https://HOST:8443" :
	    arena_fmt(mem, "https://%s", conf->listens[0].address);
}

/* ---- the words of templates ---- */

static const char *
root_of(const struct card *c)
{
	return c->chosen == NULL || c->chosen->root == NULL ? c->conf->api_root : c->chosen->root;
}

static const char *
collection_of(const struct card *c)
{
	if (c->chosen == NULL)
		return "(one of the ids below)";
	return c->chosen->id == NULL ? c->chosen->name : c->chosen->id;
}

static const char *
secret_of(const struct card *c)
{
	if (c->token != NULL)
		return c->token;
	return c->password != NULL ? c->password : "(the one you have set)";
}

static const char *
word_basic(struct arena *mem, const struct card *c)
{
	struct strbuf b = STRBUF_INIT;
	const char *pair, *out;

	if (c->password == NULL)
		return arena_fmt(mem, "(base64 of %s:PASSWORD)", c->name);
	pair = arena_fmt(mem, "%s:%s", c->name, c->password);
	base64_add(&b, pair, strlen(pair));
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* What makes curl log in, with a blank behind it. A password that we did not make is asked for. */
static const char *
word_auth(struct arena *mem, const struct card *c)
{
	if (c->token != NULL)
		return arena_fmt(mem, "-H 'Authorization: Bearer %s' ", c->token);
	if (c->password != NULL)
		return arena_fmt(mem, "-u %s:%s ", c->name, c->password);
	if (!c->typed && !c->product->password)
		return "-H 'Authorization: Bearer TOKEN' ";
	return arena_fmt(mem, "-u %s ", c->name);
}

static const char *
word_ca(struct arena *mem, const struct card *c)
{
	const char *ca = card_ca(mem, c->conf);

	return ca == NULL ? "" : arena_fmt(mem, "--cacert %s ", ca);
}

static const char *
word_base(struct arena *mem, const struct card *c)
{
	return card_base(mem, c->conf);
}

static const char *
word_root_bare(struct arena *mem, const struct card *c)
{
	return arena_fmt(mem, "%s/%s", card_base(mem, c->conf), root_of(c));
}

static const char *
word_root(struct arena *mem, const struct card *c)
{
	return arena_fmt(mem, "%s/", word_root_bare(mem, c));
}

static const char *
word_rootname(struct arena *mem, const struct card *c)
{
	(void)mem;
	return root_of(c);
}

static const char *
word_discovery(struct arena *mem, const struct card *c)
{
	return arena_fmt(mem, "%s/taxii2/", card_base(mem, c->conf));
}

static const char *
word_collection(struct arena *mem, const struct card *c)
{
	(void)mem;
	return collection_of(c);
}

static const char *
word_objects(struct arena *mem, const struct card *c)
{
	return arena_fmt(mem, "%scollections/%s/objects/", word_root(mem, c),
	    c->chosen == NULL ? "ID" : collection_of(c));
}

static const char *
word_title(struct arena *mem, const struct card *c)
{
	(void)mem;
	return c->chosen == NULL ? "(one of the titles below)" : c->chosen->title;
}

static const char *
word_cname(struct arena *mem, const struct card *c)
{
	(void)mem;
	return c->chosen == NULL ? "COLLECTION" : c->chosen->name;
}

const struct feed_conf *
card_feed(const struct config *conf, const char *collection, const char *format)
{
	for (size_t i = 0; i < conf->nfeeds; i++) {
		const struct feed_conf *f = &conf->feeds[i];
		const char *const *w = f->formats;

		while (w != NULL && *w != NULL && strcmp(*w, format) != 0)
			w++;
		if (strcmp(f->collection, collection) == 0 && (w == NULL || *w != NULL))
			return f;
	}
	return NULL;
}

/* The feed that has the product's format: of the collection, or the only one; NULL: there is none. */
static const struct feed_conf *
feed_of(const struct card *c)
{
	const char *format = c->product->feed_format == NULL ? "csv" : c->product->feed_format;
	const struct feed_conf *only = NULL;

	if (c->chosen != NULL)
		return card_feed(c->conf, c->chosen->name, format);
	for (size_t i = 0; i < c->ncollections; i++) {
		const struct feed_conf *f = card_feed(c->conf, c->collections[i].name, format);

		if (f != NULL && only != NULL)
			return NULL;
		only = f != NULL ? f : only;
	}
	return only;
}

/* Its name, or the one that is proposed. */
static const char *
word_fname(struct arena *mem, const struct card *c)
{
	const struct feed_conf *f = feed_of(c);

	return f != NULL ? f->name : word_cname(mem, c);
}

static const char *
word_feed(struct arena *mem, const struct card *c)
{
	return arena_fmt(mem, "%s/feeds/%s.%s", card_base(mem, c->conf), word_fname(mem, c),
	    c->product->feed == NULL ? "csv" : c->product->feed);
}

static const char *
word_user(struct arena *mem, const struct card *c)
{
	(void)mem;
	return c->name;
}

static const char *
word_secret(struct arena *mem, const struct card *c)
{
	(void)mem;
	return secret_of(c);
}

static const struct {
	const char	*word;
	const char	*(*fill)(struct arena *mem, const struct card *c);
} words[] = {
	{ "base", word_base }, { "root", word_root }, { "root-", word_root_bare },
	{ "rootname", word_rootname }, { "discovery", word_discovery }, { "objects", word_objects },
	{ "collection", word_collection }, { "title", word_title }, { "cname", word_cname },
	{ "user", word_user }, { "secret", word_secret }, { "basic", word_basic },
	{ "feed", word_feed }, { "fname", word_fname }, { "ca", word_ca }, { "auth", word_auth },
};

const char *
card_fill(struct arena *mem, const struct card *c, const char *template)
{
	struct slice rest = slice_of(template);
	const char *out = "";

	while (rest.n > 0) {
		struct slice text = slice_cut(&rest, '{'), word;

		out = arena_fmt(mem, "%s%.*s", out, SLICE_ARG(text));
		word = slice_cut(&rest, '}');
		for (size_t i = 0; i < COUNTOF(words); i++)
			if (slice_is(word, words[i].word))
				out = arena_fmt(mem, "%s%s", out, words[i].fill(mem, c));
	}
	return out;
}

/* ---- trust.conf ---- */

/* Does the section have this line already? */
static bool
has_line(const struct peer *p, const char *line)
{
	if (p == NULL)
		return false;
	return (strncmp(line, "empty-list", 10) == 0 && p->empty_list) ||
	    (strncmp(line, "bookmark", 8) == 0 && p->bookmark) ||
	    (strncmp(line, "tlp-vocab", 9) == 0 && p->tlp1_vocabulary) ||
	    (strncmp(line, "write", 5) == 0 && p->writes != NULL);
}

const char *
card_line(struct arena *mem, const struct card *c, size_t i)
{
	for (size_t k = 0; k < COUNTOF(c->product->trust) && c->product->trust[k] != NULL; k++)
		if (!has_line(c->peer, c->product->trust[k]) && i-- == 0)
			return card_fill(mem, c, c->product->trust[k]);
	return NULL;
}

/* ---- printing ---- */

static bool
is_feed(const struct card *c)
{
	return c->product->walk == WALK_FEED;
}

static const char *
proof(struct arena *mem, const struct card *c)
{
	if (is_feed(c))
		return card_fill(mem, c, "curl -fsS {ca}{auth}'{feed}'");
	if (c->product->walk == WALK_PUSH || c->chosen == NULL)
		return card_fill(mem, c, "curl -fsS {ca}{auth}-H 'Accept: "
		    "application/taxii+json;version=2.1' '{root}collections/'");
	return card_fill(mem, c, "curl -fsS {ca}{auth}-H 'Accept: application/taxii+json;version=2.1' "
	    "'{objects}?limit=1'");
}

static void
print_lines(struct arena *mem, const struct card *c, const char *head, const char *const *lines,
    const char *before)
{
	if (lines[0] == NULL)
		return;
	printf("\n%s\n\n", head);
	for (size_t i = 0; i < PRODUCT_LINES && lines[i] != NULL; i++)
		printf("%s%s\n", before, card_fill(mem, c, lines[i]));
}

static void
print_collections(const struct card *c)
{
	static const char *const heads[] = { "COLLECTION", "ID", "TITLE", "API ROOT", NULL };
	struct table *t = table_new(heads);

	for (size_t i = 0; i < c->ncollections; i++) {
		const struct card_collection *x = &c->collections[i];

		table_cell(t, slice_of(x->name));
		table_cell(t, slice_of(x->id == NULL ? x->name : x->id));
		table_cell(t, slice_of(x->title));
		table_cell(t, slice_of(x->root));
	}
	printf("\nIt may read:\n\n");
	table_print(t, stdout);
	table_free(t);
}

/* What tocsin.conf lacks for the flat file; or that it has several, and which is meant. */
static void
print_feed_section(struct arena *mem, const struct card *c)
{
	const char *format = c->product->feed_format;

	if (!is_feed(c) || feed_of(c) != NULL)
		return;
	for (size_t i = 0; c->chosen == NULL && i < c->ncollections; i++)
		if (card_feed(c->conf, c->collections[i].name, format) != NULL) {
			printf("\nThere are feeds of several collections: --collection says which.\n");
			return;
		}
	printf("\nThe flat file takes a section in tocsin.conf, and a reload:\n\n"
	    "feed %s\n    collection   %s\n    formats      %s\n", card_fill(mem, c, "{fname}"),
	    card_fill(mem, c, "{cname}"), format);
}

void
card_print(struct arena *mem, const struct card *c)
{
	const struct product *p = c->product;

	printf("For %s:\n\n", p->title);
	for (size_t i = 0; i < PRODUCT_FIELDS && p->fields[i].label != NULL; i++)
		printf("    %-40s  %s\n", p->fields[i].label, card_fill(mem, c, p->fields[i].value));
	if (c->token != NULL || c->password != NULL)
		printf("\nThe secret is shown this once.");
	printf("\nLogs in with: %s. Polls: %s.", p->logins, p->interval);
	if (p->page > 0)
		printf(" Page: %u objects.", p->page);
	putchar('\n');
	print_lines(mem, c, "To be typed elsewhere:", p->lines, "    ");
	print_feed_section(mem, c);
	print_lines(mem, c, "Good to know:", p->traps, "  * ");
	if (c->chosen == NULL && !(is_feed(c) && feed_of(c) != NULL))
		print_collections(c);
	printf("\nA running node learns of it by `tocsin reload`. Then this must work, and\n"
	    "`tocsin consumer test %s --for %s` plays the product:\n\n    %s\n", c->name, p->name,
	    proof(mem, c));
}

/* ---- for programs ---- */

static void
add_strings(struct arena *mem, const struct card *c, json *o, const char *member,
    const char *const *lines)
{
	json *list = json_put(mem, o, member, json_list(mem));

	for (size_t i = 0; i < PRODUCT_LINES && lines[i] != NULL; i++)
		json_push(list, json_string(mem, slice_of(card_fill(mem, c, lines[i]))));
}

void
card_json(struct arena *mem, const struct card *c, json *o)
{
	const struct product *p = c->product;
	json *fields, *list;

	json_put_str(mem, o, "product", slice_of(p->name));
	json_put_str(mem, o, "title", slice_of(p->title));
	fields = json_put(mem, o, "fields", json_list(mem));
	for (size_t i = 0; i < PRODUCT_FIELDS && p->fields[i].label != NULL; i++) {
		json *x = json_push(fields, json_object(mem));

		json_put_str(mem, x, "label", slice_of(p->fields[i].label));
		json_put_str(mem, x, "value", slice_of(card_fill(mem, c, p->fields[i].value)));
	}
	add_strings(mem, c, o, "lines", p->lines);
	add_strings(mem, c, o, "traps", p->traps);
	json_put_str(mem, o, "logins", slice_of(p->logins));
	json_put_str(mem, o, "interval", slice_of(p->interval));
	if (p->page > 0)
		json_put_int(mem, o, "page", p->page);
	json_put_str(mem, o, "curl", slice_of(proof(mem, c)));
	if (is_feed(c) && feed_of(c) == NULL)
		json_put_str(mem, o, "feed_section", slice_of(card_fill(mem, c, arena_fmt(mem,
		    "feed {fname}\n    collection   {cname}\n    formats      %s\n",
		    p->feed_format))));
	list = json_put(mem, o, "collections", json_list(mem));
	for (size_t i = 0; i < c->ncollections; i++) {
		const struct card_collection *k = &c->collections[i];
		json *x = json_push(list, json_object(mem));

		json_put_str(mem, x, "name", slice_of(k->name));
		json_put_str(mem, x, "title", slice_of(k->title));
		json_put_str(mem, x, "root", slice_of(k->root));
		if (k->id != NULL)
			json_put_str(mem, x, "id", slice_of(k->id));
	}
}
