/* master_users.c -- who the children are, and what belongs to whom, when root starts the node. */
#include "gateway/master_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

enum { NUMBERS_FIRST = 2000000000, NUMBERS = 1000000, NUMBERS_EACH = 4 };

/* ---- accounts ---- */

/* The same after every start, and another for every node. */
static uint32_t
number_for(const struct config *conf, unsigned which)
{
	uint32_t h = 2166136261u;

	for (const char *p = conf->state_dir; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return NUMBERS_FIRST + h % NUMBERS * NUMBERS_EACH + which;
}

/* True if the kernel knows that number here: a container may not. */
static bool
is_mapped(const char *map, uint32_t id)
{
	unsigned long inside, outside, count;
	bool found = false;
	FILE *f = fopen(map, "re");

	while (f != NULL && !found && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3)
		found = id >= inside && id - inside < count;
	if (f != NULL)
		fclose(f);
	return found;
}

static uint32_t
user_of(const struct config *conf, const char *name, unsigned which)
{
	const struct passwd *pw = getpwnam(name);

	return pw != NULL ? pw->pw_uid : number_for(conf, which);
}

/* ---- folders ---- */

/* May this user look for names in the folder? */
static bool
may_search(const char *folder, uint32_t uid, uint32_t gid)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return errno == ENOENT;		/* it will be made */
	if (st.st_uid == uid)
		return (st.st_mode & S_IXUSR) != 0;
	return (st.st_mode & (st.st_gid == gid ? S_IXGRP : S_IXOTH)) != 0;
}

/* And in all the folders above it? Where one is closed, the owner wants nobody else in; but for the store's
 * own, which is going to be handed over. */
static bool
may_reach(const char *path, const char *store, uint32_t uid, uint32_t gid)
{
	struct strbuf b = STRBUF_INIT;
	bool open = path[0] == '/' ? may_search("/", uid, gid) : may_search(".", uid, gid);
	char *full = realpath(".", NULL);

	if (path[0] != '/' && full != NULL)
		strbuf_addf(&b, "%s/", full);
	free(full);
	strbuf_adds(&b, path);
	for (size_t i = 1; open && i < b.n; i++) {
		if (b.p[i] != '/')
			continue;
		b.p[i] = '\0';
		open = strcmp(b.p, store) == 0 || may_search(b.p, uid, gid);
		b.p[i] = '/';
	}
	strbuf_fini(&b);
	return open;
}

/* Can workers and storekeeper be strangers to each other and to root, as the folders are? */
static bool
can_separate(const struct master *m, const struct config *conf, uint32_t keeper, uint32_t worker)
{
	struct slice folder = file_folder(conf->store_path);
	char *store = xstrndup(folder.p, folder.n);
	bool can = may_reach(conf->store_path, store, keeper, m->gid) &&
	    may_reach(conf->store_path, store, worker, m->gid) &&
	    may_reach(conf->bodies_dir, store, worker, m->gid);

	can = can && may_reach(conf->feeds_dir, store, worker, m->gid);
	for (size_t i = 0; i < conf->nfeeds; i++)
		can = can && (conf->feeds[i].path == NULL ||
		    may_reach(conf->feeds[i].path, store, worker, m->gid));
	for (size_t i = 0; i < conf->nspools; i++)
		can = can && may_reach(conf->spools[i].path, store, worker, m->gid);
	if (conf->redis.url != NULL && strncmp(conf->redis.url, "unix:", 5) == 0)
		can = can && may_reach(conf->redis.url + 5, store, worker, m->gid);
	free(store);
	return can;
}

/* The open file becomes this user's. */
static int
give_open(int fd, uint32_t uid, uint32_t gid, mode_t mode)
{
	char self[40];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return 0;		/* who has the folder chose where it leads */
	if (S_ISREG(st.st_mode) && st.st_nlink > 1 && st.st_uid != uid) {
		errno = EMLINK;		/* it may be anybody's, under another name */
		return -1;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -1 : chmod(self, mode);
}

/* The folder that it lies in may be a child's already, and a child may have been taken over: so what is
 * looked at and what is given away is one file, and never what a link leads to. */
int
users_give(const char *path, uint32_t uid, uint32_t gid, mode_t mode, struct err *e)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc;

	if (fd < 0 && errno == ENOENT)
		return 0;
	rc = fd < 0 ? -1 : give_open(fd, uid, gid, mode);
	if (rc < 0)
		err_set(e, ERR_IO, "cannot hand over %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
give_store(const struct master *m, const struct config *conf, struct err *e)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	uint32_t uid = m->uid[PROCESS_STOREKEEPER];
	struct slice name = file_folder(conf->store_path);
	char *folder = xstrndup(name.p, name.n);
	int rc = dir_make(folder, 0700, e) < 0 ? -1 : users_give(folder, uid, m->gid, 0750, e);

	for (size_t i = 0; rc == 0 && i < sizeof(ends) / sizeof(*ends); i++) {
		struct strbuf b = STRBUF_INIT;

		strbuf_addf(&b, "%s%s", conf->store_path, ends[i]);
		rc = users_give(b.p, uid, m->gid, 0640, e);
		strbuf_fini(&b);
	}
	free(folder);
	return rc;
}

static int
make_spool(const struct master *m, const struct spool_conf *s, struct err *e)
{
	static const char *const folders[] = { "", "/incoming", "/done", "/rejected" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(*folders); i++) {
		struct strbuf b = STRBUF_INIT;
		struct stat st;

		strbuf_addf(&b, "%s%s", s->path, folders[i]);
		rc = dir_make(b.p, 0700, e);
		/* A group that may drop files keeps its right. */
		if (rc == 0 && m->uid[PROCESS_WORKER] != geteuid() && stat(b.p, &st) == 0 &&
		    st.st_uid != m->uid[PROCESS_WORKER])
			rc = users_give(b.p, m->uid[PROCESS_WORKER], st.st_gid, st.st_mode & 07777, e);
		strbuf_fini(&b);
	}
	return rc;
}

/* What waits there came under another user if the accounts were changed. */
static void
give_files(const struct master *m, int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct stat st;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		fd = openat(folder, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    give_open(fd, m->uid[PROCESS_WORKER], m->gid, 0600) < 0)
			log_event(LOG_WARN, "users.kept", LF_S("file", entry->d_name),
			    LF_S("why", strerror(errno)));
		close(fd);
	}
	if (d != NULL)
		closedir(d);
}

