/*
 * http_server.h -- an HTTP/1.1 server on one event base.
 *
 * Owns:    listeners, connections, their deadlines and limits, one exchange (request and answer) a
 *          connection at a time, gzip, Date and the safety headers.
 * Called:  by taxii_server.c, feeds, the operations listener; each gives a handler.
 * Never:   reads a body before the handler has accepted the head, waits without a deadline, knows a
 *          URL or a media type, lets two requests of one connection overlap.
 *
 *	HANDSHAKE -> IDLE -> HEAD -> (on_head decides) -> BODY -> HELD (handler thinks) -> WRITE -> IDLE
 *	                        \ refused: answer, Connection: close, LINGER, gone
 *
 * Deadlines are absolute: set when a state is entered, not moved by trickling bytes.
 */
#ifndef ADAPTERS_HTTP_SERVER_H
#define ADAPTERS_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/http1.h"
#include "adapters/http_body.h"
#include "adapters/tls.h"
#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct event_base;
struct http_header;
struct http_server;
struct strbuf;

enum { HTTP_ID_TEXT = 16, HTTP_ID_LEAST = 8, HTTP_ID_MAX = 64, HTTP_ERROR_HEADERS = 4 };

/* One request and its answer, as a handler sees it. Only `user` is the handler's to write. It lives
 * until the answer is written or on_gone has returned. */
struct http_exchange {
	const struct http1_head	*head;		/* NULL if the head itself was refused */
	struct arena		*mem;		/* dies with the exchange */
	char			 id[HTTP_ID_MAX + 1];	/* request id: the client's X-Request-Id if
							 * it is one we would log, else hex */
	const char		*remote;	/* address in text, no port */
	uint16_t		 remote_port;
	const char		*pin;		/* of the verified client certificate, or NULL */
	bool			 secure;	/* came by TLS */
	int			 listener;	/* number given by http_server_listen */
	int64_t			 began_us;	/* clock_mono_us() of its first byte */
	void			*user;		/* yours */
};

/* What a handler does. All callbacks run on the loop; `arg` is the handler's own. */
struct http_handler {
	/* The head is complete, nothing of the body is read. Do one of: http_respond (now or later),
	 * http_refuse, http_want_body. For a request without body answer here. */
	void	(*on_head)(struct http_exchange *x, void *arg);
	/* Optional: pieces of the body as they come; then on_body_end gets an empty slice. */
	void	(*on_data)(struct http_exchange *x, struct slice data, void *arg);
	/* The whole body (valid while the exchange lives, unless http_take_body). Respond now or
	 * later. Only after http_want_body; called for an empty body too. */
	void	(*on_body_end)(struct http_exchange *x, struct slice body, void *arg);
	/* Optional: the client vanished, a deadline passed, or the body turned out broken or too
	 * large before http_respond was called: x is gone when this returns; cancel what would
	 * answer it. (Not called when http_want_body itself said no.) */
	void	(*on_gone)(struct http_exchange *x, void *arg);
	/* Optional: the answer is written (or lost while writing: ok false); for logs and counters.
	 * Called for refusals of the server itself too. */
	void	(*on_done)(struct http_exchange *x, int status, uint64_t bytes_in,
		    uint64_t bytes_out, bool ok, void *arg);
	/* Optional: a client's TLS handshake is done; how long it took since he connected. */
	void	(*on_secure)(int64_t us, void *arg);
	/* Fill `out` with the body of an error answer and return its media type. Used for what the
	 * server refuses by itself (400 408 413 414 417 431 501 503 505) and by http_refuse.
	 * NULL: plain text. */
	const char *(*error_body)(const struct http_exchange *x, int status, const char *title,
		    const char *detail, struct strbuf *out, void *arg);
	/* Optional: headers of each error answer beside its own, at most HTTP_ERROR_HEADERS; how many. */
	size_t	(*error_headers)(const struct http_exchange *x,
		    struct http_header *out, void *arg);
	void	*arg;
};

/* All spans in microseconds; 0 = the default in brackets. */
struct http_limits {
	int64_t	handshake_us;		/* [10 s] */
	int64_t	head_us;		/* first byte of a head to its last [10 s] */
	int64_t	body_us;		/* whole body: this [10 s] plus bytes so far / min_rate */
	int64_t	write_us;		/* whole answer: this [10 s] plus bytes so far / min_rate */
	int64_t	min_rate;		/* bytes a second a client must manage [4096] */
	int64_t	held_us;		/* a handler that does not answer: 503 [60 s] */
	int64_t	idle_us;		/* between requests [60 s] */
	int64_t	linger_us;		/* reading after a refusal [2 s] */
	size_t	linger_bytes;		/* [1 MB] */
	int64_t	age_us;			/* a connection's whole life, ended between requests [1 h] */
	size_t	connections;		/* of this server [10000] */
	size_t	per_address;		/* connections of one address; IPv6 by /64 [256] */
	size_t	handshakes_per_address;	/* of those, in their handshake [64] */
	size_t	requests;		/* of one connection [10000] */
	uint64_t unsent;		/* bytes of all answers that are not all read yet [256 MB] */
	int64_t	grace_us;		/* while draining: for the first word of the silent [200 ms] */
	size_t	ignored_body;		/* unread body of an answered request that is skipped [65536] */
	int	gzip_level;		/* 1..9 [1]; -1 = never */
	size_t	gzip_least;		/* smaller bodies are sent as they are [1024] */
	struct http1_limits http1;
	struct http_body_limits body;	/* [1 MB, 64 MB, 4 GB] */
};

