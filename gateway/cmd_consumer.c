/* cmd_consumer.c -- `tocsin consumer add`: a secret for a tool, printed once. (`consumer list` asks the
 * running node: cmd_control.c.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/config.h"
#include "gateway/credentials.h"

/* What was made, for printing. */
struct made {
	const struct config	*conf;
	const char		*name;
	bool			 known;		/* trust.conf has it */
	const char		*token;		/* NULL: a password was set */
};

static int
add_password(const struct made *m, struct err *e)
{
	char password[CMD_SECRET_MAX + 2];
	int rc = cmd_read_secret("password", true, password);

	if (rc == 0)
		rc = credentials_add_password(m->conf->credentials_file, m->name, slice_of(password), e);
	secret_wipe(password, sizeof(password));
	return rc;
}

/* ---- what is printed ---- */

/* The CA that `tocsin init` made, for curl; NULL if the certificate comes from elsewhere. */
static char *
trial_ca(struct arena *mem, const struct config *conf)
{
	const char *cert = conf->nlistens > 0 ? conf->listens[0].certificate : conf->client_certificate;
	const char *slash = cert == NULL ? NULL : strrchr(cert, '/');
	char *path;

	if (slash == NULL)
		return NULL;
	path = arena_fmt(mem, "%.*s/ca.crt", (int)(slash - cert), cert);
	return file_exists(path) ? path : NULL;
}

static const char *
base_url(struct arena *mem, const struct config *conf)
{
	if (conf->public_url != NULL)
		return conf->public_url;
	return conf->nlistens == 0 ? "https://HOST:8443" :
	    arena_fmt(mem, "https://%s", conf->listens[0].address);
}

/* The section for trust.conf that the options describe. */
static void
add_section(struct strbuf *out, const struct args *a, const char *name)
{
	const char *relation = args_get(a, "relation");
	static const char *const rights[] = { "read", "write" };

	strbuf_addf(out, "consumer %s\n    relation     %s\n", name,
	    relation == NULL ? "own" : relation);
	for (size_t i = 0; i < 2; i++) {
		size_t at = 0;
		const char *value = args_each(a, rights[i], &at);

		if (value == NULL && i == 0)
			strbuf_adds(out, "    read         *\n");
		if (value == NULL)
			continue;
		strbuf_addf(out, "    %-12s", rights[i]);
		for (; value != NULL; value = args_each(a, rights[i], &at))
			strbuf_addf(out, " %s", value);
		strbuf_addc(out, '\n');
	}
}

static void
print_human(const struct args *a, const struct made *m, struct arena *mem)
{
	struct strbuf section = STRBUF_INIT;
	const char *ca = trial_ca(mem, m->conf);

	if (m->token != NULL)
		printf("The token of %s, shown this once:\n\n    %s\n\n", m->name, m->token);
	else
		printf("The password of %s is set.\n\n", m->name);
	if (!m->known) {
		add_section(&section, a, m->name);
		printf("%s has no section for it yet; add:\n\n%s\n", m->conf->trust_file, section.p);
		strbuf_fini(&section);
	}
	printf("A running node learns of it by `tocsin reload`. Try:\n\n    curl%s%s -H 'Accept: "
	    "application/taxii+json;version=2.1' %s%s%s %s/%s/collections/\n",
	    ca == NULL ? "" : " --cacert ", ca == NULL ? "" : ca,
	    m->token != NULL ? "-H 'Authorization: Bearer " : "-u ",
	    m->token != NULL ? m->token : m->name, m->token != NULL ? "'" : "",
	    base_url(mem, m->conf), m->conf->api_root);
}

static void
print_json(const struct args *a, const struct made *m, struct arena *mem)
{
	json *o = json_object(mem);
	struct strbuf out = STRBUF_INIT, section = STRBUF_INIT;

	json_put_str(mem, o, "name", slice_of(m->name));
	if (m->token != NULL)
		json_put_str(mem, o, "token", slice_of(m->token));
	json_put_bool(mem, o, "in_trust", m->known);
	if (!m->known) {
		add_section(&section, a, m->name);
		json_put_str(mem, o, "section", strbuf_slice(&section));
	}
	json_print(&out, o);
	puts(out.p);
	secret_wipe(out.p, out.cap);
	strbuf_fini(&out);
	strbuf_fini(&section);
}

/* ---- the verb ---- */

/* Options that name something: does it exist? */
static int
check_options(const struct args *a, const struct config *conf)
{
	static const char *const rights[] = { "read", "write" };
	const char *relation = args_get(a, "relation");

	if (relation != NULL && strcmp(relation, "own") != 0 && strcmp(relation, "client") != 0)
		return cmd_complain("--relation is own or client, not '%s'; others are peers, with a pin",
		    relation);
	if (args_get(a, "password") != NULL && args_get(a, "until") != NULL)
		return cmd_complain("--until is for tokens");
	for (size_t i = 0; i < 2; i++) {
		size_t at = 0;
		const char *name;

		while ((name = args_each(a, rights[i], &at)) != NULL) {
			const struct collection_conf *col = config_collection(conf, slice_of(name));

			if (strcmp(name, "*") != 0 && col == NULL && strncmp(name, "inbox-", 6) != 0)
				return cmd_complain("there is no collection '%s'", name);
			if (i == 1 && col != NULL && col->view)
				return cmd_complain("collection '%s' is a view: nobody writes it", name);
		}
	}
	return 0;
}

static int
add(const struct args *a, const struct config *conf, struct complaints *c)
{
	struct made m = { .conf = conf, .name = a->v[0] };
	struct trust *trust = trust_load(conf->trust_file, c);
	struct arena *mem = arena_new();
	struct err e = ERR_INIT;
	char token[64] = "";
	int status = CMD_FAILED, rc;

	if (trust == NULL) {
		cmd_complaints(c);
	} else if (check_options(a, conf) == 0) {
		m.known = trust_find(trust, slice_of(m.name)) != NULL;
		if (args_get(a, "password") != NULL) {
			rc = add_password(&m, &e);
		} else {
			rc = credentials_add_token(conf->credentials_file, m.name, args_get(a, "until"),
			    token, &e);
			m.token = token;
		}
		if (rc == 0)
			(args_get(a, "json") != NULL ? print_json : print_human)(a, &m, mem);
		else if (e.code != ERR_NONE)
			cmd_fail_err(&e);
		status = rc == 0 ? CMD_DONE : CMD_FAILED;
	}
	secret_wipe(token, sizeof(token));
	trust_free(trust);
	arena_free(mem);
	return status;
}

static int
run(const struct args *a)
{
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_load(cmd_config_path(a), &c);
	int status = conf == NULL ? cmd_complaints(&c) : add(a, conf, &c);

	config_free(conf);
	arena_free(c.mem);
	return status;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "password", 'p', NULL, "set a password (asked for, or one line of standard input) instead "
	    "of making a token" },
	{ "until", 'u', "DATE", "the last day of the token, such as 2027-03-31" },
	{ "relation", 'r', "WORD", "own (default) or client, for the section that is proposed" },
	{ "read", 0, "COLLECTION", "may read it; may be repeated (default: *)" },
	{ "write", 0, "COLLECTION", "may write it; may be repeated" },
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};

const struct command command_consumer_add = {
	"consumer add", "NAME", 1, 1, "make a token or set a password for a tool",
	"Adds the hash of a new token to the credentials file and prints the token, once. What "
	"the consumer may read and write stands in trust.conf; if it has no section there yet, "
	"one is printed to be pasted.",
	options, run
};
