#include "gateway/keys.h"

#include <stdio.h>

#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { KEY_FILE_MAX = 4096 };

int
key_read(const char *path, uint8_t out[32], struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	int rc = -1;

	if (file_read(path, KEY_FILE_MAX, &text, e) < 0)
		goto done;
	if (file_is_open_to_others(path)) {
		err_set(e, ERR_CONFIG, "others can read this key; do: chmod 600 %s", path);
		goto done;
	}
	if (!hex_decode(slice_trim(strbuf_slice(&text)), out, 32)) {
		err_set(e, ERR_VALUE, "a key file holds 64 hex digits, this one does not");
		goto done;
	}
	rc = 0;
done:
	if (rc < 0)
		err_input(e, path);
	secret_wipe(text.p, text.cap);
	strbuf_fini(&text);
	return rc;
}

int
key_write(const char *path, const uint8_t key[32], struct err *e)
{
	char text[66];
	int rc;

	hex_text(key, 32, text);
	text[64] = '\n';
	rc = file_write(path, slice_from(text, 65), 0600, e);
	secret_wipe(text, sizeof(text));
	return rc;
}

void
keys_derive_common(struct keys *k)
{
	digest_hmac_sha256(slice_from(k->audit, sizeof(k->audit)),
	    SLICE_LIT("common to all workers 1"), k->common);
}

void
keys_derive(struct keys *k)
{
	digest_hmac_sha256(slice_from(k->common, sizeof(k->common)), SLICE_LIT("tls tickets 1"),
	    k->ticket);
}

void
keys_wipe(struct keys *k)
{
	if (k != NULL)
		secret_wipe(k, sizeof(*k));
}
