#include "gateway/translate_wire.h"

#include <stdlib.h>

#include "formats/refs.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"
#include "gateway/base/wire.h"

enum {
	NAME_MAX_BYTES = 256, RECIPE_MAX = 64, PASSWORD_BYTES = 4096,
	SHOWN_MAX = 1024,		/* of an id that was refused with its object */
	CODE_MAX = 40, REMARKS_MAX = 64 * 1024,
	/* bytes in the message */
	OBJECT_LEAST = 40, VERDICT_LEAST = 40, SUPPORTER_LEAST = 4, TEXT_LEAST = 4,
	TOTAL_FACTOR = 64		/* objects that one record may become */
};
enum span { SPAN_INPUT, SPAN_NEW, SPANS };

/* ---- questions ---- */

void
translate_put_read(struct strbuf *b, const struct translate_read *r, uint64_t skip)
{
	bool by_fd = r->fd > 0;

	wire_put_string(b, r->format);
	wire_put_string(b, r->mapping);
	wire_put_string(b, r->received);
	wire_put_u64(b, r->limits.bytes);
	wire_put_u64(b, r->limits.object_bytes);
	wire_put_u64(b, r->limits.objects);
	wire_put_u32(b, r->limits.depth);
	wire_put_bool(b, r->strict);
	wire_put_bool(b, r->envelope);
	wire_put_bool(b, r->bundle);
	wire_put_bool(b, r->iodef_amber_strict);
	wire_put_string(b, r->misp_groups);
	wire_put_bool(b, r->relay);
	wire_put_bool(b, r->account);
	wire_put_bool(b, r->count);
	wire_put_u64(b, r->from);
	wire_put_u64(b, skip);
	wire_put_fixed(b, r->sha256, SHA256_LEN);
	wire_put_bool(b, by_fd);
	wire_put_text(b, by_fd ? SLICE_EMPTY : r->in);
}

bool
translate_get_read(struct slice body, struct arena *mem, struct translate_read *r, uint64_t *skip,
    bool *by_fd)
{
	uint8_t *sha256 = arena_alloc(mem, SHA256_LEN);
	struct wire w;

	wire_open(&w, body);
	*r = (struct translate_read){ .fd = -1, .input = "", .sha256 = sha256 };
	r->format = wire_string(&w, mem);
	r->mapping = wire_string(&w, mem);
	r->received = wire_name(&w, mem);
	r->limits.bytes = wire_u64(&w);
	r->limits.object_bytes = wire_u64(&w);
	r->limits.objects = wire_u64(&w);
	r->limits.depth = wire_u32(&w);
	r->strict = wire_bool(&w);
	r->envelope = wire_bool(&w);
	r->bundle = wire_bool(&w);
	r->iodef_amber_strict = wire_bool(&w);
	r->misp_groups = wire_string(&w, mem);
	r->relay = wire_bool(&w);
	r->account = wire_bool(&w);
	r->count = wire_bool(&w);
	r->from = wire_u64(&w);
	*skip = wire_u64(&w);
	wire_fixed(&w, sha256, SHA256_LEN);
	*by_fd = wire_bool(&w);
	r->in = wire_text(&w);
	return wire_done(&w);
}

void
translate_put_hash(struct strbuf *b, struct slice password, const char *recipe)
{
	wire_put_string(b, recipe);
	wire_put_text(b, password);
}

bool
translate_get_hash(struct slice body, struct arena *mem, struct slice *password, const char **recipe)
{
	struct wire w;

	wire_open(&w, body);
	*recipe = wire_name(&w, mem);
	*password = wire_text(&w);
	return wire_done(&w) && strlen(*recipe) < RECIPE_MAX && password->n <= PASSWORD_BYTES;
}

void
translate_put_key(struct strbuf *b, const struct password_key *key, bool good)
{
	wire_put_bool(b, good);
	wire_put_fixed(b, key->bytes, sizeof(key->bytes));
}

