#include "gateway/admin_json.h"

#include <math.h>

#include "gateway/audit.h"
#include "gateway/base/clock.h"

void
admin_add_time(struct strbuf *b, const char *name, int64_t us)
{
	char text[STAMP_TEXT + 1];

	if (us <= 0 || us == INT64_MAX)
		return;
	stamp_text(us, text);
	audit_text(b, name, slice_of(text));
}

void
admin_add_bool(struct strbuf *b, const char *name, bool v)
{
	strbuf_addf(b, "%s\"%s\":%s", b->n > 0 ? "," : "", name, v ? "true" : "false");
}

void
admin_add_real(struct strbuf *b, const char *name, double v)
{
	strbuf_addf(b, v == floor(v) && fabs(v) < 1e15 ? "%s\"%s\":%.0f" : "%s\"%s\":%.9g",
	    b->n > 0 ? "," : "", name, v);
}

void
admin_add_item(struct strbuf *list, struct strbuf *inner)
{
	strbuf_addf(list, "%s{", list->n > 0 ? "," : "");
	strbuf_addsl(list, strbuf_slice(inner));
	strbuf_addc(list, '}');
	strbuf_fini(inner);
}

static void
add_in(struct strbuf *b, const char *name, const char *brackets, struct strbuf *inside)
{
	strbuf_addf(b, "%s\"%s\":%c", b->n > 0 ? "," : "", name, brackets[0]);
	strbuf_addsl(b, strbuf_slice(inside));
	strbuf_addc(b, brackets[1]);
	strbuf_fini(inside);
}

void
admin_add_list(struct strbuf *b, const char *name, struct strbuf *list)
{
	add_in(b, name, "[]", list);
}

void
admin_add_object(struct strbuf *b, const char *name, struct strbuf *members)
{
	add_in(b, name, "{}", members);
}
