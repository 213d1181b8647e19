/* config_print.c -- what config.h prints: effective values with their origin, the reference section of
 * conf/README.md, and what a reload may not change. All from the table in config_keys.c. */
#include "gateway/config_parts.h"

#include <stdint.h>
#include <stdio.h>

#include "gateway/base/strbuf.h"

enum { VALUE_COLUMN = 28, ORIGIN_COLUMN = 68 };

/* ---- effective values ---- */

/* Blanks up to a column of the line that began at `from`; one at least. */
static void
pad(struct strbuf *out, size_t from, size_t column)
{
	do {
		strbuf_addc(out, ' ');
	} while (out->n - from < column);
}

static void
write_value(struct strbuf *out, const struct config_key *k, const void *element)
{
	k->type->write(out, k, (const char *)element + k->offset);
}

/* A line: key, value and origin. False, and a comment instead, if it has no value. */
static bool
print_value(struct strbuf *out, const char *name, const struct config_key *k, const void *element,
    const struct config_origin *o)
{
	size_t from = out->n, value;

	strbuf_adds(out, name);
	pad(out, from, VALUE_COLUMN);
	value = out->n;
	write_value(out, k, element);
	if (out->n == value) {
		strbuf_setlen(out, from);
		strbuf_addf(out, "#%s", name[0] == ' ' ? name + 1 : name);
		pad(out, from, VALUE_COLUMN);
		strbuf_adds(out, "none\n");
		return false;
	}
	pad(out, from, ORIGIN_COLUMN);
	if (o == NULL)
		strbuf_adds(out, "# default\n");
	else
		strbuf_addf(out, "# %s:%u\n", o->file, o->line);
	return true;
}

static void
print_element(struct strbuf *out, const struct config *conf, const struct config_section *s, size_t i)
{
	const void *element = config_element(conf, s, i);
	size_t number = (size_t)(s - config_sections);
	char name[64];

	if (s->arg.type == NULL)
		strbuf_addf(out, "%s\n", s->name);
	else if (!print_value(out, s->name, &s->arg, element,
	    config_origin_of(conf, number, i, SIZE_MAX)))
		return;
	for (size_t k = 0; s->keys[k].name != NULL; k++) {
		snprintf(name, sizeof(name), "    %s", s->keys[k].name);
		print_value(out, name, &s->keys[k], element, config_origin_of(conf, number, i, k));
	}
}

void
config_print(struct strbuf *out, const struct config *conf)
{
	for (const struct config_section *s = config_sections; s->name != NULL; s++)
		for (size_t i = 0; i < config_elements(conf, s); i++)
			print_element(out, conf, s, i);
}

/* ---- the reference ---- */

/* "4k to 1g", the choices, or what the type says. */
static void
describe_form(struct strbuf *out, const struct config_key *k)
{
	if (k->words != NULL) {
		for (size_t i = 0; k->words[i] != NULL; i++)
			strbuf_addf(out, "%s`%s`", i > 0 ? ", " : "", k->words[i]);
	} else if (k->type->bound != NULL) {
		strbuf_addf(out, "%s, ", k->type->name);
		k->type->bound(out, k->min);
		strbuf_adds(out, " to ");
		k->type->bound(out, k->max);
	} else {
		strbuf_adds(out, k->type->name);
	}
}

static void
describe_key(struct strbuf *out, const struct config_key *k)
{
	strbuf_addf(out, "| `%s` | ", k->name);
	describe_form(out, k);
	if (k->initial != NULL)
		strbuf_addf(out, " | `%s` | ", k->initial);
	else
		strbuf_adds(out, (k->flags & CONFIG_REQUIRED) != 0 ? " | must be said | " : " | none | ");
	strbuf_addf(out, "%s | %s |\n", (k->flags & CONFIG_RESTART) != 0 ? "restart" : "reload", k->help);
}

