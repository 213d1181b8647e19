/*
 * flat_check.h -- readers of the flat outputs, for tests and fuzzing: each reads lines back as the tool does
 * that they are for, and says what it found or why it would stumble.
 *
 * Owns:    nothing; static functions over text.
 * Called:  by test_flat.c and fuzz_flat.c.
 * Never:   shares code with the writers.
 */
#ifndef TESTS_FLAT_CHECK_H
#define TESTS_FLAT_CHECK_H

#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

/* Told of each entry with the value that the tool would look for; `kind` is the tool's word, or "". */
typedef void	entry_fn(void *arg, struct slice value, struct slice kind);

/* One unquoted field of RFC 4180 into the arena; *more: a comma follows. NULL p: broken. */
static struct slice
csv_field(struct slice *rest, struct arena *mem, bool *more)
{
	char *p = arena_raw(mem, rest->n + 1);
	size_t n = 0, i = 0;
	bool quoted = rest->n > 0 && rest->p[0] == '"';

	for (i = quoted ? 1 : 0; i < rest->n; i++) {
		char c = rest->p[i];

		if (quoted && c == '"' && i + 1 < rest->n && rest->p[i + 1] == '"') {
			i++;
		} else if (quoted && c == '"') {
			i++;
			break;
		} else if (!quoted && (c == ',' || c == '\r')) {
			break;
		} else if (c == '\r' || c == '\n' || (!quoted && c == '"')) {
			return slice_from(NULL, 0);
		}
		p[n++] = c;
	}
	*more = i < rest->n && rest->p[i] == ',';
	if (!*more && (i + 1 >= rest->n || rest->p[i] != '\r' || rest->p[i + 1] != '\n'))
		return slice_from(NULL, 0);
	i += *more ? 1 : 2;
	*rest = slice_from(rest->p + i, rest->n - i);
	return slice_from(p, n);
}

static const char *
check_csv(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	size_t columns = 0, type = 0, value = 0;

	for (size_t line = 0; text.n > 0; line++) {
		struct slice kind = SLICE_EMPTY, v = SLICE_EMPTY, f;
		size_t n = 0;
		bool more = true;

		for (; more; n++) {
			f = csv_field(&text, mem, &more);
			if (f.p == NULL)
				return "csv: a broken field";
			if (line == 0 && slice_is(f, "type"))
				type = n;
			if (line == 0 && slice_is(f, "value"))
				value = n;
			kind = n == type ? f : kind;
			v = n == value ? f : v;
		}
		if (line == 0)
			columns = n;
		else if (n != columns)
			return "csv: another number of columns";
		else
			entry(arg, v, kind);
	}
	return columns == 0 ? "csv: no header" : NULL;
}

static const char *
check_jsonl(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');
		struct json_doc doc;
		struct err e = ERR_INIT;

		if (json_parse(line, NULL, mem, &doc, &e) < 0 || !json_is_object(doc.root))
			return "jsonl: a line is no object";
		entry(arg, json_member(doc.root, "value"), json_member(doc.root, "type"));
	}
	return NULL;
}

/* A list: one value a line, nothing that an editor or shell would show otherwise. */
static const char *
check_txt(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	(void)mem;
	if (text.n > 0 && text.p[text.n - 1] != '\n')
		return "txt: no end of line";
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');

		if (line.n == 0 || line.p[0] == '#')
			return "txt: an empty line or a comment";
		for (size_t i = 0; i < line.n; i++)
			if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
				return "txt: a control character";
		entry(arg, line, SLICE_EMPTY);
	}
	return NULL;
}

static const char *
check_hosts(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	(void)mem;
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');

		if (line.n > 0 && line.p[0] == '#')
			continue;
		if (!slice_starts(line, "0.0.0.0 "))
			return "hosts: a line of another form";
		line = slice_from(line.p + 8, line.n - 8);
		for (size_t i = 0; i < line.n; i++)
			if (!ascii_is_digit(line.p[i]) && (line.p[i] < 'a' || line.p[i] > 'z') &&
			    strchr(".-_", line.p[i]) == NULL)
				return "hosts: no name";
		if (memchr(line.p, '.', line.n) == NULL)
			return "hosts: a single label";
		entry(arg, line, SLICE_EMPTY);
	}
	return NULL;
}

