#include "gateway/pending.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit.h"
#include "gateway/base/codec.h"
#include "gateway/base/crash.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/pending_parts.h"
#include "gateway/stats.h"
#include "gateway/translate.h"

enum {
	AGAIN_MAX_SECONDS = 60,		/* between two tries of what does not move */
	PARTS_A_TURN = 16
};

static void	work(struct pending *p);

/* ---- errands ---- */

static struct errand *
errand_new(struct pending *p, const struct store_status *st)
{
	struct arena *mem = arena_new();
	struct errand *x = arena_alloc(mem, sizeof(*x));

	x->p = p;
	x->mem = mem;
	memcpy(x->id, st->id, sizeof(x->id));
	x->user = arena_str(mem, slice_of(st->user));
	x->source = arena_str(mem, slice_of(st->errand->source));
	x->collections[0] = arena_str(mem, slice_of(st->errand->collection));
	x->request = arena_str(mem, slice_of(st->errand->request));
	x->strict = st->errand->strict;
	x->bytes = st->errand->bytes;
	memcpy(x->sha256, st->errand->sha256, sizeof(x->sha256));
	x->total = st->total;
	x->from = st->succeeded + st->failed;
	x->requested_us = st->requested_us;
	x->fd = -1;
	return x;
}

static void
close_file(struct errand *x)
{
	if (x->map != NULL)
		munmap(x->map, (size_t)x->bytes);
	if (x->fd >= 0)
		close(x->fd);
	x->map = NULL;
	x->fd = -1;
}

static struct errand *
find(const struct pending *p, const char *id)
{
	struct errand *x = p->first;

	while (x != NULL && strcmp(x->id, id) != 0)
		x = x->next;
	return x;
}

static void
append(struct pending *p, const struct store_status *st)
{
	struct errand *x = errand_new(p, st);

	*p->tail = x;
	p->tail = &x->next;
}

/* The first one is not there any more. */
static void
drop_first(struct pending *p)
{
	struct errand *x = p->first;

	p->first = x->next;
	if (p->first == NULL)
		p->tail = &p->first;
	close_file(x);
	arena_free(x->mem);
}

void
pending_remove_file(const struct pending *p, const char *id)
{
	if (unlinkat(p->folder, id, 0) < 0 && errno != ENOENT)
		log_event(LOG_ERROR, "pending.file", LF_S("name", id), LF_S("error", strerror(errno)));
}

/* ---- looking round ---- */

/* A row of ours that may be new. */
static bool
on_row(void *ctx, const struct store_status *st)
{
	struct pending *p = ctx;

	if (gateway_owns(p->g, st->id) && find(p, st->id) == NULL)
		append(p, st);
	return true;
}

/* Is a file with this name to be removed? What has a pending status of ours is in the list by now. */
static bool
is_orphan(const struct pending *p, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (!uuid_is_valid(slice_of(name)))
		return p->g->worker == 0;
	return gateway_owns(p->g, name) && find(p, name) == NULL && !pending_is_taken(p, name);
}

static void
remove_orphans(struct pending *p)
{
	int fd = openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (!is_orphan(p, entry->d_name))
			continue;
		log_event(LOG_INFO, "pending.orphan", LF_S("name", entry->d_name));
		pending_remove_file(p, entry->d_name);
	}
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

void
pending_look(struct pending *p)
{
	struct err e = ERR_INIT;

	if (store_pending_each(p->g->store, on_row, p, &e) < 0) {
		log_event(LOG_WARN, "pending.look", LF_S("error", e.reason));
		return;			/* the next look will do */
	}
	remove_orphans(p);
	work(p);
}

void
pending_add(struct pending *p, const struct store_status *st)
{
	if (find(p, st->id) == NULL)	/* a look was quicker than its answer */
		append(p, st);
	work(p);
}

/* ---- the end of one ---- */

static void
stopped(struct pending *p)
{
	void (*cb)(void *) = p->drained;

	p->drained = NULL;
	if (cb != NULL)
		cb(p->drained_arg);
}

