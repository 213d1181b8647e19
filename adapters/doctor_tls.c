/* doctor_tls.c -- whose certificate is that, and do they take ours. Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

/* ---- no handshake ---- */

enum {		/* alerts that this file tells apart (RFC 8446 section 6) */
	ALERT_HANDSHAKE = 40, ALERT_BAD_CERTIFICATE = 42, ALERT_UNSUPPORTED = 43, ALERT_REVOKED = 44,
	ALERT_EXPIRED = 45, ALERT_UNKNOWN = 46, ALERT_UNKNOWN_CA = 48, ALERT_ACCESS = 49,
	ALERT_VERSION = 70, ALERT_SECURITY = 71, ALERT_NAME = 112, ALERT_REQUIRED = 116
};

static bool
is_our_alert(const struct tls_report *r)
{
	return (r->alert >= ALERT_BAD_CERTIFICATE && r->alert <= ALERT_UNKNOWN) ||
	    r->alert == ALERT_UNKNOWN_CA || r->alert == ALERT_ACCESS || r->alert == ALERT_REQUIRED ||
	    (r->asked && r->alert == ALERT_HANDSHAKE);
}

static void
fail_alert(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *cause = "alert", *fix = "ask the peer what its log says at this time";

	if (r->alert == ALERT_VERSION || r->alert == ALERT_SECURITY) {
		cause = "protocol";
		fix = "we speak TLS 1.2 and 1.3 and nothing older: the peer's server must as well";
	} else if (r->alert == ALERT_HANDSHAKE) {
		cause = "ciphers";
		fix = "no cipher in common: the peer's server must offer TLS 1.3, or TLS 1.2 with "
		      "ECDHE and AES-GCM or ChaCha20";
	} else if (r->alert == ALERT_NAME) {
		cause = "unknown-host";
		fix = "the server does not know the name in the peer's `url`: is it the right one?";
	}
	doctor_fail(d, cause, fix, "the server refuses the handshake: %s (alert %d)", r->alert_text,
	    r->alert);
}

/* What came was no TLS: perhaps it is HTTP without. */
static void
fail_no_tls(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *line = r->said[0] != '\0' ? r->said :
	    doctor_ask_plain(d, "HEAD / HTTP/1.0\r\n\r\n");

	if (line != NULL && (strncmp(line, "HTTP/", 5) == 0 || line[0] == '<'))
		doctor_fail(d, "plain-http",
		    "use the port that speaks https, or have TLS turned on over there: nothing is ever "
		    "sent in the clear",
		    "%s port %u speaks HTTP without TLS (\"%.60s\")", d->url.host, d->url.port, line);
	else if (line != NULL)
		doctor_fail(d, "no-tls", "is this the right port?",
		    "%s port %u speaks no TLS, it says \"%.60s\"", d->url.host, d->url.port, line);
	else if (r->ending == TLS_ENDED_SILENT)
		doctor_fail(d, "silent", "is this the right port, and does the service behind it live?",
		    "%s port %u takes the connection and says nothing", d->url.host, d->url.port);
	else if (r->ending == TLS_ENDED_CUT)
		doctor_fail(d, "cut",
		    "a firewall or load balancer on the way may not like us: ask the peer what its log "
		    "says",
		    "%s port %u hangs up during the handshake", d->url.host, d->url.port);
	else if (strstr(r->words, "unsupported protocol") != NULL ||
	    strstr(r->words, "version too low") != NULL)
		doctor_fail(d, "protocol",
		    "we speak TLS 1.2 and 1.3 and nothing older: the peer's server must as well",
		    "the server offers no TLS version that we take (%s)", r->words);
	else
		doctor_fail(d, "handshake", "is this the right port?", "the handshake fails: %s", r->words);
}

/* ---- the pin ---- */

static const char *
pin_seen(const struct tls_report *r)
{
	return r->nchain > 0 ? r->chain[0].pin : "";
}

bool
doctor_pin_fits(const struct doctor *d, const struct tls_report *r)
{
	char hex[TLS_PIN_TEXT + 1];

	for (size_t i = 0; i < d->peer->npins; i++) {
		hex_text(d->peer->pins[i], sizeof(d->peer->pins[i]), hex);
		if (strcmp(hex, pin_seen(r)) == 0)
			return true;
	}
	return d->peer->npins == 0;
}

static void
fail_pin(struct doctor *d)
{
	const struct peer *p = d->peer;
	const char *seen = arena_fmt(d->mem, "sha256:%s", pin_seen(&d->report)), *pin;
	char hex[TLS_PIN_TEXT + 1];
	doctor_fail(d, "wrong-pin",
	    arena_fmt(d->mem,
	    "ask the peer over another channel whether it has a new key; only then change `pin` in "
	    "%s",
	    doctor_section(d)),
	    "the server has another key than the one that is pinned: a new key, or somebody in "
	    "between");
	for (size_t i = 0; i < p->npins; i++) {
		hex_text(p->pins[i], sizeof(p->pins[i]), hex);
		pin = arena_fmt(d->mem, "sha256:%s", hex);
		doctor_note(d, "pinned:  %s", pin);
		doctor_detail(d, i == 0 ? "pinned" : "pinned_too", pin);
	}
	doctor_note(d, "showed:  %s", seen);
	doctor_detail(d, "showed", seen);
}

