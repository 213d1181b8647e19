#include "adapters/taxii_media.h"

const char taxii_media_type[] = "application/taxii+json;version=2.1";

static const char *const types[] = { "application/taxii+json", NULL };

enum { WEIGHT_MAX = 1000 };

/* One media range: its type, what it says of a version, its weight in thousandths. */
struct range {
	struct slice	type, version;
	bool		has_version;
	unsigned	weight;
};

static struct slice
unquote(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return slice_from(s.p + 1, s.n - 2);
	return s;
}

/* A weight in thousandths: "1", "0.5", "0.125"; what is none counts as 1. */
static unsigned
weight_of(struct slice q)
{
	unsigned w = 0, unit = 1000;

	for (size_t i = 0; i < q.n && unit > 0; i++) {
		if (i == 1 && q.p[i] == '.')
			continue;
		if (q.p[i] < '0' || q.p[i] > '9')
			return WEIGHT_MAX;
		w += unit * (unsigned)(q.p[i] - '0');
		unit /= 10;
	}
	return q.n == 0 || w > WEIGHT_MAX ? WEIGHT_MAX : w;
}

static struct range
range_read(struct slice text)
{
	struct range r = { .type = slice_trim(slice_cut(&text, ';')), .weight = WEIGHT_MAX };

	while (text.n > 0) {
		struct slice value = slice_cut(&text, ';');
		struct slice name = slice_trim(slice_cut(&value, '='));

		value = unquote(slice_trim(value));
		if (slice_is_nocase(name, "version")) {
			r.has_version = true;
			r.version = value;
		} else if (slice_is_nocase(name, "q")) {
			r.weight = weight_of(value);
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

/* The weight of a range for these types; what names one counts more than a wildcard of that weight. */
static unsigned
score_of(const struct range *r, const char *const *wanted, const char *version)
{
	if (r->weight == 0)
		return 0;
	if (range_is(r, wanted, version))
		return 2 * r->weight + 1;
	return slice_is(r->type, "*/*") || slice_is_nocase(r->type, "application/*") ?
	    2 * r->weight : 0;
}

unsigned
media_score(const struct http1_head *h, const char *const *wanted, const char *version)
{
	struct slice line, item;
	unsigned best = 0;
	size_t at = 0;
	bool any = false;

	while (http1_field_next(h, "accept", &at, &line)) {
		while (http1_list_next(&line, &item)) {
			struct range r = range_read(item);
			unsigned score = score_of(&r, wanted, version);

			any = true;
			if (score > best)
				best = score;
		}
	}
	return any ? best : 2 * WEIGHT_MAX;
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

unsigned
taxii_accepts(const struct http1_head *h)
{
	return media_score(h, types, "2.1");
}

bool
taxii_content_fits(const struct http1_head *h)
{
	return media_content_fits(h, types, "2.1");
}
