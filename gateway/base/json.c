/* Reading, building and editing trees. Parsing: json_parse.c, comparing: json_value.c, printing:
 * json_print.c. */
#include <assert.h>
#include <limits.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_impl.h"
#include "gateway/base/strbuf.h"

/* ---- reading ---- */

json *
json_at(const json *list, size_t i)
{
	json *n = json_first(list);

	while (n != NULL && i-- > 0)
		n = n->next;
	return n;
}

size_t
json_count(const json *o)
{
	size_t n = 0;

	for (const json *c = json_first(o); c != NULL; c = c->next)
		n++;
	return n;
}

bool
json_is_number(const json *o)
{
	char c = json_raw_first(o);

	return json_kind(o) == cJSON_Number || c == '-' || (c >= '0' && c <= '9');
}

/* ---- building ---- */

static json *
new_node(struct arena *mem, int type)
{
	json *n = arena_alloc(mem, sizeof(*n));

	n->type = type;
	n->valueint = type == cJSON_True;
	return n;
}

void
json_set_integer(cJSON *n, int64_t v)
{
	n->type = cJSON_Number;
	n->valuedouble = (double)v;
	n->valueint = v > INT_MAX ? INT_MAX : v < INT_MIN ? INT_MIN : (int)v;
}

void
json_set_raw_string(struct arena *mem, cJSON *n, struct slice literal, struct slice content)
{
	char *w = arena_raw(mem, literal.n + content.n + 2);

	assert(content.n <= INT_MAX);
	n->type = cJSON_Raw;
	n->valuestring = w;
	n->valueint = (int)content.n;
	memcpy(w, literal.p, literal.n);
	w += literal.n;
	*w++ = '\0';
	if (content.n > 0)
		memcpy(w, content.p, content.n);
	w[content.n] = '\0';
}

json *
json_object(struct arena *mem)
{
	return new_node(mem, cJSON_Object);
}

json *
json_list(struct arena *mem)
{
	return new_node(mem, cJSON_Array);
}

