/*
 * doctor_parts.h -- between doctor.c (the walk), doctor_config.c (our files), doctor_reach.c (name, TCP,
 * proxy), doctor_tls.c and doctor_verdict.c (TLS, our certificate), doctor_http.c (one request),
 * doctor_answer.c and doctor_taxii.c (what the answers mean), doctor_curl.c (the same by hand).
 *
 * Owns:    what one walk has learnt so far.
 * Called:  by those files.
 * Never:   included by anyone else.
 */
#ifndef ADAPTERS_DOCTOR_PARTS_H
#define ADAPTERS_DOCTOR_PARTS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "adapters/doctor.h"
#include "adapters/http1.h"
#include "adapters/taxii_resources.h"
#include "adapters/taxii_url.h"
#include "adapters/tls_probe.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/credentials.h"
#include "gateway/peer.h"

enum { DOCTOR_ADDRESSES = 8, DOCTOR_WANTS = 16 };

struct doctor_address {
	struct sockaddr_storage	 sa;
	socklen_t		 n;
	char			 text[INET6_ADDRSTRLEN];
};

/* One answer, or why there was none. */
struct doctor_answer {
	int			 status;	/* 0: none, see `ending` */
	enum tls_ending		 ending;
	const char		*trouble;	/* in words; status 0 */
	const struct http1_head	*head;		/* lives with `parser` */
	struct http1		*parser;
	struct slice		 body;
	int64_t			 date_us;	/* of its Date line, 0: none */
	int64_t			 our_us;	/* our clock when it came */
};

/* A collection over there, and what we need of it. */
struct doctor_want {
	const char	*word;		/* as our files name it; NULL: the only one */
	const char	*name;		/* the same, for people */
	const char	*what;		/* "push", "pull NAME" */
	bool		 read, write;
	const struct taxii_collection *found;	/* NULL: not yet */
};

struct doctor {
	const struct doctor_conf *conf;
	const struct config	*config;
	const struct peer	*peer;
	struct arena		*mem;
	struct doctor_finding	*now;		/* of the step under way */
	struct credentials_login login, proxy_login;
	/* where to */
	struct taxii_url	 at;
	struct url		 url;		/* the server of it */
	const char		*path;		/* of the first request: an API root, or discovery */
	const char		*dial_host;	/* the proxy, or the peer's server */
	uint16_t		 dial_port;
	const char		*proxy;		/* as trust.conf has it; NULL: none */
	char			 proxy_host[256];
	uint16_t		 proxy_port;
	struct tls		*tls;
	char			 own_pin[TLS_PIN_TEXT + 1];	/* empty: we show no certificate */
	/* what was reached */
	struct doctor_address	 addresses[DOCTOR_ADDRESSES];
	size_t			 naddresses;
	const struct doctor_address *address;	/* that answered */
	int			 fd;		/* connected, nobody has it yet; -1 */
	struct tls_probe	*probe;		/* the same with TLS; NULL */
	struct tls_report	 report;	/* of the first connection */
	struct tls_report	 again;		/* of the one after it */
	struct tls_report	*heard;		/* the one that belongs to `probe` */
	/* what was said */
	struct doctor_answer	 first;		/* to the first request; status 0: none yet */
	const char		*media;		/* what we ask for */
	int64_t			 answer_us;	/* that the first answer took, if an earlier step asked */
	enum taxii_version	 version;	/* that we speak with it */
	const char		*root_path;	/* of the API root; NULL: not found yet */
	struct doctor_want	 wants[DOCTOR_WANTS];
	size_t			 nwants;
};

/* doctor.c: what the step under way has to say. The last of ok, warn, fail and skip counts. */
void	doctor_ok(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	doctor_skip(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	doctor_warn(struct doctor *d, const char *cause, const char *fix, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	doctor_fail(struct doctor *d, const char *cause, const char *fix, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
void	doctor_note(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void	doctor_detail(struct doctor *d, const char *name, const char *text);
bool	doctor_failed(const struct doctor *d);
/* "2026-11-22 10:00:00 UTC" */
const char *doctor_time(struct arena *mem, int64_t us);
/* What trust.conf's section of the peer is called: "trust.conf:12". */
const char *doctor_section(const struct doctor *d);

/* doctor_config.c */
void	doctor_configuration(struct doctor *d);

/* doctor_reach.c */
void	doctor_name(struct doctor *d);
void	doctor_tcp(struct doctor *d);
void	doctor_proxy(struct doctor *d);
/* A socket that is connected to the address that answered, through the proxy; -1: say nothing. */
int	doctor_connect(struct doctor *d);
/* Send `line` on a fresh plain connection, to see what comes back: the first line of it, or NULL. */
const char *doctor_ask_plain(struct doctor *d, const char *line);

/* doctor_verdict.c: the chain of the first connection, for programs; why it does not hold. */
void	doctor_add_chain(struct doctor *d);
void	doctor_fail_certificate(struct doctor *d);

/* doctor_tls.c */
void	doctor_tls(struct doctor *d);
void	doctor_certificate(struct doctor *d);
/* The key over there is one that we expect. */
bool	doctor_pin_fits(const struct doctor *d, const struct tls_report *r);

/* doctor_http.c: one request, over the connection there is or a new one. */
void	doctor_get(struct doctor *d, const char *path, const char *accept, struct doctor_answer *a);
void	doctor_answer_fini(struct doctor_answer *a);
/* The body as JSON, NULL if it is none. */
json	*doctor_json(struct doctor *d, const struct doctor_answer *a);

/* doctor_taxii.c */
extern const char *const doctor_media[];	/* what is asked for, by version */
void	doctor_http(struct doctor *d);
void	doctor_version(struct doctor *d);
void	doctor_auth(struct doctor *d);
void	doctor_root(struct doctor *d);
void	doctor_collection(struct doctor *d);
void	doctor_rights(struct doctor *d);
void	doctor_clock(struct doctor *d);

#endif