/* Not now: the next try is made soon, or by whoever follows us. */
static void
put_off(struct errand *x)
{
	struct pending *p = x->p;
	int64_t wait = x->tries < 6 ? INT64_C(1) << x->tries : AGAIN_MAX_SECONDS;
	struct timeval tv = { .tv_sec = wait };

	close_file(x);
	p->working = false;
	x->tries++;
	if (p->g->draining)
		stopped(p);
	else if (p->again != NULL)
		evtimer_add(p->again, &tv);
}

/* Its status is complete. */
static void
complete(struct errand *x)
{
	struct pending *p = x->p;

	log_event(LOG_INFO, "pending.done", LF_S("request", x->request), LF_S("status", x->id),
	    LF_I("objects", x->total));
	crash_here(CRASH_removed);
	pending_remove_file(p, x->id);
	p->working = false;
	drop_first(p);
	if (p->g->draining)
		stopped(p);
	else
		work(p);
}

static void
on_closed(void *arg, const struct err *e)
{
	struct errand *x = arg;

	if (e == NULL)
		complete(x);
	else
		put_off(x);
}

/* Nothing more of it can be taken: the rest of its status says why. */
static void
give_up(struct errand *x, const char *code, const char *why)
{
	struct strbuf b = STRBUF_INIT;

	log_event(LOG_WARN, "pending.given-up", LF_S("request", x->request), LF_S("status", x->id),
	    LF_I("done", x->from), LF_I("objects", x->total), LF_S("why", why));
	stats_add(x->p->g->stats, STAT_REFUSED, code, x->total - x->from);
	x->p->working = true;
	x->last = (struct store_status){ .user = x->user, .requested_us = x->requested_us,
	    .step = STATUS_LAST, .from = x->from, .rest = arena_fmt(x->mem, "%s: %s", code, why) };
	memcpy(x->last.id, x->id, sizeof(x->last.id));
	audit_text(&b, "ev", SLICE_LIT("refused"));
	audit_text(&b, "source", slice_of(x->source));
	audit_text(&b, "request", slice_of(x->request));
	audit_text(&b, "code", slice_of(code));
	audit_number(&b, "objects", (int64_t)(x->total - x->from));
	x->audit = (struct store_audit){ .members = arena_str(x->mem, strbuf_slice(&b)) };
	strbuf_fini(&b);
	x->txn = (struct store_txn){ .source = { .name = x->source }, .status = &x->last,
	    .audit = &x->audit, .naudit = 1 };
	store_commit(x->p->g->store, &x->txn, on_closed, x);
}

/* ---- work ---- */

/* NULL, or why the sender may not put it there: trust and configuration are those of now. */
static const char *
why_not(const struct errand *x)
{
	const struct gateway *g = x->p->g;
	const struct collection_conf *col = catalog_find(g->catalog, slice_of(x->collections[0]));
	const struct reader r = { .peer = trust_find(g->trust, slice_of(x->source)),
	    .name = x->source };

	if (r.peer == NULL && g->config->authentication)
		return arena_fmt(x->mem, "the sender %s was taken out of trust.conf", x->source);
	if (col == NULL)
		return arena_fmt(x->mem, "the collection %s was taken away", x->collections[0]);
	if (!catalog_can_write(g->catalog, col, &r))
		return arena_fmt(x->mem, "%s may not write to %s any more", x->source,
		    x->collections[0]);
	return NULL;
}

static enum errand_verdict
may(void *arg, const char **why)
{
	struct errand *x = arg;

	*why = why_not(x);
	/* another large message gets its turn; this one is read again, so not too often */
	if (x->p->g->draining ||
	    (++x->parts % PARTS_A_TURN == 0 && translate_is_occupied(x->p->g->translate)))
		return ERRAND_STOPS;
	return *why != NULL ? ERRAND_REFUSED : ERRAND_GOES_ON;
}

static void
on_taken(void *arg, const struct intake_result *r)
{
	struct errand *x = arg;

	if (r->accepted + r->known + r->refused + r->conflicts > 0)
		x->tries = 0;		/* it moves */
	if (r->error == NULL)
		complete(x);
	else if (r->retryable)
		put_off(x);
	else
		give_up(x, "REFUSED", r->error->reason);
}

