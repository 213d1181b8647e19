/* Sections node, community, peer and consumer. Part of policy_load.h. */
#include "gateway/policy_load.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static struct peer *
this_peer(struct load *ld)
{
	return &ld->t->peers[ld->index];
}

static struct peer_more *
this_more(struct load *ld)
{
	return &ld->t->more[ld->index];
}

static struct community *
this_community(struct load *ld)
{
	return &ld->t->communities[ld->index];
}

/* "tlp WORD" at words[i] and i + 1. */
static bool
take_tlp(struct load *ld, const struct line *l, size_t i, enum tlp *out)
{
	enum tlp label;

	if (!slice_is(l->words[i], "tlp") || i + 1 >= l->nwords) {
		complain(ld->c, l, "'%s' takes 'tlp' and a label", l->words[0].p);
		return false;
	}
	label = tlp_parse(l->words[i + 1]);
	if (label == TLP_UNSET) {
		complain_unknown(ld->c, l, "label", l->words[i + 1], words_tlp + 1);
		return false;
	}
	*out = label;
	return true;
}

/* ---- node ---- */

void
open_node(struct load *ld)
{
	ld->t->node = load_where(ld);
}

static void
node_identity(struct load *ld, const struct line *l)
{
	load_identity(ld, l, 1, &ld->t->identity);
}

static void
node_aliases(struct load *ld, const struct line *l)
{
	ld->t->aliases = load_list(ld, l, 1);
}

static void
node_country(struct load *ld, const struct line *l)
{
	struct countries one = { 0 };

	load_countries(ld, l, 1, &one);
	ld->t->country = l->words[1].p;
}

static void
node_sectors(struct load *ld, const struct line *l)
{
	ld->t->sectors = (uint32_t)load_bits(ld, l, "sector", 1, words_sector);
}

static void
node_contact(struct load *ld, const struct line *l)
{
	ld->t->contact = l->words[1].p;
}

static void
node_sign_key(struct load *ld, const struct line *l)
{
	ld->t->sign_key = load_path(ld, l, 1);
}

static void
node_unmarked(struct load *ld, const struct line *l)
{
	static const char *const what[] = { "tlp", "pap", NULL };

	for (size_t i = 1; i < l->nwords; i += 2) {
		int w = load_word(ld, l, "marking", i, what);

		if (w == 0) {
			take_tlp(ld, l, i, &ld->t->unmarked_tlp);
		} else if (w == 1 && i + 1 < l->nwords) {
			int pap = load_word(ld, l, "permission", i + 1, words_pap + 1);

			if (pap >= 0)
				ld->t->unmarked_pap = (enum pap)(pap + 1);
		} else if (w == 1) {
			complain(ld->c, l, "'pap' takes a level");
		}
	}
}

static void
node_iodef_unmarked(struct load *ld, const struct line *l)
{
	take_tlp(ld, l, 1, &ld->t->iodef_unmarked_tlp);
}

/* A sharing group of MISP is known by its UUID alone; what is not told here is RED. */
static void
node_misp_group(struct load *ld, const struct line *l)
{
	const char *had = ld->t->misp_groups;
	struct slice uuid = l->words[1];
	enum tlp label = TLP_RED;

	if (!uuid_is_shaped(uuid)) {
		complain(ld->c, l, "'%.60s' is no UUID of a sharing group", uuid.p);
		return;
	}
	if (had != NULL && strcasestr(had, uuid.p) != NULL) {
		complain(ld->c, l, "this sharing group has a label already");
		return;
	}
	if (take_tlp(ld, l, 2, &label))
		ld->t->misp_groups = arena_fmt(ld->mem, "%s%s%s=%s", had == NULL ? "" : had,
		    had == NULL ? "" : ",", uuid.p, tlp_word(label));
}

static void
node_red(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "never", "named", NULL };

	if (load_word(ld, l, "value", 1, words) == 1)
		complain(ld->c, l, "'red named' needs mailboxes of persons, which this build cannot "
		    "reach: say 'red never'");
}

static void
node_fast(struct load *ld, const struct line *l)
{
	/* phases count from 1: bit 0 of the list would be "none" */
	ld->t->fast = (uint32_t)load_bits(ld, l, "phase", 1, words_phase + 1) << 1;
}

const struct directive directives_node[] = {
	{ "identity", 1, 1, 0, node_identity },
	{ "aliases", 1, WORDS_ANY, 0, node_aliases },
	{ "country", 1, 1, 0, node_country },
	{ "sectors", 1, WORDS_ANY, 0, node_sectors },
	{ "contact", 1, 1, 0, node_contact },
	{ "sign-key", 1, 1, 0, node_sign_key },
	{ "unmarked", 2, 4, 0, node_unmarked },
	{ "iodef-unmarked", 2, 2, 0, node_iodef_unmarked },
	{ "misp-group", 3, 3, DIRECTIVE_MANY, node_misp_group },
	{ "red", 1, 1, 0, node_red },
	{ "fast", 1, WORDS_ANY, 0, node_fast },
	{ NULL, 0, 0, 0, NULL }
};

