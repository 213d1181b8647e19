/*
 * mapped_pattern.c -- facts to a STIX pattern, and a pattern to facts.
 *
 * Built patterns have few shapes: [test], [file tests AND-ed], [network-traffic tests AND-ed], and
 * these joined by OR. Taken apart are these shapes in any spelling (observe.h).
 */
#include "formats/mapped_value.h"
#include "formats/observe.h"
#include "formats/pattern_build.h"

/* ---- building --------------------------------------------------------------------------------- */

/* A pattern being built: brackets joined by OR, and the tests of the bracket at hand. */
struct build {
	struct arena	*mem;
	struct pat_list	 brackets, tests;
};

/* Add a test to the bracket at hand; a network is what the value is in. */
static void
add_test(struct build *b, const char *path, enum pat_literal_kind kind, bool net, struct slice value)
{
	if (value.n > 0)
		pattern_add(&b->tests, b->mem, pattern_test(b->mem, path,
		    net ? PAT_ISSUBSET : PAT_EQ, kind, &value, 1));
}

static void
add_flat(struct build *b, const struct map_flat *f, struct slice value)
{
	bool number = f->target == T_ASN || f->target == T_FILE_SIZE;

	add_test(b, f->path, number ? PAT_INT : PAT_STRING, f->net, value);
}

/* Close the bracket at hand, if there is anything in it. */
static void
close_bracket(struct build *b)
{
	struct pat_node *all = pattern_node(b->mem, PAT_AND, b->tests.v, b->tests.n);

	pattern_add(&b->brackets, b->mem, pattern_bracket(b->mem, all));
	b->tests = (struct pat_list){ 0 };
}

/* The tests for one end of a connection. */
static void
add_end(struct build *b, bool source, struct slice addr, struct slice port)
{
	add_test(b, source ? "network-traffic:src_ref.value" : "network-traffic:dst_ref.value",
	    PAT_STRING, memchr(addr.p, '/', addr.n) != NULL, addr);
	add_test(b, source ? "network-traffic:src_port" : "network-traffic:dst_port", PAT_INT, false,
	    port);
}

static void
add_protocol(struct build *b, struct slice protocol)
{
	add_test(b, "network-traffic:protocols[*]", PAT_STRING, false, protocol);
}

/* type, value, role, port, protocol: one bracket. */
static int
build_value(struct build *b, const struct facts *f, struct err *e)
{
	struct map_atom a = { 0 };
	struct slice role = fact_one(f, T_ROLE);
	bool source = slice_is(role, "source");
	bool addressed = source || slice_is(role, "destination");
	bool network;

	if (fact_one(f, T_VALUE).n == 0)
		return err_set(e, ERR_MISSING, "value: a value is required");
	if (fact_one(f, T_TYPE).n == 0)
		return err_set(e, ERR_MISSING, "type: the kind of the value is not known");
	if (map_value_parse(fact_one(f, T_TYPE), fact_one(f, T_VALUE), b->mem, &a, e) < 0)
		return -1;
	if (f->t[T_PORT].n > 0)
		a.port = fact_one(f, T_PORT);
	a.protocol = fact_one(f, T_PROTOCOL);
	network = slice_starts(a.type, "ip") || slice_is(a.type, "domain");
	if (network && (addressed || a.port.n > 0 || a.protocol.n > 0)) {
		add_end(b, source, a.value, a.port);
		add_protocol(b, a.protocol);
	} else {
		add_flat(b, map_flat_find(a.type), a.value);
	}
	close_bracket(b);
	return 0;
}

/* One bracket for traffic.*. */
static void
build_traffic(struct build *b, const struct facts *f)
{
	add_end(b, true, fact_one(f, T_TRAFFIC_SRC), fact_one(f, T_TRAFFIC_SRC_PORT));
	add_end(b, false, fact_one(f, T_TRAFFIC_DST), fact_one(f, T_TRAFFIC_DST_PORT));
	add_protocol(b, fact_one(f, T_TRAFFIC_PROTOCOL));
	add_test(b, "network-traffic:src_byte_count", PAT_INT, false, fact_one(f, T_TRAFFIC_SRC_BYTES));
	add_test(b, "network-traffic:dst_byte_count", PAT_INT, false, fact_one(f, T_TRAFFIC_DST_BYTES));
	close_bracket(b);
}

/* All tests of one file stand in one bracket. */
static void
build_file(struct build *b, const struct facts *f)
{
	for (const struct map_flat *flat = map_flats; flat->type != NULL; flat++)
		if (flat->sco != NULL && strcmp(flat->sco, "file") == 0)
			add_flat(b, flat, fact_one(f, flat->target));
	close_bracket(b);
}

