/*
 * mapped_pattern.c -- facts to a STIX pattern, and a pattern to facts.
 *
 * Built patterns have few shapes: [test], [file tests AND-ed], [network-traffic tests AND-ed], and
 * these joined by OR. Taken apart are these shapes, and whatever other pattern is a choice between
 * equality tests (IN, OR inside or between brackets).
 */
#include "formats/mapped_value.h"
#include "formats/pattern.h"

/* ---- building --------------------------------------------------------------------------------- */

/* Append a number as it is, anything else as a string literal. */
static void
add_literal(struct strbuf *b, enum map_target t, struct slice value)
{
	if (t == T_ASN || t == T_FILE_SIZE)
		strbuf_addsl(b, value);
	else
		pattern_string(b, value);
}

/* Append the test for a value. */
static void
add_test(struct strbuf *b, const struct map_flat *f, struct slice value)
{
	strbuf_adds(b, f->path);
	strbuf_adds(b, f->net ? " ISSUBSET " : " = ");
	add_literal(b, f->target, value);
}

/* " AND " between tests, "[" before the first. */
static void
join(struct strbuf *b, bool *open)
{
	if (*open) {
		strbuf_adds(b, " AND ");
	} else {
		strbuf_adds(b, b->n > 0 ? " OR [" : "[");
		*open = true;
	}
}

/* Append the tests for one end of a connection. */
static void
add_end(struct strbuf *b, bool *open, const char *end, struct slice addr, struct slice port)
{
	if (addr.n > 0) {
		bool net = memchr(addr.p, '/', addr.n) != NULL;

		join(b, open);
		strbuf_addf(b, "network-traffic:%s_ref.value %s ", end, net ? "ISSUBSET" : "=");
		pattern_string(b, addr);
	}
	if (port.n > 0) {
		join(b, open);
		strbuf_addf(b, "network-traffic:%s_port = %.*s", end, SLICE_ARG(port));
	}
}

/* Append the test for a protocol. */
static void
add_protocol(struct strbuf *b, bool *open, struct slice protocol)
{
	if (protocol.n == 0)
		return;
	join(b, open);
	strbuf_adds(b, "network-traffic:protocols[*] = ");
	pattern_string(b, protocol);
}

/* type, value, role, port, protocol: one bracket. */
static int
build_value(const struct facts *f, struct arena *mem, struct strbuf *b, struct err *e)
{
	struct map_atom a = { 0 };
	struct slice role = fact_one(f, T_ROLE);
	bool open = false, source = slice_is(role, "source");
	bool addressed = source || slice_is(role, "destination");
	bool network;

	if (fact_one(f, T_VALUE).n == 0)
		return err_set(e, ERR_MISSING, "value: a value is required");
	if (fact_one(f, T_TYPE).n == 0)
		return err_set(e, ERR_MISSING, "type: the kind of the value is not known");
	if (map_value_parse(fact_one(f, T_TYPE), fact_one(f, T_VALUE), mem, &a, e) < 0)
		return -1;
	if (f->t[T_PORT].n > 0)
		a.port = fact_one(f, T_PORT);
	a.protocol = fact_one(f, T_PROTOCOL);
	network = slice_starts(a.type, "ip") || slice_is(a.type, "domain");
	if (network && (addressed || a.port.n > 0 || a.protocol.n > 0)) {
		add_end(b, &open, source ? "src" : "dst", a.value, a.port);
		add_protocol(b, &open, a.protocol);
	} else {
		join(b, &open);
		add_test(b, map_flat_find(a.type), a.value);
	}
	strbuf_addc(b, ']');
	return 0;
}

/* One bracket for traffic.*. */
static void
build_traffic(const struct facts *f, struct strbuf *b)
{
	static const enum map_target bytes[] = { T_TRAFFIC_SRC_BYTES, T_TRAFFIC_DST_BYTES };
	bool open = false;

	add_end(b, &open, "src", fact_one(f, T_TRAFFIC_SRC), fact_one(f, T_TRAFFIC_SRC_PORT));
	add_end(b, &open, "dst", fact_one(f, T_TRAFFIC_DST), fact_one(f, T_TRAFFIC_DST_PORT));
	add_protocol(b, &open, fact_one(f, T_TRAFFIC_PROTOCOL));
	for (size_t i = 0; i < 2; i++)
		if (f->t[bytes[i]].n > 0) {
			join(b, &open);
			strbuf_addf(b, "network-traffic:%s_byte_count = %.*s",
			    i == 0 ? "src" : "dst", SLICE_ARG(fact_one(f, bytes[i])));
		}
	if (open)
		strbuf_addc(b, ']');
}

