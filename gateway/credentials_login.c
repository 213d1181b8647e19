/* credentials_login.c -- what we show to others: their logins with us are hashes, ours with them must be
 * clear. Part of credentials.h. */
#include "gateway/credentials_parts.h"

#include "gateway/base/codec.h"

enum { USER_MAX = 256, SHOWN_MAX = 4096, HEADER_MAX = 64 };

static const char ways[] = "behind the name stands basic USER PASSWORD, bearer TOKEN, or header NAME VALUE";

/* ---- what may stand there ---- */

/* Text that the file can keep and people can see. */
static bool
is_text(struct slice s)
{
	if (utf8_bad_at(s) < s.n)
		return false;
	while (s.n > 0)
		if (utf8_is_unseen(utf8_next(&s)))
			return false;
	return true;
}

/* Visible ASCII; blanks inside if `blanks`. */
static bool
is_field_value(struct slice s, bool blanks)
{
	if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < (blanks ? ' ' : '!') || s.p[i] > '~')
			return false;
	return true;
}

/* The name of a header line that is not ours to write anyway. */
static bool
is_header_name(struct slice s)
{
	static const char *const taken[] = { "accept", "accept-encoding", "connection", "content-length",
	    "content-type", "expect", "host", "proxy-authorization", "te", "trailer",
	    "transfer-encoding", "upgrade", "user-agent" };
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    memchr(marks, c, sizeof(marks) - 1) != NULL))
			return false;
	}
	for (size_t i = 0; i < COUNTOF(taken); i++)
		if (slice_is_nocase(s, taken[i]))
			return false;
	return s.n > 0 && s.n <= HEADER_MAX;
}

static int
check_basic(const struct credentials_login *login, struct err *e)
{
	struct slice user = slice_of(login->user);

	if (user.n == 0 || user.n > USER_MAX || memchr(user.p, ':', user.n) != NULL || !is_text(user))
		return err_set(e, ERR_VALUE, "a user name has 1 to %d bytes, no colon and no control "
		    "characters", (int)USER_MAX);
	if (!is_text(slice_of(login->secret)))
		return err_set(e, ERR_VALUE, "the password holds control or invisible characters, or is "
		    "not UTF-8");
	return 0;
}

static int
check_header(const struct credentials_login *login, struct err *e)
{
	if (!is_header_name(slice_of(login->header)))
		return err_set(e, ERR_VALUE, "'%.64s' is no name of a header line that a secret could "
		    "stand in", login->header == NULL ? "" : login->header);
	if (!is_field_value(slice_of(login->secret), true))
		return err_set(e, ERR_VALUE, "the value of a header line is visible ASCII");
	return 0;
}

static int
check_bearer(const struct credentials_login *login, struct err *e)
{
	return is_field_value(slice_of(login->secret), false) ? 0 :
	    err_set(e, ERR_VALUE, "a bearer token is visible ASCII without blanks");
}

int
credentials_check_login(const struct credentials_login *login, struct err *e)
{
	static int (*const checks[])(const struct credentials_login *, struct err *) = {
		[LOGIN_BASIC] = check_basic, [LOGIN_BEARER] = check_bearer,
		[LOGIN_HEADER] = check_header,
	};
	size_t n = slice_of(login->secret).n;

	if (n == 0 || n > SHOWN_MAX)
		return err_set(e, ERR_VALUE, "a secret has 1 to %d bytes", (int)SHOWN_MAX);
	return checks[login->kind](login, e);
}

/* ---- reading ---- */

static void
take(struct entry *e, const struct line *l, struct complaints *c)
{
	struct err err = ERR_INIT;

	if (credentials_check_login(&e->login, &err) < 0)
		complain(c, l, "%s: %s", l->words[0].p, err.reason);
}

void
credentials_read_login(struct entry *e, const struct line *l, struct complaints *c)
{
	struct slice way = l->words[2];

	if (slice_is(way, "basic") && l->nwords == 5)
		e->login = (struct credentials_login){ .kind = LOGIN_BASIC, .user = l->words[3].p,
		    .secret = l->words[4].p };
	else if (slice_is(way, "bearer") && l->nwords == 4)
		e->login = (struct credentials_login){ .kind = LOGIN_BEARER, .secret = l->words[3].p };
	else if (slice_is(way, "header") && l->nwords == 5)
		e->login = (struct credentials_login){ .kind = LOGIN_HEADER, .header = l->words[3].p,
		    .secret = l->words[4].p };
	else
		complain(c, l, "login: %s", ways);
	if (e->login.kind != LOGIN_NONE)
		take(e, l, c);
}

void
credentials_read_proxy_login(struct entry *e, const struct line *l, struct complaints *c)
{
	if (l->nwords != 4) {
		complain(c, l, "proxy-login: behind the name stand a user and a password, and no more");
		return;
	}
	e->login = (struct credentials_login){ .kind = LOGIN_BASIC, .user = l->words[2].p,
	    .secret = l->words[3].p };
	take(e, l, c);
}

/* ---- asking ---- */

static bool
find(const struct credentials *cr, enum kind kind, const char *peer, struct credentials_login *out)
{
	*out = (struct credentials_login){ .kind = LOGIN_NONE };
	for (size_t i = 0; cr != NULL && i < cr->n; i++) {
		if (cr->v[i].kind != kind || strcmp(cr->v[i].name, peer) != 0)
			continue;
		*out = cr->v[i].login;
		return true;
	}
	return false;
}

bool
credentials_login(const struct credentials *cr, const char *peer, struct credentials_login *out)
{
	return find(cr, LOGIN, peer, out);
}

bool
credentials_proxy_login(const struct credentials *cr, const char *peer, struct credentials_login *out)
{
	return find(cr, PROXY_LOGIN, peer, out);
}

const char *
credentials_login_word(const struct credentials_login *login)
{
	static const char *const words[] = { [LOGIN_NONE] = "none", [LOGIN_BASIC] = "basic",
	    [LOGIN_BEARER] = "bearer", [LOGIN_HEADER] = "header" };

	return words[login->kind];
}
