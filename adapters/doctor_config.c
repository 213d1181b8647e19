/* doctor_config.c -- the first step: is what our own files say enough to call? Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/clock.h"

static const int64_t soon_us = INT64_C(14) * 86400 * 1000000;	/* before it ends */

/* ---- where to ---- */

static void
add_want(struct doctor *d, const char *word, const char *what, bool write)
{
	if (d->nwants < DOCTOR_WANTS)
		d->wants[d->nwants++] = (struct doctor_want){ .word = word, .what = what,
		    .name = word != NULL ? word : "the only one there", .read = !write, .write = write };
}

/* The collections over there that our files name: to send to, and to read. */
static void
list_wants(struct doctor *d)
{
	const char *in_url = d->at.collection[0] == '\0' ? NULL : d->at.collection;

	if (d->peer->collection != NULL)
		add_want(d, d->peer->collection, "push", true);
	for (size_t i = 0; i < d->config->npulls; i++) {
		const struct pull_conf *pull = &d->config->pulls[i];

		if (strcmp(pull->peer, d->peer->name) == 0)
			add_want(d, pull->collection != NULL ? pull->collection : in_url,
			    arena_fmt(d->mem, "pull %s", pull->name), false);
	}
	if (d->nwants == 0 && in_url != NULL)
		add_want(d, in_url, "the url", false);
}

/* What is asked first: the API root if it is known, else discovery. */
static const char *
first_path(const struct doctor *d)
{
	if (d->at.root[0] != '\0')
		return d->at.root;
	if (d->at.discovery[0] != '\0')
		return d->at.discovery;
	return d->version == TAXII_20 ? "/taxii/" : "/taxii2/";
}

/* ---- what we show ---- */

/* Our certificate: there, ours, and of today. False after a failure. */
static bool
check_own(struct doctor *d)
{
	const struct config *conf = d->config;
	int64_t from_us, until_us, now_us = clock_wall_us();
	const char *until;
	struct err e = ERR_INIT;

	if (conf->client_certificate == NULL)
		return true;
	if (tls_key_matches(conf->client_certificate, conf->client_key, &e) < 0 ||
	    tls_cert_read(conf->client_certificate, d->own_pin, &from_us, &until_us, &e) < 0) {
		doctor_fail(d, "own-certificate", "`certificate` and `key` of the node in tocsin.conf must "
		    "be readable for this user and belong together", "%s", e.reason);
		return false;
	}
	until = doctor_time(d->mem, until_us);
	doctor_detail(d, "certificate", conf->client_certificate);
	doctor_detail(d, "own_pin", arena_fmt(d->mem, "sha256:%s", d->own_pin));
	doctor_detail(d, "own_until", until);
	if (now_us > until_us || now_us < from_us) {
		doctor_fail(d, now_us > until_us ? "own-expired" : "own-not-yet-valid",
		    "make a new certificate, and tell the peer its pin if the key is new",
		    "our certificate %s is %s: it %s %s, and now is %s", conf->client_certificate,
		    now_us > until_us ? "expired" : "not yet valid",
		    now_us > until_us ? "ended" : "begins",
		    doctor_time(d->mem, now_us > until_us ? until_us : from_us),
		    doctor_time(d->mem, now_us));
		return false;
	}
	if (now_us > until_us - soon_us)
		doctor_warn(d, "own-expires",
		    "make a new certificate, and tell the peer its pin if the key is new",
		    "our certificate %s ends soon, on %s", conf->client_certificate, until);
	return true;
}

/* The context that the node would use, with the file of those whom we trust. False after a failure. */
static bool
make_context(struct doctor *d)
{
	const struct tls_client_conf tc = {
		.ca = d->peer->ca != NULL ? d->peer->ca : d->config->peer_ca,
		.cert = d->config->client_certificate, .key = d->config->client_key,
	};
	struct err e = ERR_INIT;

	if (tc.ca == NULL) {
		doctor_fail(d, "no-ca",
		    "say `ca FILE` in the peer's section, or `peer-ca FILE` in tocsin.conf",
		    "no file says whose certificates are trusted");
		return false;
	}
	doctor_detail(d, "ca", tc.ca);
	d->tls = tls_client_new(&tc, &e);
	if (d->tls != NULL)
		return true;
	doctor_fail(d, "files",
	    "the files must be readable for this user, in PEM, and without a pass phrase", "%s",
	    e.reason);
	return false;
}

