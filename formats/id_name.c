/* id_name.c -- see id_name.h. */
#include "formats/id_name.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

void
id_name_add(struct strbuf *name, struct slice field)
{
	strbuf_addc(name, '|');
	for (size_t i = 0; i < field.n; i++) {
		if (field.p[i] == '|' || field.p[i] == '\\')
			strbuf_addc(name, '\\');
		strbuf_addc(name, field.p[i]);
	}
}

struct slice
id_name_uuid(struct arena *mem, const struct strbuf *name)
{
	char uuid[UUID_TEXT + 1];

	uuid_v5(uuid_ns_tocsin, strbuf_slice(name), uuid);
	return arena_slice(mem, slice_of(uuid));
}

struct slice
id_name_of(struct arena *mem, const char *head, const struct slice *fields, size_t n)
{
	struct strbuf name = STRBUF_INIT;
	struct slice uuid;

	strbuf_adds(&name, head);
	for (size_t i = 0; i < n; i++)
		id_name_add(&name, fields[i]);
	uuid = id_name_uuid(mem, &name);
	strbuf_fini(&name);
	return uuid;
}
