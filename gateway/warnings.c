#include "gateway/warnings.h"

#include "formats/warnlist.h"
#include "gateway/base/file.h"
#include "gateway/base/lines.h"
#include "gateway/base/strbuf.h"
#include "gateway/config_parts.h"
#include "gateway/peer.h"

enum { WARNINGS_FILE_MAX = 16 << 20 };

void
warnings_free(struct warnlist *w)
{
	warnlist_free(w);
}

/* A network or an address, by its first characters: a name is no network and the other way round. */
static bool
looks_like_network(const char *s)
{
	uint8_t addr[16];
	int family, prefix;

	return strchr(s, '/') != NULL || word_cidr(slice_of(s), &family, addr, &prefix);
}

static int
add_words(struct warnlist *w, const struct config *conf, const char *key,
    const char *const *words, bool networks, const char *reason, struct complaints *c)
{
	struct line at = config_place(conf, "warnings", 0, key);
	int rc = 0;

	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		if (looks_like_network(words[i]) != networks ||
		    !warnlist_add(w, slice_of(words[i]), reason))
			rc = complain(c, &at, "warnings %s: '%s' is no %s", key, words[i],
			    networks ? "network" : "domain name");
	return rc;
}

/* Names and networks among the aliases; the rest are words for people. */
static void
add_aliases(struct warnlist *w, const struct trust *trust)
{
	const char *const *aliases = trust == NULL ? NULL : trust_node_aliases(trust);

	for (size_t i = 0; aliases != NULL && aliases[i] != NULL; i++)
		if (strpbrk(aliases[i], ".:") != NULL && strchr(aliases[i], ' ') == NULL)
			warnlist_add(w, slice_of(aliases[i]), "an alias of this node");
}

static int
add_file(struct warnlist *w, const struct config *conf, struct complaints *c)
{
	struct line at = config_place(conf, "warnings", 0, "file");
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	char why[sizeof(e) + 64];
	size_t bad;
	int rc = 0;

	if (conf->warnings.file == NULL)
		return 0;
	if (file_read(conf->warnings.file, WARNINGS_FILE_MAX, &text, &e) < 0)
		rc = complain(c, &at, "warnings file: %s", err_text(&e, why, sizeof(why)));
	else if ((bad = warnlist_add_lines(w, strbuf_slice(&text),
	    "on the list of this node's administrator")) != 0)
		rc = complain(c, &at, "warnings file: line %zu of %s is no address, network, domain "
		    "name or hash", bad, conf->warnings.file);
	strbuf_fini(&text);
	return rc;
}

struct warnlist *
warnings_load(const struct config *conf, const struct trust *trust, struct complaints *c)
{
	struct warnlist *w = warnlist_new();
	int rc = 0;

	rc |= add_words(w, conf, "networks", conf->warnings.networks, true, "own network", c);
	rc |= add_words(w, conf, "domains", conf->warnings.domains, false, "own domain", c);
	rc |= add_file(w, conf, c);
	if (rc < 0) {
		warnlist_free(w);
		return NULL;
	}
	add_aliases(w, trust);
	warnlist_seal(w);
	return w;
}
