#include "gateway/store_sqlite.h"

/*
 * Keys are short and grow where they can: a new object costs one insert at a random place (object, by a
 * hash of 8 bytes); everything else is appended behind what was written before.
 *
 *	object(idk -> obj)      number of an id; obj is the vid of its first version
 *	version(vid)            head (the facts), then the verbatim bytes; unique by (obj, vkey). The bytes
 *	                        name id and version, so equal bytes are one row: content is kept once
 *	member(cid, class, date_us)   a page is a range of this; see store_sqlite_member.c for class
 *	source(vid, pno)        who gave it, how often
 *	delivery(oid)           outbox and ledger in one: who shall get it, or has it
 *	message(mid)            what all objects of one advisory share
 *	note(space, name)       small facts of other modules
 */
static const char step_1[] =
    "PRAGMA application_id = 0x546f6373; PRAGMA user_version = 1;"
    "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL,"
    " key BLOB NOT NULL, last_us INTEGER NOT NULL DEFAULT 0, objects INTEGER NOT NULL DEFAULT 0,"
    " versions INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0,"
    " sources INTEGER NOT NULL DEFAULT 0, sightings INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE collection (cid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " uuid TEXT NOT NULL UNIQUE, digest BLOB) STRICT;"
    "CREATE TABLE party (pno INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " queued INTEGER NOT NULL DEFAULT 0, waits INTEGER NOT NULL DEFAULT 0,"
    " held INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,"
    " denied INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,"
    " covered INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE message (mid INTEGER PRIMARY KEY, pno INTEGER NOT NULL, advisory TEXT NOT NULL,"
    " hops TEXT NOT NULL, received_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE object (idk INTEGER PRIMARY KEY, obj INTEGER NOT NULL) STRICT;"
    "CREATE TABLE version (vid INTEGER PRIMARY KEY, obj INTEGER NOT NULL, vkey TEXT NOT NULL,"
    " hash BLOB NOT NULL, fpk INTEGER, head BLOB NOT NULL, warnings TEXT, bytes BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX version_of ON version (obj, vkey);"
    "CREATE INDEX version_fp ON version (fpk) WHERE fpk IS NOT NULL;"
    "CREATE TABLE member (cid INTEGER NOT NULL, class INTEGER NOT NULL, date_us INTEGER NOT NULL,"
    " vid INTEGER NOT NULL, obj INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " over_us INTEGER NOT NULL, PRIMARY KEY (cid, class, date_us)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX member_kind ON member (cid, kind, class, date_us, vid, over_us);"
    "CREATE UNIQUE INDEX member_of ON member (obj, cid, class, vid, date_us);"
    "CREATE TABLE source (vid INTEGER NOT NULL, pno INTEGER NOT NULL, mid INTEGER NOT NULL,"
    " origin INTEGER NOT NULL, audience TEXT NOT NULL, first_us INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (vid, pno))"
    " WITHOUT ROWID, STRICT;"
    /* An oid is never used again: a booking that is late must not meet another delivery. */
    "CREATE TABLE delivery (oid INTEGER PRIMARY KEY AUTOINCREMENT, pno INTEGER NOT NULL,"
    " vid INTEGER NOT NULL, mid INTEGER NOT NULL, lane INTEGER NOT NULL, state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, due_us INTEGER NOT NULL, queued_us INTEGER NOT NULL,"
    " at_us INTEGER NOT NULL, reason TEXT) STRICT;"
    "CREATE UNIQUE INDEX delivery_of ON delivery (vid, pno);"
    "CREATE INDEX delivery_ready ON delivery (pno, lane, oid) WHERE state = 0;"
    "CREATE INDEX delivery_later ON delivery (pno, due_us) WHERE state IN (1, 2);"
    "CREATE INDEX delivery_denied ON delivery (pno) WHERE state = 4;"
    "CREATE INDEX delivery_dead ON delivery (pno) WHERE state = 5;"
    "CREATE TABLE quarantine (qid INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL,"
    " state TEXT NOT NULL, source TEXT NOT NULL, input TEXT NOT NULL, format TEXT NOT NULL,"
    " code TEXT NOT NULL, path TEXT NOT NULL, line INTEGER NOT NULL, col INTEGER NOT NULL,"
    " off INTEGER NOT NULL, reason TEXT NOT NULL, object_id TEXT NOT NULL,"
    " collection TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB) STRICT;"
    "CREATE TABLE status (id TEXT PRIMARY KEY, user TEXT NOT NULL, requested_us INTEGER NOT NULL,"
    " entries BLOB NOT NULL) STRICT;"
    "CREATE INDEX status_age ON status (requested_us);"
    "CREATE TABLE audit (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;";

