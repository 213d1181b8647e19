/* What a process says of itself, as worker 0 reads it: a process that was taken over may say anything. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/wire.h"
#include "gateway/figures.h"
#include "gateway/process.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t question;

static bool
ask(void *ctx, uint64_t id)
{
	(void)ctx;
	question = id;
	return true;
}

/* Whatever came, the text keeps its form: no line but a comment or a sample, none without an end. */
static void
on_figures(void *arg, const struct figures *f)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	*(size_t *)arg = f->n;
	figures_print(&b, f);
	text = strbuf_slice(&b);
	assert(text.n > 0 && text.p[text.n - 1] == '\n');
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');

		assert(slice_starts(line, "# HELP tocsin_") || slice_starts(line, "# TYPE tocsin_") ||
		    slice_starts(line, "tocsin_"));
	}
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].nlinks; k++)
			assert(figures_link(f, f->v[i].links[k].peer) != NULL);
	strbuf_fini(&b);
}

/* An odd first byte: what follows is the series alone, behind a head that fits, so that a longer table does
 * not make the corpus worthless. */
static void
make_report(struct strbuf *b, struct slice in)
{
	struct strbuf text = STRBUF_INIT;

	if (in.n == 0 || in.p[0] % 2 == 0) {
		strbuf_addsl(b, in);
		return;
	}
	wire_put_u8(b, PROCESS_WORKER);
	wire_put_u32(b, 1);
	wire_put_i64(b, 4711);
	wire_put_u32(b, 0);
	wire_put_f64(b, 1);
	wire_put_f64(b, 1);
	wire_put_i64(&text, 1);
	wire_put_string(&text, "");
	wire_put_u32(&text, STATS);
	strbuf_addsl(&text, slice_from(in.p + 1, in.n - 1));
	wire_put_text(b, strbuf_slice(&text));
	strbuf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf body = STRBUF_INIT;
	struct figures_source own = { .stats = stats_new(), .sealed = true };
	struct figures_desk *d = figures_desk_new(NULL, &own, ask, NULL);
	size_t n = 0;

	log_setup(-1, false, LOG_OFF);
	figures_gather(d, on_figures, &n);
	make_report(&body, slice_from((const char *)data, size));
	figures_report(d, question, strbuf_slice(&body));
	strbuf_fini(&body);
	figures_report(d, question, SLICE_EMPTY);
	assert(n == 1 || n == 2);
	figures_desk_free(d);
	stats_free(own.stats);
	return 0;
}
