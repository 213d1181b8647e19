#include "adapters/folder_push.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/companions.h"
#include "gateway/config.h"
#include "gateway/gateway.h"
#include "gateway/translate.h"

enum {
	DOCUMENT_MAX = 64 << 20,	/* more is cut into smaller deliveries */
	NAME_OF_ADVISORY = 48, NAME_OF_CONTENT = 16,
	FOLDER_MODE = 0750, FILE_MODE = 0640
};

/* One delivery under way. */
struct push {
	struct folder_pushes		*all;
	const struct delivery		*d;
	delivery_done_cb		*done;
	void				*arg;
	struct arena			*mem;
	const struct format_ops		*format;
	char				 queued[STAMP_TEXT + 1];	/* its *now* */
	const char			*file;
	struct delivery_account		 account;
	int64_t				 began_us;
	LIST_ENTRY(push)		 link;
};

struct folder_pushes {
	struct gateway		*g;
	LIST_HEAD(, push)	 under_way;
};

/* ---- the end ---- */

static void
finish(struct push *s, const struct delivery_answer *a)
{
	delivery_done_cb *done = s->done;
	void *arg = s->arg;
	struct arena *mem = s->mem;

	LIST_REMOVE(s, link);
	done(arg, a);
	arena_free(mem);
}

static void
later(struct push *s, const char *why)
{
	const struct delivery_answer a = { .result = DELIVERY_RETRY, .reason = why };

	finish(s, &a);
}

static void
refuse(struct push *s, enum delivery_result result, const char *code, const char *why)
{
	const struct delivery_answer a = { .result = result, .reason = why, .code = code,
	    .account = &s->account };

	finish(s, &a);
}

/* ---- the file ---- */

/* What a folder of anybody's shows in a list, and no shell takes for something else. */
static void
add_plain(struct strbuf *b, const char *text, size_t max)
{
	for (size_t i = 0; text[i] != '\0' && i < max; i++)
		strbuf_addc(b, isalnum((unsigned char)text[i]) || (text[i] == '.' && i > 0) ?
		    text[i] : '-');
}

/* When the last of it was queued: the same at every attempt. */
static void
find_queued(struct push *s)
{
	int64_t us = 0;

	for (size_t i = 0; i < s->d->n; i++)
		if (s->d->items[i].queued_us > us)
			us = s->d->items[i].queued_us;
	stamp_text(us, s->queued);
}

static const char *
name_of(struct push *s)
{
	struct sha256 *h = sha256_new();
	struct strbuf b = STRBUF_INIT;
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	const char *name;

	for (size_t i = 0; i < s->d->n; i++) {
		sha256_add(h, s->d->items[i].row.id);
		sha256_add(h, SLICE_LIT("|"));
		sha256_add(h, s->d->items[i].row.version_key);
		sha256_add(h, SLICE_LIT("\n"));
	}
	sha256_end(h, digest);
	hex_text(digest, sizeof(digest), hex);
	for (const char *p = s->queued; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			strbuf_addc(&b, *p);
	strbuf_adds(&b, "-");
	add_plain(&b, s->d->advisory, NAME_OF_ADVISORY);
	strbuf_addf(&b, "-%.*s%s", (int)NAME_OF_CONTENT, hex, s->format->file_ending);
	name = arena_str(s->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return name;
}

/* A new file under that name, never what somebody else has put there. */
static int
open_new(const char *path)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, FILE_MODE);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)	/* a crash left it */
		fd = open(path, flags, FILE_MODE);
	return fd;
}

/* -1 and errno. Where the folder cannot be synced the file stands there already, and is written again. */
static int
put_file(const char *folder, const char *temp, const char *path, struct slice text)
{
	int fd = open_new(temp), rc, why;

	if (fd < 0)
		return -1;
	rc = fd_write(fd, text) && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0 ? 0 : -1;
	why = errno;
	if (close(fd) < 0 && rc == 0) {
		rc = -1;
		why = errno;
	}
	if (rc == 0 && rename(temp, path) == 0)
		return dir_sync(folder) ? 0 : -1;
	if (rc == 0)
		why = errno;
	unlink(temp);
	errno = why;
	return -1;
}

/* A folder that came after the sandbox was closed looks as if we might not write there. */
static const char *
trouble_with(struct push *s, int why)
{
	const char *hint = why == EACCES || why == ENOENT || why == EXDEV ?
	    "; a folder that was made or mounted meanwhile is seen after `tocsin reload`" : "";

	return arena_fmt(s->mem, "folder %s: %s%s", s->d->peer->folder, strerror(why), hint);
}

/* ---- the text ---- */

