/*
 * taxii11_write.h -- answers of TAXII 1.1, as XML.
 *
 * Owns:    escaping, message heads, Status_Messages.
 * Called:  by taxii11*.c.
 * Never:   lets a character of a name or a text be read as markup, or writes what XML cannot hold.
 */
#ifndef ADAPTERS_TAXII11_WRITE_H
#define ADAPTERS_TAXII11_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/slice.h"

struct strbuf;

#define TAXII11_NS	"http://taxii.mitre.org/messages/taxii_xml_binding-1.1"
#define TAXII11_MESSAGE	"urn:taxii.mitre.org:message:xml:1.1"
#define TAXII11_SERVICES "urn:taxii.mitre.org:services:1.1"
#define TAXII11_HTTPS	"urn:taxii.mitre.org:protocol:https:1.0"
#define TAXII11_HTTP	"urn:taxii.mitre.org:protocol:http:1.0"
#define TAXII11_CONTENT	"urn:stix.mitre.org:xml:1.2"

/* Text or attribute value. */
void	taxii11_text(struct strbuf *b, struct slice s);
void	taxii11_attr(struct strbuf *b, const char *name, struct slice value);
void	taxii11_leaf(struct strbuf *b, const char *name, struct slice text);
void	taxii11_time(struct strbuf *b, const char *name, int64_t us);
/* The head of a message, without the `>` of its start tag; `to` is what it answers, "0" if that cannot be
 * told. */
void	taxii11_begin(struct strbuf *b, const char *message, struct slice to);
void	taxii11_end(struct strbuf *b, const char *message);

struct taxii11_status {
	const char	*type;		/* "NOT_FOUND" */
	const char	*why;		/* for people, or NULL */
	const char	*detail;	/* name of the details, or NULL */
	const struct slice *values;
	size_t		 n;
};
void	taxii11_status(struct strbuf *b, struct slice to, const struct taxii11_status *s);

#endif
