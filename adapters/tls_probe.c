#include "adapters/tls_probe.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "adapters/tls_parts.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { CHAIN_MAX = 10, NAMES_MAX = 20, AUTHORITIES_SHOWN = 5, SUBJECT_TEXT = 512, NAME_TEXT = 255 };

struct tls_probe {
	SSL			*ssl;
	int			 fd;
	struct arena		*mem;
	struct tls_report	*r;		/* of the call under way */
	bool			 peeked;
};

/* ---- what a certificate says ---- */

static const char *
name_text(struct arena *mem, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *out = "no name";
	char *text = NULL;
	long n = 0;

	if (name != NULL && bio != NULL && X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_get_mem_data(bio, &text);
	if (n > 0)
		out = arena_str(mem, slice_from(text, (size_t)(n > SUBJECT_TEXT ? SUBJECT_TEXT : n)));
	BIO_free(bio);
	return out;
}

static void
add_name(struct strbuf *out, const GENERAL_NAME *g)
{
	const ASN1_STRING *s = NULL;
	char text[INET6_ADDRSTRLEN];

	if (g->type == GEN_DNS) {
		s = g->d.dNSName;
		strbuf_adds(out, "DNS:");
		for (int i = 0; i < ASN1_STRING_length(s) && i < NAME_TEXT; i++)	/* a NUL is none */
			strbuf_addc(out, isgraph(ASN1_STRING_get0_data(s)[i]) ?
			    (char)ASN1_STRING_get0_data(s)[i] : '?');
	} else if (g->type == GEN_IPADD) {
		s = g->d.iPAddress;
		if (ASN1_STRING_length(s) != 4 && ASN1_STRING_length(s) != 16)
			strbuf_adds(out, "an address that is none");
		else if (inet_ntop(ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6,
		    ASN1_STRING_get0_data(s), text, sizeof(text)) != NULL)
			strbuf_addf(out, "IP:%s", text);
	} else {
		strbuf_adds(out, "another kind of name");
	}
}

/* The names that a client may ask for. */
static const char *
names_text(struct arena *mem, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct strbuf out = STRBUF_INIT;
	const char *text;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < NAMES_MAX; i++) {
		strbuf_adds(&out, i == 0 ? "" : ", ");
		add_name(&out, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
	text = arena_str(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static bool
is_self_signed(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
}

static void
look_at(struct arena *mem, X509 *cert, struct tls_seen *out)
{
	unsigned char hash[32];
	unsigned n = 0;

	*out = (struct tls_seen){ .subject = name_text(mem, X509_get_subject_name(cert)),
	    .issuer = name_text(mem, X509_get_issuer_name(cert)), .names = names_text(mem, cert),
	    .self_signed = is_self_signed(cert) };
	if (X509_digest(cert, EVP_sha256(), hash, &n) == 1 && n == sizeof(hash))
		hex_text(hash, sizeof(hash), out->fingerprint);
	if (!tls_cert_pin(cert, out->pin))
		out->pin[0] = '\0';
	if (!tls_cert_times(cert, &out->from_us, &out->until_us))
		out->from_us = out->until_us = 0;
	ERR_clear_error();
}

/* ---- why a chain ends nowhere ---- */

/* True if the certificate itself says that its issuer was issued by one of those we trust. */
static bool
names_trusted_grandparent(X509 *cert, X509_STORE *store)
{
	const GENERAL_NAMES *names = X509_get0_authority_issuer(cert);
	STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type != GEN_DIRNAME)
			continue;
		for (int k = 0; k < sk_X509_OBJECT_num(trusted); k++) {
			X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, k));

			if (ca != NULL && X509_NAME_cmp(X509_get_subject_name(ca),
			    g->d.directoryName) == 0)
				return true;
		}
	}
	return false;
}

/* True if any that we trust may stand above another CA at all. */
static bool
trusts_upper_authority(X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
		X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));

		if (ca != NULL && X509_check_ca(ca) > 0 && X509_get_pathlen(ca) != 0)
			return true;
	}
	return false;
}

