/*
 * stats_table.h -- every metric of the node, in one table. Add a row, nothing else.
 *
 *	X(id, kind, of, "name", "labels", "help")
 *
 *	kind	COUNTER grows; GAUGE is set when somebody looks; the rest are histograms: SECONDS (100 us to
 *		10 s, observed in microseconds), LAG (10 ms to a day, likewise), SIZES (1 to 512)
 *	of	EACH process has its own, told apart by the label `process`; the NODE has but one
 *	labels	none, one, or two separated by a comma; at most STATS_LABELS_MAX values
 *
 * Owns:    names, which follow the conventions of Prometheus: base units, `_total` for counters.
 * Called:  by stats.h alone. `tocsin check --metrics` prints tocsin-metrics(7)'s list from it.
 * Never:   a label that holds content, a client's address or an object's id.
 */
#ifndef GATEWAY_STATS_TABLE_H
#define GATEWAY_STATS_TABLE_H

#define STATS_TABLE(X) \
	/* the processes */ \
	X(STAT_UP, GAUGE, EACH, "tocsin_process_up", NULL, \
	    "1 if the process answered when this was asked") \
	X(STAT_READY, GAUGE, NODE, "tocsin_ready", NULL, \
	    "1 if the node serves: what /readyz says") \
	X(STAT_PROBLEMS, GAUGE, NODE, "tocsin_problems", "problem,kind", \
	    "What is wrong now, by kind (failure, warning): 1 for each") \
	X(STAT_BUILD, GAUGE, NODE, "tocsin_build_info", "version", \
	    "Always 1; its label says which version runs") \
	X(STAT_START, GAUGE, EACH, "tocsin_process_start_time_seconds", NULL, \
	    "When the process started, in seconds since 1970") \
	X(STAT_RESTARTS, COUNTER, EACH, "tocsin_process_restarts_total", NULL, \
	    "How often the process was started anew since the node started") \
	X(STAT_RESIDENT, GAUGE, EACH, "tocsin_process_resident_bytes", NULL, \
	    "Memory of the process, mapped pages of the database included") \
	X(STAT_PROPORTIONAL, GAUGE, EACH, "tocsin_process_proportional_bytes", NULL, \
	    "Memory of the process, its part of what several share (PSS)") \
	X(STAT_CPU, COUNTER, EACH, "tocsin_process_cpu_seconds_total", NULL, \
	    "Processor time that the process has used") \
	X(STAT_FDS, GAUGE, EACH, "tocsin_process_open_fds", NULL, "Open descriptors") \
	X(STAT_FDS_MAX, GAUGE, EACH, "tocsin_process_max_fds", NULL, \
	    "How many descriptors the process may have open") \
	X(STAT_LOG_LINES, COUNTER, EACH, "tocsin_log_lines_total", "level", "Lines logged") \
	X(STAT_LOG_LOST, COUNTER, EACH, "tocsin_log_lines_lost_total", NULL, \
	    "Lines that the log's stream did not take") \
	X(STAT_RELOADS, COUNTER, EACH, "tocsin_reloads_total", "result", \
	    "Reloads of the configuration, by result") \
	/* who connects, and what is asked */ \
	X(STAT_CONNECTIONS, GAUGE, EACH, "tocsin_http_connections", "state", \
	    "Open connections, by what they are at") \
	X(STAT_ACCEPTED, COUNTER, EACH, "tocsin_http_connections_total", NULL, \
	    "Connections accepted") \
	X(STAT_NOT_ACCEPTED, COUNTER, EACH, "tocsin_http_connections_refused_total", "limit", \
	    "Connections refused, by limit: total, address, handshakes at once") \
	X(STAT_EVICTED, COUNTER, EACH, "tocsin_http_connections_evicted_total", NULL, \
	    "Connections ended to make room: slow, silent or not reading") \
	X(STAT_HANDSHAKES, COUNTER, EACH, "tocsin_tls_handshakes_total", "result", \
	    "TLS handshakes of clients, by result: full, resumed, failed") \
	X(STAT_TIMEOUTS, COUNTER, EACH, "tocsin_http_timeouts_total", "state", \
	    "Connections ended by a deadline, by what they were at") \
	X(STAT_ABORTED, COUNTER, EACH, "tocsin_http_aborted_total", NULL, \
	    "Requests whose client went away before the answer") \
	X(STAT_BAD_REQUESTS, COUNTER, EACH, "tocsin_http_bad_requests_total", NULL, \
	    "Requests that are no HTTP we take") \
	X(STAT_BODIES_REFUSED, COUNTER, EACH, "tocsin_http_bodies_refused_total", NULL, \
	    "Bodies refused because there was no room for them") \
	X(STAT_BODIES, GAUGE, EACH, "tocsin_http_bodies_bytes", "place", \
	    "Request bodies in work, by where they are: memory, file") \
	X(STAT_HTTP, COUNTER, EACH, "tocsin_http_requests_total", "route,status", \
	    "Requests answered, by what was asked for and status") \
	X(STAT_PAGES, COUNTER, EACH, "tocsin_pages_total", "how", \
	    "TAXII pages: read, or kept and shown again") \
	X(STAT_REQUEST_BYTES, COUNTER, EACH, "tocsin_http_request_bytes_total", NULL, \
	    "Bytes of request bodies") \
	X(STAT_RESPONSE_BYTES, COUNTER, EACH, "tocsin_http_response_bytes_total", NULL, \
	    "Bytes of response bodies") \
	X(STAT_LIMITED, COUNTER, EACH, "tocsin_rate_limited_total", "client", \
	    "Requests refused by a rate limit, by consumer or peer") \
	X(STAT_CONSUMER_SLOWED, COUNTER, EACH, "tocsin_consumer_slowed_total", "consumer", \
	    "Requests answered 429 because the consumer asked the same again and again") \
	X(STAT_CONSUMER_STATE, GAUGE, NODE, "tocsin_consumer_state", "consumer,state", \
	    "1 for the state the consumer is in: never seen, silent, stuck, failing, looping, " \
	    "behind, healthy") \
	X(STAT_CONSUMER_CONTACT, GAUGE, NODE, "tocsin_consumer_last_contact_time_seconds", "consumer", \
	    "When the consumer last asked something, in seconds since 1970") \
	X(STAT_CONSUMER_OBJECTS, COUNTER, NODE, "tocsin_consumer_objects_total", "consumer", \
	    "Objects that were written to the consumer") \
	X(STAT_CONSUMER_REPEATED, COUNTER, NODE, "tocsin_consumer_repeated_objects_total", "consumer", \
	    "Of these, in answers that repeated an earlier one") \
	X(STAT_CONSUMER_WITHHELD, COUNTER, NODE, "tocsin_consumer_withheld_total", "consumer", \
	    "Objects of its collections that policy kept back from the consumer") \
	X(STAT_LOGIN_FAILED, COUNTER, EACH, "tocsin_login_failed_total", NULL, \
	    "Failed authentications") \
	X(STAT_FEEDS, COUNTER, EACH, "tocsin_feeds_total", "feed,how", \
	    "Feeds: built, extended by what was added, failed to be built, kept as they were, sent, told " \
	    "to be unchanged, told as changes, published; objects left out of a MISP feed as unreadable") \
	X(STAT_FEED_WITHHELD, GAUGE, EACH, "tocsin_feed_withheld", "feed,reason", \
	    "Records that the last build of a feed kept out, by reason") \
	X(STAT_FEED_BYTES, GAUGE, EACH, "tocsin_feed_files_bytes", NULL, \
	    "Outputs of feeds that are kept to be sent again") \
	/* the road of an advisory */ \
	X(STAT_STAGE, SECONDS, EACH, "tocsin_stage_seconds", "stage", \
	    "Time spent in a stage of the road") \
	X(STAT_IN_WORK, GAUGE, EACH, "tocsin_intake_in_work", NULL, \
	    "Messages between their bytes and their acknowledgement") \
	X(STAT_PENDING, GAUGE, NODE, "tocsin_pending_envelopes", NULL, \
	    "Large POSTs that were answered and are not worked off yet") \
	X(STAT_PENDING_BYTES, GAUGE, NODE, "tocsin_pending_bytes", NULL, "Their bytes") \
	X(STAT_ADVISORIES, COUNTER, EACH, "tocsin_advisories_total", "source", \
	    "Advisories taken in") \
	X(STAT_OBJECTS, COUNTER, EACH, "tocsin_objects_total", "outcome", \
	    "Objects by outcome of intake") \
	X(STAT_REFUSED, COUNTER, EACH, "tocsin_refused_total", "reason", \
	    "Objects refused, by reason") \
	X(STAT_SPOOL, COUNTER, EACH, "tocsin_spool_files_total", "result", \
	    "Spool files by result") \
	X(STAT_SPOOL_WAITING, GAUGE, EACH, "tocsin_spool_waiting", "spool", \
	    "Files seen in incoming/ at the last look") \
	X(STAT_TRANSLATIONS, COUNTER, EACH, "tocsin_translations_total", "result", \
	    "Jobs of the translator, by result: done, refused, crashed, late, lied") \
	X(STAT_TRANSLATE_WAITING, GAUGE, EACH, "tocsin_translations_waiting", NULL, \
	    "Jobs that wait for the translator") \
	/* claims, limits, Redis */ \
	X(STAT_CLAIMS, COUNTER, EACH, "tocsin_claims_total", "answer", \
	    "Claims asked for before a commit, by answer: claimed, seen, busy, unknown") \
	X(STAT_CLAIMS_LOCAL, GAUGE, EACH, "tocsin_claims_local", NULL, \
	    "Claims remembered in the process") \
	X(STAT_LIMITER, COUNTER, EACH, "tocsin_limiter_total", "answer", \
	    "Questions to the rate limiter, by answer: allowed, refused") \
	X(STAT_LIMITER_LOCAL, COUNTER, EACH, "tocsin_limiter_local_total", NULL, \
	    "Of these, answered without Redis") \
	X(STAT_BUCKETS, GAUGE, EACH, "tocsin_limiter_buckets", NULL, "Buckets in the process") \
	X(STAT_REDIS_UP, GAUGE, EACH, "tocsin_redis_up", NULL, "1 if Redis answers") \
	X(STAT_REDIS_AWAY, GAUGE, EACH, "tocsin_redis_away_seconds", NULL, \
	    "For how long Redis has not answered: the circuit is open; 0 while it answers") \
	X(STAT_REDIS_WAITING, GAUGE, EACH, "tocsin_redis_waiting", NULL, \
	    "Commands that wait for an answer") \
	X(STAT_REDIS_COMMANDS, COUNTER, EACH, "tocsin_redis_commands_total", NULL, \
	    "Commands sent") \
	X(STAT_REDIS_FAILURES, COUNTER, EACH, "tocsin_redis_failures_total", NULL, \
	    "Commands without an answer of use") \
	X(STAT_REDIS_TIMEOUTS, COUNTER, EACH, "tocsin_redis_timeouts_total", NULL, \
	    "Commands whose deadline passed") \
	X(STAT_REDIS_RECONNECTS, COUNTER, EACH, "tocsin_redis_reconnects_total", NULL, \
	    "Connections made") \
	X(STAT_REDIS_TRIP, SECONDS, EACH, "tocsin_redis_round_trip_seconds", NULL, \
	    "From command to answer") \
	/* the store */ \
	X(STAT_STORE_WRITABLE, GAUGE, NODE, "tocsin_store_writable", NULL, \
	    "0 while the store takes no writes") \
	X(STAT_STORE_OBJECTS, GAUGE, NODE, "tocsin_store_objects", NULL, "Different object ids") \
	X(STAT_STORE_VERSIONS, GAUGE, NODE, "tocsin_store_versions", NULL, "Object versions") \
	X(STAT_STORE_MEMBERS, GAUGE, NODE, "tocsin_store_members", NULL, \
	    "Memberships of versions in collections") \
	X(STAT_STORE_SIGHTINGS, GAUGE, NODE, "tocsin_store_sightings", NULL, \
	    "Further sightings of known objects") \
	X(STAT_STORE_BYTES, GAUGE, NODE, "tocsin_store_bytes", "file", \
	    "Size of the store's files: database, wal") \
	X(STAT_DISK_FREE, GAUGE, NODE, "tocsin_disk_free_bytes", NULL, \
	    "Space that is left for the store") \
	X(STAT_QUARANTINED, GAUGE, NODE, "tocsin_quarantine_entries", NULL, \
	    "Refused objects held for a decision") \
	X(STAT_QUARANTINED_BYTES, GAUGE, NODE, "tocsin_quarantine_bytes", NULL, "Their bytes") \
	X(STAT_AUDIT_SEQ, GAUGE, NODE, "tocsin_audit_records", NULL, \
	    "Records in the audit chain: the number of its head") \
	X(STAT_DATE_AHEAD, GAUGE, NODE, "tocsin_store_date_ahead_seconds", NULL, \
	    "How far date_added runs ahead of the clock") \
	X(STAT_COMMITS, COUNTER, EACH, "tocsin_store_commits_total", NULL, "Writes committed") \
	X(STAT_SYNCS, COUNTER, EACH, "tocsin_store_syncs_total", NULL, \
	    "Transactions synced to disk; one carries the writes of many") \
	X(STAT_STORE_FAILURES, COUNTER, EACH, "tocsin_store_failures_total", NULL, \
	    "Transactions that could not be kept") \
	X(STAT_STORE_DAMAGES, COUNTER, EACH, "tocsin_store_damages_total", NULL, \
	    "Times that damage was met in the store's file") \
	X(STAT_STORE_QUEUE, GAUGE, EACH, "tocsin_store_queue", NULL, \
	    "Writes that wait for their transaction") \
	X(STAT_GROUP, SIZES, EACH, "tocsin_store_group_commits", NULL, \
	    "Writes in one transaction") \
	X(STAT_GROUP_TIME, SECONDS, EACH, "tocsin_store_group_seconds", NULL, \
	    "From the beginning of a transaction to its end, sync included") \
	X(STAT_SYNC_TIME, SECONDS, EACH, "tocsin_store_sync_seconds", NULL, \
	    "The last step of it: commit and sync") \
	X(STAT_COMMIT_MAX, GAUGE, EACH, "tocsin_store_group_seconds_max", NULL, \
	    "The longest transaction since the process started") \
	X(STAT_VIEW_FILL, GAUGE, EACH, "tocsin_view_fill_ratio", "view", \
	    "How much of the store a view that is being filled has looked at") \
	/* peers */ \
	X(STAT_OUTBOX, GAUGE, NODE, "tocsin_outbox_objects", "peer,state", \
	    "Objects in the outbox of a peer, by state: queued, held, dead") \
	X(STAT_OUTBOX_OLDEST, GAUGE, NODE, "tocsin_outbox_oldest_seconds", "peer", \
	    "For how long the oldest of what is queued has waited") \
	X(STAT_LINK_STATE, GAUGE, NODE, "tocsin_link_state", "peer,state", \
	    "1 for the state the link is in: idle, deciding, sending, waiting") \
	X(STAT_LINK_FAILURES, GAUGE, NODE, "tocsin_link_failures", "peer", \
	    "Failed deliveries in a row") \
	X(STAT_LINK_OK, GAUGE, NODE, "tocsin_link_last_success_time_seconds", "peer", \
	    "When the peer last took something, in seconds since 1970") \
	X(STAT_ROUTE_REFUSED, COUNTER, EACH, "tocsin_route_refused_total", "route", \
	    "Messages that a route left out because too much of them was lost in translation") \
	X(STAT_SENT, COUNTER, EACH, "tocsin_relay_sent_total", "peer", "Objects sent to a peer") \
	X(STAT_RETRIES, COUNTER, EACH, "tocsin_relay_retries_total", "peer", \
	    "Deliveries tried again") \
	X(STAT_WITHHELD, COUNTER, EACH, "tocsin_relay_withheld_total", "reason", \
	    "Objects held back, by reason") \
	X(STAT_REFUSED_OUT, COUNTER, EACH, "tocsin_relay_refused_total", "peer,code", \
	    "Objects that were given up because the whole delivery was refused for good: by the peer, or " \
	    "because it cannot be said in the peer's format (LOSS: too much of it would be lost)") \
	X(STAT_LAG, LAG, EACH, "tocsin_relay_lag_seconds", "peer", \
	    "From the commit of an object to the peer's word that it has it") \
	/* pulls */ \
	X(STAT_PULL_PAGES, COUNTER, EACH, "tocsin_pull_pages_total", "pull", \
	    "Pages taken in from TAXII servers of others") \
	X(STAT_PULL_OBJECTS, COUNTER, EACH, "tocsin_pull_objects_total", "pull,outcome", \
	    "Objects on them by outcome: new, known, refused") \
	X(STAT_PULL_FAILED, COUNTER, EACH, "tocsin_pull_failures_total", "pull,cause", \
	    "Runs that failed, by cause: the step (tls, auth, ...), or the guard that ended them") \
	X(STAT_PULL_FAILING, GAUGE, NODE, "tocsin_pull_failures", "pull", "Failed runs in a row") \
	X(STAT_PULL_SINCE, GAUGE, NODE, "tocsin_pull_since_success_seconds", "pull", \
	    "Since the last run that went well, or since the pull was begun") \
	/* certificates */ \
	X(STAT_CERT, GAUGE, NODE, "tocsin_certificate_remaining_seconds", "certificate", \
	    "Until a certificate of ours ends: client, or the listener's number; below 0: ended") \
	X(STAT_CRL, GAUGE, NODE, "tocsin_crl_remaining_seconds", "listener", \
	    "Until the first revocation list of a listener is out of date; below 0: it is") \
	X(STAT_PEER_CERT, GAUGE, NODE, "tocsin_peer_certificate_remaining_seconds", "peer", \
	    "Until the certificate ends that the peer showed us last")

#endif