/* ---- the steps ---- */

/* How long a server may take to say what it thinks of our certificate before we say anything else. */
static const int64_t listen_us = 500000;
static const int64_t soon_us = INT64_C(14) * 86400 * 1000000;

void
doctor_tls(struct doctor *d)
{
	struct tls_report *r = &d->report;
	int fd = doctor_connect(d);

	if (fd < 0) {
		doctor_fail(d, "tcp", "try again", "the connection was lost before TLS began");
		return;
	}
	d->probe =
	    tls_probe_start(d->tls, fd, d->url.host, clock_mono_us() + d->conf->timeout_us, d->mem, r);
	doctor_add_chain(d);
	if (d->probe == NULL && r->ending == TLS_ENDED_CERTIFICATE) {
		doctor_fail_certificate(d);
	} else if (d->probe == NULL && r->ending == TLS_ENDED_ALERT && is_our_alert(r)) {
		doctor_ok(d, "the server's certificate holds");	/* TLS 1.2: the next step says it */
	} else if (d->probe == NULL && r->ending == TLS_ENDED_ALERT) {
		fail_alert(d);
	} else if (d->probe == NULL) {
		fail_no_tls(d);
	} else if (!doctor_pin_fits(d, r)) {
		fail_pin(d);
	} else {
		int64_t until_us = r->nchain > 0 ? r->chain[0].until_us : 0;

		doctor_ok(d, "%s; %s until %s", r->version, r->nchain > 0 ? r->chain[0].subject : "",
		    doctor_time(d->mem, until_us));
		if (until_us > 0 && until_us - soon_us < clock_wall_us())
			doctor_warn(d, "expires", "tell the peer to renew it",
			    "the server's certificate ends soon, on %s", doctor_time(d->mem, until_us));
	}
	if (doctor_failed(d)) {
		tls_probe_free(d->probe);
		d->probe = NULL;
	}
}

/* What a peer does about our certificate, by the alert that it sent. */
static void
fail_refused(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	const char *said = r->alert >= 0 ? arena_fmt(d->mem, "%s, alert %d", r->alert_text, r->alert) :
	    "it hangs up without a word";

	doctor_detail(d, "alert", r->alert_text);
	if (!r->shown)
		doctor_fail(d, "certificate-demanded",
		    "set `certificate` and `key` in the node's section of tocsin.conf, to a "
		    "certificate that the peer takes",
		    "the server demands a certificate of us, and we have none (%s)", said);
	else if (r->alert == ALERT_EXPIRED)
		doctor_fail(d, "certificate-expired", "is the peer's clock right? Ours is valid today",
		    "the server takes our certificate for expired (alert %d)", r->alert);
	else
		doctor_fail(d, "certificate-refused", arena_fmt(d->mem, "the peer must trust the CA of our "
		    "certificate (or the certificate itself, if it is signed by itself): send it %s",
		    d->config->client_certificate), "the server refuses our certificate (%s)", said);
	if (r->shown)
		doctor_note(d, "we showed %s, pin sha256:%s", d->config->client_certificate, d->own_pin);
	if (r->nauthorities > 0)
		doctor_note(d, "it would take one from: %s", r->authorities);
}

/* Is what they said after the handshake, or did instead of an answer, about our certificate? */
static bool
is_refused(struct doctor *d)
{
	const struct tls_report *r = &d->report;
	int64_t patience_us = d->conf->timeout_us < listen_us ? d->conf->timeout_us : listen_us, asked_us;

	if (d->probe == NULL)
		return true;
	if (r->asked && tls_probe_listen(d->probe, clock_mono_us() + patience_us, &d->report) < 0)
		return true;
	if (!r->asked)
		return false;
	asked_us = clock_mono_us();
	doctor_get(d, d->path, d->media, &d->first);
	d->answer_us = clock_mono_us() - asked_us;
	return d->first.status == 0 && ((r->alert >= 0 && is_our_alert(r)) ||
	    (r->asked && d->first.ending == TLS_ENDED_CUT));
}

/* With TLS 1.3 the server's word on our certificate may come with its first answer: so we ask for one. */
void
doctor_certificate(struct doctor *d)
{
	const struct tls_report *r = &d->report;

	json_put_bool(d->mem, d->now->detail, "asked", r->asked);
	json_put_bool(d->mem, d->now->detail, "shown", r->asked && r->shown);
	if (is_refused(d))
		fail_refused(d);
	else if (!r->asked && d->peer->wire == WIRE_TOCSIN && r->shown)
		doctor_fail(d, "not-asked",
		    "the peer's listener needs `clients optional` (or `required`), or this is not the "
		    "port for peers",
		    "the server does not ask for a certificate: it cannot learn who we are");
	else if (!r->asked)
		doctor_skip(d, "the server does not ask for one");
	else if (!r->shown)
		doctor_ok(d, "the server asks for one, and goes on without");
	else if (r->nauthorities > 0 && !r->fits)
		doctor_warn(d, "issuer",
		    "the peer should add our issuer to those it takes, if it does not know us below",
		    "asked for and shown, but ours is from none of those that the server names");
	else
		doctor_ok(d, "asked for and shown: pin sha256:%s", d->own_pin);
}