/* True if both names agree in an organization, a unit or a domain. */
static bool
shares_house(const X509_NAME *a, const X509_NAME *b)
{
	static const int kinds[] = { NID_organizationName, NID_organizationalUnitName,
	    NID_domainComponent };

	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		int i = X509_NAME_get_index_by_NID(a, kinds[k], -1);
		int j = X509_NAME_get_index_by_NID(b, kinds[k], -1);

		if (i >= 0 && j >= 0 && ASN1_STRING_cmp(
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(a, i)),
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(b, j))) == 0)
			return true;
	}
	return false;
}

/* True if the issuer looks like somebody below one of those we trust: by its house, or by what such
 * authorities are called. */
static bool
looks_intermediate(X509 *cert, X509_STORE *store)
{
	static const char *const words[] = { "intermediate", "issuing", "sub ca", "subca", "sub-ca",
	    "signing ca", "server ca" };
	const X509_NAME *issuer = X509_get_issuer_name(cert);
	STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(store);
	char text[256] = "";

	for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
		X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));

		if (ca != NULL && shares_house(issuer, X509_get_subject_name(ca)))
			return true;
	}
	X509_NAME_get_text_by_NID(issuer, NID_commonName, text, sizeof(text));
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcasestr(text, words[i]) != NULL)
			return true;
	return false;
}

/* True if it is one of those that we trust. */
static bool
is_trusted(X509 *cert, X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
		X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));

		if (ca != NULL && X509_cmp(ca, cert) == 0)
			return true;
	}
	return false;
}

/* A chain that ends without an anchor lacks a link, or belongs to somebody whom we do not trust. Where the
 * server sent its own certificate alone, both look the same: then what it says of its issuer decides. */
static enum tls_gap
find_gap(X509_STORE_CTX *store_ctx, STACK_OF(X509) *sent)
{
	X509_STORE *store = X509_STORE_CTX_get0_store(store_ctx);
	X509 *last = sk_X509_num(sent) == 0 ? NULL : sk_X509_value(sent, sk_X509_num(sent) - 1);
	X509 *failing = X509_STORE_CTX_get_current_cert(store_ctx);
	AUTHORITY_INFO_ACCESS *aia;

	if (failing != NULL && is_trusted(failing, store))
		return TLS_GAP_OUR_ROOT;
	if (last == NULL || is_self_signed(last))
		return TLS_GAP_UNKNOWN_CA;
	if (names_trusted_grandparent(last, store))
		return TLS_GAP_INTERMEDIATE;
	if (sk_X509_num(sent) > 1 || !trusts_upper_authority(store))
		return TLS_GAP_UNKNOWN_CA;
	aia = X509_get_ext_d2i(last, NID_info_access, NULL, NULL);
	if (aia != NULL) {	/* roots issue nothing that has to tell where they are found */
		AUTHORITY_INFO_ACCESS_free(aia);
		return TLS_GAP_INTERMEDIATE;
	}
	return looks_intermediate(last, store) ? TLS_GAP_INTERMEDIATE : TLS_GAP_UNKNOWN_CA;
}

/* ---- what happens during the handshake ---- */

static void
keep_chain(struct tls_probe *p, STACK_OF(X509) *sent)
{
	struct tls_report *r = p->r;
	int n = sk_X509_num(sent);

	if (r->nchain > 0 || n <= 0)
		return;
	n = n > CHAIN_MAX ? CHAIN_MAX : n;
	r->chain = arena_alloc(p->mem, (size_t)n * sizeof(*r->chain));
	for (; r->nchain < (size_t)n; r->nchain++)
		look_at(p->mem, sk_X509_value(sent, (int)r->nchain), &r->chain[r->nchain]);
}

/* Note the first failure and all that was sent. The verdict is OpenSSL's: it goes back untouched. */
static int
on_verify(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_probe *p = SSL_get_app_data(ssl);
	struct tls_report *r = p->r;
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);

	keep_chain(p, X509_STORE_CTX_get0_untrusted(ctx));
	if (ok || r->code != X509_V_OK)
		return ok;
	r->code = X509_STORE_CTX_get_error(ctx);
	r->depth = X509_STORE_CTX_get_error_depth(ctx);
	r->code_text = X509_verify_cert_error_string(r->code);
	if (cert != NULL)
		look_at(p->mem, cert, &r->failing);
	if (r->code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	    r->code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	    r->code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT)
		r->gap = find_gap(ctx, X509_STORE_CTX_get0_untrusted(ctx));
	return ok;
}

