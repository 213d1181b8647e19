/* stix1.c -- what reader and writer of STIX 1.x share: whose element is it, of which type; the sniffer. */
#include "formats/stix1.h"

/* Namespaces by how they begin: the versions behind "-" differ from release to release. */
static const struct {
	const char		*prefix;
	enum stix1_family	 family;
} families[] = {
	{ "http://stix.mitre.org/", STIX1_STIX },
	{ "http://docs.oasis-open.org/cti/ns/stix/data-marking", STIX1_MARKING },
	{ "http://docs.oasis-open.org/cti/ns/stix/", STIX1_STIX },
	{ "http://cybox.mitre.org/", STIX1_CYBOX },
	{ "http://docs.oasis-open.org/cti/ns/cybox/", STIX1_CYBOX },
	{ "http://data-marking.mitre.org/", STIX1_MARKING },
};

/* Return the family of a namespace. */
enum stix1_family
stix1_family(struct slice ns)
{
	for (size_t i = 0; i < COUNTOF(families); i++)
		if (slice_starts(ns, families[i].prefix))
			return families[i].family;
	return STIX1_FOREIGN;
}

/* True for an element with that local name which is ours to read. */
bool
stix1_is(const struct xml_node *n, const char *name)
{
	return n != NULL && slice_is(n->name, name) &&
	    (n->ns.n == 0 || stix1_family(n->ns) != STIX1_FOREIGN);
}

/* Return the first child of that name, NULL if there is none. */
struct xml_node *
stix1_get(const struct xml_node *n, const char *name)
{
	struct xml_node *k = xml_child(n);

	while (k != NULL && !stix1_is(k, name))
		k = xml_sibling(k);
	return k;
}

/* Return the next sibling of the same name, NULL if there is none. */
struct xml_node *
stix1_more(const struct xml_node *n)
{
	struct xml_node *k = xml_sibling(n);

	while (k != NULL && !stix1_is(k, n->name.p))
		k = xml_sibling(k);
	return k;
}

/* Return the element at the end of a path of first children, NULL if a step fails. */
struct xml_node *
stix1_down(const struct xml_node *n, const char *path)
{
	struct slice rest = slice_of(path);
	const struct xml_node *at = n;

	while (at != NULL && rest.n > 0) {
		struct slice step = slice_cut(&rest, '/');
		const struct xml_node *k = xml_child(at);

		while (k != NULL && !(slice_eq(k->name, step) && stix1_is(k, k->name.p)))
			k = xml_sibling(k);
		at = k;
	}
	return (struct xml_node *)at;
}

/* Return the URI of a prefix in force at n, empty if it is not bound. */
struct slice
stix1_uri(const struct xml_node *n, struct slice prefix)
{
	for (; n != NULL; n = n->parent)
		for (const struct xml_decl *d = n->decls; d != NULL; d = d->next)
			if (slice_eq(d->prefix, prefix))
				return d->uri;
	return SLICE_EMPTY;
}

/* Return the attribute xsi:type, NULL if there is none. */
struct xml_attr *
stix1_type_attr(const struct xml_node *n)
{
	struct xml_attr *a = n->attrs;

	while (a != NULL && !(slice_is(a->name, "type") && slice_is(a->ns, XML_NS_XSI)))
		a = a->next;
	return a;
}

/* Return the local name of the type of n, and the URI of its namespace in *uri (NULL is fine). */
struct slice
stix1_type(const struct xml_node *n, struct slice *uri)
{
	const struct xml_attr *a = stix1_type_attr(n);
	struct slice name = a == NULL ? SLICE_EMPTY : slice_trim(a->value), prefix = SLICE_EMPTY;
	const char *colon = name.n == 0 ? NULL : memchr(name.p, ':', name.n);

	if (colon != NULL) {
		prefix = slice_cut(&name, ':');
	}
	if (uri != NULL)
		*uri = name.n == 0 ? SLICE_EMPTY : stix1_uri(n, prefix);
	return name;
}

/* True if the text has `needle`. */
static bool
has(struct slice text, const char *needle)
{
	return memmem(text.p, text.n, needle, strlen(needle)) != NULL;
}

/* The start tag of the root, without its name's prefix: from the name to the end of what we see. */
static struct slice
root_tag(struct slice head)
{
	const char *p = head.p, *end = head.p + head.n, *colon, *stop;

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL && p + 1 < end) {
		if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
			p = memmem(p, (size_t)(end - p), "-->", 3);
			if (p == NULL)
				return SLICE_EMPTY;
		} else if (p[1] != '?' && p[1] != '!') {
			break;
		}
		p++;
	}
	if (p == NULL || p + 1 >= end)
		return SLICE_EMPTY;
	p++;
	for (stop = p; stop < end && strchr(" \t\r\n/>", *stop) == NULL; stop++)
		;
	colon = memchr(p, ':', (size_t)(stop - p));
	if (colon != NULL)
		p = colon + 1;
	return slice_from(p, (size_t)(end - p));
}

/* The root is a STIX 1.x package or a list of CybOX observables, in a namespace of theirs. */
static int
sniff_stix1(struct slice head)
{
	struct slice tag;

	if (slice_starts(head, "\xEF\xBB\xBF"))
		head = slice_from(head.p + 3, head.n - 3);
	head = slice_trim(head);
	if (head.n == 0 || head.p[0] != '<')
		return 0;
	tag = root_tag(head);
	if (tag.n == 0)	/* a comment as long as what we were shown */
		return has(head, "STIX") && !has(head, "IODEF") ? 30 : 0;
	if (slice_starts(tag, "STIX_Package"))
		return has(tag, "//stix.mitre.org/") || has(tag, "cti/ns/stix/") ? 98 : 70;
	if (slice_starts(tag, "Observables") || slice_starts(tag, "Observable"))
		return has(tag, "//cybox.mitre.org/") || has(tag, "cti/ns/cybox/") ? 96 : 0;
	return 0;
}

const struct format_ops format_stix1 = {
	.name = "stix1",
	.media_type = "application/xml",
	.file_ending = ".xml",
	.sniff = sniff_stix1,
	.read = stix1_read,
	.write = stix1_write,
};
