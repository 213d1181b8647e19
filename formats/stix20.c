/* stix20.c -- STIX 2.0: the row of the registry, and its marks. How it is done: stix20.h. */
#include "formats/format.h"
#include "formats/stix20.h"
#include "formats/stix20_split.h"

/* Where the text goes on behind a JSON string, or its end. */
static size_t
past_string(struct slice s, size_t at)
{
	for (at++; at < s.n && s.p[at] != '"'; at++)
		if (s.p[at] == '\\')
			at++;
	return at < s.n ? at + 1 : s.n;
}

/* True if `word` begins at `at`; *at is then behind it and the blanks that follow. */
static bool
word_at(struct slice s, size_t *at, const char *word)
{
	size_t n = strlen(word);

	if (*at + n > s.n || memcmp(s.p + *at, word, n) != 0)
		return false;
	for (*at += n; *at < s.n && strchr(" \t\r\n", s.p[*at]) != NULL; ++*at)
		;
	return true;
}

/* True if the outermost object says spec_version "2.0". */
static bool
says_20(struct slice s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.n;) {
		size_t at = i;

		if (s.p[i] == '"') {
			if (depth == 1 && word_at(s, &at, "\"spec_version\"") &&
			    word_at(s, &at, ":"))
				return word_at(s, &at, "\"2.0\"");
			i = past_string(s, i);
			continue;
		}
		if (s.p[i] == '{' || s.p[i] == '[')
			depth++;
		else if ((s.p[i] == '}' || s.p[i] == ']') && depth > 0)
			depth--;
		i++;
	}
	return false;
}

/* True if `"objects"` is a dictionary somewhere: the observables of 2.0. */
static bool
has_dictionary(struct slice s)
{
	static const char word[] = "\"objects\"";
	const char *p = s.p, *hit;

	while ((hit = memmem(p, s.n - (size_t)(p - s.p), word, sizeof(word) - 1)) != NULL) {
		size_t at = (size_t)(hit - s.p);

		if (word_at(s, &at, word) && word_at(s, &at, ":") && word_at(s, &at, "{"))
			return true;
		p = hit + 1;
	}
	return false;
}

/* Sure, if the bundle says its version. It may do so behind its objects, too far away to be seen: then a
 * bundle that shows what 2.1 has no more, and nowhere the version that each of its objects has. */
static int
sniff(struct slice head)
{
	struct slice s = slice_trim(head);

	if (s.n == 0 || s.p[0] != '{' ||
	    !(format_head_has(s, "\"bundle--") || format_head_has(s, "\"bundle\"")))
		return 0;
	if (says_20(s))
		return 98;
	if (format_head_has(s, "\"spec_version\"") || format_head_has(s, "\"pattern_type\""))
		return 0;
	return format_head_has(s, "\"pattern\"") || has_dictionary(s) ? 96 : 0;
}

const struct format_ops format_stix20 = {
	.name = "stix20",
	.media_type = "application/vnd.oasis.stix+json;version=2.0",
	.file_ending = ".json",
	.sniff = sniff,
	.read = stix20_read,
	.count = stix20_count,
	.write = stix20_write,
	.split = &stix20_split,
};
