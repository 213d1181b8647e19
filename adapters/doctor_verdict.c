/* doctor_verdict.c -- certificates in words: what was shown, why it does not hold. */
#include "adapters/doctor_parts.h"

#include "gateway/base/clock.h"

/* ---- a certificate in words ---- */

static void
note_certificate(struct doctor *d, const struct tls_seen *c, int place, size_t of)
{
	doctor_note(d, "certificate %d of %zu: %s", place + 1, of, c->subject);
	doctor_note(d, "  issued by %s%s", c->issuer, c->self_signed ? " (itself)" : "");
	doctor_note(d, "  valid from %s until %s", doctor_time(d->mem, c->from_us),
	    doctor_time(d->mem, c->until_us));
	if (place == 0)
		doctor_note(d, "  names: %s", c->names[0] == '\0' ? "none" : c->names);
	doctor_note(d, "  SHA-256 of the certificate %s", c->fingerprint);
	if (place == 0 && c->pin[0] != '\0')
		doctor_note(d, "  pin sha256:%s", c->pin);
}

static json *
certificate_json(struct doctor *d, const struct tls_seen *c)
{
	json *o = json_object(d->mem);

	json_put_str(d->mem, o, "subject", slice_of(c->subject));
	json_put_str(d->mem, o, "issuer", slice_of(c->issuer));
	json_put_str(d->mem, o, "names", slice_of(c->names));
	json_put_str(d->mem, o, "from", slice_of(doctor_time(d->mem, c->from_us)));
	json_put_str(d->mem, o, "until", slice_of(doctor_time(d->mem, c->until_us)));
	json_put_str(d->mem, o, "sha256", slice_of(c->fingerprint));
	json_put_str(d->mem, o, "pin", slice_of(c->pin));
	json_put_bool(d->mem, o, "self_signed", c->self_signed);
	return o;
}

void
doctor_add_chain(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	json *chain = json_list(d->mem);

	for (size_t i = 0; i < r->nchain; i++)
		json_push(chain, certificate_json(d, &r->chain[i]));
	if (r->nchain > 0)
		json_put(d->mem, d->now->detail, "chain", chain);
	doctor_detail(d, "version", r->version);
	if (r->code == 0)
		return;
	json_put_int(d->mem, d->now->detail, "verify_code", r->code);
	json_put_str(d->mem, d->now->detail, "verify_text", slice_of(r->code_text));
	json_put_int(d->mem, d->now->detail, "depth", r->depth);
	if (r->failing.subject != NULL)
		json_put(d->mem, d->now->detail, "failing", certificate_json(d, &r->failing));
}

/* ---- their certificate does not hold ---- */

static const char *
ca_file(const struct doctor *d)
{
	return d->peer->ca != NULL ? d->peer->ca : d->config->peer_ca;
}

/* Words and cure of a verify code (X509_V_ERR_...). */
static const struct {
	int		 code;
	const char	*cause, *words, *fix;
} verdicts[] = {
	{ 10, "expired", "has expired", "the peer must renew it; is our own clock right?" },
	{ 9, "not-yet-valid", "is not valid yet",
	    "is our own clock right? Else the peer made it for a later day" },
	{ 18, "self-signed", "is signed by itself, and not among those we trust",
	    "if its fingerprint is the right one (ask over the phone), put this very certificate into the "
	    "CA file" },
	{ 19, "unknown-ca", "ends at a CA that is not among those we trust",
	    "if that CA is the right one (ask over the phone), put its certificate into the CA file" },
	{ 22, "chain-too-long", "has more links than we follow", "the peer should send a shorter chain" },
	{ 23, "revoked", "is revoked", "the peer must replace it" },
	{ 24, "bad-ca", "hangs below one that may not issue any",
	    "the peer's certificates were made wrongly: a CA needs `CA:TRUE`" },
	{ 25, "bad-ca", "hangs below a CA that may not stand so high (pathlen)",
	    "the peer's certificates were made wrongly" },
	{ 26, "wrong-purpose", "is not made for servers (extended key usage)",
	    "the peer must have one issued with `serverAuth`" },
	{ 62, "wrong-name", "is for another name", "either the `url` of the peer must have a name that is "
	    "in the certificate, or the peer has one issued for this name" },
	{ 64, "wrong-name", "is not for this address", "either the `url` of the peer must have a name or "
	    "address that is in the certificate, or the peer has one issued for it" },
	{ 66, "weak", "has a key that is too weak", "the peer must make a stronger key" },
	{ 67, "weak", "hangs below a CA with a key that is too weak", "the peer must use a stronger CA" },
	{ 68, "weak", "is signed with a digest that is too weak", "the peer must have it signed anew" },
	{ 7, "bad-signature", "has a signature that does not fit",
	    "the chain is mixed up: the peer must send the certificates that belong together" },
	{ 0, "certificate", "does not verify", "see OpenSSL's words" },
};

