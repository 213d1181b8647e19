/* feed_log.c -- what has changed in a feed since a cursor or a time; the writing half is feed_take.c. */
#include "gateway/feed_log_impl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

const char feed_state_magic[8] = "tocsinF1", feed_log_magic[8] = "tocsinL1";

enum { MAC = 16, CURSOR_RAW = FEED_CHAIN + 8 + MAC };
/* How far a clock that gave us a time may be wrong: more is told then than is needed. */
#define SKEW_US	INT64_C(60000000)

/* ---- the files ---- */

bool
feed_map_open(struct feed_map *m, const char *path)
{
	struct stat st;

	*m = (struct feed_map){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) };
	if (m->fd < 0)
		return false;
	if (fstat(m->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		m->n = (size_t)st.st_size;
		m->p = mmap(NULL, m->n, PROT_READ, MAP_SHARED, m->fd, 0);
		if (m->p != MAP_FAILED)
			return true;
		m->p = NULL;
	}
	feed_map_close(m);
	return false;
}

void
feed_map_close(struct feed_map *m)
{
	if (m->p != NULL)
		munmap(m->p, m->n);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct feed_map){ .fd = -1 };
}

void
feed_head_sum(const struct state_head *h, uint8_t out[SHA256_LEN])
{
	digest_sha256(slice_from(h, offsetof(struct state_head, sum)), out);
}

bool
feed_state_open(struct feed_map *m, const char *base, struct state_head *head,
    const struct state_row **rows)
{
	struct strbuf path = STRBUF_INIT;
	uint8_t sum[SHA256_LEN];
	bool good;

	strbuf_addf(&path, "%s.state", base);
	good = feed_map_open(m, path.p) && m->n >= sizeof(*head);
	if (good) {
		memcpy(head, m->p, sizeof(*head));
		feed_head_sum(head, sum);
		good = memcmp(head->magic, feed_state_magic, sizeof(head->magic)) == 0 &&
		    memcmp(sum, head->sum, sizeof(sum)) == 0 && head->index_at % 8 == 0 &&
		    head->index_at <= m->n &&
		    head->n == (m->n - head->index_at) / sizeof(**rows);
	}
	strbuf_fini(&path);
	if (!good) {
		*head = (struct state_head){ .n = 0 };
		feed_map_close(m);
		return false;
	}
	*rows = (const struct state_row *)(const void *)(m->p + head->index_at);
	return true;
}

struct slice
feed_state_name(const struct feed_map *m, const struct state_row *r)
{
	if (r->name_at > m->n || r->name_n > m->n - r->name_at)
		return SLICE_EMPTY;
	return slice_from(m->p + r->name_at, r->name_n);
}

void
feed_log_path(struct strbuf *out, const char *base, uint64_t gen)
{
	strbuf_addf(out, "%s.log.%llu", base, (unsigned long long)gen);
}

bool
feed_log_open(struct feed_map *m, const char *base, const struct state_head *state,
    struct log_head *head)
{
	struct strbuf path = STRBUF_INIT;
	bool good;

	feed_log_path(&path, base, state->log_gen);
	good = feed_map_open(m, path.p) && m->n >= sizeof(*head) && state->log_bytes <= m->n &&
	    state->log_bytes >= sizeof(*head);
	if (good) {
		memcpy(head, m->p, sizeof(*head));
		good = memcmp(head->magic, feed_log_magic, sizeof(head->magic)) == 0 &&
		    memcmp(head->chain, state->chain, sizeof(head->chain)) == 0;
	}
	strbuf_fini(&path);
	if (!good)
		feed_map_close(m);
	return good;
}

bool
feed_log_next(struct slice log, size_t *at, struct log_block *b, struct slice *changes)
{
	uint8_t sum[SHA256_LEN];

	if (*at > log.n || log.n - *at < sizeof(*b))
		return false;
	memcpy(b, log.p + *at, sizeof(*b));
	if (b->magic != BLOCK_MAGIC || b->bytes > log.n - *at - sizeof(*b))
		return false;
	*changes = slice_from(log.p + *at + sizeof(*b), b->bytes);
	digest_sha256(*changes, sum);
	*at += sizeof(*b) + b->bytes;
	return memcmp(sum, b->sum, FEED_SUM) == 0;
}

/* ---- cursors ---- */

