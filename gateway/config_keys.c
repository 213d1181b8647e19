/* config_keys.c -- every knob of tocsin.conf, one row each. Part of config.h; shapes: config_parts.h. */
#include "gateway/config_parts.h"

#include <stdint.h>

#define SEC	INT64_C(1000000)
#define MIN_	(60 * SEC)
#define HOUR	(3600 * SEC)
#define DAY	(86400 * SEC)
#define KB	INT64_C(1024)
#define MB	(1024 * KB)
#define GB	(1024 * MB)

#define FIELD(type, member)	offsetof(type, member), sizeof(((type *)NULL)->member)
#define CONF(member)		FIELD(struct config, member)
#define REDIS(member)		FIELD(struct redis_conf, member)
#define LIMIT(member)		FIELD(struct limits_conf, member)
#define LISTEN(member)		FIELD(struct listen_conf, member)
#define COLL(member)		FIELD(struct collection_conf, member)
#define SPOOL(member)		FIELD(struct spool_conf, member)
#define PULL(member)		FIELD(struct pull_conf, member)
#define ROUTE(member)		FIELD(struct route_conf, member)
#define FEED(member)		FIELD(struct feed_conf, member)
#define ROOT(member)		FIELD(struct root_conf, member)
#define END			{ .name = NULL }

static const char *const clients_words[] = { "none", "optional", "required", NULL };
static const char *const mode_words[] = { "kept", "view", NULL };
static const char *const serve_words[] = { "as-sent", "stix20", NULL };
static const char *const validate_words[] = { "tolerant", "strict", NULL };
static const char *const log_words[] = { "logfmt", "json", NULL };

static const struct config_key node_keys[] = {
	{ "state", &config_path, CONF(state_dir), "/var/lib/tocsin", 0, 0, CONFIG_RESTART,
	    "Folder for the store, the control socket and everything else that the node writes.", NULL },
	{ "workers", &config_count_or_auto, CONF(workers), "auto", 1, 64, CONFIG_RESTART,
	    "Processes that serve, each with a translator of its own; `auto`: one a core.", NULL },
	{ "url", &config_base_url, CONF(public_url), NULL, 0, 0, 0,
	    "How clients reach this node; discovery answers with it. Without it, the Host of the "
	    "request is used.", NULL },
	{ "csirt", &config_host, CONF(csirt), NULL, 0, 0, 0,
	    "Domain name of your team: IncidentID@name in IODEF that this node writes.", NULL },
	{ "contact", &config_mail, CONF(contact), NULL, 0, 0, 0,
	    "Mail address of your team, for the creator's Contact in IODEF that this node writes.", NULL },
	{ "sign-key", &config_path, CONF(sign_key), NULL, 0, 0, CONFIG_REQUIRED | CONFIG_RESTART,
	    "Ed25519 private key (64 hex digits) that signs what is relayed to peers.", NULL },
	{ "audit-key", &config_path, CONF(audit_key), NULL, 0, 0, CONFIG_REQUIRED | CONFIG_RESTART,
	    "Key (64 hex digits) that seals the audit log.", NULL },
	{ "dedup-key", &config_path, CONF(dedup_key), NULL, 0, 0, CONFIG_REQUIRED | CONFIG_RESTART,
	    "Key (64 hex digits) that blinds what is asked of Redis; nodes that share a Redis share "
	    "this key.", NULL },
	{ "certificate", &config_path, CONF(client_certificate), NULL, 0, 0, 0,
	    "Certificate chain (PEM) shown to peers that we call, and by `listen` unless it names "
	    "another.", NULL },
	{ "key", &config_path, CONF(client_key), NULL, 0, 0, 0,
	    "Private key (PEM, no pass phrase) of that certificate.", NULL },
	{ "peer-ca", &config_path, CONF(peer_ca), NULL, 0, 0, 0,
	    "CAs and self-signed peers (PEM) that certificates of peers must chain to.", NULL },
	{ "trust", &config_path, CONF(trust_file), "trust.conf", 0, 0, 0,
	    "File with communities, peers, consumers and rules.", NULL },
	{ "credentials", &config_path, CONF(credentials_file), "credentials", 0, 0, 0,
	    "File with the hashes of tokens and passwords, and our own logins; written by commands.",
	    NULL },
	{ "mappings", &config_path, CONF(mappings_dir), "mappings", 0, 0, 0,
	    "Folder with the mapping files of in-house formats (NAME.map).", NULL },
	{ "bodies", &config_path, CONF(bodies_dir), "STATE/bodies", 0, 0, CONFIG_RESTART,
	    "Folder (mode 0700) for large request bodies while they come in, and (in its folder `pending`) "
	    "for those that are answered before they are taken in; nothing else stays there.",
	    NULL },
	{ "feeds", &config_path, CONF(feeds_dir), "STATE/feeds", 0, 0, CONFIG_RESTART,
	    "Folder (mode 0700) for feeds while they are served, and for what changed in them.", NULL },
	{ "control", &config_path, CONF(control), "STATE/control.sock", 0, 0, CONFIG_RESTART,
	    "Unix socket that `tocsin status` and its sisters talk to (mode 0600).", NULL },
	END
};

