/* The copy of a whole store: store_backup.h says what for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/store_backup.h"
#include "gateway/store_sqlite.h"

static int
fail(sqlite3 *db, const char *path, struct err *e)
{
	return err_set(e, ERR_STORE, "%s: %s", path, sqlite3_errmsg(db));
}

/* An empty file for us alone, under a name that nobody has. */
static int
make_file(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "%s: %s", path,
		    strerror(errno));
	close(fd);
	return 0;
}

/* All pages in one step: so it is one state, however busy the node is. */
static int
copy_pages(sqlite3 *from, const char *path, sqlite3 *to, const char *part, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int step;

	if (b == NULL)
		return fail(to, part, e);
	step = sqlite3_backup_step(b, -1);
	if (sqlite3_backup_finish(b) != SQLITE_OK || step != SQLITE_DONE)
		return step == SQLITE_CORRUPT ? err_set(e, ERR_STORE, "%s: damaged; `tocsin check "
		    "--store` names what is lost", path) : fail(to, part, e);
	return 0;
}

/* SQLite's quick look at every page of the copy: a backup that cannot be read is none. */
static int
look_through(sqlite3 *db, const char *part, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW)
		rc = fail(db, part, e);
	else if (!slice_is(sq_col(st, 0), "ok"))
		rc = err_set(e, ERR_STORE, "the copy is damaged, as the store is: %.*s",
		    SLICE_ARG(sq_col(st, 0)));
	sqlite3_finalize(st);
	return rc;
}

/* From the store into the file of that name, which is empty. The copy is one file, without a log. */
static int
fill(const char *path, const char *part, struct err *e)
{
	sqlite3 *from = sq_open_quietly(path, e), *to = NULL;
	int rc = -1;

	if (from == NULL)
		return -1;
	if (sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK ||
	    sqlite3_exec(to, "PRAGMA synchronous = FULL", NULL, NULL, NULL) != SQLITE_OK)
		fail(to, part, e);
	else if (copy_pages(from, path, to, part, e) < 0)
		rc = -1;
	else if (sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
		fail(to, part, e);
	else
		rc = look_through(to, part, e);
	sqlite3_close(to);
	sqlite3_close(from);
	return rc;
}

int
store_backup(const char *path, const char *to, struct err *e)
{
	struct strbuf part = STRBUF_INIT;
	int rc = -1;

	strbuf_addf(&part, "%s.part", to);
	if (file_exists(to))
		err_set(e, ERR_CONFLICT, "%s: there is a file of that name", to);
	else if (make_file(part.p, e) == 0) {
		rc = fill(path, part.p, e) < 0 ? -1 : file_move(part.p, to, e);
		if (rc < 0)
			unlink(part.p);
	}
	strbuf_fini(&part);
	return rc;
}
