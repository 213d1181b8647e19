/* cmd_init.c -- `tocsin init`: a small, commented configuration with fresh keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/tls.h"
#include "adapters/url.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/cmd_key.h"
#include "gateway/config_parts.h"
#include "gateway/keys.h"

static const int64_t hour_us = 3600 * INT64_C(1000000);
enum { CA_DAYS = 3650, CERT_DAYS = 730 };

struct init {
	struct arena	*mem;
	const char	*dir, *name, *url;
	struct url	 parts;		/* of url */
	const char	*listen, *operations, *state, *spool;
};

/* What is written, in this order. */
static const char *const files[] = {
	"tocsin.conf", "trust.conf", "credentials", "keys/sign.key", "keys/audit.key", "keys/dedup.key",
	"tls/ca.crt", "tls/ca.key", "tls/node.crt", "tls/node.key", "tls/peer-ca.crt", NULL
};

static const char *const folders[] = { "", "/keys", "/tls", "/mappings", NULL };

static char *
in_dir(const struct init *in, const char *file)
{
	return arena_fmt(in->mem, "%s/%s", in->dir, file);
}

/* ---- the three texts; @NAME@ and the like are filled in ---- */

static const char tocsin_conf[] =
    "# tocsin.conf - node @NAME@, written by `tocsin init`. All keys: tocsin.conf(5).\n"
    "# A word in column 1 opens a section, indented lines belong to it, one fact a line. Paths are\n"
    "# relative to this folder. Test changes with `tocsin check`, then `tocsin reload`.\n"
    "\n"
    "node @NAME@\n"
    "    state        @STATE@\n"
    "    url          @URL@\n"
    "    sign-key     keys/sign.key        # signs what we relay\n"
    "    audit-key    keys/audit.key       # seals the audit log\n"
    "    dedup-key    keys/dedup.key       # nodes that share a Redis share this file\n"
    "    certificate  tls/node.crt         # from a CA for trials: tls/ca.crt\n"
    "    key          tls/node.key\n"
    "    peer-ca      tls/peer-ca.crt      # add the CA, or the self-signed certificate, of each peer\n"
    "    trust        trust.conf\n"
    "    credentials  credentials\n"
    "    mappings     mappings\n"
    "#   csirt        cert.example         # our name in IODEF\n"
    "#   contact      desk@cert.example\n"
    "\n"
    "# TAXII and peers, over TLS.\n"
    "listen @LISTEN@\n"
    "    clients      optional\n"
    "\n"
    "# /metrics, /healthz and /readyz, loopback only.\n"
    "operations @OPERATIONS@\n"
    "\n"
    "# redis unix:/run/redis/redis.sock     # shared by nodes that share budgets and claims\n"
    "\n"
    "# What our own desk and tools hand in. Every peer with a pin gets an inbox-PEER besides.\n"
    "collection inbox\n"
    "    title        \"Incoming\"\n"
    "\n"
    "# A view shows what its filter selects of everything stored.\n"
    "collection indicators\n"
    "    title        \"Indicators, one row a meaning\"\n"
    "    mode         view\n"
    "    kinds        indicator\n"
    "    distinct     yes\n"
    "\n"
    "# Files put into its folder incoming/ are taken in: STIX 2.1, IODEF v2.\n"
    "spool desk\n"
    "    path         @SPOOL@\n"
    "    collections  inbox\n";

static const char trust_conf[] =
    "# trust.conf - whom @NAME@ trusts with what. Nothing leaves unless a `release` below says so.\n"
    "\n"
    "# Our own tools: a secret comes from `tocsin consumer add soc`.\n"
    "consumer soc\n"
    "    relation     own\n"
    "    read         *                    # what is listed; an inbox is named: * inbox-cert-b\n"
    "    write        inbox\n"
    "\n"
    "# A peer CERT. Its administrator has pin and sign-key from `tocsin key pin` and `tocsin key public`.\n"
    "# peer cert-b\n"
    "#   pin          sha256:...\n"
    "#   sign-key     ed25519:...\n"
    "#   url          https://taxii.cert-b.example:8443/api/\n"
    "#   collection   inbox-@NAME@\n"
    "#   relation     partner\n"
    "#   speaks       stix21\n"
    "#   speaks-for   any                  # whose objects it may bring: identity ids, or any\n"
    "\n"
    "# community friends\n"
    "#   members      cert-b\n"
    "#   green        yes                  # TLP:GREEN may circulate here\n"
    "\n"
    "# release friends\n"
    "#   object       tlp clear green amber\n"
    "#   to           community friends\n"
    "\n"
    "release own-tools\n"
    "    object       tlp clear green amber amber+strict\n"
    "    to           relation own\n";

static const char credentials[] =
    "# credentials - hashes of tokens and passwords. `tocsin consumer add NAME` writes here; to take a\n"
    "# right away, delete its line and `tocsin reload`. Mode 0600.\n";

