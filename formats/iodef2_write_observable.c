/*
 * iodef2_write_observable.c -- the tests on one object as one class of IODEF (mapping.md 2.3).
 *
 * One function a STIX type, found by table. Each takes all tests or says no.
 */
#include "formats/iodef2_write_pattern.h"

#include "formats/iodef2_words.h"
#include "gateway/base/arena.h"

typedef bool object_fn(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n);

static bool
is_digits(struct slice s)
{
	unsigned long long v;

	return slice_u64(s, &v);
}

bool
iw_pattern_repeats(const char *path)
{
	return strcmp(path, "to_refs[*].value") == 0 ||
	    strcmp(path, "resolves_to_refs[*].value") == 0 || strcmp(path, "protocols[*]") == 0;
}

/* The value of the test on that path; empty if there is none. Counts what was taken. */
static struct slice
take(const struct iw_field *f, size_t n, const char *path, size_t *taken)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(f[i].path, path) == 0) {
			++*taken;
			return f[i].value;
		}
	return SLICE_EMPTY;
}

/* A list of one value: for what IODEF knows only as a BulkObservable. */
static bool
bulk_of_one(struct iw_pattern *pw, struct xml_node *obs, const char *path, struct slice value)
{
	const struct iodef2_bulk *row, *r;
	struct xml_node *b;

	for (row = iodef2_bulks; row->type != NULL && strcmp(row->path, path) != 0; row++)
		;
	if (row->type == NULL)
		return false;
	b = iw_el(pw->w, obs, "BulkObservable");
	iw_set(pw->w, b, "type", row->type);
	iw_leaf(pw->w, b, "BulkObservableList", value);
	for (r = iodef2_bulks; r < row; r++)
		if (strcmp(r->type, row->type) == 0)
			iw_extra(pw->w, b, "string", "stix-path", slice_of(row->path));
	return true;
}

/* Types with one value that the bulk table lists: mutex, directory, user-account. */
static bool
on_bulk(struct iw_pattern *pw, struct xml_node *obs, struct slice type, const struct iw_field *f,
    size_t n)
{
	if (n != 1)
		return false;
	return bulk_of_one(pw, obs, arena_fmt(pw->w->mem, "%.*s:%s", SLICE_ARG(type), f->path),
	    f->value);
}

static bool
on_address(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	bool number = slice_is(type, "autonomous-system");

	if (n != 1 || strcmp(f->path, number ? "number" : "value") != 0)
		return false;
	if (number != (f->kind == PAT_INT))
		return false;
	iw_address(pw->w, obs, iw_address_category(type, f->value), f->value);
	return true;
}

/* A name, and what it resolves to: DomainData alone, or a System that has all of them. */
static bool
on_domain(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	struct xml_node *node;
	size_t i, taken = 0;
	struct slice name = take(f, n, "value", &taken);
	const char *category;

	(void)type;
	if (name.n == 0)
		return false;
	if (n == 1) {
		iw_domain(pw->w, obs, name);
		return true;
	}
	for (i = 0; i < n; i++)
		if (strcmp(f[i].path, "resolves_to_refs[*].value") == 0)
			taken++;
	if (taken != n || n > 2)	/* several addresses of a Node read as any of them */
		return false;
	node = iw_el(pw->w, iw_el(pw->w, obs, "System"), "Node");
	iw_domain(pw->w, node, name);
	for (i = 0; i < n; i++) {
		if (strcmp(f[i].path, "value") == 0)
			continue;
		if ((category = iw_guess_category(f[i].value)) == NULL)
			return false;
		if (category[0] == '\0')
			iw_domain(pw->w, node, f[i].value);
		else
			iw_address(pw->w, node, category, f[i].value);
	}
	return true;
}

/* One end of a connection. */
struct end {
	const char	*category;
	struct slice	 type, value, port;
};

/* The value fits the type that the pattern names for this end, or names none. */
static bool
end_fits(const struct end *end)
{
	const char *guess = iw_guess_category(end->value), *named;

	if (end->value.n == 0)
		return end->type.n == 0;
	if (guess == NULL)
		return false;
	if (end->type.n == 0)
		return true;
	named = slice_is(end->type, "domain-name") ? "" :
	    iw_address_category(end->type, end->value);
	return named != NULL && strcmp(named, guess) == 0;
}

static struct xml_node *
add_service(struct iw_pattern *pw, struct xml_node *parent, const struct end *end, int transport,
    struct slice application)
{
	struct xml_node *service, *n;

	if (end->port.n == 0 && transport < 0 && application.n == 0)
		return NULL;
	service = iw_el(pw->w, parent, "Service");
	if (transport >= 0)
		iw_set(pw->w, service, "ip-protocol", arena_fmt(pw->w->mem, "%d", transport));
	if (application.n > 0) {
		n = iw_el(pw->w, service, "ServiceName");
		iw_leaf(pw->w, n, "IANAService", application);
	}
	if (end->port.n > 0)
		iw_leaf(pw->w, service, "Port", end->port);
	return service;
}

