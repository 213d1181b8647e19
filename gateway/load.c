#include "gateway/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/process.h"
#include "gateway/warnings.h"
#include "formats/mapped.h"

enum {
	FOR_KEEPER = 1 << PROCESS_STOREKEEPER,
	FOR_TRANSLATOR = 1 << PROCESS_TRANSLATOR,
	FOR_WORKER = 1 << PROCESS_WORKER,
	PASSWORD_MAX = 4096
};

void
loaded_free(struct loaded *l)
{
	for (size_t i = 0; i < l->ncontexts; i++)
		tls_free(l->contexts[i]);
	free(l->contexts);
	config_free(l->config);
	trust_free(l->trust);
	credentials_free(l->credentials);
	warnings_free(l->warnings);
	keys_wipe(&l->keys);
	memset(l, 0, sizeof(*l));
}

void
load_print(const struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++)
		fprintf(stderr, "%s\n", c->text[i]);
}

/* ---- TLS ---- */

static struct tls *
listener_tls(const struct keys *k, const struct listen_conf *l, struct err *e)
{
	static const enum tls_clients modes[] = {
		[CLIENTS_NONE] = TLS_CLIENTS_NONE, [CLIENTS_OPTIONAL] = TLS_CLIENTS_OPTIONAL,
		[CLIENTS_REQUIRED] = TLS_CLIENTS_REQUIRED,
	};
	const struct tls_server_conf tc = {
		.name = l->address, .cert = l->certificate, .key = l->key,
		.clients = modes[l->clients], .client_ca = l->peer_ca, .client_crl = l->peer_crl,
		.tickets = slice_from(k->ticket, sizeof(k->ticket)),
	};

	return tls_server_new(&tc, e);
}

static int
load_contexts(struct loaded *l, struct err *e)
{
	const struct config *conf = l->config;

	l->contexts = xcalloc(conf->nlistens + 1, sizeof(struct tls *));
	for (; l->ncontexts < conf->nlistens; l->ncontexts++)
		if ((l->contexts[l->ncontexts] = listener_tls(&l->keys,
		    &conf->listens[l->ncontexts], e)) == NULL)
			return -1;
	return 0;
}

/* ---- keys and secrets ---- */

static int
load_worker_keys(struct loaded *l, struct err *e)
{
	struct keys *k = &l->keys;

	if (key_read(l->config->sign_key, k->sign, e) < 0 ||
	    key_read(l->config->dedup_key, k->dedup, e) < 0)
		return -1;
	keys_derive(k);
	return ed25519_public(k->sign, k->sign_public, e);
}

/* A file that is read elsewhere when it is wanted, and must be in the bundle by then. */
static int
touch(const char *path, size_t max, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	int rc = path == NULL ? 0 : file_read(path, max, &text, e);

	secret_wipe(text.p, text.cap);
	strbuf_fini(&text);
	return rc;
}

/* What workers read besides: for Redis, and to call peers. */
static int
touch_outgoing(const struct config *conf, const struct trust *trust, struct err *e)
{
	static const size_t pem_max = 1 << 20;

	for (size_t i = 0; i < trust_peers(trust); i++)
		touch(trust_peer(trust, i)->ca, pem_max, NULL);	/* missing: said when it is called */
	if (touch(conf->redis.password_file, PASSWORD_MAX, e) < 0 ||
	    touch(conf->redis.ca, pem_max, e) < 0 || touch(conf->peer_ca, pem_max, e) < 0 ||
	    touch(conf->client_certificate, pem_max, e) < 0 ||
	    touch(conf->client_key, pem_max, e) < 0)
		return -1;
	return 0;
}

static int
load_mappings(const struct config *conf, struct complaints *c)
{
	struct arena *mem = arena_new();
	int rc = 0;

	for (size_t i = 0; i < conf->nspools; i++)
		if (conf->spools[i].mapping != NULL &&
		    mapping_load(conf->spools[i].mapping, mem, c) == NULL)
			rc = -1;
	arena_free(mem);
	return rc;
}

static int
load_secrets(struct loaded *l, struct bundle *record, struct err *e)
{
	file_record(record, FOR_KEEPER);
	if (key_read(l->config->audit_key, l->keys.audit, e) < 0)
		return -1;
	keys_derive_common(&l->keys);
	file_record(record, FOR_WORKER);
	if (load_worker_keys(l, e) < 0 || touch_outgoing(l->config, l->trust, e) < 0)
		return -1;
	return load_contexts(l, e);
}

/* ---- all ---- */

static int
complain_err(struct complaints *c, const struct err *e)
{
	char text[sizeof(*e) + 64];

	complain(c, NULL, "%s", err_text(e, text, sizeof(text)));
	return -1;
}

/* The files that have a grammar of their own; what is recorded goes to the right kinds. */
static int
load_texts(struct loaded *l, const char *path, struct bundle *record, struct complaints *c)
{
	file_record(record, FOR_KEEPER | FOR_TRANSLATOR | FOR_WORKER);
	l->config = config_load(path, c);
	if (l->config == NULL)
		return -1;
	file_record(record, FOR_WORKER);
	l->trust = trust_load(l->config->trust_file, c);
	l->credentials = credentials_load(l->config->credentials_file, c);
	l->warnings = warnings_load(l->config, l->trust, c);
	return l->trust == NULL || l->credentials == NULL || l->warnings == NULL ? -1 : 0;
}

static int
load_checked(struct loaded *l, const char *path, struct bundle *record, struct complaints *c)
{
	struct err e = ERR_INIT;

	if (load_texts(l, path, record, c) < 0)
		return -1;
	file_record(NULL, 0);
	if (config_check(l->config, l->trust, tls_key_matches, c) < 0)
		return -1;
	file_record(record, FOR_TRANSLATOR | FOR_WORKER);
	if (load_mappings(l->config, c) < 0)
		return -1;
	return load_secrets(l, record, &e) < 0 ? complain_err(c, &e) : 0;
}

int
load_all(struct loaded *l, const char *path, struct bundle *record, struct complaints *c)
{
	int rc;

	memset(l, 0, sizeof(*l));
	rc = load_checked(l, path, record, c);
	file_record(NULL, 0);
	if (rc < 0)
		loaded_free(l);
	return rc;
}

int
load_worker(struct loaded *l, const char *path, const uint8_t common[32], struct complaints *c)
{
	struct err e = ERR_INIT;

	memset(l, 0, sizeof(*l));
	if (load_texts(l, path, NULL, c) < 0) {
		loaded_free(l);
		return -1;
	}
	memcpy(l->keys.common, common, sizeof(l->keys.common));
	if (load_worker_keys(l, &e) == 0 && load_contexts(l, &e) == 0)
		return 0;
	loaded_free(l);
	return complain_err(c, &e);
}
