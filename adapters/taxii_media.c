#include "adapters/taxii_media.h"

const char taxii_media_type[] = "application/taxii+json;version=2.1";

static const char *const types[] = { "application/taxii+json", NULL };

/* One media range: its type, what it says of a version, whether its weight is zero. */
struct range {
	struct slice	type, version;
	bool		has_version, zero;
};

static struct slice
unquote(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return slice_from(s.p + 1, s.n - 2);
	return s;
}

/* "0", "0.", "0.0", "0.00", "0.000" */
static bool
is_zero(struct slice q)
{
	if (q.n == 0 || q.p[0] != '0')
		return false;
	for (size_t i = 1; i < q.n; i++)
		if (q.p[i] != '0' && q.p[i] != '.')
			return false;
	return true;
}

static struct range
range_read(struct slice text)
{
	struct range r = { .type = slice_trim(slice_cut(&text, ';')) };

	while (text.n > 0) {
		struct slice value = slice_cut(&text, ';');
		struct slice name = slice_trim(slice_cut(&value, '='));

		value = unquote(slice_trim(value));
		if (slice_is_nocase(name, "version")) {
			r.has_version = true;
			r.version = value;
		} else if (slice_is_nocase(name, "q")) {
			r.zero = is_zero(value);
		}
	}
	return r;
}

/* Is it one of these types, of this version or of none? */
static bool
range_is(const struct range *r, const char *const *wanted, const char *version)
{
	if (r->has_version && !slice_is(r->version, version))
		return false;
	for (; *wanted != NULL; wanted++)
		if (slice_is_nocase(r->type, *wanted))
			return true;
	return false;
}

bool
media_accepts(const struct http1_head *h, const char *const *wanted, const char *version)
{
	struct slice line, item;
	size_t at = 0;
	bool any = false;

	while (http1_field_next(h, "accept", &at, &line)) {
		while (http1_list_next(&line, &item)) {
			struct range r = range_read(item);

			any = true;
			if (!r.zero && (slice_is(r.type, "*/*") ||
			    slice_is_nocase(r.type, "application/*") ||
			    range_is(&r, wanted, version)))
				return true;
		}
	}
	return !any;
}

bool
media_content_fits(const struct http1_head *h, const char *const *wanted, const char *version)
{
	struct slice coding = http1_field(h, "content-encoding");
	struct range r = range_read(http1_field(h, "content-type"));

	if (coding.n > 0 && !slice_is_nocase(coding, "identity"))
		return false;
	return range_is(&r, wanted, version);
}

bool
taxii_accepts(const struct http1_head *h)
{
	return media_accepts(h, types, "2.1");
}

bool
taxii_content_fits(const struct http1_head *h)
{
	return media_content_fits(h, types, "2.1");
}
