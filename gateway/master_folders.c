/* master_folders.c -- folders that documents for peers are put into: made, handed over, and seen to be
 * others than before. Others take files there, so none of this stops a node. */
#include "gateway/master_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/peer.h"

enum { FOLDER_MODE = 0750 };

void
folders_list(struct out_folders *list, const struct trust *t)
{
	list->v = xcalloc(trust_peers(t) + 1, sizeof(*list->v));
	list->n = 0;
	for (size_t i = 0; i < trust_peers(t); i++)
		if (trust_peer(t, i)->folder != NULL)
			list->v[list->n++].path = xstrdup(trust_peer(t, i)->folder);
}

void
folders_free(struct out_folders *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].path);
	free(list->v);
	*list = (struct out_folders){ .n = 0 };
}

/* Who takes the files keeps his right: only the owner changes. */
static int
make_one(const struct master *m, const char *path, struct err *e)
{
	struct stat st;

	if (dir_make(path, FOLDER_MODE, e) < 0)
		return -1;
	if (m->uid[PROCESS_WORKER] == geteuid() || stat(path, &st) < 0 ||
	    st.st_uid == m->uid[PROCESS_WORKER])
		return 0;
	return users_give(path, m->uid[PROCESS_WORKER], st.st_gid, st.st_mode & 07777, e);
}

void
folders_make(const struct master *m, struct out_folders *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct out_folder *f = &list->v[i];
		struct err e = ERR_INIT;

		if (make_one(m, f->path, &e) < 0)
			log_event(LOG_WARN, "folder.not-there", LF_S("folder", f->path),
			    LF_S("error", e.reason));
		f->there = file_identity(f->path, f->id);
	}
}

bool
folders_are_known(const struct out_folders *old, const struct out_folders *now)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct out_folder *f = &now->v[i];
		size_t k = 0;

		while (k < old->n && (strcmp(old->v[k].path, f->path) != 0 || old->v[k].there != f->there ||
		    memcmp(old->v[k].id, f->id, sizeof(f->id)) != 0))
			k++;
		if (k == old->n)
			return false;
	}
	return true;
}
