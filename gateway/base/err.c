#include "gateway/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const words[ERR_CODES] = {
	[ERR_NONE] = "none",		[ERR_SYNTAX] = "syntax",
	[ERR_ENCODING] = "encoding",	[ERR_DUPLICATE] = "duplicate",
	[ERR_DEPTH] = "depth",		[ERR_LIMIT] = "limit",
	[ERR_MISSING] = "missing",	[ERR_VALUE] = "value",
	[ERR_REFERENCE] = "reference",	[ERR_CONFLICT] = "conflict",
	[ERR_UNSUPPORTED] = "unsupported", [ERR_FORBIDDEN] = "forbidden",
	[ERR_CONFIG] = "config",	[ERR_IO] = "io",
	[ERR_CRYPTO] = "crypto",	[ERR_STORE] = "store",
	[ERR_TIMEOUT] = "timeout",	[ERR_BUSY] = "busy",
	[ERR_AUTH] = "auth",		[ERR_POLICY] = "policy",
};

static void fill(struct err *, enum err_code, struct pos, const char *, va_list)
    __attribute__((format(printf, 4, 0)));

static void
fill(struct err *e, enum err_code code, struct pos at, const char *fmt, va_list ap)
{
	memset(e, 0, sizeof(*e));
	e->code = code;
	e->at = at;
	vsnprintf(e->reason, sizeof(e->reason), fmt, ap);
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	fill(e, code, (struct pos){ 0 }, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_at(struct err *e, enum err_code code, struct pos at, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	fill(e, code, at, fmt, ap);
	va_end(ap);
	return -1;
}

void
err_input(struct err *e, const char *input)
{
	if (e != NULL && e->input[0] == '\0' && input != NULL)
		snprintf(e->input, sizeof(e->input), "%s", input);
}

void
err_path(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->path[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(e->path, sizeof(e->path), fmt, ap);
	va_end(ap);
}

void
err_context(struct err *e, const char *fmt, ...)
{
	char front[sizeof(e->reason)], whole[sizeof(front) + sizeof(e->reason) + 2];
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "%s: %s", front, e->reason);
	snprintf(e->reason, sizeof(e->reason), "%.*s", (int)sizeof(e->reason) - 1, whole);
}

const char *
err_text(const struct err *e, char *buf, size_t cap)
{
	char place[sizeof(e->input) + 32] = "";

	if (e->input[0] != '\0' && e->at.line != 0 && e->at.column != 0)
		snprintf(place, sizeof(place), "%s:%u:%u: ", e->input, e->at.line, e->at.column);
	else if (e->input[0] != '\0' && e->at.line != 0)
		snprintf(place, sizeof(place), "%s:%u: ", e->input, e->at.line);
	else if (e->input[0] != '\0')
		snprintf(place, sizeof(place), "%s: ", e->input);
	else if (e->at.line != 0)
		snprintf(place, sizeof(place), "line %u, column %u: ", e->at.line, e->at.column);
	snprintf(buf, cap, "%s%s%s%s", place, e->path, e->path[0] != '\0' ? ": " : "", e->reason);
	return buf;
}

const char *
err_word(enum err_code code)
{
	return (unsigned)code < ERR_CODES ? words[code] : "unknown";
}

struct pos
pos_of(const char *text, size_t len, size_t offset)
{
	struct pos at = { .line = 1, .column = 1, .offset = offset };

	for (size_t i = 0; i < offset && i < len; i++) {
		if (text[i] == '\n') {
			at.line++;
			at.column = 1;
		} else {
			at.column++;
		}
	}
	return at;
}

void
pos_move(struct pos *p, size_t *line_at, const char *text, size_t to)
{
	size_t from = p->offset;
	const char *nl;

	while ((nl = memchr(text + from, '\n', to - from)) != NULL) {
		from = *line_at = (size_t)(nl - text) + 1;
		p->line++;
	}
	p->column = (uint32_t)(to - *line_at) + 1;
	p->offset = to;
}
