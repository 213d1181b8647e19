#include "adapters/taxii20_media.h"

#include "adapters/taxii_media.h"

const char taxii20_media_type[] = "application/vnd.oasis.taxii+json; version=2.0";
const char taxii20_stix_type[] = "application/vnd.oasis.stix+json; version=2.0";

static const char *const resources[] = { "application/vnd.oasis.taxii+json", NULL };
static const char *const contents[] = {
	"application/vnd.oasis.stix+json", "application/vnd.oasis.taxii+json", NULL
};
static const char *const bodies[] = { "application/vnd.oasis.stix+json", NULL };

unsigned
taxii20_accepts(const struct http1_head *h, bool objects)
{
	return media_score(h, objects ? contents : resources, "2.0");
}

bool
taxii20_content_fits(const struct http1_head *h)
{
	return media_content_fits(h, bodies, "2.0");
}
