/*
 * iodef_json.h -- JSON-IODEF (RFC 8727) as a spelling of IODEF v2: each tree of the one has one of
 * the other.
 *
 * Attributes and elements are members of their names; what may occur often is a list; texts and
 * numbers stand for elements that hold nothing else. RFC 8727 flattens some wrappers (Flow, Record,
 * IndicatorData, ApplicationHeader, SignatureData, ObservableReference): iodef_json_write.c and
 * iodef_json_read.c say how.
 *
 * What JSON cannot say (an order across names, a second DetectTime, foreign attributes) goes along as
 * AdditionalData name="iodef-xml" (iodef_carry.h). Members that IODEF does not know go along in XML as
 * AdditionalData name="json-members" dtype="json". Several Flows of an EventData become nested
 * EventData with one each, marked by AdditionalData name="iodef-flow"; marked ones become Flows
 * again.
 *
 * Decisions where RFC 8727 is silent: DigestMethod and CanonicalizationMethod are the plain URI;
 * X509Data is the DER of the only certificate in it, else the base64 of its XML, as are Signature
 * and RawData; a value of dtype "xml" is the text of the XML. stix-object is dtype "json" here and
 * "string" in XML.
 *
 * Not the same after JSON -> XML -> JSON: blanks around texts, numbers written as strings,
 * "version" (always "2.0"), a single object where a list belongs, XML text in another spelling than
 * ours, characters that XML cannot hold (U+FFFD).
 *
 * Owns:    the two native directions, and format_iodef_json.
 * Called:  by formats/iodef_json*.c only.
 * Never:   makes objects: iodef2_read_tree and iodef2_write_tree do.
 */
#ifndef FORMATS_IODEF_JSON_H
#define FORMATS_IODEF_JSON_H

#include "formats/iodef_carry.h"
#include "formats/ledger.h"
#include "gateway/base/json.h"

#define IODEF_JSON_CARRIED	"iodef-xml"
#define IODEF_JSON_MEMBERS	"json-members"
#define IODEF_JSON_FLOW		"iodef-flow"
#define IODEF_JSON_PLACE	"#part"		/* the place of a part (iodef_carry.h) */

enum { IODEF_JSON_UNKNOWN = 256 };	/* unknown members of one object that are kept */

/* Where a value stands in the input. */
struct iodef_json_place {
	const struct iodef_json_place	*up;
	const char			*name;	/* of the member; NULL: an element of a list */
	size_t				 index;
	const json			*node;
};

/* What a reader says about a value; `bad`: it cannot be taken as it is. */
struct iodef_json_reader {
	struct arena	*mem;
	struct ledger	*ledger;	/* NULL: no account wanted */
	bool		places;		/* IODEF_JSON_PLACE means something */
	void		(*remark)(struct iodef_json_reader *r, const struct iodef_json_place *at,
			    const char *code, const char *reason, bool bad);
};

/* Tree to JSON: the value of one element, natively. */
json		*iodef_json_value(struct arena *mem, const struct xml_node *n);
/* JSON to tree: elements say with `made_of` where they stood (struct iodef_json_place), attributes and
 * texts which value they were (json). `r->remark` NULL: nobody listens. */
struct xml_node	*iodef_json_document(struct iodef_json_reader *r, const json *root);
/* One element of that name as if it stood below `parent`, which does not know it. */
struct xml_node	*iodef_json_element(struct iodef_json_reader *r, struct xml_node *parent,
		    const char *name, const json *value);

/* Names (iodef_json_names.c). */
const char	*iodef_json_member(struct slice parent, const char *child);	/* of a child element */
const char	*iodef_json_text(struct slice name);	/* member that holds the text; NULL: none */
bool		 iodef_json_is_number(struct slice name, struct slice attr);
/* A number as JSON writes it. */
bool		 iodef_json_number(struct slice text);
/* The language that holds around n; a bare string of JSON is English. */
bool		 iodef_json_is_english(const struct xml_node *n);
/* Structured information of RFC 7203. */
bool		 iodef_json_is_sci(const struct xml_node *n);

/* Flows apart and together again (iodef_json_flows.c). */
void		 iodef_json_split(struct arena *mem, struct xml_node *n);
void		 iodef_json_join(struct xml_node *n);

#endif
