/*
 * audit.h -- the hash chain of what was decided and done.
 *
 *	{"seq":7,"t":"...","ev":"decision",...,"prev":"HEX","mac":"HEX"}
 *
 * mac = HMAC-SHA256(key, line up to and without `,"mac"`), prev = mac of the record before (64 zeros for
 * the first). A flip, a drop, a swap or an insert breaks the chain at the first bad record.
 *
 * Owns:    the form of a record, sealing it, and verifying a run of them.
 * Called:  by the store backends (seal, inside the transaction), by whoever has something to record
 *          (audit_members), by `tocsin audit verify|export`.
 * Never:   holds content or names of persons: object ids are keyed hashes ("k:...").
 */
#ifndef GATEWAY_AUDIT_H
#define GATEWAY_AUDIT_H

#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { AUDIT_MAC_TEXT = 64 };

/* The sealed line (no newline) of record `seq`, and its mac as hex. `extra` ("" or ",\"new\":1") goes
 * behind the members. */
void	audit_seal(struct strbuf *line, char mac[AUDIT_MAC_TEXT + 1], struct hmac *key, uint64_t seq,
	    int64_t at_us, const char *members, const char *extra, const char *prev);

/* Verifying, record by record. */
struct audit_check {
	struct slice	key;
	uint64_t	seq;			/* last good */
	char		prev[AUDIT_MAC_TEXT + 1];
	uint64_t	bad_seq;	/* of the first bad record, or its position; 0 = none */
	char		reason[160];
};
void	audit_check_init(struct audit_check *c, struct slice key);
/* False at the first record that does not fit. */
bool	audit_check_line(struct audit_check *c, struct slice line);

/* "k:" + 16 hex digits of HMAC(key, id): how records name an object. */
void	audit_object(struct slice key, struct slice id, char out[19]);

/* Building members: audit_text(b, "peer", name) appends ,"peer":"name" (no comma first). */
void	audit_text(struct strbuf *b, const char *name, struct slice value);
void	audit_number(struct strbuf *b, const char *name, int64_t value);
/* For store_audit_add, of whoever can do no more about it: a record that was not kept stands in the log. */
void	audit_kept(void *arg, const struct err *e);

#endif