struct look {
	struct errand	*x;
	bool		 found;
};

static bool
refresh(void *ctx, const struct store_status *st)
{
	struct look *l = ctx;

	l->found = strcmp(st->id, l->x->id) == 0;
	if (l->found)
		l->x->from = st->succeeded + st->failed;
	return !l->found;
}

/* Have its bytes; 0, 1 if they are lost, -1 if they cannot be had now. */
static int
open_file(struct errand *x)
{
	struct stat st;

	x->fd = openat(x->p->folder, x->id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (x->fd < 0)
		return errno == ENOENT || errno == ELOOP ? 1 : -1;
	if (fstat(x->fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != x->bytes)
		return 1;
	x->map = mmap(NULL, (size_t)x->bytes, PROT_READ, MAP_PRIVATE, x->fd, 0);
	if (x->map == MAP_FAILED)
		x->map = NULL;
	return x->map == NULL ? -1 : 0;
}

static void
submit(struct errand *x)
{
	struct gateway *g = x->p->g;
	struct intake_message m = {
		.body = slice_from(x->map, (size_t)x->bytes), .body_fd = x->fd, .sha256 = x->sha256,
		.input = "POST body", .format = "stix21", .source = x->source,
		.from = trust_find(g->trust, slice_of(x->source)), .collections = x->collections,
		.request_id = x->request, .relay = { .unmarked = TLP_UNSET },
		.status_user = x->user, .envelope = true, .strict = x->strict, .errand = &x->job,
	};

	x->parts = 0;
	x->job = (struct intake_errand){ .status = x->id, .from = x->from, .total = x->total,
	    .received_us = x->requested_us, .may = may };
	crash_here(CRASH_resumed);
	intake_submit(g->intake, &m, on_taken, x);
}

/* Begin with the first, unless one is in work. */
static void
work(struct pending *p)
{
	struct look l = { .x = p->first };
	const char *why;
	int rc;

	if (l.x == NULL || p->working || p->g->draining)
		return;
	p->working = true;
	if (p->again != NULL)
		evtimer_del(p->again);
	if (store_pending_each(p->g->store, refresh, &l, NULL) < 0) {
		put_off(l.x);
	} else if (!l.found) {
		complete(l.x);		/* what nobody told us: its last commit was done */
	} else if ((why = why_not(l.x)) != NULL) {
		give_up(l.x, "NOT_ALLOWED", why);
	} else if ((rc = open_file(l.x)) < 0) {
		put_off(l.x);
	} else if (rc > 0) {
		give_up(l.x, "LOST", "its bytes are not there any more; send it again");
	} else {
		submit(l.x);
	}
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg);
}

/* ---- life ---- */

void
pending_drain(struct pending *p, void (*cb)(void *arg), void *arg)
{
	p->drained = cb;
	p->drained_arg = arg;
	if (!p->working)
		stopped(p);
}

bool
pending_wants(const struct pending *p, size_t bytes)
{
	size_t over = p == NULL ? 0 : p->g->config->limits.pending_over;

	return over > 0 && bytes > over;
}

static int
open_folder(struct pending *p, struct err *e)
{
	const char *bodies = p->g->config->bodies_dir;
	struct strbuf path = STRBUF_INIT;
	int rc;

	strbuf_addf(&path, "%s/pending", bodies);
	rc = dir_make(path.p, 0700, e);
	p->folder = rc < 0 ? -1 : open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && p->folder < 0)
		rc = err_set(e, ERR_IO, "cannot open the folder %s: %s", path.p, strerror(errno));
	strbuf_fini(&path);
	return rc;
}

struct pending *
pending_new(struct gateway *g, struct err *e)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->g = g;
	p->tail = &p->first;
	if (open_folder(p, e) < 0) {
		free(p);
		return NULL;
	}
	if (g->base != NULL)
		p->again = evtimer_new(g->base, on_again, p);
	return p;
}

void
pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	pending_drop_takings(p);
	while (p->first != NULL)
		drop_first(p);
	if (p->again != NULL)
		event_free(p->again);
	close(p->folder);
	free(p);
}
