/*
 * store_sqlite_vfs.h -- the files as the store's SQLite sees them: a commit is one write, not two a page.
 *
 * SQLite writes each page of a commit into the write-ahead log by two calls, a header of 24 bytes and the
 * page: a tenth of what an object costs. Here what is appended to the log is gathered, and written when it
 * has to be there: before a sync, before anything is read, cut or measured, and when it gets long.
 *
 * Owns:    a VFS over SQLite's own, and the gathered end of each log.
 * Called:  by store_sqlite_open.c, for the one connection that writes. Readers use SQLite's own.
 * Never:   touches any file but a write-ahead log, or holds back what a sync has promised: with
 *          synchronous = FULL SQLite syncs the log before it tells anybody of the new pages.
 */
#ifndef GATEWAY_STORE_SQLITE_VFS_H
#define GATEWAY_STORE_SQLITE_VFS_H

/* Its name for sqlite3_open_v2; NULL (SQLite's own) when it cannot be had. */
const char	*sq_vfs(void);

#endif
