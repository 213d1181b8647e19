/* feed_take.c -- a new state of a feed, and what makes it differ from the last one. Part of feed_log.h. */
#include "gateway/feed_log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum { PIECE = 256 * 1024, SLOTS_FIRST = 1024, RANDOM = 8 };

struct mark {
	uint8_t		 key[FEED_KEY], sum[FEED_SUM];
	uint64_t	 name_at, json_at, csv_at;
	uint32_t	 name_n, json_n, csv_n;
};

struct feed_take {
	char		*temp;		/* path of the file */
	int		 fd;
	uint64_t	 bytes;		/* in it and waiting */
	struct strbuf	 waiting;
	struct mark	*v;
	size_t		 n, cap;
	uint64_t	 names_end;	/* where the names end in the file */
	uint32_t	*slots;		/* 1 + place in v, by key; a power of two */
	size_t		 nslots;
};

/* ---- writing down ---- */

static int
write_all(int fd, struct slice s, struct err *e)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO, "cannot write what a feed said: %s",
			    strerror(errno));
		s = slice_from(s.p + n, s.n - (size_t)n);
	}
	return 0;
}

static int
flush(struct feed_take *t, struct err *e)
{
	int rc = write_all(t->fd, strbuf_slice(&t->waiting), e);

	strbuf_reset(&t->waiting);
	return rc;
}

static int
put(struct feed_take *t, struct slice s, struct err *e)
{
	strbuf_addsl(&t->waiting, s);
	t->bytes += s.n;
	return t->waiting.n < PIECE ? 0 : flush(t, e);
}

struct feed_take *
feed_take_new(const char *base, struct err *e)
{
	struct feed_take *t = xcalloc(1, sizeof(*t));
	const struct state_head none = { .n = 0 };
	struct strbuf path = STRBUF_INIT;
	char text[2 * RANDOM + 1];
	uint8_t raw[RANDOM];

	random_bytes(raw, sizeof(raw));
	hex_text(raw, sizeof(raw), text);
	strbuf_addf(&path, "%s.tmp-%s", base, text);
	t->temp = strbuf_take(&path, NULL);
	strbuf_init(&t->waiting);
	t->fd = open(t->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->fd < 0) {
		err_set(e, ERR_IO, "cannot make %s: %s", t->temp, strerror(errno));
		feed_take_free(t);
		return NULL;
	}
	t->nslots = SLOTS_FIRST;
	t->slots = xcalloc(t->nslots, sizeof(*t->slots));
	strbuf_add(&t->waiting, &none, sizeof(none));	/* written when all is known */
	t->bytes = sizeof(none);
	return t;
}

void
feed_take_free(struct feed_take *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0) {
		close(t->fd);
		unlink(t->temp);	/* gone already if it became the state */
	}
	strbuf_fini(&t->waiting);
	free(t->temp);
	free(t->slots);
	free(t->v);
	free(t);
}

size_t
feed_take_bytes(const struct feed_take *t)
{
	return t == NULL ? 0 : t->cap * sizeof(*t->v) + t->nslots * sizeof(*t->slots);
}

/* ---- records ---- */

static void
key_of(struct slice name, uint8_t key[FEED_KEY])
{
	uint8_t sum[SHA256_LEN];

	digest_sha256(name, sum);
	memcpy(key, sum, FEED_KEY);
}

/* The slot of a key, or the empty one where it would be. */
static uint32_t *
slot_of(const struct feed_take *t, const uint8_t key[FEED_KEY])
{
	uint64_t at;

	memcpy(&at, key, sizeof(at));
	for (;; at++) {
		uint32_t *slot = &t->slots[at & (t->nslots - 1)];

		if (*slot == 0 || memcmp(t->v[*slot - 1].key, key, FEED_KEY) == 0)
			return slot;
	}
}

static void
grow_slots(struct feed_take *t)
{
	free(t->slots);
	t->nslots *= 2;
	t->slots = xcalloc(t->nslots, sizeof(*t->slots));
	for (size_t i = 0; i < t->n; i++)
		*slot_of(t, t->v[i].key) = (uint32_t)i + 1;
}

