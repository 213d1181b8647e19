/* doctor_answer.c -- what the first answer means: HTTP, version, login, clock. Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

#include <stdlib.h>

#include "gateway/base/clock.h"

static const int64_t skew_us = INT64_C(5) * 60 * 1000000;	/* beyond it something is wrong */

const char *const doctor_media[] = {
	[TAXII_21] = "application/taxii+json;version=2.1",
	[TAXII_20] = "application/vnd.oasis.taxii+json; version=2.0",
};

static struct slice
field(const struct doctor *d, const char *name)
{
	return http1_field(d->first.head, name);
}

static bool
is_html(const struct doctor *d)
{
	struct slice type = field(d, "content-type"), body = slice_trim(d->first.body);

	return slice_starts(type, "text/html") || slice_starts(type, "application/xhtml") ||
	    (body.n > 0 && body.p[0] == '<');
}

/* What the body of a refusal says, cut short. */
static const char *
refusal_words(struct doctor *d)
{
	const char *words = taxii_read_error(d->first.body, d->mem);

	return words[0] == '\0' ? "" : arena_fmt(d->mem, ": \"%.200s\"", words);
}

/* ---- http ---- */

static void
fail_no_answer(struct doctor *d)
{
	const struct doctor_answer *a = &d->first;

	if (a->ending == TLS_ENDED_ODD)
		doctor_fail(d, "no-http", "is this the port of an HTTP server?", "%s", a->trouble);
	else if (a->ending == TLS_ENDED_SILENT)
		doctor_fail(d, "no-answer", "ask the peer whether its service lives, and what its log says",
		    "%s", a->trouble);
	else
		doctor_fail(
		    d, "no-answer", "ask the peer what its log says at this time", "%s", a->trouble);
}

static void
fail_server(struct doctor *d)
{
	const struct doctor_answer *a = &d->first;
	struct slice wait = field(d, "retry-after");

	if (a->status == 429)
		doctor_fail(d, "too-many", "wait, or ask the peer for a higher limit",
		    "the server says that we ask too often (429%s%.*s)",
		    wait.n > 0 ? ", come back after " : "", SLICE_ARG(wait));
	else
		doctor_fail(d, "server-trouble", "this is trouble over there: ask the peer, or wait",
		    "the server answers %d %.*s%s%.*s%s", a->status, SLICE_ARG(a->head->reason),
		    wait.n > 0 ? ", come back after " : "", SLICE_ARG(wait), refusal_words(d));
}

void
doctor_http(struct doctor *d)
{
	const struct doctor_answer *a = &d->first;

	if (a->parser == NULL)		/* nobody has asked yet */
		doctor_get(d, d->path, d->media, &d->first);
	if (a->status == 0) {
		fail_no_answer(d);
		return;
	}
	doctor_detail(d, "path", d->path);
	doctor_detail(d, "status", arena_fmt(d->mem, "%d", a->status));
	doctor_detail(d, "server", arena_str(d->mem, field(d, "server")));
	doctor_detail(d, "content_type", arena_str(d->mem, field(d, "content-type")));
	if (a->status >= 300 && a->status < 400)
		doctor_fail(d, "redirect",
		    "write the address it leads to as `url`, if that is the right one: redirects are "
		    "not followed, a login must not go where nobody sent it",
		    "%s: the server redirects (%d) to %.*s", d->path, a->status,
		    SLICE_ARG(field(d, "location")));
	else if (a->status == 429 || (a->status >= 500 && a->status != 501))
		fail_server(d);
	else if (a->status < 300 && is_html(d))
		doctor_fail(d, "html",
		    "check host, port and path of the `url`; a login page or a web application in "
		    "front of the TAXII server answers like this",
		    "%s: the server answers %d with a page for people (HTML), not with TAXII%s",
		    d->path, a->status, refusal_words(d));
	else
		doctor_ok(d, "HTTP/1.%d %d %.*s%s%.*s", a->head->minor, a->status,
		    SLICE_ARG(a->head->reason), field(d, "server").n > 0 ? ", server " : "",
		    SLICE_ARG(field(d, "server")));
}

/* ---- version ---- */

/* True if the type is one of TAXII 2.1, of 2.0; JSON that says neither may be either. */
static bool
is_taxii_21(struct slice type)
{
	return slice_starts(type, "application/taxii+json") && memmem(type.p, type.n, "2.0", 3) == NULL;
}

