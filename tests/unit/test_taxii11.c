/* If this fails, a worker misunderstands what an older client asks, or blocks of its messages are lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/taxii11_write.h"
#include "formats/taxii11.h"
#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define HEAD(name)	"<" name " xmlns='http://taxii.mitre.org/messages/taxii_xml_binding-1.1' "
#define MSG(name, attrs, inner) HEAD(name) "message_id='7' " attrs ">" inner "</" name ">"
#define TIMES(a, b)	"<Exclusive_Begin_Timestamp>" a "</Exclusive_Begin_Timestamp>" \
	"<Inclusive_End_Timestamp>" b "</Inclusive_End_Timestamp>"
#define BLOCK(binding, content) "<Content_Block><Content_Binding binding_id='" binding "'/><Content>" content \
	"</Content></Content_Block>"
#define STIX		"urn:stix.mitre.org:xml:1.2"
#define PACKAGE(title)	"<s:STIX_Package id='e:package-1' version='1.2' timestamp='2026-01-01T00:00:00Z' " \
	"xmlns:s='http://stix.mitre.org/stix-1' xmlns:e='http://example.com/' " \
	"xmlns:i='http://stix.mitre.org/Indicator-2' xmlns:c='http://cybox.mitre.org/cybox-2' " \
	"xmlns:a='http://cybox.mitre.org/objects#AddressObject-2' " \
	"xmlns:x='http://www.w3.org/2001/XMLSchema-instance'><s:Indicators><s:Indicator x:type='i:IndicatorType' " \
	"id='e:indicator-1' timestamp='2026-01-01T00:00:00Z'><i:Title>" title "</i:Title><i:Observable><c:Object>" \
	"<c:Properties x:type='a:AddressObjectType' category='ipv4-addr'><a:Address_Value condition='Equals'>" \
	"192.0.2.1</a:Address_Value></c:Properties></c:Object></i:Observable></s:Indicator></s:Indicators>" \
	"</s:STIX_Package>"

static const struct {
	const char *in, *want;	/* want: all of the JSON, or a part of the reason */
} questions[] = {
	{ MSG("Discovery_Request", "", ""), "{\"id\":\"7\",\"message\":\"Discovery_Request\"}" },
	{ MSG("Poll_Request", "collection_name='b'", TIMES("1970-01-01T00:00:01Z", "1970-01-01T01:00:02+01:00")
	    "<Poll_Parameters><Response_Type>COUNT_ONLY</Response_Type><Content_Binding binding_id='x'/>"
	    "</Poll_Parameters>"),
	    "{\"id\":\"7\",\"message\":\"Poll_Request\",\"collection\":\"b\",\"begin_us\":1000000,\"end_us\":2000000,"
	    "\"response\":\"COUNT_ONLY\",\"bindings\":[\"x\"],\"parameters\":true}" },
	{ MSG("Poll_Fulfillment", "collection_name='b' result_id='r' result_part_number='3'", ""),
	    "{\"id\":\"7\",\"message\":\"Poll_Fulfillment\",\"collection\":\"b\",\"result\":\"r\",\"part\":3}" },
	{ MSG("Inbox_Message", "", "<Destination_Collection_Name>b</Destination_Collection_Name>"
	    BLOCK(STIX, "") BLOCK("urn:x", "")), "{\"id\":\"7\",\"message\":\"Inbox_Message\",\"destinations\":[\"b\"],"
	    "\"blocks\":2,\"readable\":1}" },
	{ MSG("Coffee", "", ""),
	    "{\"id\":\"7\",\"unknown\":true,\"wrong\":\"nobody answers a Coffee here\"}" },
	{ HEAD("Discovery_Request") "/>", "message_id is missing" },
	{ "<Discovery_Request message_id='1'/>", "not of namespace" },
	{ "<!DOCTYPE x []><x/>", "DOCTYPE" },
};

static void
questions_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(questions); i++) {
		struct arena *mem = arena_new();
		struct strbuf b = STRBUF_INIT;
		struct err e = ERR_INIT;

		if (taxii11_ask(slice_of(questions[i].in), mem, &b, &e) == 0)
			assert_string_equal(b.p, questions[i].want);
		else if (strstr(e.reason, questions[i].want) == NULL)
			fail_msg("%s: %s", questions[i].in, e.reason);
		strbuf_fini(&b);
		arena_free(mem);
	}
}

static const struct { const char *in; } broken[] = {
	{ MSG("Poll_Request", "", "<Poll_Parameters/>") },
	{ MSG("Poll_Request", "collection_name='b'", "") },
	{ MSG("Poll_Request", "collection_name='b'", "<Subscription_ID>1</Subscription_ID><Poll_Parameters/>") },
	{ MSG("Poll_Request", "collection_name='b'", TIMES("1970-01-01T00:00:01", "x") "<Poll_Parameters/>") },
	{ MSG("Poll_Fulfillment", "collection_name='b' result_id='r' result_part_number='0'", "") },
	{ MSG("Poll_Fulfillment", "collection_name='b' result_id='r' result_part_number='99999999999999999999'",
	    "") },
	{ MSG("Poll_Fulfillment", "collection_name='b'", "") },
};