/* Request bodies, and those that are worked off after their answer (pending.h). The folder is a child's: no
 * name in it is followed. */
static int
make_bodies(const struct master *m, const struct config *conf, struct err *e)
{
	bool ours = m->uid[PROCESS_WORKER] == geteuid();
	int bodies, pending = -1, rc = 0;

	if (dir_make(conf->bodies_dir, 0700, e) < 0)
		return -1;
	bodies = open(conf->bodies_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (ours ? 0 : O_NOFOLLOW));
	if (bodies >= 0 && (mkdirat(bodies, "pending", 0700) == 0 || errno == EEXIST))
		pending = openat(bodies, "pending", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pending < 0 || (!ours && (give_open(pending, m->uid[PROCESS_WORKER], m->gid, 0700) < 0 ||
	    give_open(bodies, m->uid[PROCESS_WORKER], m->gid, 0700) < 0)))
		rc = err_set(e, ERR_IO, "cannot hand over %s: %s", conf->bodies_dir, strerror(errno));
	else if (!ours)
		give_files(m, pending);
	if (pending >= 0)
		close(pending);
	if (bodies >= 0)
		close(bodies);
	return rc;
}

/* Who takes the files keeps his right: only the owner changes. */
static int
make_feed(const struct master *m, const struct feed_conf *f, struct err *e)
{
	struct stat st;

	if (dir_make(f->path, 0750, e) < 0)
		return -1;
	if (m->uid[PROCESS_WORKER] == geteuid() || stat(f->path, &st) < 0 ||
	    st.st_uid == m->uid[PROCESS_WORKER])
		return 0;
	return users_give(f->path, m->uid[PROCESS_WORKER], st.st_gid, st.st_mode & 07777, e);
}

/* What feeds said to whom, of whichever account wrote it. */
static int
make_feeds(const struct master *m, const struct config *conf, struct err *e)
{
	int folder;

	for (size_t i = 0; i < conf->nfeeds; i++)
		if (conf->feeds[i].path != NULL && make_feed(m, &conf->feeds[i], e) < 0)
			return -1;
	if (dir_make(conf->feeds_dir, 0700, e) < 0)
		return -1;
	if (m->uid[PROCESS_WORKER] == geteuid())
		return 0;
	folder = open(conf->feeds_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0 || give_open(folder, m->uid[PROCESS_WORKER], m->gid, 0700) < 0) {
		err_set(e, ERR_IO, "cannot hand over %s: %s", conf->feeds_dir, strerror(errno));
		if (folder >= 0)
			close(folder);
		return -1;
	}
	give_files(m, folder);
	close(folder);
	return 0;
}

/* ---- both ---- */

int
users_find(struct master *m, struct err *e)
{
	const struct config *conf = m->config;
	const struct group *gr = getgrnam(conf->users.group);
	uint32_t keeper, worker, translator;

	(void)e;
	for (int i = 0; i < PROCESS_KINDS; i++)
		m->uid[i] = geteuid();
	m->gid = getegid();
	if (geteuid() != 0)
		return 0;
	keeper = user_of(conf, conf->users.storekeeper, 0);
	worker = user_of(conf, conf->users.worker, 1);
	translator = user_of(conf, conf->users.translator, 2);
	if (!is_mapped("/proc/self/uid_map", keeper) || !is_mapped("/proc/self/uid_map", worker) ||
	    !is_mapped("/proc/self/uid_map", translator)) {
		log_event(LOG_WARN, "users.kept", LF_S("why", "this system has no such numbers"));
		return 0;
	}
	m->uid[PROCESS_TRANSLATOR] = translator;
	m->gid = gr != NULL ? gr->gr_gid : number_for(conf, 3);
	if (can_separate(m, conf, keeper, worker)) {
		m->uid[PROCESS_STOREKEEPER] = keeper;
		m->uid[PROCESS_WORKER] = worker;
	} else {
		log_event(LOG_INFO, "users.kept", LF_S("why", "a folder above theirs is closed to others"));
	}
	return 0;
}

/* Folders are made and given away by who may: children find what they need. */
int
users_hand_over(struct master *m, const struct config *conf, struct err *e)
{
	for (size_t i = 0; i < conf->nspools; i++)
		if (make_spool(m, &conf->spools[i], e) < 0)
			return -1;
	if (make_bodies(m, conf, e) < 0 || make_feeds(m, conf, e) < 0)
		return -1;
	return m->uid[PROCESS_WORKER] == geteuid() ? 0 : give_store(m, conf, e);
}
