/* doctor_taxii.c -- API root, collections, rights. Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

enum { SHOWN = 10 };

/* ---- root ---- */

/* The roots that discovery lists, for people who wrote the wrong path. */
static void
note_roots(struct doctor *d, const struct taxii_discovery *all)
{
	char path[512];

	for (size_t i = 0; i < all->nroots && i < SHOWN; i++)
		doctor_note(d, "there is the API root %.*s%s", SLICE_ARG(all->roots[i]),
		    taxii_url_root(&d->at, all->roots[i], path, sizeof(path)) ? "" : " (on another host)");
}

/* Nothing lies at the path of the `url`: does discovery know better? */
static void
fail_no_root(struct doctor *d)
{
	static const char *const usual[] = { [TAXII_21] = "/taxii2/", [TAXII_20] = "/taxii/" };
	struct taxii_discovery all = { 0 };
	struct doctor_answer a;
	doctor_fail(d, "no-root", "ask the peer for the address of its API root",
	    "there is nothing at %s (%d)%s", d->path, d->first.status,
	    slice_starts(http1_field(d->first.head, "content-type"), "text/html") ?
	    ", said in HTML: perhaps no TAXII server at all" : "");
	doctor_get(d, usual[d->version], d->media, &a);
	if (a.status == 200 && taxii_read_discovery(a.body, d->mem, &all, NULL) == 0) {
		d->now->fix = "write one of the API roots that are there as `url`";
		note_roots(d, &all);
	}
	doctor_answer_fini(&a);
}

/* Discovery was asked: go on to the root that it names. False after a failure. */
static bool
follow(struct doctor *d)
{
	struct taxii_discovery all = { 0 };
	struct err e = ERR_INIT;
	char path[512];
	int status;

	if (taxii_read_discovery(d->first.body, d->mem, &all, &e) < 0) {
		doctor_fail(d, "no-discovery", "write the address of the API root as `url`", "%s: %s",
		    d->path, e.reason);
		return false;
	}
	if (d->peer->wire == WIRE_TOCSIN || all.first.n == 0 ||
	    !taxii_url_root(&d->at, all.first, path, sizeof(path))) {
		doctor_fail(d, "discovery", "write one of the API roots as `url`",
		    "%s is where discovery lies, not an API root%s", d->path,
		    all.first.n > 0 ? "" : ", and it names no default");
		note_roots(d, &all);
		return false;
	}
	d->path = arena_str(d->mem, slice_of(path));
	doctor_answer_fini(&d->first);
	doctor_get(d, d->path, d->media, &d->first);
	status = d->first.status;
	if (status == 200)
		return true;
	doctor_fail(d, status == 401 || status == 403 ? "forbidden" : "no-root",
	    "ask the peer: its discovery names this root", "%s: %s", d->path,
	    status == 0 ? d->first.trouble : arena_fmt(d->mem, "the server answers %d", status));
	return false;
}

static bool
read_root(struct doctor *d, struct taxii_root *root)
{
	struct err e = ERR_INIT;

	if (taxii_read_root(d->first.body, d->mem, root, &e) == 0)
		return true;
	doctor_fail(d, "bad-root", "is this the API root? Its answer must be JSON", "%s: %s", d->path,
	    e.reason);
	return false;
}

void
doctor_root(struct doctor *d)
{
	struct taxii_root root = { 0 };

	if (d->first.status == 404 || d->first.status == 410) {
		fail_no_root(d);
		return;
	}
	if (d->first.status != 200) {
		doctor_fail(d, "root", "check the path of the `url`", "%s: the server answers %d%s",
		    d->path, d->first.status, taxii_read_error(d->first.body, d->mem));
		return;
	}
	if (!read_root(d, &root) || (root.is_discovery && (!follow(d) || !read_root(d, &root))))
		return;
	doctor_detail(d, "root", d->path);
	doctor_detail(d, "title", root.title);
	json_put_int(d->mem, d->now->detail, "max_content_length", (int64_t)root.max_content);
	if ((d->version == TAXII_21 && root.has_20 && !root.has_21) ||
	    (d->version == TAXII_20 && root.has_21 && !root.has_20)) {
		doctor_fail(d, "root-version",
		    d->version == TAXII_21 ? "say `wire taxii20`, or take another root" :
		    "say `wire taxii21`, or take another root",
		    "%s says that it serves %s only", d->path,
		    d->version == TAXII_21 ? "TAXII 2.0" : "TAXII 2.1");
		return;
	}
	d->root_path = d->path;
	doctor_ok(d, "%s \"%s\", takes up to %llu bytes at once", d->path, root.title,
	    (unsigned long long)root.max_content);
	if (root.max_content > 0 && root.max_content < 16384)
		doctor_warn(d, "small",
		    "ask the peer to raise its max_content_length: objects larger than that never "
		    "arrive",
		    "%s takes only %llu bytes at once", d->path, (unsigned long long)root.max_content);
}

/* ---- collections ---- */

static const char *
collections_path(const struct doctor *d, const char *word)
{
	return arena_fmt(d->mem, "%scollections/%s%s", d->root_path, word, word[0] == '\0' ? "" : "/");
}

/* A word that may stand in a path as it is. */
static bool
is_segment(const char *word)
{
	return word[0] != '\0' && word[strcspn(word, "/?#%\\\" ")] == '\0';
}

/* Ask for it by name: hidden ones are in no list. */
static const struct taxii_collection *
ask_for(struct doctor *d, const char *word, int *status)
{
	const struct taxii_collection *v = NULL;
	struct doctor_answer a;
	size_t n = 0;

	*status = 404;
	if (!is_segment(word))
		return NULL;
	doctor_get(d, collections_path(d, word), d->media, &a);
	*status = a.status;
	if (a.status == 200 && taxii_read_collections(a.body, d->mem, &v, &n, NULL) < 0)
		n = 0;
	doctor_answer_fini(&a);
	return n == 1 ? v : NULL;
}

