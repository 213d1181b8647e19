/* feed_commit.c -- what was noted becomes the last state, and what it changes joins the log; some of it in
 * each turn of the loop. Part of feed_log.h. */
#include "gateway/feed_log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/arena.h"

enum { SOME = 16384 };		/* records of one step */

enum commit_phase { COMMIT_LOCKS, COMMIT_COMPARES, COMMIT_WRITES };

/* A state beside the one that takes its place. */
struct commit {
	struct feed_take	*t;
	const struct feed_commit *c;		/* of the call in hand */
	struct feed_state	*out;
	enum commit_phase	 phase;
	int			 lock;
	struct feed_map		 names;		/* the new file, so far */
	struct state_head	 head;
	/* what is there; known: it is followed */
	bool			 known;
	struct feed_map		 old_map, log;
	struct state_head	 old;
	struct log_head		 log_head;
	const struct state_row	*rows;
	/* how far we are */
	size_t			 i, k;		/* comparing: in rows, in the order of the marks */
	size_t			 written;	/* rows of the index */
	struct strbuf		 changes;
	uint32_t		 n;
};

/* ---- what has changed ---- */

static void
add_change(struct strbuf *out, const uint8_t *key, enum feed_op op, struct slice name,
    struct slice line, struct slice csv)
{
	struct log_change c = { .op = op, .name_n = (uint32_t)name.n,
	    .json_n = (uint32_t)line.n, .csv_n = (uint32_t)csv.n };

	memcpy(c.key, key, FEED_KEY);
	strbuf_add(out, &c, sizeof(c));
	strbuf_addsl(out, name);
	strbuf_addsl(out, line);
	strbuf_addsl(out, csv);
}

static void
compare_record(struct commit *x, const struct state_row *was, const struct mark *is)
{
	struct slice name;

	if (is == NULL && was != NULL) {
		add_change(&x->changes, was->key, FEED_REMOVED, feed_state_name(&x->old_map, was),
		    SLICE_EMPTY, SLICE_EMPTY);
	} else if (is != NULL && (was == NULL || memcmp(was->sum, is->sum, FEED_SUM) != 0)) {
		name = slice_from(x->names.p + is->name_at, is->name_n);
		add_change(&x->changes, is->key, was == NULL ? FEED_ADDED : FEED_CHANGED, name,
		    slice_from(x->c->jsonl.p + is->json_at, is->json_n),
		    slice_from(x->c->csv.p + is->csv_at, is->csv_n));
	} else {
		return;
	}
	x->n++;
}

/* So many records more of both, which are sorted by key. 1: there are others; 0: none; -1: more has changed
 * than is worth keeping. */
static int
compare_some(struct commit *x, size_t some)
{
	while (x->i < x->old.n || x->k < x->t->n) {
		const struct mark *is = x->k == x->t->n ? NULL : &x->t->v[x->t->order[x->k]];
		const struct state_row *was = x->i == x->old.n ? NULL : &x->rows[x->i];
		int order = was == NULL ? 1 : is == NULL ? -1 : memcmp(was->key, is->key, FEED_KEY);

		if (some-- == 0)
			return 1;
		compare_record(x, order <= 0 ? was : NULL, order >= 0 ? is : NULL);
		x->i += order <= 0;
		x->k += order >= 0;
		if (x->changes.n > x->c->history_bytes)
			return -1;
	}
	return 0;
}

/* ---- the log ---- */

static void
add_block(struct strbuf *out, const struct commit *x, const struct state_head *h)
{
	struct log_block b = { .magic = BLOCK_MAGIC, .n = x->n, .no = h->no, .at_us = h->at_us,
	    .bytes = x->changes.n };
	uint8_t sum[SHA256_LEN];

	digest_sha256(strbuf_slice(&x->changes), sum);
	memcpy(b.sum, sum, FEED_SUM);
	strbuf_add(out, &b, sizeof(b));
	strbuf_addsl(out, strbuf_slice(&x->changes));
}

/* How much of the blocks goes, so that there is room for `more` and nothing is too old. */
static size_t
cut_of(struct slice log, const struct feed_commit *c, size_t more, struct log_block *last)
{
	size_t at = sizeof(struct log_head), cut = at, room = c->history_bytes / 2;
	bool full = log.n + more > c->history_bytes;
	struct slice changes;
	struct log_block b;

	while (feed_log_next(log, &at, &b, &changes)) {
		bool old = b.at_us < c->now_us - c->history_us;

		if (!old && (!full || log.n - cut + more <= room))
			break;
		cut = at;
		*last = b;
	}
	/* what is old alone is not worth a new file each time */
	return full || cut > log.n / 2 ? cut : sizeof(struct log_head);
}

static int
write_log(const char *base, const struct log_head *head, struct slice kept, struct slice block,
    struct err *e)
{
	struct strbuf path = STRBUF_INIT;
	int fd, rc = -1;