/* The id of the request that brought a message: a relay goes on under it. */
static const char step_2[] =
    "PRAGMA user_version = 2;"
    "ALTER TABLE message ADD COLUMN request TEXT NOT NULL DEFAULT '';";

static const char step_3[] =
    "PRAGMA user_version = 3;"
    "ALTER TABLE state ADD COLUMN turns INTEGER NOT NULL DEFAULT 0;";

/* A status that is pending has done_us 0 and a row in `pending`; its entries come part by part. */
static const char step_4[] =
    "PRAGMA user_version = 4;"
    "ALTER TABLE status ADD COLUMN done_us INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE status ADD COLUMN total INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE status ADD COLUMN succeeded INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE status ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE status ADD COLUMN rest TEXT;"
    "UPDATE status SET done_us = requested_us;"
    "DROP INDEX status_age;"
    "CREATE INDEX status_done ON status (done_us) WHERE done_us > 0;"
    "CREATE TABLE status_part (id TEXT NOT NULL, first INTEGER NOT NULL, entries BLOB NOT NULL,"
    " PRIMARY KEY (id, first)) STRICT;"
    "CREATE TABLE pending (id TEXT PRIMARY KEY, source TEXT NOT NULL, collection TEXT NOT NULL,"
    " request TEXT NOT NULL, strict INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL) STRICT;"
    /* what a version of a supporting object names itself; who is missing in which view */
    "CREATE TABLE support (vid INTEGER PRIMARY KEY, ids TEXT NOT NULL) STRICT;"
    "CREATE TABLE wanted (idk INTEGER NOT NULL, cid INTEGER NOT NULL, PRIMARY KEY (idk, cid))"
    " WITHOUT ROWID, STRICT;"
    "CREATE TABLE note (space TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (space, name)) WITHOUT ROWID, STRICT;";

const char *const sq_steps[] = { step_1, step_2, step_3, step_4 };
const size_t sq_nsteps = sizeof(sq_steps) / sizeof(*sq_steps);

#define ROW	"v.vid, v.obj, v.vkey, v.head"

const char *const sq_range_text[RANGES] = {
	[RANGE_ALL] = "SELECT m.date_us, m.over_us, " ROW ", v.bytes FROM member m"
	    " CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.cid = ?1 AND m.class = ?2 AND m.date_us > ?3 ORDER BY m.date_us",
	[RANGE_ALL_HEAD] = "SELECT m.date_us, m.over_us, " ROW " FROM member m"
	    " CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.cid = ?1 AND m.class = ?2 AND m.date_us > ?3 ORDER BY m.date_us",
	[RANGE_KIND] = "SELECT m.date_us, m.over_us, " ROW ", v.bytes FROM member m"
	    " INDEXED BY member_kind CROSS JOIN version v ON v.vid = m.vid WHERE m.cid = ?1"
	    " AND m.class = ?2 AND m.date_us > ?3 AND m.kind = ?4 ORDER BY m.date_us",
	/* each column taken costs a page of a hundred two microseconds */
	[RANGE_SLIM] = "SELECT m.date_us, v.head, v.bytes FROM member m"
	    " CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.cid = ?1 AND m.class = ?2 AND m.date_us > ?3 ORDER BY m.date_us",
	[RANGE_SLIM_HEAD] = "SELECT m.date_us, v.head FROM member m"
	    " CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.cid = ?1 AND m.class = ?2 AND m.date_us > ?3 ORDER BY m.date_us",
	[RANGE_KIND_HEAD] = "SELECT m.date_us, m.over_us, " ROW " FROM member m"
	    " INDEXED BY member_kind CROSS JOIN version v ON v.vid = m.vid WHERE m.cid = ?1"
	    " AND m.class = ?2 AND m.date_us > ?3 AND m.kind = ?4 ORDER BY m.date_us",
};

