/*
 * taxii_request.h -- one TAXII request under way, shared by the files of the TAXII server.
 *
 * Owns:    struct taxii_request: it outlives its exchange when something asynchronous still points at it.
 * Called:  by taxii_server.c (judges them) and the endpoints: taxii_read.c, taxii_post.c, those of other
 *          families.
 * Never:   answers twice: taxii_answer and taxii_refuse do nothing once the client is gone.
 *
 * Before an asynchronous call: taxii_hold(rq); in its callback, last: taxii_let_go(rq).
 */
#ifndef ADAPTERS_TAXII_REQUEST_H
#define ADAPTERS_TAXII_REQUEST_H

#include "adapters/http_server.h"
#include "adapters/taxii_query.h"
#include "adapters/taxii_routes.h"
#include "gateway/consumer_books.h"
#include "gateway/consumer_mark.h"

struct gateway;
struct taxii20_grounds;
struct taxii_page;
struct taxii_pages;
struct taxii_server;

struct taxii_request {
	struct taxii_server	*server;
	struct gateway		*g;
	struct taxii_pages	*pages;		/* the server's */
	struct taxii20_grounds	*grounds;	/* the server's */
	struct http_exchange	*x;		/* NULL: the client is gone */
	struct arena		*mem;		/* of this request, not of the exchange */
	unsigned		 holds;
	struct trust		*trust;		/* held: `reader` points into it */
	struct config		*config;	/* held; both are those of the decision about the head */
	struct reader		 reader;
	struct taxii_match	 match;		/* what the path means; its slices are the head's */
	const struct collection_conf *collection; /* a copy in mem */
	struct slice		 collection_name; /* as the token knows it: the UUID */
	struct slice		 object_id;	/* decoded path segment, or a status id */
	struct slice		 file;		/* of a feed of files */
	struct taxii_query	 q;
	struct slice		 body;		/* valid as long as x */
	void			(*then)(struct taxii_request *rq);	/* what waits for the judgement */
	bool			 answered;
	/* for the book of the consumer: taxii_books.h */
	struct book_page	 book;
	struct taxii_page	*shown;		/* held; NULL: the answer shows no page */
	bool			 slowed;
	bool			 may_mark;	/* taxii_marks.h */
	struct consumer_page_mark mark;
	const char		*why;		/* of a refusal; NULL: none */
};

void	taxii_hold(struct taxii_request *rq);
void	taxii_let_go(struct taxii_request *rq);
/* From now on the request is about this collection; a copy in rq->mem is made. */
void	taxii_take_collection(struct taxii_request *rq, const struct collection_conf *col);
struct slice taxii_next_key(struct taxii_request *rq);
/* Whose a status resource is: this client's, in this API root. */
const char *taxii_status_user(struct taxii_request *rq);
/* 2xx with a body (its bytes are taken), in the media type of the family, or in another. */
void	taxii_answer(struct taxii_request *rq, int status, struct strbuf *body,
	    const struct http_header *headers, size_t nheaders);
void	taxii_answer_as(struct taxii_request *rq, int status, const char *media_type,
	    struct strbuf *body, const struct http_header *headers, size_t nheaders);
/* The page, which is held until it is sent: 200 and the type of the family, or others. */
void	taxii_answer_page(struct taxii_request *rq, struct taxii_page *p,
	    const struct http_header *headers, size_t nheaders);
void	taxii_answer_page_as(struct taxii_request *rq, int status, const char *media_type,
	    struct taxii_page *p, const struct http_header *headers, size_t nheaders);
/* An error in the form of the family; 401 with WWW-Authenticate. */
void	taxii_refuse(struct taxii_request *rq, int status, const char *detail);
void	taxii_refuse_with(struct taxii_request *rq, int status, const char *detail,
	    const struct http_header *headers, size_t nheaders);
/* 429 or 503 with Retry-After in whole seconds, rounded up. */
void	taxii_later(struct taxii_request *rq, int status, int64_t wait_us, const char *detail);

/* Endpoints: called when everything that the head can say is in order. */
void	taxii_get_discovery(struct taxii_request *rq);
void	taxii_get_root(struct taxii_request *rq);
void	taxii_get_collections(struct taxii_request *rq);
void	taxii_get_collection(struct taxii_request *rq);
void	taxii_get_objects(struct taxii_request *rq);
void	taxii_get_object(struct taxii_request *rq);
void	taxii_get_manifest(struct taxii_request *rq);
void	taxii_get_versions(struct taxii_request *rq);
void	taxii_get_status(struct taxii_request *rq);
void	taxii_delete_object(struct taxii_request *rq);
/* POST: the head asks for the body, the body is taken in. */
void	taxii_post_head(struct taxii_request *rq);
void	taxii_post_body(struct taxii_request *rq, struct slice body);

#endif
