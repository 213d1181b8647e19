/*
 * tls_probe.h -- a handshake that is told in full: for `tocsin peer doctor`.
 *
 * Owns:    one connection, made with the context that the node itself would use, and what it saw on the
 *          way: every certificate that was sent, the one that failed and why, alerts, whether the other
 *          side asked for ours.
 * Called:  by doctor_*.c, on a command's own time: it waits, up to a deadline.
 * Never:   goes on with a certificate that did not verify, or shows an OpenSSL type.
 */
#ifndef ADAPTERS_TLS_PROBE_H
#define ADAPTERS_TLS_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "adapters/tls.h"

struct arena;
struct tls_probe;

struct tls_seen {		/* a certificate; texts as they came: show them with care */
	const char	*subject, *issuer;
	const char	*names;		/* "DNS:a.example, IP:192.0.2.7"; empty: none */
	char		 fingerprint[65];	/* SHA-256 of the whole */
	char		 pin[TLS_PIN_TEXT + 1];	/* of its key; empty if it cannot be read */
	int64_t		 from_us, until_us;	/* 0: not said */
	bool		 self_signed;
};

enum tls_ending {
	TLS_ENDED_WELL,
	TLS_ENDED_CERTIFICATE,	/* theirs did not verify: see `code` */
	TLS_ENDED_ALERT,	/* they refuse: see `alert` */
	TLS_ENDED_CUT,		/* they hung up */
	TLS_ENDED_SILENT,	/* the deadline passed */
	TLS_ENDED_ODD		/* what came is no TLS, or not one that we take: `words` */
};

/* Why a chain does not reach one of those we trust, as far as can be seen. */
enum tls_gap {
	TLS_GAP_NONE,
	TLS_GAP_INTERMEDIATE,	/* they do not send a link */
	TLS_GAP_UNKNOWN_CA,	/* their CA is none of ours */
	TLS_GAP_OUR_ROOT	/* we trust a CA that is no root, and have none above it: `failing` */
};

struct tls_report {		/* texts live in the arena */
	enum tls_ending	 ending;
	const char	*version;	/* "TLSv1.3 TLS_AES_256_GCM_SHA384" once agreed, else "" */
	int		 code;		/* OpenSSL's verify code, 0: all well */
	const char	*code_text;
	int		 depth;		/* of the certificate that failed: 0 is the server's own */
	struct tls_seen	 failing;
	struct tls_seen	*chain;		/* as sent, the server's own first */
	size_t		 nchain;
	enum tls_gap	 gap;
	int		 alert;		/* that came, -1: none */
	const char	*alert_text;
	bool		 asked;		/* they want a certificate of us */
	bool		 shown;		/* we have one to show */
	size_t		 nauthorities;	/* that they would take it from; 0: they do not say */
	bool		 fits;		/* ours is from one of those */
	const char	*authorities;	/* the first of them */
	const char	*words;		/* what OpenSSL says */
	char		 said[64];	/* the first that came, if it is text and no TLS */
};

/* Shake hands on a connected socket, which is ours from now on. NULL if that failed; `r` says why. */
struct tls_probe *tls_probe_start(struct tls *t, int fd, const char *name, int64_t deadline_us,
		    struct arena *mem, struct tls_report *r);
/* Say goodbye and close; NULL is fine. */
void		 tls_probe_free(struct tls_probe *p);
/* With TLS 1.3 the other side's word on our certificate comes behind the handshake: wait for it, so that
 * it is not lost to what we would say meanwhile. -1 if it refuses or hangs up, which `r` says. */
int		 tls_probe_listen(struct tls_probe *p, int64_t deadline_us, struct tls_report *r);
/* All of it, or -1: alert, cut, silent or odd, which `r` says. */
int		 tls_probe_write(struct tls_probe *p, struct slice s, int64_t deadline_us,
		    struct tls_report *r);
/* Bytes read; 0: they said goodbye; -1 as above. */
long		 tls_probe_read(struct tls_probe *p, void *buf, size_t n, int64_t deadline_us,
		    struct tls_report *r);

#endif
