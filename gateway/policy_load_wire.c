/* policy_load_wire.c -- lines of a peer that say how one talks with it: where, how, in which formats. */
#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "gateway/policy_load.h"

static struct peer *
this_peer(struct load *ld)
{
	return &ld->t->peers[ld->index];
}

/* ---- where, and how fast ---- */

/* limit in|out RATE [burst N]; the burst that is not said is ten seconds' worth. */
void
peer_limit(struct load *ld, const struct line *l)
{
	static const char *const ways[] = { "in", "out", NULL };
	int way = load_word(ld, l, "direction", 1, ways);
	int64_t burst = 0;
	struct limit *lim;

	if (way < 0)
		return;
	lim = way == 0 ? &this_peer(ld)->limit_in : &this_peer(ld)->limit_out;
	if (lim->per_second > 0)
		complain(ld->c, l, "a second 'limit %s'", ways[way]);
	if (!word_rate(l->words[2], &lim->per_second)) {
		complain(ld->c, l, "'%.60s' is not a rate such as 600/min", l->words[2].p);
		return;
	}
	if (l->nwords > 3 && (l->nwords != 5 || !slice_is(l->words[3], "burst") ||
	    !word_int(l->words[4], 1, UINT32_MAX, &burst))) {
		complain(ld->c, l, "after the rate stands 'burst' and a number");
		return;
	}
	if (burst == 0)
		burst = lim->per_second < 1e8 ? (int64_t)(lim->per_second * 10) + 1 : UINT32_MAX;
	lim->burst = (uint32_t)burst;
}

/* An https address; of a node of our kind it must be an API root (close_peer). */
void
peer_url(struct load *ld, const struct line *l)
{
	static const char head[] = "https://";
	struct slice w = l->words[1], host = w;

	if (slice_starts(w, head) && strpbrk(w.p, "?#@\\ ") == NULL) {
		host = slice_from(w.p + sizeof(head) - 1, w.n - (sizeof(head) - 1));
		host = slice_cut(&host, '/');
		if (host.n > 0) {
			this_peer(ld)->url = w.p;
			return;
		}
	}
	complain(ld->c, l, "'%.100s' is not the address of an API root such as "
	    "https://peer.example:8443/api/", w.p);
}

/* A format that a folder may be written in: one that comes in as well, so that it can say a label. */
static const struct format_ops *
folder_format(struct load *ld, const struct line *l, struct slice name)
{
	const struct format_ops *f = format_find(name);
	const char *known[FORMATS_MAX];

	formats_list(known);
	if (f == NULL && format_find_writer(name) != NULL)
		complain(ld->c, l, "'%.40s' cannot say a label: a feed (tocsin.conf) may be made of it, "
		    "and nothing is relayed in it", name.p);
	else if (f == NULL)
		complain_unknown(ld->c, l, "format", name, known);
	else if (f == &format_mapped || f == &format_taxii11)
		complain(ld->c, l, "nothing can be sent as '%s'", f->name);
	else
		return f;
	return NULL;
}

/* folder PATH as FORMAT [plain] */
static void
wire_folder(struct load *ld, const struct line *l)
{
	struct peer *p = this_peer(ld);
	const struct format_ops *f;

	if (l->nwords < 5 || !slice_is(l->words[3], "as") ||
	    (l->nwords == 6 && !slice_is(l->words[5], "plain"))) {
		complain(ld->c, l, "after 'wire folder' stand a path, 'as' and a format, and perhaps "
		    "'plain'");
		return;
	}
	f = folder_format(ld, l, l->words[4]);
	if (f == NULL)
		return;
	p->folder = load_path(ld, l, 2);
	p->folder_format = f->name;
	p->folder_plain = l->nwords == 6;
}

void
peer_wire(struct load *ld, const struct line *l)
{
	static const char *const words[] = { [WIRE_TOCSIN] = "tocsin", [WIRE_TAXII21] = "taxii21",
	    [WIRE_TAXII20] = "taxii20", [WIRE_FOLDER] = "folder", NULL };
	int wire = load_word(ld, l, "wire", 1, words);

	this_peer(ld)->wire = wire < 0 ? WIRE_TOCSIN : (enum peer_wire)wire;
	if (wire == WIRE_FOLDER)
		wire_folder(ld, l);
	else if (l->nwords > 2)
		complain(ld->c, l, "nothing stands after 'wire %s'", l->words[1].p);
}

void
peer_serve_as(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "as-sent", "stix20", NULL };

	this_peer(ld)->serve_stix20 = load_word(ld, l, "way of serving", 1, words) == 1;
}