/* Is the issuer of ours, or of one that we send with it, among them? */
static bool
is_welcome(SSL *ssl, const STACK_OF(X509_NAME) *authorities)
{
	STACK_OF(X509) *chain = NULL;
	X509 *own = SSL_get_certificate(ssl);

	SSL_get0_chain_certs(ssl, &chain);
	for (int i = 0; i < sk_X509_NAME_num(authorities); i++) {
		const X509_NAME *name = sk_X509_NAME_value(authorities, i);

		if (own != NULL && X509_NAME_cmp(X509_get_issuer_name(own), name) == 0)
			return true;
		for (int k = 0; k < sk_X509_num(chain); k++)
			if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(chain, k)), name) == 0)
				return true;
	}
	return false;
}

/* They want a certificate of us. */
static int
on_asked(SSL *ssl, void *arg)
{
	const STACK_OF(X509_NAME) *authorities = SSL_get0_peer_CA_list(ssl);
	struct tls_probe *p = arg;
	struct strbuf out = STRBUF_INIT;
	int n = sk_X509_NAME_num(authorities);

	p->r->asked = true;
	p->r->nauthorities = n < 0 ? 0 : (size_t)n;
	p->r->fits = is_welcome(ssl, authorities);
	for (int i = 0; i < n && i < AUTHORITIES_SHOWN; i++)
		strbuf_addf(&out, "%s%s", i == 0 ? "" : "; ",
		    name_text(p->mem, sk_X509_NAME_value(authorities, i)));
	p->r->authorities = arena_str(p->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return 1;
}

static void
on_info(const SSL *ssl, int where, int value)
{
	struct tls_probe *p = SSL_get_app_data(ssl);
	int alert = value & 0xff;

	if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || alert == SSL_AD_CLOSE_NOTIFY)
		return;
	p->r->alert = alert;
	p->r->alert_text = SSL_alert_desc_string_long(value);
}

/* ---- waiting ---- */

/* The first bytes of somebody who speaks another language are worth to be shown. */
static void
peek(struct tls_probe *p)
{
	char head[sizeof(p->r->said)];
	ssize_t n = recv(p->fd, head, sizeof(head) - 1, MSG_PEEK);
	size_t used = 0;

	p->peeked = true;
	if (n < 4 || !isgraph((unsigned char)head[0]) || !isprint((unsigned char)head[1]))
		return;			/* a record of TLS begins with a control character */
	for (; used < (size_t)n && isprint((unsigned char)head[used]); used++)
		p->r->said[used] = head[used];
	p->r->said[used] = '\0';
}

/* Wait for what OpenSSL wants; false if the deadline has passed, or it wants nothing. */
static bool
wait_for(struct tls_probe *p, int result, int64_t deadline_us)
{
	int want = SSL_get_error(p->ssl, result);
	struct pollfd pfd = { .fd = p->fd, .events = want == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN };
	int64_t left_us = deadline_us - clock_mono_us();
	int n;

	if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
		return false;
	do
		n = left_us <= 0 ? 0 : poll(&pfd, 1, (int)(left_us / 1000) + 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		p->r->ending = TLS_ENDED_SILENT;
		return false;
	}
	if (!p->peeked && want == SSL_ERROR_WANT_READ)
		peek(p);
	return true;
}

