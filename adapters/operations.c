#include "adapters/operations.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "gateway/figures.h"
#include "gateway/gateway.h"
#include "gateway/health.h"

struct operations {
	struct gateway		*g;
	struct http_handler	 handler;
};

/* A request that waits for the figures of all processes. */
struct question {
	struct operations	*o;
	struct http_exchange	*x;
	void			(*print)(struct question *q, const struct figures *f);
};

static const char text_type[] = "text/plain; charset=utf-8";

static void
answer(struct http_exchange *x, int status, const char *type, struct strbuf *body)
{
	const struct http_answer a = { .status = status, .content_type = type, .take = body };

	http_respond(x, &a);
	strbuf_fini(body);
}

/* ---- /metrics ---- */

static void
print_metrics(struct question *q, const struct figures *f)
{
	struct strbuf b = STRBUF_INIT;
	struct health h;

	health_look(&h, q->x->mem, q->o->g, f);
	health_figures(&h, f->all);
	figures_print(&b, f);
	answer(q->x, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}

/* ---- /readyz ---- */

static bool
wants_json(const struct http_exchange *x)
{
	return slice_starts(http1_field(x->head, "accept"), "application/json");
}

static void
add_problem(struct strbuf *b, const struct problem *p)
{
	strbuf_addf(b, "%s{\"problem\":\"%s\",\"kind\":\"%s\",\"text\":",
	    b->p[b->n - 1] == '[' ? "" : ",", p->word, p->failure ? "failure" : "warning");
	json_print_string(b, slice_of(p->text));
	strbuf_addc(b, '}');
}

/* "ready", or every reason why not, a line each; warnings after that. The same as JSON for who asks so. */
static void
print_ready(struct question *q, const struct figures *f)
{
	bool as_json = wants_json(q->x);
	struct strbuf b = STRBUF_INIT;
	struct health h;

	health_look(&h, q->x->mem, q->o->g, f);
	if (as_json)
		strbuf_addf(&b, "{\"ready\":%s,\"problems\":[", h.ready ? "true" : "false");
	else if (h.ready)
		strbuf_adds(&b, "ready\n");
	for (size_t i = 0; i < h.n; i++) {
		if (as_json)
			add_problem(&b, &h.v[i]);
		else
			strbuf_addf(&b, "%s%s\n", h.v[i].failure ? "" : "warning: ", h.v[i].text);
	}
	if (as_json)
		strbuf_adds(&b, "]}\n");
	answer(q->x, h.ready ? 200 : 503, as_json ? "application/json" : text_type, &b);
}

/* ---- requests ---- */

static void
on_figures(void *arg, const struct figures *f)
{
	struct question *q = arg;

	q->x->user = NULL;
	q->print(q, f);
}

static void
ask(struct operations *o, struct http_exchange *x,
    void (*print)(struct question *q, const struct figures *f))
{
	struct question *q = arena_alloc(x->mem, sizeof(*q));

	*q = (struct question){ .o = o, .x = x, .print = print };
	x->user = q;
	figures_gather(o->g->figures, on_figures, q);
}

static void
on_gone(struct http_exchange *x, void *arg)
{
	struct operations *o = arg;

	if (x->user != NULL)
		figures_forget(o->g->figures, x->user);
}

/* /healthz asks nobody: that this loop answers is all it says. */
static void
on_head(struct http_exchange *x, void *arg)
{
	struct operations *o = arg;
	const struct http1_head *h = x->head;
	struct strbuf b = STRBUF_INIT;

	if (h->method != HTTP_GET && h->method != HTTP_HEAD) {
		http_refuse(x, 405, "GET only", NULL, 0);
	} else if (slice_is(h->path, "/metrics")) {
		ask(o, x, print_metrics);
	} else if (slice_is(h->path, "/healthz")) {
		strbuf_adds(&b, "ok\n");
		answer(x, 200, text_type, &b);
	} else if (slice_is(h->path, "/readyz")) {
		ask(o, x, print_ready);
	} else {
		http_refuse(x, 404, "/metrics, /healthz, /readyz", NULL, 0);
	}
}

struct operations *
operations_new(struct gateway *g)
{
	struct operations *o = xcalloc(1, sizeof(*o));

	o->g = g;
	o->handler = (struct http_handler){ .on_head = on_head, .on_gone = on_gone, .arg = o };
	return o;
}

void
operations_free(struct operations *o)
{
	free(o);
}

const struct http_handler *
operations_handler(struct operations *o)
{
	return &o->handler;
}
