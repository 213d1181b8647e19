/* cmd_peer_login.c -- `tocsin peer login`: what we show to a peer's server, or to the proxy before it. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/config.h"
#include "gateway/credentials.h"

/* What is to be done, from the options. */
struct wish {
	const char		*peer, *path;
	const char		*proxy_user;	/* NULL: not about the proxy */
	bool			 remove;
	struct credentials_login login;
};

/* Exactly one of the ways, or --remove alone or with --proxy. */
static int
read_wish(const struct args *a, struct wish *w)
{
	const char *basic = args_get(a, "basic"), *header = args_get(a, "header");
	bool bearer = args_get(a, "bearer") != NULL;
	int ways = (basic != NULL) + (header != NULL) + bearer;

	w->proxy_user = args_get(a, "proxy");
	w->remove = args_get(a, "remove") != NULL;
	ways += w->proxy_user != NULL;
	if (w->remove && ways > (w->proxy_user != NULL))
		return cmd_complain("--remove takes out what there is; only --proxy may stand beside it");
	if (!w->remove && ways != 1)
		return cmd_complain("say one of --basic USER, --bearer, --header NAME, --proxy USER, or "
		    "--remove");
	w->login.user = basic;
	w->login.header = header;
	if (basic != NULL)
		w->login.kind = LOGIN_BASIC;
	else if (header != NULL)
		w->login.kind = LOGIN_HEADER;
	else if (bearer)
		w->login.kind = LOGIN_BEARER;
	return 0;
}

static int
store(struct wish *w, struct err *e)
{
	static const char *const what[] = { [LOGIN_NONE] = "password", [LOGIN_BASIC] = "password",
	    [LOGIN_BEARER] = "token", [LOGIN_HEADER] = "value" };
	char secret[CMD_SECRET_MAX + 2];
	int rc = cmd_read_secret(what[w->login.kind], false, secret);

	w->login.secret = secret;
	if (rc == 0 && w->proxy_user != NULL)
		rc = credentials_set_proxy_login(w->path, w->peer, w->proxy_user, secret, e);
	else if (rc == 0)
		rc = credentials_set_login(w->path, w->peer, &w->login, e);
	secret_wipe(secret, sizeof(secret));
	w->login.secret = NULL;
	return rc;
}

static void
print_done(const struct args *a, const struct wish *w, bool gone)
{
	const char *what = w->proxy_user != NULL ? "proxy login" : "login";
	struct arena *mem = arena_new();
	struct strbuf out = STRBUF_INIT;
	json *o = json_object(mem);

	if (args_get(a, "json") != NULL) {
		json_put_str(mem, o, "peer", slice_of(w->peer));
		json_put_bool(mem, o, "proxy", w->proxy_user != NULL);
		json_put_str(mem, o, "login", slice_of(w->proxy_user != NULL && !w->remove ? "basic" :
		    credentials_login_word(&w->login)));
		json_put_bool(mem, o, "changed", gone);
		json_print(&out, o);
		puts(out.p);
	} else if (w->remove && !gone) {
		printf("There was no %s for %s.\n", what, w->peer);
	} else {
		printf("The %s for %s is %s. A running node learns of it by `tocsin reload`; `tocsin peer "
		    "doctor %s` tries it.\n", what, w->peer, w->remove ? "gone" : "set", w->peer);
	}
	strbuf_fini(&out);
	arena_free(mem);
}

static int
login(const struct args *a, struct wish *w)
{
	struct err e = ERR_INIT;
	bool changed = true;
	int rc;

	if (w->remove)
		rc = credentials_remove_login(w->path, w->peer, w->proxy_user != NULL, &changed, &e);
	else
		rc = store(w, &e);
	if (rc == 0)
		print_done(a, w, changed);
	else if (e.code != ERR_NONE)
		cmd_fail_err(&e);
	return rc < 0 ? CMD_FAILED : changed ? CMD_DONE : CMD_NO;
}

/* A login belongs to somebody whom we call. */
static int
check_peer(const struct trust *t, const struct wish *w)
{
	const struct peer *p = trust_find(t, slice_of(w->peer));

	if (p == NULL && !w->remove)
		return cmd_complain("trust.conf has no peer '%s'; `tocsin peer list` shows them", w->peer);
	if (p != NULL && p->is_consumer)
		return cmd_complain("'%s' is a consumer: it comes to us, and its secret is made by "
		    "`tocsin consumer add`", w->peer);
	return 0;
}

static int
run(const struct args *a)
{
	struct complaints c = { .mem = arena_new() };
	struct wish w = { .peer = a->v[0] };
	struct config *conf = NULL;
	struct trust *trust = NULL;
	int status = CMD_FAILED;

	if (read_wish(a, &w) < 0)
		goto done;
	if ((conf = config_load(cmd_config_path(a), &c)) == NULL ||
	    (trust = trust_load(conf->trust_file, &c)) == NULL) {
		cmd_complaints(&c);
		goto done;
	}
	w.path = conf->credentials_file;
	if (check_peer(trust, &w) == 0)
		status = login(a, &w);
done:
	trust_free(trust);
	config_free(conf);
	arena_free(c.mem);
	return status;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "basic", 0, "USER", "log in with this user name and a password" },
	{ "bearer", 0, NULL, "log in with a token: `Authorization: Bearer TOKEN`" },
	{ "header", 0, "NAME", "log in with a header line of this name, such as X-API-Key" },
	{ "proxy", 0, "USER", "the login is for the proxy on the way to the peer" },
	{ "remove", 0, NULL, "take the login (with --proxy the proxy's) out again" },
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};

const struct command command_peer_login = {
	"peer login", "PEER", 1, 1, "set what we show to a peer's server, or to its proxy",
	"Reads the password, the token or the value from standard input (on a terminal it is asked for "
	"and not shown) and keeps it in the credentials file, which only the node may read. A login may "
	"stand beside our certificate; a new one takes the place of the old.\n"
	"Exit status 1 if there was nothing to remove.",
	options, run
};