const char *
translate_get_key(struct slice body, struct password_key *key)
{
	struct wire w;
	bool good;

	wire_open(&w, body);
	good = wire_bool(&w);
	wire_fixed(&w, key->bytes, sizeof(key->bytes));
	return wire_done(&w) && good ? NULL : "a password key that is none";
}

/* What became of leaves, in numbers; NULL: nobody asked. */
static void
put_counts(struct strbuf *b, const struct loss *loss)
{
	for (int i = 0; i < LOSS_KINDS; i++)
		wire_put_u64(b, loss == NULL ? 0 : loss->count[i]);
}

static void
get_counts(struct wire *w, uint64_t counts[LOSS_KINDS])
{
	for (int i = 0; i < LOSS_KINDS; i++)
		counts[i] = wire_u64(w);
}

/* ---- errors ---- */

static void
put_err(struct strbuf *b, const struct err *e)
{
	wire_put_u8(b, (uint8_t)e->code);
	wire_put_u32(b, e->at.line);
	wire_put_u32(b, e->at.column);
	wire_put_u64(b, e->at.offset);
	wire_put_string(b, e->path);
	wire_put_string(b, e->reason);
}

/* A text that may be shown and logged: what is no UTF-8 or would not be seen becomes '?'. */
static void
copy_shown(char *out, size_t cap, struct slice s)
{
	size_t n = 0;

	while (s.n > 0 && n + 5 < cap) {
		size_t len = utf8_len(s);
		struct slice one = slice_from(s.p, len);

		if (len == 0 || utf8_is_unseen(utf8_next(&one))) {
			out[n++] = '?';
			len = len == 0 ? 1 : len;
		} else {
			memcpy(out + n, s.p, len);
			n += len;
		}
		s = slice_from(s.p + len, s.n - len);
	}
	out[n] = '\0';
}

static void
get_err(struct wire *w, size_t input_bytes, const char *input, struct err *e)
{
	*e = (struct err)ERR_INIT;
	e->code = (enum err_code)wire_below(w, ERR_CODES);
	e->at.line = wire_u32(w);
	e->at.column = wire_u32(w);
	e->at.offset = wire_u64(w);
	copy_shown(e->path, sizeof(e->path), wire_text(w));
	copy_shown(e->reason, sizeof(e->reason), wire_text(w));
	if (e->code == ERR_NONE || e->at.offset > input_bytes)
		wire_refuse(w);
	err_input(e, input);
}

static size_t
formats_count(void)
{
	size_t n = 0;

	while (formats[n] != NULL)
		n++;
	return n;
}

/* 0 = none, else place + 1. */
static const char *
get_format(struct wire *w)
{
	uint8_t f = wire_below(w, (unsigned)formats_count() + 1);

	return f == 0 ? NULL : formats[f - 1]->name;
}

void
translate_put_failed(struct strbuf *b, const struct err *e, int format, bool ours)
{
	wire_put_u8(b, (uint8_t)(format + 1));
	wire_put_bool(b, ours);
	put_err(b, e);
}

const char *
translate_get_failed(struct slice body, const struct translate_read *r, struct arena *mem,
    struct translate_part *part)
{
	struct err *e = arena_alloc(mem, sizeof(*e));
	struct wire w;

	wire_open(&w, body);
	*part = (struct translate_part){ .error = e, .last = true, .first = part->first };
	part->adv = arena_alloc(mem, sizeof(*part->adv));
	part->format = get_format(&w);
	part->retryable = wire_bool(&w);
	get_err(&w, r->in.n, r->input, e);
	part->code = err_word(e->code);
	return wire_done(&w) ? NULL : "an error that is none";
}

/* ---- spans: bytes that stand in the input, or new ones ---- */

static void
put_span(struct strbuf *b, struct slice in, struct slice s)
{
	if (s.n > 0 && (uintptr_t)s.p >= (uintptr_t)in.p &&
	    (uintptr_t)s.p + s.n <= (uintptr_t)in.p + in.n) {
		wire_put_u8(b, SPAN_INPUT);
		wire_put_u64(b, (uint64_t)(s.p - in.p));
		wire_put_u64(b, s.n);
	} else {
		wire_put_u8(b, SPAN_NEW);
		wire_put_text(b, s);
	}
}