/* Our own login in words, without the secret. */
static const char *
login_words(struct doctor *d)
{
	switch (d->login.kind) {
	case LOGIN_BASIC:
		return arena_fmt(d->mem, "basic as %s", d->login.user);
	case LOGIN_HEADER:
		return arena_fmt(d->mem, "header line %s", d->login.header);
	case LOGIN_BEARER:
		return "bearer token";
	case LOGIN_NONE:
		break;
	}
	return "none";
}

/* ---- the step ---- */

static const char *
wire_words(enum peer_wire wire)
{
	static const char *const words[] = { [WIRE_TOCSIN] = "a Tocsin node",
	    [WIRE_TAXII21] = "a TAXII 2.1 server", [WIRE_TAXII20] = "a TAXII 2.0 server",
	    [WIRE_FOLDER] = "a folder" };

	return words[wire];
}

static bool
check_address(struct doctor *d)
{
	struct err e = ERR_INIT;

	if (d->peer->url == NULL) {
		doctor_fail(d, "no-url",
		    "add `url https://HOST:PORT/ROOT/` to the peer's section, if it is to be called at "
		    "all",
		    "%s: the section has no url: this peer is never called, it comes to us",
		    doctor_section(d));
		return false;
	}
	if (taxii_url_parse(d->peer->url, &d->at, &e) < 0) {
		doctor_fail(d, "url", "an address looks like https://peer.example:8443/api/", "%s: %s: %s",
		    doctor_section(d), d->peer->url, e.reason);
		return false;
	}
	if (!d->peer->by_name && d->peer->npins == 0) {
		doctor_fail(d, "no-pin",
		    "add `pin sha256:...` (from `tocsin key pin` over there), or `verify name` if "
		    "chain and name are to be enough",
		    "%s: the section has no pin", doctor_section(d));
		return false;
	}
	return true;
}

/* Who may write there is the workers' account, which we may not be: so only what is plain is judged. */
static void
check_folder(struct doctor *d)
{
	const struct peer *p = d->peer;
	struct stat st;

	doctor_ok(d, "folder %s, written as %s", p->folder, p->folder_format);
	doctor_detail(d, "folder", p->folder);
	if (stat(p->folder, &st) < 0)
		doctor_fail(d, "no-folder", "make it, or mount what it lies on, and then `tocsin reload`",
		    "%s: folder %s: %s", doctor_section(d), p->folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		doctor_fail(d, "no-folder", "name a folder", "%s: %s is no folder", doctor_section(d),
		    p->folder);
	else if (access(p->folder, W_OK | X_OK) < 0)
		doctor_warn(d, "folder-closed", "the account of the workers (`users` in tocsin.conf) must "
		    "be able to write there", "folder %s: %s, for us who ask", p->folder, strerror(errno));
}

void
doctor_configuration(struct doctor *d)
{
	const struct peer *p = d->peer;

	if (p->folder != NULL) {
		check_folder(d);
		return;
	}
	doctor_ok(d, "%s at %s, known by %s; our certificate: %s; login: %s", wire_words(p->wire),
	    p->url == NULL ? "no address" : p->url, p->by_name ? "chain and name" : "chain, name and pin",
	    d->config->client_certificate == NULL ? "none" : "yes", login_words(d));
	if (!check_address(d))
		return;
	d->url = d->at.server;
	d->version = p->wire == WIRE_TAXII20 || (p->wire == WIRE_TAXII21 && d->at.is_20) ? TAXII_20 :
	    TAXII_21;
	list_wants(d);
	d->path = first_path(d);
	d->media = doctor_media[d->version];
	d->dial_host = p->proxy != NULL ? p->proxy : d->url.host;
	d->dial_port = p->proxy != NULL ? p->proxy_port : d->url.port;
	doctor_detail(d, "url", p->url);
	doctor_detail(d, "login", credentials_login_word(&d->login));
	if (check_own(d))
		make_context(d);
}
