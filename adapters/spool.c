#include "adapters/spool.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/stats.h"

enum { NAMES_MAX = 4096, ID_BYTES = 8 };

static const int64_t stuck_us = 30 * 1000000;

/* What is known of a file that could not be moved or read: it is not taken in again for that. */
enum fate { FATE_NONE, FATE_DONE, FATE_REJECTED, FATE_UNREADABLE };

/* What a file looked like at the last look. */
struct seen {
	char		*name;
	off_t		 size;
	struct timespec	 changed;
	bool		 settled;	/* looked the same the time before */
	enum fate	 fate;
};

struct spool {
	struct spools		*all;
	struct config		*config;	/* held: conf points into it */
	const struct spool_conf	*conf;
	struct event		*timer;
	struct seen		*seen;		/* sorted by name */
	size_t			 nseen, at;	/* at: where in it we are */
	bool			 stuck;		/* something could not be moved */
	/* the file in hand: seen[at] */
	bool			 busy;
	bool			 retired;	/* by a reload; freed when the file is finished */
	char			*name;
	char			 request_id[2 * ID_BYTES + 1];
	struct strbuf		 body;
	char			*source;
	struct spool		*next;
};

struct spools {
	struct gateway	*g;
	struct spool	*v, *retired;
	size_t		 nbusy;
	void		(*drained)(void *arg);
	void		*drained_arg;
	bool		 draining;
};

static void	spool_free(struct spool *s);

/* ---- names ---- */

static bool
is_taken(const char *name)
{
	struct slice s = slice_of(name);

	return name[0] != '.' && !slice_ends(s, ".tmp") && !slice_ends(s, ".part");
}

static char *
path_of(const struct spool *s, const char *folder, const char *name, const char *tail)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addf(&b, "%s/%s/%s%s", s->conf->path, folder, name, tail);
	return strbuf_take(&b, NULL);
}

/* Where a file goes: its name, with a number if that is taken. */
static char *
free_path(const struct spool *s, const char *folder, const char *name)
{
	char tail[32] = "", *path = path_of(s, folder, name, tail);

	for (unsigned i = 1; file_exists(path) && i < 1000000; i++) {
		free(path);
		snprintf(tail, sizeof(tail), ".%u", i);
		path = path_of(s, folder, name, tail);
	}
	return path;
}

/* ---- after the file ---- */

static void
schedule(struct spool *s, int64_t in_us)
{
	struct timeval tv = { in_us / 1000000, in_us % 1000000 };

	if (!s->all->draining)
		evtimer_add(s->timer, &tv);
}

