/* cmd_consumer.c -- `tocsin consumer add`: a secret for a tool, printed once. (`consumer list` asks the
 * running node: cmd_control.c.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_ask.h"
#include "gateway/cmd_consumer_card.h"
#include "gateway/credentials.h"

/* What was made, for printing. */
struct made {
	const struct config	*conf;
	const char		*name;
	const struct peer	*peer;		/* of trust.conf; NULL: it has no section */
	const char		*token;		/* NULL: a password was set */
	const char		*password;	/* made by us; or NULL */
	const struct card	*card;		/* of the product; or NULL */
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

/* The section for trust.conf that the options describe. */
static void
add_section(struct strbuf *out, const struct args *a, const struct made *m, struct arena *mem)
{
	const char *relation = args_get(a, "relation");
	static const char *const rights[] = { "read", "write" };

	strbuf_addf(out, "consumer %s\n    relation     %s\n", m->name,
	    relation == NULL ? "own" : relation);
	for (size_t i = 0; i < 2; i++) {
		size_t at = 0;
		const char *value = args_each(a, rights[i], &at);

		if (value == NULL && i == 0)
			strbuf_addf(out, "    read         %s\n",
			    m->card == NULL || m->card->chosen == NULL ? "*" : m->card->chosen->name);
		if (value == NULL)
			continue;
		strbuf_addf(out, "    %-12s", rights[i]);
		for (; value != NULL; value = args_each(a, rights[i], &at))
			strbuf_addf(out, " %s", value);
		strbuf_addc(out, '\n');
	}
	for (size_t i = 0; m->card != NULL && card_line(mem, m->card, i) != NULL; i++)
		if (args_get(a, "write") == NULL || strncmp(card_line(mem, m->card, i), "write", 5) != 0)
			strbuf_addf(out, "    %s\n", card_line(mem, m->card, i));
}

/* Lines that are missing: a section of its own, or some of the one that is there. */
static void
print_section(const struct args *a, const struct made *m, struct arena *mem)
{
	struct strbuf section = STRBUF_INIT;

	if (m->peer == NULL) {
		add_section(&section, a, m, mem);
		printf("%s has no section for it yet; add:\n\n%s\n", m->conf->trust_file, section.p);
	} else if (m->card != NULL && card_line(mem, m->card, 0) != NULL) {
		printf("Its section (%s:%u) ought to have:\n\n", m->peer->file, m->peer->line);
		for (size_t i = 0; card_line(mem, m->card, i) != NULL; i++)
			printf("    %s\n", card_line(mem, m->card, i));
		putchar('\n');
	}
	strbuf_fini(&section);
}

static void
print_human(const struct args *a, const struct made *m, struct arena *mem)
{
	const char *ca = card_ca(mem, m->conf);

	if (m->card != NULL) {
		print_section(a, m, mem);
		card_print(mem, m->card);
		return;
	}
	if (m->token != NULL)
		printf("The token of %s, shown this once:\n\n    %s\n\n", m->name, m->token);
	else
		printf("The password of %s is set.\n\n", m->name);
	print_section(a, m, mem);
	printf("A running node learns of it by `tocsin reload`. Try:\n\n    curl%s%s -H 'Accept: "
	    "application/taxii+json;version=2.1' %s%s%s %s/%s/collections/\n",
	    ca == NULL ? "" : " --cacert ", ca == NULL ? "" : ca,
	    m->token != NULL ? "-H 'Authorization: Bearer " : "-u ",
	    m->token != NULL ? m->token : m->name, m->token != NULL ? "'" : "",
	    card_base(mem, m->conf), m->conf->api_root);
}

static void
print_json(const struct args *a, const struct made *m, struct arena *mem)
{
	json *o = json_object(mem);
	struct strbuf out = STRBUF_INIT, section = STRBUF_INIT;

	json_put_str(mem, o, "name", slice_of(m->name));
	if (m->token != NULL)
		json_put_str(mem, o, "token", slice_of(m->token));
	if (m->password != NULL)
		json_put_str(mem, o, "password", slice_of(m->password));
	json_put_bool(mem, o, "in_trust", m->peer != NULL);
	if (m->peer == NULL) {
		add_section(&section, a, m, mem);
		json_put_str(mem, o, "section", strbuf_slice(&section));
	}
	if (m->card != NULL)
		card_json(mem, m->card, o);
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
	if ((args_get(a, "password") != NULL) + (args_get(a, "token") != NULL) +
	    (args_get(a, "keep") != NULL) > 1)
		return cmd_complain("say one of --password, --token and --keep");
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

/* ---- the card of a product ---- */

/* UUIDs of the collections that have none in tocsin.conf: the running node knows them. */
static const char *
id_of(const struct collection_conf *col, const json *answer)
{
	if (col->id != NULL)
		return col->id;
	for (const json *x = json_first(json_get(answer, "collections")); x != NULL; x = json_next(x))
		if (slice_is(json_member(x, "name"), col->name))
			return json_str(json_get(x, "id"));
	return NULL;
}

static const json *
ask_node(const struct args *a, const struct config *conf, struct arena *mem)
{
	json *request = json_object(mem);

	json_put_str(mem, request, "cmd", SLICE_LIT("collections"));
	return file_exists(conf->control) ? cmd_ask(a, request, mem) : NULL;
}

static bool
is_listed(const char *const *list, const char *name)
{
	while (list != NULL && *list != NULL && strcmp(*list, name) != 0)
		list++;
	return list != NULL && *list != NULL;
}

/* May it read the collection: by its section, else by the options, else all that are shown. */
static bool
may_read(const struct args *a, const struct made *m, const struct collection_conf *col)
{
	const char *value;
	size_t at = 0;
	bool any = false, yes = false;

	if (m->peer != NULL)
		return is_listed(m->peer->reads, col->name) ||
		    (!col->hidden && is_listed(m->peer->reads, "*"));
	while ((value = args_each(a, "read", &at)) != NULL) {
		any = true;
		yes = yes || strcmp(value, col->name) == 0 ||
		    (strcmp(value, "*") == 0 && !col->hidden);
	}
	return any ? yes : !col->hidden;
}

/* What the consumer may read; c->chosen is the one of --collection, or the only one. -1 after a message. */
static int
find_collections(const struct args *a, const struct made *m, struct card *c, struct arena *mem)
{
	struct card_collection *v = arena_alloc(mem, (m->conf->ncollections + 1) * sizeof(*v));
	const char *wanted = args_get(a, "collection");
	const json *answer = ask_node(a, m->conf, mem);

	for (size_t i = 0; i < m->conf->ncollections; i++) {
		const struct collection_conf *col = &m->conf->collections[i];

		if (!may_read(a, m, col))
			continue;
		v[c->ncollections] = (struct card_collection){ col->name,
		    col->title == NULL ? col->name : col->title, id_of(col, answer), col->roots[0] };
		if (wanted != NULL && col == config_collection(m->conf, slice_of(wanted)))
			c->chosen = &v[c->ncollections];
		c->ncollections++;
	}
	c->collections = v;
	if (wanted != NULL && c->chosen == NULL)
		return cmd_complain("there is no collection '%s' that %s may read", wanted, m->name);
	if (wanted == NULL && c->ncollections == 1)
		c->chosen = v;
	return 0;
}

/* NULL if no product is named; -1 after a message. */
static int
make_card(const struct args *a, struct made *m, struct card *c, struct arena *mem)
{
	const char *name = args_get(a, "for");
	struct strbuf all = STRBUF_INIT;

	*c = (struct card){ .conf = m->conf, .peer = m->peer, .name = m->name };
	if (name == NULL)
		return args_get(a, "collection") == NULL ? 0 :
		    cmd_complain("--collection is for the card of a product: say --for as well");
	c->product = product_find(name);
	if (c->product == NULL) {
		for (const struct product *p = products; p->name != NULL; p++)
			strbuf_addf(&all, "%s%s", p == products ? "" : ", ", p->name);
		cmd_complain("'%s' is no product we know: %s", name, all.p);
		strbuf_fini(&all);
		return -1;
	}
	m->card = c;
	return find_collections(a, m, c, mem);
}

/* ---- secrets ---- */

enum { PASSWORD_BYTES = 18 };

/* A password for a product that takes nothing else. */
static int
make_password(struct made *m, struct arena *mem, struct err *e)
{
	uint8_t secret[PASSWORD_BYTES];
	struct strbuf text = STRBUF_INIT;

	random_bytes(secret, sizeof(secret));
	base64url_add(&text, secret, sizeof(secret));
	m->password = arena_str(mem, strbuf_slice(&text));
	secret_wipe(secret, sizeof(secret));
	secret_wipe(text.p, text.cap);
	strbuf_fini(&text);
	return credentials_add_password(m->conf->credentials_file, m->name, slice_of(m->password), e);
}

static int
make_secret(const struct args *a, struct made *m, char token[64], struct arena *mem, struct err *e)
{
	if (args_get(a, "keep") != NULL)
		return 0;
	if (args_get(a, "password") != NULL)
		return add_password(m, e);
	if (m->card != NULL && m->card->product->password && args_get(a, "token") == NULL)
		return make_password(m, mem, e);
	m->token = token;
	return credentials_add_token(m->conf->credentials_file, m->name, args_get(a, "until"), token,
	    e);
}

static int
add(const struct args *a, const struct config *conf, struct complaints *c)
{
	struct made m = { .conf = conf, .name = a->v[0] };
	struct trust *trust = trust_load(conf->trust_file, c);
	struct arena *mem = arena_new();
	struct err e = ERR_INIT;
	char token[64] = "";
	struct card card;
	int status = CMD_FAILED, rc;

	if (trust != NULL)
		m.peer = trust_find(trust, slice_of(m.name));
	if (trust == NULL) {
		cmd_complaints(c);
	} else if (check_options(a, conf) == 0 && make_card(a, &m, &card, mem) == 0) {
		rc = make_secret(a, &m, token, mem, &e);
		card.token = m.token;
		card.password = m.password;
		card.typed = args_get(a, "password") != NULL;
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
	{ "for", 'f', "PRODUCT", "print what to type into sentinel, splunk-es, elastic, qradar, opencti, "
	    "misp, xsoar, wazuh, graylog or generic" },
	{ "collection", 0, "NAME", "the collection that the card is about" },
	{ "token", 't', NULL, "make a token even for a product that asks for a password" },
	{ "keep", 'k', NULL, "make no secret: print the card for the one there is" },
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
	"one is printed to be pasted. With --for the fields of the product's form are printed with what "
	"belongs into each, the lines that its section needs, what it is known for, and a curl line that "
	"proves that it works; a product that can but log in with a password gets one.",
	options, run
};
