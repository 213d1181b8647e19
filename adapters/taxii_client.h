/*
 * taxii_client.h -- one TAXII server of somebody else, as seen from here.
 *
 *	discover  ->  root  ->  collections  ->  page, page, ...		(reading)
 *	                                     ->  post, status, status, ...	(writing)
 *
 * Owns:    the way to one collection: API root, identifier, what the server takes at once; which of
 *          TAXII 2.1 and 2.0 it speaks; what its answers and refusals mean, in words.
 * Called:  by puller.c and taxii_push.c; by the doctor, one step after the other.
 * Never:   follows a redirect or a root to another host, remembers how far somebody has read, retries,
 *          or looks into objects.
 *
 * One step at a time. Its callback comes once, from the loop, never before the call returns; from inside
 * it the next step may be begun and the client freed.
 */
#ifndef ADAPTERS_TAXII_CLIENT_H
#define ADAPTERS_TAXII_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct http_client;
struct taxii_client;

enum taxii_version { TAXII_21, TAXII_20 };

/* Where it went wrong. taxii_step_word gives the word for logs, figures and people. */
enum taxii_step {
	TAXII_STEP_NAME,	/* looking up the host */
	TAXII_STEP_TCP,		/* connecting */
	TAXII_STEP_PROXY,	/* reaching the proxy, or its refusal */
	TAXII_STEP_TLS,		/* handshake, certificate, name, pin */
	TAXII_STEP_SEND,	/* writing the request */
	TAXII_STEP_ANSWER,	/* no answer, cut short, too large, broken gzip */
	TAXII_STEP_HTTP,	/* an answer that no TAXII server gives: a redirect, HTML, 5xx */
	TAXII_STEP_BUSY,	/* 429, 503: come again later */
	TAXII_STEP_VERSION,	/* 406, 415: it speaks neither 2.1 nor 2.0 to us */
	TAXII_STEP_AUTH,	/* 401: who are you */
	TAXII_STEP_RIGHTS,	/* 403, or may not read or write */
	TAXII_STEP_DISCOVERY,	/* what discovery says is of no use */
	TAXII_STEP_ROOT,	/* what the API root says is of no use, 404 */
	TAXII_STEP_COLLECTION,	/* there is no such collection, 404 */
	TAXII_STEP_PAGE,	/* a page that cannot be used */
	TAXII_STEP_POST,	/* what we sent was refused as a whole */
	TAXII_STEP_STATUS,	/* the status resource is gone, or makes no sense */
	TAXII_STEPS
};
const char	*taxii_step_word(enum taxii_step step);

struct taxii_failure {
	enum taxii_step	 step;
	int		 http;		/* status; 0: no answer */
	char		 words[512];	/* one sentence for people, with what to do where we know it */
	int64_t		 retry_after_us; /* the server said so; 0: it did not */
	enum err_code	 code;		/* of the connection: ERR_LIMIT if an answer was too large */
};

struct taxii_collection {
	const char	*id, *alias, *title, *description;	/* "" if absent */
	bool		 can_read, can_write;
};

/* One object that the server refused. */
struct taxii_refusal {
	struct slice	 id, version;	/* version empty in 2.0 */
	struct slice	 message;
};

struct taxii_status {
	const char	*id;
	bool		 complete;
	int64_t		 total, success, failure, pending;
	const struct taxii_refusal *refusals;
	size_t		 nrefusals;
};

struct taxii_page {
	struct slice	 body;		/* as it came, decoded */
	struct slice	 list;		/* of it, the objects as they stand there */
	size_t		 objects;	/* how many they are */
	bool		 more;		/* there is more, it says (2.0: by its range) */
	const char	*next;		/* token for the next page; NULL: none given */
	int64_t		 next_item;	/* 2.0: first item of the next page; -1: unknown */
	int64_t		 first_us, last_us;	/* the date headers; 0: absent or no dates */
};

struct taxii_answer {			/* valid during the callback */
	const struct taxii_failure *failure;	/* NULL: it went well */
	enum taxii_version version;	/* spoken now */
	int64_t		 date_us;	/* the server's clock (Date header); 0: it does not say */
	int64_t		 took_us;
	const char	*address;	/* that we talked to, text; "" if never connected */
	/* what was asked for, on success */
	const char	*title;		/* discover, root: of the resource */
	const char *const *roots;	/* discover: paths on this server, NULL-terminated */
	const char	*root;		/* discover: the one that is taken */
	bool		 asked;		/* discover: false if the URL named the root */
	uint64_t	 max_content;	/* root: octets that it takes at once; 0: it does not say */
	const struct taxii_collection *collections;	/* collections: all of them */
	size_t		 ncollections;
	const struct taxii_collection *chosen;	/* collections: ours */
	const struct taxii_page *page;
	const struct taxii_status *status;	/* post, status */
};
typedef void	 taxii_cb(void *arg, const struct taxii_answer *a);

struct taxii_client_conf {		/* copied; `http` is taken over */
	struct http_client *http;
	const char	*name;		/* of the peer, for words */
	const char	*url;		/* of the server, an API root, a collection or its objects */
	const char	*collection;	/* id, alias or title; NULL: the one in the URL, or the only one */
	enum taxii_version version;	/* TAXII_20: nothing else is tried; TAXII_21: 2.0 if it must be */
	const char	*authorization;	/* whole header value, or NULL */
	const char	*header, *header_value;	/* a header of the operator's choice, or NULL */
};

/* NULL and *e if the URL makes no sense; http is the caller's then. */
struct taxii_client *taxii_client_new(const struct taxii_client_conf *conf, struct err *e);
/* A step under way ends without its callback. NULL is fine. */
void	 taxii_client_free(struct taxii_client *c);
struct http_client *taxii_client_http(struct taxii_client *c);
enum taxii_version taxii_client_version(const struct taxii_client *c);
/* What the last `root` said, 0 if nothing. */
uint64_t taxii_client_max_content(const struct taxii_client *c);

/* Single steps, each on top of those before. */
void	 taxii_client_discover(struct taxii_client *c, taxii_cb *cb, void *arg);
void	 taxii_client_root(struct taxii_client *c, taxii_cb *cb, void *arg);
void	 taxii_client_collections(struct taxii_client *c, taxii_cb *cb, void *arg);
/* All three, unless they were done before and nothing failed since; `chosen` is set. */
void	 taxii_client_find(struct taxii_client *c, taxii_cb *cb, void *arg);
/* Forget the way: the next find asks again. */
void	 taxii_client_lose(struct taxii_client *c);

struct taxii_ask {
	const char	*added_after;	/* with six digits; NULL: from the beginning */
	const char	*next;		/* token, or NULL */
	int64_t		 first_item;	/* 2.0: from which item on */
	uint32_t	 limit;
	const char *const *kinds;	/* NULL-terminated, or NULL: all */
};
void	 taxii_client_page(struct taxii_client *c, const struct taxii_ask *ask, taxii_cb *cb, void *arg);
/* `body` (emptied) is an envelope or a bundle, as the version wants it (taxii_client_wrap). */
struct strbuf;
void	 taxii_client_post(struct taxii_client *c, struct strbuf *body, const char *request, taxii_cb *cb,
	    void *arg);
void	 taxii_client_status(struct taxii_client *c, const char *id, taxii_cb *cb, void *arg);
/* Opens and closes what is posted: between them the objects, separated by commas. */
void	 taxii_client_open_body(const struct taxii_client *c, struct strbuf *out);
void	 taxii_client_close_body(const struct taxii_client *c, struct strbuf *out);

#endif
