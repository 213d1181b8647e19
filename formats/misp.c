/* misp.c -- the MISP core format as a format of ours. See misp.h. */
#include "formats/misp_read.h"

/* How sure we are that this is an event, several, or what a search gave: 0..100. */
int
misp_sniff(struct slice head)
{
	static const char *const others[] = {
		"\"spec_version\"", "\"bundle\"", "\"bundle--", "\"csaf_version\"", "\"IncidentID\""
	};
	static const char *const marks[] = {
		"\"info\"", "\"threat_level_id\"", "\"analysis\"", "\"Attribute\"", "\"Orgc\"",
		"\"Object\"", "\"distribution\"", "\"category\"", "\"to_ids\"", "\"meta-category\""
	};
	struct slice s = slice_trim(head);
	int n = 0;

	if (s.n == 0 || (s.p[0] != '{' && s.p[0] != '['))
		return 0;
	for (size_t i = 0; i < COUNTOF(others); i++)
		if (format_head_has(s, others[i]))
			return 0;
	for (size_t i = 0; i < COUNTOF(marks); i++)
		n += format_head_has(s, marks[i]);
	if (format_head_has(s, "\"Event\"") && n > 0)
		return 96;
	if (format_head_has(s, "\"response\"") &&
	    (format_head_has(s, "\"Attribute\"") || format_head_has(s, "\"Object\"")))
		return 94;
	return n >= 3 ? 92 : 0;
}

const struct format_ops format_misp = {
	.name = "misp",
	.media_type = "application/json",
	.file_ending = ".json",
	.sniff = misp_sniff,
	.read = misp_read,
	.write = misp_write,
	.split = &misp_split,
	.series = &misp_series,
};