static void
fail_unknown(struct doctor *d, const char *issuer)
{
	const struct tls_report *r = &d->report;
	const char *fix = arena_fmt(d->mem, "if that CA is the right one (ask over the phone), put its "
	    "certificate into %s%s", ca_file(d), r->nchain > 1 ? "" :
	    "; if it is no root, the server must send the certificates between as well");

	doctor_fail(d, "unknown-ca", fix,
	    "the server's certificate comes from a CA that is not among those we trust: \"%s\" is "
	    "neither in %s nor issued by one there (verify code %d: %s)",
	    issuer, ca_file(d), r->code, r->code_text);
}

/* The chain ends nowhere: three causes, three cures. */
static void
fail_gap(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *issuer = r->nchain > 0 ? r->chain[r->nchain - 1].issuer : r->failing.issuer;
	const char *fix;

	if (r->gap == TLS_GAP_INTERMEDIATE) {
		fix = arena_fmt(d->mem,
		    "the peer's server must send its own certificate followed by that of \"%s\" (in "
		    "one file, in this order)",
		    issuer);
		doctor_fail(d, "missing-intermediate", fix, "the server does not send the intermediate "
		    "certificate \"%s\" that leads from its own to a CA in %s (verify code %d: %s)", issuer,
		    ca_file(d), r->code, r->code_text);
	} else if (r->gap == TLS_GAP_OUR_ROOT) {
		fix = arena_fmt(d->mem, "put the root \"%s\" into %s (ask the peer for it)",
		    r->failing.issuer, ca_file(d));
		doctor_fail(d, "no-root-ca", fix,
		    "%s has the CA \"%s\", which is no root, and not the root above it (verify code "
		    "%d: %s)",
		    ca_file(d), r->failing.subject, r->code, r->code_text);
	} else {
		fail_unknown(d, issuer);
	}
}

/* The facts that a verdict is about: names asked for and had, dates. */
static const char *
verdict_facts(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *names = r->failing.subject == NULL || r->failing.names[0] == '\0' ? "none" :
	    r->failing.names;

	switch (r->code) {
	case 62:
	case 64:
		return arena_fmt(d->mem, ": we asked for %s, it has %s", d->url.host, names);
	case 9:
	case 10:
		return arena_fmt(d->mem, ": %s; now is %s", doctor_time(d->mem, r->code == 9 ?
		    r->failing.from_us : r->failing.until_us), doctor_time(d->mem, clock_wall_us()));
	default:
		return "";
	}
}

void
doctor_fail_certificate(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *which = "the server's certificate";
	size_t row = 0, n = r->nchain > (size_t)r->depth ? r->nchain : (size_t)r->depth + 1;

	while (verdicts[row].code != 0 && verdicts[row].code != r->code)
		row++;
	if (r->depth > 0)
		which = arena_fmt(d->mem, "certificate %d of the server's chain (%s)", r->depth + 1,
		    r->failing.subject == NULL ? "unnamed" : r->failing.subject);
	if (r->gap != TLS_GAP_NONE)
		fail_gap(d);
	else
		doctor_fail(d, verdicts[row].cause, verdicts[row].fix, "%s %s%s (verify code %d: %s)",
		    which, verdicts[row].words, verdict_facts(d), r->code, r->code_text);
	if (r->failing.subject != NULL)
		note_certificate(d, &r->failing, r->depth, n);
}
