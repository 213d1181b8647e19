/* config_check.c -- what config.h checks outside the file: other files, and what trust.conf names. */
#include "gateway/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/config_parts.h"
#include "gateway/keys.h"
#include "gateway/warnings.h"
#include "formats/mapped.h"

/* One check. */
struct check {
	const struct config	*conf;
	const struct trust	*trust;
	config_tls_check_fn	*tls_check;
	struct complaints	*c;
	struct arena		*mem;
};

/* ---- files ---- */

/* What a file must be. */
enum file_kind { FILE_PLAIN, FILE_SECRET, FILE_KEY, FILE_FOLDER };

struct file_rule {
	const char	*section, *key;
	enum file_kind	 kind;
};

static const struct file_rule file_rules[] = {
	{ "node", "sign-key", FILE_KEY },
	{ "node", "audit-key", FILE_KEY },
	{ "node", "dedup-key", FILE_KEY },
	{ "node", "certificate", FILE_PLAIN },
	{ "node", "key", FILE_SECRET },
	{ "node", "peer-ca", FILE_PLAIN },
	{ "node", "trust", FILE_PLAIN },
	{ "node", "credentials", FILE_SECRET },
	{ "listen", "certificate", FILE_PLAIN },
	{ "listen", "key", FILE_SECRET },
	{ "listen", "peer-ca", FILE_PLAIN },
	{ "redis", "password-file", FILE_SECRET },
	{ "redis", "ca", FILE_PLAIN },
	{ "spool", "path", FILE_FOLDER },
	{ "feed", "path", FILE_FOLDER },
};

static int
check_file(const struct check *k, const struct line *at, const char *key, const char *path,
    enum file_kind kind)
{
	struct err e = ERR_INIT;
	uint8_t secret[32];
	struct stat st;