static const struct config_key listen_keys[] = {
	{ "certificate", &config_path, LISTEN(certificate), NULL, 0, 0, 0,
	    "Certificate chain (PEM); without it, the node's.", NULL },
	{ "key", &config_path, LISTEN(key), NULL, 0, 0, 0,
	    "Private key (PEM, no pass phrase); without it, the node's.", NULL },
	{ "peer-ca", &config_path, LISTEN(peer_ca), NULL, 0, 0, 0,
	    "CAs and self-signed peers (PEM) for client certificates; without it, the node's.", NULL },
	{ "peer-crl", &config_path, LISTEN(peer_crl), NULL, 0, 0, 0,
	    "Revocation lists (PEM) of those CAs, read anew at each reload. Every CA needs a current one "
	    "then, or its clients are refused.", NULL },
	{ "clients", &config_choice, LISTEN(clients), "optional", 0, 0, 0,
	    "Client certificates: never asked for, asked for, or required. A peer needs one.",
	    clients_words },
	END
};

static const struct config_key users_keys[] = {
	{ "storekeeper", &config_text, CONF(users.storekeeper), "_tocsin-store", 0, 0, CONFIG_RESTART,
	    "Owner of the store.", NULL },
	{ "worker", &config_text, CONF(users.worker), "_tocsin", 0, 0, CONFIG_RESTART,
	    "Who serves; owner of spools and bodies.", NULL },
	{ "translator", &config_text, CONF(users.translator), "_tocsin-cage", 0, 0, CONFIG_RESTART,
	    "Who parses what strangers send; owner of nothing.", NULL },
	{ "group", &config_text, CONF(users.group), "_tocsin", 0, 0, CONFIG_RESTART,
	    "Group that may read the store.", NULL },
	END
};

static const struct config_key store_keys[] = {
	{ "path", &config_path_or_memory, CONF(store_path), "STATE/tocsin.db", 0, 0, CONFIG_RESTART,
	    "Database file, or `memory`: nothing survives a restart then.", NULL },
	END
};

static const struct config_key redis_keys[] = {
	{ "user", &config_text, REDIS(user), NULL, 0, 0, CONFIG_RESTART,
	    "ACL user.", NULL },
	{ "password-file", &config_path, REDIS(password_file), NULL, 0, 0, CONFIG_RESTART,
	    "File whose first line is the password (mode 0600).", NULL },
	{ "ca", &config_path, REDIS(ca), NULL, 0, 0, CONFIG_RESTART,
	    "CAs (PEM) that the server's certificate must chain to; needed for rediss.", NULL },
	{ "prefix", &config_prefix, REDIS(prefix), "tocsin:", 0, 0, CONFIG_RESTART,
	    "What every key begins with.", NULL },
	{ "connect-timeout", &config_span, REDIS(connect_us), "2s", SEC / 100, MIN_, CONFIG_RESTART,
	    "Longest wait for a connection.", NULL },
	{ "command-timeout", &config_span, REDIS(command_us), "200ms", SEC / 1000, MIN_, CONFIG_RESTART,
	    "Longest wait for an answer; then the node goes on without Redis.", NULL },
	{ "claim-short", &config_span, REDIS(claim_short_us), "30s", SEC, HOUR, CONFIG_RESTART,
	    "Life of a claim until the object is stored; longer than any commit takes.", NULL },
	{ "claim-long", &config_span, REDIS(claim_long_us), "7d", MIN_, 400 * DAY, CONFIG_RESTART,
	    "Life of a confirmed claim: how long duplicates are known without asking the store.", NULL },
	{ "queue", &config_count, REDIS(queue_max), "10000", 16, 1000000, CONFIG_RESTART,
	    "Commands that may wait; more are answered locally.", NULL },
	{ "reply", &config_bytes, REDIS(reply_max), "1m", 4 * KB, 64 * MB, CONFIG_RESTART,
	    "Largest reply that is believed.", NULL },
	END
};