	feed_log_path(&path, base, head->gen);
	fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		err_set(e, ERR_IO, "cannot write %s: %s", path.p, strerror(errno));
	} else {
		rc = feed_write_all(fd, slice_from(head, sizeof(*head)), e);
		if (rc == 0)
			rc = feed_write_all(fd, kept, e);
		if (rc == 0)
			rc = feed_write_all(fd, block, e);
		close(fd);
	}
	strbuf_fini(&path);
	return rc;
}

/* The block joins the log of that state: what a crash left behind it is written over. */
static int
append_log(const char *base, const struct state_head *h, struct slice block, struct err *e)
{
	struct strbuf path = STRBUF_INIT;
	int fd, rc = -1;

	feed_log_path(&path, base, h->log_gen);
	fd = open(path.p, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || ftruncate(fd, (off_t)h->log_bytes) < 0 || lseek(fd, 0, SEEK_END) < 0)
		err_set(e, ERR_IO, "cannot write %s: %s", path.p, strerror(errno));
	else
		rc = feed_write_all(fd, block, e);
	if (fd >= 0)
		close(fd);
	strbuf_fini(&path);
	return rc;
}

/* A log for a chain that begins with this state. */
static int
begin_chain(const char *base, struct state_head *h, const struct state_head *old, struct err *e)
{
	struct log_head l = { .gen = old->log_gen + 1, .base_no = 1, .base_at_us = h->at_us };

	random_bytes(h->chain, sizeof(h->chain));
	h->no = 1;
	h->log_gen = l.gen;
	h->log_bytes = sizeof(l);
	memcpy(l.magic, feed_log_magic, sizeof(l.magic));
	memcpy(l.chain, h->chain, sizeof(l.chain));
	return write_log(base, &l, SLICE_EMPTY, SLICE_EMPTY, e);
}

/* The new state follows the old one. */
static int
continue_chain(struct commit *x, struct err *e)
{
	const struct state_head *old = &x->old;
	const struct feed_map *log = &x->log;
	struct state_head *h = &x->head;
	struct log_head *l = &x->log_head;
	struct log_block last = { .no = l->base_no, .at_us = l->base_at_us };
	struct slice text = slice_from(log->p, old->log_bytes), block;
	struct strbuf b = STRBUF_INIT;
	size_t cut;
	int rc;

	memcpy(h->chain, old->chain, sizeof(h->chain));
	h->no = old->no + 1;
	h->log_gen = old->log_gen;
	h->log_bytes = old->log_bytes;
	add_block(&b, x, h);
	block = strbuf_slice(&b);
	cut = cut_of(text, x->c, block.n, &last);
	if (cut == sizeof(*l)) {
		rc = append_log(x->c->base, h, block, e);
	} else {
		l->gen = ++h->log_gen;
		l->base_no = last.no;
		l->base_at_us = last.at_us;
		h->log_bytes -= cut - sizeof(*l);
		rc = write_log(x->c->base, l, slice_from(text.p + cut, text.n - cut), block, e);
	}
	h->log_bytes += block.n;
	strbuf_fini(&b);
	return rc;
}

/* ---- the state ---- */

/* So many rows of the index more. 1: there are others; 0: none; -1. */
static int
write_some(struct commit *x, size_t some, struct err *e)
{
	static const char gap[8] = "";
	struct feed_take *t = x->t;

	if (x->written == 0) {
		if (feed_take_put(t, slice_from(gap, (8 - t->bytes % 8) % 8), e) < 0)
			return -1;
		x->head.index_at = t->bytes;
	}
	for (; x->written < t->n && some > 0; some--) {
		const struct mark *m = &t->v[t->order[x->written++]];
		struct state_row r = { .name_at = m->name_at, .name_n = m->name_n };

		memcpy(r.key, m->key, FEED_KEY);
		memcpy(r.sum, m->sum, FEED_SUM);
		if (feed_take_put(t, slice_from(&r, sizeof(r)), e) < 0)
			return -1;
	}
	return x->written < t->n ? 1 : feed_take_flush(t, e);
}

/* The file is whole: it becomes the state. */
static int
put_in_place(struct feed_take *t, const struct feed_commit *c, struct state_head *h, struct err *e)
{
	struct strbuf path = STRBUF_INIT;
	int rc = 0;

	memcpy(h->magic, feed_state_magic, sizeof(h->magic));
	feed_head_sum(h, h->sum);
	strbuf_addf(&path, "%s.state", c->base);
	if (pwrite(t->fd, h, sizeof(*h), 0) != (ssize_t)sizeof(*h) || rename(t->temp, path.p) < 0)
		rc = err_set(e, ERR_IO, "cannot write %s: %s", path.p, strerror(errno));
	strbuf_fini(&path);
	return rc;
}

static void
drop_log(const char *base, uint64_t gen)
{
	struct strbuf path = STRBUF_INIT;

	feed_log_path(&path, base, gen);
	unlink(path.p);
	strbuf_fini(&path);
}

static void
tell(const struct state_head *h, struct feed_state *out)
{
	memcpy(out->chain, h->chain, sizeof(out->chain));
	out->no = h->no;
	out->at_us = h->at_us;
	out->n = h->n;
}

