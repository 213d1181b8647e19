/* If this fails, trust.conf lets in what its author did not mean, or refuses it without saying where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/policy_parts.h"

#define FIXTURE	"tests/unit/trust/vectors.conf"
#define PIN	"    pin sha256:000000000000000000000000000000000000000000000000000000000000000"
#define FOLDER	"peer p\n    relation partner\n    wire folder out/p as "
#define PEER(name, n)	"peer " name "\n" PIN n "\n    relation partner\n"

/* Complaints of a text, one a line; "" if it loads. */
static char *
complaints_of(struct arena *mem, const char *text)
{
	struct complaints c = { .mem = mem };
	struct trust *t = trust_parse(slice_of(text), "t", &c);
	struct strbuf b = STRBUF_INIT;
	char *out;

	for (size_t i = 0; i < c.n; i++)
		strbuf_addf(&b, "%s\n", c.text[i]);
	assert_true((t == NULL) == (c.n > 0));
	trust_free(t);
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static struct trust *
loaded(const char *path)
{
	struct complaints c = { .mem = arena_new() };
	struct trust *t = trust_load(path, &c);

	for (size_t i = 0; i < c.n; i++)
		fprintf(stderr, "%s\n", c.text[i]);
	assert_int_equal(c.n, 0);
	assert_non_null(t);
	arena_free(c.mem);
	return t;
}

#define SCHEME	"scheme s\n    kind eu\n    status in-force\n    levels basic high\n" \
		"    max-valid 3y\n    assessed both\n"
#define PAPER	PEER("p", "1") SCHEME "attestation a\n    peer p\n    issuer i\n    covers team\n" \
		"    verified document by me on 2026-01-01\n"

/* A text and what is said about it; each complaint is a whole line. */
static const struct {
	const char *text, *want;
} refused[] = {
	{ "", "" },
	{ "# nothing\n", "" },
	{ PEER("p", "1"), "" },
	/* sections */
	{ "relase x\n", "t:1: unknown section 'relase', did you mean 'release'?\n" },
	{ "peer\n", "t:1: 'peer' takes one name\n" },
	{ "peer a b\n", "t:1: 'peer' takes one name\n" },
	{ "node a\nnode b\n", "t:2: a second section 'node': there is one at t:1\n" },
	{ "node a/b\n", "t:1: 'a/b' is no name: at most 64 letters, digits, '-', '.' and '_'\n" },
	{ PEER("p", "1") PEER("p", "2"), "t:4: peer 'p' is already at t:1\n" },
	{ PEER("p", "1") "consumer p\n", "t:4: consumer 'p' is already at t:1\n" },
	{ "  pin x\n", "t:1: an indented line needs a section above it in this file\n" },
	{ "include other.conf\n", "t:1: include is not possible here: this text is no file\n" },
	/* node */
	{ "node n\n    contry LV\n", "t:2: unknown directive 'contry', did you mean 'country'?\n" },
	{ "node n\n    country LV\n    country LV\n", "t:3: a second 'country' in node 'n'\n" },
	{ "node n\n    country ZZ\n",
	    "t:2: unknown country 'ZZ': two capital letters of ISO 3166, EU or EEA\n" },
	{ "node n\n    red named\n",
	    "t:2: 'red named' needs mailboxes of persons, which this build cannot reach: say 'red "
	    "never'\n" },
	{ "node n\n    red nevr\n", "t:2: unknown value 'nevr', did you mean 'never'?\n" },
	{ "node n\n    unmarked tlp ambre\n", "t:2: unknown label 'ambre', did you mean 'amber'?\n" },
	{ "node n\n    unmarked tlp amber pap\n", "t:2: 'pap' takes a level\n" },
	{ "node n\n    misp-group 17 tlp amber\n", "t:2: '17' is no UUID of a sharing group\n" },
	{ "node n\n    misp-group 0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40516 tlp ambre\n",
	    "t:2: unknown label 'ambre', did you mean 'amber'?\n" },
	{ "node n\n    misp-group 0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40516 tlp amber\n"
	    "    misp-group 0F1E2D3C-4B5A-4678-9A0B-C1D2E3F40516 tlp green\n",
	    "t:3: this sharing group has a label already\n" },
	{ "node n\n    fast indication\n",
	    "t:2: unknown phase 'indication', did you mean 'indications'?\n" },
	{ "node n\n    sectors enrgy\n", "t:2: unknown sector 'enrgy', did you mean 'energy'?\n" },
	{ "node n\n    identity me\n", "t:2: 'me' is not an identity id such as "
	    "identity--7c1d4f0e-52a3-4b6b-9c0e-3a5d0f6f1a01\n" },
	{ "node n\n    identity\n", "t:2: 'identity' needs more words\n" },
	{ "node n\n    country LV EE\n", "t:2: 'country' has too many words\n" },
	/* community and peer */
	{ "community c\n    green yes\n", "t:1: community 'c' lacks the line 'members'\n" },
	{ PEER("fi-ncsc", "1") "community c\n    members fi-ncs\n",
	    "t:5: unknown peer 'fi-ncs', did you mean 'fi-ncsc'?\n" },
	{ PEER("p", "1") "community c\n    members p\n    green maybe\n",
	    "t:6: 'green' takes yes or no, not 'maybe'\n" },
	{ "peer p\n    relation partner\n", "t:1: peer 'p' lacks the line 'pin': a peer is an "
	    "endpoint with a key (a 'consumer' needs none)\n" },
	{ "peer p\n" PIN "1\n", "t:1: peer 'p' lacks the line 'relation'\n" },
	{ PEER("p", "1") PEER("q", "1"), "t:5: peer 'p' has this pin already\n" },
	{ PEER("p", "1") PIN "2\n" PIN "3\n", "t:5: peer 'p' has more than 2 pins\n" },
	{ PEER("p", "1") "    pin sha256:00\n",
	    "t:4: 'sha256:00' is not a pin: sha256: and 64 hex digits\n" },
	{ PEER("p", "1") "    speaks stix12\n",
	    "t:4: unknown format 'stix12', did you mean 'stix21'?\n" },
	{ PEER("p", "1") "    vetting cleard by x until 2027-01-01\n",
	    "t:4: unknown vetting 'cleard', did you mean 'cleared'?\n" },
	{ PEER("p", "1") "    vetting cleared\n",
	    "t:4: vetting is 'none', or a level, 'by' WHO and 'until' DATE\n" },
	{ PEER("p", "1") "    vetting cleared by x until 2027-02-30\n",
	    "t:4: '2027-02-30' is not a date such as 2027-03-31\n" },
	{ PEER("p", "1") "    tlp-vocab 3.0\n",
	    "t:4: unknown TLP version '3.0', did you mean '2.0'?\n" },
	{ PEER("p", "1") "    tlp-vocab both\n",
	    "t:1: 'tlp-vocab both' changes what 'p' is shown: only for relation own\n" },
	{ PEER("p", "1") "    uses detct\n", "t:4: unknown use 'detct', did you mean 'detect'?\n" },
	{ PEER("p", "1") "    limit ot 1/s\n", "t:4: unknown direction 'ot'\n" },
	{ PEER("p", "1") "    limit out fast\n", "t:4: 'fast' is not a rate such as 600/min\n" },
	{ PEER("p", "1") "    limit out 1/s burst\n",
	    "t:4: after the rate stands 'burst' and a number\n" },
	{ PEER("p", "1") "    limit out 1/s\n    limit out 2/s\n", "t:5: a second 'limit out'\n" },
	{ PEER("p", "1") "    url http://p.example/a/\n    collection c\n",
	    "t:4: 'http://p.example/a/' is not the address of an API root such as "
	    "https://peer.example:8443/api/\nt:1: peer 'p' has a collection but no url\n" },
	{ PEER("p", "1") "    url https://p.example/a/\n",
	    "t:1: peer 'p' has a url but no collection to post to\n" },
	{ PEER("p", "1") "    wire taxii21\n    url https://p.example\n", "" },
	{ PEER("p", "1") "    wire taxii22\n    url https://p.example/a/\n    collection c\n",
	    "t:4: unknown wire 'taxii22', did you mean 'taxii21'?\n" },
	{ PEER("p", "1") "    url https://p.example/a\n    collection c\n",
	    "t:1: 'https://p.example/a' is not the address of an API root such as "
	    "https://peer.example:8443/api/\n" },
	{ "peer p\n    relation partner\n    wire taxii20\n    verify name\n", "" },
	{ "peer p\n    relation partner\n    verify name\n",
	    "t:1: peer 'p': 'verify name' is for TAXII servers of others ('wire taxii21'); between nodes "
	    "the pin is who they are\n" },
	{ PEER("p", "1") "    wire taxii21\n    verify name\n",
	    "t:1: peer 'p' has a pin, and 'verify name' says not to look at it\n" },
	/* a folder instead of an address */
	{ FOLDER "misp\n", "" },
	{ FOLDER "iodef2 plain\n    refuse-loss out 5% approximated\n", "" },
	{ "peer p\n    relation partner\n    wire folder out/p\n",
	    "t:3: after 'wire folder' stand a path, 'as' and a format, and perhaps 'plain'\n" },
	{ FOLDER "misp bare\n",
	    "t:3: after 'wire folder' stand a path, 'as' and a format, and perhaps 'plain'\n" },
	{ FOLDER "iodef3\n", "t:3: unknown format 'iodef3', did you mean 'iodef2'?\n" },
	{ FOLDER "csv\n", "t:3: 'csv' cannot say a label: a feed (tocsin.conf) may be made of it, and "
	    "nothing is relayed in it\n" },
	{ FOLDER "mapped\n", "t:3: nothing can be sent as 'mapped'\n" },
	{ FOLDER "taxii11\n", "t:3: nothing can be sent as 'taxii11'\n" },
	{ FOLDER "misp\n    url https://p.example/\n",
	    "t:1: peer 'p' has a folder ('wire folder'), and a line 'url' for calling it\n" },
	{ FOLDER "misp\n    verify name\n",
	    "t:1: peer 'p' has a folder ('wire folder'), and a line 'verify' for calling it\n" },
	{ FOLDER "misp\n    refuse-loss 5%\n", "t:1: nothing comes from peer 'p', which has no pin: for "
	    "what is put into its folder say 'refuse-loss out'\n" },
	{ PEER("p", "1") "    wire taxii21 plain\n", "t:4: nothing stands after 'wire taxii21'\n" },
	{ PEER("p", "1") "    refuse-loss in 5%\n    refuse-loss 6%\n",
	    "t:5: a second 'refuse-loss in'\n" },
	{ PEER("p", "1") "    refuse-loss out\n",
	    "t:4: 'out' is no share such as 5% or 0.5%\n" },
	{ PEER("p", "1") "    refuse-loss out 5%\n", "t:1: nothing is translated for 'p', so 'refuse-loss "
	    "out' refuses nothing: it is for 'wire folder' and 'serve-as stix20'\n" },
	{ "consumer c\n    refuse-loss out 5%\n", "t:1: nothing is translated for 'c', so 'refuse-loss "
	    "out' refuses nothing: it is for 'wire folder' and 'serve-as stix20'\n" },
	{ PEER("p", "1") "    wire taxii20\n    serve-as stix20\n    refuse-loss out 5% nearly\n",
	    "t:6: after the share stands 'approximated' or nothing, not 'nearly'\n" },
	{ PEER("p", "1") "    proxy http://proxy.example:3128\n", "" },
	{ PEER("p", "1") "    proxy http://[::1]:3128/\n", "" },
	{ PEER("p", "1") "    proxy http://u:p@proxy.example:3128\n",
	    "t:4: 'http://u:p@proxy.example:3128' is not the address of a proxy such as "
	    "http://proxy.example:3128\n" },
	{ PEER("p", "1") "    proxy https://proxy.example:3128\n",
	    "t:4: 'https://proxy.example:3128' is not the address of a proxy such as "
	    "http://proxy.example:3128\n" },
	{ PEER("p", "1") "    proxy http://proxy.example\n",
	    "t:4: 'http://proxy.example' is not the address of a proxy such as "
	    "http://proxy.example:3128\n" },
	{ PEER("p", "1") "    sign-key ed25519:AAAA\n",
	    "t:4: 'ed25519:AAAA' is not a key: ed25519: and 32 bytes in base64\n" },
	{ PEER("p", "1") "    speaks-for anybody\n", "t:4: 'anybody' is not an identity id such as "
	    "identity--7c1d4f0e-52a3-4b6b-9c0e-3a5d0f6f1a01\n" },
	{ "consumer c\n    sign-key ed25519:AAAA\n", "t:2: unknown directive 'sign-key'\n" },
	{ "consumer c\n    relation partner\n",
	    "t:2: a consumer is of relation own or client; a partner is a peer, with a pin\n" },
	/* schemes and papers */
	{ "scheme s\n    kind eu\n", "t:1: scheme 's' lacks the line 'status'\n" },
	{ "scheme s\n    kind eu\n    status in-froce\n",
	    "t:3: unknown status 'in-froce', did you mean 'in-force'?\n" },
	{ "scheme s\n    kind private\n    status draft\n    levels a b a\n",
	    "t:4: level 'a' stands here twice\n" },
	{ PAPER "    scheme t\n    valid 2026-01-01 2026-12-31\n",
	    "t:15: unknown scheme 't'\n" },
	{ PAPER "    scheme s hihg\n    valid 2026-01-01 2026-12-31\n",
	    "t:15: unknown level 'hihg', did you mean 'high'?\n" },
	{ PAPER "    scheme s high\n    valid 2026-01-01 2028-12-31\n", "" },
	{ PAPER "    scheme s high\n    valid 2026-01-01 2029-01-01\n",
	    "t:10: attestation 'a' is valid for longer than scheme 's' allows\n" },
	{ PAPER "    scheme s high\n    valid 2026-01-02 2026-01-01\n",
	    "t:16: the paper ends before it begins\n" },
	{ PAPER "    scheme s high\n    valid 2026-01-01 2026-12-31\n    assessed self\n",
	    "t:10: attestation 'a': in an EU scheme, self-assessment reaches level basic only\n" },
	{ PAPER "    scheme s basic\n    valid 2026-01-01 2026-12-31\n    assessed self\n", "" },
	{ SCHEME "recognise r\n    scheme s\n    as substancial\n    because b\n    until "
	    "2027-01-01\n",
	    "t:9: unknown assurance 'substancial', did you mean 'substantial'?\n" },
	{ SCHEME "recognise r\n    scheme s\n    as basic\n    because b\n    until 2027-01-01\n"
	    "    if issued-within 13\n",
	    "t:12: '13' is not a span such as 42d, 13m (months) or 3y, at most 100 years\n" },
	{ SCHEME "recognise r\n    scheme s\n    as basic\n    until 2027-01-01\n",
	    "t:7: recognise 'r' lacks the line 'because'\n" },
	{ SCHEME "recognise r\n    scheme s\n    as basic\n    because b\n    until 2027-01-01\n"
	    "    gap csa51-z \"x\"\n", "t:12: unknown control 'csa51-z', did you mean 'csa51-a'?\n" },
	{ "objective o\n    control csa51-a\n    subject peer q\n    metric tls.versoin\n"
	    "    want ge 1.x\n    every 5\n    fresh 1m\n    on-fail stop\n",
	    "t:3: unknown peer 'q'\n"
	    "t:4: unknown metric 'tls.versoin', did you mean 'tls.version'?\n"
	    "t:5: '1.x' is not a number such as 1 or 1.3\n"
	    "t:6: '5' is not a time such as 30s, 15m or 24h\n"
	    "t:8: 'stop' takes the label from which on nothing leaves\n" },
	/* rules */
	{ "release r\n    object tlp clear\n",
	    "t:1: release r lacks a line 'to': it would reach everybody\n" },
	{ "release r\n    to comunity c\n",
	    "t:2: unknown predicate 'comunity', did you mean 'community'?\n" },
	{ "release r\n    to community c\n", "t:2: unknown community 'c'\n" },
	{ "release r\n    to peer nobody\n", "t:2: unknown peer 'nobody'\n" },
	{ "release r\n    to relation partners\n",
	    "t:2: unknown relation 'partners', did you mean 'partner'?\n" },
	{ "release r\n    to relation own\n    object tlp white\n", "t:3: unknown tlp 'white'\n" },
	{ "release r\n    to relation own\n    object kind indikator\n",
	    "t:3: unknown kind 'indikator', did you mean 'indicator'?\n" },
	{ "release r\n    to relation own\n    object kind x-own-thing\n", "" },
	{ "release r\n    to relation own\n    object kind x-\xc3\xbc\n", "t:3: 'x-\xc3\xbc' is no name: "
	    "at most 64 letters, digits, '-', '.' and '_'\n" },
	{ "release r\n    to\n", "t:2: 'to' needs more words\n" },
	{ "release r\n    to relation own\n    unless kind report\n",
	    "t:3: unknown directive 'unless'\n" },
	{ "require r\n    object tlp red\n",
	    "t:1: require r asks for nothing: it lacks a line 'peer' or 'approval'\n" },
	{ "require r\n    peer assurance basic high\n",
	    "t:2: 'assurance' takes one level, which means at least that\n" },
	{ "require r\n    peer holds ti\n", "t:2: unknown scheme 'ti'\n" },
	{ "require r\n    approval third-person\n", "t:2: unknown approval 'third-person'\n" },
	{ "require r\n    peer objective up\n", "t:2: unknown objective 'up'\n" },
	{ "redact r\n    to relation public\n",
	    "t:1: redact r changes nothing: it lacks a line 'victim', 'any' or 'origin'\n" },
	{ "redact r\n    victim emial drop\n", "t:2: unknown field 'emial', did you mean 'email'?\n" },
	{ "redact r\n    victim ip domain-only\n", "t:2: 'domain-only' is for email\n" },
	{ "redact r\n    victim ip prefix 24\n",
	    "t:2: 'prefix' takes the bits kept of IPv4 (8-32) and of IPv6 (16-128)\n" },
	{ "redact r\n    origin pseudonym\n",
	    "t:2: 'pseudonym' takes 'rotate' and a span such as 90d\n" },
	/* all at once */
	{ "peer p\n    relaton x\nrelease r\n    to peer z\n",
	    "t:2: unknown directive 'relaton', did you mean 'relation'?\n"
	    "t:1: peer 'p' lacks the line 'relation'\n"
	    "t:1: peer 'p' lacks the line 'pin': a peer is an endpoint with a key (a 'consumer' "
	    "needs none)\n"
	    "t:4: unknown peer 'z'\n" },
};

static void
every_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct arena *mem = arena_new();
		char *got = complaints_of(mem, refused[i].text);

		if (strcmp(got, refused[i].want) != 0)
			fail_msg("row %zu:\n%s--- said:\n%s--- wanted:\n%s", i, refused[i].text, got,
			    refused[i].want);
		arena_free(mem);
	}
}

