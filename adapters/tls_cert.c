#include "adapters/tls_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { SERIAL_LEN = 16, US_PER_S = 1000000 };

int
tls_fail(struct err *e, const char *fmt, ...)
{
	unsigned long code = ERR_peek_error();
	const char *why = code == 0 ? NULL : ERR_reason_error_string(code);
	char text[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (code != 0 && why == NULL)
		why = strerror(ERR_GET_REASON(code));	/* ERR_LIB_SYS */
	if (code != 0 && (ERR_GET_REASON(code) == ERR_R_INTERRUPTED_OR_CANCELLED ||
	    (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_BAD_PASSWORD_READ)))
		why = "it is protected by a pass phrase, which nobody could type";
	ERR_clear_error();
	return err_set(e, ERR_CRYPTO, "tls: %s%s%s", text, why == NULL ? "" : ": ",
	    why == NULL ? "" : why);
}

int
tls_no_pass_phrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

void
tls_subject_text(X509 *cert, char *out, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;

	if (cert != NULL && bio != NULL && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
	    XN_FLAG_RFC2253) >= 0)
		n = BIO_get_mem_data(bio, &text);
	if (n <= 0)
		snprintf(out, cap, "no name");
	else
		snprintf(out, cap, "%.*s", (int)n, text);
	BIO_free(bio);
}

bool
tls_cert_pin(X509 *cert, char out[TLS_PIN_TEXT + 1])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (n <= 0) {
		ERR_clear_error();
		return false;
	}
	digest_sha256_hex(slice_from(der, (size_t)n), out);
	OPENSSL_free(der);
	return true;
}

/* The first certificate of a PEM file. */
static X509 *
read_cert(const char *path, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	X509 *cert = NULL;
	BIO *bio = NULL;

	ERR_clear_error();
	if (file_read(path, TLS_PEM_FILE_MAX, &text, e) < 0)
		goto done;
	if ((bio = BIO_new_mem_buf(text.p, (int)text.n)) == NULL ||
	    (cert = PEM_read_bio_X509(bio, NULL, tls_no_pass_phrase, NULL)) == NULL)
		tls_fail(e, "certificate %s", path);
done:
	BIO_free(bio);
	strbuf_fini(&text);
	return cert;
}

static EVP_PKEY *
read_key(const char *path, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;

	ERR_clear_error();
	if (file_read(path, TLS_PEM_FILE_MAX, &text, e) < 0)
		goto done;
	if ((bio = BIO_new_mem_buf(text.p, (int)text.n)) == NULL ||
	    (key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_pass_phrase, NULL)) == NULL)
		tls_fail(e, "key %s", path);
done:
	BIO_free(bio);
	secret_wipe(text.p, text.n);
	strbuf_fini(&text);
	return key;
}

/* Do they belong together? */
int
tls_key_matches(const char *cert_path, const char *key_path, struct err *e)
{
	X509 *cert = read_cert(cert_path, e);
	EVP_PKEY *key = cert == NULL ? NULL : read_key(key_path, e);
	int rc = -1;

	if (key != NULL) {
		rc = X509_check_private_key(cert, key) == 1 ? 0 : err_set(e, ERR_CRYPTO,
		    "tls: key %s does not belong to certificate %s", key_path, cert_path);
		ERR_clear_error();
	}
	EVP_PKEY_free(key);
	X509_free(cert);
	return rc;
}

static bool
time_us(const ASN1_TIME *t, int64_t *us)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*us = (int64_t)timegm(&tm) * US_PER_S;
	return true;
}

int64_t
tls_cert_until(const X509 *cert)
{
	int64_t us;

	return cert != NULL && time_us(X509_get0_notAfter(cert), &us) ? us : 0;
}

bool
tls_cert_times(const X509 *cert, int64_t *from_us, int64_t *until_us)
{
	return time_us(X509_get0_notBefore(cert), from_us) && time_us(X509_get0_notAfter(cert), until_us);
}

int64_t
tls_store_until(X509_STORE *store)
{
	STACK_OF(X509_OBJECT) *list = X509_STORE_get0_objects(store);
	int64_t first = 0, us;

	for (int i = 0; i < sk_X509_OBJECT_num(list); i++) {
		const X509_CRL *crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(list, i));
		const ASN1_TIME *next = crl == NULL ? NULL : X509_CRL_get0_nextUpdate(crl);

		if (next != NULL && time_us(next, &us) && (first == 0 || us < first))
			first = us;
	}
	return first;
}

/* Pin and validity of a certificate file. */
int
tls_cert_read(const char *path, char pin[TLS_PIN_TEXT + 1], int64_t *from_us, int64_t *until_us,
    struct err *e)
{
	X509 *cert = read_cert(path, e);
	int64_t from, until;
	int rc = -1;

	if (cert == NULL)
		return -1;
	if (!time_us(X509_get0_notBefore(cert), &from) ||
	    !time_us(X509_get0_notAfter(cert), &until) ||
	    (pin != NULL && !tls_cert_pin(cert, pin))) {
		tls_fail(e, "certificate %s", path);
		goto done;
	}
	if (from_us != NULL)
		*from_us = from;
	if (until_us != NULL)
		*until_us = until;
	rc = 0;
done:
	X509_free(cert);
	return rc;
}

