/* iodef2.c -- what reader and writer share: labels, digests, protocols, hashes of residue. */
#include <string.h>

#include "formats/iodef2_read.h"
#include "formats/iodef2_residue.h"
#include "formats/iodef2_write.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Words in (rulings 8). `amber` may be configured to be read one step stricter. */
static const struct {
	const char	*word;
	enum tlp	 tlp;
} restrictions[] = {
	{ "public", TLP_CLEAR }, { "white", TLP_CLEAR }, { "partner", TLP_GREEN },
	{ "green", TLP_GREEN }, { "amber", TLP_AMBER }, { "need-to-know", TLP_AMBER_STRICT },
	{ "private", TLP_RED }, { "red", TLP_RED },
};

/* Words out (rulings 8). */
static const char *const restriction_words[TLP_LEVELS] = {
	[TLP_UNSET] = "default", [TLP_CLEAR] = "white", [TLP_GREEN] = "green", [TLP_AMBER] = "amber",
	[TLP_AMBER_STRICT] = "need-to-know", [TLP_RED] = "red",
};

enum tlp
iodef2_restriction_read(struct slice word, struct slice ext, bool amber_strict,
    enum label_case *label)
{
	*label = LABEL_TLP;
	for (size_t i = 0; i < sizeof(restrictions) / sizeof(*restrictions); i++) {
		if (!slice_is(word, restrictions[i].word))
			continue;
		if (slice_is(word, "amber") && amber_strict)
			return TLP_AMBER_STRICT;
		return restrictions[i].tlp;
	}
	if (slice_is(word, "default")) {
		*label = LABEL_ABSENT;
		return TLP_UNSET;
	}
	if (slice_is(word, "ext-value") && slice_is_nocase(slice_trim(ext), "amber+strict"))
		return TLP_AMBER_STRICT;
	*label = LABEL_UNREADABLE;
	return TLP_RED;
}

const char *
iodef2_restriction_word(enum tlp t)
{
	return restriction_words[t];
}

static int
rank(enum tlp t)
{
	return t == TLP_UNSET ? 2 * TLP_GREEN + 1 : 2 * (int)t;
}

bool
iodef2_is_stricter(enum tlp a, enum tlp b)
{
	return rank(a) > rank(b);
}

static const struct iodef2_digest digests[] = {
	{ "MD5", "http://www.w3.org/2001/04/xmldsig-more#md5", 16 },
	{ "SHA-1", "http://www.w3.org/2000/09/xmldsig#sha1", 20 },
	{ "SHA-224", "http://www.w3.org/2001/04/xmldsig-more#sha224", 28 },
	{ "SHA-256", "http://www.w3.org/2001/04/xmlenc#sha256", 32 },
	{ "SHA-384", "http://www.w3.org/2001/04/xmldsig-more#sha384", 48 },
	{ "SHA-512", "http://www.w3.org/2001/04/xmlenc#sha512", 64 },
	{ "SHA3-256", "http://www.w3.org/2007/05/xmldsig-more#sha3-256", 32 },
	{ "SHA3-512", "http://www.w3.org/2007/05/xmldsig-more#sha3-512", 64 },
	{ NULL, NULL, 0 }
};

const struct iodef2_digest *
iodef2_digest_by_uri(struct slice uri)
{
	uri = slice_trim(uri);
	for (const struct iodef2_digest *d = digests; d->stix != NULL; d++) {
		if (slice_is(uri, d->uri))
			return d;
	}
	return NULL;
}

const struct iodef2_digest *
iodef2_digest_by_stix(struct slice name)
{
	for (const struct iodef2_digest *d = digests; d->stix != NULL; d++) {
		if (slice_is_nocase(name, d->stix))
			return d;
	}
	return NULL;
}

static const struct {
	unsigned long	 number;
	const char	*name;
} protocols[] = {
	{ 1, "icmp" }, { 2, "igmp" }, { 4, "ipv4" }, { 6, "tcp" }, { 17, "udp" }, { 41, "ipv6" },
	{ 47, "gre" }, { 50, "esp" }, { 51, "ah" }, { 58, "ipv6-icmp" }, { 89, "ospf" },
	{ 132, "sctp" },
};

const char *
iodef2_protocol_name(unsigned long number)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (protocols[i].number == number)
			return protocols[i].name;
	}
	return NULL;
}

int
iodef2_protocol_number(struct slice name)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (slice_is_nocase(name, protocols[i].name))
			return (int)protocols[i].number;
	}
	return -1;
}

json *
iodef2_residue(const json *object)
{
	return json_get(json_get(json_get(object, "extensions"), IODEF2_EXT), "iodef");
}

void
iodef2_object_hash(const json *object, char out[65])
{
	residue_object_hash(object, IODEF2_EXT, out);
}

/* AdditionalData of ours, which never counts under a hash. */
static bool
is_ours(const struct xml_node *n)
{
	return xml_is(n, IODEF2_NS, "AdditionalData") && slice_starts(xml_value(n, "name"), "stix-");
}

bool
iodef2_is_stix_data(const struct xml_node *n)
{
	return is_ours(n) && (slice_is(xml_value(n, "name"), IODEF2_RESIDUE_OBJECT) ||
	    slice_is(xml_value(n, "name"), IODEF2_RESIDUE_OBJECT "s"));
}

void
iodef2_native_hash(const struct xml_node *const *v, size_t n, char out[65])
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < n; i++)
		xml_print_canonical(&text, v[i], is_ours);
	digest_sha256_hex(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

/* The root's start tag names IODEF v2, or no namespace that we know. */
static int
sniff_iodef2(struct slice head)
{
	struct slice root = xml_root_tag(head);

	if (memmem(root.p, root.n, "IODEF-Document", 14) == NULL)
		return 0;
	if (memmem(root.p, root.n, IODEF1_NS, sizeof(IODEF1_NS) - 1) != NULL)
		return 0;
	return memmem(root.p, root.n, IODEF2_NS, sizeof(IODEF2_NS) - 1) != NULL ? 95 : 60;
}

const struct format_ops format_iodef2 = {
	.name = "iodef2",
	.media_type = "application/xml",
	.file_ending = ".xml",
	.sniff = sniff_iodef2,
	.read = iodef2_read,
	.write = iodef2_write,
	.split = &iodef2_split,
	.series = &iodef2_series,
};
