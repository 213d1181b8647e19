#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/audit.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/crash.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/pending_parts.h"
#include "gateway/translate.h"

enum { PIECE_BYTES = 1 << 20 };		/* copied and synced in one turn of the loop */

/* One envelope between its last byte and its answer. */
struct taking {
	struct pending		*p;
	struct arena		*mem;		/* this struct lies in it */
	struct intake_message	 m;
	pending_cb		*cb;
	void			*arg;
	int			 fd;		/* of its file; -1: none yet */
	size_t			 copied;
	struct event		*turn;
	struct translate_read	 job;
	char			 received[STAMP_TEXT + 1];
	struct store_status	 status;
	struct store_errand	 errand;
	struct store_audit	 audit;
	struct store_txn	 txn;
	struct taking		*next;
};

/* ---- the end of it ---- */

static void
taking_free(struct taking *t)
{
	struct taking **at = &t->p->takings;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->fd >= 0)
		close(t->fd);
	if (t->turn != NULL)
		event_free(t->turn);
	arena_free(t->mem);
}

static void
answer(struct taking *t, enum pending_answer answer, const char *why)
{
	pending_cb *cb = t->cb;
	void *arg = t->arg;
	struct store_status st = t->status;

	if (answer == PENDING_LATER)
		log_event(LOG_WARN, "pending.refused", LF_S("request", t->m.request_id),
		    LF_I("bytes", t->m.body.n), LF_S("why", why));
	cb(arg, answer, &st, why);
	taking_free(t);
}

/* It was not kept: nothing stays behind. */
static void
fail(struct taking *t, const char *why)
{
	if (t->fd >= 0)
		pending_remove_file(t->p, t->status.id);
	answer(t, PENDING_LATER, why);
}

bool
pending_is_taken(const struct pending *p, const char *id)
{
	const struct taking *t = p->takings;

	while (t != NULL && strcmp(t->status.id, id) != 0)
		t = t->next;
	return t != NULL;
}

/* The process ends: nobody is told. What is in files without a status the next start removes. */
void
pending_drop_takings(struct pending *p)
{
	while (p->takings != NULL)
		taking_free(p->takings);
}

/* ---- its status ---- */

static void
on_opened(void *arg, const struct err *e)
{
	struct taking *t = arg;

	if (e == NULL) {
		crash_here(CRASH_opened);
		log_event(LOG_INFO, "pending.taken", LF_S("request", t->m.request_id),
		    LF_S("source", t->m.source), LF_S("status", t->status.id),
		    LF_I("bytes", t->m.body.n), LF_I("objects", t->status.total));
		pending_add(t->p, &t->status);
		answer(t, PENDING_TAKEN, NULL);
	} else if (e->code == ERR_BUSY) {
		/* it may have been written or not: whoever looks when the store is back will know, and
		 * goes on with it or removes the file */
		answer(t, PENDING_LATER, "the store does not answer");
	} else {
		fail(t, "the store takes nothing");
	}
}

static void
open_status(struct taking *t)
{
	struct strbuf b = STRBUF_INIT;

	t->errand = (struct store_errand){ .source = t->m.source, .collection = t->m.collections[0],
	    .request = t->m.request_id, .strict = t->m.strict, .bytes = t->m.body.n };
	memcpy(t->errand.sha256, t->m.sha256, sizeof(t->errand.sha256));
	t->status.user = t->m.status_user;
	t->status.step = STATUS_OPEN;
	t->status.pending = true;
	t->status.errand = &t->errand;
	audit_text(&b, "ev", SLICE_LIT("pending"));
	audit_text(&b, "source", slice_of(t->m.source));
	audit_text(&b, "request", slice_of(t->m.request_id));
	audit_text(&b, "status", slice_of(t->status.id));
	audit_number(&b, "objects", (int64_t)t->status.total);
	t->audit.members = arena_str(t->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	t->txn.source.name = t->m.source;
	t->txn.status = &t->status;
	t->txn.audit = &t->audit;
	t->txn.naudit = 1;
	store_commit(t->p->g->store, &t->txn, on_opened, t);
}

/* ---- its file ---- */

static void	on_turn(evutil_socket_t fd, short what, void *arg);

/* The next bytes into the file: at most a piece. -1 with errno set. */
static int
copy_piece(struct taking *t)
{
	size_t left = t->m.body.n - t->copied, n = left < PIECE_BYTES ? left : PIECE_BYTES;
	off_t from = (off_t)t->copied;
	ssize_t done = -1;

	if (t->m.body_fd > 0)		/* without its pages in our memory, where the kernel can */
		done = copy_file_range(t->m.body_fd, &from, t->fd, NULL, n, 0);
	if (t->m.body_fd <= 0 || (done < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
	    errno == EOPNOTSUPP)))
		done = write(t->fd, t->m.body.p + t->copied, n);
	if (done < 0 && errno == EINTR)
		return 0;
	if (done <= 0) {
		errno = done == 0 ? EIO : errno;
		return -1;
	}
	t->copied += (size_t)done;
	return fdatasync(t->fd);
}