/* Copy the names of an old file, head included. */
static int
copy_names(struct feed_take *t, int from, uint64_t end, struct err *e)
{
	off_t at = 0;

	while ((uint64_t)at < end) {
		ssize_t n = copy_file_range(from, &at, t->fd, NULL, end - (uint64_t)at, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO, "cannot copy what a feed said: %s",
			    n == 0 ? "the file is too short" : strerror(errno));
	}
	return 0;
}

struct feed_take *
feed_take_extend(struct feed_take *old, const char *base, struct err *e)
{
	struct feed_take *t = feed_take_new(base, e);

	if (t == NULL) {
		feed_take_free(old);
		return NULL;
	}
	strbuf_reset(&t->waiting);
	t->bytes = t->names_end = old->names_end;
	t->v = old->v;
	t->n = old->n;
	t->cap = old->cap;
	free(t->slots);
	t->nslots = old->nslots;
	t->slots = old->slots;
	memset(t->slots, 0, t->nslots * sizeof(*t->slots));
	old->v = NULL;
	old->slots = NULL;
	for (size_t i = 0; i < t->n; i++)	/* they were sorted meanwhile */
		*slot_of(t, t->v[i].key) = (uint32_t)i + 1;
	if (copy_names(t, old->fd, old->names_end, e) < 0) {
		feed_take_free(t);
		t = NULL;
	}
	feed_take_free(old);
	return t;
}

bool
feed_take_knows(const struct feed_take *t, struct slice name)
{
	uint8_t key[FEED_KEY];

	key_of(name, key);
	return *slot_of(t, key) != 0;
}

static void
sum_of(struct slice line, struct slice csv, uint8_t out[FEED_SUM])
{
	struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_LEN];

	sha256_add(h, line);
	sha256_add(h, csv);
	sha256_end(h, sum);
	memcpy(out, sum, FEED_SUM);
}

int
feed_take_add(struct feed_take *t, struct slice name, struct slice line, uint64_t json_at,
    struct slice csv, uint64_t csv_at, struct err *e)
{
	struct mark *m;

	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 256 : 2 * t->cap;
		t->v = xrealloc(t->v, t->cap * sizeof(*t->v));
	}
	m = &t->v[t->n++];
	*m = (struct mark){ .name_at = t->bytes, .json_at = json_at, .csv_at = csv_at,
	    .name_n = (uint32_t)name.n, .json_n = (uint32_t)line.n, .csv_n = (uint32_t)csv.n };
	key_of(name, m->key);
	sum_of(line, csv, m->sum);
	if (2 * t->n > t->nslots)
		grow_slots(t);		/* all of them, this one too */
	else
		*slot_of(t, m->key) = (uint32_t)t->n;
	return put(t, name, e);
}

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

/* A state beside the one that takes its place. */
struct compared {
	const struct feed_commit *c;
	const struct mark	*now;
	size_t			 nnow;
	struct slice		 names;		/* the new file, so far */
	struct feed_map		 old;
	const struct state_row	*rows;
	size_t			 nrows;
	struct strbuf		 changes;
	uint32_t		 n;
};

static void
compare_record(struct compared *x, const struct state_row *was, const struct mark *is)
{
	struct slice name;

	if (is == NULL) {
		add_change(&x->changes, was->key, FEED_REMOVED, feed_state_name(&x->old, was),
		    SLICE_EMPTY, SLICE_EMPTY);
	} else if (was == NULL || memcmp(was->sum, is->sum, FEED_SUM) != 0) {
		name = slice_from(x->names.p + is->name_at, is->name_n);
		add_change(&x->changes, is->key, was == NULL ? FEED_ADDED : FEED_CHANGED, name,
		    slice_from(x->c->jsonl.p + is->json_at, is->json_n),
		    slice_from(x->c->csv.p + is->csv_at, is->csv_n));
	} else {
		return;
	}
	x->n++;
}

/* Both are sorted by key. False: more has changed than is worth keeping. */
static bool
compare(struct compared *x)
{
	size_t i = 0, k = 0;

	while (i < x->nrows || k < x->nnow) {
		int order = i == x->nrows ? 1 : k == x->nnow ? -1 :
		    memcmp(x->rows[i].key, x->now[k].key, FEED_KEY);

		compare_record(x, order <= 0 ? &x->rows[i] : NULL, order >= 0 ? &x->now[k] : NULL);
		i += order <= 0;
		k += order >= 0;
		if (x->changes.n > x->c->history_bytes)
			return false;
	}
	return true;
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, FEED_KEY);
}

