#include "gateway/feed_publish.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/feed.h"
#include "gateway/gateway.h"
#include "gateway/stats.h"

enum { TROUBLE = 160, TIDY_S = 3600 };
#define TEMPORARY_US	INT64_C(3600000000)		/* no build takes so long */

/* One feed that is published. */
struct publication {
	struct gateway		*g;
	char			*feed;
	struct event		*timer;
	bool			 asking, dead;
	char			 tag[FEED_OUTPUTS][FEED_TAG + 1];	/* of what lies there; or "" */
	int64_t			 at_us;
	char			 trouble[TROUBLE];
	struct publication	*next;
};

struct feed_publisher {
	struct gateway		*g;
	struct publication	*v;
	struct event		*tidy;
};

/* ---- files ---- */

static void
trouble(struct publication *p, const char *why)
{
	if (strcmp(p->trouble, why) != 0 && why[0] != '\0')
		log_event(LOG_ERROR, "feed.not-published", LF_S("feed", p->feed), LF_S("error", why));
	snprintf(p->trouble, sizeof(p->trouble), "%s", why);
}

/* Write the outputs whose text is another than before; -1: one could not be written. */
static int
write_files(struct publication *p, const struct feed_conf *conf, const struct feed_made *made)
{
	uint64_t served = feed_outputs(conf);
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < FEED_OUTPUTS && rc == 0; i++) {
		const struct feed_file *file = made->out[i].file;
		struct strbuf path = STRBUF_INIT;

		if (file == NULL || (served >> i & 1) == 0 ||
		    strcmp(p->tag[i], feed_file_tag(file)) == 0)
			continue;
		strbuf_addf(&path, "%s/%s.%s", conf->path, conf->name, flat_outputs[i].ending);
		rc = feed_file_publish(file, path.p, &e);
		if (rc == 0) {
			snprintf(p->tag[i], sizeof(p->tag[i]), "%s", feed_file_tag(file));
			stats_add2(p->g->stats, STAT_FEEDS, p->feed, "published", 1);
		}
		strbuf_fini(&path);
	}
	trouble(p, rc < 0 ? e.reason : "");
	return rc;
}

/* Who may write to the folder shall not choose what is emptied. */
static int
empty_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -1 : close(fd);
}

/* Whose files these are may not read the collection any more. */
static void
empty_files(struct publication *p, const struct feed_conf *conf)
{
	uint64_t served = feed_outputs(conf);

	for (size_t i = 0; i < FEED_OUTPUTS && flat_outputs[i].name != NULL; i++) {
		struct strbuf path = STRBUF_INIT;

		strbuf_addf(&path, "%s/%s.%s", conf->path, conf->name, flat_outputs[i].ending);
		if ((served >> i & 1) != 0 && empty_file(path.p) < 0 && errno != ENOENT)
			log_event(LOG_ERROR, "feed.not-emptied", LF_S("file", path.p),
			    LF_S("error", strerror(errno)));
		p->tag[i][0] = '\0';
		strbuf_fini(&path);
	}
	trouble(p, "its consumer may not read the collection: the files were emptied");
}

/* ---- the round ---- */

static void
arm(struct publication *p, int64_t us)
{
	const struct timeval wait = { us / 1000000, us % 1000000 > 0 ? us % 1000000 : 1 };

	evtimer_add(p->timer, &wait);
}

static void
publication_free(struct publication *p)
{
	event_free(p->timer);
	free(p->feed);
	free(p);
}

static void
on_ready(void *arg, struct feed_made *made, const struct err *e)
{
	struct publication *p = arg;
	const struct feed_conf *conf = config_feed(p->g->config, slice_of(p->feed));

	p->asking = false;
	if (p->dead) {
		publication_free(p);
		return;
	}
	if (conf == NULL || conf->path == NULL)
		return;
	if (e != NULL)
		trouble(p, e->reason);
	else if (write_files(p, conf, made) == 0)
		p->at_us = clock_wall_us();
	arm(p, conf->every_us);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct publication *p = arg;
	const struct feed_conf *conf = config_feed(p->g->config, slice_of(p->feed));
	struct feed_ask ask = { .feed = conf };

	(void)fd;
	(void)what;
	if (conf == NULL || conf->path == NULL || p->g->draining)
		return;
	ask.collection = catalog_find(p->g->catalog, slice_of(conf->collection));
	ask.reader.peer = trust_find(p->g->trust, slice_of(conf->reader));
	ask.reader.name = conf->reader;
	if (ask.collection == NULL || ask.reader.peer == NULL ||
	    !catalog_can_read(p->g->catalog, ask.collection, &ask.reader)) {
		empty_files(p, conf);
		arm(p, conf->every_us);
		return;
	}
	p->asking = true;
	feeds_get(p->g->feeds, &ask, feed_outputs(conf), on_ready, p);
}

