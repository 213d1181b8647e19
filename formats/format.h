/*
 * format.h -- what a format is: bytes and an arena in, an advisory or an error out; and back.
 *
 * Owns:    the contract, and the registry (registry.c): one row a format.
 * Called:  by gateway/translate.c and `tocsin convert`.
 * Never:   a format opens no socket, clock, file or log and keeps no globals: it runs the same in a
 *          unit test, a fuzzer, the offline translator and a cage.
 *
 * Every format translates to and from STIX 2.1 objects, never to another format.
 */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "formats/loss.h"
#include "formats/object.h"
#include "gateway/base/digest.h"

struct mapping;		/* a mapping file, compiled (formats/mapped.h) */

struct format_limits {		/* 0 = the default in brackets */
	size_t	bytes;		/* of the whole input [64 MiB] */
	size_t	object_bytes;	/* of one object, Incident or record [8 MiB] */
	size_t	objects;	/* in one input [100,000] */
	unsigned depth;		/* of nesting [128 JSON, 64 XML] */
};

/* What stands beside the objects of a TAXII envelope between two of our kind (rulings 25). */
struct relay_member {
	struct slice	text;		/* of the member x_tocsin; empty if there is none */
	uint8_t		digest[SHA256_LEN];	/* over the text of every object, each followed by LF */
};

struct read_job {
	struct slice		 in;
	const uint8_t		*sha256;	/* of `in`, if the caller has it anyway; else NULL */
	const char		*input;		/* name for messages: a file, "POST body" */
	struct slice		 received;	/* RFC 3339 UTC: the only *now* a reader may use */
	struct format_limits	 limits;
	const struct mapping	*mapping;	/* format `mapped` only */
	bool			 strict;	/* refuse what tolerant mode warns about */
	bool			 envelope;	/* stix21: a TAXII envelope, nothing else */
	bool			 bundle;	/* with `envelope`: it is a bundle (TAXII 2.0) */
	bool			 iodef_amber_strict; /* read IODEF `amber` as AMBER+STRICT (rulings 8) */
	bool			 in_stays;	/* `in` outlives `mem`: it need not be copied */
	/* NULL, or told now and then (lean) that nothing before a place is looked at for a while. */
	void			(*passed)(void *arg, const char *place);
	void			*passed_arg;
	bool			 lean;		/* stix21, in_stays: save memory, make no trees */
	struct relay_member	*relay;		/* stix21, envelope: filled; NULL: not wanted */
	struct loss		*loss;		/* NULL: no account wanted */
};

struct write_job {
	const struct advisory	*adv;
	struct slice		 received;	/* RFC 3339 UTC: the only *now* a writer may use */
	const char		*csirt;		/* FQDN for IncidentID@name and the like */
	const char		*csirt_contact;	/* mail address for a generated creator Contact */
	const struct mapping	*mapping;
	bool			 no_residue;	/* do not carry originals in extensions */
	bool			 pretty;	/* for people */
	/* Flat outputs: which of several endings ("ip" of txt:ip; NULL: all values), ' in front of
	 * formulas, and values of the warning list too. */
	const char		*kind;
	bool			 excel_safe, no_guard;
	struct loss		*loss;
};

struct format_ops {
	const char	*name;		/* "iodef2": in config, logs and the store */
	const char	*media_type;
	const char	*file_ending;	/* ".xml" */
	/* 0..100: how sure, from the first bytes (up to 4 KiB). */
	int	(*sniff)(struct slice head);
	/* 0 when the input could be read, even if single objects were refused (adv->verdicts say
	 * which and why); -1 when nothing could (*e says where and why). */
	int	(*read)(const struct read_job *job, struct arena *mem, struct advisory *adv,
		    struct err *e);
	/* How many elements it has, of which `read` would make an object or a refusal each; -1 and *e
	 * where it would say so too. NULL: nobody asks. */
	int	(*count)(const struct read_job *job, struct arena *mem, size_t *n, struct err *e);
	/* Append the text. -1 only when nothing sensible can be written. Scratch memory comes from
	 * `mem`. */
	int	(*write)(const struct write_job *job, struct arena *mem, struct strbuf *out,
		    struct err *e);
};

/* The rows; format_mapped is one of them and needs job->mapping. */
extern const struct format_ops *const formats[];	/* ends with NULL */
extern const struct format_ops format_stix21, format_iodef2, format_mapped;
extern const struct format_ops format_csv, format_jsonl, format_txt, format_hosts, format_suricata,
    format_dataset, format_zeek, format_wazuh;

/* Flat outputs (flat.h): no sniff, no read; `tocsin convert --to`. */
extern const struct format_ops *const format_writers[];	/* ends with NULL */

/* SHA-256 of the input: the caller's, or computed here. */
void			 format_digest(const struct read_job *job, uint8_t out[32]);
const struct format_ops	*format_find(struct slice name);	/* NULL if unknown */
/* Of both lists, "txt:ip" by what stands before the colon; NULL if unknown. */
const struct format_ops	*format_find_writer(struct slice name);
/* The surest sniffer, NULL if none is surer than 0. `mapped` never sniffs. */
const struct format_ops	*format_sniff(struct slice head);

#endif
