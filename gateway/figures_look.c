/* figures_look.c -- asking modules and the kernel for what they know, when somebody wants to know it. */
#include "gateway/figures_look.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/catalog.h"
#include "gateway/config.h"
#include "gateway/consumer_books.h"
#include "gateway/dedup.h"
#include "gateway/gateway.h"
#include "gateway/intake.h"
#include "gateway/limiter.h"
#include "gateway/outbox.h"
#include "gateway/redis.h"
#include "gateway/store.h"
#include "gateway/translate.h"

enum { PROC_TEXT = 4096, FD_GAP = 1024, CONSUMERS_SHOWN = 200 };

/* ---- the kernel ---- */

/* The text of a small file, NUL-terminated; false if it cannot be read. */
static bool
read_proc(long long pid, const char *name, char text[PROC_TEXT])
{
	char path[64];
	ssize_t n;
	int fd;

	if (pid == 0)
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	else
		snprintf(path, sizeof(path), "/proc/%lld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, PROC_TEXT - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Field number `n` (from 0) of what stands between blanks; false if it is no number. */
static bool
number_at(const char *text, size_t n, unsigned long long *out)
{
	struct slice rest = slice_of(text), field = SLICE_EMPTY;

	for (size_t i = 0; i <= n && rest.n > 0; i++) {
		rest = slice_trim(rest);
		field = slice_cut(&rest, ' ');
	}
	return slice_u64(slice_trim(field), out);
}

void
figures_look_at_process(int64_t pid, struct stats *s)
{
	unsigned long long pages, user, kernel;
	char text[PROC_TEXT];
	const char *after;

	if (read_proc(pid, "statm", text) && number_at(text, 1, &pages))
		stats_set(s, STAT_RESIDENT, NULL, (double)pages * (double)sysconf(_SC_PAGESIZE));
	/* the second field is a name in brackets, which may hold anything; utime is field 14 of proc(5) */
	if (read_proc(pid, "stat", text) && (after = strrchr(text, ')')) != NULL &&
	    number_at(after + 1, 11, &user) && number_at(after + 1, 12, &kernel))
		stats_set(s, STAT_CPU, NULL, (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK));
}

/* Where /proc is out of sight: one after the other. The kernel gives the lowest number that is free, so
 * behind a long gap there is nothing. */
static size_t
count_fds(void)
{
	size_t n = 0;

	for (int fd = 0, gap = 0; gap < FD_GAP; fd++) {
		bool is_open = fcntl(fd, F_GETFD) >= 0;

		n += is_open;
		gap = is_open ? 0 : gap + 1;
	}
	return n;
}

/* How many descriptors we have open. */
static size_t
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	if (d == NULL)
		return count_fds();
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0;	/* without ".", ".." and the folder itself */
}

static void
look_at_ourselves(struct stats *s)
{
	char text[PROC_TEXT];
	unsigned long long kb;
	struct rlimit lim;
	const char *at;

	figures_look_at_process(0, s);
	if (read_proc(0, "smaps_rollup", text) && (at = strstr(text, "\nPss:")) != NULL &&
	    number_at(at, 1, &kb))
		stats_set(s, STAT_PROPORTIONAL, NULL, (double)kb * 1024);
	stats_set(s, STAT_FDS, NULL, (double)open_fds());
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0)
		stats_set(s, STAT_FDS_MAX, NULL, (double)lim.rlim_cur);
}

/* ---- the store ---- */

static void
look_at_file(const char *path, const char *suffix, const char *word, struct stats *s)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if (stat(name, &st) == 0)
		stats_set(s, STAT_STORE_BYTES, word, (double)st.st_size);
}

/* What is in it: for one process to tell, since all see the same. */
static void
look_at_contents(const struct gateway *g, struct stats *s)
{
	struct store_figures f;
	struct statvfs fs;

	if (store_figures(g->store, &f, NULL) == 0) {
		stats_set(s, STAT_STORE_OBJECTS, NULL, (double)f.objects);
		stats_set(s, STAT_STORE_VERSIONS, NULL, (double)f.versions);
		stats_set(s, STAT_STORE_MEMBERS, NULL, (double)f.members);
		stats_set(s, STAT_STORE_SIGHTINGS, NULL, (double)f.sightings);
		stats_set(s, STAT_QUARANTINED, NULL, (double)f.quarantined);
		stats_set(s, STAT_QUARANTINED_BYTES, NULL, (double)f.quarantined_bytes);
		stats_set(s, STAT_PENDING, NULL, (double)f.pending);
		stats_set(s, STAT_PENDING_BYTES, NULL, (double)f.pending_bytes);
	}
	if (strcmp(g->config->store_path, "memory") != 0) {
		look_at_file(g->config->store_path, "", "database", s);
		look_at_file(g->config->store_path, "-wal", "wal", s);
	}
	if (statvfs(g->config->state_dir, &fs) == 0)
		stats_set(s, STAT_DISK_FREE, NULL, (double)fs.f_bavail * (double)fs.f_frsize);
}