static struct slice
get_span(struct wire *w, struct slice in, bool *verbatim)
{
	uint64_t at, n;

	*verbatim = wire_below(w, SPANS) == SPAN_INPUT;
	if (!*verbatim)
		return wire_text(w);
	at = wire_u64(w);
	n = wire_u64(w);
	if (at > in.n || n > in.n - at) {
		wire_refuse(w);
		return SLICE_EMPTY;
	}
	return slice_from(in.p + at, (size_t)n);
}

/* ---- objects ---- */

static const char hash_prefix[] = "sha256:";

static void
put_object(struct strbuf *b, struct slice in, const struct object *o)
{
	uint8_t content[SHA256_LEN];
	struct slice hex = o->version_key;
	bool hashed = slice_starts(hex, hash_prefix);

	put_span(b, in, o->bytes);
	wire_put_u8(b, (uint8_t)o->tlp);
	wire_put_u8(b, (uint8_t)o->label);
	wire_put_u8(b, (uint8_t)o->phase);
	wire_put_u32(b, o->sectors);
	wire_put_u32(b, o->flags);
	wire_put_bool(b, o->has_fp);
	if (o->has_fp)
		wire_put_fixed(b, o->fp, sizeof(o->fp));
	hashed = hashed && hex_decode(slice_from(hex.p + sizeof(hash_prefix) - 1,
	    hex.n - (sizeof(hash_prefix) - 1)), content, sizeof(content));
	wire_put_bool(b, hashed);
	if (hashed)
		wire_put_fixed(b, content, sizeof(content));
	wire_put_u64(b, o->index);
	wire_put_u64(b, o->offset);
	wire_put_u32(b, (uint32_t)o->nsupporters);
	for (size_t i = 0; i < o->nsupporters; i++)
		wire_put_text(b, o->supporters[i]);
	wire_put_text(b, slice_of(o->remarks));
}

/* The level is at least what fixed markings and tags say: policy never goes below it. That somebody said
 * one is believed where the bytes show it, or may be explained by a definition of the sender's own:
 * otherwise the rule for unmarked objects could be got around. */
static bool
label_fits(const struct object *o, const struct object *skimmed, bool open)
{
	return o->tlp >= skimmed->tlp && (o->label != LABEL_TLP || skimmed->label == LABEL_TLP ||
	    open || tlp_of_marking_id(skimmed->id) != TLP_UNSET);
}

/* Take what the bytes say of themselves, and hold the rest against it. */
static const char *
join_skimmed(struct object *o, struct arena *mem, bool verbatim, const uint8_t *content)
{
	struct object s = { .bytes = o->bytes };
	char hex[2 * SHA256_LEN + 1];
	bool open;

	if (object_skim(&s, mem, &open) < 0)
		return "bytes that are no object";
	if (!label_fits(o, &s, open))
		return "a label weaker than the object's own";
	if ((o->flags & OBJECT_OWN_FLAGS) != s.flags)
		return "flags that the object does not show";
	if ((s.version_key.n == 0) != (content != NULL))
		return "a version that the object does not say";
	if (verbatim && (o->flags & OBJECT_MINTED) != 0)
		return "minted bytes that were there before";
	s.tlp = o->tlp;
	s.label = o->label;
	s.phase = o->phase;
	s.sectors = o->sectors;
	s.flags = o->flags;
	memcpy(s.fp, o->fp, sizeof(s.fp));
	s.has_fp = o->has_fp;
	s.supporters = o->supporters;
	s.nsupporters = o->nsupporters;
	s.index = o->index;
	s.offset = o->offset;
	s.remarks = o->remarks;
	if (content != NULL) {
		hex_text(content, SHA256_LEN, hex);
		s.version_key = slice_of(arena_fmt(mem, "%s%s", hash_prefix, hex));
	}
	*o = s;
	return NULL;
}

