#include "adapters/taxii11_write.h"

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

void
taxii11_text(struct strbuf *b, struct slice s)
{
	struct strbuf mended = STRBUF_INIT;
	struct slice rest;

	utf8_mend(&mended, s);
	rest = strbuf_slice(&mended);
	while (rest.n > 0) {
		struct slice one = rest;
		uint32_t cp = utf8_next(&rest);

		if (cp == '<')
			strbuf_adds(b, "&lt;");
		else if (cp == '>')
			strbuf_adds(b, "&gt;");
		else if (cp == '&')
			strbuf_adds(b, "&amp;");
		else if (cp == '"')
			strbuf_adds(b, "&quot;");
		else if (cp == '\t' || cp == '\n' || cp == '\r')
			strbuf_addf(b, "&#%u;", (unsigned)cp);
		else if (cp < ' ' || cp == 0xfffe || cp == 0xffff)
			utf8_add(b, 0xfffd);
		else
			strbuf_add(b, one.p, one.n - rest.n);
	}
	strbuf_fini(&mended);
}

void
taxii11_attr(struct strbuf *b, const char *name, struct slice value)
{
	strbuf_addf(b, " %s=\"", name);
	taxii11_text(b, value);
	strbuf_addc(b, '"');
}

void
taxii11_leaf(struct strbuf *b, const char *name, struct slice text)
{
	strbuf_addf(b, "<taxii_11:%s>", name);
	taxii11_text(b, text);
	strbuf_addf(b, "</taxii_11:%s>", name);
}

void
taxii11_time(struct strbuf *b, const char *name, int64_t us)
{
	char text[STAMP_TEXT + 1];

	stamp_text(us, text);
	taxii11_leaf(b, name, slice_of(text));
}

void
taxii11_begin(struct strbuf *b, const char *message, struct slice to)
{
	char uuid[UUID_TEXT + 1];

	uuid_v4(uuid);
	strbuf_addf(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<taxii_11:%s xmlns:taxii_11=\"" TAXII11_NS "\" message_id=\"urn:uuid:%s\"", message, uuid);
	taxii11_attr(b, "in_response_to", to);
}

void
taxii11_end(struct strbuf *b, const char *message)
{
	strbuf_addf(b, "</taxii_11:%s>\n", message);
}

void
taxii11_status(struct strbuf *b, struct slice to, const struct taxii11_status *s)
{
	taxii11_begin(b, "Status_Message", to);
	taxii11_attr(b, "status_type", slice_of(s->type));
	strbuf_addc(b, '>');
	if (s->n > 0)
		strbuf_adds(b, "<taxii_11:Status_Detail>");
	for (size_t i = 0; i < s->n; i++) {
		strbuf_addf(b, "<taxii_11:Detail name=\"%s\">", s->detail);
		taxii11_text(b, s->values[i]);
		strbuf_adds(b, "</taxii_11:Detail>");
	}
	if (s->n > 0)
		strbuf_adds(b, "</taxii_11:Status_Detail>");
	if (s->why != NULL)
		taxii11_leaf(b, "Message", slice_of(s->why));
	taxii11_end(b, "Status_Message");
}