static bool
is_taxii_20(struct slice type)
{
	return slice_starts(type, "application/vnd.oasis.taxii+json");
}

static bool
is_version(struct slice type, enum taxii_version v)
{
	return v == TAXII_21 ? is_taxii_21(type) : is_taxii_20(type);
}

static const char *
version_name(enum taxii_version v)
{
	return v == TAXII_21 ? "TAXII 2.1" : "TAXII 2.0";
}

/* Ask once more in the other version; true if the server speaks it. */
static bool
speaks_other(struct doctor *d, enum taxii_version other)
{
	struct doctor_answer a;
	struct taxii_root root = { 0 };
	bool yes;

	doctor_get(d, d->path, doctor_media[other], &a);
	yes = a.status != 0 && a.status != 406 && a.status != 415 && a.status < 500 &&
	    is_version(http1_field(a.head, "content-type"), other);
	if (a.status == 200 && taxii_read_root(a.body, d->mem, &root, NULL) == 0)
		yes = yes || (other == TAXII_20 ? root.has_20 : root.has_21);
	if (yes && other == TAXII_20 && d->peer->wire == WIRE_TAXII21) {	/* go on with it */
		doctor_answer_fini(&d->first);
		d->first = a;
		d->version = TAXII_20;
		d->media = doctor_media[TAXII_20];
	} else {
		doctor_answer_fini(&a);
	}
	return yes;
}

static void
judge_other(struct doctor *d)
{
	enum taxii_version ours = d->version, other = ours == TAXII_21 ? TAXII_20 : TAXII_21;
	int status = d->first.status;

	if (!speaks_other(d, other))
		doctor_fail(d, "no-version",
		    "check the path of the `url`, and ask the peer which TAXII it speaks (1.x is not "
		    "spoken here)",
		    "%s: the server answers %d to %s and speaks %s neither", d->path, status,
		    version_name(ours), version_name(other));
	else if (d->version == other)
		doctor_warn(d, "version-20",
		    arena_fmt(d->mem, "say `wire taxii20` in %s, which saves a question each time",
		    doctor_section(d)),
		    "the server speaks TAXII 2.0 and not 2.1 (%d)", status);
	else
		doctor_fail(d, other == TAXII_20 ? "version-20" : "version-21",
		    arena_fmt(d->mem, "say `wire %s` in %s", other == TAXII_20 ? "taxii20" : "taxii21",
		    doctor_section(d)),
		    "the server speaks %s and not %s (%d)", version_name(other), version_name(ours),
		    status);
}

void
doctor_version(struct doctor *d)
{
	const struct doctor_answer *a = &d->first;
	struct slice type = field(d, "content-type");
	enum taxii_version other = d->version == TAXII_21 ? TAXII_20 : TAXII_21;

	if (a->status == 406 || a->status == 415)
		judge_other(d);
	else if (is_version(type, d->version))
		doctor_ok(d, "%s (%.*s)", version_name(d->version), SLICE_ARG(type));
	else if (a->status < 300 && is_version(type, other))
		judge_other(d);
	else if (a->status >= 400)
		doctor_skip(d, "not to be seen in a refusal (%d, %.*s)", a->status,
		    SLICE_ARG(type.n == 0 ? SLICE_LIT("no type") : type));
	else if (doctor_json(d, a) != NULL)
		doctor_ok(d, "JSON under another type (%.*s), taken for %s", SLICE_ARG(type),
		    version_name(d->version));
	else
		doctor_fail(d, "no-taxii", "check the path of the `url`",
		    "%s: the answer is no TAXII (%.*s)", d->path,
		    SLICE_ARG(type.n == 0 ? SLICE_LIT("no type") : type));
}

/* ---- who we are ---- */