	if (kind == FILE_FOLDER) {
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
			return complain(k->c, at, "%s: %s is no folder", key, path);
		return 0;	/* made when it is missing */
	}
	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return complain(k->c, at, "%s: %s: %s", key, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(k->c, at, "%s: %s is no file", key, path);
	if (kind != FILE_PLAIN && file_is_open_to_others(path))
		return complain(k->c, at, "%s: others have rights on %s; do: chmod 600 %s", key, path,
		    path);
	if (kind != FILE_KEY)
		return 0;
	if (key_read(path, secret, &e) < 0)
		return complain(k->c, at, "%s: %s: %s", key, path, e.reason);
	secret_wipe(secret, sizeof(secret));
	return 0;
}

/* All elements of a section, for one rule. */
static int
check_rule(const struct check *k, const struct file_rule *rule)
{
	const struct config_section *s = config_sections;
	size_t key = 0;
	int rc = 0;

	while (strcmp(s->name, rule->section) != 0)
		s++;
	while (strcmp(s->keys[key].name, rule->key) != 0)
		key++;
	for (size_t i = 0; i < config_elements(k->conf, s); i++) {
		struct line at = config_place(k->conf, rule->section, i, rule->key);
		const char *path = *(const char **)((char *)config_element(k->conf, s, i) +
		    s->keys[key].offset);

		/* What a listener has from the node is looked at there. */
		if (path == NULL || (s->many &&
		    config_origin_of(k->conf, (size_t)(s - config_sections), i, key) == NULL))
			continue;
		if (check_file(k, &at, rule->key, path, rule->kind) < 0)
			rc = -1;
	}
	return rc;
}

static int
check_tls(const struct check *k)
{
	const struct config *conf = k->conf;
	struct err e = ERR_INIT;
	int rc = 0;

	if (k->tls_check == NULL)
		return 0;
	if (conf->client_certificate != NULL &&
	    k->tls_check(conf->client_certificate, conf->client_key, &e) < 0)
		rc = complain(k->c, NULL, "%s: node: %s", conf->path, e.reason);
	for (size_t i = 0; i < conf->nlistens; i++) {
		const struct listen_conf *l = &conf->listens[i];
		struct line at = { .file = l->file, .number = l->line };

		e = (struct err)ERR_INIT;
		if (l->certificate != conf->client_certificate &&
		    k->tls_check(l->certificate, l->key, &e) < 0)
			rc = complain(k->c, &at, "listen: %s", e.reason);
	}
	return rc;
}

/* The folder for state must be there or possible to make, and be ours alone. */
static int
check_state(const struct check *k)
{
	const char *state = k->conf->state_dir;
	struct line at = config_place(k->conf, "node", 0, "state");
	struct stat st;

	if (stat(state, &st) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return complain(k->c, &at, "state: %s is no folder", state);
	if (access(state, R_OK | W_OK | X_OK) < 0)
		return complain(k->c, &at, "state: %s: %s", state, strerror(errno));
	return 0;
}

/* ---- names ---- */

/* The names of trust.conf; those of consumers only if asked. */
static const char *const *
trust_names(const struct check *k)
{
	size_t n = trust_peers(k->trust);
	const char **names = arena_alloc(k->mem, (n + 1) * sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = trust_peer(k->trust, i)->name;
	return names;
}

static int
check_sources(const struct check *k, struct line at, const char *const *sources)
{
	int rc = 0;

	for (; sources != NULL && *sources != NULL; sources++) {
		struct slice s = slice_of(*sources);

		if (!slice_is(s, "*") && !slice_starts(s, "spool:") && trust_find(k->trust, s) == NULL)
			rc = complain_unknown(k->c, &at, "peer or consumer", s, trust_names(k));
	}
	return rc;
}

/* True for a collection of the file, and for the inbox of a peer (catalog.c makes it). */
static bool
collection_exists(const struct check *k, struct slice name)
{
	static const char inbox[] = "inbox-";
	const struct peer *p;

	if (slice_is(name, "*") || config_collection(k->conf, name) != NULL)
		return true;
	if (!slice_starts(name, inbox))
		return false;
	p = trust_find(k->trust, slice_from(name.p + sizeof(inbox) - 1, name.n - (sizeof(inbox) - 1)));
	return p != NULL && !p->is_consumer && p->npins > 0;
}

/* An inbox takes what its peer relays, and nothing else (catalog.c). */
static bool
is_inbox_of_another(const struct check *k, const struct peer *p, const char *name)
{
	static const char inbox[] = "inbox-";
	const struct peer *owner;

	if (strncmp(name, inbox, sizeof(inbox) - 1) != 0)
		return false;
	owner = trust_find(k->trust, slice_of(name + sizeof(inbox) - 1));
	return owner != NULL && owner->npins > 0 && owner != p;
}

static const char *const *
collection_names(const struct check *k)
{
	const char **names = arena_alloc(k->mem, (k->conf->ncollections + 1) * sizeof(*names));

	for (size_t i = 0; i < k->conf->ncollections; i++)
		names[i] = k->conf->collections[i].name;
	return names;
}

/* The collections that a peer or consumer of trust.conf names. */
static int
check_rights(const struct check *k, const struct peer *p, const char *const *names, bool write)
{
	struct line at = { .file = p->file, .number = p->line };
	int rc = 0;

	for (; names != NULL && *names != NULL; names++) {
		const struct collection_conf *col = config_collection(k->conf, slice_of(*names));

		if (!collection_exists(k, slice_of(*names)))
			rc = complain_unknown(k->c, &at, "collection", slice_of(*names),
			    collection_names(k));
		else if (write && col != NULL && col->view)
			rc = complain(k->c, &at, "%s may not write '%s': it is a view", p->name, *names);
		else if (write && is_inbox_of_another(k, p, *names))
			rc = complain(k->c, &at, "%s may not write '%s': only the peer itself does",
			    p->name, *names);
	}
	return rc;
}

static int
check_inboxes(const struct check *k, struct line at, const char *const *names)
{
	int rc = 0;

	for (; names != NULL && *names != NULL; names++)
		if (!collection_exists(k, slice_of(*names)))
			rc = complain(k->c, &at, "'%s': trust.conf has no peer of that name with a pin",
			    *names);
	return rc;
}

/* The consumer whose rights the files of a feed have. */
static int
check_feed(const struct check *k, size_t number)
{
	const struct feed_conf *f = &k->conf->feeds[number];
	struct line at = config_place(k->conf, "feed", number, "for");
	const struct peer *p = f->reader == NULL ? NULL :
	    trust_find(k->trust, slice_of(f->reader));

	if (f->reader != NULL && (p == NULL || !p->is_consumer))
		return complain(k->c, &at, "feed: trust.conf has no consumer '%s'", f->reader);
	return 0;
}

/* A pull needs a peer that can be called. */
static int
check_pull(const struct check *k, size_t i)
{
	const struct pull_conf *pull = &k->conf->pulls[i];
	struct line at = config_place(k->conf, "pull", i, "peer");
	const struct peer *p = trust_find(k->trust, slice_of(pull->peer));
	int rc = check_inboxes(k, config_place(k->conf, "pull", i, "into"), pull->collections);

	if (p == NULL)
		return complain_unknown(k->c, &at, "peer", slice_of(pull->peer), trust_names(k));
	if (p->is_consumer || p->url == NULL)
		return complain(k->c, &at, "pull %s: '%s' has no `url` in %s", pull->name, p->name,
		    k->conf->trust_file);
	return rc;
}

static int
check_names(const struct check *k)
{
	const struct config *conf = k->conf;
	const char *name = trust_node_name(k->trust);
	struct line at = config_place(k->conf, "node", 0, NULL);
	int rc = 0;

	if (name != NULL && strcmp(name, conf->name) != 0)
		rc = complain(k->c, &at, "this node is called %s here and %s in %s", conf->name, name,
		    conf->trust_file);
	for (size_t i = 0; i < conf->ncollections; i++)
		rc |= check_sources(k, config_place(conf, "collection", i, "from"),
		    conf->collections[i].sources);
	for (size_t i = 0; i < conf->nroutes; i++) {
		rc |= check_sources(k, config_place(conf, "route", i, "from"),
		    conf->routes[i].from);
		rc |= check_inboxes(k, config_place(conf, "route", i, "collections"),
		    conf->routes[i].collections);
	}
	for (size_t i = 0; i < conf->nfeeds; i++)
		rc |= check_feed(k, i);
	for (size_t i = 0; i < conf->nspools; i++)
		rc |= check_inboxes(k, config_place(conf, "spool", i, "collections"),
		    conf->spools[i].collections);
	for (size_t i = 0; i < conf->npulls; i++)
		rc |= check_pull(k, i);
	for (size_t i = 0; i < trust_peers(k->trust); i++) {
		const struct peer *p = trust_peer(k->trust, i);

		rc |= check_rights(k, p, p->reads, false);
		rc |= check_rights(k, p, p->writes, true);
	}
	return rc;
}

/* ---- mappings ---- */

static int
check_mappings(const struct check *k)
{
	int rc = 0;

	for (size_t i = 0; i < k->conf->nspools; i++) {
		const struct spool_conf *s = &k->conf->spools[i];

		if (s->mapping != NULL && mapping_load(s->mapping, k->mem, k->c) == NULL)
			rc = -1;
	}
	return rc;
}

static int
check_warnings(const struct check *k)
{
	struct warnlist *w = warnings_load(k->conf, k->trust, k->c);

	warnings_free(w);
	return w == NULL ? -1 : 0;
}

int
config_check(const struct config *conf, const struct trust *trust, config_tls_check_fn *tls_check,
    struct complaints *c)
{
	struct check k = { .conf = conf, .trust = trust, .tls_check = tls_check, .c = c };
	int rc = 0, files = 0;

	if (c->mem == NULL)
		c->mem = arena_new();
	k.mem = arena_new();
	for (size_t i = 0; i < sizeof(file_rules) / sizeof(*file_rules); i++)
		files |= check_rule(&k, &file_rules[i]);
	/* A certificate that is not there needs no second complaint. */
	if (files == 0)
		rc |= check_tls(&k);
	rc |= check_state(&k);
	rc |= check_mappings(&k);
	rc |= check_warnings(&k);
	if (trust != NULL)
		rc |= check_names(&k);
	arena_free(k.mem);
	return files | rc;
}
