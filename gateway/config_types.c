/* config_types.c -- the types of value in tocsin.conf that hold one word: how each is read and
 * written. Numbers are in config_numbers.c, sets in config_sets.c. Part of config.h; shapes:
 * config_parts.h. */
#include "gateway/config_parts.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "formats/format.h"

enum { NAME_LEN_MAX = 63, TEXT_LEN_MAX = 1024 };

/* ---- helpers ---- */

int
config_refuse(const struct config_value *v, const char *why)
{
	return complain(v->c, v->line, "%s: '%.*s' %s", v->what, SLICE_ARG(v->words[0]), why);
}

static void
set_text(void *at, const char *text)
{
	*(const char **)at = text;
}

/* Write a word, in quotes where the grammar needs them. */
static void
write_word(struct strbuf *out, const char *s)
{
	bool bare = s[0] != '\0' && s[0] != '#' && strpbrk(s, " \t\"") == NULL;

	if (bare) {
		strbuf_adds(out, s);
		return;
	}
	strbuf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *s);
	}
	strbuf_addc(out, '"');
}

static void
write_text(struct strbuf *out, const struct config_key *k, const void *at)
{
	const char *s = *(const char *const *)at;

	(void)k;
	if (s != NULL)
		write_word(out, s);
}

/* Letters, digits, and after the first also . _ and -. */
static bool
is_name(struct slice s)
{
	if (s.n == 0 || s.n > NAME_LEN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9');

		if (!letter && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

/* ---- words ---- */

static int
read_name(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!is_name(v->words[0]))
		return config_refuse(v, "is no name: up to 63 letters, digits, and . _ - after the first");
	/* A name may stand where an id may: it must not look like one. */
	if (uuid_is_valid(v->words[0]))
		return config_refuse(v, "is no name: it looks like a UUID");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

/* A mapping is named by its name and known by its path (config.c). */
static void
write_mapping(struct strbuf *out, const struct config_key *k, const void *at)
{
	const char *path = *(const char *const *)at, *slash;

	(void)k;
	if (path == NULL)
		return;
	slash = strrchr(path, '/');
	if (slash != NULL)
		path = slash + 1;
	strbuf_adds(out, path);
	if (slice_ends(slice_of(path), ".map"))
		strbuf_setlen(out, out->n - 4);
}

static int
read_text(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (v->words[0].n > TEXT_LEN_MAX)
		return config_refuse(v, "is longer than 1024 bytes");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_path(const struct config_value *v, const struct config_key *k, void *at)
{
	struct slice w = v->words[0];
	const char *s;

	(void)k;
	if (w.n == 0)
		return config_refuse(v, "is no path");
	if (v->line == NULL && slice_starts(w, "STATE/"))
		s = arena_fmt(v->mem, "%s%s", v->state, w.p + 5);
	else if (w.p[0] == '/' || v->folder[0] == '\0')
		s = arena_str(v->mem, w);
	else
		s = arena_fmt(v->mem, "%s/%s", v->folder, w.p);
	set_text(at, s);
	return 0;
}

static int
read_path_or_memory(const struct config_value *v, const struct config_key *k, void *at)
{
	if (!slice_is(v->words[0], "memory"))
		return read_path(v, k, at);
	set_text(at, "memory");
	return 0;
}

bool
config_address_split(struct slice text, uint8_t ip[16], int *family, unsigned *port)
{
	bool brackets = slice_starts(text, "[");
	struct slice host, digits;
	unsigned long long number;
	int prefix;

	if (brackets) {
		text = slice_from(text.p + 1, text.n - 1);
		host = slice_cut(&text, ']');
		if (!slice_starts(text, ":"))
			return false;
		digits = slice_from(text.p + 1, text.n - 1);
	} else {
		digits = text;
		host = slice_cut(&digits, ':');
	}
	if (memchr(host.p, '/', host.n) != NULL || !word_cidr(host, family, ip, &prefix) ||
	    !slice_u64(digits, &number) || number > 65535)
		return false;
	*port = (unsigned)number;
	return (*family == 6) == brackets;
}

bool
config_address_is_loopback(const char *text)
{
	static const uint8_t v6[16] = { [15] = 1 };
	uint8_t ip[16];
	unsigned port;
	int family;

	if (!config_address_split(slice_of(text), ip, &family, &port))
		return false;
	return family == 4 ? ip[0] == 127 : memcmp(ip, v6, sizeof(v6)) == 0;
}

static int
read_address(const struct config_value *v, const struct config_key *k, void *at)
{
	uint8_t ip[16];
	unsigned port;
	int family;

	(void)k;
	if (!config_address_split(v->words[0], ip, &family, &port))
		return config_refuse(v, "is no address: write 192.0.2.1:8443, [2001:db8::1]:8443, or "
		    "0.0.0.0:8443 for all");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_address_or_off(const struct config_value *v, const struct config_key *k, void *at)
{
	if (slice_is(v->words[0], "off")) {
		set_text(at, NULL);
		return 0;
	}
	if (read_address(v, k, at) < 0)
		return -1;
	/* Nobody is asked who he is there. */
	if (!config_address_is_loopback(*(const char **)at))
		return config_refuse(v, "is no loopback address, and nobody is authenticated there");
	return 0;
}

static void
write_address_or_off(struct strbuf *out, const struct config_key *k, const void *at)
{
	if (*(const char *const *)at == NULL)
		strbuf_adds(out, "off");
	else
		write_text(out, k, at);
}

/* Only what may stand in a host name or an authority. */
static bool
is_of(struct slice s, const char *also)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr(also, c) != NULL) || c == '\0')
			return false;
	}
	return s.n > 0;
}

static int
read_base_url(const struct config_value *v, const struct config_key *k, void *at)
{
	static const char scheme[] = "https://";
	struct slice w = v->words[0];

	(void)k;
	if (slice_ends(w, "/"))
		w.n--;
	if (!slice_starts(w, scheme) ||
	    !is_of(slice_from(w.p + sizeof(scheme) - 1, w.n - (sizeof(scheme) - 1)), ".-:[]"))
		return config_refuse(v, "is no base URL: write https://taxii.example:8443");
	set_text(at, arena_str(v->mem, w));
	return 0;
}

static int
read_host(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!is_of(v->words[0], ".-") || v->words[0].n > 253)
		return config_refuse(v, "is no domain name");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_mail(const struct config_value *v, const struct config_key *k, void *at)
{
	struct slice domain = v->words[0], local = slice_cut(&domain, '@');

	(void)k;
	if (!is_of(local, ".-_+=") || !is_of(domain, ".-"))
		return config_refuse(v, "is no mail address");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_uuid(const struct config_value *v, const struct config_key *k, void *at)
{
	char *text;

	(void)k;
	if (!uuid_is_valid(v->words[0]) || v->words[0].p[14] != '4')
		return config_refuse(v, "is no UUIDv4");
	text = arena_str(v->mem, v->words[0]);
	for (char *c = text; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c + 32) : *c;
	set_text(at, text);
	return 0;
}

static int
read_segment(const struct config_value *v, const struct config_key *k, void *at)
{
	static const char *const taken[] = { "taxii", "taxii2", "taxii11", "feeds", "audit", "supervise",
	    NULL };

	(void)k;
	if (!is_of(v->words[0], "-_.") || v->words[0].n > NAME_LEN_MAX || v->words[0].p[0] == '.')
		return config_refuse(v, "is no path segment: letters, digits, - _ and . only");
	for (size_t i = 0; taken[i] != NULL; i++)
		if (slice_is(v->words[0], taken[i]))
			return config_refuse(v, "is a path with a meaning of its own");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

/* A header that means nothing else yet. */
static int
read_header(const struct config_value *v, const struct config_key *k, void *at)
{
	static const char *const taken[] = { "accept", "authorization", "connection", "cookie",
	    "date", "expect", "host", "range", "te", "trailer", "transfer-encoding", "upgrade", NULL };
	struct slice w = v->words[0];

	(void)k;
	if (!is_of(w, "-_") || w.n > NAME_LEN_MAX)
		return config_refuse(v, "is no header name: letters, digits, - and _ only");
	for (size_t i = 0; taken[i] != NULL; i++)
		if (slice_is_nocase(w, taken[i]))
			return config_refuse(v, "has a meaning of its own in HTTP");
	if (w.n > 8 && slice_is_nocase(slice_from(w.p, 8), "content-"))
		return config_refuse(v, "has a meaning of its own in HTTP");
	set_text(at, arena_str(v->mem, w));
	return 0;
}

static int
read_format(const struct config_value *v, const struct config_key *k, void *at)
{
	const struct format_ops *f = format_find(v->words[0]);
	const char *names[FORMATS_MAX];

	(void)k;
	if (f != NULL) {
		set_text(at, f->name);
		return 0;
	}
	formats_list(names);
	return complain_unknown(v->c, v->line, "format", v->words[0], names);
}

static int
read_redis_url(const struct config_value *v, const struct config_key *k, void *at)
{
	struct slice w = v->words[0], rest;

	(void)k;
	if (memchr(w.p, '@', w.n) != NULL)
		return complain(v->c, v->line, "redis: the URL holds no secrets; use `user` and "
		    "`password-file`");
	if (slice_starts(w, "unix:")) {
		struct slice path = slice_from(w.p + 5, w.n - 5);

		if (path.n == 0)
			return config_refuse(v, "names no socket");
		set_text(at, path.p[0] == '/' || v->folder[0] == '\0' ? arena_str(v->mem, w) :
		    arena_fmt(v->mem, "unix:%s/%s", v->folder, path.p));
		return 0;
	}
	rest = w;
	slice_cut(&rest, ':');
	if (!(slice_starts(w, "redis://") || slice_starts(w, "rediss://")) ||
	    !slice_starts(rest, "//") ||
	    !is_of(slice_from(rest.p + 2, rest.n - 2), ".-:[]"))
		return config_refuse(v, "is no Redis: write unix:/path, redis://host:port or "
		    "rediss://host:port");
	set_text(at, arena_str(v->mem, w));
	return 0;
}

static int
read_prefix(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!is_of(v->words[0], ":-_.") || v->words[0].n > NAME_LEN_MAX)
		return config_refuse(v, "is no prefix: letters, digits and : - _ . only");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

/* ---- choices ---- */

static int
read_yes_no(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return word_bool(v->words[0], at) ? 0 : config_refuse(v, "is neither yes nor no");
}

static void
write_yes_no(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	strbuf_adds(out, *(const bool *)at ? "yes" : "no");
}

/* The position of the word among the choices; -1 with a complaint. */
static int
choose(const struct config_value *v, const struct config_key *k)
{
	for (int i = 0; k->words[i] != NULL; i++)
		if (slice_is(v->words[0], k->words[i]))
			return i;
	return complain_unknown(v->c, v->line, v->what, v->words[0], k->words);
}

static int
read_choice(const struct config_value *v, const struct config_key *k, void *at)
{
	int i = choose(v, k);

	if (i >= 0)
		*(int *)at = i;
	return i < 0 ? -1 : 0;
}

static void
write_choice(struct strbuf *out, const struct config_key *k, const void *at)
{
	strbuf_adds(out, k->words[*(const int *)at]);
}

static int
read_flip(const struct config_value *v, const struct config_key *k, void *at)
{
	int i = choose(v, k);

	if (i >= 0)
		*(bool *)at = i == 1;
	return i < 0 ? -1 : 0;
}

static void
write_flip(struct strbuf *out, const struct config_key *k, const void *at)
{
	strbuf_adds(out, k->words[*(const bool *)at]);
}

static const char *const level_words[] = { "debug", "info", "warn", "error", "off", NULL };

static int
read_level(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (log_level_parse(v->words[0], at))
		return 0;
	return complain_unknown(v->c, v->line, "log level", v->words[0], level_words);
}

static void
write_level(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	strbuf_adds(out, level_words[*(const enum log_level *)at]);
}

/* A moment, as RFC 3339 writes it in UTC. */
static int
read_time(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!stamp_parse(v->words[0], NULL))
		return config_refuse(v, "is no time such as 2026-03-31T00:00:00Z");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

/* ---- the rows ---- */

const struct config_type config_name = { "name", "letters, digits, `.` `_` `-`",
	false, read_name, write_text, NULL };
const struct config_type config_mapping = { "name", "the name of a mapping",
	false, read_name, write_mapping, NULL };
const struct config_type config_text = { "text", "a word, or words in quotes",
	false, read_text, write_text, NULL };
const struct config_type config_path = { "path", "relative to the folder of tocsin.conf",
	false, read_path, write_text, NULL };
const struct config_type config_path_or_memory = { "path", "a path, or `memory`",
	false, read_path_or_memory, write_text, NULL };
const struct config_type config_address = { "address", "`192.0.2.1:8443`, `[2001:db8::1]:8443`",
	false, read_address, write_text, NULL };
const struct config_type config_address_or_off = { "address", "as above, or `off`",
	false, read_address_or_off, write_address_or_off, NULL };
const struct config_type config_base_url = { "url", "`https://host:port`",
	false, read_base_url, write_text, NULL };
const struct config_type config_host = { "domain", "a domain name",
	false, read_host, write_text, NULL };
const struct config_type config_mail = { "mail", "a mail address",
	false, read_mail, write_text, NULL };
const struct config_type config_uuid = { "uuid", "a UUIDv4",
	false, read_uuid, write_text, NULL };
const struct config_type config_segment = { "segment", "one path segment",
	false, read_segment, write_text, NULL };
const struct config_type config_header = { "header", "the name of a header",
	false, read_header, write_text, NULL };
const struct config_type config_format = { "format", "as `tocsin convert` names them",
	false, read_format, write_text, NULL };
const struct config_type config_redis_url = { "redis url",
	"`unix:/path`, `redis://host:port`, `rediss://host:port`",
	false, read_redis_url, write_text, NULL };
const struct config_type config_prefix = { "prefix", "letters, digits, `:` `-` `_` `.`",
	false, read_prefix, write_text, NULL };
const struct config_type config_yes_no = { "yes or no", "`yes` or `no`",
	false, read_yes_no, write_yes_no, NULL };
const struct config_type config_choice = { "choice", "one of the words",
	false, read_choice, write_choice, NULL };
const struct config_type config_flip = { "choice", "one of the words",
	false, read_flip, write_flip, NULL };
const struct config_type config_level = { "level", "a level",
	false, read_level, write_level, NULL };
const struct config_type config_time = { "time", "`2026-03-31T00:00:00Z`",
	false, read_time, write_text, NULL };
