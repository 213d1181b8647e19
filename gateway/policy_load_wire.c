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

void
peer_wire(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "tocsin", "taxii21", "taxii20", NULL };
	int wire = load_word(ld, l, "wire", 1, words);

	this_peer(ld)->wire = wire < 0 ? WIRE_TOCSIN : (enum peer_wire)wire;
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

/* refuse-loss SHARE% [approximated] */
void
peer_refuse_loss(struct load *ld, const struct line *l)
{
	struct loss_limit *limit = &this_peer(ld)->refuse_loss;

	if (!loss_limit_parse(l->words[1], limit))
		complain(ld->c, l, "'%.40s' is no share such as 5%% or 0.5%%", l->words[1].p);
	if (l->nwords == 3 && slice_is(l->words[2], "approximated"))
		limit->approximated = true;
	else if (l->nwords == 3)
		complain(ld->c, l, "after the share stands 'approximated' or nothing, not '%.40s'",
		    l->words[2].p);
}