/* ---- the log ---- */

static void
add_block(struct strbuf *out, const struct compared *x, const struct state_head *h)
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
		rc = write_all(fd, slice_from(head, sizeof(*head)), e);
		if (rc == 0)
			rc = write_all(fd, kept, e);
		if (rc == 0)
			rc = write_all(fd, block, e);
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
		rc = write_all(fd, block, e);
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
continue_chain(const struct compared *x, struct state_head *h, const struct state_head *old,
    const struct feed_map *log, struct log_head *l, struct err *e)
{
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

static int
write_index(struct feed_take *t, uint64_t *at, struct err *e)
{
	static const char gap[8] = "";

	if (put(t, slice_from(gap, (8 - t->bytes % 8) % 8), e) < 0)
		return -1;
	*at = t->bytes;
	for (size_t i = 0; i < t->n; i++) {
		const struct mark *m = &t->v[i];
		struct state_row r = { .name_at = m->name_at, .name_n = m->name_n };

		memcpy(r.key, m->key, FEED_KEY);
		memcpy(r.sum, m->sum, FEED_SUM);
		if (put(t, slice_from(&r, sizeof(r)), e) < 0)
			return -1;
	}
	return flush(t, e);
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

/* Everything under the lock. */
static enum feed_committed
commit_locked(struct feed_take *t, const struct feed_commit *c, struct compared *x,
    struct feed_state *out, struct err *e)
{
	struct state_head old = { .n = 0 }, h = { .at_us = c->now_us, .n = t->n,
	    .epoch = c->epoch };
	bool known = feed_state_open(&x->old, c->base, &old, &x->rows);
	struct feed_map log = { .fd = -1 };
	struct log_head l;
	int rc;

	snprintf(h.store, sizeof(h.store), "%s", c->store);
	x->nrows = known ? old.n : 0;
	if (known && is_outdated(&old, c))
		return FEED_OUTDATED;
	known = known && feed_log_open(&log, c->base, &old, &l) && compare(x);
	if (known && x->n == 0) {
		feed_map_close(&log);
		tell(&old, out);
		return FEED_COMMITTED;
	}
	rc = write_index(t, &h.index_at, e);
	if (rc == 0 && known && h.at_us < old.at_us)
		h.at_us = old.at_us;	/* the clock went back */
	if (rc == 0)
		rc = known ? continue_chain(x, &h, &old, &log, &l, e) :
		    begin_chain(c->base, &h, &old, e);
	feed_map_close(&log);
	if (rc == 0)
		rc = put_in_place(t, c, &h, e);
	if (rc < 0)
		return FEED_FAILED;
	if (old.log_gen != 0 && old.log_gen != h.log_gen)
		drop_log(c->base, old.log_gen);
	tell(&h, out);
	return FEED_COMMITTED;
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

enum feed_committed
feed_take_commit(struct feed_take *t, const struct feed_commit *c, struct feed_state *out,
    struct err *e)
{
	struct compared x = { .c = c, .changes = STRBUF_INIT, .old = { .fd = -1 } };
	struct feed_map names = { .fd = -1 };
	enum feed_committed result = FEED_FAILED;
	int fd = lock(c->base, e);

	if (fd < 0)
		return FEED_FAILED;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return FEED_LOCKED;
	}
	t->names_end = t->bytes;
	if (flush(t, e) == 0 && feed_map_open(&names, t->temp)) {
		if (t->n > 1)
			qsort(t->v, t->n, sizeof(*t->v), by_key);
		x.now = t->v;
		x.nnow = t->n;
		x.names = slice_from(names.p, names.n);
		result = commit_locked(t, c, &x, out, e);
	}
	if (result == FEED_COMMITTED)
		unlink(t->temp);	/* what did not become the state needs no name */
	feed_map_close(&names);
	feed_map_close(&x.old);
	strbuf_fini(&x.changes);
	close(fd);
	return result;
}