static void
broken_questions_keep_their_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(broken); i++) {
		struct arena *mem = arena_new();
		struct strbuf b = STRBUF_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(taxii11_ask(slice_of(broken[i].in), mem, &b, &e), 0);
		if (strstr(b.p, "\"wrong\":") == NULL || strstr(b.p, "{\"id\":\"7\"") == NULL)
			fail_msg("%s: %s", broken[i].in, b.p);
		strbuf_fini(&b);
		arena_free(mem);
	}
}

static int
read_text(struct arena *mem, const char *text, struct advisory *adv, struct loss *loss)
{
	struct read_job job = { .in = slice_of(text), .input = "t", .received = SLICE_LIT("2026-01-01T00:00:00Z"),
		.loss = loss };
	struct err e = ERR_INIT;

	memset(adv, 0, sizeof(*adv));
	loss_init(loss, mem);
	return taxii11_read(&job, mem, adv, &e);
}

static size_t
count_code(const struct advisory *adv, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < adv->nverdicts; i++)
		n += strcmp(adv->verdicts[i].code, code) == 0;
	return n;
}

static void
every_block_is_an_object_or_a_refusal(void **state)
{
	struct arena *mem = arena_new();
	struct advisory adv;
	struct loss loss;

	(void)state;
	assert_int_equal(read_text(mem, MSG("Inbox_Message", "", BLOCK(STIX, PACKAGE("One"))
	    BLOCK(STIX, PACKAGE("One")) BLOCK(STIX, PACKAGE("Two")) BLOCK("urn:x", "x") BLOCK(STIX, "<x/>")
	    BLOCK(STIX, "&lt;broken")), &adv, &loss), 0);
	assert_true(adv.n > 0);
	assert_int_equal(count_code(&adv, "UNSUPPORTED_CONTENT"), 1);
	assert_int_equal(count_code(&adv, "BAD_CONTENT"), 2);
	assert_int_equal(count_code(&adv, "VERSION_CONFLICT"), 1);
	for (size_t i = 0; i < adv.nverdicts; i++)
		if (strcmp(adv.verdicts[i].code, "BAD_CONTENT") == 0)
			assert_int_equal(strncmp(adv.verdicts[i].err.path, "Content_Block[", 14), 0);
	assert_true(loss.count[LOSS_DROPPED] > 0 && loss.count[LOSS_MOVED] > 0);
	assert_non_null(strstr(adv.envelope.p, "Inbox_Message"));
	arena_free(mem);
}

static void
text_may_hold_a_package(void **state)
{
	struct arena *mem = arena_new();
	struct advisory adv;
	struct loss loss;

	(void)state;
	assert_int_equal(read_text(mem, MSG("Poll_Response", "collection_name='b'",
	    BLOCK(STIX, "<![CDATA[" PACKAGE("One") "]]>")), &adv, &loss), 0);
	assert_true(adv.n > 0);
	assert_int_equal(count_code(&adv, "BAD_CONTENT"), 0);
	assert_int_equal(read_text(mem, MSG("Discovery_Request", "", ""), &adv, &loss), -1);
	arena_free(mem);
}

static void
only_messages_with_content_are_sniffed(void **state)
{
	(void)state;
	assert_ptr_equal(format_sniff(SLICE_LIT(MSG("Inbox_Message", "", ""))), &format_taxii11);
	assert_ptr_equal(format_sniff(SLICE_LIT(PACKAGE("x"))), &format_stix1);
}

static void
texts_are_no_markup(void **state)
{
	const struct slice value = SLICE_LIT("<a&\"\x01\xff>");
	struct taxii11_status s = { .type = "NOT_FOUND", .why = "]]>", .detail = "ITEM", .values = &value, .n = 1 };
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct xml_node *root;
	struct err e = ERR_INIT;

	(void)state;
	taxii11_status(&b, SLICE_LIT("'\"<&"), &s);
	assert_int_equal(xml_parse(strbuf_slice(&b), NULL, mem, &root, &e), 0);
	assert_true(slice_is(xml_value(root, "in_response_to"), "'\"<&"));
	assert_true(slice_is(xml_text(xml_get(xml_get(root, "Status_Detail"), "Detail"), mem),
	    "<a&\"\xef\xbf\xbd\xef\xbf\xbd>"));
	strbuf_fini(&b);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_understood),
		cmocka_unit_test(broken_questions_keep_their_id),
		cmocka_unit_test(every_block_is_an_object_or_a_refusal),
		cmocka_unit_test(text_may_hold_a_package),
		cmocka_unit_test(only_messages_with_content_are_sniffed),
		cmocka_unit_test(texts_are_no_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