struct listing {
	const struct taxii_collection	*v;
	size_t				 n;
	int				 status;
	const char			*trouble;	/* why there is none, or "" */
};

static void
list_all(struct doctor *d, struct listing *l)
{
	struct doctor_answer a;
	struct err e = ERR_INIT;

	*l = (struct listing){ .trouble = "" };
	doctor_get(d, collections_path(d, ""), d->media, &a);
	l->status = a.status;
	if (a.status == 200) {
		if (taxii_read_collections(a.body, d->mem, &l->v, &l->n, &e) < 0)
			l->trouble = arena_str(d->mem, slice_of(e.reason));
	} else {
		l->trouble = a.status == 0 ? a.trouble : arena_fmt(d->mem, "the server answers %d: %s",
		    a.status, taxii_read_error(a.body, d->mem));
	}
	doctor_answer_fini(&a);
}

static void
note_collections(struct doctor *d, const struct listing *l)
{
	for (size_t i = 0; i < l->n && i < SHOWN; i++)
		doctor_note(d, "there is %s%s%s \"%s\"%s%s", l->v[i].id, l->v[i].alias[0] == '\0' ? "" :
		    ", alias ", l->v[i].alias, l->v[i].title, l->v[i].can_read ? " read" : "",
		    l->v[i].can_write ? " write" : "");
	if (l->n > SHOWN)
		doctor_note(d, "and %zu more", l->n - SHOWN);
}

static void
fail_collection(struct doctor *d, const struct doctor_want *w, const struct listing *l, int status,
    const char *reason)
{
	if (status == 401 || status == 403)
		doctor_fail(d, "collection-forbidden", "ask the peer for the right on it",
		    "collection %s (%s): the server gives us no right (%d)", w->name, w->what, status);
	else if (l->trouble[0] != '\0')
		doctor_fail(d, "collections", "ask the peer", "the collections cannot be listed: %s",
		    l->trouble);
	else if (d->peer->wire == WIRE_TOCSIN && w->word != NULL && strncmp(w->word, "inbox-", 6) == 0)
		doctor_fail(d, "no-collection",
		    arena_fmt(d->mem,
		    "the peer's inbox for us is called inbox-NAME, by the name that our section "
		    "has over there: does it call us %s?",
		    w->word + 6),
		    "there is no collection %s (%s)", w->name, w->what);
	else
		doctor_fail(d, "no-collection",
		    "write the id of one that is there, or ask the peer to show it to us", "%s (%s)",
		    reason[0] != '\0' ? reason :
		    arena_fmt(d->mem, "there is no collection %s", w->name),
		    w->what);
	note_collections(d, l);
}

/* The collection that our files mean; false after a failure. The relay between nodes puts the word into
 * the path as it is, the TAXII client looks for ids, aliases and titles. */
static bool
find(struct doctor *d, struct doctor_want *w, const struct listing *l)
{
	struct err e = ERR_INIT;
	int status = 404;

	if (d->peer->wire != WIRE_TOCSIN)
		w->found = taxii_choose(l->v, l->n, w->word, &e);
	if (w->found == NULL && w->word != NULL)
		w->found = ask_for(d, w->word, &status);
	if (w->found != NULL)
		return true;
	fail_collection(d, w, l, status, e.reason);
	return false;
}

void
doctor_collection(struct doctor *d)
{
	struct strbuf text = STRBUF_INIT;
	struct listing l;
	size_t done = 0;

	list_all(d, &l);
	json_put_int(d->mem, d->now->detail, "shown_to_us", (int64_t)l.n);
	while (done < d->nwants && find(d, &d->wants[done], &l)) {
		strbuf_addf(&text, "%s%s is %s \"%s\"", done > 0 ? "; " : "", d->wants[done].name,
		    d->wants[done].found->id, d->wants[done].found->title);
		done++;
	}
	if (done == d->nwants && d->nwants > 0)
		doctor_ok(d, "%s", text.p);
	else if (d->nwants == 0 && l.trouble[0] != '\0')
		fail_collection(d, &(struct doctor_want){ .name = "", .what = "list" }, &l, l.status, "");
	else if (d->nwants == 0) {
		doctor_ok(d, "%zu to see; our files name none", l.n);
		note_collections(d, &l);
	}
	strbuf_fini(&text);
}

/* ---- rights ---- */

/* Whoever may not do what our files want of a collection is told whom to ask. */
static void
check_rights(struct doctor *d, const struct doctor_want *w)
{
	const char *fix = d->peer->wire == WIRE_TOCSIN ? "is this our inbox over there? The peer's section "
	    "for us makes inbox-NAME writable for us" : "ask the peer for the right to write, or name a "
	    "collection that takes objects";

	if (w->write && !w->found->can_write)
		doctor_fail(d, "no-write", fix, "collection %s (%s): we may not write it", w->word,
		    w->what);
	else if (w->read && !w->found->can_read)
		doctor_fail(d, "no-read", "ask the peer for the right to read",
		    "collection %s (%s): we may not read it", w->name, w->what);
}

void
doctor_rights(struct doctor *d)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < d->nwants && !doctor_failed(d); i++) {
		const struct doctor_want *w = &d->wants[i];

		check_rights(d, w);
		strbuf_addf(&text, "%s%s: may %s", i > 0 ? "; " : "", w->name, w->write && w->read ?
		    "read and write" : w->write ? "write" : "read");
	}
	if (d->nwants == 0)
		doctor_skip(d, "no collection is named");
	else if (!doctor_failed(d))
		doctor_ok(d, "%s", text.p);
	strbuf_fini(&text);
}