static void
our_files_load(void **state)
{
	struct trust *t;

	(void)state;
	t = loaded("conf/trust.conf");
	assert_string_equal(trust_node_name(t), "example-cert");
	assert_int_equal(trust_peers(t), 3);
	trust_free(t);
	t = loaded("conf/schemes.conf");
	assert_null(trust_node_name(t));
	assert_int_equal(trust_peers(t), 0);
	assert_int_equal(trust_unmarked_tlp(t), TLP_AMBER);
	assert_int_equal(trust_iodef_unmarked_tlp(t), TLP_RED);
	trust_free(t);
}

static void
a_peer_is_what_its_section_says(void **state)
{
	struct trust *t = loaded(FIXTURE);
	const struct peer *p = trust_find(t, SLICE_LIT("dunes")), *q;
	uint8_t pin[32];

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->name, "dunes");
	assert_ptr_equal(trust_peer(t, p->index), p);
	assert_int_equal(p->relation, RELATION_PARTNER);
	assert_int_equal(p->npins, 2);
	memset(pin, 0xa2, sizeof(pin));
	assert_ptr_equal(trust_by_pin(t, pin), p);
	memset(pin, 0xa3, sizeof(pin));
	assert_null(trust_by_pin(t, pin));
	assert_string_equal(p->url, "https://dunes.example:8443/relay/");
	assert_string_equal(p->collection, "inbox-harbour");
	assert_string_equal(p->ca, "tests/unit/trust/ca/dunes.pem");
	assert_string_equal(p->speaks[0], "stix21");
	assert_string_equal(p->speaks[1], "iodef2");
	assert_null(p->speaks[2]);
	assert_true(p->has_sign_key);
	assert_int_equal(p->sign_key[31], 31);
	assert_true(slice_is(p->identity, "identity--5c3d6c1a-9b1e-4a7e-8f31-0c5a55d1aa02"));
	assert_int_equal(p->nspeaks_for, 1);
	assert_false(p->speaks_for_any);
	assert_true(p->limit_out.per_second == 10 && p->limit_out.burst == 200);
	assert_true(p->limit_in.per_second == 1 && p->limit_in.burst == 11);
	assert_true(p->iodef_amber_strict && p->validate_strict);
	assert_int_equal(p->wants_phases,
	    1 << PHASE_INDICATIONS | 1 << PHASE_RESPONSE | 1 << PHASE_REMEDIATION);
	assert_int_equal(p->exercise, EXERCISE_ALSO);
	assert_string_equal(p->country, "DK");
	assert_int_equal(p->communities, 1);
	assert_string_equal(p->file, FIXTURE);
	assert_true(p->line > 0);
	q = trust_find(t, SLICE_LIT("fjord"));
	assert_int_equal(q->communities, 3);
	assert_true(q->speaks_for_any);
	assert_null(q->url);
	q = trust_find(t, SLICE_LIT("polder"));
	assert_true(q->tlp1_vocabulary);
	assert_string_equal(q->speaks[0], "mapped");
	q = trust_find(t, SLICE_LIT("watch"));
	assert_true(q->is_consumer);
	assert_int_equal(q->relation, RELATION_OWN);
	assert_int_equal(q->uses, POLICY_USES_DETECT);
	assert_string_equal(q->reads[0], "*");
	assert_string_equal(q->writes[0], "sightings");
	assert_null(trust_find(t, SLICE_LIT("nobody")));
	assert_null(trust_peer(t, trust_peers(t)));
	assert_string_equal(trust_node_name(t), "harbour");
	assert_string_equal(trust_node_sign_key(t), "tests/unit/trust/keys/harbour.ed25519");
	assert_true(slice_starts(trust_node_identity(t), "identity--0d9a1c1e"));
	assert_true(trust_fast_phase(t, PHASE_RESPONSE));
	assert_false(trust_fast_phase(t, PHASE_ANALYSIS));
	assert_false(trust_fast_phase(t, PHASE_UNSET));
	trust_free(t);
}

