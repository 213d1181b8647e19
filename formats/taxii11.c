/* taxii11.c -- what a message of TAXII 1.1 asks, see taxii11.h. */
#include "formats/taxii11.h"

#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { ELEMENTS_MAX = 200000, ID_MAX = 512, NAME_MAX_BYTES = 512, LIST_MAX = 64, PART_MAX = 1000000000 };

struct asked {
	struct arena		*mem;
	const struct xml_node	*root;
	json			*out;
	const char		*wrong;		/* NULL: nothing so far */
};

bool
taxii11_is_stix(struct slice binding)
{
	static const char *const names[] = { "urn:stix.mitre.org:xml:1.", "http://stix.mitre.org/stix-1" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (slice_starts(binding, names[i]))
			return true;
	return false;
}

/* ---- parts of messages ---- */

static void
put_text(struct asked *a, const char *member, struct slice text, const char *what)
{
	if (text.n > NAME_MAX_BYTES)
		a->wrong = arena_fmt(a->mem, "%s is longer than %d bytes", what, NAME_MAX_BYTES);
	else if (text.n > 0)
		json_put_str(a->mem, a->out, member, text);
}

static void
put_attr(struct asked *a, const char *member, const char *attr)
{
	struct slice text = slice_trim(xml_value(a->root, attr));

	if (text.n == 0)
		a->wrong = arena_fmt(a->mem, "%s is missing", attr);
	put_text(a, member, text, attr);
}

static void
put_time(struct asked *a, const char *member, const char *element)
{
	const struct xml_node *n = xml_get(a->root, element);
	int64_t us;
	bool zone;

	if (n == NULL)
		return;
	if (!stamp_parse_any(xml_text_trim(n, a->mem), &us, &zone) || !zone)
		a->wrong = arena_fmt(a->mem, "%s is no time with a zone", element);
	else
		json_put_int(a->mem, a->out, member, us);
}

static void
put_part(struct asked *a)
{
	struct slice text = slice_trim(xml_value(a->root, "result_part_number"));
	int64_t part = 0;

	for (size_t i = 0; i < text.n && part <= PART_MAX; i++) {
		if (text.p[i] < '0' || text.p[i] > '9') {
			part = 0;
			break;
		}
		part = part * 10 + (text.p[i] - '0');
	}
	if (part < 1 || part > PART_MAX)
		a->wrong = "result_part_number is no number of a part";
	json_put_int(a->mem, a->out, "part", part);
}

/* Texts of equal elements, or what `attr` of each says. */
static void
put_list(struct asked *a, const struct xml_node *parent, const char *member, const char *element,
    const char *attr)
{
	const struct xml_node *n = xml_get(parent, element);
	json *list = n == NULL ? NULL : json_put(a->mem, a->out, member, json_list(a->mem));

	for (size_t i = 0; n != NULL; n = xml_more(n), i++) {
		struct slice s = attr == NULL ? xml_text_trim(n, a->mem) : slice_trim(xml_value(n, attr));

		if (i == LIST_MAX || s.n > NAME_MAX_BYTES) {
			a->wrong = arena_fmt(a->mem, "too many or too long: %s", element);
			return;
		}
		json_push(list, json_string(a->mem, s));
	}
}

/* ---- messages ---- */

static void
ask_nothing(struct asked *a)
{
	(void)a;
}

static void
ask_poll(struct asked *a)
{
	const struct xml_node *how = xml_get(a->root, "Poll_Parameters");
	struct slice response = xml_text_trim(xml_get(how, "Response_Type"), a->mem);

	put_attr(a, "collection", "collection_name");
	put_time(a, "begin_us", "Exclusive_Begin_Timestamp");
	put_time(a, "end_us", "Inclusive_End_Timestamp");
	put_text(a, "response", response, "Response_Type");
	put_list(a, how, "bindings", "Content_Binding", "binding_id");
	if (xml_get(a->root, "Subscription_ID") != NULL)
		json_put_bool(a->mem, a->out, "subscription", true);
	if (how != NULL)
		json_put_bool(a->mem, a->out, "parameters", true);
	if (xml_get(how, "Query") != NULL)
		json_put_bool(a->mem, a->out, "query", true);
	if (response.n > 0 && !slice_is(response, "FULL") && !slice_is(response, "COUNT_ONLY"))
		a->wrong = "Response_Type is neither FULL nor COUNT_ONLY";
	if ((xml_get(a->root, "Subscription_ID") != NULL) == (how != NULL))
		a->wrong = "a Poll_Request has either a Subscription_ID or Poll_Parameters";
}

static void
ask_fulfillment(struct asked *a)
{
	put_attr(a, "collection", "collection_name");
	put_attr(a, "result", "result_id");
	put_part(a);
}

static void
ask_inbox(struct asked *a)
{
	int64_t blocks = 0, readable = 0;

	put_list(a, a->root, "destinations", "Destination_Collection_Name", NULL);
	for (const struct xml_node *n = xml_get(a->root, "Content_Block"); n != NULL; n = xml_more(n)) {
		blocks++;
		if (taxii11_is_stix(slice_trim(xml_value(xml_get(n, "Content_Binding"), "binding_id"))))
			readable++;
	}
	json_put_int(a->mem, a->out, "blocks", blocks);
	json_put_int(a->mem, a->out, "readable", readable);
}

static const struct {
	const char	*name;
	void		(*ask)(struct asked *a);
} messages[] = {
	{ "Discovery_Request", ask_nothing }, { "Collection_Information_Request", ask_nothing },
	{ "Poll_Request", ask_poll }, { "Poll_Fulfillment", ask_fulfillment },
	{ "Inbox_Message", ask_inbox }, { "Subscription_Management_Request", ask_nothing },
};

static void
ask_message(struct asked *a)
{
	for (size_t i = 0; i < COUNTOF(messages); i++)
		if (slice_is(a->root->name, messages[i].name)) {
			json_put_str(a->mem, a->out, "message", slice_of(messages[i].name));
			messages[i].ask(a);
			return;
		}
	a->wrong = arena_fmt(a->mem, "nobody answers a %.60s here", a->root->name.p);
	json_put_bool(a->mem, a->out, "unknown", true);
}

/* The order of elements is not held against anybody: names tell what is meant. */
int
taxii11_ask(struct slice in, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct xml_limits lim = { .elements = ELEMENTS_MAX };
	struct asked a = { .mem = mem };
	struct xml_node *root;
	struct slice id;

	if (xml_parse(in, &lim, mem, &root, e) < 0)
		return -1;
	if (!slice_is(root->ns, TAXII11_NS))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(root),
		    "the root element %.60s is not of namespace " TAXII11_NS, root->name.p);
	id = slice_trim(xml_value(root, "message_id"));
	if (id.n == 0)
		return err_at(e, ERR_MISSING, xml_pos(root), "message_id is missing");
	if (id.n > ID_MAX)
		return err_at(e, ERR_LIMIT, xml_pos(root), "message_id is longer than %d bytes", ID_MAX);
	a.root = root;
	a.out = json_object(mem);
	json_put_str(mem, a.out, "id", id);
	ask_message(&a);
	if (a.wrong != NULL)
		json_put_str(mem, a.out, "wrong", slice_of(a.wrong));
	json_print(out, a.out);
	return 0;
}