static const struct config_key limits_keys[] = {
	{ "body", &config_bytes, LIMIT(body_bytes), "10m", 4 * KB, GB, 0,
	    "Largest request body; TAXII's max_content_length.", NULL },
	{ "body-in-memory", &config_bytes, LIMIT(body_in_memory), "1m", 4 * KB, GB, 0,
	    "Larger request bodies go to a file without a name in `bodies` while they come in.", NULL },
	{ "bodies-in-memory", &config_bytes, LIMIT(bodies_in_memory), "64m", 64 * KB, 64 * GB, 0,
	    "All request bodies in memory of one worker; beyond, small ones go to files too.", NULL },
	{ "bodies-in-files", &config_bytes, LIMIT(bodies_in_files), "4g", MB, 1024 * GB, 0,
	    "All request bodies in files of one worker; beyond, clients are asked to come again.", NULL },
	{ "pending-over", &config_bytes, LIMIT(pending_over), "4m", 0, GB, 0,
	    "A larger POST of a consumer is kept on disk, answered with a status that is pending, and "
	    "taken in afterwards; 0: every POST is answered when it is taken in. Peers are always "
	    "answered so.", NULL },
	{ "pending-bodies", &config_count, LIMIT(pending_bodies), "64", 1, 100000, 0,
	    "Such POSTs in the node; beyond, clients are asked to come again.", NULL },
	{ "pending-bytes", &config_bytes, LIMIT(pending_bytes), "2g", MB, 1024 * GB, 0,
	    "Their size in all, in the folder `pending` of `bodies`.", NULL },
	{ "object", &config_bytes, LIMIT(object_bytes), "8m", KB, GB, 0,
	    "Largest single object, Incident or record.", NULL },
	{ "objects", &config_count, LIMIT(objects), "100000", 1, 10000000, 0,
	    "Objects in one message.", NULL },
	{ "page-objects", &config_count, LIMIT(page_objects), "1000", 1, 100000, 0,
	    "Largest page, whatever `limit` a client asks for.", NULL },
	{ "page-cache", &config_bytes, LIMIT(page_cache), "128m", 0, 64 * GB, 0,
	    "Pages that a worker keeps written for those who ask the same again; 0: none.", NULL },
	{ "feed-files", &config_bytes, LIMIT(feed_files), "2g", MB, 1024 * GB, 0,
	    "Feeds that a worker keeps on disk for those who ask the same again, in `feeds` of section "
	    "`node`; what was asked for longest ago goes first.", NULL },
	{ "page-bytes", &config_bytes, LIMIT(page_bytes), "8m", 64 * KB, GB, 0,
	    "Largest page in bytes; one object always fits.", NULL },
	{ "connections", &config_count, LIMIT(connections), "4096", 4, 1000000, 0,
	    "Connections at once.", NULL },
	{ "connections-per-address", &config_count, LIMIT(connections_per_address), "64", 1, 1000000, 0,
	    "Connections at once from one address (IPv6: one /64). Each worker counts its own, and allows "
	    "half as many again as its share, for they do not spread evenly.", NULL },
	{ "handshakes-per-address", &config_count, LIMIT(handshakes_per_address), "32", 1, 1000000, 0,
	    "TLS handshakes at once from one address, counted likewise.", NULL },
	{ "connection-age", &config_span, LIMIT(connection_age_us), "1h", SEC, 30 * DAY, 0,
	    "Age after which a connection's next answer is its last: a withdrawn certificate ends "
	    "within it.", NULL },
	{ "connection-requests", &config_count, LIMIT(connection_requests), "10000", 1, 1000000000, 0,
	    "Requests on one connection.", NULL },
	{ "handshake-timeout", &config_span, LIMIT(handshake_us), "10s", SEC / 10, 10 * MIN_, 0,
	    "TLS handshake.", NULL },
	{ "head-timeout", &config_span, LIMIT(head_us), "10s", SEC / 10, 10 * MIN_, 0,
	    "Request line and headers.", NULL },
	{ "body-timeout", &config_span, LIMIT(body_us), "10s", SEC / 10, HOUR, 0,
	    "Request body, on top of its size divided by `body-rate`.", NULL },
	{ "answer-timeout", &config_span, LIMIT(answer_us), "60s", SEC / 10, HOUR, 0,
	    "Longest time from a request to the beginning of its answer; then 503. What a POST brought is "
	    "taken in all the same: sent again, it is known.", NULL },
	{ "write-timeout", &config_span, LIMIT(write_us), "10s", SEC / 10, HOUR, 0,
	    "Answer, on top of its size divided by `body-rate`.", NULL },
	{ "idle-timeout", &config_span, LIMIT(idle_us), "60s", SEC / 10, HOUR, 0,
	    "Connection without a request.", NULL },
	{ "body-rate", &config_bytes, LIMIT(body_rate_bytes), "4k", 1, GB, 0,
	    "Bytes a second that a client must reach at least.", NULL },
	{ "linger-timeout", &config_span, LIMIT(linger_us), "2s", SEC / 100, MIN_, 0,
	    "How long a refused client is listened to before it is cut off, so that it sees the "
	    "refusal.", NULL },
	{ "linger-bytes", &config_bytes, LIMIT(linger_bytes), "1m", 4 * KB, GB, 0,
	    "How much of it.", NULL },
	{ "skip-bytes", &config_bytes, LIMIT(skip_bytes), "64k", 1, 64 * MB, 0,
	    "Body of an answered request that is read and forgotten; beyond, the connection ends.", NULL },
	{ "target-bytes", &config_bytes, LIMIT(target_bytes), "16k", 256, MB, 0,
	    "Path and query of a request; beyond, 414.", NULL },
	{ "head-bytes", &config_bytes, LIMIT(head_bytes), "64k", 1 * KB, MB, 0,
	    "All header lines of a request; beyond, 431.", NULL },
	{ "head-lines", &config_count, LIMIT(head_lines), "128", 16, 10000, 0,
	    "Number of header lines; beyond, 431.", NULL },
	{ "trailer-bytes", &config_bytes, LIMIT(trailer_bytes), "4k", 64, MB, 0,
	    "Header lines behind a body in chunks; beyond, 400.", NULL },
	{ "unread-answers", &config_bytes, LIMIT(unread_bytes), "256m", 64 * KB, 64 * GB, 0,
	    "Answers of one worker that clients have not read yet; beyond, the slowest reader is cut "
	    "off.", NULL },
	{ "repeats", &config_count, LIMIT(repeats), "30", 0, 1000000, 0,
	    "So often a client may ask for the same page and get the same objects in a row; then it waits "
	    "1 s, 2 s, 4 s ... 30 s between them (429). 0: as often as it likes.", NULL },
	{ "gzip-level", &config_count, LIMIT(gzip_level), "1", 0, 9, 0,
	    "How hard answers are compressed for clients that take gzip; 0: never.", NULL },
	{ "gzip-least", &config_bytes, LIMIT(gzip_least_bytes), "1k", 64, GB, 0,
	    "Smaller answers are sent as they are.", NULL },
	{ "requests", &config_limit, LIMIT(requests), "1200/min burst 300", 0, 0, 0,
	    "Requests of one client, unless its section in trust.conf says otherwise. The burst is "
	    "never less than one drain of all that is stored, at 100 objects a page. Without Redis each "
	    "worker counts its own.", NULL },
	{ "guesses", &config_limit, LIMIT(guesses), "10/min burst 10", 0, 0, 0,
	    "Failed logins from one address (IPv6: one /64).", NULL },
	{ "intake-queue", &config_count, LIMIT(intake_queue), "64", 1, 100000, 0,
	    "Messages in work at once; more are asked to come again.", NULL },
	{ "translate-queue", &config_count, LIMIT(translate_queue), "256", 1, 100000, 0,
	    "Of these, messages that wait for the translator.", NULL },
	{ "translate-timeout", &config_span, LIMIT(translate_us), "10s", SEC / 10, HOUR, 0,
	    "Longest work of the translator on one message, on top of a second for each megabyte.", NULL },
	{ "quarantine-rows", &config_count, LIMIT(quarantine_rows), "10000", 1, 10000000, 0,
	    "Refused objects kept for a look; the oldest go first.", NULL },
	{ "quarantine-bytes", &config_bytes, LIMIT(quarantine_bytes), "256m", MB, 1024 * GB, 0,
	    "Their size in all.", NULL },
	{ "status-keep", &config_span, LIMIT(status_keep_us), "24h", MIN_, 365 * DAY, 0,
	    "How long the status of a POST can be asked for, from its completion on.", NULL },
	{ "lease", &config_span, LIMIT(lease_us), "60s", SEC, HOUR, 0,
	    "How long an item of the outbox belongs to who took it; must outlast one delivery.", NULL },
	{ "retry-min", &config_span, LIMIT(retry_min_us), "1s", SEC / 100, HOUR, 0,
	    "First wait after a failed delivery; doubles each time.", NULL },
	{ "retry-max", &config_span, LIMIT(retry_max_us), "5m", SEC / 100, DAY, 0,
	    "Longest wait between deliveries.", NULL },
	{ "retry-age", &config_span, LIMIT(retry_age_us), "7d", SEC, 400 * DAY, 0,
	    "Age at which an undelivered item becomes a dead letter.", NULL },
	{ "relay-objects", &config_count, LIMIT(relay_objects), "1000", 1, 100000, 0,
	    "Objects in one POST to a peer.", NULL },
	{ "relay-bytes", &config_bytes, LIMIT(relay_bytes), "8m", 4 * KB, GB, 0,
	    "Their size; less than the peer's own `body`.", NULL },
	{ "hops", &config_count, LIMIT(hops), "8", 1, 64, 0,
	    "Nodes that an advisory may have passed when it is relayed again.", NULL },
	{ "drain", &config_span, LIMIT(drain_us), "20s", 0, HOUR, 0,
	    "Longest wait for work in progress when the node is told to stop.", NULL },
	{ "drain-grace", &config_span, LIMIT(drain_grace_us), "200ms", SEC / 100, MIN_, 0,
	    "How long a silent connection may still send a request then.", NULL },
	{ "upgrade-grace", &config_span, LIMIT(upgrade_grace_us), "5s", SEC / 100, HOUR, 0,
	    "The same for old workers after an upgrade.", NULL },
	END
};

