/*
 * http1_parse.h -- between http1.c (framing) and http1_head.c (what a head means).
 *
 * Owns:    the parser's state.
 * Called:  by those two files.
 * Never:   included by anyone else.
 */
#ifndef ADAPTERS_HTTP1_PARSE_H
#define ADAPTERS_HTTP1_PARSE_H

#include "adapters/http1.h"
#include "gateway/base/strbuf.h"

enum { HTTP1_MAX_FIELDS = 256 };

/* Header fields whose count or value decides framing or identity; bit numbers of http1.seen. */
enum http1_known {
	KNOWN_HOST, KNOWN_LENGTH, KNOWN_CODING, KNOWN_TYPE, KNOWN_AUTHORIZATION, KNOWN_EXPECT,
	KNOWN_CONNECTION, KNOWN_NONE
};

enum http1_state {
	ST_START,		/* start line, perhaps after one empty line */
	ST_FIELDS,
	ST_LENGTH,		/* body by Content-Length */
	ST_CHUNK_LINE,
	ST_CHUNK_DATA,
	ST_CHUNK_END,		/* the CRLF behind a chunk */
	ST_TRAILERS,
	ST_UNTIL_END,		/* body of a response that ends with the connection */
	ST_END,
	ST_ERROR,
	ST_COUNT
};

struct span {			/* a slice of http1.text while that may still move */
	size_t	at, n;
};

struct http1 {
	bool			 responses;
	struct http1_limits	 lim;
	enum http1_state	 state;
	struct strbuf		 text;		/* start line and fields, CRLFs included */
	size_t			 line_at;	/* where the current line begins in text */
	size_t			 fields_at;	/* where the first field begins in text */
	struct strbuf		 line;		/* chunk-size line or trailer */
	size_t			 trailer_bytes;
	struct strbuf		 path;		/* decoded, when it differs from the target's */
	bool			 stale;		/* text belongs to a finished message */
	bool			 empty_line;	/* one was skipped in front of this message */
	uint64_t		 left;		/* of the body or of the chunk */
	enum http_method	 answers;
	unsigned		 seen;		/* bit per enum http1_known */
	bool			 closes;	/* Connection: close */
	struct span		 spans[4];	/* start line: method target version | version reason */
	struct {
		struct span name, value;
	}			*raw;		/* nfields of them while reading, then head.fields */
	size_t			 raw_cap;
	struct http1_head	 head;
	int			 status;	/* of the error */
	struct err		 err;
};

/* Remember what is wrong. Always returns HTTP1_ERROR. */
enum http1_event http1_fail(struct http1 *p, int status, enum err_code code, const char *fmt, ...)
		    __attribute__((format(printf, 4, 5)));
/* One complete line of the head (no CRLF), at p->line_at. false: http1_fail was called. */
bool		 http1_start_line(struct http1 *p, struct slice line);
bool		 http1_field_line(struct http1 *p, struct slice line);
/* All lines are there: fill p->head. false: http1_fail was called. */
bool		 http1_head_done(struct http1 *p);
/* Name and value of a field line; false: http1_fail was called. Trailers use it as well. */
bool		 http1_cut_field(struct http1 *p, struct slice line, struct slice *name,
		    struct slice *value);

#endif