static void
next_turn(struct taking *t)
{
	if (t->turn == NULL)
		on_turn(-1, 0, t);	/* there is no loop: a unit test's node */
	else
		event_active(t->turn, EV_TIMEOUT, 0);
}

/* A turn of the loop waits for the disk no longer than one piece takes. */
static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct taking *t = arg;

	(void)fd;
	(void)what;
	if (t->copied < t->m.body.n && copy_piece(t) < 0) {
		log_event(LOG_ERROR, "pending.file", LF_S("error", strerror(errno)));
		fail(t, "the disk takes nothing");
	} else if (t->copied < t->m.body.n) {
		next_turn(t);
	} else if (fsync(t->fd) < 0 || fsync(t->p->folder) < 0) {
		log_event(LOG_ERROR, "pending.file", LF_S("error", strerror(errno)));
		fail(t, "the disk takes nothing");
	} else {
		crash_here(CRASH_kept);
		open_status(t);
	}
}

static void
keep(struct taking *t)
{
	t->fd = openat(t->p->folder, t->status.id, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (t->fd < 0) {
		log_event(LOG_ERROR, "pending.file", LF_S("error", strerror(errno)));
		fail(t, "there is no place for it");
		return;
	}
	if (t->p->g->base != NULL)
		t->turn = evtimer_new(t->p->g->base, on_turn, t);
	next_turn(t);
}

/* ---- its objects ---- */

static void
on_counted(void *arg, const struct translate_part *part)
{
	struct taking *t = arg;

	crash_here(CRASH_counted);
	if (part->error != NULL) {
		answer(t, part->retryable ? PENDING_LATER : PENDING_NOT, part->error->reason);
		return;
	}
	t->status.total = part->total;
	keep(t);
}

static void
count(struct taking *t)
{
	const struct limits_conf *l = &t->p->g->config->limits;

	t->job = (struct translate_read){
		.in = t->m.body, .fd = t->m.body_fd, .sha256 = t->m.sha256, .input = t->m.input,
		.request = t->m.request_id, .format = t->m.format, .received = t->received,
		.limits = { .bytes = t->m.body.n > l->body_bytes ? t->m.body.n : l->body_bytes,
		    .object_bytes = l->object_bytes, .objects = l->objects },
		.envelope = t->m.envelope, .bundle = t->m.bundle, .count = true,
	};
	translate_read(t->p->g->translate, &t->job, t->mem, on_counted, t);
}

/* ---- the way in ---- */

struct sum {
	uint64_t	n, bytes;
};

static bool
add_to_sum(void *ctx, const struct store_status *st)
{
	struct sum *sum = ctx;

	sum->n++;
	sum->bytes += st->errand->bytes;
	return true;
}

/* NULL, or why there is no room for another: all that wait in the node, and what is on its way here. */
static const char *
no_room(const struct pending *p, size_t bytes)
{
	const struct limits_conf *l = &p->g->config->limits;
	struct sum sum = { 1, bytes };

	for (const struct taking *t = p->takings; t != NULL; t = t->next) {
		sum.n++;
		sum.bytes += t->m.body.n;
	}
	if (store_pending_each(p->g->store, add_to_sum, &sum, NULL) < 0)
		return "the store does not answer";
	return sum.n > l->pending_bodies ? "too many large envelopes wait to be worked off" :
	    sum.bytes > l->pending_bytes ? "the envelopes that wait to be worked off are too large" : NULL;
}

/* An id that makes it ours in every worker's eyes. */
static void
draw_id(const struct gateway *g, char id[37])
{
	do
		uuid_v4(id);
	while (!gateway_owns(g, id));
}

void
pending_take(struct pending *p, const struct intake_message *m, pending_cb *cb, void *arg)
{
	const char *why = no_room(p, m->body.n);
	struct arena *mem;
	struct taking *t;
	uint8_t *sum;

	if (why != NULL) {
		cb(arg, PENDING_LATER, NULL, why);
		return;
	}
	mem = arena_new();
	t = arena_alloc(mem, sizeof(*t));
	sum = arena_raw(mem, SHA256_LEN);
	memcpy(sum, m->sha256, SHA256_LEN);
	t->p = p;
	t->mem = mem;
	t->m = *m;
	t->m.sha256 = sum;
	t->cb = cb;
	t->arg = arg;
	t->fd = -1;
	draw_id(p->g, t->status.id);
	t->status.requested_us = clock_wall_us();
	stamp_text(t->status.requested_us, t->received);
	t->next = p->takings;
	p->takings = t;
	count(t);
}
