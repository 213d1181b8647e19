/*
 * config.h -- tocsin.conf, compiled.
 *
 * Owns:    struct config: every knob of the node, with defaults applied. Immutable; a reload builds a
 *          new one and swaps it.
 * Called:  by main.c (load), and read by everyone who is handed a part of it.
 * Never:   holds secrets or trust (peer.h, credentials.h).
 *
 * The knobs themselves are rows of one table (config_keys.c): name, type, default, range, unit,
 * reloadable or not, one sentence of help. From it come the parser, `tocsin check --effective` and
 * conf/README.md.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "gateway/base/lines.h"
#include "gateway/base/log.h"
#include "gateway/peer.h"

struct arena;
struct config_origins;
struct strbuf;

enum clients_mode { CLIENTS_NONE, CLIENTS_OPTIONAL, CLIENTS_REQUIRED };

struct listen_conf {
	const char	*address;	/* "127.0.0.1:8443", "[::]:8443" */
	const char	*certificate, *key;	/* PEM files */
	const char	*peer_ca;	/* PEM file: what client certificates must chain to */
	const char	*peer_crl;	/* PEM file: their CAs' revocation lists, or NULL */
	enum clients_mode clients;
	const char	*file;
	uint32_t	 line;
};

struct root_conf {
	const char	*name;		/* one path segment */
	const char	*title, *description;
	const char	*file;
	uint32_t	 line;
};

struct collection_conf {
	const char	*name;		/* also its alias, unless it has another */
	const char	*alias;		/* or NULL */
	const char *const *roots;	/* names of API roots; never empty once loaded */
	const char	*id;		/* UUIDv4, or NULL: given by the store at first start */
	const char	*title, *description;
	bool		 view;		/* read-only, filled by its filter; else kept */
	bool		 distinct;	/* views: one row a fingerprint group */
	bool		 hidden;	/* not listed for consumers that do not name it */
	bool		 validate_strict;
	bool		 serve_stix20;	/* clients of TAXII 2.0 get STIX 2.1 in the words of 2.0 */
	/* filter of a view; empty = all */
	const char *const *kinds;	/* NULL-terminated STIX types */
	uint32_t	 tlps;		/* bit set 1 << enum tlp */
	uint32_t	 sectors;
	uint32_t	 phases;	/* bit set 1 << enum phase */
	uint32_t	 confidence;	/* at least; 0: any, or none said */
	int64_t		 age_us;	/* of the version, at most; 0: any */
	const char *const *sources;	/* source names as in store_source.name */
	int64_t		 cid;		/* given by the store at start */
	char		 uuid[37];
	const char	*file;
	uint32_t	 line;
};

struct spool_conf {
	const char	*name;
	const char	*path;		/* folder with incoming/ done/ rejected/ (made if missing) */
	const char	*format;	/* NULL: sniffed */
	const char	*mapping;	/* path of its mapping file, for `mapped`; written as its name */
	const char *const *collections;	/* where its objects go */
	int64_t		 interval_us;	/* of looking */
	size_t		 max_bytes;	/* of one file */
	struct loss_limit refuse_loss;	/* of what is read */
	const char	*file;
	uint32_t	 line;
};

struct pull_conf {			/* a collection of somebody else that we read */
	const char	*name;
	const char	*peer;		/* of trust.conf: address, certificate, what it may say */
	const char	*collection;	/* there: id, alias or title; NULL: what the peer's url names,
					 * or the only one */
	const char *const *collections;	/* where its objects go */
	int64_t		 interval_us;
	const char *const *kinds;	/* asked for; empty = all */
	uint32_t	 page;		/* objects asked for at once */
	const char	*since;		/* RFC 3339: older ones are not asked for; NULL: everything */
	int64_t		 skew_us;	/* that its clock and ours may differ */
	const char	*file;
	uint32_t	 line;
};

struct route_conf {			/* objects from these sources also join these collections */
	const char	*name;
	const char *const *from;	/* source names, "*" = any */
	const char *const *kinds;	/* empty = all */
	const char *const *collections;
	struct loss_limit refuse_loss;	/* of what is translated: more is lost, and they do not */
	const char	*file;
	uint32_t	 line;
};

