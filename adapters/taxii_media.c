#include "adapters/taxii_media.h"

const char taxii_media_type[] = "application/taxii+json;version=2.1";

/* One media range: its type, what it says of a version, whether its weight is zero. */
struct range {
	struct slice	type;
	bool		has_version, version_fits, zero;
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
			r.version_fits = slice_is(value, "2.1");
		} else if (slice_is_nocase(name, "q")) {
			r.zero = is_zero(value);
		}
	}
	return r;
}

static bool
range_fits(const struct range *r)
{
	if (r->zero)
		return false;
	if (slice_is(r->type, "*/*") || slice_is_nocase(r->type, "application/*"))
		return true;
	return slice_is_nocase(r->type, "application/taxii+json") &&
	    (!r->has_version || r->version_fits);
}

bool
taxii_accepts(const struct http1_head *h)
{
	struct slice line, item;
	size_t at = 0;
	bool any = false;

	while (http1_field_next(h, "accept", &at, &line)) {
		while (http1_list_next(&line, &item)) {
			struct range r = range_read(item);

			any = true;
			if (range_fits(&r))
				return true;
		}
	}
	return !any;
}

bool
taxii_content_fits(const struct http1_head *h)
{
	struct slice coding = http1_field(h, "content-encoding");
	struct range r = range_read(http1_field(h, "content-type"));

	if (coding.n > 0 && !slice_is_nocase(coding, "identity"))
		return false;
	return slice_is_nocase(r.type, "application/taxii+json") &&
	    (!r.has_version || r.version_fits);
}
