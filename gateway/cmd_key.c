/* cmd_key.c -- `tocsin key pin|public`: what a peer's administrator has to type about us. */
#include <stdio.h>
#include <string.h>

#include "adapters/tls.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"
#include "gateway/cmd_key.h"
#include "gateway/keys.h"

enum { DAY_TEXT = 10 };		/* 2027-03-31 */

int
key_public_text(const char *path, struct strbuf *out, struct err *e)
{
	uint8_t secret[ED25519_KEY_LEN], public[ED25519_KEY_LEN];
	int rc = -1;

	if (key_read(path, secret, e) == 0 && ed25519_public(secret, public, e) == 0) {
		strbuf_adds(out, "ed25519:");
		base64_add(out, public, sizeof(public));
		rc = 0;
	}
	secret_wipe(secret, sizeof(secret));
	return rc;
}

static int
run_pin(const struct args *a)
{
	char pin[TLS_PIN_TEXT + 1], until[STAMP_TEXT + 1];
	struct err e = ERR_INIT;
	int64_t until_us;

	if (tls_cert_read(a->v[0], pin, NULL, &until_us, &e) < 0)
		return cmd_fail_err(&e);
	stamp_text(until_us, until);
	printf("sha256:%s  # valid until %.*s\n", pin, (int)DAY_TEXT, until);
	return CMD_DONE;
}

static int
run_public(const struct args *a)
{
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	int status = CMD_DONE;

	if (key_public_text(a->v[0], &text, &e) < 0)
		status = cmd_fail_err(&e);
	else
		printf("%s\n", text.p);
	strbuf_fini(&text);
	return status;
}

const struct command command_key_pin = {
	"key pin", "CERTIFICATE", 1, 1, "the pin of a certificate, for `pin` in a peer's trust.conf",
	"Prints the SHA-256 of the certificate's public key: sha256:HEX. It stays the same when "
	"the certificate is renewed under the same key.",
	NULL, run_pin
};

const struct command command_key_public = {
	"key public", "FILE", 1, 1, "the public half of a sign-key, for `sign-key` in a peer's trust.conf",
	"Prints ed25519:BASE64 for a private key file as `tocsin init` makes it.",
	NULL, run_public
};