/* Zeek's column: \xHH is a byte. */
static struct slice
zeek_column(struct slice s, struct arena *mem)
{
	char *p = arena_raw(mem, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 3 < s.n && s.p[i + 1] == 'x') {
			p[n++] = (char)(ascii_hex(s.p[i + 2]) << 4 | ascii_hex(s.p[i + 3]));
			i += 3;
		} else {
			p[n++] = s.p[i];
		}
	}
	return slice_from(p, n);
}

static const char *
check_zeek(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	if (!slice_starts(text, "#fields\tindicator\tindicator_type\t"))
		return "zeek: no head";
	slice_cut(&text, '\n');
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), column[7];
		size_t n = 0;

		if (line.n > 0 && line.p[0] == '#')
			return "zeek: a value is taken for a head";
		for (; n < 7 && line.p != NULL && (line.n > 0 || n == 0); n++)
			column[n] = slice_cut(&line, '\t');
		if (n != 6 || !slice_starts(column[1], "Intel::") || !slice_is(column[5], "F"))
			return "zeek: columns";
		if (slice_is(column[0], "-") || slice_is(column[0], "(empty)"))
			return "zeek: a value is taken for none";
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < column[i].n; k++)
				if ((unsigned char)column[i].p[k] < ' ')
					return "zeek: a control character";
		entry(arg, zeek_column(column[0], mem), slice_from(column[1].p + 7,
		    column[1].n - 7));
	}
	return NULL;
}

static const char *
check_cdb(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	(void)mem;
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n'), key;

		if (line.n > 0 && line.p[0] == '"') {
			line = slice_from(line.p + 1, line.n - 1);
			key = slice_cut(&line, '"');
			if (line.n == 0 || line.p[0] != ':')
				return "cdb: no value behind a quoted key";
			line = slice_from(line.p + 1, line.n - 1);
		} else {
			key = slice_cut(&line, ':');
		}
		if (key.n == 0 || line.n == 0)
			return "cdb: no key or no value";
		for (size_t i = 0; i < line.n; i++)
			if ((line.p[i] < 'a' || line.p[i] > 'z') && line.p[i] != '-' &&
			    !ascii_is_digit(line.p[i]))
				return "cdb: a value of other letters";
		entry(arg, key, line);
	}
	return NULL;
}

/* --- Suricata ------------------------------------------------------------------------------- */

/* content: what stands between quotes, with |hex| as bytes. NULL p: broken. */
static struct slice
rule_content(struct slice s, struct arena *mem)
{
	char *p = arena_raw(mem, s.n + 1);
	size_t n = 0;
	bool hex = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '|') {
			hex = !hex;
		} else if (hex && c == ' ') {
			continue;
		} else if (hex) {
			if (i + 1 >= s.n || ascii_hex(c) < 0 || ascii_hex(s.p[i + 1]) < 0)
				return slice_from(NULL, 0);
			p[n++] = (char)(ascii_hex(c) << 4 | ascii_hex(s.p[++i]));
		} else if (strchr("\";\\:", c) != NULL) {
			return slice_from(NULL, 0);
		} else {
			p[n++] = c;
		}
	}
	return hex ? slice_from(NULL, 0) : slice_from(p, n);
}

/* Cut "name:value;" off the front, minding quotes and backslashes. */
static bool
rule_option(struct slice *rest, struct slice *name, struct slice *value)
{
	bool quoted = false, escaped = false;
	size_t end = 0;

	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = slice_from(rest->p + 1, rest->n - 1);
	for (; end < rest->n; end++) {
		char c = rest->p[end];

		if (escaped)
			escaped = false;
		else if (c == '\\')
			escaped = true;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ';' && !quoted)
			break;
	}
	if (end == rest->n)
		return false;
	*value = slice_from(rest->p, end);
	*rest = slice_from(rest->p + end + 1, rest->n - end - 1);
	*name = slice_cut(value, ':');
	return true;
}

