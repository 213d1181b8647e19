#include "gateway/store_sqlite_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"

/* SQLite's own takes less than 128 KiB at once. */
enum { GATHER_BYTES = 120 << 10 };

/* A file. `real` is SQLite's own, which lies behind us in the same memory. */
struct gathered {
	sqlite3_file	 base;		/* first */
	sqlite3_file	*real;
	char		*p;		/* NULL but in a log that was written to */
	size_t		 n;		/* gathered */
	sqlite3_int64	 at;		/* where it belongs */
};

static struct gathered *
of(sqlite3_file *f)
{
	return (struct gathered *)f;
}

static sqlite3_file *
real(sqlite3_file *f)
{
	return of(f)->real;
}

/* Write what was gathered. Whatever comes of it, nothing is left: after a failure SQLite rolls back, and
 * writes the same places anew. */
static int
flush(sqlite3_file *f)
{
	struct gathered *g = of(f);
	size_t n = g->n;

	g->n = 0;
	return n == 0 ? SQLITE_OK : g->real->pMethods->xWrite(g->real, g->p, (int)n, g->at);
}

/* ---- a log ---- */

static int
log_close(sqlite3_file *f)
{
	int rc = flush(f), closed = real(f)->pMethods->xClose(real(f));

	free(of(f)->p);
	of(f)->p = NULL;
	return rc != SQLITE_OK ? rc : closed;
}

static int
log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct gathered *g = of(f);
	int rc = SQLITE_OK;

	if (g->n > 0 && (at != g->at + (sqlite3_int64)g->n || (size_t)n > GATHER_BYTES - g->n))
		rc = flush(f);
	if (rc != SQLITE_OK)
		return rc;
	if ((size_t)n > GATHER_BYTES)
		return g->real->pMethods->xWrite(g->real, p, n, at);
	if (g->p == NULL)
		g->p = xmalloc(GATHER_BYTES);
	if (g->n == 0)
		g->at = at;
	memcpy(g->p + g->n, p, (size_t)n);
	g->n += (size_t)n;
	return SQLITE_OK;
}

static int
log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	int rc = flush(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xRead(real(f), p, n, at);
}

static int
log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = flush(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xTruncate(real(f), size);
}

static int
log_sync(sqlite3_file *f, int flags)
{
	int rc = flush(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xSync(real(f), flags);
}

static int
log_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int rc = flush(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xFileSize(real(f), size);
}

static int
log_lock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xLock(real(f), lock);
}

static int
log_unlock(sqlite3_file *f, int lock)
{
	return real(f)->pMethods->xUnlock(real(f), lock);
}

static int
log_reserved(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int
log_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int
log_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}

static int
log_traits(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

/* Version 1: a log is neither mapped nor shared; the index beside it belongs to the database's file. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1, .xClose = log_close, .xRead = log_read, .xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync, .xFileSize = log_size, .xLock = log_lock, .xUnlock = log_unlock,
	.xCheckReservedLock = log_reserved, .xFileControl = log_control, .xSectorSize = log_sector,
	.xDeviceCharacteristics = log_traits,
};

/* ---- the VFS ---- */

/* A log is opened behind a wrapper; every other file is SQLite's own, in place. */
static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	sqlite3_vfs *own = sqlite3_vfs_find(NULL);
	struct gathered *g = of(f);
	int rc;

	(void)vfs;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return own->xOpen(own, name, f, flags, out);
	memset(g, 0, sizeof(*g));
	g->real = (sqlite3_file *)(g + 1);
	rc = own->xOpen(own, name, g->real, flags, out);
	if (g->real->pMethods != NULL)
		g->base.pMethods = &log_methods;
	return rc;
}

const char *
sq_vfs(void)
{
	static sqlite3_vfs vfs;
	sqlite3_vfs *own;

	if (vfs.zName != NULL)
		return vfs.zName;
	if ((own = sqlite3_vfs_find(NULL)) == NULL)
		return NULL;
	vfs = *own;		/* all of its functions but one */
	vfs.pNext = NULL;
	vfs.szOsFile = own->szOsFile + (int)sizeof(struct gathered);
	vfs.zName = "gathered";
	vfs.xOpen = vfs_open;
	return sqlite3_vfs_register(&vfs, 0) == SQLITE_OK ? vfs.zName : NULL;
}