/* The value of the placeholder that the text starts with, which is cut off; NULL if none does. */
static const char *
take_placeholder(const struct init *in, struct slice *text)
{
	const struct { const char *word, *value; } words[] = {
		{ "@NAME@", in->name }, { "@URL@", in->url }, { "@LISTEN@", in->listen },
		{ "@OPERATIONS@", in->operations }, { "@STATE@", in->state }, { "@SPOOL@", in->spool }
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i].word);

		if (!slice_starts(*text, words[i].word))
			continue;
		*text = slice_from(text->p + n, text->n - n);
		return words[i].value;
	}
	return NULL;
}

/* Write a text with its placeholders filled in. */
static int
write_text(const struct init *in, const char *file, const char *text, mode_t mode, struct err *e)
{
	struct strbuf out = STRBUF_INIT;
	struct slice rest = slice_of(text);
	int rc;

	while (rest.n > 0) {
		const char *value = rest.p[0] == '@' ? take_placeholder(in, &rest) : NULL;

		if (value != NULL) {
			strbuf_adds(&out, value);
			continue;
		}
		strbuf_addc(&out, rest.p[0]);
		rest = slice_from(rest.p + 1, rest.n - 1);
	}
	rc = file_write(in_dir(in, file), strbuf_slice(&out), mode, e);
	strbuf_fini(&out);
	return rc;
}

/* ---- keys and certificates ---- */

static int
write_keys(const struct init *in, struct err *e)
{
	struct keys k;
	int rc = -1;

	random_bytes(&k, sizeof(k));
	if (ed25519_new(k.sign, k.sign_public, e) == 0 &&
	    key_write(in_dir(in, "keys/sign.key"), k.sign, e) == 0 &&
	    key_write(in_dir(in, "keys/audit.key"), k.audit, e) == 0 &&
	    key_write(in_dir(in, "keys/dedup.key"), k.dedup, e) == 0)
		rc = 0;
	keys_wipe(&k);
	return rc;
}

static int
write_certificates(const struct init *in, struct err *e)
{
	const char *ca = in_dir(in, "tls/ca.crt"), *ca_key = in_dir(in, "tls/ca.key");
	const char *names[] = { in->parts.host, "localhost", "127.0.0.1", NULL };
	int64_t now = clock_wall_us();
	struct tls_issue what = { .name = in->name, .names = names, .from_us = now - hour_us,
	    .until_us = now + CERT_DAYS * 24 * hour_us };
	struct strbuf text = STRBUF_INIT;
	int rc = -1;

	for (size_t i = 1; names[i] != NULL; i++)
		if (strcmp(names[i], in->parts.host) == 0)
			names[0] = "localhost";
	if (strcmp(names[0], names[1]) == 0)
		what.names = names + 1;
	if (tls_make_ca(arena_fmt(in->mem, "%s trial CA", in->name), what.from_us,
	    now + CA_DAYS * 24 * hour_us, ca, ca_key, e) == 0 &&
	    tls_make_cert(ca, ca_key, &what, in_dir(in, "tls/node.crt"), in_dir(in, "tls/node.key"),
	    e) == 0 &&
	    file_read(ca, 1 << 20, &text, e) == 0)
		rc = file_write(in_dir(in, "tls/peer-ca.crt"), strbuf_slice(&text), 0644, e);
	strbuf_fini(&text);
	return rc;
}

/* ---- options ---- */

/* A name for the node: the host's, up to the first dot. */
static const char *
default_name(struct arena *mem)
{
	char host[256] = "";
	struct slice rest;

	if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0')
		return "node";
	rest = slice_of(host);
	return arena_str(mem, slice_cut(&rest, '.'));
}

/* Listen on the address that the URL names; on all if it names a host. */
static const char *
listen_address(const struct init *in)
{
	const char *host = in->parts.host;
	const char *text = arena_fmt(in->mem, strchr(host, ':') == NULL ? "%s:%u" : "[%s]:%u",
	    strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, in->parts.port);
	uint8_t ip[16];
	unsigned port;
	int family;

	if (config_address_split(slice_of(text), ip, &family, &port))
		return text;
	return arena_fmt(in->mem, "0.0.0.0:%u", in->parts.port);
}