/* All tests of one file stand in one bracket. */
static void
build_file(const struct facts *f, struct strbuf *b)
{
	bool open = false;

	for (const struct map_flat *flat = map_flats; flat->type != NULL; flat++)
		if (flat->sco != NULL && strcmp(flat->sco, "file") == 0 &&
		    f->t[flat->target].n > 0) {
			join(b, &open);
			add_test(b, flat, fact_one(f, flat->target));
		}
	if (open)
		strbuf_addc(b, ']');
}

/* One bracket for each value of a named target. */
static void
build_named(const struct facts *f, struct strbuf *b)
{
	for (enum map_target t = T_IP; t <= T_USER_AGENT; t++)
		for (size_t i = 0; (t < T_FILE_NAME || t > T_FILE_SSDEEP) && i < f->t[t].n; i++) {
			struct slice v = f->t[t].v[i];
			bool open = false;

			join(b, &open);
			add_test(b, map_flat_find(map_flat_type(t, v)), v);
			strbuf_addc(b, ']');
		}
}

/* Make the pattern of the facts. */
int
map_pattern_build(const struct facts *f, struct arena *mem, struct slice *out, struct err *e)
{
	struct strbuf b = STRBUF_INIT;
	struct slice given = fact_one(f, T_PATTERN), kind = fact_one(f, T_PATTERN_TYPE);
	int rc = 0;

	*out = SLICE_EMPTY;
	if (given.n > 0) {
		if ((kind.n == 0 || slice_is(kind, "stix")) && pattern_parse(given, mem, e) == NULL)
			return -1;
		*out = given;
		return 0;
	}
	if (f->t[T_TYPE].n > 0 || f->t[T_VALUE].n > 0)
		rc = build_value(f, mem, &b, e);
	if (rc == 0) {
		build_named(f, &b);
		build_file(f, &b);
		build_traffic(f, &b);
		*out = arena_slice(mem, strbuf_slice(&b));
		if (out->n == 0)
			rc = err_set(e, ERR_MISSING, "nothing that an indicator could look for");
		else if (pattern_parse(*out, mem, e) == NULL)
			rc = -1;
	}
	strbuf_fini(&b);
	return rc;
}

/* ---- taking apart ----------------------------------------------------------------------------- */

struct apart {
	struct arena	*mem;
	struct facts	*f;
	struct map_atom	*atoms;
	size_t		 natoms, cap;
	bool		 exact;
};

/* Append an atom; too many are not exact. */
static void
add_atom(struct apart *a, struct map_atom atom)
{
	if (a->natoms >= MAPPED_TEXTS_MAX) {
		a->exact = false;
		return;
	}
	a->atoms = arena_grow(a->mem, a->atoms, a->natoms, &a->cap, sizeof(*a->atoms));
	a->atoms[a->natoms++] = atom;
}

/* The flat type a test asks for, NULL if none. */
static const struct map_flat *
flat_of_test(const struct pat_node *t, struct slice value)
{
	bool net = t->op == PAT_ISSUBSET || memchr(value.p, '/', value.n) != NULL;

	for (const struct map_flat *f = map_flats; f->type != NULL; f++) {
		bool ip = f->target == T_IPV4 || f->target == T_IPV6;

		if (pattern_path_is(t, f->path) && (!ip || f->net == net))
			return f;
	}
	return NULL;
}

/* Does the test ask for values, and nothing else? */
static bool
is_plain(const struct pat_node *t)
{
	return t->kind == PAT_TEST && !t->negated &&
	    (t->op == PAT_EQ || t->op == PAT_ISSUBSET || t->op == PAT_IN) && t->nvalues > 0;
}

/* Make the value a fact of its named target. */
static void
add_named(struct apart *a, const struct map_flat *f, struct slice v)
{
	bool cert = f->sco != NULL && strcmp(f->sco, "x509-certificate") == 0;

	if (cert || (a->f->t[f->target].n > 0 && !(map_targets[f->target].flags & TARGET_LIST)))
		return;
	texts_add(&a->f->t[f->target], a->mem, v);
	if (f->target == T_IPV4 || f->target == T_IPV6)
		texts_add(&a->f->t[T_IP], a->mem, v);
}

/* A single test: one atom a value. */
static void
take_test(struct apart *a, const struct pat_node *t)
{
	for (size_t i = 0; i < t->nvalues; i++) {
		struct slice v = t->values[i].text;
		const struct map_flat *f = flat_of_test(t, v);

		if (f == NULL) {
			a->exact = false;
			continue;
		}
		add_named(a, f, v);
		add_atom(a, (struct map_atom){ slice_of(f->type), v, SLICE_EMPTY, SLICE_EMPTY,
		    SLICE_EMPTY });
	}
}