struct feed_conf {			/* flat files of a collection, for tools without TAXII */
	const char	*name;
	const char	*collection;
	const char *const *formats;	/* names of outputs (formats/flat.h); NULL: all */
	uint32_t	 kinds;		/* bit set of FLAT_BIT; 0: all */
	unsigned	 confidence;	/* the least; 0: whatever it is */
	bool		 observables;	/* csv and jsonl: what nobody is accused of, too */
	bool		 restricted;	/* AMBER+STRICT and RED into lists for devices, too */
	const char	*path;		/* folder for files, or NULL */
	const char	*reader;	/* consumer whose rights and policy those files have */
	int64_t		 every_us;	/* how often it is looked whether they are still right */
	size_t		 records;	/* most in one answer */
	size_t		 bytes;		/* of one file */
	size_t		 misp_bytes;	/* of STIX objects that become one MISP feed */
	size_t		 history_bytes;	/* of what has changed, for `since` */
	int64_t		 history_us;	/* how long that is kept */
	const char	*file;
	uint32_t	 line;
};

struct redis_conf {
	const char	*url;		/* NULL: none. unix:/path, redis://host:port, rediss://host:port */
	const char	*user;		/* ACL user, or NULL */
	const char	*password_file;	/* or NULL */
	const char	*ca;		/* for rediss */
	const char	*prefix;	/* of every key: "tocsin:" */
	int64_t		 connect_us, command_us;	/* timeouts */
	int64_t		 claim_short_us, claim_long_us;
	size_t		 queue_max;	/* commands waiting */
	size_t		 reply_max;	/* bytes of one reply */
};

struct limits_conf {
	size_t		 body_bytes;	/* max_content_length */
	size_t		 body_in_memory, bodies_in_memory, bodies_in_files;	/* bytes; http_body.h */
	size_t		 object_bytes;
	size_t		 objects;	/* in one message */
	size_t		 page_objects;	/* largest page */
	size_t		 page_bytes;
	size_t		 page_cache;	/* bytes of pages kept for those who ask the same again */
	size_t		 feed_files;	/* bytes of feeds kept likewise, on disk */
	size_t		 connections, connections_per_address, handshakes_per_address;
	size_t		 connection_requests;	/* of one connection */
	int64_t		 connection_age_us;
	int64_t		 handshake_us, head_us, body_us, answer_us, write_us, idle_us;
	int64_t		 linger_us;	/* after a refusal */
	size_t		 linger_bytes;
	int64_t		 drain_grace_us, upgrade_grace_us;	/* of silent connections */
	size_t		 target_bytes, head_bytes, head_lines, trailer_bytes;
	size_t		 skip_bytes;	/* of the body of an answered request */
	size_t		 unread_bytes;	/* of all answers that are not read yet */
	uint32_t	 repeats;	/* the same question with the same answer, before 429; 0 = never */
	uint32_t	 gzip_level;	/* 0 = never */
	size_t		 gzip_least_bytes;
	size_t		 body_rate_bytes;	/* per second, the least */
	struct limit	 requests;	/* per client unless trust.conf says otherwise */
	struct limit	 guesses;	/* failed logins per address */
	size_t		 pending_over;	/* a larger POST is answered before it is taken in; 0: never */
	size_t		 pending_bodies;	/* of them, in the node */
	uint64_t	 pending_bytes;
	size_t		 intake_queue;	/* messages in work at once */
	size_t		 translate_queue;	/* of them, waiting for the translator */
	int64_t		 translate_us;	/* longest work on one answer, plus a second for each MiB */
	size_t		 quarantine_rows;
	uint64_t	 quarantine_bytes;
	int64_t		 status_keep_us;
	int64_t		 lease_us;	/* of outbox items */
	int64_t		 retry_min_us, retry_max_us;
	int64_t		 retry_age_us;	/* then dead letter */
	size_t		 relay_objects;	/* in one POST to a peer */
	size_t		 relay_bytes;
	unsigned	 hops;		/* hop limit */
	int64_t		 drain_us;	/* SIGTERM: longest wait */
};

