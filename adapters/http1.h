/*
 * http1.h -- HTTP/1.1 messages, strictly, byte by byte if need be.
 *
 * Owns:    the framing of one connection's messages in one direction: start line, header fields,
 *          body by length, by chunks or until the end; the words for what was wrong.
 * Called:  by http_server.c (requests) and http_client.c (responses); fuzz_http1.c.
 * Never:   touches a socket, a clock or a log; stores a body; guesses. Whatever two programs could
 *          read in two ways (two lengths, length and chunks, folded lines, bare LF...) is refused.
 *
 *	push bytes          events
 *	-------------->  HEAD  [stop: the caller decides]  DATA DATA ...  END  HEAD ...
 *
 * The same bytes give the same events however they are cut (DATA pieces aside).
 */
#ifndef ADAPTERS_HTTP1_H
#define ADAPTERS_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct http1;

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_PATCH,
	HTTP_TRACE, HTTP_CONNECT,
	HTTP_OTHER		/* a token we do not know: 501 */
};

struct http1_field {
	struct slice	 name;		/* as sent; compare without regard to case */
	struct slice	 value;		/* without blanks around it; no control characters but TAB */
};

/* A message's head. All slices live until the next message begins. */
struct http1_head {
	/* requests */
	enum http_method method;
	struct slice	 method_text;
	struct slice	 target;	/* as sent */
	struct slice	 path;		/* from '/' on, unreserved escapes decoded once; "*" for
					 * OPTIONS * */
	bool		 path_odd;	/* other escapes, bytes above 127, '\\', ';', '#', "//", dot
					 * segments: route as 404 */
	bool		 has_query;
	struct slice	 query;		/* behind '?', raw: see http1_query_next */
	struct slice	 host;		/* Host, or the authority of an absolute target */
	bool		 expect_continue;
	/* responses */
	int		 status;
	struct slice	 reason;
	/* both */
	int		 minor;		/* 1 for HTTP/1.1, 0 for HTTP/1.0 */
	struct http1_field *fields;
	size_t		 nfields;
	bool		 keep_alive;	/* the sender lets the connection live (never in HTTP/1.0) */
	bool		 has_body;	/* DATA may follow before END */
	bool		 chunked;
	int64_t		 content_length; /* -1: not said */
};

struct http1_limits {		/* 0 = the default in brackets */
	size_t	target;		/* longest request target, 414 beyond [16384] */
	size_t	head;		/* all header lines together, 431 beyond [65536] */
	size_t	fields;		/* number of header lines, 431 beyond [128] */
	size_t	trailers;	/* trailer lines together, 400 beyond [4096] */
};

enum http1_event {
	HTTP1_MORE,	/* all input used, more is needed */
	HTTP1_HEAD,	/* http1_head() is complete; the input stops before the body */
	HTTP1_DATA,	/* *data is a piece of the body (borrowed from the input) */
	HTTP1_END,	/* the message is complete; the input stops before the next one */
	HTTP1_ERROR	/* see http1_error(); nothing more can be read from this connection */
};

struct http1	*http1_new_requests(const struct http1_limits *lim);	/* NULL = defaults */
struct http1	*http1_new_responses(const struct http1_limits *lim);
void		 http1_free(struct http1 *p);		/* NULL is fine */

/* Take bytes from *in (which moves forward) up to the next event. */
enum http1_event http1_next(struct http1 *p, struct slice *in, struct slice *data);
/* The other side sent all it had: END (a body until the end is complete), MORE (nothing was under
 * way) or ERROR (cut short). */
enum http1_event http1_eof(struct http1 *p);
/* Responses: the next one answers this method (HEAD has no body). */
void		 http1_answers(struct http1 *p, enum http_method method);

const struct http1_head *http1_head(const struct http1 *p);
/* After ERROR: the status to answer (400, 413, 414, 417, 431, 501, 505) and the reason. */
int		 http1_error(const struct http1 *p, struct err *e);
/* true until the first byte of a message has come: the connection is idle. */
bool		 http1_is_idle(const struct http1 *p);
/* Give the memory of the last head back (idle connections should be small). */
void		 http1_shrink(struct http1 *p);

/* Value of a header field, or the empty slice (p NULL) if it is absent. Of several, the first. */
struct slice	 http1_field(const struct http1_head *h, const char *name);
/* Walk fields of one name: start with *i = 0; false when there are no more. */
bool		 http1_field_next(const struct http1_head *h, const char *name, size_t *i,
		    struct slice *value);
/* Walk a comma-separated list ("a, b;q=1"); blanks cut, quoted strings kept whole. */
bool		 http1_list_next(struct slice *rest, struct slice *item);
/* May the answer be gzip-coded? (Accept-Encoding of all lines, with weights) */
bool		 http1_accepts_gzip(const struct http1_head *h);

/* One parameter of a query. */
struct http1_param {
	struct slice	 key, value;	/* decoded into the arena ('+' stays '+') */
	bool		 has_value;	/* there was a '=' */
	bool		 bad_key;	/* a broken escape, NUL or bad UTF-8: it is nobody's parameter */
	bool		 bad_value;	/* the same in the value: 400 if the key is one you know */
};
/* Cut the next parameter off *rest (start with head->query). false at the end. */
bool		 http1_query_next(struct slice *rest, struct arena *mem, struct http1_param *out);

/* "GET", ...; NULL for HTTP_OTHER. */
const char	*http_method_text(enum http_method m);
/* "Not Found"; "Unknown" for what we never send. */
const char	*http_status_text(int status);

#endif
