/*
 * shipped.h -- the objects that every Tocsin node ships, byte for byte the same.
 *
 * Owns:    the extension-definitions of our residue (mapping.md 1.3) and the identity that made them
 *          (rulings 6), as constants.
 * Called:  by translators while they mint: what an object refers to must be in the message.
 * Never:   adds an object twice.
 *
 * The identity is not added to messages: a created_by_ref may point outside, and a node's name in
 * every translated document would answer "who wrote this" wrongly.
 */
#ifndef FORMATS_SHIPPED_H
#define FORMATS_SHIPPED_H

#include "formats/object.h"

enum extension {
	EXTENSION_IODEF, EXTENSION_MISP, EXTENSION_CSAF, EXTENSION_STIX1, EXTENSION_INHOUSE,
	EXTENSION_STIX20, EXTENSIONS
};

const char	*extension_definition_id(enum extension which);
const char	*extension_definition_text(enum extension which);	/* one line of JSON */
const char	*tocsin_identity_id(void);
const char	*tocsin_identity_text(void);

/* Add the TLP 2.0 definition / extension-definition unless the advisory has it. 0 (TLP_UNSET adds
 * nothing); -1 never happens with the texts shipped here. */
int	advisory_add_marking(struct advisory *adv, struct arena *mem, enum tlp tlp);
int	advisory_add_extension(struct advisory *adv, struct arena *mem, enum extension which);

#endif
