/* cybox_mail.c -- messages and what is attached to them (see cybox_impl.h). */
#include "formats/cybox_impl.h"

/* EmailMessageObj: attachments are other objects. */
static void
read_attachments(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	(void)row;
	for (struct xml_node *el = cx_child(at, "File"); el != NULL; el = cx_again(el)) {
		struct cx *file, *item;

		if (rd->deep >= CX_DEEP)
			return;
		rd->deep++;
		file = cx_read_properties(rd, el);
		rd->deep--;
		if (file == NULL || !(slice_is(file->type, "file") || slice_is(file->type, "artifact"))) {
			cx_tell(rd, CYBOX_REFERENCE, el, "an attachment that is no file");
			continue;
		}
		item = cx_make(rd->mem, into, "body_multipart*.body_raw_ref", CX_OBJECT);
		cx_adopt(item, file);
	}
}

static void
write_attachments(struct cx_writer *w, const struct cx_row *row, struct cx *from,
    struct xml_node *props)
{
	struct cx *list = cx_find(from, "body_multipart");

	for (struct cx *part = list == NULL ? NULL : list->first; part != NULL; part = part->next) {
		struct cx *file = cx_find(part, "body_raw_ref");
		struct slice id;

		if (file == NULL || file->kind != CX_OBJECT)
			continue;
		if ((id = cx_write_related(w, file, "Contains")).n > 0)
			xml_set(w->mem, cx_element(w, props, arena_fmt(w->mem, "%s/File*", row->xml)),
			    "object_reference", id);
	}
}

static const struct cx_hook attachments = { read_attachments, write_attachments };

/* The body of a message with attachments is one part of several. */
static void
read_body(struct cx_reader *rd, const struct cx_row *row, struct xml_node *at, struct cx *into)
{
	bool parts = cx_child(at->parent, "Attachments") != NULL && !rd->pattern;

	(void)row;
	cx_take(rd, into, parts ? "body_multipart*.body" : "body", CXC_EXACT, at);
}

static void
write_body(struct cx_writer *w, const struct cx_row *row, struct cx *from, struct xml_node *props)
{
	struct cx *body = cx_find(from, "body"), *list = cx_find(from, "body_multipart");

	for (struct cx *part = list == NULL ? NULL : list->first; part != NULL && body == NULL;
	    part = part->next)
		body = cx_find(part, "body");
	if (body != NULL && body->kind == CX_LEAF)
		cx_put(w, props, row->xml, CXC_EXACT, body);
}

static const struct cx_hook body = { read_body, write_body };

#define FIELD(x, name)	ROW("Header/" x, "additional_header_fields." name, CXC_TEXT)
static const struct cx_row email_rows[] = {
	ANY_SUB("Header/To/Recipient*", "to_refs*", cx_address),
	ANY_SUB("Header/CC/Recipient*", "cc_refs*", cx_address),
	ANY_SUB("Header/BCC/Recipient*", "bcc_refs*", cx_address),
	SUB("Header/From", "from_ref", cx_address),
	ROW("Header/Subject", "subject", CXC_TEXT),
	FIELD("In_Reply_To", "In-Reply-To"),
	ROW("Header/Date", "date", CXC_TIME),
	ROW("Header/Message_ID", "message_id", CXC_TEXT),
	SUB("Header/Sender", "sender_ref", cx_address),
	ROW("Header/Reply_To/AddressObj:Address_Value", "additional_header_fields.Reply-To", CXC_TEXT),
	FIELD("Errors_To", "Errors-To"), FIELD("Boundary", "Boundary"),
	ROW("Header/Content_Type", "content_type", CXC_TEXT),
	FIELD("MIME_Version", "MIME-Version"), FIELD("Precedence", "Precedence"),
	FIELD("User_Agent", "User-Agent"), FIELD("X_Mailer", "X-Mailer"),
	ROW("Header/X_Originating_IP/AddressObj:Address_Value",
	    "additional_header_fields.X-Originating-IP", CXC_TEXT),
	FIELD("X_Priority", "X-Priority"),
	HOOK("Raw_Body", "body", body),
	HOOK("Attachments", "body_multipart", attachments),
	ROW_END
};
static const struct cx_type email = {
	"EmailMessageObjectType", "EmailMessageObj", "email-message", NULL, email_rows, NULL, false
};

const struct cx_type *const cx_mail_types[] = { &email, NULL };
