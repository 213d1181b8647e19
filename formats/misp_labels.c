/*
 * misp_labels.c -- what tags and distribution say of who may see an event, and how to say it.
 *
 * Distribution 0 is the own organisation: AMBER+STRICT. 1 to 3 are circles of MISP servers and say
 * nothing of TLP. 4 is a sharing group: what the job says that it is to us, and RED if it does not say (a
 * group is known by its UUID: numbers are those of one server). On an attribute 5 inherits. A tag says
 * it too, and the strictest counts (rulings 10). Written is a tag and a distribution that say the same:
 * 1 for what says no more than AMBER, since 0 would come back as AMBER+STRICT.
 */
#include "formats/misp.h"
#include "gateway/base/ascii.h"

struct misp_label
misp_label_join(struct misp_label a, struct misp_label b)
{
	struct misp_label out = a.said ? a : b;

	if (a.said && b.said) {
		out.tlp = tlp_join(a.tlp, b.tlp);
		out.label = labels_stronger(a.label, b.label) == LABEL_UNREADABLE ?
				LABEL_UNREADABLE :
			    out.tlp == TLP_UNSET ? LABEL_ABSENT :
				    LABEL_TLP;
	}
	out.handling = a.handling || b.handling;
	return out;
}

bool
misp_label_covers(struct misp_label label, struct misp_label own)
{
	return tlp_join(label.tlp, own.tlp) == label.tlp;
}

/* True if the tag is a word of TLP, known or not. */
bool
misp_tag_is_label(struct slice tag)
{
	tag = slice_trim(tag);
	return tag.n >= 4 && ascii_lower(tag.p[0]) == 't' && ascii_lower(tag.p[1]) == 'l' &&
	    ascii_lower(tag.p[2]) == 'p' && tag.p[3] == ':';
}

/* What one tag says; LABEL_ABSENT if it is about something else. */
static struct misp_label
label_of_tag(struct slice tag)
{
	struct misp_label l = { TLP_UNSET, LABEL_ABSENT, false, false };

	tag = slice_trim(tag);
	if (!misp_tag_is_label(tag))
		return l;
	if (slice_is_nocase(slice_trim(slice_from(tag.p + 4, tag.n - 4)), "ex:chr")) {
		l.handling = true;
		return l;
	}
	l.said = true;
	l.label = labels_of_tag(tag, &l.tlp);
	if (l.label == LABEL_UNREADABLE)
		l.tlp = TLP_RED;
	return l;
}

/* One UUID in two spellings? */
static bool
is_same(struct slice a, struct slice b)
{
	for (size_t i = 0; i < a.n && a.n == b.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return a.n == b.n;
}

/* What the group that an element is shared with is to us: a label of the configuration, else RED. */
static struct misp_label
label_of_group(const json *element, const char *groups)
{
	struct slice uuid = slice_trim(json_member(json_get(element, "SharingGroup"), "uuid"));
	struct slice rest = slice_of(groups == NULL ? "" : groups);
	struct misp_label l = { TLP_RED, LABEL_UNREADABLE, false, true };

	while (uuid.n > 0 && rest.n > 0) {
		struct slice word = slice_cut(&rest, ','), name = slice_trim(slice_cut(&word, '='));

		if (!is_same(name, uuid))
			continue;
		l.tlp = tlp_parse(slice_trim(word));
		l.label = l.tlp == TLP_UNSET ? LABEL_UNREADABLE : LABEL_TLP;
		l.tlp = l.tlp == TLP_UNSET ? TLP_RED : l.tlp;
		break;
	}
	return l;
}

/* What the distribution says. */
static struct misp_label
label_of_distribution(const json *element, bool event, const char *groups)
{
	struct misp_label l = { TLP_UNSET, LABEL_ABSENT, false, false };
	const json *m = json_get(element, "distribution");
	int64_t n;

	if (m == NULL || json_is_null(m))
		return l;
	if (!misp_number(element, "distribution", &n) || n < 0 || n > 5 || (event && n == 5))
		return (struct misp_label){ TLP_RED, LABEL_UNREADABLE, false, true };
	if (n == 0)
		l = (struct misp_label){ TLP_AMBER_STRICT, LABEL_TLP, false, true };
	else if (n == 4)
		l = label_of_group(element, groups);
	return l;
}

/* What a list of tags says, of which some servers list the links to them (`EventTag`). */
static struct misp_label
label_of_tags(const json *element, const char *list)
{
	struct misp_label l = { TLP_UNSET, LABEL_ABSENT, false, false };

	for (const json *t = json_first(json_get(element, list)); t != NULL; t = json_next(t)) {
		const json *tag = json_get(t, "Tag") != NULL ? json_get(t, "Tag") : t;

		l = misp_label_join(l, label_of_tag(json_is_string(tag) ? json_slice(tag) :
		    json_member(tag, "name")));
	}
	return l;
}

/* What an event, object, attribute, event report or cluster says of itself. */
struct misp_label
misp_label_in(const json *element, bool event, const char *groups)
{
	static const char *const lists[] = { "Tag", "EventTag", "AttributeTag" };
	struct misp_label l = label_of_distribution(element, event, groups);

	for (size_t i = 0; i < COUNTOF(lists); i++)
		l = misp_label_join(l, label_of_tags(element, lists[i]));
	l.said |= event;	/* there is nobody else to say it */
	return l;
}

/* What it says to anybody. */
struct misp_label
misp_label_of(const json *element, bool event)
{
	return misp_label_in(element, event, NULL);
}

/* The tag of a level. */
const char *
misp_tag_of(enum tlp t)
{
	static const char *const tags[TLP_LEVELS] = {
		"tlp:unclear", "tlp:clear", "tlp:green", "tlp:amber", "tlp:amber+strict", "tlp:red"
	};

	return tags[t];
}

/* The distribution that an event of a level gets. */
int
misp_distribution_of(enum tlp t)
{
	return t == TLP_CLEAR ? 3 : t >= TLP_AMBER_STRICT ? 0 : 1;
}
