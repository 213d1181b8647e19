/* shipped.c -- see shipped.h. The texts are published: never change one, make a new version of it. */
#include "formats/shipped.h"

#include "gateway/base/arena.h"

#define IDENTITY_ID	"identity--3e97fc00-a345-58a6-8989-a34dd8fe243b"
#define SHIPPED_AT	"2026-01-01T00:00:00.000Z"
#define TLP_CLEAR_ID	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"

#define DEFINITION(id, name, description)						\
	"{\"type\":\"extension-definition\",\"spec_version\":\"2.1\",\"id\":\"" id "\","	\
	"\"created_by_ref\":\"" IDENTITY_ID "\",\"created\":\"" SHIPPED_AT "\","		\
	"\"modified\":\"" SHIPPED_AT "\",\"name\":\"" name "\","				\
	"\"description\":\"" description "\",\"schema\":\"described in the documentation of "	\
	"Tocsin, formats/README.md\",\"version\":\"1.0.0\","					\
	"\"extension_types\":[\"property-extension\"],"					\
	"\"object_marking_refs\":[\"" TLP_CLEAR_ID "\"]}"

#define IODEF_ID	"extension-definition--751c8c48-cad3-4162-ab5e-affd5ad74701"
#define MISP_ID		"extension-definition--3c03603b-d9b7-4640-89a6-338259c7b016"
#define CSAF_ID		"extension-definition--3a7a5b97-c521-46ca-ba1a-c8d35dad3e07"
#define STIX1_ID	"extension-definition--22f7e26a-b629-40ac-979d-c7571c2b97e0"
#define STIX20_ID	"extension-definition--02df00b2-8094-4903-943b-0b1841b95e70"
#define INHOUSE_ID	"extension-definition--5b39d042-93f7-445d-853d-1c1ea7465343"

static const struct {
	const char	*id;
	const char	*text;
} extensions[EXTENSIONS] = {
	[EXTENSION_IODEF] = { IODEF_ID, DEFINITION(IODEF_ID, "Tocsin IODEF residue",
	    "What an IODEF document said that STIX cannot say: attributes and elements kept so that "
	    "the way back restores them.") },
	[EXTENSION_MISP] = { MISP_ID, DEFINITION(MISP_ID, "Tocsin MISP residue",
	    "What a MISP event said that STIX cannot say, kept so that the way back restores it.") },
	[EXTENSION_CSAF] = { CSAF_ID, DEFINITION(CSAF_ID, "Tocsin CSAF residue",
	    "What a CSAF document said that STIX cannot say, kept so that the way back restores "
	    "it.") },
	[EXTENSION_STIX1] = { STIX1_ID, DEFINITION(STIX1_ID, "Tocsin STIX 1.x residue",
	    "What a STIX 1.x package said that STIX 2.1 cannot say, kept so that the way back "
	    "restores it.") },
	[EXTENSION_INHOUSE] = { INHOUSE_ID, DEFINITION(INHOUSE_ID, "Tocsin in-house fields",
	    "Fields of an in-house record that no STIX property holds, by name.") },
	[EXTENSION_STIX20] = { STIX20_ID, DEFINITION(STIX20_ID, "Tocsin STIX 2.0 residue",
	    "What a STIX 2.0 object said that STIX 2.1 says otherwise, kept so that the way back "
	    "restores it.") },
};

static const char identity_text[] =
	"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"" IDENTITY_ID "\","
	"\"created\":\"" SHIPPED_AT "\",\"modified\":\"" SHIPPED_AT "\",\"name\":\"Tocsin\","
	"\"description\":\"The Tocsin exchange gateway, as the author of the extension definitions "
	"it ships.\",\"identity_class\":\"system\",\"object_marking_refs\":[\"" TLP_CLEAR_ID "\"]}";

/* Return the id of an extension-definition of ours. */
const char *
extension_definition_id(enum extension which)
{
	return extensions[which].id;
}

/* Return the text of an extension-definition of ours. */
const char *
extension_definition_text(enum extension which)
{
	return extensions[which].text;
}

/* Return the id of the identity that made our extension-definitions. */
const char *
tocsin_identity_id(void)
{
	return IDENTITY_ID;
}

/* Return the text of that identity. */
const char *
tocsin_identity_text(void)
{
	return identity_text;
}

/* True if the advisory holds an object with this id; definitions stand first in what we mint. */
static bool
has_object(const struct advisory *adv, const char *id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].id, id))
			return true;
	return false;
}

/* Add the TLP 2.0 definition of a level unless it is there. */
int
advisory_add_marking(struct advisory *adv, struct arena *mem, enum tlp tlp)
{
	if (tlp == TLP_UNSET || has_object(adv, tlp_marking_id(tlp)))
		return 0;
	return advisory_mint(adv, mem, tlp_marking_object(mem, tlp), NULL);
}

/* Add one of our extension-definitions unless it is there. */
int
advisory_add_extension(struct advisory *adv, struct arena *mem, enum extension which)
{
	struct json_doc doc;

	if (has_object(adv, extensions[which].id))
		return 0;
	if (json_parse(slice_of(extensions[which].text), NULL, mem, &doc, NULL) < 0)
		return -1;
	return advisory_mint(adv, mem, doc.root, NULL);
}