static const char *
check_rule(struct slice line, struct arena *mem, entry_fn *entry, void *arg)
{
	static const char *const known[] = {
		"msg", "dns.query", "tls.sni", "http.host", "http.uri.raw", "http.user_agent",
		"tls.cert_fingerprint", "dotprefix", "content", "nocase", "endswith", "bsize",
		"classtype", "reference", "metadata", "sid", "rev"
	};
	struct slice head = line, word, name, value, rest;
	const char *open = line.n == 0 ? NULL : memchr(line.p, '(', line.n);
	size_t words = 0, sids = 0;

	if (open == NULL || line.p[line.n - 1] != ')')
		return "rules: no parentheses";
	if (line.n > 8191)
		return "rules: longer than Suricata reads";
	head.n = (size_t)(open - line.p);
	rest = slice_from(open + 1, line.n - head.n - 2);
	for (head = slice_trim(head); head.n > 0; words++) {
		word = slice_cut(&head, ' ');
		if (words == 0 ? !slice_is(word, "alert") : word.n == 0)
			return "rules: no alert";
		if (words == 2 || words == 5)
			entry(arg, word, SLICE_LIT("address"));
	}
	if (words != 7)
		return "rules: a head of another form";
	while (rest.n > 0) {
		bool is_known = false;

		if (!rule_option(&rest, &name, &value))
			return "rules: an option without end";
		for (size_t i = 0; i < COUNTOF(known); i++)
			is_known = is_known || slice_is(name, known[i]);
		if (!is_known)
			return "rules: an option that nobody wrote";
		sids += slice_is(name, "sid");
		if (!slice_is(name, "content"))
			continue;
		if (value.n < 3 || value.p[0] != '"' || value.p[value.n - 1] != '"')
			return "rules: content without quotes";
		value = rule_content(slice_from(value.p + 1, value.n - 2), mem);
		if (value.p == NULL)
			return "rules: content that ends early";
		entry(arg, value, SLICE_LIT("content"));
	}
	return sids == 1 ? NULL : "rules: not one sid";
}

static const char *
check_rules(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	const char *why = NULL;

	while (text.n > 0 && why == NULL) {
		struct slice line = slice_cut(&text, '\n');

		if (line.n == 0 || line.p[0] != '#')
			why = check_rule(line, mem, entry, arg);
	}
	return why;
}

static const char *
check_dataset(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');
		struct strbuf plain = STRBUF_INIT;

		if (!base64_decode(line, false, &plain))
			return "dataset: no base64";
		entry(arg, arena_slice(mem, strbuf_slice(&plain)), SLICE_EMPTY);
		strbuf_fini(&plain);
	}
	return NULL;
}

static const char *
check_bundle(struct slice text, struct arena *mem, entry_fn *entry, void *arg)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	if (json_parse(text, NULL, mem, &doc, &e) < 0)
		return "stix: no JSON";
	if (json_get(doc.root, "objects") != NULL && doc.nitems == 0)
		return "stix: an empty list";
	for (size_t i = 0; i < doc.nitems; i++)
		entry(arg, doc.items[i].text, SLICE_EMPTY);
	return NULL;
}

/* By ending of the output. */
static const struct {
	const char	*ending;
	const char	*(*check)(struct slice text, struct arena *mem, entry_fn *entry, void *arg);
} flat_checks[] = {
	{ "csv", check_csv }, { "jsonl", check_jsonl }, { "txt", check_txt },
	{ "domain.txt", check_txt }, { "ip.txt", check_txt }, { "hosts", check_hosts },
	{ "rules", check_rules }, { "domain.lst", check_dataset }, { "md5.lst", check_txt },
	{ "ip.lst", check_txt }, { "intel", check_zeek }, { "cdb", check_cdb },
	{ "stix.json", check_bundle }
};

#endif
