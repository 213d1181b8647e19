/*
 * tlp_vocab.h -- the text of an object with its TLP markings said in the vocabulary that a consumer reads.
 *
 * Owns:    which of the fixed marking ids stand in object_marking_refs (and as marking_ref of
 *          granular_markings); all else stays as it was sent, byte for byte.
 * Called:  by who serves consumers of relation own (rulings 5): taxii_write.c, feeds.
 * Never:   weakens a label: AMBER+STRICT has no TLP 1.0 id, so policy withholds such an object from who
 *          reads 1.0 alone (LABEL_VOCAB), and here it stays what it was.
 */
#ifndef FORMATS_TLP_VOCAB_H
#define FORMATS_TLP_VOCAB_H

#include "gateway/base/slice.h"

struct strbuf;

enum tlp_vocab {
	TLP_VOCAB_AS_SENT,
	TLP_VOCAB_1,		/* TLP 1.0 ids in place of 2.0 ones */
	TLP_VOCAB_2,		/* the other way round */
	TLP_VOCAB_BOTH		/* each label by both of its ids; a marking_ref holds one and stays */
};

/* Append the object's text. */
void	tlp_vocab_write(struct strbuf *out, struct slice object, enum tlp_vocab vocab);

#endif