/* How it ended, when nothing more is to be waited for. Clears OpenSSL's queue. */
static void
judge(struct tls_probe *p, int result)
{
	int want = SSL_get_error(p->ssl, result);
	unsigned long code = ERR_peek_error();
	struct tls_report *r = p->r;

	if (r->code != X509_V_OK)
		r->ending = TLS_ENDED_CERTIFICATE;
	else if (r->alert >= 0)
		r->ending = TLS_ENDED_ALERT;
	else if (r->ending == TLS_ENDED_SILENT)
		;
	else if (want == SSL_ERROR_ZERO_RETURN || (want == SSL_ERROR_SYSCALL && code == 0) ||
	    (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
		r->ending = TLS_ENDED_CUT;
	else
		r->ending = TLS_ENDED_ODD;
	r->words = code != 0 && ERR_reason_error_string(code) != NULL ? ERR_reason_error_string(code) : "";
	ERR_clear_error();
}

/* ---- the connection ---- */

struct tls_probe *
tls_probe_start(struct tls *t, int fd, const char *name, int64_t deadline_us, struct arena *mem,
    struct tls_report *r)
{
	struct tls_probe *p = xcalloc(1, sizeof(*p));
	struct err e = ERR_INIT;
	int n = -1;

	*r = (struct tls_report){ .alert = -1, .version = "", .code_text = "", .alert_text = "",
	    .authorities = "", .words = "" };
	*p = (struct tls_probe){ .fd = fd, .mem = mem, .r = r };
	p->ssl = tls_client_ssl(t, name, &e);
	if (p->ssl == NULL || SSL_set_fd(p->ssl, fd) != 1) {
		r->ending = TLS_ENDED_ODD;
		r->words = arena_str(mem, slice_of(e.reason));
		tls_probe_free(p);
		return NULL;
	}
	SSL_set_app_data(p->ssl, p);
	SSL_set_verify(p->ssl, SSL_VERIFY_PEER, on_verify);
	SSL_set_cert_cb(p->ssl, on_asked, p);
	SSL_set_info_callback(p->ssl, on_info);
	r->shown = SSL_get_certificate(p->ssl) != NULL;
	do {
		ERR_clear_error();
		n = SSL_connect(p->ssl);
	} while (n != 1 && wait_for(p, n, deadline_us));
	if (n != 1) {
		judge(p, n);
		tls_probe_free(p);
		return NULL;
	}
	r->version = arena_fmt(mem, "%s %s", SSL_get_version(p->ssl), SSL_get_cipher_name(p->ssl));
	keep_chain(p, SSL_get_peer_cert_chain(p->ssl));
	return p;
}

void
tls_probe_free(struct tls_probe *p)
{
	if (p == NULL)
		return;
	if (p->ssl != NULL && SSL_is_init_finished(p->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(p->ssl);
	}
	ERR_clear_error();
	SSL_free(p->ssl);
	close(p->fd);
	free(p);
}

int
tls_probe_listen(struct tls_probe *p, int64_t deadline_us, struct tls_report *r)
{
	int64_t left_us = deadline_us - clock_mono_us();
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	size_t got;
	char c;
	int n;

	p->r = r;
	if (SSL_version(p->ssl) < TLS1_3_VERSION || left_us <= 0 ||
	    poll(&pfd, 1, (int)(left_us / 1000) + 1) <= 0)
		return 0;
	ERR_clear_error();
	n = SSL_peek_ex(p->ssl, &c, 1, &got);	/* takes in tickets on the way */
	if (n == 1 || SSL_get_error(p->ssl, n) == SSL_ERROR_WANT_READ)
		return 0;
	judge(p, n);
	return -1;
}

int
tls_probe_write(struct tls_probe *p, struct slice s, int64_t deadline_us, struct tls_report *r)
{
	size_t done = 0;
	int n;

	p->r = r;
	do {
		ERR_clear_error();
		n = SSL_write_ex(p->ssl, s.p, s.n, &done);
	} while (n != 1 && wait_for(p, n, deadline_us));
	if (n == 1)
		return 0;
	judge(p, n);
	return -1;
}

long
tls_probe_read(struct tls_probe *p, void *buf, size_t cap, int64_t deadline_us, struct tls_report *r)
{
	size_t got = 0;
	int n;

	p->r = r;
	do {
		ERR_clear_error();
		n = SSL_read_ex(p->ssl, buf, cap, &got);
	} while (n != 1 && wait_for(p, n, deadline_us));
	if (n == 1)
		return (long)got;
	if (SSL_get_error(p->ssl, n) == SSL_ERROR_ZERO_RETURN)
		return 0;
	judge(p, n);
	return -1;
}