/* Lines for people; NULL if there are none. */
static const char *
get_remarks(struct wire *w, struct arena *mem)
{
	struct slice s = wire_text(w);
	char *out;

	if (s.n > REMARKS_MAX)
		wire_refuse(w);
	if (s.n == 0 || w->bad)
		return NULL;
	out = arena_raw(mem, s.n + 8);
	for (char *at = out; s.n > 0; at += strlen(at)) {
		struct slice line = slice_cut(&s, '\n');

		copy_shown(at, line.n + 6, line);
		memcpy(at + strlen(at), "\n", 2);
	}
	return out;
}

static void
get_supporters(struct wire *w, struct arena *mem, struct object *o)
{
	o->nsupporters = wire_count(w, OBJECT_SUPPORTERS_MAX, SUPPORTER_LEAST);
	o->supporters = arena_alloc(mem, (o->nsupporters + 1) * sizeof(*o->supporters));
	for (size_t i = 0; i < o->nsupporters; i++)
		o->supporters[i] = wire_text(w);
}

/* NULL, or what is wrong with it. What came as STIX is passed on as it came (`stands`): bytes of the
 * translator's own could say less of how secret it is. */
static const char *
get_object(struct wire *w, const struct translate_read *r, struct arena *mem, bool stands,
    struct object *o)
{
	uint8_t content[SHA256_LEN];
	bool hashed, verbatim;

	o->bytes = get_span(w, r->in, &verbatim);
	o->tlp = (enum tlp)wire_below(w, TLP_LEVELS);
	o->label = (enum label_case)wire_below(w, LABEL_IODEF_ABSENT + 1);
	o->phase = (enum phase)wire_below(w, PHASES);
	o->sectors = wire_u32(w);
	o->flags = wire_u32(w);
	o->has_fp = wire_bool(w);
	if (o->has_fp)
		wire_fixed(w, o->fp, sizeof(o->fp));
	hashed = wire_bool(w);
	if (hashed)
		wire_fixed(w, content, sizeof(content));
	o->index = wire_u64(w);
	o->offset = wire_u64(w);
	get_supporters(w, mem, o);
	o->remarks = get_remarks(w, mem);
	if (w->bad || o->offset > r->in.n || (o->sectors >> OBJECT_SECTOR_BITS) != 0 ||
	    (o->flags >> OBJECT_FLAG_BITS) != 0)
		return "an object with a field out of its range";
	if (stands && !verbatim)
		return "an object that does not stand in its message";
	return join_skimmed(o, mem, verbatim, hashed ? content : NULL);
}

/* ---- refusals ---- */

/* The beginning of a text that may be long, cut between code points. */
static struct slice
shown(struct slice s)
{
	if (s.n <= SHOWN_MAX)
		return s;
	s.n = SHOWN_MAX;
	return slice_from(s.p, utf8_bad_at(s));
}

static void
put_verdict(struct strbuf *b, struct slice in, const struct verdict *v)
{
	wire_put_string(b, v->code);
	wire_put_text(b, shown(v->id));
	wire_put_text(b, shown(v->version));
	put_span(b, in, v->text);
	put_err(b, &v->err);
	wire_put_u64(b, v->index);
}

static bool
is_code(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= CODE_MAX &&
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == n;
}

static struct slice
get_shown(struct wire *w)
{
	struct slice s = wire_text(w);

	if (s.n > SHOWN_MAX || utf8_bad_at(s) != s.n)
		wire_refuse(w);
	return w->bad ? SLICE_EMPTY : s;
}

static void
get_verdict(struct wire *w, const struct translate_read *r, struct arena *mem, struct verdict *v)
{
	bool verbatim;

	v->kind = VERDICT_REFUSED;
	v->code = wire_name(w, mem);
	v->id = get_shown(w);
	v->version = get_shown(w);
	v->text = get_span(w, r->in, &verbatim);
	get_err(w, r->in.n, r->input, &v->err);
	v->index = wire_u64(w);
	if (!is_code(v->code))
		wire_refuse(w);
}

/* ---- parts ---- */