static int
choose(struct init *in, const struct args *a)
{
	const char *dir = a->n > 0 ? a->v[0] : args_get(a, "dir");
	struct err e = ERR_INIT;
	size_t n;

	in->dir = dir == NULL ? "." : dir;
	in->name = args_get(a, "name");
	if (in->name == NULL)
		in->name = default_name(in->mem);
	in->url = args_get(a, "url");
	if (in->url == NULL)
		in->url = "https://127.0.0.1:8443";
	if (url_parse(in->url, &in->parts, &e) < 0 || strcmp(in->parts.path, "/") != 0)
		return cmd_complain("--url %s: write https://host:port", in->url);
	n = strlen(in->url);
	if (in->url[n - 1] == '/')
		in->url = arena_str(in->mem, slice_from(in->url, n - 1));
	in->listen = args_get(a, "listen");
	if (in->listen == NULL)
		in->listen = listen_address(in);
	in->state = args_get(a, "state");
	in->spool = in->state == NULL ? "spool/desk" : arena_fmt(in->mem, "%s/spool/desk", in->state);
	if (in->state == NULL)
		in->state = "state";
	in->operations = args_get(a, "operations");
	if (in->operations == NULL)
		in->operations = "127.0.0.1:9443";
	return 0;
}

/* Nothing that is there is overwritten, not even in part. */
static int
check_free(const struct init *in)
{
	int rc = 0;

	for (size_t i = 0; files[i] != NULL; i++)
		if (file_exists(in_dir(in, files[i])))
			rc = cmd_complain("%s is there already", in_dir(in, files[i]));
	if (rc < 0)
		cmd_complain("nothing was written; choose another --dir");
	return rc;
}

/* The texts must make a configuration: a name or an address may be wrong. */
static int
check_config(const struct init *in)
{
	struct complaints c = { .mem = in->mem };
	struct config *conf = config_load(in_dir(in, "tocsin.conf"), &c);

	if (conf == NULL) {
		cmd_complaints(&c);
		return -1;
	}
	config_free(conf);
	return 0;
}

static int
write_all(const struct init *in, struct err *e)
{
	for (size_t i = 0; folders[i] != NULL; i++)
		if (dir_make(arena_fmt(in->mem, "%s%s", in->dir, folders[i]), 0700, e) < 0)
			return -1;
	if (write_text(in, "tocsin.conf", tocsin_conf, 0644, e) < 0)
		return -1;
	if (check_config(in) < 0) {
		unlink(in_dir(in, "tocsin.conf"));
		return -1;
	}
	if (write_text(in, "trust.conf", trust_conf, 0644, e) < 0 ||
	    write_text(in, "credentials", credentials, 0600, e) < 0 ||
	    write_keys(in, e) < 0)
		return -1;
	return write_certificates(in, e);
}

static int
print_next(const struct init *in)
{
	const char *conf = in_dir(in, "tocsin.conf");
	char pin[TLS_PIN_TEXT + 1];
	struct strbuf key = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (tls_cert_read(in_dir(in, "tls/node.crt"), pin, NULL, NULL, &e) < 0 ||
	    key_public_text(in_dir(in, "keys/sign.key"), &key, &e) < 0) {
		strbuf_fini(&key);
		return cmd_fail_err(&e);
	}
	printf("Node %s is ready in %s. Next:\n\n"
	    "    tocsin check --config %s\n"
	    "    tocsin consumer add soc --config %s\n"
	    "    tocsin serve --config %s\n\n"
	    "A peer that is to trust this node takes %s into its peer-ca file\n"
	    "and writes into its trust.conf:\n\n"
	    "    peer %s\n"
	    "        pin         sha256:%s\n"
	    "        sign-key    %s\n"
	    "        url         %s/api/\n"
	    "        collection  inbox-ITS-OWN-NAME\n"
	    "        relation    partner\n"
	    "        speaks-for  any\n",
	    in->name, in->dir, conf, conf, conf, in_dir(in, "tls/ca.crt"), in->name, pin, key.p,
	    in->url);
	strbuf_fini(&key);
	return CMD_DONE;
}

static int
run(const struct args *a)
{
	struct init in = { .mem = arena_new() };
	struct err e = ERR_INIT;
	int status = CMD_FAILED;

	if (choose(&in, a) == 0 && check_free(&in) == 0) {
		if (write_all(&in, &e) == 0)
			status = print_next(&in);
		else if (e.code != ERR_NONE)
			status = cmd_fail_err(&e);
	}
	arena_free(in.mem);
	return status;
}

static const struct cmd_option options[] = {
	{ "dir", 'd', "DIR", "where (default: here)" },
	{ "name", 'n', "NAME", "name of the node (default: of this machine)" },
	{ "url", 'u', "URL", "how clients reach it (default: https://127.0.0.1:8443)" },
	{ "listen", 0, "ADDRESS", "where it listens (default: from the URL)" },
	{ "operations", 0, "ADDRESS", "where /metrics and /healthz are (default: 127.0.0.1:9443)" },
	{ "state", 0, "DIR", "where the node will keep its data (default: state/ beside the files)" },
	{ .name = NULL }
};

const struct command command_init = {
	"init", "[DIR]", 0, 1, "write a small configuration with fresh keys",
	"Writes tocsin.conf and trust.conf (commented), an empty credentials file, the node's "
	"keys, and a CA for trials with a certificate for the node. Overwrites nothing. Ends with "
	"the next three commands, and with the lines that a peer needs to type.",
	options, run
};