/* What it does: for the process that writes. */
static void
look_at_writing(struct store *store, struct stats *s, char trouble[STORE_TROUBLE])
{
	struct store_figures f;

	if (store_figures(store, &f, NULL) < 0) {
		snprintf(trouble, STORE_TROUBLE, "the store does not answer");
		return;
	}
	memcpy(trouble, f.trouble, STORE_TROUBLE);
	stats_set(s, STAT_STORE_WRITABLE, NULL, f.trouble[0] == '\0');
	stats_set(s, STAT_COMMITS, NULL, (double)f.commits);
	stats_set(s, STAT_SYNCS, NULL, (double)f.syncs);
	stats_set(s, STAT_STORE_FAILURES, NULL, (double)f.failures);
	stats_set(s, STAT_STORE_DAMAGES, NULL, (double)f.damages);
	stats_set(s, STAT_STORE_QUEUE, NULL, (double)f.waiting);
	stats_set(s, STAT_AUDIT_SEQ, NULL, (double)f.audit_records);
	stats_set(s, STAT_COMMIT_MAX, NULL, (double)f.commit_us_max / 1e6);
	stats_set(s, STAT_DATE_AHEAD, NULL, (double)f.date_ahead_us / 1e6);
}

/* ---- a worker's modules ---- */

static void
look_at_redis(const struct gateway *g, struct stats *s)
{
	struct redis_figures r;

	if (g->redis == NULL)
		return;
	redis_figures(g->redis, &r);
	stats_set(s, STAT_REDIS_UP, NULL, redis_state(g->redis) == REDIS_UP);
	stats_set(s, STAT_REDIS_AWAY, NULL, (double)r.away_us / 1e6);
	stats_set(s, STAT_REDIS_WAITING, NULL, (double)r.waiting);
	stats_set(s, STAT_REDIS_COMMANDS, NULL, (double)r.commands);
	stats_set(s, STAT_REDIS_FAILURES, NULL, (double)r.failures);
	stats_set(s, STAT_REDIS_TIMEOUTS, NULL, (double)r.timeouts);
	stats_set(s, STAT_REDIS_RECONNECTS, NULL, (double)r.reconnects);
}

static void
look_at_claims(const struct gateway *g, struct stats *s)
{
	struct dedup_figures d = { 0 };
	struct limiter_figures l = { 0 };

	dedup_figures(g->dedup, &d);
	limiter_figures(g->limiter, &l);
	stats_set(s, STAT_CLAIMS, "claimed", (double)d.claimed);
	stats_set(s, STAT_CLAIMS, "seen", (double)d.seen);
	stats_set(s, STAT_CLAIMS, "busy", (double)d.busy);
	stats_set(s, STAT_CLAIMS, "unknown", (double)d.unknown);
	stats_set(s, STAT_CLAIMS_LOCAL, NULL, (double)d.local_entries);
	stats_set(s, STAT_LIMITER, "allowed", (double)l.allowed);
	stats_set(s, STAT_LIMITER, "refused", (double)l.refused);
	stats_set(s, STAT_LIMITER_LOCAL, NULL, (double)l.local);
	stats_set(s, STAT_BUCKETS, NULL, (double)l.buckets);
}

static void
look_at_outbox(struct gateway *g, const struct peer *p, int64_t now_us, struct stats *s)
{
	struct outbox_counts n = { 0 };

	if (store_outbox_counts(g->store, p->name, &n, NULL) < 0)
		return;
	stats_set2(s, STAT_OUTBOX, p->name, "queued", (double)n.queued);
	stats_set2(s, STAT_OUTBOX, p->name, "held", (double)n.held);
	stats_set2(s, STAT_OUTBOX, p->name, "dead", (double)n.dead);
	stats_set(s, STAT_OUTBOX_OLDEST, p->name,
	    n.oldest_us > 0 && n.oldest_us < now_us ? (double)(now_us - n.oldest_us) / 1e6 : 0);
}