static const struct config_key taxii_keys[] = {
	{ "api-root", &config_segment, CONF(api_root), "api", 0, 0, CONFIG_RESTART,
	    "Path of the API root: https://host:port/API-ROOT/.", NULL },
	{ "title", &config_text, CONF(title), "Tocsin", 0, 0, 0,
	    "Title of discovery and of that API root.", NULL },
	{ "description", &config_text, CONF(description), NULL, 0, 0, 0,
	    "Their description.", NULL },
	{ "token-header", &config_header, CONF(token_header), NULL, 0, 0, 0,
	    "Header that may hold a token, for clients that cannot send Authorization: Bearer.", NULL },
	{ "taxii20", &config_yes_no, CONF(taxii20), "yes", 0, 0, 0,
	    "Serve TAXII 2.0 too, for clients that ask for it: what is STIX 2.0, at the same paths and at "
	    "/taxii/. With `no` they are answered 406.", NULL },
	{ "taxii11", &config_yes_no, CONF(taxii11), "yes", 0, 0, 0,
	    "Serve TAXII 1.1 too, at /taxii11/: collections as data feeds of STIX 1.2.", NULL },
	{ "authentication", &config_yes_no, CONF(authentication), "yes", 0, 0, 0,
	    "`no` makes everybody a reader of relation public; on loopback only, for trials.", NULL },
	END
};