/* Only grow; for /metrics. `open` is a gauge. */
struct http_counters {
	uint64_t	accepted, open, refused_full, refused_address, refused_handshakes;
	uint64_t	evicted;			/* slow, silent or not reading, for others' sake */
	uint64_t	handshakes, handshakes_resumed, handshakes_failed;
	uint64_t	requests, aborted;		/* aborted: client vanished before the answer */
	uint64_t	timeouts_handshake, timeouts_head, timeouts_body, timeouts_write, timeouts_held;
	uint64_t	bad_requests;			/* refused by the parser or a limit here */
	uint64_t	bodies_refused;			/* no room for them: disk full, or too many */
	uint64_t	answers[6];			/* by status / 100 */
	uint64_t	bytes_in, bytes_out;		/* bodies */
};

struct http_server	*http_server_new(struct event_base *base, const struct http_limits *lim,
			    const struct http_handler *h);
/* Closes everything at once; on_gone is called for exchanges in hand. NULL is fine. Not from inside
 * a handler's callback. */
void			 http_server_free(struct http_server *s);

/* A bound, listening, non-blocking socket ("::", "0.0.0.0", "127.0.0.1"; port 0 = any free). Open it
 * before privileges go and share it with workers. -1 and *e on failure. */
int			 http_listen_open(const char *address, uint16_t port, struct err *e);
/* Serve connections of a listening socket (consumed). tls NULL = plain, allowed on loopback only;
 * else a reference is taken. Returns the listener's number (0, 1, ...) or -1. */
int			 http_server_listen(struct http_server *s, int fd, struct tls *tls,
			    struct err *e);
uint16_t		 http_server_port(const struct http_server *s, int listener);
/* New connections use `tls` from now on; those in progress keep theirs. */
void			 http_server_swap_tls(struct http_server *s, int listener, struct tls *tls);
/* What a listener shows clients; NULL if it is plain, or there is no such one. */
const struct tls	*http_server_tls(const struct http_server *s, int listener);
/* Take new limits (connections in progress see them at their next state). */
void			 http_server_set_limits(struct http_server *s, const struct http_limits *lim);
/* Large bodies go to files in this folder (an open descriptor, consumed), which have no name. */
void			 http_server_set_body_folder(struct http_server *s, int folder);
/* Stop accepting, after all who have connected already; from now on every answer says Connection: close,
 * and connections are closed that have been silent for grace_us. `done` is called once, from the loop, when
 * no connection is left. Twice: the later words hold. */
void			 http_server_lame_duck(struct http_server *s, int64_t grace_us,
			    void (*done)(void *), void *arg);
/* The same with the grace of the limits: the server is going to stop. */
void			 http_server_drain(struct http_server *s, void (*done)(void *), void *arg);
const struct http_counters *http_server_counters(const struct http_server *s);
/* Bytes of the request bodies that are in work, in memory and in files. */
void			 http_server_bodies(const struct http_server *s, uint64_t *memory,
			    uint64_t *files);
/* Connections in a state by number: 0, 1, ... until it returns NULL; else the state's name. */
const char		*http_server_state(const struct http_server *s, int state, size_t *n);

/* --- for handlers ------------------------------------------------------------------------------ */

/* Accept the body, at most max_bytes. Answers Expect: 100-continue. From on_head, or later as long as
 * nothing was answered. false: the declared length is more than that; 413 is on its way and x is
 * answered. More than that in chunks is found out later: 413 and on_gone. */
bool			 http_want_body(struct http_exchange *x, uint64_t max_bytes);

/* From on_body_end or later: the body, to be kept beyond the exchange; http_body_free it. The slice stays
 * where it is. Its bytes may lie in a file: http_body_fd. */
struct http_body	*http_take_body(struct http_exchange *x);

struct http_header {
	const char	*name;
	const char	*value;		/* NULL: the row is skipped */
};

/* The compressed form of a body that is sent more than once: made when first asked for, the keeper's
 * to free. It lives as long as the body. */
struct http_gzip {
	char	*p;
	size_t	 n;		/* 0: not made, or it would not be smaller */
};

struct http_answer {
	int			 status;
	const char		*content_type;	/* NULL: none */
	const struct http_header *headers;	/* copied; Content-Length, Date, Vary are ours */
	size_t			 nheaders;
	struct slice		 body;		/* copied, unless... */
	struct strbuf		*take;		/* ...this is set: its bytes are taken, not copied */
	void			(*release)(void *); /* ...or this: `body` is borrowed until it is called */
	void			*release_arg;
	bool			 in_file;	/* borrowed from a mapped file: not counted in `unsent` */
	bool			 may_gzip;	/* bytes without secrets beside chosen text */
	struct http_gzip	*gzip;		/* with `release`: kept there, or taken from there; NULL */
	bool			 close;		/* end the connection afterwards */
};

/* Answer, once, from any callback of the loop while x lives. HEAD: same headers, no body. x may be
 * gone when this returns. With a body still unread and status >= 400 the connection is closed. */
void			 http_respond(struct http_exchange *x, const struct http_answer *a);
/* Version of zlib. */
const char		*http_library(void);
/* An error answer made by error_body(); `headers` as above (NULL is fine). */
void			 http_refuse(struct http_exchange *x, int status, const char *detail,
			    const struct http_header *headers, size_t nheaders);

#endif