static void
forget_retired(struct spool *s)
{
	struct spool **at;

	for (at = &s->all->retired; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	spool_free(s);
}

/* The file in hand is finished; on with the next one, or look again in a while. */
static void
let_go(struct spool *s, int64_t in_us)
{
	struct spools *all = s->all;

	free(s->name);
	s->name = NULL;
	strbuf_fini(&s->body);
	s->busy = false;
	all->nbusy--;
	if (s->retired)
		forget_retired(s);
	else
		schedule(s, in_us);
	if (all->nbusy == 0 && all->drained != NULL) {
		void (*cb)(void *) = all->drained;

		all->drained = NULL;
		cb(all->drained_arg);
	}
}

/* Move a file that is finished with. If that fails it is only moved at the next look, not taken in
 * again: a full disk must not fill the audit log as well. */
static void
move_to(struct spool *s, struct seen *file, const char *to, enum fate fate)
{
	char *from = path_of(s, "incoming", file->name, "");
	struct err e = ERR_INIT;

	file->fate = FATE_NONE;
	if (file_move(from, to, &e) < 0) {
		file->fate = fate;
		s->stuck = true;
		log_event(LOG_ERROR, "spool.move", LF_S("spool", s->conf->name),
		    LF_S("file", file->name), LF_S("error", e.reason));
	}
	free(from);
}

static void
take_away(struct spool *s)
{
	char *to = free_path(s, "done", s->name);

	stats_add(s->all->g->stats, STAT_SPOOL, "done", 1);
	move_to(s, &s->seen[s->at], to, FATE_DONE);
	free(to);
}

static void
move_again(struct spool *s, struct seen *file)
{
	enum fate fate = file->fate;
	char *to = free_path(s, fate == FATE_DONE ? "done" : "rejected", file->name);

	move_to(s, file, to, fate);
	free(to);
}

/* The reason stands beside the file, under the name that the file got. */
static void
reject(struct spool *s, const struct err *cause)
{
	char *to = free_path(s, "rejected", s->name), text[sizeof(struct err) + 64];
	struct strbuf path = STRBUF_INIT, b = STRBUF_INIT;
	struct err e = ERR_INIT;

	stats_add(s->all->g->stats, STAT_SPOOL, "rejected", 1);
	strbuf_addf(&path, "%s.reason", to);
	strbuf_addf(&b, "%s\n", err_text(cause, text, sizeof(text)));
	if (file_write(path.p, strbuf_slice(&b), 0600, &e) < 0)
		log_event(LOG_ERROR, "spool.reason", LF_S("spool", s->conf->name),
		    LF_S("error", e.reason));
	strbuf_fini(&b);
	strbuf_fini(&path);
	move_to(s, &s->seen[s->at], to, FATE_REJECTED);
	free(to);
}

static void
on_taken(void *arg, const struct intake_result *r)
{
	struct spool *s = arg;
	struct err none = ERR_INIT;

	if (r->error != NULL && r->retryable) {
		stats_add(s->all->g->stats, STAT_SPOOL, "later", 1);
		s->at = s->nseen;		/* look anew, and meet it again */
		let_go(s, s->conf->interval_us);
		return;
	}
	if (r->error != NULL) {
		reject(s, r->error);
	} else if (r->accepted + r->known == 0 && r->refused + r->conflicts > 0) {
		err_set(&none, ERR_VALUE, "nothing in it was taken, %zu refused; the reasons are "
		    "in quarantine", r->refused + r->conflicts);
		err_input(&none, s->name);
		reject(s, &none);
	} else {
		take_away(s);
	}
	s->at++;
	let_go(s, 0);
}

/* ---- taking a file ---- */

/* It is there and cannot be read now: that may pass, so it stays. */
static void
leave_unread(struct spool *s, struct seen *file, const struct err *e)
{
	stats_add(s->all->g->stats, STAT_SPOOL, "later", 1);
	if (file->fate != FATE_UNREADABLE)	/* said once a file */
		log_event(LOG_ERROR, "spool.read", LF_S("spool", s->conf->name),
		    LF_S("file", file->name), LF_S("error", e->reason));
	file->fate = FATE_UNREADABLE;
}

static void
take(struct spool *s, struct seen *file)
{
	struct intake_message m = {
		.format = s->conf->format, .mapping = s->conf->mapping,
		.source = s->source, .collections = s->conf->collections,
		.refuse_loss = s->conf->refuse_loss, .request_id = s->request_id,
	};
	uint8_t id[ID_BYTES];
	struct err e = ERR_INIT;
	char *path = path_of(s, "incoming", file->name, "");
	int rc;

	s->busy = true;
	s->all->nbusy++;
	s->name = xstrdup(file->name);
	random_bytes(id, sizeof(id));
	hex_text(id, sizeof(id), s->request_id);
	rc = file_read(path, s->conf->max_bytes, &s->body, &e);
	free(path);
	if (rc < 0) {
		err_input(&e, file->name);
		if (e.code == ERR_LIMIT)
			reject(s, &e);
		else
			leave_unread(s, file, &e);
		s->at++;
		let_go(s, 0);
		return;
	}
	m.body = strbuf_slice(&s->body);
	m.input = s->name;
	intake_submit(s->all->g->intake, &m, on_taken, s);
}

/* ---- looking ---- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

static bool
is_same(const struct seen *a, const struct seen *b)
{
	return a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static void
forget(struct seen *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

/* What a file is now, compared with the last look. */
static struct seen
seen_now(const struct spool *s, const char *name, const struct stat *st)
{
	struct seen now = { .name = xstrdup(name), .size = st->st_size, .changed = st->st_mtim };
	const struct seen *was = s->nseen == 0 ? NULL :
	    bsearch(&now, s->seen, s->nseen, sizeof(now), by_name);

	if (was != NULL && is_same(was, &now)) {
		now.settled = true;
		now.fate = was->fate;
	}
	return now;
}

/* The folder as it is now. */
static void
scan(struct spool *s, DIR *dir)
{
	struct seen *now = NULL;
	size_t n = 0, cap = 0;
	struct dirent *d;

	while ((d = readdir(dir)) != NULL && n < NAMES_MAX) {
		struct stat st;

		if (!is_taken(d->d_name) ||
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (n == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			now = xrealloc(now, cap * sizeof(*now));
		}
		now[n++] = seen_now(s, d->d_name, &st);
	}
	if (n > 1)
		qsort(now, n, sizeof(*now), by_name);
	forget(s->seen, s->nseen);
	s->seen = now;
	s->nseen = n;
}

static void
look(struct spool *s)
{
	char *path = path_of(s, "incoming", "", "");
	DIR *dir = opendir(path);

	if (dir == NULL) {
		log_event(LOG_ERROR, "spool.look", LF_S("spool", s->conf->name),
		    LF_S("error", strerror(errno)));
	} else {
		scan(s, dir);
		closedir(dir);
	}
	free(path);
	s->at = dir == NULL ? s->nseen : 0;
	s->stuck = false;
}

/* A spool of the old configuration has a file of the same folder in hand. */
static bool
is_shared(const struct spool *s)
{
	for (const struct spool *old = s->all->retired; old != NULL; old = old->next)
		if (strcmp(old->conf->path, s->conf->path) == 0)
			return true;
	return false;
}

/* The next settled file of the last look, if it is still what it was then. */
static struct seen *
next_file(struct spool *s)
{
	for (; s->at < s->nseen; s->at++) {
		struct seen *file = &s->seen[s->at], now;
		struct stat st;
		char *path;
		int rc;

		if (!file->settled)
			continue;
		if (file->fate == FATE_DONE || file->fate == FATE_REJECTED) {
			move_again(s, file);
			continue;
		}
		path = path_of(s, "incoming", file->name, "");
		rc = lstat(path, &st);
		free(path);
		if (rc < 0 || !S_ISREG(st.st_mode))
			continue;
		now = (struct seen){ .size = st.st_size, .changed = st.st_mtim };
		if (is_same(file, &now))
			return file;
	}
	return NULL;
}

/* Files are taken in the order of their names, one look for all of them. */
static void
work(struct spool *s)
{
	struct seen *file;

	if (s->busy || s->all->draining)
		return;
	if (is_shared(s)) {
		schedule(s, s->conf->interval_us);
		return;
	}
	if (s->at >= s->nseen)
		look(s);
	file = next_file(s);
	if (file != NULL)
		take(s, file);
	else
		schedule(s, s->stuck && s->conf->interval_us < stuck_us ? stuck_us :
		    s->conf->interval_us);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg);
}

/* ---- life ---- */

static int
make_folders(const struct spool_conf *conf, struct err *e)
{
	static const char *const folders[] = { "incoming", "done", "rejected" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		struct strbuf b = STRBUF_INIT;
		int rc;

		strbuf_addf(&b, "%s/%s", conf->path, folders[i]);
		rc = dir_make(b.p, 0700, e);
		strbuf_fini(&b);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static void
spool_free(struct spool *s)
{
	if (s->timer != NULL)
		event_free(s->timer);
	forget(s->seen, s->nseen);
	strbuf_fini(&s->body);
	config_free(s->config);
	free(s->name);
	free(s->source);
	free(s);
}

static struct spool *
spool_new(struct spools *all, const struct spool_conf *conf, struct err *e)
{
	struct spool *s = xcalloc(1, sizeof(*s));
	struct strbuf source = STRBUF_INIT;

	s->all = all;
	s->config = config_hold(all->g->config);
	s->conf = conf;
	s->body = (struct strbuf)STRBUF_INIT;
	strbuf_addf(&source, "spool:%s", conf->name);
	s->source = strbuf_take(&source, NULL);
	if (make_folders(conf, e) < 0) {
		spool_free(s);
		return NULL;
	}
	s->timer = evtimer_new(all->g->base, on_timer, s);
	return s;
}

/* A spool with a file in hand finishes it under the old configuration before it goes. */
int
spools_reload(struct spools *all, struct err *e)
{
	const struct config *conf = all->g->config;
	struct spool *fresh = NULL, *old, *next;

	for (size_t i = 0; i < conf->nspools; i++) {
		struct spool *s;

		if (!gateway_owns(all->g, conf->spools[i].name))
			continue;
		s = spool_new(all, &conf->spools[i], e);
		if (s == NULL) {
			for (; fresh != NULL; fresh = next) {
				next = fresh->next;
				spool_free(fresh);
			}
			return -1;
		}
		s->next = fresh;
		fresh = s;
	}
	for (old = all->v; old != NULL; old = next) {
		next = old->next;
		old->retired = true;
		if (!old->busy) {
			spool_free(old);
			continue;
		}
		old->next = all->retired;
		all->retired = old;
	}
	all->v = fresh;
	for (struct spool *s = fresh; s != NULL; s = s->next)
		schedule(s, 0);
	return 0;
}

struct spools *
spools_new(struct gateway *g, struct err *e)
{
	struct spools *all = xcalloc(1, sizeof(*all));

	all->g = g;
	if (spools_reload(all, e) < 0) {
		free(all);
		return NULL;
	}
	return all;
}

void
spools_free(struct spools *all)
{
	struct spool *s, *next;

	if (all == NULL)
		return;
	for (s = all->v; s != NULL; s = next) {
		next = s->next;
		spool_free(s);
	}
	for (s = all->retired; s != NULL; s = next) {
		next = s->next;
		spool_free(s);
	}
	free(all);
}

void
spools_drain(struct spools *all, void (*cb)(void *arg), void *arg)
{
	all->draining = true;
	for (struct spool *s = all->v; s != NULL; s = s->next)
		evtimer_del(s->timer);
	if (all->nbusy == 0) {
		cb(arg);
		return;
	}
	all->drained = cb;
	all->drained_arg = arg;
}

void
spools_figures(const struct spools *s, struct stats *figures)
{
	for (const struct spool *x = s->v; x != NULL; x = x->next)
		stats_set(figures, STAT_SPOOL_WAITING, x->conf->name, (double)x->nseen);
}
