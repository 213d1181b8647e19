#include "adapters/taxii_refuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "adapters/taxii_resources.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

/* What a status means, whatever was asked for. step TAXII_STEPS: the step that was asked for. */
struct meaning {
	int		 status;
	enum taxii_step	 step;
	const char	*words;
	bool		 names;		/* the peer's name follows */
};

static const struct meaning meanings[] = {
	{ 400, TAXII_STEPS, "the server does not understand the request", false },
	{ 401, TAXII_STEP_AUTH, "the login is missing or wrong: tocsin peer login", true },
	{ 403, TAXII_STEP_RIGHTS, "our login has no right to this", false },
	{ 404, TAXII_STEPS, "there is nothing at that address", false },
	{ 405, TAXII_STEP_HTTP, "the server does not allow this there: is the address right?", false },
	{ 406, TAXII_STEP_VERSION, "the server does not speak this version of TAXII", false },
	{ 410, TAXII_STEPS, "it is gone", false },
	{ 413, TAXII_STEPS, "the server takes less at once", false },
	{ 415, TAXII_STEP_VERSION, "the server does not take this version of TAXII or STIX", false },
	{ 416, TAXII_STEPS, "the range lies behind the end", false },
	{ 422, TAXII_STEPS, "the server does not take what was sent", false },
	{ 429, TAXII_STEP_BUSY, "we ask too often for the server's taste", false },
	{ 503, TAXII_STEP_BUSY, "the server is busy or down for the moment", false },
	{ 0, TAXII_STEPS, NULL, false }
};

static const struct meaning *
meaning_of(int status)
{
	const struct meaning *m = meanings;

	while (m->status != 0 && m->status != status)
		m++;
	return m;
}

void
taxii_refuse_words(struct taxii_failure *f, enum taxii_step step, int http, const char *fmt, ...)
{
	va_list ap;

	f->step = step;
	f->http = http;
	va_start(ap, fmt);
	vsnprintf(f->words, sizeof(f->words), fmt, ap);
	va_end(ap);
}

/* The connection, or the answer on it. */
static void
no_answer(struct taxii_failure *f, const struct http_reply *r)
{
	static const enum taxii_step steps[] = {
		[HTTP_STEP_NAME] = TAXII_STEP_NAME, [HTTP_STEP_TCP] = TAXII_STEP_TCP,
		[HTTP_STEP_PROXY] = TAXII_STEP_PROXY, [HTTP_STEP_TLS] = TAXII_STEP_TLS,
		[HTTP_STEP_SEND] = TAXII_STEP_SEND, [HTTP_STEP_ANSWER] = TAXII_STEP_ANSWER,
		[HTTP_STEP_DONE] = TAXII_STEP_ANSWER,
	};

	taxii_refuse_words(f, steps[r->step], 0, "%s", r->err->reason);
	f->code = r->err->code;
}

static void
redirected(struct taxii_failure *f, const struct http_reply *r, struct arena *mem)
{
	char *to = arena_str(mem, http1_field(r->head, "location"));

	for (char *p = to; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			*p = '?';
	taxii_refuse_words(f, TAXII_STEP_HTTP, r->status, "HTTP %d: the server sends us on to %.200s, "
	    "which is not followed: write that address as url if it is the right one", r->status,
	    to[0] == '\0' ? "another address" : to);
}

void
taxii_refuse_reply(struct taxii_failure *f, const struct http_reply *r, enum taxii_step step,
    const char *name, enum taxii_version version, struct arena *mem)
{
	const struct meaning *m = meaning_of(r->status);
	char meant[200] = "an answer that no TAXII server gives";
	const char *said;

	if (r->status == 0) {
		no_answer(f, r);
		return;
	}
	if (r->status >= 300 && r->status < 400 && r->status != 304) {
		redirected(f, r, mem);
		return;
	}
	if (m->words != NULL)
		snprintf(meant, sizeof(meant), "%s%s%s", m->words, m->names ? " " : "",
		    m->names ? name : "");
	else if (r->status >= 500)
		snprintf(meant, sizeof(meant), "the server has failed");
	said = taxii_read_error(r->body, mem);
	taxii_refuse_words(f, m->words == NULL ? TAXII_STEP_HTTP : m->step == TAXII_STEPS ? step : m->step,
	    r->status, "HTTP %d: %s%s%s%s%s", r->status, meant,
	    m->step == TAXII_STEP_VERSION ? (version == TAXII_20 ? " (2.0)" : " (2.1)") : "",
	    said[0] != '\0' ? " (it says: " : "", said, said[0] != '\0' ? ")" : "");
	f->retry_after_us = taxii_read_retry_after(http1_field(r->head, "retry-after"), clock_wall_us());
}