static void
add_system(struct iw_pattern *pw, struct xml_node *parent, const struct end *end, int transport,
    struct slice application)
{
	struct xml_node *system = iw_el(pw->w, parent, "System"), *node;
	const char *category = iw_guess_category(end->value);

	iw_set(pw->w, system, "category", end->category);
	node = iw_el(pw->w, system, "Node");
	if (category[0] == '\0')
		iw_domain(pw->w, node, end->value);
	else
		iw_address(pw->w, node, category, end->value);
	add_service(pw, system, end, transport, application);
}

/* protocols[*]: one transport and one application protocol at most. */
static bool
take_protocols(const struct iw_field *f, size_t n, int *transport, struct slice *application,
    size_t *taken)
{
	size_t i;
	int number;

	*transport = -1;
	*application = SLICE_EMPTY;
	for (i = 0; i < n; i++) {
		if (strcmp(f[i].path, "protocols[*]") != 0)
			continue;
		number = iodef2_protocol_number(f[i].value);
		if (slice_is(f[i].value, "ipv4") || slice_is(f[i].value, "ipv6"))
			return false;
		if (number >= 0 && *transport < 0)
			*transport = number;
		else if (number < 0 && application->n == 0)
			*application = f[i].value;
		else
			return false;
		++*taken;
	}
	return true;
}

static bool
on_traffic(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	struct end src = { .category = "source" }, dst = { .category = "target" };
	struct xml_node *flow;
	struct slice application;
	size_t taken = 0;
	int transport;

	if (n == 1 && bulk_of_one(pw, obs,
	    arena_fmt(pw->w->mem, "%.*s:%s", SLICE_ARG(type), f->path), f->value))
		return true;
	src.type = take(f, n, "src_ref.type", &taken);
	src.value = take(f, n, "src_ref.value", &taken);
	src.port = take(f, n, "src_port", &taken);
	dst.type = take(f, n, "dst_ref.type", &taken);
	dst.value = take(f, n, "dst_ref.value", &taken);
	dst.port = take(f, n, "dst_port", &taken);
	if (!take_protocols(f, n, &transport, &application, &taken) || taken != n ||
	    !end_fits(&src) || !end_fits(&dst) || (src.port.n > 0 && !is_digits(src.port)) ||
	    (dst.port.n > 0 && !is_digits(dst.port)) || (src.port.n > 0 && src.value.n == 0))
		return false;
	if (src.value.n == 0 && dst.value.n == 0)
		return dst.port.n > 0 &&
		    add_service(pw, obs, &dst, transport, application) != NULL;
	if (src.type.n > 0 || dst.type.n > 0)
		pw->exact = false;	/* the value tells the type */
	if (src.value.n == 0 || (dst.value.n == 0 && dst.port.n == 0)) {
		if (dst.value.n > 0)
			add_system(pw, obs, &dst, transport, application);
		else
			add_system(pw, obs, &src, transport, application);
		return true;
	}
	if (dst.value.n == 0)
		return false;		/* a port of an end without an address */
	flow = iw_el(pw->w, iw_el(pw->w, obs, "EventData"), "Flow");
	add_system(pw, flow, &src, src.port.n > 0 ? transport : -1, SLICE_EMPTY);
	add_system(pw, flow, &dst, transport, application);
	return true;
}

static bool
on_file(struct iw_pattern *pw, struct xml_node *obs, struct slice type, const struct iw_field *f,
    size_t n)
{
	struct xml_node *file, *hashes = NULL, *p;
	struct slice name, dir, size, mime;
	size_t i, taken = 0;

	(void)type;
	name = take(f, n, "name", &taken);
	dir = take(f, n, "parent_directory_ref.path", &taken);
	size = take(f, n, "size", &taken);
	mime = take(f, n, "mime_type", &taken);
	if ((size.n > 0 && !is_digits(size)) || (dir.n > 0 && name.n == 0))
		return false;
	file = iw_el(pw->w, iw_el(pw->w, obs, "FileData"), "File");
	for (i = 0; i < n; i++) {
		if (f[i].hash.n == 0)
			continue;
		if (!iw_hash_can(f[i].hash, f[i].value))
			return false;
		if (hashes == NULL) {
			hashes = iw_el(pw->w, file, "HashData");
			iw_set(pw->w, hashes, "scope", "file-contents");
		}
		iw_hash(pw->w, hashes, f[i].hash, f[i].value);
		taken++;
	}
	if (name.n > 0)
		iw_leaf(pw->w, file, "FileName", dir.n > 0 ? iw_join_path(pw->w, dir, name) : name);
	if (size.n > 0)
		iw_leaf(pw->w, file, "FileSize", size);
	if (mime.n > 0)
		iw_leaf(pw->w, file, "FileType", mime);
	if (dir.n > 0) {
		p = iw_leaf(pw->w, file, "FileProperties", dir);
		iw_set(pw->w, p, "dtype", "path");
		iw_set(pw->w, p, "name", "path");
	}
	return taken == n;
}