/* The digest follows what the lines say, not how they look. */
static void
the_digest_is_of_effective_lines(void **state)
{
	static const char *const same[] = {
		"node n\n    red never\n",
		"# a comment\n\nnode\tn   # more\n  red   \"never\"\n",
	};
	static const char *const other[] = {
		"node m\n    red never\n",
		"node n\n    red never\n    country EE\n",
		"node n\n",
	};
	struct complaints c = { .mem = arena_new() };
	struct trust *a = trust_parse(slice_of(same[0]), "a", &c);
	struct trust *b = trust_parse(slice_of(same[1]), "b", &c);

	(void)state;
	assert_memory_equal(trust_digest(a), trust_digest(b), 32);
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		struct trust *t = trust_parse(slice_of(other[i]), "a", &c);

		assert_memory_not_equal(trust_digest(a), trust_digest(t), 32);
		trust_free(t);
	}
	trust_free(a);
	trust_free(b);
	arena_free(c.mem);
}

/* A reload must not take trust away from someone who is still using it. */
static void
the_last_hold_frees(void **state)
{
	struct complaints c = { .mem = arena_new() };
	struct trust *t = trust_parse(SLICE_LIT(PEER("p", "1")), "t", &c);

	(void)state;
	assert_ptr_equal(trust_hold(t), t);
	trust_free(t);
	assert_string_equal(trust_peer(t, 0)->name, "p");	/* under ASan: not freed yet */
	trust_free(t);
	trust_free(NULL);
	arena_free(c.mem);
}

