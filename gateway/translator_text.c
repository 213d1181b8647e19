/* translator_text.c -- what a translator gives as a text: objects written in a format, answers about
 * small messages. */
#include <string.h>

#include "formats/format.h"
#include "formats/refs.h"
#include "formats/taxii11.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/translate_wire.h"
#include "gateway/translator.h"
#include "gateway/translator_parts.h"

enum { ANSWER_MAX = 1 << 20 };

const struct translator_question translator_questions[] = {
	{ "taxii11", taxii11_ask },
	{ NULL, NULL }
};

void
translator_send_failed(const struct outlet *out, const struct err *e, int format, bool ours)
{
	struct strbuf b = STRBUF_INIT;

	translate_put_failed(&b, e, format, ours);
	out->send(out->arg, TRANSLATE_FAILED, out->id, strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
send_text(const struct outlet *out, struct slice text, const struct loss *loss, struct slice report)
{
	struct strbuf b = STRBUF_INIT;

	translate_put_text(&b, text, loss, report);
	out->send(out->arg, TRANSLATE_TEXT, out->id, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* ---- writing ---- */

/* The objects as one list, which the reader of STIX takes as it takes a sender's. */
static struct slice
list_of(const struct translate_write *q, struct arena *mem)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	for (size_t i = 0; i < q->n; i++) {
		strbuf_addc(&b, i == 0 ? '[' : ',');
		strbuf_addsl(&b, q->objects[i]);
	}
	strbuf_adds(&b, q->n == 0 ? "[]" : "]");
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Those of the objects that are JSON at all; `adv` is told of the others. A list is no list with them. */
static void
leave_out_broken(struct translate_write *q, struct arena *mem, struct advisory *adv)
{
	struct slice *good = arena_alloc(mem, (q->n + 1) * sizeof(*good));
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++) {
		struct arena *scratch = arena_new();
		struct err e = ERR_INIT;
		struct json_doc doc;

		if (json_parse(q->objects[i], NULL, scratch, &doc, &e) == 0)
			good[n++] = q->objects[i];
		else
			advisory_verdict(adv, mem, VERDICT_REFUSED, "BROKEN_JSON")->err = e;
		arena_free(scratch);
	}
	q->objects = good;
	q->n = n;
}

/* As read_objects, but what cannot be read costs only itself. */
static int
read_what_is_good(struct translate_write q, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct read_job job = { .in = list_of(&q, mem), .input = "", .received = slice_of(q.received),
	    .in_stays = true, .limits = { .bytes = SIZE_MAX, .objects = q.n, .object_bytes = SIZE_MAX } };

	if (q.n == 0 || format_stix21.read(&job, mem, adv, e) == 0)
		return 0;
	*adv = (struct advisory){ .n = 0 };
	leave_out_broken(&q, mem, adv);
	job.in = list_of(&q, mem);
	return q.n == 0 ? 0 : format_stix21.read(&job, mem, adv, e);
}

/* Objects of the store were taken in as they stand: one that cannot be read any more is told of. */
static int
read_list(const struct translate_write *q, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct read_job job = { .in = list_of(q, mem), .input = "", .received = slice_of(q->received),
	    .in_stays = true, .limits = { .bytes = SIZE_MAX, .objects = q->n, .object_bytes = SIZE_MAX } };

	*adv = (struct advisory){ .n = 0 };
	if (q->n > 0 && format_stix21.read(&job, mem, adv, e) < 0)
		return -1;
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (adv->verdicts[i].kind == VERDICT_REFUSED) {
			*e = adv->verdicts[i].err;
			return -1;
		}
	return 0;
}

/* The text of an object with this label among its markings. */
static struct slice
marked(const struct object *o, struct arena *mem, enum tlp level)
{
	json *refs = json_get(o->tree, "object_marking_refs");
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	if (refs == NULL)
		refs = json_put(mem, o->tree, "object_marking_refs", json_list(mem));
	json_push(refs, json_string(mem, slice_of(tlp_marking_id(level))));
	json_print(&b, o->tree);
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* What the sender left open is said by the node that decides on it: who reads a document of a foreign
 * format has no trust.conf to look it up in. */
static int
read_objects(const struct translate_write *q, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct translate_write said = *q;
	struct slice *texts;
	size_t changed = 0;

	if (read_list(q, mem, adv, e) < 0)
		return -1;
	if (q->unmarked == TLP_UNSET)
		return 0;
	said.objects = texts = arena_alloc(mem, (adv->n + 1) * sizeof(*texts));
	said.n = adv->n;
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];
		bool open = o->label == LABEL_ABSENT || o->label == LABEL_OTHER ||
		    o->label == LABEL_IODEF_ABSENT;

		texts[i] = o->bytes;
		if (!open || refs_is_supporting(o->type))
			continue;
		texts[i] = marked(o, mem, q->unmarked);
		changed++;
	}
	return changed == 0 ? 0 : read_list(&said, mem, adv, e);
}

static const char *
kind_of(const char *format)
{
	const char *colon = strchr(format, ':');

	return colon == NULL ? NULL : colon + 1;
}

static int
write_objects(const struct translate_write *q, struct arena *mem, struct loss *loss, struct strbuf *out,
    struct err *e)
{
	const struct format_ops *f = format_find_writer(slice_of(q->format));
	struct advisory adv = { .n = 0 };
	struct write_job job = { .adv = &adv, .received = slice_of(q->received), .csirt = q->csirt,
	    .csirt_contact = q->csirt_contact, .no_residue = q->no_residue, .pretty = q->pretty,
	    .loss = loss };

	if (f == NULL || f->write == NULL)
		return err_set(e, ERR_UNSUPPORTED, "nothing is written as \"%s\"", q->format);
	job.kind = f->read == NULL ? kind_of(q->format) : NULL;
	if ((q->lenient ? read_what_is_good(*q, mem, &adv, e) : read_objects(q, mem, &adv, e)) < 0 ||
	    f->write(&job, mem, out, e) < 0)
		return -1;
	if (q->most > 0 && out->n > q->most)
		return err_set(e, ERR_LIMIT, "as %s it has %zu bytes, more than the limit of %zu", f->name,
		    out->n, q->most);
	return 0;
}

void
translator_write(struct slice body, const struct outlet *out)
{
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT, report = STRBUF_INIT;
	struct translate_write q;
	struct err e = ERR_INIT;
	struct loss loss;

	if (!translate_get_write(body, mem, &q)) {
		err_set(&e, ERR_SYNTAX, "this is no job");
		translator_send_failed(out, &e, -1, true);
	} else {
		loss_init(&loss, q.report ? mem : NULL);
		if (write_objects(&q, mem, &loss, &text, &e) < 0) {
			translator_send_failed(out, &e, -1, false);
		} else {
			if (q.report)
				loss_print(&report, &loss);
			send_text(out, strbuf_slice(&text), &loss, strbuf_slice(&report));
		}
	}
	strbuf_fini(&text);
	strbuf_fini(&report);
	arena_free(mem);
}

/* ---- questions ---- */

static int
answer(const char *name, struct slice in, struct arena *mem, struct strbuf *out, struct err *e)
{
	for (size_t i = 0; translator_questions[i].name != NULL; i++)
		if (strcmp(translator_questions[i].name, name) == 0)
			return translator_questions[i].answer(in, mem, out, e);
	return err_set(e, ERR_UNSUPPORTED, "nobody answers \"%s\"", name);
}

void
translator_ask(struct slice body, const struct outlet *out)
{
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	const char *name;
	struct slice in;

	if (!translate_get_ask(body, mem, &name, &in)) {
		err_set(&e, ERR_SYNTAX, "this is no job");
		translator_send_failed(out, &e, -1, true);
	} else if (answer(name, in, mem, &text, &e) < 0) {
		translator_send_failed(out, &e, -1, false);
	} else if (text.n > ANSWER_MAX) {
		err_set(&e, ERR_LIMIT, "the answer is too large");
		translator_send_failed(out, &e, -1, false);
	} else {
		send_text(out, strbuf_slice(&text), NULL, SLICE_EMPTY);
	}
	strbuf_fini(&text);
	arena_free(mem);
}
