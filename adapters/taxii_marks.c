#include "adapters/taxii_marks.h"

#include "gateway/gateway.h"

bool
taxii_marks_may(struct taxii_request *rq)
{
	rq->may_mark = !rq->reader.test && consumer_marks_may(rq->g->marks, rq->reader.peer);
	return rq->may_mark;
}

/* The filters that tell one way through a collection from another. */
static int64_t
filters_of(const struct taxii_request *rq)
{
	int64_t h = 0;

	for (int f = FILTER_ADDED_AFTER + 1; f < FILTERS; f++)
		h = consumer_hash(h, rq->q.text[f]);
	return h;
}

/* The client's own cursor counts only until there is a mark; within a walk the token does. */
void
taxii_marks_apply(struct taxii_request *rq)
{
	struct taxii_query *q = &rq->q;
	struct consumer_page_mark *m = &rq->mark;

	if (!rq->may_mark || q->text[FILTER_ID].p != NULL || q->text[FILTER_VERSION].p != NULL)
		return;
	m->name = rq->reader.name;
	m->uuid = rq->collection->uuid;
	m->filters = filters_of(rq);
	consumer_marks_get(rq->g->marks, rq->reader.peer, m->uuid, m->filters, &m->mark);
	if (!m->mark.on)
		return;
	if (q->has_next)
		q->added_after_us = -1;
	else if (m->mark.position_us != MARK_NEVER)
		q->added_after_us = m->mark.position_us;
	q->page.added_after_us = q->added_after_us;
	if (q->has_next || m->mark.position_us != MARK_NEVER)
		q->text[FILTER_ADDED_AFTER] = (struct slice){ NULL, 0 };
	m->from_us = q->has_next ? q->next_us : q->added_after_us;
}

void
taxii_marks_done(struct taxii_request *rq, const struct page_seen *seen)
{
	struct consumer_page_mark *m = &rq->mark;

	if (!m->mark.on)
		return;
	m->last_us = seen->n > 0 ? seen->last_us : m->from_us;
	m->end = !seen->full;
	consumer_marks_move(rq->g->marks, m);
}