/* ---- what nobody needs ---- */

/* How long a file of that name may lie untouched; 0: it is not ours. */
static int64_t
keep_us(const struct config *conf, const char *name)
{
	int64_t longest = 0;

	if (strncmp(name, "tmp-", 4) == 0 || strstr(name, ".tmp-") != NULL)
		return TEMPORARY_US;
	if (strstr(name, ".state") == NULL && strstr(name, ".log.") == NULL &&
	    strstr(name, ".lock") == NULL)
		return 0;
	for (size_t i = 0; i < conf->nfeeds; i++)
		if (conf->feeds[i].history_us > longest)
			longest = conf->feeds[i].history_us;
	return 2 * longest + TEMPORARY_US;
}

/* What a crash left, and what was said to readers who do not ask any more. A lock is touched by nobody, so
 * it goes with its state alone. */
static void
tidy(const struct config *conf)
{
	int64_t now = clock_wall_us();
	DIR *d = opendir(conf->feeds_dir);
	struct dirent *x;
	struct stat st;

	while (d != NULL && (x = readdir(d)) != NULL) {
		int64_t keep = keep_us(conf, x->d_name);

		if (keep == 0 || strstr(x->d_name, ".lock") != NULL ||
		    fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_mtim.tv_sec * INT64_C(1000000) + keep > now)
			continue;
		unlinkat(dirfd(d), x->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
}

static void
on_tidy(evutil_socket_t fd, short what, void *arg)
{
	struct feed_publisher *p = arg;

	(void)fd;
	(void)what;
	tidy(p->g->config);
}

/* ---- life ---- */

static struct publication *
find(const struct feed_publisher *pub, const char *feed)
{
	struct publication *p = pub->v;

	while (p != NULL && strcmp(p->feed, feed) != 0)
		p = p->next;
	return p;
}

static void
drop(struct publication *p)
{
	p->dead = true;
	if (!p->asking)
		publication_free(p);
}

void
feed_publisher_reload(struct feed_publisher *pub)
{
	struct publication *p, **at;
	struct err e = ERR_INIT;

	if (pub == NULL)
		return;
	for (at = &pub->v; (p = *at) != NULL; ) {
		const struct feed_conf *conf = config_feed(pub->g->config, slice_of(p->feed));

		if (conf != NULL && conf->path != NULL) {
			if (!p->asking)
				arm(p, 0);
			at = &p->next;
			continue;
		}
		*at = p->next;
		drop(p);
	}
	for (size_t i = 0; i < pub->g->config->nfeeds; i++) {
		const struct feed_conf *conf = &pub->g->config->feeds[i];

		if (conf->path == NULL || find(pub, conf->name) != NULL)
			continue;
		p = xcalloc(1, sizeof(*p));
		p->g = pub->g;
		p->feed = xstrdup(conf->name);
		p->timer = evtimer_new(pub->g->base, on_timer, p);
		if (dir_make(conf->path, 0750, &e) < 0)	/* the master has made it, if there is one */
			trouble(p, e.reason);
		p->next = pub->v;
		pub->v = p;
		arm(p, 0);
	}
}

struct feed_publisher *
feed_publisher_new(struct gateway *g)
{
	static const struct timeval often = { TIDY_S, 0 };
	struct feed_publisher *pub = xcalloc(1, sizeof(*pub));

	pub->g = g;
	pub->tidy = event_new(g->base, -1, EV_PERSIST, on_tidy, pub);
	event_add(pub->tidy, &often);
	tidy(g->config);
	feed_publisher_reload(pub);
	return pub;
}

void
feed_publisher_free(struct feed_publisher *pub)
{
	struct publication *p;

	if (pub == NULL)
		return;
	while ((p = pub->v) != NULL) {
		pub->v = p->next;
		drop(p);	/* who is still asked for is freed by feeds_free's answer */
	}
	event_free(pub->tidy);
	free(pub);
}

int
feed_publisher_look(const struct feed_publisher *pub, const char *feed, struct feed_published *out)
{
	const struct publication *p = pub == NULL ? NULL : find(pub, feed);

	if (p == NULL)
		return 0;
	*out = (struct feed_published){ .at_us = p->at_us, .trouble = p->trouble };
	return 1;
}