static void
mac_of(const uint8_t *raw, struct slice key, struct slice who, uint8_t mac[SHA256_LEN])
{
	struct strbuf b = STRBUF_INIT;

	strbuf_adds(&b, "feed-since-1\n");
	strbuf_addsl(&b, who);
	strbuf_addc(&b, '\n');
	strbuf_add(&b, raw, CURSOR_RAW - MAC);
	digest_hmac_sha256(key, strbuf_slice(&b), mac);
	strbuf_fini(&b);
}

void
feed_cursor(const struct feed_state *s, struct slice key, struct slice who, char out[FEED_CURSOR])
{
	uint8_t raw[CURSOR_RAW], mac[SHA256_LEN];
	struct strbuf b = STRBUF_INIT;

	memcpy(raw, s->chain, FEED_CHAIN);
	memcpy(raw + FEED_CHAIN, &s->no, sizeof(s->no));
	mac_of(raw, key, who, mac);
	memcpy(raw + FEED_CHAIN + sizeof(s->no), mac, MAC);
	base64url_add(&b, raw, sizeof(raw));
	memcpy(out, b.p, b.n + 1);
	strbuf_fini(&b);
}

static bool
read_cursor(struct slice text, struct slice key, struct slice who, struct feed_since *out)
{
	uint8_t raw[CURSOR_RAW], mac[SHA256_LEN];
	struct strbuf b = STRBUF_INIT;
	bool good = text.n < FEED_CURSOR && base64url_decode(text, &b) && b.n == sizeof(raw);

	if (good) {
		memcpy(raw, b.p, sizeof(raw));
		mac_of(raw, key, who, mac);
		good = secret_eq(slice_from(mac, MAC), slice_from(raw + CURSOR_RAW - MAC, MAC));
	}
	strbuf_fini(&b);
	if (!good)
		return false;
	memcpy(out->chain, raw, FEED_CHAIN);
	memcpy(&out->no, raw + FEED_CHAIN, sizeof(out->no));
	return true;
}

bool
feed_since_read(struct slice text, struct slice key, struct slice who, struct feed_since *out)
{
	*out = (struct feed_since){ .no = 0 };
	out->by_time = stamp_parse(text, &out->time_us);
	return out->by_time || read_cursor(text, key, who, out);
}

/* ---- folding ---- */

const char *
feed_op_word(enum feed_op op)
{
	static const char *const words[] = { [FEED_REMOVED] = "removed", [FEED_CHANGED] = "changed",
	    [FEED_ADDED] = "added" };

	return words[op];
}

/* One change of one record. */
struct change {
	struct log_change	 head;
	const char		*text;
	size_t			 seq;
};

struct fold {
	struct change	*v;
	size_t		 n, cap;
};

/* False: the block lies about itself. */
static bool
take_block(struct fold *f, struct slice s)
{
	while (s.n > 0) {
		struct change c = { .seq = f->n };
		size_t n;

		if (s.n < sizeof(c.head))
			return false;
		memcpy(&c.head, s.p, sizeof(c.head));
		n = (size_t)c.head.name_n + c.head.json_n + c.head.csv_n;
		if (c.head.op > FEED_ADDED || n > s.n - sizeof(c.head))
			return false;
		c.text = s.p + sizeof(c.head);
		if (f->n == f->cap) {
			f->cap = f->cap == 0 ? 256 : 2 * f->cap;
			f->v = xrealloc(f->v, f->cap * sizeof(*f->v));
		}
		f->v[f->n++] = c;
		s = slice_from(s.p + sizeof(c.head) + n, s.n - sizeof(c.head) - n);
	}
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int order = memcmp(x->head.key, y->head.key, FEED_KEY);

	return order != 0 ? order : x->seq < y->seq ? -1 : 1;
}

/* What a record that changed from `first` on to `last` means to who had what was there before. A time does
 * not tell exactly what that was: then it is removed even if it was not there at first. False: nothing. */
static bool
sum_up(const struct change *first, struct change *last, bool by_time)
{
	bool had = first->head.op != FEED_ADDED, has = last->head.op != FEED_REMOVED;

	last->head.op = !has ? FEED_REMOVED : had ? FEED_CHANGED : FEED_ADDED;
	return has || had || by_time;
}

/* Of each record the last change remains. */
static void
fold(struct fold *f, bool by_time)
{
	size_t to = 0;

	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_key);
	for (size_t i = 0, end; i < f->n; i = end) {
		for (end = i + 1; end < f->n &&
		    memcmp(f->v[end].head.key, f->v[i].head.key, FEED_KEY) == 0; end++)
			;
		if (sum_up(&f->v[i], &f->v[end - 1], by_time))
			f->v[to++] = f->v[end - 1];
	}
	f->n = to;
}

