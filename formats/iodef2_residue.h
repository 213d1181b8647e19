/*
 * iodef2_residue.h -- how STIX objects travel in IODEF, so that the way home restores them.
 *
 * Owns:    the forms below (mapping.md 1.5, 1.7). The other direction is described in iodef2.h.
 * Called:  by iodef2_read*.c and iodef2_write*.c.
 * Never:   decides who may see a residue: it carries the restriction of its object.
 *
 * AdditionalData name="stix-object" dtype="string" formatid="application/stix+json;version=2.1"
 *	meaning="original object; sha256=H[; path=P P ...]"
 *	text = the object's JSON, verbatim; only U+007F, U+FFFE, U+FFFF and the like are \uXXXX
 *	P: steps from the parent, "Flow[1]/System[2]", 1-based among equal names. H: SHA-256 over the
 *	canonical forms of these elements one after the other; without path over the parent itself.
 *	"sha256=-": no native element, the object stands only here. The subtree under an intact
 *	element (one whose H fits) gives nothing natively. The residue of a report, grouping or
 *	incident sits in the Incident and lists the Incident's own leaves as paths, so that an edit of
 *	one Indicator does not touch it; an Incident that holds one gives no report or incident of its
 *	own. If a merge changes no property, the original stays as it is.
 *
 * AdditionalData name="stix-generated" dtype="boolean", "true": in an element that had to be made
 *	without an object of its own (see iodef2.h).
 *
 * AdditionalData name="stix-bundle" dtype="string", last in the IODEF-Document
 *	meaning="original bundle; sha256=H", H over the root element without path
 *	text {"id":"bundle--...","csirt":"...","objects":["ID VERSION", ...]}: id and order of the
 *	objects, VERSION = struct object.version; csirt = the name that the writer went by. H fits and
 *	every listed object is among the residues: the result is exactly these objects in this order,
 *	nothing is derived. H does not fit: element by element; what is derived between two objects
 *	that came from residues (relationships) is left out, the restored ones are put in this order,
 *	new ones follow.
 *
 * The canonical form under H leaves out every AdditionalData whose name starts with "stix-".
 */
#ifndef FORMATS_IODEF2_RESIDUE_H
#define FORMATS_IODEF2_RESIDUE_H

#define IODEF2_RESIDUE_OBJECT		"stix-object"
#define IODEF2_RESIDUE_GENERATED	"stix-generated"
#define IODEF2_RESIDUE_BUNDLE		"stix-bundle"
#define IODEF2_RESIDUE_FORMAT		"application/stix+json;version=2.1"
#define IODEF2_RESIDUE_MEANING		"original object; sha256="
#define IODEF2_RESIDUE_BUNDLE_MEANING	"original bundle; sha256="

#endif