/* ---- community ---- */

void
open_community(struct load *ld)
{
	this_community(ld)->at = load_where(ld);
	this_community(ld)->ceiling = TLP_RED;
}

static void
community_members(struct load *ld, const struct line *l)
{
	for (size_t i = 1; i < l->nwords; i++) {
		int peer = load_name(ld, l, NAMES_PEER, i);

		if (peer >= 0)
			ld->t->peers[peer].communities |= UINT64_C(1) << ld->index;
	}
}

static void
community_green(struct load *ld, const struct line *l)
{
	load_bool(ld, l, 1, &this_community(ld)->green);
}

static void
community_ceiling(struct load *ld, const struct line *l)
{
	take_tlp(ld, l, 1, &this_community(ld)->ceiling);
}

const struct directive directives_community[] = {
	{ "members", 1, WORDS_ANY, DIRECTIVE_MANY | DIRECTIVE_NEEDED, community_members },
	{ "green", 1, 1, 0, community_green },
	{ "ceiling", 2, 2, 0, community_ceiling },
	{ NULL, 0, 0, 0, NULL }
};

/* ---- peer and consumer ---- */

void
open_peer(struct load *ld)
{
	static const char *const none[] = { NULL };
	struct peer *p = this_peer(ld);

	p->name = ld->opened->words[1].p;
	p->index = ld->index;
	p->file = ld->opened->file;
	p->line = ld->opened->number;
	p->speaks = p->reads = p->writes = none;
	p->relation = RELATION_PUBLIC;
}

void
open_consumer(struct load *ld)
{
	open_peer(ld);
	this_peer(ld)->is_consumer = true;
	this_peer(ld)->relation = RELATION_OWN;
}

void
close_peer(struct load *ld)
{
	static const char *const stix[] = { "stix21", NULL };
	struct peer *p = this_peer(ld);
	const char **own;

	if (p->speaks[0] == NULL && p->folder != NULL) {
		own = arena_alloc(ld->mem, 2 * sizeof(*own));
		own[0] = p->folder_format;
		p->speaks = own;
	} else if (p->speaks[0] == NULL) {
		p->speaks = stix;
	}
	if (p->tlp_vocab == TLP_VOCAB_BOTH && p->relation != RELATION_OWN)
		complain(ld->c, ld->opened, "'tlp-vocab both' changes what '%s' is shown: only for "
		    "relation own", p->name);
	if (p->relation != RELATION_OWN)
		p->tlp_vocab = TLP_VOCAB_AS_SENT;	/* rulings 5 */
	peer_check_wire(ld);
}

static void
peer_pin(struct load *ld, const struct line *l)
{
	struct peer *p = this_peer(ld);
	struct slice w = l->words[1];
	uint8_t pin[32];

	if (!slice_starts(w, "sha256:") || !hex_decode(slice_from(w.p + 7, w.n - 7), pin, 32)) {
		complain(ld->c, l, "'%.20s' is not a pin: sha256: and 64 hex digits", w.p);
		return;
	}
	if (p->npins == PEER_PINS) {
		complain(ld->c, l, "peer '%s' has more than %d pins", p->name, (int)PEER_PINS);
		return;
	}
	for (size_t i = 0; i < ld->t->npeers; i++)
		for (size_t j = 0; j < ld->t->peers[i].npins; j++)
			if (memcmp(ld->t->peers[i].pins[j], pin, 32) == 0)
				complain(ld->c, l, "peer '%s' has this pin already",
				    ld->t->peers[i].name);
	memcpy(p->pins[p->npins++], pin, 32);
}

static void
peer_relation(struct load *ld, const struct line *l)
{
	int r = load_word(ld, l, "relation", 1, words_relation);

	if (r < 0)
		return;
	if (this_peer(ld)->is_consumer && r > RELATION_CLIENT)
		complain(ld->c, l, "a consumer is of relation own or client; a %s is a peer, with a pin",
		    words_relation[r]);
	this_peer(ld)->relation = (enum relation)r;
}

static void
peer_country(struct load *ld, const struct line *l)
{
	struct countries one = { 0 };

	load_countries(ld, l, 1, &one);
	if (l->words[1].n != 2 || slice_is(l->words[1], "EU"))
		complain(ld->c, l, "'country' takes one country");
	this_peer(ld)->country = l->words[1].p;
}

static void
peer_sectors(struct load *ld, const struct line *l)
{
	this_peer(ld)->sectors = (uint32_t)load_bits(ld, l, "sector", 1, words_sector);
}

/* vetting none | LEVEL by WHO until DATE */
static void
peer_vetting(struct load *ld, const struct line *l)
{
	struct peer_more *m = this_more(ld);
	int level = load_word(ld, l, "vetting", 1, words_vetting);

	if (level < 0 || (level == VETTING_NONE && l->nwords == 2))
		return;
	if (l->nwords != 6 || !slice_is(l->words[2], "by") || !slice_is(l->words[4], "until")) {
		complain(ld->c, l, "vetting is 'none', or a level, 'by' WHO and 'until' DATE");
		return;
	}
	m->vetting = (enum vetting)level;
	m->vetting_by = l->words[3].p;
	load_date(ld, l, 5, &m->vetting_until_us);
}

