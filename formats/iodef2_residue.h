/*
 * iodef2_residue.h -- how the originals travel, so that both ways home restore them.
 *
 * Owns:    the names and forms below; the reader and the writer of IODEF v2 share nothing else.
 * Called:  by iodef2_read*.c and iodef2_write*.c.
 * Never:   decides who may see a residue: it sits on the element or object whose label covers it.
 *
 * STIX -> IODEF -> STIX (mapping.md 1.5, 1.7)
 *   AdditionalData name="stix-object" dtype="string" formatid="application/stix+json;version=2.1"
 *	meaning="original object; sha256=H[; path=P P ...]"	text = the object, verbatim
 *	meaning="no original; sha256=H[; path=P]"		text empty: an element that we had to
 *					invent (a default Incident, a mandatory Contact). Intact:
 *					it gives no object. Changed: map it natively.
 *	P: steps from the parent, "EventData[1]/Expectation[2]", 1-based among equal names. H: SHA-256
 *	over the canonical forms of these elements one after the other, without path of the parent
 *	itself. "sha256=-": no native element, the object stands only here. The subtree under a
 *	covered element that is intact gives nothing natively.
 *   AdditionalData name="stix-bundle" at the end of the document
 *	meaning="original bundle; sha256=H"	H over the root; text {"id":"bundle--...",
 *	"objects":["ID MODIFIED", ...]}: id and order. H intact = the result is exactly those objects
 *	from the residues. Canonical form drops every AdditionalData whose name starts "stix-".
 *
 * IODEF -> STIX -> IODEF (mapping.md 3.9)
 *   extensions[IODEF_EXTENSION] = { "extension_type": "property-extension", "iodef": {
 *	"version": "2.00", "element": "Indicator",
 *	"xml": the element as it came, with its namespace declarations; every element under it that
 *	    has an iodef residue of its own on another object is cut out and replaced by the processing
 *	    instruction <?tocsin-object ID?>, so that no label leaks through another object's residue,
 *	"objects": [ids that were derived from this element, this object first],
 *	"sha256": over the JCS texts of these objects in that order, one after the other, each without
 *	    its extensions[IODEF_EXTENSION] (and without an `extensions` that is then empty),
 *	"document": on the first report only: the root's attributes and AdditionalData, as an
 *	    IODEF-Document element in which each Incident is <?tocsin-object REPORT-ID?> } }
 *   The writer: all objects there and sha256 right = the xml is emitted as it came; an object that is
 *   not there (withheld, deleted) loses its placeholder; a changed one is written natively at its
 *   placeholder.
 */
#ifndef FORMATS_IODEF2_RESIDUE_H
#define FORMATS_IODEF2_RESIDUE_H

#define IODEF_EXTENSION		"extension-definition--751c8c48-cad3-4162-ab5e-affd5ad74701"
#define IODEF_RESIDUE_NAME	"stix-object"
#define IODEF_BUNDLE_NAME	"stix-bundle"
#define IODEF_RESIDUE_FORMAT	"application/stix+json;version=2.1"
#define IODEF_PLACEHOLDER	"tocsin-object"		/* processing instruction target */

#endif
