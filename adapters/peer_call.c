#include "adapters/peer_call.h"

#include "adapters/http_client.h"
#include "adapters/tls.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/credentials.h"

#define TAXII_TOTAL_US	INT64_C(120000000)	/* a page can be large, and made slowly */

_Static_assert(sizeof(((struct peer_call_room *)NULL)->pins[0]) == TLS_PIN_TEXT + 1,
    "pins have that length");

int
peer_call_conf(const struct peer_caller *by, const struct peer *p, const struct url *url,
    struct peer_call_room *room, struct http_client_conf *out, struct err *e)
{
	const struct tls_client_conf tc = {
		.ca = p->ca != NULL ? p->ca : by->config->peer_ca,
		.cert = by->config->client_certificate, .key = by->config->client_key,
	};
	struct credentials_login login;

	for (size_t i = 0; i < p->npins; i++) {
		hex_text(p->pins[i], sizeof(p->pins[i]), room->pins[i]);
		room->list[i] = room->pins[i];
	}
	out->host = url->host;
	out->port = url->port;
	out->pins = room->list;
	out->npins = p->by_name ? 0 : p->npins;
	out->proxy = (struct proxy){ .host = p->proxy, .port = p->proxy_port };
	if (p->proxy != NULL && credentials_proxy_login(by->credentials, p->name, &login)) {
		out->proxy.user = login.user;
		out->proxy.password = login.secret;
	}
	if (tc.ca == NULL)
		return err_set(e, ERR_CONFIG, "nothing says whom to believe: `ca` in its section of "
		    "trust.conf, or `peer-ca` in tocsin.conf");
	out->tls = tls_client_new(&tc, e);
	return out->tls == NULL ? -1 : 0;
}

static struct http_client *
call(const struct peer_caller *by, const struct peer *p, const struct url *url,
    struct http_client_conf *hc, struct err *e)
{
	struct peer_call_room room;
	struct http_client *http = NULL;

	if (peer_call_conf(by, p, url, &room, hc, e) == 0) {
		http = http_client_new(by->base, hc);
		tls_free(hc->tls);
	}
	hc->pins = NULL;		/* they lie in the room */
	return http;
}

struct http_client *
peer_call_http(const struct peer_caller *by, const struct peer *p, struct url *url, struct err *e)
{
	struct http_client_conf hc = { .port = 0 };
	struct url here;

	if (url == NULL)
		url = &here;
	if (url_parse(p->url, url, e) < 0)
		return NULL;
	return call(by, p, url, &hc, e);
}

/* "Basic ..." or "Bearer ..."; empty for logins of another kind. */
static void
authorization_of(const struct credentials_login *l, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;

	if (l->kind == LOGIN_BEARER)
		strbuf_addf(out, "Bearer %s", l->secret);
	if (l->kind != LOGIN_BASIC)
		return;
	strbuf_addf(&text, "%s:%s", l->user, l->secret);
	strbuf_adds(out, "Basic ");
	base64_add(out, text.p, text.n);
	secret_wipe(text.p, text.n);
	strbuf_fini(&text);
}

struct taxii_client *
peer_call_taxii(const struct peer_caller *by, const struct peer *p, const char *collection,
    size_t max_answer, struct err *e)
{
	struct http_client_conf hc = { .gzip = true, .total_us = TAXII_TOTAL_US, .max_answer = max_answer };
	struct taxii_client_conf tc = {
		.name = p->name, .url = p->url, .collection = collection,
		.version = p->wire == WIRE_TAXII20 ? TAXII_20 : TAXII_21,
	};
	struct credentials_login login = { .kind = LOGIN_NONE };
	struct strbuf authorization = STRBUF_INIT;
	struct taxii_client *c = NULL;
	struct url url;

	if (url_parse(p->url, &url, e) < 0 || (tc.http = call(by, p, &url, &hc, e)) == NULL)
		return NULL;
	credentials_login(by->credentials, p->name, &login);
	authorization_of(&login, &authorization);
	if (authorization.n > 0)
		tc.authorization = authorization.p;
	if (login.kind == LOGIN_HEADER) {
		tc.header = login.header;
		tc.header_value = login.secret;
	}
	c = taxii_client_new(&tc, e);
	if (c == NULL)
		http_client_free(tc.http);
	secret_wipe(authorization.p, authorization.n);
	strbuf_fini(&authorization);
	return c;
}