/* Names may be used above the place where they are defined, and across files. */
static void
order_of_sections_is_free(void **state)
{
	struct arena *mem = arena_new();

	(void)state;
	assert_string_equal(complaints_of(mem, "release r\n    to community c\ncommunity c\n"
	    "    members p\nrecognise x\n    scheme s high\n    as basic\n    because b\n"
	    "    until 2027-01-01\n" PEER("p", "1") SCHEME), "");
	arena_free(mem);
}

/* A file that cannot be read is one complaint, not a hundred about what it would have defined. */
static void
a_lost_include_does_not_echo(void **state)
{
	char dir[] = "/tmp/tocsin-trust-XXXXXX", path[64];
	struct complaints c = { .mem = arena_new() };
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/t", dir);
	assert_int_equal(file_write(path, SLICE_LIT("include peers.conf\ncommunity c\n"
	    "    members a b c\n    gren yes\n"), 0600, &e), 0);
	assert_null(trust_load(path, &c));
	assert_int_equal(c.n, 2);
	assert_non_null(strstr(c.text[0], "t:1: include"));
	assert_non_null(strstr(c.text[1], "t:4: unknown directive 'gren', did you mean 'green'?"));
	unlink(path);
	rmdir(dir);
	arena_free(c.mem);
}

static void
a_missing_file_is_a_complaint(void **state)
{
	struct complaints c = { .mem = arena_new() };

	(void)state;
	assert_null(trust_load("/nonexistent/trust.conf", &c));
	assert_int_equal(c.n, 1);
	arena_free(c.mem);
}