static void
take_text(struct push *s, const struct translated *text)
{
	const struct peer *peer = s->d->peer;
	struct delivery_answer a = { .result = DELIVERED, .account = &s->account };
	struct err e = ERR_INIT;

	memcpy(s->account.loss, text->loss, sizeof(s->account.loss));
	if (loss_is_beyond(&peer->refuse_loss_out, text->loss, &e)) {
		refuse(s, DELIVERY_FINAL, "LOSS", arena_fmt(s->mem, "as %s %s", s->format->name, e.reason));
		return;
	}
	s->file = s->account.file = name_of(s);
	digest_sha256(text->text, s->account.digest);
	if (put_file(peer->folder, arena_fmt(s->mem, "%s/.%s.tmp", peer->folder, s->file),
	    arena_fmt(s->mem, "%s/%s", peer->folder, s->file), text->text) < 0) {
		later(s, trouble_with(s, errno));
		return;
	}
	a.took_us = clock_mono_us() - s->began_us;
	finish(s, &a);
}

static void
on_text(void *arg, const struct translated *text)
{
	struct push *s = arg;
	struct strbuf code = STRBUF_INIT;

	if (text->error == NULL) {
		take_text(s, text);
	} else if (text->retryable) {
		later(s, text->error->reason);
	} else if (text->error->code == ERR_LIMIT) {
		refuse(s, DELIVERY_TOO_LARGE, NULL, text->error->reason);
	} else {
		for (const char *p = text->code; *p != '\0'; p++)
			strbuf_addc(&code, (char)toupper((unsigned char)*p));
		refuse(s, DELIVERY_FINAL, arena_str(s->mem, strbuf_slice(&code)),
		    arena_fmt(s->mem, "it cannot be written as %s: %s", s->format->name,
		    text->error->reason));
	}
	strbuf_fini(&code);
}

/* STIX says what it is taken from word for word; its readers have a rule for what is unmarked. */
static bool
is_stix(const struct format_ops *f)
{
	return f == &format_stix21 || f == &format_stix20;
}

static void
on_companions(void *arg, const struct companions *c, const struct err *e)
{
	struct push *s = arg;
	const struct delivery *d = s->d;
	const struct config *conf = s->all->g->config;
	struct translate_write q = { .format = s->format->name, .received = s->queued,
	    .csirt = conf->csirt, .csirt_contact = conf->contact, .most = DOCUMENT_MAX,
	    .no_residue = d->peer->folder_plain, .pretty = true, .request = d->request };
	struct slice *texts;

	if (e != NULL) {
		later(s, arena_str(s->mem, slice_of(e->reason)));
		return;
	}
	texts = arena_alloc(s->mem, (d->n + c->n + 1) * sizeof(*texts));
	for (size_t i = 0; i < c->n; i++)
		texts[i] = c->texts[i];
	for (size_t i = 0; i < d->n; i++)
		texts[c->n + i] = d->items[i].row.bytes;
	q.objects = texts;
	q.n = c->n + d->n;
	q.unmarked = is_stix(s->format) ? TLP_UNSET : c->unmarked;
	s->account.companions = c->n;
	translate_write(s->all->g->translate, &q, on_text, s);
}

void
folder_pushes_send(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg)
{
	struct folder_pushes *all = ctx;
	struct arena *mem = arena_new();
	struct push *s = arena_alloc(mem, sizeof(*s));

	*s = (struct push){ .all = all, .d = d, .done = done, .arg = arg, .mem = mem,
	    .format = format_find(slice_of(d->peer->folder_format)),
	    .account = { .format = d->peer->folder_format }, .began_us = clock_mono_us() };
	LIST_INSERT_HEAD(&all->under_way, s, link);
	find_queued(s);
	companions_find(all->g, d, mem, on_companions, s);
}

/* ---- life ---- */

void
folder_pushes_reload(struct folder_pushes *all)
{
	const struct trust *t = all->g->trust;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < trust_peers(t); i++) {
		const struct peer *p = trust_peer(t, i);

		if (p->folder == NULL || !gateway_owns(all->g, p->name) || file_exists(p->folder) ||
		    dir_make(p->folder, FOLDER_MODE, &e) == 0)
			continue;
		log_event(LOG_WARN, "folder.not-there", LF_S("peer", p->name), LF_S("error", e.reason));
	}
}

struct folder_pushes *
folder_pushes_new(struct gateway *g)
{
	struct folder_pushes *all = xcalloc(1, sizeof(*all));

	all->g = g;
	LIST_INIT(&all->under_way);
	folder_pushes_reload(all);
	return all;
}

void
folder_pushes_free(struct folder_pushes *all)
{
	struct push *s;

	if (all == NULL)
		return;
	while ((s = LIST_FIRST(&all->under_way)) != NULL) {
		LIST_REMOVE(s, link);
		arena_free(s->mem);
	}
	free(all);
}