static void
give(const struct fold *f, feed_change_fn *fn, void *ctx)
{
	for (int op = FEED_REMOVED; op <= FEED_ADDED; op++) {
		for (size_t i = 0; i < f->n; i++) {
			const struct log_change *h = &f->v[i].head;
			const char *p = f->v[i].text;

			if (h->op == (uint32_t)op)
				fn(ctx, (enum feed_op)op, slice_from(p, h->name_n),
				    slice_from(p + h->name_n, h->json_n),
				    slice_from(p + h->name_n + h->json_n, h->csv_n));
		}
	}
}

/* Is all that is asked for in this log? */
static bool
reaches(const struct state_head *h, const struct log_head *l, const struct feed_since *since)
{
	if (since->by_time)
		return l->base_at_us <= since->time_us;
	return memcmp(since->chain, h->chain, FEED_CHAIN) == 0 && since->no >= l->base_no &&
	    since->no <= h->no;
}

/* The blocks that are asked for. False: damage. */
static bool
gather(struct slice log, const struct feed_since *since, uint64_t last_no, uint64_t no,
    struct fold *f)
{
	size_t at = sizeof(struct log_head);
	struct log_block b;
	struct slice changes;

	while (no < last_no && feed_log_next(log, &at, &b, &changes)) {
		if (b.no != ++no)
			return false;
		if ((since->by_time ? b.at_us > since->time_us - SKEW_US : b.no > since->no) &&
		    !take_block(f, changes))
			return false;
	}
	return no == last_no;
}

/* 1: another worker replaced the log under us. */
static int
since_once(const char *base, const struct feed_since *since, feed_change_fn *fn, void *ctx,
    struct feed_state *to, struct err *e)
{
	struct feed_map state = { .fd = -1 }, log = { .fd = -1 };
	const struct state_row *rows;
	struct fold f = { .n = 0 };
	struct state_head h;
	struct log_head l;
	int rc = -1;

	if (!feed_state_open(&state, base, &h, &rows)) {
		err_set(e, ERR_REFERENCE, "nothing is known of what was sent before");
	} else if (!feed_log_open(&log, base, &h, &l)) {
		rc = 1;
	} else if (!reaches(&h, &l, since)) {
		err_set(e, ERR_REFERENCE, "that is further back than what is kept of changes");
	} else if (!gather(slice_from(log.p, h.log_bytes), since, h.no, l.base_no, &f)) {
		err_set(e, ERR_REFERENCE, "what was kept of changes is damaged");
	} else {
		fold(&f, since->by_time);
		*to = (struct feed_state){ .no = h.no, .at_us = h.at_us, .n = h.n };
		memcpy(to->chain, h.chain, FEED_CHAIN);
		give(&f, fn, ctx);
		rc = 0;
	}
	free(f.v);
	feed_map_close(&log);
	feed_map_close(&state);
	return rc;
}

int
feed_log_since(const char *base, const struct feed_since *since, feed_change_fn *fn, void *ctx,
    struct feed_state *to, struct err *e)
{
	enum { TRIES = 3 };
	int rc = 1;

	for (int i = 0; i < TRIES && rc == 1; i++)
		rc = since_once(base, since, fn, ctx, to, e);
	return rc == 1 ? err_set(e, ERR_REFERENCE, "what was kept of changes is gone") : rc;
}

bool
feed_log_look(const char *base, struct feed_state *last, struct feed_state *oldest,
    uint64_t *log_bytes)
{
	struct feed_map state = { .fd = -1 }, log = { .fd = -1 };
	const struct state_row *rows;
	struct state_head h;
	struct log_head l;
	bool good = feed_state_open(&state, base, &h, &rows) && feed_log_open(&log, base, &h, &l);

	if (good) {
		*last = (struct feed_state){ .no = h.no, .at_us = h.at_us, .n = h.n };
		*oldest = (struct feed_state){ .no = l.base_no, .at_us = l.base_at_us };
		memcpy(last->chain, h.chain, FEED_CHAIN);
		memcpy(oldest->chain, h.chain, FEED_CHAIN);
		*log_bytes = h.log_bytes;
	}
	feed_map_close(&log);
	feed_map_close(&state);
	return good;
}
