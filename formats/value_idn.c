/*
 * Internationalized names of value.h: libidn2's doorman.
 *
 * UTS 46 without its transitional rules first (case, width, the ideographic full stop), then IDNA
 * 2008. What IDNA refuses has no form in DNS that everybody agrees on: it is no name here.
 */
#include <idn2.h>

#include "formats/value.h"
#include "gateway/base/arena.h"

enum { NAME_BYTES_MAX = 1024 };	/* of UTF-8; 253 bytes of ASCII are left of it at most */

static const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

/* A C string of libidn2 into the arena. */
static struct slice
take(struct arena *mem, char *text)
{
	struct slice s = arena_slice(mem, slice_of(text));

	idn2_free(text);
	return s;
}

bool
value_idn_ascii(struct slice name, struct arena *mem, struct slice *out)
{
	char *text, *ascii = NULL;

	if (name.n == 0 || name.n > NAME_BYTES_MAX || memchr(name.p, '\0', name.n) != NULL)
		return false;
	text = arena_str(mem, name);
	if (idn2_to_ascii_8z(text, &ascii, flags) != IDN2_OK)
		return false;
	*out = value_lower(take(mem, ascii), mem);
	return true;
}

struct slice
value_domain_unicode(struct slice domain, struct arena *mem)
{
	char *text = NULL;
	struct slice wide, again;

	if (domain.n < 4 || memmem(domain.p, domain.n, "xn--", 4) == NULL)
		return SLICE_EMPTY;
	if (idn2_to_unicode_8z8z(arena_str(mem, domain), &text, 0) != IDN2_OK)
		return SLICE_EMPTY;
	wide = take(mem, text);
	/* "xn--" may hold what no name turns into: then nobody could type what is shown. */
	if (slice_eq(wide, domain) || !value_idn_ascii(wide, mem, &again) || !slice_eq(again, domain))
		return SLICE_EMPTY;
	return wide;
}