static void
look_at_link(const struct gateway *g, const struct peer *p, struct stats *s)
{
	static const char *const states[] = { "idle", "deciding", "sending", "waiting" };
	struct outbox_link link = { .state = "idle" };

	outbox_link(g->outbox, p->name, &link);
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		stats_set2(s, STAT_LINK_STATE, p->name, states[i],
		    strcmp(link.state, states[i]) == 0);
	stats_set(s, STAT_LINK_FAILURES, p->name, link.failures);
	if (link.last_ok_us > 0)
		stats_set(s, STAT_LINK_OK, p->name, (double)link.last_ok_us / 1e6);
}

static void
look_at_consumer(const struct book *k, int64_t now_us, struct stats *s)
{
	struct book_verdict v;
	int64_t withheld = 0;

	book_judge(k, now_us, -1, &v);
	for (int i = 0; i < POLICY_REASONS; i++)
		withheld += k->withheld[i];
	stats_set2(s, STAT_CONSUMER_STATE, k->name, book_state_word(v.state), 1);
	stats_set(s, STAT_CONSUMER_OBJECTS, k->name, (double)k->objects);
	stats_set(s, STAT_CONSUMER_REPEATED, k->name, (double)k->repeated_objects);
	stats_set(s, STAT_CONSUMER_WITHHELD, k->name, (double)withheld);
	if (k->last_us > 0)
		stats_set(s, STAT_CONSUMER_CONTACT, k->name, (double)k->last_us / 1e6);
}

/* What all workers have written down about them. */
static void
look_at_consumers(struct gateway *g, struct stats *s)
{
	int64_t now_us = clock_wall_us();
	size_t n = 0;

	for (size_t i = 0; i < trust_peers(g->trust) && n < CONSUMERS_SHOWN; i++) {
		const struct peer *p = trust_peer(g->trust, i);
		struct book k;

		if (!p->is_consumer)
			continue;
		n++;
		consumer_books_look(g->books, p->name, &k);
		look_at_consumer(&k, now_us, s);
	}
}

static void
look_at_worker(struct gateway *g, struct stats *s)
{
	int64_t now_us = clock_wall_us();

	stats_set(s, STAT_IN_WORK, NULL, (double)intake_in_work(g->intake));
	stats_set(s, STAT_TRANSLATE_WAITING, NULL, (double)translate_in_work(g->translate));
	catalog_figures(g->catalog, s);
	stats_set(s, STAT_STORE_DAMAGES, NULL, (double)store_damages(g->store));
	look_at_redis(g, s);
	look_at_claims(g, s);
	for (size_t i = 0; i < trust_peers(g->trust); i++) {
		const struct peer *p = trust_peer(g->trust, i);

		if (!peer_is_sent_to(p))
			continue;
		if (g->worker == 0)
			look_at_outbox(g, p, now_us, s);
		if (g->outbox != NULL && gateway_owns(g, p->name))
			look_at_link(g, p, s);
	}
	if (g->worker == 0)
		look_at_consumers(g, s);
	if (g->worker == 0)
		look_at_contents(g, s);
}

/* Rates can only be told of counters that were there before they first counted. */
static void
begin_at_zero(const struct figures_source *from, struct stats *s)
{
	static const char *const outcomes[] = { "new", "known", "conflict", "refused", "sighting" };
	struct log_figures lines;

	if (from->sealed)
		return;
	log_figures(&lines);
	stats_set(s, STAT_LOG_LINES, "warn", (double)lines.lines[LOG_WARN]);
	stats_set(s, STAT_LOG_LINES, "error", (double)lines.lines[LOG_ERROR]);
	stats_set(s, STAT_LOG_LINES, "info", (double)lines.lines[LOG_INFO]);
	stats_set(s, STAT_LOG_LOST, NULL, (double)lines.lost);
	if (from->g == NULL)
		return;
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
		stats_add(s, STAT_OBJECTS, outcomes[i], 0);
	stats_add(s, STAT_LOGIN_FAILED, NULL, 0);
}

void
figures_look(const struct figures_source *from, struct stats *s, char trouble[STORE_TROUBLE])
{
	trouble[0] = '\0';
	begin_at_zero(from, s);
	if (from->stats != NULL)
		stats_merge(s, from->stats);
	if (!from->sealed)
		look_at_ourselves(s);
	if (from->g != NULL)
		look_at_worker(from->g, s);
	if (from->store != NULL)
		look_at_writing(from->store, s, trouble);
	if (from->look != NULL)
		from->look(from->ctx, s);
}