static void
describe_section(struct strbuf *out, const struct config_section *s)
{
	strbuf_addf(out, "### `%s", s->name);
	if (s->arg.type != NULL)
		strbuf_addf(out, " %s", s->arg.name);
	strbuf_addf(out, "`%s\n\n%s", s->many ? " (any number)" : "", s->help);
	if (s->arg.type != NULL) {
		strbuf_addf(out, " %s: %s", s->arg.name, s->arg.help);
		if (s->arg.initial != NULL)
			strbuf_addf(out, " Default `%s`.", s->arg.initial);
	}
	strbuf_adds(out, "\n\n");
	if (s->keys[0].name == NULL)
		return;
	strbuf_adds(out, "| key | value | default | changes take | meaning |\n"
	    "| --- | --- | --- | --- | --- |\n");
	for (const struct config_key *k = s->keys; k->name != NULL; k++)
		describe_key(out, k);
	strbuf_addc(out, '\n');
}

/* One row for each type of value that a key has. */
static void
describe_types(struct strbuf *out)
{
	const struct config_type *const types[] = {
		&config_name, &config_path, &config_address, &config_base_url, &config_redis_url,
		&config_host, &config_mail, &config_uuid, &config_segment, &config_header,
		&config_bytes, &config_span, &config_time, &config_limit, &config_format,
		&config_kinds, &config_tlps, &config_phases, &config_sectors_of, &config_level, NULL
	};

	strbuf_adds(out, "### Values\n\n| value | is written |\n| --- | --- |\n");
	for (size_t i = 0; types[i] != NULL; i++)
		strbuf_addf(out, "| %s | %s |\n", types[i]->name, types[i]->form);
	strbuf_addc(out, '\n');
}

void
config_print_reference(struct strbuf *out)
{
	describe_types(out);
	for (const struct config_section *s = config_sections; s->name != NULL; s++)
		describe_section(out, s);
}

/* ---- reload ---- */

/* Add "section key: old -> new" if the two differ; returns 1 then. */
static size_t
compare_key(struct strbuf *out, const struct config_section *s, const struct config_key *k,
    const void *old, const void *now)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	size_t differ = 0;

	write_value(&a, k, old);
	write_value(&b, k, now);
	if (!slice_eq(strbuf_slice(&a), strbuf_slice(&b))) {
		strbuf_addf(out, "%s %s: %s -> %s\n", s->name, k->name, a.n > 0 ? a.p : "none",
		    b.n > 0 ? b.p : "none");
		differ = 1;
	}
	strbuf_fini(&a);
	strbuf_fini(&b);
	return differ;
}

static size_t
compare_element(struct strbuf *out, const struct config_section *s, const void *old, const void *now)
{
	size_t n = 0;

	if (s->arg.type != NULL && (s->arg.flags & CONFIG_RESTART) != 0)
		n += compare_key(out, s, &s->arg, old, now);
	for (const struct config_key *k = s->keys; k->name != NULL; k++)
		if ((k->flags & CONFIG_RESTART) != 0)
			n += compare_key(out, s, k, old, now);
	return n;
}

/* The element of a list whose name is that of `like`, or NULL. */
static const void *
find_twin(const struct config *conf, const struct config_section *s, const void *like)
{
	const char *name = *(const char *const *)((const char *)like + s->arg.offset);

	for (size_t i = 0; i < config_elements(conf, s); i++) {
		const char *e = config_element(conf, s, i);

		if (strcmp(*(const char *const *)(e + s->arg.offset), name) == 0)
			return e;
	}
	return NULL;
}

size_t
config_restart_needed(struct strbuf *out, const struct config *old, const struct config *now)
{
	size_t n = 0;

	for (const struct config_section *s = config_sections; s->name != NULL; s++) {
		bool whole = s->many && (s->arg.flags & CONFIG_RESTART) != 0;

		for (size_t i = 0; i < config_elements(old, s); i++) {
			const void *a = config_element(old, s, i);
			const void *b = s->many ? find_twin(now, s, a) : config_element(now, s, i);

			if (b != NULL) {
				n += compare_element(out, s, a, b);
			} else if (whole) {
				strbuf_addf(out, "%s is gone or changed its %s\n", s->name, s->arg.name);
				n++;
			}
		}
		if (whole && config_elements(now, s) > config_elements(old, s)) {
			strbuf_addf(out, "%s is new\n", s->name);
			n++;
		}
	}
	return n;
}