void
translate_put_part(struct strbuf *b, const struct translate_share *s)
{
	static const struct relay_member none;
	const struct relay_member *relay = s->relay == NULL ? &none : s->relay;

	wire_put_u8(b, (uint8_t)(s->format + 1));
	wire_put_bool(b, s->last);
	wire_put_u64(b, s->total);
	put_counts(b, s->loss);
	wire_put_text(b, s->adv->id);
	wire_put_text(b, s->first && s->adv->envelope.n <= ENVELOPE_MAX ? s->adv->envelope : SLICE_EMPTY);
	wire_put_text(b, relay->text);
	wire_put_fixed(b, relay->digest, sizeof(relay->digest));
	wire_put_u32(b, (uint32_t)(s->n + s->nagain));
	wire_put_u32(b, (uint32_t)s->nagain);
	for (size_t i = 0; i < s->n; i++)
		put_object(b, s->in, &s->adv->objects[s->from + i]);
	for (size_t i = 0; i < s->nagain; i++)
		put_object(b, s->in, &s->adv->objects[s->again[i]]);
	wire_put_u32(b, (uint32_t)s->nv);
	for (size_t i = 0; i < s->nv; i++)
		put_verdict(b, s->in, s->refused[s->vfrom + i]);
}

/* A message's name goes into the audit log, the store and relay envelopes. */
static bool
is_advisory_id(struct slice s)
{
	if (s.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return true;
}

static size_t
most_objects(const struct translate_read *r)
{
	size_t most = r->limits.objects == 0 ? 100000 : r->limits.objects;

	return most * TOTAL_FACTOR;
}

static const char *
get_head(struct wire *w, const struct translate_read *r, struct translate_part *part)
{
	part->format = get_format(w);
	part->last = wire_bool(w);
	part->total = wire_u64(w);
	get_counts(w, part->loss);
	part->adv->id = wire_text(w);
	part->adv->envelope = wire_text(w);
	part->relay.text = wire_text(w);
	wire_fixed(w, part->relay.digest, sizeof(part->relay.digest));
	if (w->bad || part->format == NULL || part->total > most_objects(r) ||
	    !is_advisory_id(part->adv->id) || part->relay.text.n > RELAY_MEMBER_MAX ||
	    part->adv->envelope.n > ENVELOPE_MAX)
		return "a head that is none";
	return r->format == NULL || strcmp(r->format, part->format) == 0 ? NULL :
	    "another format than was asked for";
}

static const char *
get_objects(struct wire *w, const struct translate_read *r, struct arena *mem, struct translate_part *part)
{
	const bool stand = strcmp(part->format, format_stix21.name) == 0;
	struct advisory *adv = part->adv;
	const char *why = NULL;

	adv->n = adv->cap = wire_count(w, PART_OBJECTS + PART_SUPPORTERS, OBJECT_LEAST);
	part->nagain = wire_u32(w);
	if (w->bad || part->nagain > adv->n || adv->n - part->nagain > PART_OBJECTS)
		return "more objects than a part has";
	adv->objects = arena_alloc(mem, (adv->n + 1) * sizeof(*adv->objects));
	for (size_t i = 0; i < adv->n && why == NULL; i++)
		why = get_object(w, r, mem, stand, &adv->objects[i]);
	for (size_t i = adv->n - part->nagain; i < adv->n && why == NULL; i++)
		if (!refs_is_supporting(adv->objects[i].type))
			why = "an object again that supports none";
	return why;
}

const char *
translate_get_part(struct slice body, const struct translate_read *r, struct arena *mem,
    struct translate_part *part)
{
	struct slice copy = arena_slice(mem, body);	/* what is kept points into it */
	struct advisory *adv = arena_alloc(mem, sizeof(*adv));
	const char *why;
	struct wire w;

	wire_open(&w, copy);
	*part = (struct translate_part){ .first = part->first, .adv = adv };
	why = get_head(&w, r, part);
	if (why == NULL)
		why = get_objects(&w, r, mem, part);
	if (why != NULL)
		return why;
	adv->nverdicts = adv->verdicts_cap = wire_count(&w, UINT32_MAX, VERDICT_LEAST);
	adv->verdicts = arena_alloc(mem, (adv->nverdicts + 1) * sizeof(*adv->verdicts));
	for (size_t i = 0; i < adv->nverdicts && !w.bad; i++)
		get_verdict(&w, r, mem, &adv->verdicts[i]);
	return wire_done(&w) ? NULL : "refusals that are none";
}

/* ---- counts ---- */

void
translate_put_count(struct strbuf *b, size_t n)
{
	wire_put_u64(b, n);
}

const char *
translate_get_count(struct slice body, const struct translate_read *r, struct arena *mem,
    struct translate_part *part)
{
	struct wire w;

	wire_open(&w, body);
	*part = (struct translate_part){ .first = part->first, .last = true, .format = r->format,
	    .adv = arena_alloc(mem, sizeof(*part->adv)), .total = wire_u64(&w) };
	return wire_done(&w) && part->total <= most_objects(r) ? NULL : "a count that is none";
}

/* ---- texts ---- */

void
translate_put_write(struct strbuf *b, const struct translate_write *q)
{
	wire_put_string(b, q->format);
	wire_put_string(b, q->received);
	wire_put_string(b, q->csirt);
	wire_put_string(b, q->csirt_contact);
	wire_put_u64(b, q->most);
	wire_put_u8(b, (uint8_t)q->unmarked);
	wire_put_bool(b, q->no_residue);
	wire_put_bool(b, q->pretty);
	wire_put_bool(b, q->report);
	wire_put_bool(b, q->lenient);
	wire_put_u32(b, (uint32_t)q->n);
	for (size_t i = 0; i < q->n; i++)
		wire_put_text(b, q->objects[i]);
}

bool
translate_get_write(struct slice body, struct arena *mem, struct translate_write *q)
{
	struct slice *objects;
	struct wire w;

	wire_open(&w, body);
	*q = (struct translate_write){ .format = wire_name(&w, mem) };
	q->received = wire_name(&w, mem);
	q->csirt = wire_string(&w, mem);
	q->csirt_contact = wire_string(&w, mem);
	q->most = wire_u64(&w);
	q->unmarked = (enum tlp)wire_below(&w, TLP_LEVELS);
	q->no_residue = wire_bool(&w);
	q->pretty = wire_bool(&w);
	q->report = wire_bool(&w);
	q->lenient = wire_bool(&w);
	q->n = wire_count(&w, UINT32_MAX, TEXT_LEAST);
	q->objects = objects = arena_alloc(mem, (q->n + 1) * sizeof(*objects));
	for (size_t i = 0; i < q->n; i++)
		objects[i] = wire_text(&w);
	return wire_done(&w);
}

void
translate_put_ask(struct strbuf *b, const char *question, struct slice in)
{
	wire_put_string(b, question);
	wire_put_text(b, in);
}

bool
translate_get_ask(struct slice body, struct arena *mem, const char **question, struct slice *in)
{
	struct wire w;

	wire_open(&w, body);
	*question = wire_name(&w, mem);
	*in = wire_text(&w);
	return wire_done(&w);
}

void
translate_put_text(struct strbuf *b, struct slice text, const struct loss *loss, struct slice report)
{
	put_counts(b, loss);
	wire_put_text(b, text);
	wire_put_text(b, report);
}

const char *
translate_get_text(struct slice body, struct translated *t)
{
	struct wire w;

	wire_open(&w, body);
	*t = (struct translated){ .error = NULL };
	get_counts(&w, t->loss);
	t->text = wire_text(&w);
	t->report = wire_text(&w);
	return wire_done(&w) ? NULL : "a text that is none";
}

const char *
translate_get_refusal(struct slice body, const char *input, struct err *e, bool *retryable,
    const char **code)
{
	struct wire w;

	wire_open(&w, body);
	get_format(&w);
	*retryable = wire_bool(&w);
	get_err(&w, SIZE_MAX, input, e);
	*code = err_word(e->code);
	return wire_done(&w) ? NULL : "an error that is none";
}
