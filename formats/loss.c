/* loss.c -- see loss.h. */
#include "formats/loss.h"

#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

static const char *const words[LOSS_KINDS] = {
	[LOSS_KEPT] = "kept", [LOSS_APPROXIMATED] = "approximated", [LOSS_MOVED] = "moved",
	[LOSS_DROPPED] = "dropped", [LOSS_GENERATED] = "generated",
};

/* Start an empty account whose text lives in `mem`; without one only counts are kept. */
void
loss_init(struct loss *l, struct arena *mem)
{
	*l = (struct loss){ .mem = mem };
}

/* Append an entry whose strings already live in the account's arena. */
static void
append(struct loss *l, enum loss_kind kind, const char *path, const char *note)
{
	l->count[kind]++;
	l->v = arena_grow(l->mem, l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = (struct loss_entry){
		.kind = kind,
		.path = path,
		.note = note == NULL ? NULL : arena_str(l->mem, slice_of(note)),
	};
}

/* Record what became of the leaf at `path`. */
void
loss_add(struct loss *l, enum loss_kind kind, const char *path, const char *note)
{
	if (l != NULL && l->mem == NULL)
		l->count[kind]++;
	else if (l != NULL)
		append(l, kind, arena_str(l->mem, slice_of(path)), note);
}

/* The same with a formatted path. */
void
loss_addf(struct loss *l, enum loss_kind kind, const char *note, const char *fmt, ...)
{
	va_list ap, again;
	char *path;
	int n;

	if (l == NULL || l->mem == NULL) {
		loss_add(l, kind, "", note);
		return;
	}
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	path = arena_raw(l->mem, (size_t)(n < 0 ? 0 : n) + 1);
	path[0] = '\0';
	if (n > 0)
		vsnprintf(path, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	append(l, kind, path, note);
}

/* Return the stable word of a kind. */
const char *
loss_word(enum loss_kind kind)
{
	return words[kind];
}

/* Append one line an entry, then a line with the counts. Control characters of hostile names must
 * not reach a terminal, so they are shown as '?'. */
void
loss_print(struct strbuf *out, const struct loss *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct loss_entry *e = &l->v[i];
		size_t from = out->n;

		strbuf_addf(out, "%s  %s", words[e->kind], e->path);
		if (e->note != NULL)
			strbuf_addf(out, "  %s", e->note);
		for (size_t k = from; k < out->n; k++)
			if ((unsigned char)out->p[k] < ' ' || out->p[k] == 0x7f)
				out->p[k] = '?';
		strbuf_addc(out, '\n');
	}
	for (int k = 0; k < LOSS_KINDS; k++)
		strbuf_addf(out, "%s%s %zu", k == 0 ? "" : ", ", words[k], l->count[k]);
	strbuf_addc(out, '\n');
}

/* Append the account as one JSON object. */
void
loss_print_json(struct strbuf *out, const struct loss *l)
{
	strbuf_addc(out, '{');
	for (int k = 0; k < LOSS_KINDS; k++)
		strbuf_addf(out, "\"%s\":%zu,", words[k], l->count[k]);
	strbuf_adds(out, "\"entries\":[");
	for (size_t i = 0; i < l->n; i++) {
		const struct loss_entry *e = &l->v[i];

		strbuf_addf(out, "%s{\"kind\":\"%s\",\"path\":", i == 0 ? "" : ",", words[e->kind]);
		json_print_string(out, slice_of(e->path));
		if (e->note != NULL) {
			strbuf_adds(out, ",\"note\":");
			json_print_string(out, slice_of(e->note));
		}
		strbuf_addc(out, '}');
	}
	strbuf_adds(out, "]}");
}

/* Read a share such as "0.5%". */
bool
loss_limit_parse(struct slice s, struct loss_limit *out)
{
	enum { PLACES = 4, WHOLE = 1000000 };
	uint32_t v = 0, places = 0;
	bool point = false, any = false;

	if (s.n < 2 || s.n > 8 || s.p[s.n - 1] != '%')
		return false;
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || places == PLACES)
			return false;
		v = 10 * v + (uint32_t)(s.p[i] - '0');
		places += point;
		any = true;
	}
	for (; places < PLACES; places++)
		v *= 10;
	if (!any || v > WHOLE)
		return false;
	*out = (struct loss_limit){ .set = true, .millionths = v };
	return true;
}

/* True if more is lost than may be. */
bool
loss_is_beyond(const struct loss_limit *limit, const uint64_t count[LOSS_KINDS], struct err *e)
{
	uint64_t lost = count[LOSS_DROPPED] + (limit->approximated ? count[LOSS_APPROXIMATED] : 0);
	uint64_t all = count[LOSS_KEPT] + count[LOSS_APPROXIMATED] + count[LOSS_MOVED] +
	    count[LOSS_DROPPED];

	/* a message has less than 2^40 leaves */
	if (!limit->set || lost * 1000000 <= all * limit->millionths)
		return false;
	err_set(e, ERR_VALUE, "%llu of %llu fields would be lost, more than refuse-loss %g%% allows",
	    (unsigned long long)lost, (unsigned long long)all, limit->millionths / 10000.0);
	return true;
}