static const struct {
	const char	*path;
	enum map_target	 target;
} traffic[] = {
	{ "network-traffic:src_ref.value", T_TRAFFIC_SRC },
	{ "network-traffic:dst_ref.value", T_TRAFFIC_DST },
	{ "network-traffic:src_port", T_TRAFFIC_SRC_PORT },
	{ "network-traffic:dst_port", T_TRAFFIC_DST_PORT },
	{ "network-traffic:protocols[*]", T_TRAFFIC_PROTOCOL },
	{ "network-traffic:src_byte_count", T_TRAFFIC_SRC_BYTES },
	{ "network-traffic:dst_byte_count", T_TRAFFIC_DST_BYTES },
};

/* The atom of one end of a connection. */
static bool
traffic_atom(struct apart *a, const struct facts *f, bool source)
{
	struct slice host = fact_one(f, source ? T_TRAFFIC_SRC : T_TRAFFIC_DST);
	struct map_atom atom = { 0 };

	if (host.n == 0)
		return false;
	atom.type = map_flat_type(T_IP, host);
	if (map_normalise(T_IP, host, a->mem, &atom.value, NULL) < 0) {
		atom.type = SLICE_LIT("domain");
		atom.value = host;
	}
	atom.role = source ? SLICE_LIT("source") : SLICE_LIT("destination");
	atom.port = fact_one(f, source ? T_TRAFFIC_SRC_PORT : T_TRAFFIC_DST_PORT);
	atom.protocol = fact_one(f, T_TRAFFIC_PROTOCOL);
	add_atom(a, atom);
	return true;
}

/* Tests of one connection; false if they hold anything else. */
static bool
take_traffic(struct apart *a, struct pat_node *const *tests, size_t n)
{
	struct facts f;
	bool both;

	memset(&f, 0, sizeof(f));
	for (size_t i = 0; i < n; i++) {
		size_t k = 0, kinds = sizeof(traffic) / sizeof(*traffic);

		while (k < kinds && !pattern_path_is(tests[i], traffic[k].path))
			k++;
		if (k == kinds || tests[i]->nvalues != 1 || f.t[traffic[k].target].n > 0)
			return false;
		texts_add(&f.t[traffic[k].target], a->mem, tests[i]->values[0].text);
	}
	for (size_t k = 0; k < sizeof(traffic) / sizeof(*traffic); k++)
		if (a->f->t[traffic[k].target].n == 0)
			a->f->t[traffic[k].target] = f.t[traffic[k].target];
	both = f.t[T_TRAFFIC_SRC].n > 0 && f.t[T_TRAFFIC_DST].n > 0;
	if (!traffic_atom(a, &f, false) && !traffic_atom(a, &f, true))
		a->exact = false;
	if (both || f.t[T_TRAFFIC_SRC_BYTES].n > 0 || f.t[T_TRAFFIC_DST_BYTES].n > 0)
		a->exact = false;
	return true;
}

/* Tests that must all hold. Of a file with several traits each trait is a fact, and one atom. */
static void
take_all(struct apart *a, struct pat_node *const *tests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_plain(tests[i])) {
			a->exact = false;
			return;
		}
	if (take_traffic(a, tests, n))
		return;
	if (n > 1)
		a->exact = false;
	for (size_t i = 0; i < n; i++)
		take_test(a, tests[i]);
}

/* The comparison inside a bracket. */
static void
take_comparison(struct apart *a, struct pat_node *n)
{
	if (n->kind == PAT_OR) {
		for (size_t i = 0; i < n->nkids; i++)
			take_comparison(a, n->kids[i]);
	} else if (n->kind == PAT_AND) {
		take_all(a, n->kids, n->nkids);
	} else {
		take_all(a, &n, 1);
	}
}

/* Brackets joined by OR; anything else is not exact. */
static void
take_observation(struct apart *a, const struct pat_node *n)
{
	if (n->nquals > 0) {
		a->exact = false;
	} else if (n->kind == PAT_OBS && n->nkids == 1) {
		take_comparison(a, n->kids[0]);
	} else if (n->kind == PAT_OBS_OR) {
		for (size_t i = 0; i < n->nkids; i++)
			take_observation(a, n->kids[i]);
	} else {
		a->exact = false;
	}
}

/* Take a pattern apart; return the number of atoms. */
size_t
map_pattern_facts(struct slice pattern, struct arena *mem, struct facts *f,
    struct map_atom **atoms, bool *exact)
{
	struct apart a = { .mem = mem, .f = f, .exact = true };
	struct pat_node *root = pattern_parse(pattern, mem, NULL);

	if (root == NULL)
		a.exact = false;
	else
		take_observation(&a, root);
	*atoms = a.atoms;
	*exact = a.exact && a.natoms > 0;
	return a.natoms;
}
