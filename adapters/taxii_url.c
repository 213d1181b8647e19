#include "adapters/taxii_url.h"

#include <stdio.h>
#include <strings.h>

/* The last segment of a path that ends with a slash ("/a/b/" -> "b"), which is cut off. */
static struct slice
cut_last(struct slice *path)
{
	size_t n = path->n - 1;
	struct slice last;

	while (n > 0 && path->p[n - 1] != '/')
		n--;
	last = slice_from(path->p + n, path->n - 1 - n);
	path->n = n;
	return last;
}

static void
copy(char *to, size_t cap, struct slice s)
{
	snprintf(to, cap, "%.*s", SLICE_ARG(s));
}

/* "/api/collections/ID/objects/" and what is cut off it: true if there is "collections" in it. */
static bool
split_collection(struct slice path, struct taxii_url *out, struct err *e)
{
	static const char word[] = "/collections/";
	const char *at = memmem(path.p, path.n, word, sizeof(word) - 1);
	struct slice rest, id;

	if (at == NULL)
		return false;
	copy(out->root, sizeof(out->root), slice_from(path.p, (size_t)(at - path.p) + 1));
	rest = slice_from(at + sizeof(word) - 1, path.n - (size_t)(at - path.p) - (sizeof(word) - 1));
	id = slice_cut(&rest, '/');
	if (id.n >= sizeof(out->collection))
		err_set(e, ERR_VALUE, "the collection in the URL is too long");
	else
		copy(out->collection, sizeof(out->collection), id);
	return true;
}

int
taxii_url_parse(const char *text, struct taxii_url *out, struct err *e)
{
	struct slice path, last, before;
	struct err why = ERR_INIT;

	memset(out, 0, sizeof(*out));
	if (url_parse(text, &out->server, e) < 0)
		return -1;
	path = slice_of(out->server.path);
	if (slice_is(path, "/"))
		return 0;
	if (split_collection(path, out, &why)) {
		if (why.code != ERR_NONE && e != NULL)
			*e = why;
		return why.code == ERR_NONE ? 0 : -1;
	}
	before = path;
	last = cut_last(&before);
	/* taxii2/, and what some put in front of or behind it (.../taxii/discovery/) */
	if (slice_is(last, "taxii2") || slice_is(last, "taxii") || slice_is(last, "discovery")) {
		copy(out->discovery, sizeof(out->discovery), path);
		out->is_20 = slice_is(last, "taxii");
		return 0;
	}
	copy(out->root, sizeof(out->root), path);
	return 0;
}

/* A path that we may ask for: nothing in it that two programs could read in two ways. */
static bool
is_plain_path(struct slice path)
{
	if (path.n == 0 || path.p[0] != '/' || memmem(path.p, path.n, "//", 2) != NULL ||
	    memmem(path.p, path.n, "/../", 4) != NULL)
		return false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] <= ' ' || (unsigned char)path.p[i] >= 127 ||
		    strchr("?#\\\"<>", path.p[i]) != NULL)
			return false;
	return true;
}

bool
taxii_url_root(const struct taxii_url *u, struct slice listed, char *out, size_t cap)
{
	struct url there;
	char text[1024];
	int n;

	if (slice_starts(listed, "https://")) {
		if (listed.n >= sizeof(text) || memchr(listed.p, '\0', listed.n) != NULL)
			return false;
		copy(text, sizeof(text), listed);
		if (url_parse(text, &there, NULL) < 0 ||
		    strcasecmp(there.host, u->server.host) != 0 || there.port != u->server.port)
			return false;
		listed = slice_of(there.path);
	}
	if (!is_plain_path(listed))
		return false;
	n = snprintf(out, cap, "%.*s%s", SLICE_ARG(listed), slice_ends(listed, "/") ? "" : "/");
	return n > 0 && (size_t)n < cap;
}