/* One bracket for each value of a named target. */
static void
build_named(struct build *b, const struct facts *f)
{
	for (enum map_target t = T_IP; t <= T_USER_AGENT; t++)
		for (size_t i = 0; (t < T_FILE_NAME || t > T_FILE_SSDEEP) && i < f->t[t].n; i++) {
			struct slice v = f->t[t].v[i];

			add_flat(b, map_flat_find(map_flat_type(t, v)), v);
			close_bracket(b);
		}
}

/* Make the pattern of the facts. */
int
map_pattern_build(const struct facts *f, struct arena *mem, struct slice *out, struct err *e)
{
	struct build b = { .mem = mem };
	struct slice given = fact_one(f, T_PATTERN), kind = fact_one(f, T_PATTERN_TYPE);

	*out = SLICE_EMPTY;
	if (given.n > 0) {
		if ((kind.n == 0 || slice_is(kind, "stix")) && pattern_parse(given, mem, e) == NULL)
			return -1;
		*out = given;
		return 0;
	}
	if ((f->t[T_TYPE].n > 0 || f->t[T_VALUE].n > 0) && build_value(&b, f, e) < 0)
		return -1;
	build_named(&b, f);
	build_file(&b, f);
	build_traffic(&b, f);
	if (b.brackets.n == 0)
		return err_set(e, ERR_MISSING, "nothing that an indicator could look for");
	return pattern_text(mem, pattern_node(mem, PAT_OBS_OR, b.brackets.v, b.brackets.n), out, e) ?
	    0 : -1;
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

/* The flat type that asks for this value, NULL if none. */
static const struct map_flat *
flat_of_fact(const struct sought *fact, struct slice value)
{
	bool net = memchr(value.p, '/', value.n) != NULL;

	for (const struct map_flat *f = map_flats; f->type != NULL; f++) {
		bool ip = f->target == T_IPV4 || f->target == T_IPV6;

		if (slice_is(fact->path, f->path) && (!ip || f->net == net))
			return f;
	}
	return NULL;
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

/* One atom a value. */
static void
take_values(struct apart *a, const struct sought *fact)
{
	for (size_t i = 0; i < fact->nvalues; i++) {
		struct slice v = fact->values[i].text;
		const struct map_flat *f = flat_of_fact(fact, v);

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

/* Facts of one connection; false if there is anything else among them. */
static bool
take_traffic(struct apart *a, const struct sought *const *said, size_t n)
{
	struct facts f;
	bool both;

	memset(&f, 0, sizeof(f));
	for (size_t i = 0; i < n; i++) {
		size_t k = 0, kinds = sizeof(traffic) / sizeof(*traffic);

		while (k < kinds && !slice_is(said[i]->path, traffic[k].path))
			k++;
		if (k == kinds || said[i]->nvalues != 1 || f.t[traffic[k].target].n > 0)
			return false;
		texts_add(&f.t[traffic[k].target], a->mem, said[i]->values[0].text);
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

/* What must hold together. Of a file with several traits each trait is a fact, and one atom. */
static void
take_all(struct apart *a, const struct sought *const *said, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!observe_is_plain(said[i])) {
			a->exact = false;
			return;
		}
	if (take_traffic(a, said, n))
		return;
	if (n > 1)
		a->exact = false;
	for (size_t i = 0; i < n; i++)
		take_values(a, said[i]);
}

/* One alternative; a fact of several values is as many of them. */
static void
take_way(struct apart *a, const struct sought *way)
{
	size_t n;
	const struct sought *const *said = observe_facts(&way, &n);

	if (said == NULL) {
		a->exact = false;
	} else if (n == 1 && way->nvalues > 1) {
		for (size_t i = 0; i < way->nvalues; i++) {
			struct sought one = *way;
			const struct sought *alone = &one;

			one.values = &way->values[i];
			one.nvalues = 1;
			take_all(a, &alone, 1);
		}
	} else {
		take_all(a, said, n);
	}
}

/* Take a pattern apart; return the number of atoms. */
size_t
map_pattern_facts(struct slice pattern, struct arena *mem, struct facts *f,
    struct map_atom **atoms, bool *exact)
{
	struct apart a = { .mem = mem, .f = f, .exact = false };
	const struct pat_node *root = pattern_parse(pattern, mem, NULL);
	const struct sought *s, *const *ways;
	size_t n;

	if (root != NULL) {
		a.exact = true;
		s = observe_reduce(root, mem);
		ways = observe_ways(&s, &n);
		for (size_t i = 0; i < n; i++)
			take_way(&a, ways[i]);
	}
	*atoms = a.atoms;
	*exact = a.exact && a.natoms > 0;
	return a.natoms;
}