static const struct config_key root_keys[] = {
	{ "title", &config_text, ROOT(title), NULL, 0, 0, 0,
	    "Title; without it, the name.", NULL },
	{ "description", &config_text, ROOT(description), NULL, 0, 0, 0,
	    "Description.", NULL },
	END
};

static const struct config_key collection_keys[] = {
	{ "id", &config_uuid, COLL(id), NULL, 0, 0, CONFIG_RESTART,
	    "UUIDv4; without it the store gives one at first start and keeps it.", NULL },
	{ "title", &config_text, COLL(title), NULL, 0, 0, 0,
	    "Title, no two alike in an API root; without it, the name.", NULL },
	{ "description", &config_text, COLL(description), NULL, 0, 0, 0,
	    "Description.", NULL },
	{ "alias", &config_name, COLL(alias), NULL, 0, 0, 0,
	    "Word that stands for the id in URLs; without it, the name, which goes on to work.", NULL },
	{ "roots", &config_names, COLL(roots), NULL, 0, 0, 0,
	    "API roots that have it; without it, `api-root` of `taxii`.", NULL },
	{ "mode", &config_flip, COLL(view), "kept", 0, 0, CONFIG_RESTART,
	    "A kept collection is written to (POST, spool, relay, route); a view shows what its filter "
	    "selects of everything stored.", mode_words },
	{ "hidden", &config_yes_no, COLL(hidden), "no", 0, 0, 0,
	    "Not listed for consumers that do not name it.", NULL },
	{ "validate", &config_flip, COLL(validate_strict), "tolerant", 0, 0, 0,
	    "Strict refuses what tolerant stores with a warning.", validate_words },
	{ "serve-as", &config_flip, COLL(serve_stix20), "as-sent", 0, 0, 0,
	    "To clients of TAXII 2.0: `stix20` shows STIX 2.1 in the words of STIX 2.0, too; `as-sent` "
	    "only what is STIX 2.0.", serve_words },
	{ "distinct", &config_yes_no, COLL(distinct), "no", 0, 0, 0,
	    "View: one row for objects that mean the same; the others count as sightings.", NULL },
	{ "kinds", &config_kinds, COLL(kinds), NULL, 0, 0, 0,
	    "View: only these types.", NULL },
	{ "tlp", &config_tlps, COLL(tlps), NULL, 0, 0, 0,
	    "View: only these labels.", NULL },
	{ "sectors", &config_sectors_of, COLL(sectors), NULL, 0, 0, 0,
	    "View: only what concerns one of these sectors.", NULL },
	{ "phases", &config_phases, COLL(phases), NULL, 0, 0, 0,
	    "View: only these phases.", NULL },
	{ "confidence", &config_count, COLL(confidence), "0", 0, 100, 0,
	    "View: only what says a confidence of at least so much; 0: anything.", NULL },
	{ "age", &config_span, COLL(age_us), "0s", 0, 100 * 365 * DAY, 0,
	    "View: only versions no older than that (0s: of any age), by `modified`, else `created`, else "
	    "their arrival; what becomes older leaves within a twentieth of it, or an hour.", NULL },
	{ "from", &config_sources, COLL(sources), NULL, 0, 0, 0,
	    "View: only what came from one of these: peer, consumer or spool:NAME.", NULL },
	END
};

