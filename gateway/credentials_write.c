/* credentials_write.c -- commands add lines to the file of secrets, durably. Part of credentials.h. */
#include "gateway/credentials_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { TOKEN_BYTES = 32 };

/* Hold the folder of the file, so that two commands do not write at once; -1 and *e. */
static int
lock_folder(const char *path, struct err *e)
{
	struct slice name = file_folder(path);
	char *folder = xstrndup(name.p, name.n);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		err_set(e, ERR_IO, "%s: %s", folder, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(folder);
	return fd;
}

/* Copy the lines of `text` but those that are `skip` NAME; how many those were. */
static size_t
copy_without(struct strbuf *out, struct slice text, const char *skip, const char *name)
{
	size_t skipped = 0;

	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), rest = slice_trim(line), word[2];

		for (int i = 0; i < 2; i++) {
			size_t n = 0;

			while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t')
				n++;
			word[i] = slice_from(rest.p, n);
			rest = slice_trim(slice_from(rest.p + n, rest.n - n));
		}
		if (skip != NULL && slice_is(word[0], skip) && slice_is(word[1], name)) {
			skipped++;
			continue;
		}
		strbuf_addsl(out, line);
		strbuf_addc(out, '\n');
	}
	return skipped;
}

/* Check that the file can be read as it is: a broken one is not touched. */
static int
check_text(const char *path, struct slice text, struct err *e)
{
	struct complaints c = { .mem = arena_new() };
	struct credentials *cr = credentials_parse(text, path, &c);
	int rc = 0;

	if (cr == NULL)
		rc = err_set(e, ERR_CONFIG, "%s", c.n > 0 ? c.text[0] : "cannot be read");
	credentials_free(cr);
	arena_free(c.mem);
	return rc;
}

static void
wipe(struct strbuf *b)
{
	secret_wipe(b->p, b->cap);
	strbuf_fini(b);
}

/* Lines `replace` NAME go (how many: into *gone unless NULL), and `line` comes behind the others. */
static int
change(const char *path, const char *name, const char *replace, const char *line, size_t *gone,
    struct err *e)
{
	struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
	int rc = -1, lock = lock_folder(path, e);
	size_t n;

	if (lock < 0)
		return -1;
	if (file_exists(path) && file_read(path, CREDENTIALS_FILE_MAX, &text, e) < 0)
		goto done;
	if (check_text(path, strbuf_slice(&text), e) < 0)
		goto done;
	n = copy_without(&out, strbuf_slice(&text), replace, name);
	if (gone != NULL)
		*gone = n;
	strbuf_adds(&out, line);
	rc = n == 0 && line[0] == '\0' ? 0 : file_write(path, strbuf_slice(&out), 0600, e);
done:
	close(lock);
	wipe(&text);
	wipe(&out);
	return rc;
}

static int
check_name(const char *name, struct err *e)
{
	if (credentials_is_name(slice_of(name)))
		return 0;
	return err_set(e, ERR_VALUE, "'%s' is no name: letters, digits, and . _ - after the first", name);
}

int
credentials_add_token(const char *path, const char *name, const char *until, char out[64],
    struct err *e)
{
	uint8_t secret[TOKEN_BYTES];
	struct strbuf token = STRBUF_INIT, line = STRBUF_INIT;
	char hex[2 * SHA256_LEN + 1];
	int64_t end_us;
	int rc;

	if (check_name(name, e) < 0)
		return -1;
	if (until != NULL && !word_date(slice_of(until), &end_us))
		return err_set(e, ERR_VALUE, "'%s' is no date such as 2027-03-31", until);
	random_bytes(secret, sizeof(secret));
	base64url_add(&token, secret, sizeof(secret));
	digest_sha256_hex(strbuf_slice(&token), hex);
	strbuf_addf(&line, "token    %s sha256:%s%s%s\n", name, hex, until == NULL ? "" : " until ",
	    until == NULL ? "" : until);
	rc = change(path, name, NULL, line.p, NULL, e);
	if (rc == 0)
		snprintf(out, 64, "%s", token.p);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(token.p, token.cap);
	strbuf_fini(&token);
	strbuf_fini(&line);
	return rc;
}

int
credentials_add_password(const char *path, const char *name, struct slice password, struct err *e)
{
	char hash[160], line[320];

	if (check_name(name, e) < 0)
		return -1;
	if (!credentials_is_pair(slice_of(name), password))
		return err_set(e, ERR_VALUE, "a password has 1 to %d bytes and no NUL", (int)SECRET_MAX);
	if (password_hash(password, hash, e) < 0)
		return -1;
	snprintf(line, sizeof(line), "password %s %s\n", name, hash);
	return change(path, name, "password", line, NULL, e);
}

int
credentials_remove_secrets(const char *path, const char *name, size_t *gone, struct err *e)
{
	size_t tokens = 0, passwords = 0;

	if (check_name(name, e) < 0 || change(path, name, "token", "", &tokens, e) < 0 ||
	    change(path, name, "password", "", &passwords, e) < 0)
		return -1;
	*gone = tokens + passwords;
	return 0;
}

/* ---- logins with others ---- */

/* A word in quotes, as lines.h reads it back. */
static void
add_quoted(struct strbuf *out, const char *text)
{
	strbuf_adds(out, " \"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
}

/* `word` NAME and what the login says; the old line goes. */
static int
set_login(const char *path, const char *word, const char *name, const struct credentials_login *login,
    struct err *e)
{
	struct strbuf line = STRBUF_INIT;
	int rc = -1;

	if (check_name(name, e) < 0 || credentials_check_login(login, e) < 0)
		return -1;
	/* A buffer that grows would leave pieces of the secret behind. */
	strbuf_reserve(&line, 2 * (strlen(login->secret) + 1024));
	strbuf_addf(&line, "%s %s", word, name);
	if (strcmp(word, "login") == 0)
		strbuf_addf(&line, " %s", credentials_login_word(login));
	if (login->kind == LOGIN_BASIC)
		add_quoted(&line, login->user);
	else if (login->kind == LOGIN_HEADER)
		strbuf_addf(&line, " %s", login->header);
	add_quoted(&line, login->secret);
	strbuf_addc(&line, '\n');
	rc = change(path, name, word, line.p, NULL, e);
	wipe(&line);
	return rc;
}

int
credentials_set_login(const char *path, const char *name, const struct credentials_login *login,
    struct err *e)
{
	return set_login(path, "login", name, login, e);
}

int
credentials_set_proxy_login(const char *path, const char *name, const char *user, const char *secret,
    struct err *e)
{
	const struct credentials_login login = { .kind = LOGIN_BASIC, .user = user, .secret = secret };

	return set_login(path, "proxy-login", name, &login, e);
}

int
credentials_remove_login(const char *path, const char *name, bool proxy, bool *gone, struct err *e)
{
	size_t n = 0;

	if (check_name(name, e) < 0 ||
	    change(path, name, proxy ? "proxy-login" : "login", "", &n, e) < 0)
		return -1;
	*gone = n > 0;
	return 0;
}