static bool
is_outdated(const struct state_head *old, const struct feed_commit *c)
{
	return strncmp(old->store, c->store, sizeof(old->store)) == 0 &&
	    (old->epoch.last_us > c->epoch.last_us || (old->epoch.last_us == c->epoch.last_us &&
	    old->epoch.turns > c->epoch.turns));
}

static int
lock(const char *base, struct err *e)
{
	struct strbuf path = STRBUF_INIT;
	int fd;

	strbuf_addf(&path, "%s.lock", base);
	fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		err_set(e, ERR_IO, "cannot open %s: %s", path.p, strerror(errno));
	strbuf_fini(&path);
	return fd;
}

/* ---- step by step ---- */

/* The lock is ours: what is there, and may it be replaced? */
static enum feed_committed
begin_locked(struct commit *x, struct err *e)
{
	const struct feed_commit *c = x->c;
	struct feed_take *t = x->t;
	bool known = feed_state_open(&x->old_map, c->base, &x->old, &x->rows);

	x->head = (struct state_head){ .at_us = c->now_us, .n = t->n, .epoch = c->epoch };
	snprintf(x->head.store, sizeof(x->head.store), "%s", c->store);
	t->names_end = t->bytes;
	if (feed_take_flush(t, e) < 0)
		return FEED_FAILED;
	if (!feed_map_open(&x->names, t->temp)) {
		err_set(e, ERR_IO, "cannot read %s again", t->temp);
		return FEED_FAILED;
	}
	if (known && is_outdated(&x->old, c))
		return FEED_OUTDATED;
	x->known = known && feed_log_open(&x->log, c->base, &x->old, &x->log_head);
	if (x->known && x->head.at_us < x->old.at_us)
		x->head.at_us = x->old.at_us;	/* the clock went back */
	x->phase = x->known ? COMMIT_COMPARES : COMMIT_WRITES;
	return FEED_MORE;
}

/* Everything is known and written: the log, then the state. */
static enum feed_committed
end_locked(struct commit *x, struct err *e)
{
	const char *base = x->c->base;
	int rc = x->known ? continue_chain(x, e) : begin_chain(base, &x->head, &x->old, e);

	if (rc == 0)
		rc = put_in_place(x->t, x->c, &x->head, e);
	if (rc < 0)
		return FEED_FAILED;
	if (x->old.log_gen != 0 && x->old.log_gen != x->head.log_gen)
		drop_log(base, x->old.log_gen);
	tell(&x->head, x->out);
	return FEED_COMMITTED;
}

static enum feed_committed
compare_step(struct commit *x)
{
	int rc = compare_some(x, SOME);

	if (rc > 0)
		return FEED_MORE;
	if (rc == 0 && x->n == 0) {
		tell(&x->old, x->out);
		return FEED_COMMITTED;	/* it is the last state again */
	}
	x->known = rc == 0;
	x->phase = COMMIT_WRITES;
	return FEED_MORE;
}

static enum feed_committed
write_step(struct commit *x, struct err *e)
{
	int rc = write_some(x, SOME, e);

	return rc > 0 ? FEED_MORE : rc < 0 ? FEED_FAILED : end_locked(x, e);
}

static enum feed_committed
lock_step(struct commit *x, struct err *e)
{
	if (x->lock < 0 && (x->lock = lock(x->c->base, e)) < 0)
		return FEED_FAILED;
	if (flock(x->lock, LOCK_EX | LOCK_NB) < 0)
		return FEED_LOCKED;
	return begin_locked(x, e);
}

void
feed_commit_free(struct commit *x)
{
	if (x == NULL)
		return;
	feed_map_close(&x->names);
	feed_map_close(&x->old_map);
	feed_map_close(&x->log);
	strbuf_fini(&x->changes);
	if (x->lock >= 0)
		close(x->lock);
	free(x);
}

static struct commit *
commit_new(struct feed_take *t)
{
	struct commit *x = xcalloc(1, sizeof(*x));

	x->t = t;
	x->lock = x->names.fd = x->old_map.fd = x->log.fd = -1;
	strbuf_init(&x->changes);
	return x;
}

enum feed_committed
feed_take_commit(struct feed_take *t, const struct feed_commit *c, struct feed_state *out,
    struct err *e)
{
	enum feed_committed result;
	struct commit *x;

	if (!feed_take_sort(t, SOME))
		return FEED_MORE;
	if (t->commit == NULL)
		t->commit = commit_new(t);
	x = t->commit;
	x->c = c;
	x->out = out;
	result = x->phase == COMMIT_LOCKS ? lock_step(x, e) : x->phase == COMMIT_COMPARES ?
	    compare_step(x) : write_step(x, e);
	if (result == FEED_MORE || result == FEED_LOCKED)
		return result;
	if (result == FEED_COMMITTED)
		unlink(t->temp);	/* what did not become the state needs no name */
	feed_commit_free(x);
	t->commit = NULL;
	return result;
}