/* s, or what is left of it when every byte that is no UTF-8 has become U+FFFD. */
static struct slice
clean(struct arena *mem, struct slice s)
{
	struct strbuf b = STRBUF_INIT;

	if (utf8_bad_at(s) == s.n)
		return s;
	utf8_mend(&b, s);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

json *
json_string(struct arena *mem, struct slice s)
{
	struct strbuf literal = STRBUF_INIT;
	json *n = new_node(mem, cJSON_String);

	s = clean(mem, s);
	assert(s.n <= JSON_STRING_MAX);
	if (s.n == 0 || memchr(s.p, '\0', s.n) == NULL) {
		json_set_text(n, arena_slice(mem, s));
		return n;
	}
	json_print_string(&literal, s);
	json_set_raw_string(mem, n, strbuf_slice(&literal), s);
	strbuf_fini(&literal);
	return n;
}

json *
json_integer(struct arena *mem, int64_t v)
{
	json *n = new_node(mem, cJSON_Number);

	if (v >= -JSON_INTEGER_MAX && v <= JSON_INTEGER_MAX) {
		json_set_integer(n, v);
	} else {
		n->type = cJSON_Raw;
		n->valuestring = arena_fmt(mem, "%lld", (long long)v);
	}
	return n;
}

json *
json_boolean(struct arena *mem, bool v)
{
	return new_node(mem, v ? cJSON_True : cJSON_False);
}

json *
json_null(struct arena *mem)
{
	return new_node(mem, cJSON_NULL);
}

json *
json_raw(struct arena *mem, struct slice text)
{
	json *n = new_node(mem, cJSON_Raw);
	struct json_doc doc;

	text = slice_trim(text);
	if (slice_starts(text, "\"") && json_parse(text, NULL, mem, &doc, NULL) == 0)
		json_set_raw_string(mem, n, text, json_slice(doc.root));
	else
		n->valuestring = arena_str(mem, text);
	return n;
}

/* Make n the last child. */
static void
link_last(json *parent, json *n)
{
	n->next = NULL;
	json_link(parent, n);
}

json *
json_copy(struct arena *mem, const json *o)
{
	json *n;

	if (o == NULL)
		return NULL;
	n = new_node(mem, json_kind(o));
	n->valueint = o->valueint;
	n->valuedouble = o->valuedouble;
	if (json_raw_first(o) == '"')
		json_set_raw_string(mem, n, slice_of(o->valuestring), json_slice(o));
	else if (json_kind(o) == cJSON_String)
		json_set_text(n, arena_slice(mem, json_slice(o)));
	else if (o->valuestring != NULL)
		n->valuestring = arena_str(mem, slice_of(o->valuestring));
	if (o->string != NULL)
		json_set_name(n, arena_slice(mem, slice_of(o->string)));
	for (const json *c = json_first(o); c != NULL; c = c->next)
		link_last(n, json_copy(mem, c));
	return n;
}

/* ---- editing ---- */

json *
json_append(struct arena *mem, json *o, const char *name, json *value)
{
	if (value == NULL)
		return NULL;
	assert(json_kind(o) == cJSON_Object);
	json_set_name(value, arena_slice(mem, slice_of(name)));
	link_last(o, value);
	return value;
}

/* Let `value` stand where `old` stands. */
static void
stand_in(json *parent, json *old, json *value)
{
	value->next = old->next;
	value->prev = old->prev;
	if (old == parent->child)
		parent->child = value;
	else
		old->prev->next = value;
	if (old->next != NULL)
		old->next->prev = value;
	else
		parent->child->prev = value;
	old->next = old->prev = NULL;
}

json *
json_put(struct arena *mem, json *o, const char *name, json *value)
{
	json *old = json_get(o, name);

	if (value == NULL || old == value)
		return value;
	assert(json_kind(o) == cJSON_Object);
	if (old == NULL)
		return json_append(mem, o, name, value);
	json_set_name(value, arena_slice(mem, slice_of(name)));
	stand_in(o, old, value);
	return value;
}

json *
json_replace(json *list, json *old, json *value)
{
	assert(json_kind(list) == cJSON_Array);
	value->string = NULL;
	if (old != value)
		stand_in(list, old, value);
	return value;
}

json *
json_put_str(struct arena *mem, json *o, const char *name, struct slice s)
{
	return json_put(mem, o, name, json_string(mem, s));
}

json *
json_put_int(struct arena *mem, json *o, const char *name, int64_t v)
{
	return json_put(mem, o, name, json_integer(mem, v));
}

json *
json_put_bool(struct arena *mem, json *o, const char *name, bool v)
{
	return json_put(mem, o, name, json_boolean(mem, v));
}

json *
json_push(json *list, json *value)
{
	if (value == NULL)
		return NULL;
	assert(json_kind(list) == cJSON_Array);
	value->string = NULL;
	link_last(list, value);
	return value;
}

json *
json_adopt(json *o, json *member)
{
	if (member == NULL)
		return NULL;
	assert(json_kind(o) == cJSON_Object && member->string != NULL);
	link_last(o, member);
	return member;
}

void
json_rename(struct arena *mem, json *member, const char *name)
{
	if (member != NULL)
		json_set_name(member, arena_slice(mem, slice_of(name)));
}

void
json_assign(struct arena *mem, json *string, struct slice s)
{
	const json *from = json_string(mem, s);

	assert(json_is_string(string));
	string->type = (int)json_name_tag(string) | json_kind(from);
	string->valuestring = from->valuestring;
	string->valueint = from->valueint;
}

void
json_remove(json *o, const char *name)
{
	json_detach(o, json_get(o, name));
}

void
json_detach(json *parent, json *child)
{
	if (parent == NULL || child == NULL)
		return;
	if (child->next != NULL)
		child->next->prev = child->prev;
	else
		parent->child->prev = child->prev;
	if (child == parent->child)
		parent->child = child->next;
	else
		child->prev->next = child->next;
	child->next = child->prev = NULL;
}

const char *
json_library(void)
{
	return cJSON_Version();
}