/* Would a client that asks for `name` accept it? */
int
tls_cert_names(const char *path, const char *name, struct err *e)
{
	X509 *cert = read_cert(path, e);
	unsigned char addr[16];
	int ok;

	if (cert == NULL)
		return -1;
	if (inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1)
		ok = X509_check_ip_asc(cert, name, 0);
	else
		ok = X509_check_host(cert, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
	X509_free(cert);
	ERR_clear_error();
	return ok == 1 ? 0 : err_set(e, ERR_CRYPTO, "tls: certificate %s is not for %s", path, name);
}

static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

/* "DNS:a,IP:127.0.0.1"; only names in which nothing could be hidden. */
static int
alt_names(const char *const *names, struct strbuf *out, struct err *e)
{
	unsigned char addr[16];
	size_t i;

	for (i = 0; names != NULL && names[i] != NULL; i++) {
		const char *n = names[i];
		bool ip = inet_pton(AF_INET, n, addr) == 1 || inet_pton(AF_INET6, n, addr) == 1;

		if (!ip && (n[0] == '\0' || n[strspn(n, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*")] != '\0'))
			return err_set(e, ERR_VALUE, "tls: \"%s\" is neither a host name nor an "
			    "address", n);
		strbuf_addf(out, "%s%s:%s", i == 0 ? "" : ",", ip ? "IP" : "DNS", n);
	}
	return 0;
}

/* Serial, validity, subject and key of a new certificate. */
static bool
fill_cert(X509 *cert, EVP_PKEY *key, const struct tls_issue *what)
{
	unsigned char serial[SERIAL_LEN];
	X509_NAME *subject = X509_get_subject_name(cert);
	BIGNUM *bn;
	bool ok;

	random_bytes(serial, sizeof(serial));
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);	/* positive, full length */
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
	BN_free(bn);
	return ok && X509_set_version(cert, X509_VERSION_3) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), what->from_us / US_PER_S) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), what->until_us / US_PER_S) != NULL &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const unsigned char *)what->name, -1, -1, 0) == 1 &&
	    X509_set_pubkey(cert, key) == 1;
}

/* Identifiers last: the authority's is its subject's, which must be there when it signs itself. */
static bool
sign_cert(X509 *cert, X509 *issuer, EVP_PKEY *issuer_key, bool ca, const char *names)
{
	return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
	    add_extension(cert, issuer, NID_basic_constraints,
	    ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
	    add_extension(cert, issuer, NID_key_usage,
	    ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
	    (ca || add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
	    (names[0] == '\0' || add_extension(cert, issuer, NID_subject_alt_name, names)) &&
	    add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	    add_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
	    X509_sign(cert, issuer_key, EVP_sha256()) > 0;
}

static int
write_bio(BIO *bio, const char *path, mode_t mode, struct err *e)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);

	return file_write(path, slice_from(text, (size_t)n), mode, e);
}

static int
write_both(X509 *cert, EVP_PKEY *key, const char *cert_path, const char *key_path, struct err *e)
{
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
	int rc = -1;

	if (c == NULL || k == NULL || PEM_write_bio_X509(c, cert) != 1 ||
	    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) != 1)
		tls_fail(e, "cannot write %s", cert_path);
	else if (write_bio(k, key_path, 0600, e) == 0 && write_bio(c, cert_path, 0644, e) == 0)
		rc = 0;
	BIO_free(c);
	BIO_free(k);
	return rc;
}

/* Key and certificate in two files; issuer NULL = self-signed. */
static int
make(X509 *issuer, EVP_PKEY *issuer_key, bool ca, const struct tls_issue *what,
    const char *cert_path, const char *key_path, struct err *e)
{
	struct strbuf names = STRBUF_INIT;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc = -1;

	ERR_clear_error();
	if (alt_names(what->names, &names, e) < 0)
		goto done;
	if ((key = EVP_EC_gen("P-256")) == NULL || (cert = X509_new()) == NULL ||
	    !fill_cert(cert, key, what) || !sign_cert(cert, issuer == NULL ? cert : issuer,
	    issuer == NULL ? key : issuer_key, ca, names.p)) {
		tls_fail(e, "cannot make a certificate for %s", what->name);
		goto done;
	}
	rc = write_both(cert, key, cert_path, key_path, e);
done:
	X509_free(cert);
	EVP_PKEY_free(key);
	strbuf_fini(&names);
	return rc;
}

/* A CA of one's own. */
int
tls_make_ca(const char *name, int64_t from_us, int64_t until_us, const char *cert,
    const char *key, struct err *e)
{
	struct tls_issue what = { .name = name, .from_us = from_us, .until_us = until_us };

	return make(NULL, NULL, true, &what, cert, key, e);
}

/* A certificate for a node or a client. */
int
tls_make_cert(const char *ca_cert, const char *ca_key, const struct tls_issue *what,
    const char *cert, const char *key, struct err *e)
{
	X509 *issuer;
	EVP_PKEY *issuer_key;
	int rc = -1;

	if (ca_cert == NULL)
		return make(NULL, NULL, false, what, cert, key, e);
	if ((issuer = read_cert(ca_cert, e)) == NULL)
		return -1;
	if ((issuer_key = read_key(ca_key, e)) != NULL)
		rc = make(issuer, issuer_key, false, what, cert, key, e);
	EVP_PKEY_free(issuer_key);
	X509_free(issuer);
	return rc;
}