static void
peer_stores_in(struct load *ld, const struct line *l)
{
	load_countries(ld, l, 1, &this_more(ld)->stores_in);
}

static void
peer_uses(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "detect", "lookup", "block", NULL };

	this_peer(ld)->uses = (uint32_t)load_bits(ld, l, "use", 1, words);
}

static void
peer_identity(struct load *ld, const struct line *l)
{
	load_identity(ld, l, 1, &this_peer(ld)->identity);
}

static void
peer_speaks_for(struct load *ld, const struct line *l)
{
	struct peer *p = this_peer(ld);

	if (l->nwords == 2 && slice_is(l->words[1], "any")) {
		p->speaks_for_any = true;
		return;
	}
	p->speaks_for = arena_alloc(ld->mem, l->nwords * sizeof(*p->speaks_for));
	for (size_t i = 1; i < l->nwords; i++)
		if (load_identity(ld, l, i, &p->speaks_for[p->nspeaks_for]))
			p->nspeaks_for++;
}

static void
peer_phases(struct load *ld, const struct line *l)
{
	this_peer(ld)->wants_phases =
	    (uint32_t)load_bits(ld, l, "phase", 1, words_phase + 1) << 1;
}

static void
peer_exercise(struct load *ld, const struct line *l)
{
	static const char *const words[] = { "no", "also", "only", NULL };
	int part = load_word(ld, l, "part in exercises", 1, words);

	this_peer(ld)->exercise = part < 0 ? EXERCISE_NO : (enum exercise_part)part;
}

static void
consumer_bookmark(struct load *ld, const struct line *l)
{
	load_bool(ld, l, 1, &this_peer(ld)->bookmark);
}

static void
peer_read(struct load *ld, const struct line *l)
{
	this_peer(ld)->reads = load_list(ld, l, 1);
}

static void
peer_write(struct load *ld, const struct line *l)
{
	this_peer(ld)->writes = load_list(ld, l, 1);
}

#define COMMON_LINES								\
	{ "country", 1, 1, 0, peer_country },					\
	{ "sectors", 1, WORDS_ANY, 0, peer_sectors },				\
	{ "vetting", 1, 5, 0, peer_vetting },					\
	{ "stores-in", 1, WORDS_ANY, 0, peer_stores_in },			\
	{ "speaks", 1, 16, 0, peer_speaks },					\
	{ "speaks-for", 1, WORDS_ANY, 0, peer_speaks_for },			\
	{ "identity", 1, 1, 0, peer_identity },					\
	{ "tlp-vocab", 1, 1, 0, peer_tlp_vocab },				\
	{ "empty-list", 1, 1, 0, peer_empty_list },				\
	{ "taxii20", 1, 1, 0, peer_taxii20 },					\
	{ "taxii11", 1, 1, 0, peer_taxii11 },					\
	{ "uses", 1, 3, 0, peer_uses },						\
	{ "limit", 2, 4, DIRECTIVE_MANY, peer_limit },				\
	{ "iodef-amber", 1, 1, 0, peer_iodef_amber },				\
	{ "validate", 1, 1, 0, peer_validate },					\
	{ "refuse-loss", 1, 3, DIRECTIVE_MANY, peer_refuse_loss },				\
	{ "phases", 1, WORDS_ANY, 0, peer_phases },				\
	{ "exercise", 1, 1, 0, peer_exercise },					\
	{ "read", 1, WORDS_ANY, 0, peer_read },					\
	{ "write", 1, WORDS_ANY, 0, peer_write }

const struct directive directives_peer[] = {
	{ "pin", 1, 1, DIRECTIVE_MANY, peer_pin },
	{ "relation", 1, 1, DIRECTIVE_NEEDED, peer_relation },
	{ "wire", 1, 5, 0, peer_wire },
	{ "url", 1, 1, 0, peer_url },
	{ "serve-as", 1, 1, 0, peer_serve_as },
	{ "verify", 1, 1, 0, peer_verify },
	{ "proxy", 1, 1, 0, peer_proxy },
	{ "collection", 1, 1, 0, peer_collection },
	{ "ca", 1, 1, 0, peer_ca },
	{ "sign-key", 1, 1, 0, peer_sign_key },
	COMMON_LINES,
	{ NULL, 0, 0, 0, NULL }
};

const struct directive directives_consumer[] = {
	{ "pin", 1, 1, DIRECTIVE_MANY, peer_pin },
	{ "relation", 1, 1, 0, peer_relation },
	{ "bookmark", 1, 1, 0, consumer_bookmark },
	COMMON_LINES,
	{ NULL, 0, 0, 0, NULL }
};
