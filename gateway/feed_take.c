/* feed_take.c -- the records of a build, noted for a new state (feed_commit.c). Part of feed_log.h. */
#include "gateway/feed_log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"

enum { PIECE = 256 * 1024, SLOTS_FIRST = 1024, RANDOM = 8, RUN = 8192 };

/* ---- writing down ---- */

int
feed_write_all(int fd, struct slice s, struct err *e)
{
	if (!fd_write(fd, s))
		return err_set(e, ERR_IO, "cannot write what a feed said: %s", strerror(errno));
	return 0;
}

int
feed_take_flush(struct feed_take *t, struct err *e)
{
	int rc = feed_write_all(t->fd, strbuf_slice(&t->waiting), e);

	strbuf_reset(&t->waiting);
	return rc;
}

int
feed_take_put(struct feed_take *t, struct slice s, struct err *e)
{
	strbuf_addsl(&t->waiting, s);
	t->bytes += s.n;
	return t->waiting.n < PIECE ? 0 : feed_take_flush(t, e);
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
	feed_commit_free(t->commit);
	free(t->order);
	free(t->spare);
	free(t->ends);
	free(t->slots);
	free(t->v);
	free(t);
}

size_t
feed_take_bytes(const struct feed_take *t)
{
	return t == NULL ? 0 : t->cap * sizeof(*t->v) + (t->nslots + 2 * t->room) * sizeof(*t->slots);
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
	t->order = old->order;
	t->spare = old->spare;
	t->room = old->room;
	t->ends = old->ends;
	t->nends = old->nends;
	t->ends_cap = old->ends_cap;
	t->nsorted = old->nsorted;
	old->v = NULL;
	old->slots = old->order = old->spare = NULL;
	old->ends = NULL;
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
	return feed_take_put(t, name, e);
}

/* ---- in order ---- */

static int
by_key(const void *a, const void *b, void *marks)
{
	const struct mark *v = marks;

	return memcmp(v[*(const uint32_t *)a].key, v[*(const uint32_t *)b].key, FEED_KEY);
}

/* The next records that are in no run yet become one. */
static void
make_run(struct feed_take *t)
{
	size_t from = t->nsorted, n = t->n - from < RUN ? t->n - from : RUN;

	if (t->room < t->n) {
		t->room = t->cap;
		t->order = xrealloc(t->order, t->room * sizeof(*t->order));
		t->spare = xrealloc(t->spare, t->room * sizeof(*t->spare));
	}
	if (t->nends == t->ends_cap) {
		t->ends_cap = t->ends_cap == 0 ? 64 : 2 * t->ends_cap;
		t->ends = xrealloc(t->ends, t->ends_cap * sizeof(*t->ends));
	}
	for (size_t i = 0; i < n; i++)
		t->order[from + i] = (uint32_t)(from + i);
	qsort_r(t->order + from, n, sizeof(*t->order), by_key, t->v);
	t->ends[t->nends++] = t->nsorted = from + n;
}

/* Take the next one of two neighbouring runs, or of one without a neighbour; false: both have ended. */
static bool
merge_one(struct feed_take *t)
{
	size_t mid = t->ends[t->merge.run], end = t->merge.run + 1 < t->nends ?
	    t->ends[t->merge.run + 1] : mid;
	size_t *i = &t->merge.i, *j = &t->merge.j;
	bool left = *i < mid && (*j == end ||
	    memcmp(t->v[t->order[*i]].key, t->v[t->order[*j]].key, FEED_KEY) <= 0);

	if (*i == mid && *j == end)
		return false;
	t->spare[t->merge.to++] = t->order[left ? (*i)++ : (*j)++];
	return true;
}

/* Two runs have become one; at the end of the level there are half as many. */
static void
end_pair(struct feed_take *t)
{
	uint32_t *was = t->order;

	t->ends[t->merge.nruns++] = t->merge.to;
	t->merge.run += 2;
	if (t->merge.run < t->nends) {
		t->merge.i = t->merge.to;
		t->merge.j = t->ends[t->merge.run];
		return;
	}
	t->order = t->spare;
	t->spare = was;
	t->nends = t->merge.nruns;
	memset(&t->merge, 0, sizeof(t->merge));
	t->merge.j = t->nends > 0 ? t->ends[0] : 0;
}

bool
feed_take_sort(struct feed_take *t, size_t some)
{
	if (t->nsorted < t->n) {
		make_run(t);
		t->merge.j = t->ends[0];
		return t->nsorted == t->n && t->nends == 1;
	}
	for (; some > 0 && t->nends > 1; some--)
		if (!merge_one(t))
			end_pair(t);
	return t->nends <= 1;
}