void
peer_verify(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "pin", "name", NULL };

	this_peer(ld)->by_name = load_word(ld, l, "kind of verification", 1, words) == 1;
}

/* http://HOST:PORT, and nothing behind it: a login is a secret (`tocsin peer login`). */
void
peer_proxy(struct load *ld, const struct line *l)
{
	static const char head[] = "http://";
	struct slice w = l->words[1], rest = w, host;
	unsigned long long port = 0;

	if (slice_starts(w, head) && strpbrk(w.p, "?#@\\ ") == NULL) {
		rest = slice_from(w.p + sizeof(head) - 1, w.n - (sizeof(head) - 1));
		if (slice_ends(rest, "/"))
			rest.n--;
		host = slice_cut(&rest, rest.n > 0 && rest.p[0] == '[' ? ']' : ':');
		if (host.n > 0 && host.p[0] == '[') {
			host = slice_from(host.p + 1, host.n - 1);
			slice_cut(&rest, ':');
		}
		if (host.n > 0 && memchr(host.p, '/', host.n) == NULL && slice_u64(rest, &port) &&
		    port > 0 && port <= 65535) {
			this_peer(ld)->proxy = arena_str(ld->mem, host);
			this_peer(ld)->proxy_port = (uint16_t)port;
			return;
		}
	}
	complain(ld->c, l, "'%.100s' is not the address of a proxy such as http://proxy.example:3128",
	    w.p);
}

void
peer_collection(struct load *ld, const struct line *l)
{
	this_peer(ld)->collection = l->words[1].p;
}

void
peer_ca(struct load *ld, const struct line *l)
{
	this_peer(ld)->ca = load_path(ld, l, 1);
}

void
peer_sign_key(struct load *ld, const struct line *l)
{
	struct peer *p = this_peer(ld);
	struct strbuf key = STRBUF_INIT;
	struct slice w = l->words[1];

	if (slice_starts(w, "ed25519:") &&
	    base64_decode(slice_from(w.p + 8, w.n - 8), false, &key) && key.n == sizeof(p->sign_key)) {
		memcpy(p->sign_key, key.p, key.n);
		p->has_sign_key = true;
	} else {
		complain(ld->c, l, "'%.20s' is not a key: ed25519: and 32 bytes in base64", w.p);
	}
	strbuf_fini(&key);
}

/* ---- in which formats, and how they are read ---- */

/* Names of formats; `inhouse` is what administrators call `mapped`. */
void
peer_speaks(struct load *ld, const struct line *l)
{
	const char **names = arena_alloc(ld->mem, l->nwords * sizeof(*names));
	const char *known[FORMATS_MAX];

	formats_list(known);
	for (size_t i = 1; i < l->nwords; i++) {
		bool inhouse = slice_is(l->words[i], "inhouse");
		const struct format_ops *f = inhouse ? &format_mapped : format_find(l->words[i]);

		if (f == NULL)
			complain_unknown(ld->c, l, "format", l->words[i], known);
		else
			names[i - 1] = f->name;
	}
	this_peer(ld)->speaks = names;
}

void
peer_tlp_vocab(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "2.0", "1.0", "both", NULL };
	static const enum tlp_vocab vocabs[] = { TLP_VOCAB_2, TLP_VOCAB_1, TLP_VOCAB_BOTH };
	int w = load_word(ld, l, "TLP version", 1, words);

	this_peer(ld)->tlp1_vocabulary = w == 1;
	this_peer(ld)->tlp_vocab = w < 0 ? TLP_VOCAB_AS_SENT : vocabs[w];
}

void
peer_empty_list(struct load *ld, const struct line *l)
{
	load_bool(ld, l, 1, &this_peer(ld)->empty_list);
}

void
peer_taxii20(struct load *ld, const struct line *l)
{
	bool yes = true;

	load_bool(ld, l, 1, &yes);
	this_peer(ld)->no_taxii20 = !yes;
}

void
peer_taxii11(struct load *ld, const struct line *l)
{
	bool yes = true;

	load_bool(ld, l, 1, &yes);
	this_peer(ld)->no_taxii11 = !yes;
}

void
peer_iodef_amber(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "plain", "strict", NULL };

	this_peer(ld)->iodef_amber_strict = load_word(ld, l, "value", 1, words) == 1;
}

void
peer_validate(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "tolerant", "strict", NULL };

	this_peer(ld)->validate_strict = load_word(ld, l, "value", 1, words) == 1;
}