struct config {
	struct arena	*mem;
	unsigned	 holds;
	const char	*path;
	/* node */
	const char	*name;
	const char	*state_dir;
	const char	*bodies_dir;	/* files of large request bodies; default STATE/bodies */
	const char	*feeds_dir;	/* what feeds have said to whom; default STATE/feeds */
	const char	*public_url;	/* https://host:port, base of absolute URLs */
	const char	*csirt;		/* FQDN for IODEF IncidentID@name */
	const char	*contact;	/* mail address for generated Contacts */
	const char	*sign_key;	/* Ed25519 private key file (hex) */
	const char	*audit_key;	/* file with 64 hex digits */
	const char	*dedup_key;	/* the same: keys the HMACs in Redis; federated nodes share it */
	const char	*client_certificate, *client_key;	/* what we show to peers */
	const char	*peer_ca;	/* what peers' server certificates must chain to */
	const char	*trust_file, *credentials_file, *mappings_dir;
	const char	*control;	/* control socket; default STATE/control.sock */
	size_t		 workers;	/* 0: as many as there are cores */
	struct {		/* accounts of the children of a master that is root */
		const char	*storekeeper, *worker, *translator, *group;
	} users;
	const char	*operations;	/* address of the operations listener, or NULL */
	bool		 log_json;
	enum log_level	 log_level;
	/* TAXII */
	const char	*api_root;	/* one path segment */
	const char	*title, *description;
	struct root_conf *roots;	/* the further ones */
	size_t		 nroots;
	const char	*token_header;	/* may hold a token as well; or NULL */
	bool		 taxii20;	/* TAXII 2.0 is served too */
	bool		 taxii11;	/* and TAXII 1.1 */
	bool		 authentication;	/* off: everybody is a public reader (testing) */
	/* parts */
	struct listen_conf *listens;
	size_t		 nlistens;
	const char	*store_path;	/* default STATE/tocsin.db; "memory" */
	struct redis_conf redis;
	struct limits_conf limits;
	struct collection_conf *collections;
	size_t		 ncollections;
	struct spool_conf *spools;
	size_t		 nspools;
	struct pull_conf *pulls;
	size_t		 npulls;
	struct route_conf *routes;
	size_t		 nroutes;
	struct {		/* what must not end up in a block list: warnings.h */
		const char *const *networks, *const *domains;
		const char	*file;	/* or NULL */
	} warnings;
	struct feed_conf *feeds;
	size_t		 nfeeds;
	struct root_conf root;		/* that of `taxii` */
	struct config_origins *origins;	/* where each value was written; config_print.c */
};

/* Load, apply defaults, check ranges and references inside the file. NULL with complaints. Paths are
 * made relative to the folder of the configuration file. With c->mem NULL the complaints get an arena of
 * their own, which the caller frees. */
struct config	*config_load(const char *path, struct complaints *c);
struct config	*config_parse(struct slice text, const char *name, struct complaints *c);
/* Counted, as trust_hold. */
struct config	*config_hold(struct config *conf);
void		 config_free(struct config *conf);
/* What needs the outside: files readable, modes of secrets, key matches certificate, trust loads and
 * fits (names used exist), mappings compile, addresses parse. Adds complaints. Certificates are
 * checked through `tls_check` so that this layer needs no TLS (NULL: skipped). */
typedef int	config_tls_check_fn(const char *cert, const char *key, struct err *e);
int	config_check(const struct config *conf, const struct trust *trust,
	    config_tls_check_fn *tls_check, struct complaints *c);
/* Every key with its effective value and where it came from ("default" or file:line). */
void	config_print(struct strbuf *out, const struct config *conf);
/* conf/README.md's reference, from the table. */
void	config_print_reference(struct strbuf *out);
/* "section key: old -> new" a line, for every key that differs and takes a restart: what a reload must
 * refuse. Returns how many. */
size_t		 config_restart_needed(struct strbuf *out, const struct config *old,
		    const struct config *now);
/* API roots in order: the one of `taxii`, then the others. NULL past the last. */
const struct root_conf *config_root_at(const struct config *conf, size_t i);
/* By its path segment; NULL if none. */
const struct root_conf *config_root(const struct config *conf, struct slice name);
/* Is the collection served there? */
bool		 config_in_root(const struct collection_conf *col, const struct root_conf *root);
/* Collection by name, alias or UUID; NULL if none. */
struct feed_conf *config_feed(const struct config *conf, struct slice name);
struct collection_conf *config_collection(const struct config *conf, struct slice name);

#endif
