/* doctor_curl.c -- the same by hand, with a program that everybody has. Part of doctor.h. */
#include "adapters/doctor_parts.h"
#include "gateway/base/codec.h"

/* A word as a shell takes it. */
static void
add_word(struct strbuf *out, const char *word)
{
	strbuf_adds(out, " '");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			strbuf_adds(out, "'\\''");
		else
			strbuf_addc(out, *word);
	}
	strbuf_addc(out, '\'');
}

/* What curl calls a pin: the same bytes in base64. */
static void
add_pins(struct strbuf *out, const struct peer *p)
{
	for (size_t i = 0; i < p->npins; i++) {
		strbuf_adds(out, i == 0 ? " --pinnedpubkey 'sha256//" : ";sha256//");
		base64_add(out, p->pins[i], sizeof(p->pins[i]));
	}
	if (p->npins > 0)
		strbuf_addc(out, '\'');
}

static void
add_login(struct strbuf *out, const struct doctor_conf *conf)
{
	struct credentials_login l;

	credentials_login(conf->credentials, conf->peer->name, &l);
	if (l.kind == LOGIN_BASIC) {
		strbuf_adds(out, " --user");
		add_word(out, l.user);		/* curl asks for the password */
	} else if (l.kind == LOGIN_BEARER) {
		strbuf_adds(out, " -H \"Authorization: Bearer $TOKEN\"");
	} else if (l.kind == LOGIN_HEADER) {
		strbuf_addf(out, " -H \"%s: $SECRET\"", l.header);
	}
}

static void
add_proxy(struct strbuf *out, const struct doctor_conf *conf)
{
	const struct peer *p = conf->peer;
	bool v6 = p->proxy != NULL && strchr(p->proxy, ':') != NULL;
	struct credentials_login l;

	if (p->proxy == NULL)
		return;
	strbuf_addf(
	    out, " --proxy http://%s%s%s:%u", v6 ? "[" : "", p->proxy, v6 ? "]" : "", p->proxy_port);
	if (credentials_proxy_login(conf->credentials, p->name, &l)) {
		strbuf_adds(out, " --proxy-user");
		add_word(out, l.user);
	}
}

/* All but the address. */
static void
add_common(struct strbuf *out, const struct doctor_conf *conf)
{
	const struct config *c = conf->config;
	const char *ca = conf->peer->ca != NULL ? conf->peer->ca : c->peer_ca;

	strbuf_adds(out, "curl -sS -i");
	if (ca != NULL) {
		strbuf_adds(out, " --cacert");
		add_word(out, ca);
	}
	if (c->client_certificate != NULL) {
		strbuf_adds(out, " --cert");
		add_word(out, c->client_certificate);
		strbuf_adds(out, " --key");
		add_word(out, c->client_key);
	}
	add_pins(out, conf->peer);
	add_proxy(out, conf);
	add_login(out, conf);
	strbuf_addf(out, " -H 'Accept: %s'", doctor_media[conf->peer->wire == WIRE_TAXII20 ? TAXII_20 :
	    TAXII_21]);
}

const char *
doctor_curl(const struct doctor_conf *conf, struct arena *mem)
{
	const struct peer *p = conf->peer;
	struct strbuf common = STRBUF_INIT, out = STRBUF_INIT;
	struct taxii_url at;
	const char *base, *text;

	if (p->url == NULL || taxii_url_parse(p->url, &at, NULL) < 0)
		return "";
	add_common(&common, conf);
	base = arena_fmt(mem, "https://%s%s%s:%u", strchr(at.server.host, ':') != NULL ? "[" : "",
	    at.server.host, strchr(at.server.host, ':') != NULL ? "]" : "", at.server.port);
	strbuf_adds(&out, common.p);
	add_word(&out, arena_fmt(mem, "%s%s", base, at.root[0] != '\0' ? at.root : at.server.path));
	if (at.root[0] != '\0') {
		strbuf_addf(&out, "\n%s", common.p);
		add_word(&out, arena_fmt(mem, "%s%scollections/", base, at.root));
	}
	if (at.root[0] != '\0' && p->collection != NULL) {
		strbuf_addf(&out, "\n%s", common.p);
		add_word(&out, arena_fmt(mem, "%s%scollections/%s/", base, at.root, p->collection));
	}
	strbuf_addc(&out, '\n');
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&common);
	strbuf_fini(&out);
	return text;
}
