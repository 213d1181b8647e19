/* tls_files.c -- certificates, keys and CAs of a context, from files that may lie in memory (file.h). */
#include "adapters/tls_parts.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

/* The text of a PEM file; wiped and freed by bio_close. */
static BIO *
bio_open(const char *path, struct strbuf *text, const char *what, struct err *e)
{
	BIO *bio;

	ERR_clear_error();
	if (file_read(path, TLS_PEM_FILE_MAX, text, e) < 0) {
		err_context(e, "tls: %s %s", what, path);
		return NULL;
	}
	if ((bio = BIO_new_mem_buf(text->p, (int)text->n)) == NULL)
		tls_fail(e, "%s %s", what, path);
	return bio;
}

static void
bio_close(BIO *bio, struct strbuf *text)
{
	BIO_free(bio);
	secret_wipe(text->p, text->n);
	strbuf_fini(text);
}

/* True if reading stopped because nothing more was there. */
static bool
at_end(void)
{
	unsigned long last = ERR_peek_last_error();

	if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

/* The first certificate is ours, the others go with it. */
static int
use_chain(SSL_CTX *ctx, BIO *bio)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, tls_no_pass_phrase, NULL);
	int ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;

	X509_free(cert);
	if (!ok || SSL_CTX_clear_chain_certs(ctx) != 1)
		return -1;
	while ((cert = PEM_read_bio_X509(bio, NULL, tls_no_pass_phrase, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(ctx, cert) == 1)
			continue;
		X509_free(cert);
		return -1;
	}
	return at_end() ? 0 : -1;
}

int
tls_use_chain_file(SSL_CTX *ctx, const char *path, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	BIO *bio = bio_open(path, &text, "certificate", e);
	int rc = bio == NULL ? -1 : 0;

	if (rc == 0 && use_chain(ctx, bio) < 0)
		rc = tls_fail(e, "certificate %s", path);
	bio_close(bio, &text);
	return rc;
}

int
tls_use_key_file(SSL_CTX *ctx, const char *path, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	BIO *bio = bio_open(path, &text, "key", e);
	EVP_PKEY *key = NULL;
	int rc = bio == NULL ? -1 : 0;

	if (rc == 0 && ((key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_pass_phrase, NULL)) == NULL ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1))
		rc = tls_fail(e, "key %s", path);
	EVP_PKEY_free(key);
	bio_close(bio, &text);
	return rc;
}

/* Certificates and revocation lists of one text. How many there were, -1 on trouble. */
static int
trust_all(X509_STORE *store, BIO *bio)
{
	STACK_OF(X509_INFO) *list = PEM_X509_INFO_read_bio(bio, NULL, tls_no_pass_phrase, NULL);
	int n = 0, rc = list == NULL ? -1 : 0;

	for (int i = 0; rc == 0 && i < sk_X509_INFO_num(list); i++) {
		X509_INFO *x = sk_X509_INFO_value(list, i);

		if (x->x509 != NULL)
			rc = X509_STORE_add_cert(store, x->x509) == 1 ? 0 : -1, n++;
		if (rc == 0 && x->crl != NULL)
			rc = X509_STORE_add_crl(store, x->crl) == 1 ? 0 : -1, n++;
	}
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	return rc < 0 ? -1 : n;
}

int
tls_use_trusted_file(SSL_CTX *ctx, const char *path, const char *what, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	BIO *bio = bio_open(path, &text, what, e);
	int n = bio == NULL ? -1 : trust_all(SSL_CTX_get_cert_store(ctx), bio);

	bio_close(bio, &text);
	if (n > 0)
		return 0;
	if (n == 0)
		return err_set(e, ERR_VALUE, "tls: %s %s: no certificate in it", what, path);
	return bio == NULL ? -1 : tls_fail(e, "%s %s", what, path);
}