static const struct config_key spool_keys[] = {
	{ "path", &config_path, SPOOL(path), NULL, 0, 0, CONFIG_REQUIRED,
	    "Folder; incoming/, done/ and rejected/ are made in it.", NULL },
	{ "format", &config_format, SPOOL(format), NULL, 0, 0, 0,
	    "Format of the files; without it, each is looked at.", NULL },
	{ "mapping", &config_mapping, SPOOL(mapping), NULL, 0, 0, 0,
	    "Mapping (mappings/NAME.map) for format `mapped`.", NULL },
	{ "collections", &config_names, SPOOL(collections), NULL, 0, 0, CONFIG_REQUIRED,
	    "Kept collections that its objects go to.", NULL },
	{ "interval", &config_span, SPOOL(interval_us), "1s", SEC / 100, DAY, 0,
	    "How often the folder is looked at.", NULL },
	{ "file", &config_bytes, SPOOL(max_bytes), "64m", KB, GB, 0,
	    "Largest file.", NULL },
	{ "refuse-loss", &config_share, SPOOL(refuse_loss), NULL, 0, 0, 0,
	    "A file of which a larger share of fields would be lost in the translation is refused as a "
	    "whole (LOSS); without it, none is. Fields kept in an extension are not lost.", NULL },
	END
};

static const struct config_key pull_keys[] = {
	{ "peer", &config_name, PULL(peer), NULL, 0, 0, CONFIG_REQUIRED,
	    "Peer of trust.conf that has a `url`; as a source its objects are known by its name.", NULL },
	{ "collection", &config_text, PULL(collection), NULL, 0, 0, 0,
	    "Collection there, by id, alias or title; without it, the one that the peer's `url` names, or "
	    "the only one.", NULL },
	{ "into", &config_names, PULL(collections), NULL, 0, 0, CONFIG_REQUIRED,
	    "Kept collections that its objects go to.", NULL },
	{ "every", &config_span, PULL(interval_us), "5m", SEC / 10, 30 * DAY, 0,
	    "From the end of one run to the next.", NULL },
	{ "kinds", &config_kinds, PULL(kinds), NULL, 0, 0, 0,
	    "Ask for these types only.", NULL },
	{ "page", &config_count, PULL(page), "1000", 1, 100000, 0,
	    "Objects asked for at once; a server may give fewer.", NULL },
	{ "since", &config_time, PULL(since), NULL, 0, 0, 0,
	    "The first run asks for what came to the server later than that; without it, for everything.",
	    NULL },
	{ "skew", &config_span, PULL(skew_us), "5m", 0, DAY, 0,
	    "How far the server's clock and ours may differ: no mark is set further in the future, and a "
	    "server without dates is read that much twice.", NULL },
	END
};

