/* config_types.c -- the types of value in tocsin.conf that hold numbers, words and names: how each is
 * read and written. Sets are in config_sets.c. Part of config.h; shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "formats/format.h"

enum { NAME_LEN_MAX = 63, TEXT_LEN_MAX = 1024, FORMATS_SHOWN = 16 };

/* ---- helpers ---- */

static int
refuse(const struct config_value *v, const char *why)
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
		return refuse(v, "is no name: up to 63 letters, digits, and . _ - after the first");
	/* A name may stand where an id may: it must not look like one. */
	if (uuid_is_valid(v->words[0]))
		return refuse(v, "is no name: it looks like a UUID");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_text(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (v->words[0].n > TEXT_LEN_MAX)
		return refuse(v, "is longer than 1024 bytes");
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
		return refuse(v, "is no path");
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
		return refuse(v, "is no address: write 192.0.2.1:8443, [2001:db8::1]:8443, or "
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
		return refuse(v, "is no loopback address, and nobody is authenticated there");
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
		return refuse(v, "is no base URL: write https://taxii.example:8443");
	set_text(at, arena_str(v->mem, w));
	return 0;
}

static int
read_host(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!is_of(v->words[0], ".-") || v->words[0].n > 253)
		return refuse(v, "is no domain name");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_mail(const struct config_value *v, const struct config_key *k, void *at)
{
	struct slice domain = v->words[0], local = slice_cut(&domain, '@');

	(void)k;
	if (!is_of(local, ".-_+=") || !is_of(domain, ".-"))
		return refuse(v, "is no mail address");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_uuid(const struct config_value *v, const struct config_key *k, void *at)
{
	char *text;

	(void)k;
	if (!uuid_is_valid(v->words[0]) || v->words[0].p[14] != '4')
		return refuse(v, "is no UUIDv4");
	text = arena_str(v->mem, v->words[0]);
	for (char *c = text; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c + 32) : *c;
	set_text(at, text);
	return 0;
}

static int
read_segment(const struct config_value *v, const struct config_key *k, void *at)
{
	static const char *const taken[] = { "taxii2", "feeds", "audit", "supervise", NULL };

	(void)k;
	if (!is_of(v->words[0], "-_.") || v->words[0].n > NAME_LEN_MAX || v->words[0].p[0] == '.')
		return refuse(v, "is no path segment: letters, digits, - _ and . only");
	for (size_t i = 0; taken[i] != NULL; i++)
		if (slice_is(v->words[0], taken[i]))
			return refuse(v, "is a path with a meaning of its own");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

static int
read_format(const struct config_value *v, const struct config_key *k, void *at)
{
	const char *names[FORMATS_SHOWN + 1] = { NULL };

	(void)k;
	for (size_t i = 0; formats[i] != NULL && i < FORMATS_SHOWN; i++) {
		names[i] = formats[i]->name;
		if (slice_is(v->words[0], names[i])) {
			set_text(at, names[i]);
			return 0;
		}
	}
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
			return refuse(v, "names no socket");
		set_text(at, path.p[0] == '/' || v->folder[0] == '\0' ? arena_str(v->mem, w) :
		    arena_fmt(v->mem, "unix:%s/%s", v->folder, path.p));
		return 0;
	}
	rest = w;
	slice_cut(&rest, ':');
	if (!(slice_starts(w, "redis://") || slice_starts(w, "rediss://")) || !slice_starts(rest, "//") ||
	    !is_of(slice_from(rest.p + 2, rest.n - 2), ".-:[]"))
		return refuse(v, "is no Redis: write unix:/path, redis://host:port or rediss://host:port");
	set_text(at, arena_str(v->mem, w));
	return 0;
}

static int
read_prefix(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	if (!is_of(v->words[0], ":-_.") || v->words[0].n > NAME_LEN_MAX)
		return refuse(v, "is no prefix: letters, digits and : - _ . only");
	set_text(at, arena_str(v->mem, v->words[0]));
	return 0;
}

/* ---- choices ---- */

static int
read_yes_no(const struct config_value *v, const struct config_key *k, void *at)
{
	(void)k;
	return word_bool(v->words[0], at) ? 0 : refuse(v, "is neither yes nor no");
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

/* ---- numbers ---- */

/* Store a number in a field of 4 or 8 bytes. */
static void
set_number(const struct config_key *k, void *at, int64_t n)
{
	if (k->size == sizeof(uint32_t))
		*(uint32_t *)at = (uint32_t)n;
	else
		*(int64_t *)at = n;
}

static int64_t
get_number(const struct config_key *k, const void *at)
{
	return k->size == sizeof(uint32_t) ? (int64_t)*(const uint32_t *)at : *(const int64_t *)at;
}

static int
in_range(const struct config_value *v, const struct config_key *k, void *at, int64_t n)
{
	struct strbuf range = STRBUF_INIT;
	int rc = 0;

	if (n < k->min || n > k->max) {
		k->type->bound(&range, k->min);
		strbuf_adds(&range, " to ");
		k->type->bound(&range, k->max);
		rc = complain(v->c, v->line, "%s: %.*s is out of range: %s", v->what,
		    SLICE_ARG(v->words[0]), range.p);
	} else {
		set_number(k, at, n);
	}
	strbuf_fini(&range);
	return rc;
}

static int
read_count(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_int(v->words[0], 0, INT64_MAX, &n))
		return refuse(v, "is no number");
	return in_range(v, k, at, n);
}

static void
bound_count(struct strbuf *out, int64_t n)
{
	strbuf_addf(out, "%lld", (long long)n);
}

static void
write_count(struct strbuf *out, const struct config_key *k, const void *at)
{
	bound_count(out, get_number(k, at));
}

static int
read_bytes(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_bytes(v->words[0], &n))
		return refuse(v, "is no size: write 4096, 64k, 10m or 2g");
	return in_range(v, k, at, n);
}

/* A unit and its worth, largest first. */
struct unit {
	int64_t		 worth;
	const char	*name;
};

/* The shortest form of a number with a unit that divides it. */
static void
add_unit(struct strbuf *out, int64_t n, const struct unit *units)
{
	while (units->worth > 1 && (n == 0 || n % units->worth != 0))
		units++;
	strbuf_addf(out, "%lld%s", (long long)(n / units->worth), units->name);
}

static void
bound_bytes(struct strbuf *out, int64_t n)
{
	static const struct unit units[] = {
		{ 1 << 30, "g" }, { 1 << 20, "m" }, { 1 << 10, "k" }, { 1, "" }
	};

	add_unit(out, n, units);
}

static void
write_bytes(struct strbuf *out, const struct config_key *k, const void *at)
{
	bound_bytes(out, get_number(k, at));
}

static int
read_span(const struct config_value *v, const struct config_key *k, void *at)
{
	int64_t n;

	if (!word_span_us(v->words[0], &n))
		return refuse(v, "is no time span: write 200ms, 15s, 5m, 24h or 90d");
	return in_range(v, k, at, n);
}

static void
bound_span(struct strbuf *out, int64_t n)
{
	static const struct unit units[] = {
		{ 86400 * INT64_C(1000), "d" }, { 3600 * INT64_C(1000), "h" },
		{ 60 * INT64_C(1000), "m" }, { 1000, "s" }, { 1, "ms" }
	};

	if (n == 0)
		strbuf_adds(out, "0s");
	else
		add_unit(out, n / 1000, units);
}

static void
write_span(struct strbuf *out, const struct config_key *k, const void *at)
{
	(void)k;
	bound_span(out, *(const int64_t *)at);
}

static int
read_limit(const struct config_value *v, const struct config_key *k, void *at)
{
	struct limit *limit = at;
	int64_t burst = 1;

	(void)k;
	if (v->nwords == 1 && slice_is(v->words[0], "none")) {
		*limit = (struct limit){ 0, 0 };
		return 0;
	}
	if (!word_rate(v->words[0], &limit->per_second))
		return refuse(v, "is no rate: write 600/min, 10/s or 5/h, or none");
	if (v->nwords != 1 && (v->nwords != 3 || !slice_is(v->words[1], "burst") ||
	    !word_int(v->words[2], 1, 1000000000, &burst)))
		return refuse(v, "may be followed by `burst N` only");
	limit->burst = (uint32_t)burst;
	return 0;
}

static void
write_limit(struct strbuf *out, const struct config_key *k, const void *at)
{
	const struct limit *limit = at;
	double n = limit->per_second;
	const char *unit = "s";

	(void)k;
	if (n == 0) {
		strbuf_adds(out, "none");
		return;
	}
	if (n * 60 < 0.999) {
		n *= 3600;
		unit = "h";
	} else if (n != (double)(int64_t)n) {
		n *= 60;
		unit = "min";
	}
	strbuf_addf(out, "%.0f/%s burst %u", n, unit, limit->burst);
}

/* ---- the rows ---- */

const struct config_type config_name = { "name", "letters, digits, `.` `_` `-`",
	false, read_name, write_text, NULL };
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
const struct config_type config_format = { "format", "as `tocsin convert` names them",
	false, read_format, write_text, NULL };
const struct config_type config_redis_url = { "url", "unix:, redis: or rediss:",
	false, read_redis_url, write_text, NULL };
const struct config_type config_prefix = { "prefix", "letters, digits, `:` `-` `_` `.`",
	false, read_prefix, write_text, NULL };
const struct config_type config_yes_no = { "yes|no", "`yes` or `no`",
	false, read_yes_no, write_yes_no, NULL };
const struct config_type config_choice = { "choice", "one of the words",
	false, read_choice, write_choice, NULL };
const struct config_type config_flip = { "choice", "one of the words",
	false, read_flip, write_flip, NULL };
const struct config_type config_level = { "level", "a level",
	false, read_level, write_level, NULL };
const struct config_type config_count = { "number", "digits",
	false, read_count, write_count, bound_count };
const struct config_type config_bytes = { "size", "bytes, or with `k` `m` `g`",
	false, read_bytes, write_bytes, bound_bytes };
const struct config_type config_span = { "span", "`200ms` `15s` `5m` `24h` `90d`",
	false, read_span, write_span, bound_span };
const struct config_type config_limit = { "rate", "`600/min burst 200`, also `/s` and `/h`; `none`",
	true, read_limit, write_limit, NULL };
