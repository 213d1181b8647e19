#include "gateway/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

/* A line stays under PIPE_BUF, so that the kernel never mixes two processes' lines in one pipe. */
enum { VALUE_MAX = 512, LINE_BYTES_MAX = 4096, TAIL_ROOM = 64, LINE_ROOM = 512 };

/* The one log of a process. */
static struct {
	int		fd;
	bool		as_json;
	enum log_level	least;
	uint64_t	lost;		/* lines that the stream did not take and no line told of */
	struct log_figures n;
} out = { .fd = STDERR_FILENO, .least = LOG_INFO };

static const char *const level_words[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error",
	[LOG_OFF] = "off",
};

void
log_setup(int fd, bool as_json, enum log_level least)
{
	out.fd = fd;
	out.as_json = as_json;
	out.least = least;
}

bool
log_level_parse(struct slice word, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(level_words) / sizeof(*level_words); i++) {
		if (slice_is(word, level_words[i])) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Append the escape of one byte; in JSON a backslash before x must be escaped itself. */
static void
add_hex(struct strbuf *b, unsigned char c, bool as_json)
{
	strbuf_addf(b, as_json ? "\\\\x%02X" : "\\x%02X", c);
}

/* Append one ASCII character, escaped when it could end the value or move a terminal's cursor. */
static void
add_ascii(struct strbuf *b, char c, bool as_json)
{
	static const char plain[] = "\n\r\t\"\\", escaped[] = "nrt\"\\";
	const char *at = c == '\0' ? NULL : strchr(plain, c);

	if (at != NULL) {
		strbuf_addc(b, '\\');
		strbuf_addc(b, escaped[at - plain]);
	} else if ((unsigned char)c < 0x20 || c == 0x7f) {
		add_hex(b, (unsigned char)c, as_json);
	} else {
		strbuf_addc(b, c);
	}
}

/* Append a text in quotes; one longer than VALUE_MAX bytes is cut between characters. */
static void
add_quoted(struct strbuf *b, struct slice s, bool as_json)
{
	const char *end = s.p + (s.n > VALUE_MAX ? VALUE_MAX : s.n);
	bool cut = s.n > VALUE_MAX;

	strbuf_addc(b, '"');
	while (s.p < end) {
		size_t n = utf8_len(s);
		struct slice one = slice_from(s.p, n);

		if (n == 0) {
			add_hex(b, (unsigned char)s.p[0], as_json);
			n = 1;
		} else if (n == 1) {
			add_ascii(b, s.p[0], as_json);
		} else if (utf8_is_unseen(utf8_next(&one))) {
			for (size_t i = 0; i < n; i++)
				add_hex(b, (unsigned char)s.p[i], as_json);
		} else {
			strbuf_add(b, s.p, n);
		}
		s = slice_from(s.p + n, s.n - n);
	}
	strbuf_adds(b, cut ? "...\"" : "\"");
}

/* Whether logfmt can take a text without quotes. */
static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return s.n > 0 && s.n <= VALUE_MAX;
}

/* Append " key=" or ,"key": */
static void
add_key(struct strbuf *b, const char *key)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		strbuf_addc(b, out.as_json ? ',' : ' ');
	if (out.as_json)
		strbuf_addc(b, '"');
	strbuf_adds(b, key);
	strbuf_adds(b, out.as_json ? "\":" : "=");
}

static void
add_text(struct strbuf *b, const char *key, struct slice s)
{
	add_key(b, key);
	if (!out.as_json && is_plain(s))
		strbuf_addsl(b, s);
	else
		add_quoted(b, s, out.as_json);
}

static void
add_field(struct strbuf *b, const struct log_field *f)
{
	switch (f->kind) {
	case LF_TEXT:
		add_text(b, f->key, f->text);
		break;
	case LF_NUM:
		add_key(b, f->key);
		strbuf_addn(b, f->num);
		break;
	case LF_REAL:
		add_key(b, f->key);
		if (isfinite(f->real))
			strbuf_addf(b, "%.6g", f->real);
		else
			strbuf_adds(b, out.as_json ? "null" : "nan");
		break;
	}
}

/* One write(2) a line. A log that cannot be written stops nothing: the loss is counted and told in
 * the next line that gets through. */
static void
send_line(enum log_level level, const struct strbuf *b)
{
	ssize_t n;

	do
		n = write(out.fd, b->p, b->n);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)b->n) {
		out.lost = 0;
		out.n.lines[level]++;
	} else {
		out.lost++;
		out.n.lost++;
	}
}

void
log_figures(struct log_figures *n)
{
	*n = out.n;
}

void
log_fields(enum log_level level, const char *event, const struct log_field *f, size_t n)
{
	struct strbuf b = STRBUF_INIT;
	char now[STAMP_TEXT + 1];
	int kept = errno;

	if (level < out.least || level >= LOG_OFF)
		return;
	strbuf_reserve(&b, LINE_ROOM);
	stamp_text(clock_wall_us(), now);
	if (out.as_json)
		strbuf_addc(&b, '{');
	add_text(&b, "t", slice_of(now));
	add_text(&b, "level", slice_of(level_words[level]));
	add_text(&b, "ev", slice_of(event));
	if (out.lost > 0)
		add_field(&b, &(struct log_field)LF_I("lost", out.lost));
	for (size_t i = 0; i < n; i++) {
		size_t before = b.n;

		add_field(&b, &f[i]);
		if (b.n > LINE_BYTES_MAX - TAIL_ROOM) {
			strbuf_setlen(&b, before);
			add_field(&b, &(struct log_field)LF_I("fields_cut", n - i));
			break;
		}
	}
	strbuf_adds(&b, out.as_json ? "}\n" : "\n");
	send_line(level, &b);
	strbuf_fini(&b);
	errno = kept;
}