static const struct config_key route_keys[] = {
	{ "from", &config_sources, ROUTE(from), "*", 0, 0, 0,
	    "Sources: peer, consumer, spool:NAME, or * for any.", NULL },
	{ "kinds", &config_kinds, ROUTE(kinds), NULL, 0, 0, 0,
	    "Only these types.", NULL },
	{ "collections", &config_names, ROUTE(collections), NULL, 0, 0, CONFIG_REQUIRED,
	    "Kept collections that they join as well.", NULL },
	{ "refuse-loss", &config_share, ROUTE(refuse_loss), NULL, 0, 0, 0,
	    "Not for a message of which a larger share of fields was lost in its translation to STIX: its "
	    "objects stay where they were put. Fields kept in an extension are not lost.", NULL },
	END
};

static const struct config_key warnings_keys[] = {
	{ "networks", &config_names, CONF(warnings.networks), NULL, 0, 0, 0,
	    "Networks and addresses of your own and of your constituents: a value that overlaps one is "
	    "held back.", NULL },
	{ "domains", &config_names, CONF(warnings.domains), NULL, 0, 0, 0,
	    "Domain names of the same, with all names below them and those above.", NULL },
	{ "file", &config_path, CONF(warnings.file), NULL, 0, 0, 0,
	    "File with more of both and hashes of files, one a line.", NULL },
	END
};

static const struct config_key feed_keys[] = {
	{ "collection", &config_text, FEED(collection), NULL, 0, 0, CONFIG_REQUIRED,
	    "Collection that it shows. Who may read that may read the feed.", NULL },
	{ "formats", &config_feed_formats, FEED(formats), NULL, 0, 0, 0,
	    "Outputs that are served; without it, all. `misp` is the MISP feed /feeds/NAME/misp/.", NULL },
	{ "kinds", &config_feed_kinds, FEED(kinds), NULL, 0, 0, 0,
	    "Only values of these kinds.", NULL },
	{ "confidence", &config_count, FEED(confidence), "0", 0, 100, 0,
	    "Least confidence; above 0, what says none is left out.", NULL },
	{ "observables", &config_yes_no, FEED(observables), "no", 0, 0, 0,
	    "Observables too, in csv and jsonl; never in lists for devices.", NULL },
	{ "restricted", &config_yes_no, FEED(restricted), "no", 0, 0, 0,
	    "What is labelled AMBER+STRICT or RED goes into lists for devices too.", NULL },
	{ "path", &config_path, FEED(path), NULL, 0, 0, CONFIG_RESTART,
	    "Folder that the outputs are written to as well: NAME.ENDING, each replaced at once.", NULL },
	{ "for", &config_name, FEED(reader), NULL, 0, 0, 0,
	    "Consumer by whose rights those files are made; needed with `path`.", NULL },
	{ "every", &config_span, FEED(every_us), "1m", SEC / 10, DAY, 0,
	    "How often it is looked whether those files are still right.", NULL },
	{ "records", &config_count, FEED(records), "1000000", 1, 100000000, 0,
	    "Most records of one output; a feed that has more is refused, never cut.", NULL },
	{ "bytes", &config_bytes, FEED(bytes), "1g", 64 * KB, 64 * GB, 0,
	    "Largest file of one output; likewise.", NULL },
	{ "misp-bytes", &config_bytes, FEED(misp_bytes), "32m", 64 * KB, GB, 0,
	    "STIX objects that the MISP feed is made of at most; of more it is refused.", NULL },
	{ "history", &config_bytes, FEED(history_bytes), "16m", 64 * KB, GB, 0,
	    "What is kept of changes, for each reader, to answer `since`.", NULL },
	{ "history-keep", &config_span, FEED(history_us), "7d", MIN_, 400 * DAY, 0,
	    "How long it is kept, as far as there is room; who asks for older changes is told to fetch the "
	    "whole.", NULL },
	END
};

