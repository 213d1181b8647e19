/*
 * taxii11.h -- messages of TAXII 1.1: what one asks, as a small JSON; and the STIX 1.x that one carries.
 *
 * The first is for a worker, which parses no foreign XML (gateway/translator.h):
 *
 *	{"message": "Poll_Request", "id": "7", "collection": "box", "begin_us": 1, "end_us": 2,
 *	  "response": "COUNT_ONLY", "subscription": true, "parameters": true, "query": true,
 *	  "bindings": ["urn:..."], "result": "R", "part": 2, "destinations": ["box"], "blocks": 3,
 *	  "readable": 2}
 *
 * Members that the message does not have are absent. A message that is no good, but says its id, is
 * {"id": "7", "wrong": "why"}; one of another kind than we serve has "unknown": true too.
 *
 * The second is format_taxii11: an Inbox_Message or a saved Poll_Response. Every Content_Block of a
 * STIX 1.x binding is read as the format stix1; another, or one that cannot be read, is a refusal of its
 * own. What stands around them is the advisory's envelope:
 *
 *	{"taxii11": {"message": "Inbox_Message", "xml": "<..."}}
 *
 * Owns:    how TAXII 1.1 messages are read.
 * Called:  taxii11_ask by translator_text.c, the format through the registry.
 * Never:   checks a signature, or lets one bad block cost the others.
 */
#ifndef FORMATS_TAXII11_H
#define FORMATS_TAXII11_H

#include "formats/format.h"

struct strbuf;

#define TAXII11_NS	"http://taxii.mitre.org/messages/taxii_xml_binding-1.1"

int	taxii11_ask(struct slice in, struct arena *mem, struct strbuf *out, struct err *e);
/* Is this the name of a version of STIX 1.x? */
bool	taxii11_is_stix(struct slice binding);

int	taxii11_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);

#endif