const char *const sq_text[SQ_COUNT] = {
	[SQ_BEGIN] = "BEGIN IMMEDIATE",
	[SQ_READ] = "BEGIN",
	[SQ_COMMIT] = "COMMIT",
	[SQ_ROLLBACK] = "ROLLBACK",
	[SQ_STATE_GET] = "SELECT id, key, last_us, objects, versions, members, sources, sightings,"
	    " turns FROM state",
	[SQ_STATE_EPOCH] = "SELECT last_us, members, sightings, turns FROM state",
	[SQ_STATE_ADD] = "INSERT INTO state (one, id, key) VALUES (1, ?1, ?2)",
	[SQ_STATE_SET] = "UPDATE state SET last_us = ?1, objects = ?2, versions = ?3, members = ?4,"
	    " sources = ?5, sightings = ?6, turns = ?7",
	[SQ_PARTY_ALL] = "SELECT pno, name, queued, waits, held, sent, denied, dead, covered"
	    " FROM party",
	[SQ_PARTY_ADD] = "INSERT INTO party (name) VALUES (?1)",
	[SQ_PARTY_SET] = "UPDATE party SET queued = ?2, waits = ?3, held = ?4, sent = ?5,"
	    " denied = ?6, dead = ?7, covered = ?8 WHERE pno = ?1",

	[SQ_COLLECTION_BY_NAME] = "SELECT cid, uuid FROM collection WHERE name = ?1",
	[SQ_COLLECTION_BY_UUID] = "SELECT cid, name FROM collection WHERE uuid = ?1",
	[SQ_COLLECTION_ADD] = "INSERT INTO collection (name, uuid) VALUES (?1, ?2)",
	[SQ_DIGEST_GET] = "SELECT digest FROM collection WHERE cid = ?1",
	[SQ_DIGEST_SET] = "UPDATE collection SET digest = ?2 WHERE cid = ?1",

	[SQ_OBJECT_BY_KEY] = "SELECT obj FROM object WHERE idk = ?1",
	[SQ_OBJECT_ADD] = "INSERT INTO object (idk, obj) VALUES (?1, ?2)",
	[SQ_VERSION_FIND] = "SELECT obj, vid, hash, head FROM version WHERE obj = ?1 AND vkey = ?2",
	[SQ_VERSION_KNOWN] = "SELECT o.obj, v.vid, v.hash, v.head FROM object o"
	    " LEFT JOIN version v ON v.obj = o.obj AND v.vkey = ?2 WHERE o.idk = ?1",
	[SQ_VERSION_ADD] = "INSERT INTO version (vid, obj, vkey, hash, fpk, head, warnings, bytes)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQ_VERSION_ROW] = "SELECT 0, 0, " ROW ", v.bytes FROM version v WHERE v.vid = ?1",
	[SQ_VERSION_WHOLE] = "SELECT 0, 0, " ROW ", v.bytes, v.hash FROM version v"
	    " WHERE v.vid = ?1",
	[SQ_VERSION_HEAD] = "SELECT 0, 0, " ROW " FROM version v WHERE v.vid = ?1",
	[SQ_VERSION_LAST] = "SELECT 0, 0, " ROW ", v.bytes, v.warnings FROM version v"
	    " WHERE v.obj = ?1 ORDER BY v.vkey DESC LIMIT 1",
	[SQ_VERSION_SCAN] = "SELECT 0, 0, " ROW ", v.bytes FROM version v WHERE v.vid > ?1"
	    " ORDER BY v.vid",
	[SQ_VERSION_TURN] = "UPDATE version SET head = ?2 WHERE vid = ?1",
	[SQ_VERSION_COPIES] = "SELECT vid, obj, head FROM version WHERE fpk = ?1 ORDER BY vid LIMIT ?2",
	[SQ_TOPS] = "SELECT (SELECT max(vid) FROM version), (SELECT max(cid) FROM collection)",

	[SQ_MESSAGE_ADD] = "INSERT INTO message (pno, advisory, hops, received_us, request)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQ_SOURCE_GET] = "SELECT origin, audience FROM source WHERE vid = ?1 AND pno = ?2",
	[SQ_SOURCE_ADD] = "INSERT INTO source (vid, pno, mid, origin, audience, first_us, last_us,"
	    " count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)",
	[SQ_SOURCE_SET] = "UPDATE source SET origin = ?3, audience = ?4, last_us = max(last_us, ?5),"
	    " count = count + 1 WHERE vid = ?1 AND pno = ?2",
	[SQ_SOURCE_AGAIN] = "UPDATE source SET last_us = max(last_us, ?5), count = count + 1"
	    " WHERE vid = ?1 AND pno = ?2 AND origin = ?3 AND audience = ?4",
	[SQ_SOURCE_SIGHTINGS] = "SELECT p.name, s.origin, m.advisory, m.hops, s.first_us, s.last_us,"
	    " s.count FROM source s CROSS JOIN party p ON p.pno = s.pno"
	    " CROSS JOIN message m ON m.mid = s.mid WHERE s.vid = ?1",

	[SQ_MEMBER_ADD] = "INSERT INTO member (cid, class, date_us, vid, obj, kind, over_us)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQ_MEMBER_MOVE] = "UPDATE member SET class = ?4, over_us = ?5"
	    " WHERE cid = ?1 AND class = ?2 AND date_us = ?3",
	[SQ_MEMBER_DEL] = "DELETE FROM member WHERE cid = ?1 AND class = ?2 AND date_us = ?3",
	/* the four classes by hand, so that the index finds the vid without walking the versions; a list of
	 * them would be sorted into a table for every question */
	[SQ_MEMBER_DATE] = "SELECT date_us FROM member INDEXED BY member_of WHERE obj = ?1"
	    " AND cid = ?2 AND class = 0 AND vid = ?3"
	    " UNION ALL SELECT date_us FROM member INDEXED BY member_of WHERE obj = ?1"
	    " AND cid = ?2 AND class = 1 AND vid = ?3"
	    " UNION ALL SELECT date_us FROM member INDEXED BY member_of WHERE obj = ?1"
	    " AND cid = ?2 AND class = 2 AND vid = ?3"
	    " UNION ALL SELECT date_us FROM member INDEXED BY member_of WHERE obj = ?1"
	    " AND cid = ?2 AND class = 3 AND vid = ?3",
	[SQ_MEMBER_LIVE] = "SELECT m.class, m.date_us, m.vid, v.head, v.vkey FROM member m"
	    " INDEXED BY member_of CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.obj = ?1 AND m.cid = ?2 AND m.class IN (0, 2, 3) ORDER BY m.class",
	[SQ_MEMBER_GROUP] = "SELECT m.class, m.date_us, m.vid, v.head, v.vkey, m.over_us"
	    " FROM member m INDEXED BY member_of CROSS JOIN version v ON v.vid = m.vid"
	    " WHERE m.obj = ?1 AND m.cid = ?2",
	[SQ_MEMBER_IN] = "SELECT 1 FROM member INDEXED BY member_of WHERE obj = ?1 AND cid = ?2"
	    " LIMIT 1",

	[SQ_SUPPORT_SET] = "INSERT OR REPLACE INTO support (vid, ids) VALUES (?1, ?2)",
	[SQ_SUPPORT_GET] = "SELECT ids FROM support WHERE vid = ?1",
	[SQ_WANTED_ADD] = "INSERT OR IGNORE INTO wanted (idk, cid) VALUES (?1, ?2)",
	[SQ_WANTED_GET] = "SELECT cid FROM wanted WHERE idk = ?1 ORDER BY cid",
	[SQ_WANTED_DEL] = "DELETE FROM wanted WHERE idk = ?1",

	[SQ_DELIVERY_ADD] = "INSERT INTO delivery (pno, vid, mid, lane, state, attempts, due_us,"
	    " queued_us, at_us) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6, ?6)",
	[SQ_DELIVERY_OF] = "SELECT oid, state FROM delivery WHERE vid = ?1 AND pno = ?2",
	[SQ_DELIVERY_LIST] = "SELECT p.name, d.state, d.reason, d.at_us FROM delivery d"
	    " CROSS JOIN party p ON p.pno = d.pno WHERE d.vid = ?1",
	[SQ_DELIVERY_GET] = "SELECT pno, vid, state, attempts FROM delivery WHERE oid = ?1",
	[SQ_DELIVERY_SET] = "UPDATE delivery SET state = ?2, attempts = ?3, due_us = ?4, at_us = ?5,"
	    " reason = ?6 WHERE oid = ?1",
	[SQ_DELIVERY_DEL] = "DELETE FROM delivery WHERE oid = ?1",
	[SQ_DELIVERY_READY] = "SELECT d.oid, d.vid, d.mid, d.attempts, d.queued_us, m.advisory,"
	    " m.hops, p.name, m.request FROM delivery d INDEXED BY delivery_ready"
	    " CROSS JOIN message m ON m.mid = d.mid CROSS JOIN party p ON p.pno = m.pno"
	    " WHERE d.state = 0 AND d.pno = ?1 ORDER BY d.lane, d.oid",
	[SQ_DELIVERY_LATER] = "SELECT oid, state FROM delivery INDEXED BY delivery_later"
	    " WHERE state IN (1, 2) AND pno = ?1 AND due_us <= ?2 ORDER BY due_us LIMIT ?3",
	[SQ_DELIVERY_DUE_READY] = "SELECT oid FROM delivery INDEXED BY delivery_ready"
	    " WHERE state = 0 AND pno = ?1 ORDER BY lane, oid",
	[SQ_DELIVERY_DUE_LATER] = "SELECT due_us FROM delivery INDEXED BY delivery_later"
	    " WHERE state IN (1, 2) AND pno = ?1 ORDER BY due_us LIMIT 1",
	[SQ_DELIVERY_QUEUE] = "UPDATE delivery SET state = 0, due_us = ?2 WHERE oid = ?1",
	[SQ_DELIVERY_OLDEST_READY] = "SELECT queued_us FROM delivery INDEXED BY delivery_ready"
	    " WHERE state = 0 AND pno = ?1 AND lane = ?2 ORDER BY oid LIMIT 1",
	[SQ_DELIVERY_OLDEST_LATER] = "SELECT min(queued_us) FROM (SELECT queued_us FROM delivery"
	    " INDEXED BY delivery_later WHERE state IN (1, 2) AND pno = ?1 ORDER BY due_us"
	    " LIMIT 1000)",
	/* asked for by hand: patience starts anew */
	[SQ_DELIVERY_FREE_WAITS] = "UPDATE delivery SET state = 0, attempts = 0, due_us = ?2,"
	    " queued_us = ?2, reason = NULL WHERE state IN (1, 2) AND state = 1 AND pno = ?1",
	[SQ_DELIVERY_FREE_HELD] = "UPDATE delivery SET state = 0, attempts = 0, due_us = ?2,"
	    " queued_us = ?2, reason = NULL WHERE state IN (1, 2) AND state = 2 AND pno = ?1",
	[SQ_DELIVERY_FREE_DEAD] = "UPDATE delivery SET state = 0, attempts = 0, due_us = ?2,"
	    " queued_us = ?2, reason = NULL WHERE state = 5 AND pno = ?1",
	[SQ_DELIVERY_FREE_DENIED] = "UPDATE delivery SET state = 0, attempts = 0, due_us = ?2,"
	    " queued_us = ?2, reason = NULL WHERE state = 4 AND pno = ?1",

	[SQ_QUARANTINE_ADD] = "INSERT INTO quarantine (at_us, state, source, input, format, code,"
	    " path, line, col, off, reason, object_id, collection, size, bytes)"
	    " VALUES (?1, 'held', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[SQ_QUARANTINE_LIST] = "SELECT qid, at_us, state, source, input, format, code, path, line,"
	    " col, off, reason, object_id, collection FROM quarantine WHERE qid > ?1"
	    " AND (?2 OR state = 'held') ORDER BY qid LIMIT ?3",
	[SQ_QUARANTINE_GET] = "SELECT qid, at_us, state, source, input, format, code, path, line,"
	    " col, off, reason, object_id, collection, bytes FROM quarantine WHERE qid = ?1",
	[SQ_QUARANTINE_SET] = "UPDATE quarantine SET state = ?2 WHERE qid = ?1",
	[SQ_QUARANTINE_SIZES] = "SELECT qid, size FROM quarantine ORDER BY qid DESC",
	[SQ_QUARANTINE_DEL] = "DELETE FROM quarantine WHERE qid <= ?1",
	[SQ_QUARANTINE_COUNT] = "SELECT count(*), coalesce(sum(size), 0) FROM quarantine"
	    " WHERE state = 'held'",

	[SQ_STATUS_ADD] = "INSERT INTO status (id, user, requested_us, entries, done_us, total,"
	    " succeeded, failed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQ_STATUS_GET] = "SELECT id, user, requested_us, done_us, total, succeeded, failed, rest,"
	    " CASE done_us WHEN 0 THEN NULL ELSE entries END FROM status WHERE id = ?1",
	[SQ_STATUS_COUNT] = "UPDATE status SET succeeded = succeeded + ?2, failed = failed + ?3"
	    " WHERE id = ?1",
	[SQ_STATUS_DONE] = "UPDATE status SET done_us = ?2, rest = ?3, failed = total - succeeded"
	    " WHERE id = ?1",
	[SQ_STATUS_EXPIRE] = "DELETE FROM status WHERE done_us > 0 AND done_us < ?1",
	[SQ_PART_ADD] = "INSERT INTO status_part (id, first, entries) VALUES (?1, ?2, ?3)",
	[SQ_PART_EACH] = "SELECT entries FROM status_part WHERE id = ?1 ORDER BY first",
	[SQ_PART_EXPIRE] = "DELETE FROM status_part WHERE id IN"
	    " (SELECT id FROM status WHERE done_us > 0 AND done_us < ?1)",
	[SQ_PENDING_ADD] = "INSERT INTO pending (id, source, collection, request, strict, bytes,"
	    " sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQ_PENDING_DEL] = "DELETE FROM pending WHERE id = ?1",
	[SQ_PENDING_EACH] = "SELECT status.id, user, requested_us, total, succeeded, failed, source,"
	    " collection, request, strict, bytes, sha256 FROM pending"
	    " CROSS JOIN status ON status.id = pending.id",
	[SQ_PENDING_SUM] = "SELECT count(*), coalesce(sum(bytes), 0) FROM pending",

	[SQ_AUDIT_ADD] = "INSERT INTO audit (seq, line) VALUES (?1, ?2)",
	[SQ_AUDIT_LAST] = "SELECT seq, line FROM audit ORDER BY seq DESC LIMIT 1",
	[SQ_NOTE_SET] = "INSERT INTO note (space, name, text) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (space, name) DO UPDATE SET text = excluded.text",
	[SQ_NOTE_DEL] = "DELETE FROM note WHERE space = ?1 AND name = ?2",
	[SQ_NOTE_GET] = "SELECT name, text FROM note WHERE space = ?1 AND name = ?2",
	[SQ_NOTE_EACH] = "SELECT name, text FROM note WHERE space = ?1 ORDER BY name",
	[SQ_AUDIT_EACH] = "SELECT seq, line FROM audit WHERE seq > ?1 ORDER BY seq",
};
