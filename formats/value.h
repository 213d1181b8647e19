/*
 * value.h -- one spelling for each kind of value: addresses, names, URLs, hashes, keys.
 *
 * Owns:    refanging, and the canonical form of a value (value.c, value_ip.c, value_url.c,
 *          value_hash.c, value_port.c), and what libidn2 says of a name (value_idn.c, its doorman).
 * Called:  by the readers of foreign formats, by the canonical pattern and the fingerprint.
 * Never:   looks anything up, or changes what it does not understand: it says no instead.
 *
 * Every function gives its own result back unchanged when asked again. Results live in the arena or
 * borrow from the input.
 */
#ifndef FORMATS_VALUE_H
#define FORMATS_VALUE_H

#include "gateway/base/slice.h"

struct arena;

/* Kinds of value that a normaliser knows. */
enum value_kind {
	VALUE_TEXT,		/* white space trimmed; not empty */
	VALUE_IPV4,		/* dotted; networks without host bits; /32 is the address */
	VALUE_IPV6,		/* RFC 5952; networks as above */
	VALUE_DOMAIN,		/* ASCII in lower case (A-labels, IDNA 2008), no trailing dot */
	VALUE_URL,		/* RFC 3986 section 6: case, escapes, dot segments, port; ASCII */
	VALUE_EMAIL,		/* domain in lower case; the local part belongs to its owner */
	VALUE_HASH,		/* hex of a known length, in lower case */
	VALUE_MAC,		/* lower case, colons */
	VALUE_ASN,		/* digits; AS64496 and 0.64496 too */
	VALUE_REGKEY,		/* hive spelled out, single backslashes, none at the end */
	VALUE_PROTOCOL,		/* one name in lower case; 6 and TCP are tcp, IPv6-ICMP is icmp6 */
	VALUE_PORT,		/* digits; https and 0443 are 443 */
	VALUE_WORD,		/* lower case, no blanks */
	VALUE_KINDS
};

/* One function for every parser: refang (hxxp, [.], (dot), [at], ...), then the form above. false
 * if `s` is no such value; *out then untouched. */
bool	value_normalise(enum value_kind kind, struct slice s, struct arena *mem, struct slice *out);
/* Only the refanging. */
struct slice value_refang(struct slice s, struct arena *mem);
/* An address or a network of this version (4 or 6), without refanging. */
bool	value_ip(int version, struct slice s, struct arena *mem, struct slice *out);

/* A domain name, without refanging. A URL or mail address, refanged. A protocol, a port. Hex that
 * could be a hash. */
bool	value_domain(struct slice s, struct arena *mem, struct slice *out);
bool	value_url(struct slice s, struct arena *mem, struct slice *out);
bool	value_email(struct slice s, struct arena *mem, struct slice *out);
bool	value_protocol(struct slice s, struct arena *mem, struct slice *out);
bool	value_port(struct slice s, struct arena *mem, struct slice *out);
bool	value_any_hash(struct slice s, struct arena *mem, struct slice *out);
/* "hxxp" and its kin. */
bool	value_scheme_is_fanged(struct slice scheme);

/* The name of a hash algorithm as STIX spells it ("sha256" -> "SHA-256"), NULL if unknown. */
const char *value_hash_name(struct slice name);
/* A value of that algorithm: right length, hex in lower case (SSDEEP and TLSH in their own form).
 * Of an unknown algorithm anything is a value. */
bool	value_hash(struct slice name, struct slice s, struct arena *mem, struct slice *out);
/* A name in IDNA 2008 (UTS 46, non-transitional) in ASCII and lower case; false if it is none: a
 * character that IDNA refuses, a label that is too long. */
bool	value_idn_ascii(struct slice name, struct arena *mem, struct slice *out);
/* A canonical domain as people read it; empty if it has no A-label, or one that no such name has. */
struct slice value_domain_unicode(struct slice domain, struct arena *mem);
/* The well-known port of a service or scheme ("https" -> 443); -1 if unknown. */
int	value_service_port(struct slice name);
/* The same text in lower-case ASCII. */
struct slice value_lower(struct slice s, struct arena *mem);

#endif