/* refuse-loss [in|out] SHARE% [approximated]; in, if it is not said */
void
peer_refuse_loss(struct load *ld, const struct line *l)
{
	bool out = slice_is(l->words[1], "out");
	size_t at = out || slice_is(l->words[1], "in") ? 2 : 1;
	struct loss_limit *limit = out ? &this_peer(ld)->refuse_loss_out : &this_peer(ld)->refuse_loss;

	if (limit->set)
		complain(ld->c, l, "a second 'refuse-loss %s'", out ? "out" : "in");
	if (at == l->nwords || !loss_limit_parse(l->words[at], limit)) {
		complain(ld->c, l, "'%.40s' is no share such as 5%% or 0.5%%", l->words[l->nwords - 1].p);
		return;
	}
	if (l->nwords == at + 2 && slice_is(l->words[at + 1], "approximated"))
		limit->approximated = true;
	else if (l->nwords > at + 1)
		complain(ld->c, l, "after the share stands 'approximated' or nothing, not '%.40s'",
		    l->words[at + 1].p);
}

/* ---- all of them together ---- */

/* https://host[:port]/root/ and nothing else. */
static bool
is_api_root(struct slice url)
{
	static const char head[] = "https://";
	struct slice rest, host;

	if (!slice_starts(url, head) || !slice_ends(url, "/"))
		return false;
	rest = slice_from(url.p + sizeof(head) - 1, url.n - (sizeof(head) - 1));
	host = slice_cut(&rest, '/');
	return host.n > 0 && rest.n > 1;
}

/* Nobody is called where a folder stands, and nothing comes from there unless there is a pin. */
static void
check_folder(struct load *ld, struct peer *p)
{
	const char *line = p->url != NULL ? "url" : p->collection != NULL ? "collection" :
	    p->by_name ? "verify" : p->proxy != NULL ? "proxy" : p->ca != NULL ? "ca" : NULL;

	if (line != NULL)
		complain(ld->c, ld->opened, "peer '%s' has a folder ('wire folder'), and a line '%s' for "
		    "calling it", p->name, line);
	if (p->refuse_loss.set && p->npins == 0)
		complain(ld->c, ld->opened, "nothing comes from peer '%s', which has no pin: for what is "
		    "put into its folder say 'refuse-loss out'", p->name);
}

/* A wire that speaks with somebody. */
static void
check_address(struct load *ld, struct peer *p)
{
	if (p->url != NULL && p->wire == WIRE_TOCSIN && !is_api_root(slice_of(p->url)))
		complain(ld->c, ld->opened, "'%.100s' is not the address of an API root such as "
		    "https://peer.example:8443/api/", p->url);
	/* Some TAXII server may be there to be read alone; who relays is told what is missing. */
	if (p->url != NULL && p->collection == NULL && p->wire == WIRE_TOCSIN)
		complain(ld->c, ld->opened, "peer '%s' has a url but no collection to post to", p->name);
	if (p->collection != NULL && p->url == NULL)
		complain(ld->c, ld->opened, "peer '%s' has a collection but no url", p->name);
	if (p->by_name && p->npins > 0)
		complain(ld->c, ld->opened, "peer '%s' has a pin, and 'verify name' says not to look at "
		    "it", p->name);
	if (!p->is_consumer && p->npins == 0 && !p->by_name && !ld->partial)
		complain(ld->c, ld->opened, "peer '%s' lacks the line 'pin': a peer is an endpoint "
		    "with a key (a 'consumer' needs none)", p->name);
	if (p->wire == WIRE_TOCSIN && p->by_name)
		complain(ld->c, ld->opened, "peer '%s': 'verify name' is for TAXII servers of others "
		    "('wire taxii21'); between nodes the pin is who they are", p->name);
}

void
peer_check_wire(struct load *ld)
{
	struct peer *p = this_peer(ld);

	if (p->wire == WIRE_FOLDER)
		check_folder(ld, p);
	else
		check_address(ld, p);
	if (p->serve_stix20 && p->wire != WIRE_TAXII20 && p->wire != WIRE_TAXII21)
		complain(ld->c, ld->opened, "peer '%s': 'serve-as stix20' is for TAXII 2.0 servers of "
		    "others ('wire taxii20')", p->name);
	if (p->refuse_loss_out.set && p->wire != WIRE_FOLDER && !p->serve_stix20)
		complain(ld->c, ld->opened, "nothing is translated for '%s', so 'refuse-loss out' refuses "
		    "nothing: it is for 'wire folder' and 'serve-as stix20'", p->name);
}