static bool
on_email(struct iw_pattern *pw, struct xml_node *obs, struct slice type, const struct iw_field *f,
    size_t n)
{
	static const struct { const char *path, *name; } parts[] = {
		{ "to_refs[*].value", "EmailTo" },
		{ "from_ref.value", "EmailFrom" },
		{ "subject", "EmailSubject" },
		{ "additional_header_fields.'X-Mailer'", "EmailX-Mailer" },
		{ "body", "EmailBody" },
		{ NULL, NULL }
	};
	static const char header[] = "additional_header_fields.";
	struct xml_node *mail = iw_el(pw->w, obs, "EmailData"), *h;
	struct slice s;
	size_t i, k;

	(void)type;
	for (i = 0; i < n; i++) {
		for (k = 0; parts[k].path != NULL && strcmp(f[i].path, parts[k].path) != 0; k++)
			;
		if (parts[k].path != NULL) {
			iw_leaf(pw->w, mail, parts[k].name, f[i].value);
			continue;
		}
		s = slice_of(f[i].path);
		if (!slice_starts(s, header) || memchr(s.p, '[', s.n) != NULL)
			return false;
		s = slice_from(s.p + sizeof(header) - 1, s.n - sizeof(header) + 1);
		if (s.n > 2 && s.p[0] == '\'')
			s = slice_from(s.p + 1, s.n - 2);
		h = iw_leaf(pw->w, mail, "EmailHeaderField", f[i].value);
		iw_set(pw->w, h, "dtype", "string");
		xml_set(pw->w->mem, h, "name", s);
	}
	return true;
}

static bool
on_registry(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	struct slice key, name, data;
	struct xml_node *k;
	size_t taken = 0;

	(void)type;
	key = take(f, n, "key", &taken);
	name = take(f, n, "values[*].name", &taken);
	data = take(f, n, "values[*].data", &taken);
	if (taken != n || key.n == 0)
		return false;
	k = iw_el(pw->w, iw_el(pw->w, obs, "WindowsRegistryKeysModified"), "Key");
	if (name.n > 0) {
		pw->exact = false;	/* KeyName does not say where the name begins */
		key = slice_of(arena_fmt(pw->w->mem, "%.*s\\%.*s", SLICE_ARG(key),
		    SLICE_ARG(name)));
	}
	iw_leaf(pw->w, k, "KeyName", key);
	if (data.n > 0)
		iw_leaf(pw->w, k, "Value", data);
	return true;
}

static bool
on_certificate(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	struct slice issuer, serial, subject;
	struct xml_node *data, *is;
	size_t taken = 0;

	(void)type;
	issuer = take(f, n, "issuer", &taken);
	serial = take(f, n, "serial_number", &taken);
	subject = take(f, n, "subject", &taken);
	if (taken != n || (issuer.n > 0) != (serial.n > 0) || (serial.n > 0 && !is_digits(serial)))
		return false;
	data = iw_el(pw->w, iw_el(pw->w, obs, "CertificateData"), "Certificate");
	data = iw_el_ns(pw->w, data, IODEF2_NS_DS, "ds", "X509Data");
	if (issuer.n > 0) {
		is = xml_add(pw->w->mem, data, "X509IssuerSerial");
		xml_add_leaf(pw->w->mem, is, "X509IssuerName", issuer);
		xml_add_leaf(pw->w->mem, is, "X509SerialNumber", serial);
	}
	if (subject.n > 0)
		xml_add_leaf(pw->w->mem, data, "X509SubjectName", subject);
	return true;
}

static const struct {
	const char	*type;
	object_fn	*fill;
} objects[] = {
	{ "ipv4-addr",			on_address },
	{ "ipv6-addr",			on_address },
	{ "mac-addr",			on_address },
	{ "email-addr",			on_address },
	{ "autonomous-system",		on_address },
	{ "url",			on_address },
	{ "domain-name",		on_domain },
	{ "network-traffic",		on_traffic },
	{ "file",			on_file },
	{ "directory",			on_bulk },
	{ "mutex",			on_bulk },
	{ "user-account",		on_bulk },
	{ "email-message",		on_email },
	{ "windows-registry-key",	on_registry },
	{ "x509-certificate",		on_certificate },
	{ NULL, NULL }
};

bool
iw_pattern_object(struct iw_pattern *pw, struct xml_node *obs, struct slice type,
    const struct iw_field *f, size_t n)
{
	size_t i;

	for (i = 0; objects[i].type != NULL; i++)
		if (slice_is(type, objects[i].type))
			return objects[i].fill(pw, obs, type, f, n);
	return false;
}
