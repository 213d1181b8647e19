/*
 * http_parts.h -- between http_server.c (the server as a whole), http_door.c (who may come in),
 * http_conn.c (one connection's life) and http_answer.c (what is sent back).
 *
 * Owns:    the server's, a connection's and an exchange's insides.
 * Called:  by those four files.
 * Never:   included by anyone else.
 */
#ifndef ADAPTERS_HTTP_PARTS_H
#define ADAPTERS_HTTP_PARTS_H

#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/util.h>

#include "adapters/http_server.h"
#include "gateway/base/strbuf.h"

struct bufferevent;
struct evconnlistener;
struct event;
struct z_stream_s;

enum conn_state {
	CONN_NEW,
	CONN_HANDSHAKE,
	CONN_IDLE,		/* between requests */
	CONN_HEAD,		/* some of a head is here */
	CONN_HELD,		/* the handler has it: after on_head, after on_body_end */
	CONN_BODY,		/* the handler wants the body */
	CONN_WRITE,		/* answered, not all written */
	CONN_SKIP,		/* written; the rest of an ignored body is read */
	CONN_LINGER,		/* refused and said goodbye; what still comes is thrown away */
	CONN_GONE,
	CONN_STATES
};

struct conn;

struct exchange {
	struct http_exchange	 pub;		/* first: handlers hold a pointer to it */
	struct conn		*conn;
	uint64_t		 max_body;
	struct http_body	*body;		/* NULL: none yet, or the handler took it */
	uint64_t		 bytes_in, bytes_out;
	int			 status;	/* 0 = not answered */
	bool			 known;		/* on_head was called */
	bool			 wanted;	/* http_want_body */
	bool			 continued;	/* 100 was sent */
	bool			 ended;		/* the request is read to its end */
	bool			 close;		/* no further request afterwards */
};

struct address {		/* how many connections one address has */
	struct address	*next;
	uint8_t		 key[16];
	size_t		 n, handshakes;
};

struct conn {
	TAILQ_ENTRY(conn)	 link;		/* of the list of its state */
	struct http_server	*server;
	struct bufferevent	*bev;
	struct http1		*parser;
	struct event		*timer;
	struct exchange		*x;		/* the one request in hand, or NULL */
	struct address		*address;
	enum conn_state		 state;
	int			 listener;
	int64_t			 born_us, entered_us, first_byte_us;
	int64_t			 armed_us;	/* when the timer looks; 0 = never */
	uint64_t		 moved;		/* bytes since the state was entered */
	uint64_t		 to_write;	/* bytes of the answer in hand */
	uint64_t		 in_file;	/* of them, those that are a file's and take no memory */
	size_t			 requests;
	bool			 working;	/* conn_work is on the stack */
	bool			 eof;		/* the client will send no more */
	bool			 doomed;	/* conn_work closes it when it is done */
	bool			 corked;	/* until the answer is written */
	unsigned		 at_once;	/* requests answered since the loop last had the word */
	bool			 secure, has_pin;
	uint16_t		 port;
	char			 remote[INET6_ADDRSTRLEN];
	char			 pin[TLS_PIN_TEXT + 1];
};

struct listener {
	struct http_server	*server;
	struct evconnlistener	*ev;
	struct tls		*tls;
	uint16_t		 port;
	int			 number;
};

enum { MAX_LISTENERS = 16, ADDRESS_BUCKETS = 1024 };

struct http_server {
	struct event_base	*base;
	struct http_limits	 lim;
	struct http_handler	 h;
	struct http_counters	 n;
	struct http_bodies	*bodies;
	struct listener		*listeners[MAX_LISTENERS];
	int			 nlisteners;
	TAILQ_HEAD(conn_list, conn) in[CONN_STATES];	/* each by the time of its entry */
	size_t			 count[CONN_STATES];
	uint64_t		 unsent;	/* bytes of the answers of all in CONN_WRITE */
	struct address		*addresses[ADDRESS_BUCKETS];
	struct event		*resume;	/* accept again after running out of files */
	struct event		*drained;
	bool			 lame;		/* every answer is the last of its connection */
	int64_t			 lame_us, grace_us; /* since when; how long the silent may stay */
	void			(*done)(void *);
	void			*done_arg;
	uint64_t		 id_seed, id_next;
	int64_t			 date_s;
	char			 date[30];
	struct strbuf		 scratch;	/* heads of answers */
	struct z_stream_s	*zip;		/* made when first needed */
	int			 zip_level;
};

/* http_conn.c: takes over a connected, non-blocking socket. */
void	conn_open(struct http_server *s, const struct listener *l, int fd, struct address *a,
	    const struct sockaddr *sa);
void	conn_close(struct conn *c, bool politely);
/* The server became lame: deadlines of the silent are nearer. */
void	conn_hurry(struct conn *c);
const char *conn_state_name(enum conn_state state);
/* Bytes for the client are sent, or in the output: the answer is done when that is empty again, perhaps at
 * once, and then the exchange is gone. */
void	conn_answered(struct conn *c);

/* http_door.c: callbacks of listeners, and who left. */
struct sockaddr;
void	door_accept(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *sa, int len,
	    void *arg);
void	door_failed(struct evconnlistener *ev, void *arg);
void	door_accept_waiting(struct listener *l);
void	door_left(struct http_server *s, struct address *a);
void	door_limit_answers(struct http_server *s, const struct conn *newest);

/* http_server.c */
void	server_forget(struct http_server *s, struct conn *c);

/* http_answer.c: an answer of the server's own to a request it will not serve. */
void	answer_refuse(struct exchange *x, int status, const char *detail,
	    const struct http_header *headers, size_t nheaders);
void	answer_continue(struct exchange *x);
void	answer_fini(struct http_server *s);

#endif
