/*
 * rid.h -- RID (RFC 6545): an envelope of policy and status around an IODEF document, v1 or v2.
 *
 * The document becomes STIX, the envelope does not: it is the advisory's `envelope`, JSON of its own
 *
 *	{"rid": {"msg_type": "Report", "destination": "RIDSystem", "lang": "en",
 *	  "regions": ["PeerToPeer"], "traffic_types": ["Attack"], "restriction": "need-to-know",
 *	  "node": NODE, "incident_id": {"name": "cert.example", "id": "7", "instance": "a"},
 *	  "iodef": "1.00", "url": "...",
 *	  "request_status": {"status": "Denied", "justification": "Encryption", "restriction": "..."},
 *	  "incident_source": {"found": true, "nodes": [NODE], "restriction": "..."},
 *	  "signatures": ["<Signature ...>"]}}
 *
 *	NODE	{"names": ["host"], "addresses": [{"category": "ipv4-addr", "value": "192.0.2.1"}],
 *		"xml": "<Node ...>"}; xml only if it says more, and then it counts
 *
 * and a remark RID_ENVELOPE says its policy in one line, which a node keeps with every object of the
 * message. Words that RID does not know are ext-values. Where
 * RIDPolicy/@restriction is stricter than all that the document says, every Incident becomes as strict.
 *
 * Writing takes the envelope of the job, else that of the advisory; what is not said there is: a
 * Report, to a RIDSystem, PeerToPeer, about Attack traffic, from a Node of the CSIRT's name, IODEF
 * 2.00, with the first IncidentID and the strictest restriction of the document, whatever the
 * envelope says. An advisory without objects gives an envelope without document: a Query, an
 * Acknowledgement, an empty Report.
 *
 * Signatures are told of and never checked. They are not written either: they were made over the
 * sender's text, and this one is ours.
 *
 * Owns:    the envelope, both ways, and format_rid.
 * Called:  through the registry.
 * Never:   follows the URL, or believes a signature.
 */
#ifndef FORMATS_RID_H
#define FORMATS_RID_H

#include "formats/iodef2.h"
#include "gateway/base/json.h"

#define RID_NS		"urn:ietf:params:xml:ns:iodef-rid-2.0"
#define RID_NS_OLD	"urn:ietf:params:xml:ns:iodef-rid-1.0"	/* RFC 6045, obsolete */

/* Words of an attribute of RID; NULL if it is no enumeration. */
const char	*rid_words(const char *attr);
bool		 rid_has_word(const char *attr, struct slice word);

/* The strictest label that stands anywhere in a document of IODEF. */
enum tlp	 rid_strictest(const struct xml_node *doc, bool amber_strict);

/* The envelope as JSON: {"rid": {...}}, into the arena. */
struct slice	 rid_envelope(struct arena *mem, const struct xml_node *root);
/* The same in one line for people. */
struct slice	 rid_summary(struct arena *mem, const struct xml_node *root);
/* A Node of v1 as JSON, and back below `parent`. */
json		*rid_node_json(struct arena *mem, const struct xml_node *n);
struct xml_node	*rid_node_xml(struct arena *mem, const json *node);

int	rid_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e);
int	rid_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e);

#endif
