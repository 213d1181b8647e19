/*
 * taxii_routes.h -- which endpoint a request means: one table of paths for all that is served.
 *
 * Owns:    the routes, and the *families* they belong to: what a family accepts, which media type it
 *          answers in, how its errors look.
 * Called:  by taxii_server.c for every request, before it is known who asks.
 * Never:   asks who somebody is, or whether a collection is there.
 *
 * To serve something else: a family (if none fits) and rows here, the functions in files of their own.
 * Several families may have a row for one path and method: the first that speaks what is asked for.
 */
#ifndef ADAPTERS_TAXII_ROUTES_H
#define ADAPTERS_TAXII_ROUTES_H

#include "adapters/http1.h"

struct collection_conf;
struct config;
struct peer;
struct root_conf;
struct store_status;
struct strbuf;
struct taxii_request;
struct taxii_route;

enum { TAXII_SEGMENTS = 8, TAXII_PATH = 6 };

enum taxii_family { FAMILY_TAXII21, FAMILY_TAXII20, FAMILY_FEED, FAMILY_TAXII11, TAXII_FAMILIES };

struct taxii_family_ops {
	const char	*media_type;		/* of its answers, unless the endpoint says another */
	const char	*speaks;		/* words for 406 */
	/* Is it served to this client (NULL: nobody yet knows who it is)? Absent: always. */
	bool		(*on)(const struct config *conf, const struct peer *who);
	/* May it answer this in a form that the client takes? */
	bool		(*accepts)(const struct http1_head *h, const struct taxii_route *r);
	/* If so, how much is that wanted? To choose between families of one path. NULL: at all. */
	unsigned	(*wants)(const struct http1_head *h, const struct taxii_route *r);
	/* Does it read bodies such as this one? Only to choose between families. NULL: yes. */
	bool		(*content)(const struct http1_head *h);
	const char	*takes;			/* words for 415 */
	/* A status resource. NULL: it has none. */
	void		(*status)(struct strbuf *out, const struct store_status *st);
	/* The body of an error. Returns its media type. */
	const char	*(*error)(struct strbuf *out, int status, const char *title,
			    const char *detail, const char *request_id);
	/* For S_FEED: which collection is meant; NULL: there is none. A copy in rq->mem is made. */
	const struct collection_conf *(*resolve)(struct taxii_request *rq, struct slice name);
};
extern const struct taxii_family_ops taxii_families[TAXII_FAMILIES];

/* What stands at a place in the path. */
enum taxii_segment {
	S_END, S_TAXII2, S_TAXII, S_FEEDS, S_TAXII11, S_DISCOVERY, S_POLL, S_INBOX,
	S_ROOT,			/* rq->root */
	S_COLLECTIONS,
	S_COLLECTION,		/* rq->collection */
	S_OBJECTS,
	S_OBJECT,		/* rq->object_id */
	S_VERSIONS, S_MANIFEST, S_STATUS,
	S_STATUS_ID,		/* rq->object_id */
	S_MISP,
	S_FILE,			/* rq->file */
	S_FEED,			/* rq->object_id; rq->collection by the family's `resolve` */
	TAXII_SEGMENT_KINDS
};

/* What a client must be allowed to do with rq->collection. With all but NO_RIGHT: no collection, 404. */
enum taxii_right { NO_RIGHT, RIGHT_SEE, RIGHT_READ, RIGHT_WRITE, RIGHT_BOTH };

struct taxii_route {
	enum taxii_family	 family;
	enum http_method	 method;	/* GET stands for HEAD too */
	enum taxii_segment	 path[TAXII_PATH];
	enum taxii_right	 right;
	const char		*word;		/* for figures and the log */
	void			(*run)(struct taxii_request *rq);
	/* After http_want_body. */
	void			(*body)(struct taxii_request *rq, struct slice body);
	bool			 carries_objects;	/* STIX content, not a TAXII resource */
};

/* A path, taken apart. */
struct taxii_match {
	const struct taxii_route *place;	/* a row of this path, whatever its method; NULL: 404 */
	const struct taxii_route *route;	/* NULL: 405, 501 or OPTIONS */
	enum taxii_family	 family;	/* the route's, or whose error it is */
	bool			 acceptable;	/* else 406 */
	char			 allow[64];	/* methods of this path */
	struct slice		 have[TAXII_SEGMENTS];	/* in the head's memory */
	const struct root_conf	*root;		/* of conf, or NULL */
};

/* `who` asks: NULL as long as nobody knows. */
void	taxii_match(const struct http1_head *h, const struct config *conf, const struct peer *who,
	    struct taxii_match *out);

/* The segments of a path; a trailing slash makes none. -1 if there are too many or one is empty. */
int	taxii_split(struct slice path, struct slice out[TAXII_SEGMENTS]);
/* True if a segment says something about our paths, not about what lies there. */
bool	taxii_is_fixed(const struct config *conf, struct slice segment);

#endif