/* The schemes that a 401 asks for. */
static const char *
asked_schemes(struct doctor *d)
{
	struct strbuf out = STRBUF_INIT;
	struct slice value;
	const char *text;
	size_t i = 0;

	while (http1_field_next(d->first.head, "www-authenticate", &i, &value)) {
		struct slice scheme = slice_cut(&value, ' ');

		strbuf_addf(&out, "%s%.*s", out.n > 0 ? ", " : "", SLICE_ARG(scheme));
	}
	text = arena_str(d->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

/* A peer of our kind knows us by our certificate. */
static void
fail_unknown_node(struct doctor *d)
{
	const char *fix = "set `certificate` and `key` in the node's section of tocsin.conf";
	const char *why = "we show no certificate";

	if (d->own_pin[0] != '\0') {
		fix = arena_fmt(d->mem,
		    "in the peer's trust.conf, our section must say `pin sha256:%s`; then `tocsin "
		    "reload` there",
		    d->own_pin);
		why = "our certificate is of nobody whom it lists";
	}
	doctor_fail(d, "unknown-to-peer", fix, "the peer does not know us (401): %s%s", why,
	    refusal_words(d));
}

static void
fail_login(struct doctor *d, const char *schemes)
{
	const char *sent = credentials_login_word(&d->login), *fix;
	const char *asked = schemes[0] == '\0' ? "it does not say which" : schemes;

	fix = arena_fmt(d->mem, "tocsin peer login %s --basic USER (or --bearer, --header NAME)",
	    d->peer->name);
	doctor_detail(d, "asked", schemes);
	doctor_detail(d, "sent", sent);
	if (d->login.kind == LOGIN_NONE) {
		doctor_fail(d, "login-needed", fix,
		    "the server wants a login (401, %s), and we have none for it%s", asked,
		    refusal_words(d));
	} else if (d->login.kind == LOGIN_BASIC && strcasestr(schemes, "basic") == NULL &&
	    schemes[0] != '\0') {
		doctor_fail(d, "login-kind", fix, "the server wants %s (401), and we sent %s%s", schemes,
		    sent, refusal_words(d));
	} else {
		/* Many name Basic alone, and take tokens all the same. */
		if (d->login.kind == LOGIN_BASIC)
			sent = arena_fmt(d->mem, "basic as %s", d->login.user);
		fix = arena_fmt(d->mem,
		    "ask the peer for a new secret, and which kind it takes; then: tocsin peer login "
		    "%s ...",
		    d->peer->name);
		doctor_fail(d, "login-wrong", fix,
		    "the server does not take our login (401; we sent %s, asked for is %s)%s", sent,
		    asked, refusal_words(d));
	}
}

static void
fail_forbidden(struct doctor *d)
{
	const char *fix = d->peer->wire == WIRE_TOCSIN ?
	    "our section in the peer's trust.conf gives no right: it must let us write our inbox" :
	    "ask the peer to give our account a right";

	doctor_fail(d, "forbidden", fix, "the server knows us and gives us no right at %s (403)%s", d->path,
	    refusal_words(d));
}

void
doctor_auth(struct doctor *d)
{
	bool shown = d->report.asked && d->report.shown;
	int status = d->first.status;

	if (status == 401 && d->peer->wire == WIRE_TOCSIN && d->login.kind == LOGIN_NONE)
		fail_unknown_node(d);
	else if (status == 401)
		fail_login(d, asked_schemes(d));
	else if (status == 403)
		fail_forbidden(d);
	else if (d->login.kind == LOGIN_NONE)
		doctor_ok(d, "let in%s", shown ? " with our certificate" : "");
	else
		doctor_ok(d, "let in with %s%s login", shown ? "our certificate and " : "",
		    credentials_login_word(&d->login));
}

/* ---- clock ---- */

void
doctor_clock(struct doctor *d)
{
	int64_t off_us = d->first.date_us - d->first.our_us;
	long long s = (llabs(off_us) + 500000) / 1000000, min = (s + 30) / 60;

	if (d->first.date_us == 0) {
		doctor_skip(d, "the answer has no date");
		return;
	}
	json_put_int(d->mem, d->now->detail, "ahead_s", off_us / 1000000);
	if (s < 2)
		doctor_ok(d, "no more than a second apart");
	else if (llabs(off_us) <= skew_us)
		doctor_ok(d, "%lld s apart", s);
	else
		doctor_warn(d, "skew",
		    "let both machines take their time from NTP: certificates, dates of objects and "
		    "cursors go wrong otherwise",
		    "the peer's clock is %lld min %s ours: it says %s, we say %s", min,
		    off_us > 0 ? "ahead of" : "behind", doctor_time(d->mem, d->first.date_us),
		    doctor_time(d->mem, d->first.our_us));
}