static const struct config_key log_keys[] = {
	{ "format", &config_flip, CONF(log_json), "logfmt", 0, 0, 0,
	    "One line an event, on standard error.", log_words },
	{ "level", &config_level, CONF(log_level), "info", 0, 0, 0,
	    "The least level that is written: debug, info, warn, error or off.", NULL },
	END
};

static const struct config_key no_keys[] = { END };

#define LIST(list, number, type)						\
	true, offsetof(struct config, list), offsetof(struct config, number),	\
	    sizeof(type), offsetof(type, file), offsetof(type, line)
#define ONCE(base)	false, (base), 0, 0, 0, 0
#define NO_ARG		{ .name = NULL }

const struct config_section config_sections[] = {
	{ "node", { "NAME", &config_name, CONF(name), NULL, 0, 0, CONFIG_REQUIRED | CONFIG_RESTART,
	    "Name of this node, as its peers know it.", NULL }, ONCE(0), node_keys,
	    "This node: its name, its folders and its keys." },
	{ "listen", { "ADDRESS", &config_address, LISTEN(address), NULL, 0, 0,
	    CONFIG_REQUIRED | CONFIG_RESTART,
	    "IP address and port; port 0 lets the system choose.", NULL },
	    LIST(listens, nlistens, struct listen_conf), listen_keys,
	    "An address that serves TAXII and peers over TLS. None: the node only calls others." },
	{ "operations", { "ADDRESS", &config_address_or_off, CONF(operations), "127.0.0.1:9443", 0, 0,
	    CONFIG_RESTART,
	    "Loopback address and port, or `off`.", NULL }, ONCE(0), no_keys,
	    "Where /metrics, /healthz and /readyz answer, in clear text and without authentication." },
	{ "users", NO_ARG, ONCE(0), users_keys,
	    "Accounts that the processes of a node started by root run under. One that does not exist is "
	    "replaced by a number between 2000000000 and 2003999999 that follows from `state`." },
	{ "store", NO_ARG, ONCE(0), store_keys,
	    "What the node remembers." },
	{ "redis", { "URL", &config_redis_url, REDIS(url), NULL, 0, 0, CONFIG_RESTART,
	    "unix:/path, redis://host:port or rediss://host:port (TLS).", NULL },
	    ONCE(offsetof(struct config, redis)), redis_keys,
	    "Redis that federated nodes share for rate limits and claims. Without it, or while it is "
	    "away, the node works alone." },
	{ "limits", NO_ARG, ONCE(offsetof(struct config, limits)), limits_keys,
	    "Every size, count and wait." },
	{ "taxii", NO_ARG, ONCE(0), taxii_keys,
	    "What TAXII clients see of the node as a whole." },
	{ "root", { "NAME", &config_segment, ROOT(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Path of the API root: https://host:port/NAME/.", NULL },
	    LIST(roots, nroots, struct root_conf), root_keys,
	    "A further API root, beside `api-root` of `taxii`." },
	{ "collection", { "NAME", &config_name, COLL(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Name of the collection, which stands for its id in URLs.", NULL },
	    LIST(collections, ncollections, struct collection_conf), collection_keys,
	    "A TAXII collection." },
	{ "spool", { "NAME", &config_name, SPOOL(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Name of the spool; as a source its objects are known by spool:NAME.", NULL },
	    LIST(spools, nspools, struct spool_conf), spool_keys,
	    "A folder whose files are taken in." },
	{ "pull", { "NAME", &config_name, PULL(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Name of the pull.", NULL },
	    LIST(pulls, npulls, struct pull_conf), pull_keys,
	    "A collection on a TAXII server of somebody else, read again and again." },
	{ "route", { "NAME", &config_name, ROUTE(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Name of the route.", NULL },
	    LIST(routes, nroutes, struct route_conf), route_keys,
	    "Objects from some sources join further collections, with the identities and markings that "
	    "they name." },
	{ "warnings", NO_ARG, ONCE(0), warnings_keys,
	    "What never goes into feeds, besides private, documentation and other special "
	    "networks and names, and the `aliases` of trust.conf." },
	{ "feed", { "NAME", &config_name, FEED(name), NULL, 0, 0, CONFIG_REQUIRED,
	    "Name of the feed: /feeds/NAME.ENDING.", NULL },
	    LIST(feeds, nfeeds, struct feed_conf), feed_keys,
	    "Flat files of a collection, one value a record, for tools that do not speak TAXII." },
	{ "log", NO_ARG, ONCE(0), log_keys,
	    "The event log." },
	{ .name = NULL }
};
