/* translate_text.c -- the jobs that give a text: objects written in a format, questions about messages. */
#include <stdlib.h>
#include <string.h>

#include "gateway/config.h"
#include "gateway/translate_parts.h"

static void
give_text(struct translate_job *j, const struct translated *text)
{
	struct translated own = *text;
	translate_text_cb *cb = j->told;
	struct err e = j->error;
	void *arg = j->arg;

	if (own.error != NULL)
		own.error = &e;
	translate_job_free(j);
	cb(arg, &own);
}

static void
text_tell(struct translate_job *j)
{
	if (j->dropped)
		translate_job_free(j);
	else
		give_text(j, &j->text);
}

static void
text_give_up(struct translate_job *j, const char *code, const struct err *e, bool retryable)
{
	struct translated none = { .error = e, .code = code, .retryable = retryable };

	j->error = *e;
	give_text(j, &none);
}

static uint16_t
text_question(const struct translate_job *j, int fd, struct strbuf *b)
{
	(void)fd;
	strbuf_addsl(b, strbuf_slice(&j->asked));
	return j->asked_type;
}

static const char *
text_decode(struct translate_job *j, uint16_t type, struct slice body)
{
	if (type == TRANSLATE_TEXT)
		return translate_get_text(body, &j->text);
	if (type != TRANSLATE_FAILED)
		return "an answer to something else";
	j->text = (struct translated){ .error = &j->error };
	return translate_get_refusal(body, j->r.input, &j->error, &j->text.retryable, &j->text.code);
}

static const struct job_kind texts = {
	.list = LIST_TEXTS, .timed = "write", .question = text_question, .decode = text_decode,
	.tell = text_tell, .give_up = text_give_up,
};

/* Send what is asked, or say at once that there is no room for it. */
static void
start(struct translate *t, uint16_t type, struct strbuf *asked, const char *input, const char *request,
    translate_text_cb *cb, void *arg)
{
	bool full = t->lists[LIST_TEXTS].n >= t->config->limits.translate_queue;
	struct translate_job *j = translate_job_new(t, &texts, arg);

	j->told = cb;
	j->asked = *asked;
	j->asked_type = type;
	j->bytes = asked->n;
	j->r.input = input;
	j->r.request = request;
	if (full)
		translate_give_up(j, NULL, ERR_BUSY, true, "too many texts wait to be written");
	else
		translate_job_ask(j);
}

void
translate_write(struct translate *t, const struct translate_write *q, translate_text_cb *cb, void *arg)
{
	struct strbuf b = STRBUF_INIT;

	translate_put_write(&b, q);
	start(t, TRANSLATE_WRITE, &b, q->format, q->request, cb, arg);
}

void
translate_ask(struct translate *t, const char *question, struct slice in, const char *request,
    translate_text_cb *cb, void *arg)
{
	struct strbuf b = STRBUF_INIT;

	translate_put_ask(&b, question, in);
	start(t, TRANSLATE_ASK, &b, question, request, cb, arg);
}