/* Our lists of words and those of formats/ are one. */
static void
words_agree_with_formats(void **state)
{
	size_t n = 0;

	(void)state;
	for (int i = 0; words_sector[i] != NULL; i++, n++)
		assert_string_equal(words_sector[i], sector_word(i));
	assert_null(sector_word((int)n));
	for (int i = 0; words_phase[i] != NULL; i++)
		assert_string_equal(words_phase[i], phase_word((enum phase)i));
	for (int i = 0; words_tlp[i] != NULL; i++)
		assert_string_equal(words_tlp[i], tlp_word((enum tlp)i));
	for (int i = 0; words_kind[i] != NULL; i++)
		assert_int_not_equal(object_class_of(slice_of(words_kind[i])), OBJECT_CUSTOM);
}

/* The example of the shared policy page, where it is at hand: checked, and every directive of it known. */
static void
the_shared_example_loads(void **state)
{
	char dir[] = "/tmp/tocsin-trust-XXXXXX", path[64], schemes[80];
	struct strbuf page = STRBUF_INIT, own = STRBUF_INIT;
	const char *from, *to;
	struct err e = ERR_INIT;
	struct trust *t;

	(void)state;
	if (file_read("../shared/policy.md", 1 << 20, &page, &e) < 0) {
		strbuf_fini(&page);
		skip();
	}
	from = strstr(strstr(page.p, "### 1.3"), "\n```\n") + 5;
	to = strstr(from, "\n```") + 1;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/trust.conf", dir);
	snprintf(schemes, sizeof(schemes), "%s/schemes.conf", dir);
	assert_int_equal(file_read("conf/schemes.conf", 1 << 20, &own, &e), 0);
	assert_int_equal(file_write(schemes, strbuf_slice(&own), 0600, &e), 0);
	assert_int_equal(file_write(path, slice_from(from, (size_t)(to - from)), 0600, &e), 0);
	t = loaded(path);
	assert_int_equal(trust_peers(t), 6);
	assert_string_equal(trust_node_name(t), "lv-grid");
	trust_free(t);
	unlink(path);
	unlink(schemes);
	rmdir(dir);
	strbuf_fini(&page);
	strbuf_fini(&own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_named),
		cmocka_unit_test(our_files_load),
		cmocka_unit_test(a_peer_is_what_its_section_says),
		cmocka_unit_test(the_digest_is_of_effective_lines),
		cmocka_unit_test(the_last_hold_frees),
		cmocka_unit_test(order_of_sections_is_free),
		cmocka_unit_test(a_lost_include_does_not_echo),
		cmocka_unit_test(a_missing_file_is_a_complaint),
		cmocka_unit_test(words_agree_with_formats),
		cmocka_unit_test(the_shared_example_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
