/* master_figures.c -- worker 0 asks what all processes count; the answers pass through here unread. */
#include "gateway/master_parts.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/wire.h"
#include "gateway/figures_look.h"

enum { QUERIES_MAX = 16, MASTER_KIND = PROCESS_KINDS };

/* One question, and who has not answered it yet. */
struct figures_query {
	uint64_t	 id;		/* worker 0's */
	uint64_t	 number;	/* ours */
	bool		 waits[PROCESS_KINDS][PROCESS_WORKERS_MAX];
	size_t		 left;
	struct figures_query *next;
};

/* Memory and processor time of the process, as we may see them and it itself in its cage may not. */
static void
put_seen(struct strbuf *b, int64_t pid)
{
	struct stats *seen = stats_new();

	if (pid > 0)
		figures_look_at_process(pid, seen);
	wire_put_f64(b, stats_value(seen, STAT_RESIDENT, NULL));
	wire_put_f64(b, stats_value(seen, STAT_CPU, NULL));
	stats_free(seen);
}

static void
report(struct master *m, const struct figures_query *q, uint8_t kind, uint32_t index, int64_t pid,
    uint32_t restarts, struct slice text)
{
	struct strbuf b = STRBUF_INIT;

	wire_put_u8(&b, kind);
	wire_put_u32(&b, index);
	wire_put_i64(&b, pid);
	wire_put_u32(&b, restarts);
	put_seen(&b, pid);
	wire_put_text(&b, text);
	proc_send(&m->workers[0], CONTROL_REPORT, q->id, strbuf_slice(&b), -1);
	strbuf_fini(&b);
}

/* What the master knows of itself, and of a process that is in its cage and cannot be asked. */
static void
report_seen(struct master *m, const struct figures_query *q, uint8_t kind, uint32_t index, int64_t pid,
    uint32_t restarts, int64_t started_us)
{
	const struct figures_source from = { .stats = stats_new(), .started_us = started_us,
		.sealed = kind != MASTER_KIND };
	struct strbuf b = STRBUF_INIT;

	figures_pack(&from, &b);
	report(m, q, kind, index, pid, restarts, strbuf_slice(&b));
	stats_free(from.stats);
	strbuf_fini(&b);
}

/* The last has answered: say so. */
static void
end_query(struct master *m, struct figures_query *q)
{
	struct figures_query **at = &m->queries;

	proc_send(&m->workers[0], CONTROL_REPORT, q->id, SLICE_EMPTY, -1);
	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	free(q);
}

static void
ask_one(struct figures_query *q, struct proc *p)
{
	if (p->state != PROC_SERVING && p->state != PROC_ENDING) {
		report(p->m, q, (uint8_t)p->kind, p->index, p->pid, p->restarts, SLICE_EMPTY);
		return;
	}
	if (p->kind == PROCESS_TRANSLATOR) {
		report_seen(p->m, q, (uint8_t)p->kind, p->index, p->pid, p->restarts,
		    p->since_us);
		return;
	}
	/* who stays silent is known by name all the same */
	report(p->m, q, (uint8_t)p->kind, p->index, p->pid, p->restarts, SLICE_EMPTY);
	q->waits[p->kind][p->index] = true;
	q->left++;
	proc_send(p, CONTROL_FIGURES, q->number, SLICE_EMPTY, -1);
}

void
figures_ask(struct master *m, struct proc *who, uint64_t id)
{
	static uint64_t last;
	struct figures_query *q;
	size_t n = 0;

	for (q = m->queries; q != NULL; q = q->next)
		n++;
	if (who != &m->workers[0] || n >= QUERIES_MAX)
		return;
	q = xcalloc(1, sizeof(*q));
	q->id = id;
	q->number = ++last;
	q->next = m->queries;
	m->queries = q;
	report_seen(m, q, MASTER_KIND, 0, getpid(), 0, m->started_us);
	ask_one(q, &m->keeper);
	for (uint32_t i = 0; i < m->nworkers; i++) {
		ask_one(q, &m->workers[i]);
		ask_one(q, &m->translators[i]);
	}
	if (q->left == 0)
		end_query(m, q);
}

void
figures_are(struct master *m, struct proc *p, uint64_t id, struct slice body)
{
	for (struct figures_query *q = m->queries; q != NULL; q = q->next) {
		if (q->number != id || !q->waits[p->kind][p->index])
			continue;
		q->waits[p->kind][p->index] = false;
		report(m, q, (uint8_t)p->kind, p->index, p->pid, p->restarts, body);
		if (--q->left == 0)
			end_query(m, q);
		return;
	}
}

/* Nobody waits for the dead; and if it was worker 0, nobody waits at all. */
void
figures_gone(struct master *m, struct proc *p)
{
	struct figures_query *next;

	if (p == &m->workers[0])
		figures_fini(m);
	for (struct figures_query *q = m->queries; q != NULL; q = next) {
		next = q->next;
		if (!q->waits[p->kind][p->index])
			continue;
		q->waits[p->kind][p->index] = false;
		report(m, q, (uint8_t)p->kind, p->index, 0, p->restarts, SLICE_EMPTY);
		if (--q->left == 0)
			end_query(m, q);
	}
}

void
figures_fini(struct master *m)
{
	while (m->queries != NULL) {
		struct figures_query *q = m->queries;

		m->queries = q->next;
		free(q);
	}
}
