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

/*
 * A large input, read piece by piece:
 *
 *	in: { "objects": [ {...}, {...}, {...} ] }	<A><B>...</B><B>...</B></A>
 *	                   piece  piece  piece		  <A> + <B>...</B> + </A>, twice
 *
 * Each piece is a document of its own that `read` takes. What it finds there stands elsewhere in the
 * whole: whoever drives moves lines, offsets, ordinals and the first step of paths (format_piece_*).
 */
struct whole;			/* the format's own: what it must know of the rest */
struct read_piece {
	struct slice	 text;
	size_t		 skip;		/* bytes of `text` that were put in front */
	struct pos	 at;		/* where text.p[skip] stands in the input */
	size_t		 index;		/* of its first element among those of the input */
	/* "Incident": a path of the piece that begins "Incident[N]" is "Incident[index + N]" of the input,
	 * and what it says of other paths was said by the first piece. NULL: paths are the same in both. */
	const char	*element;
	bool		 conflict;	/* refuse its only object: an earlier one contradicts it */
	struct whole	*whole;
};

struct read_job {
	struct slice		 in;
	const struct read_piece	*piece;		/* `in` is the text of that; NULL: `in` is the input */
	const uint8_t		*sha256;	/* of `in`, if the caller has it anyway; else NULL */
	const char		*input;		/* name for messages: a file, "POST body" */
	struct slice		 received;	/* RFC 3339 UTC: the only *now* a reader may use */
	struct format_limits	 limits;
	const struct mapping	*mapping;	/* format `mapped` only */
	bool			 strict;	/* refuse what tolerant mode warns about */
	bool			 envelope;	/* stix21: a TAXII envelope, nothing else */
	bool			 bundle;	/* with `envelope`: it is a bundle (TAXII 2.0) */
	bool			 iodef_amber_strict; /* read IODEF `amber` as AMBER+STRICT (rulings 8) */
	/* misp: what sharing groups are to us, "UUID=amber+strict,UUID=green"; NULL: none is known. */
	const char		*misp_groups;
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
	struct slice		 envelope;	/* JSON for a format that has one (rid.h); empty: adv's */
	struct loss		*loss;
};

/* How an input is taken apart. What a piece gives must be what the whole would have given, to the byte. */
typedef bool	format_piece_fn(void *arg, const struct read_piece *piece);
struct format_split {
	/* Look through the input (job->in stays; `passed` is told). 1 and *out: it can be read in pieces;
	 * 0: only as a whole; -1 and *e: it is broken there. Heap. */
	int	(*open)(const struct read_job *job, struct whole **out, struct err *e);
	/* Every piece in its order, with texts that last until fn is back. False: fn said so. */
	bool	(*each)(struct whole *w, format_piece_fn *fn, void *arg);
	void	(*close)(struct whole *w);
	/* Pieces may give the same object (a definition, say): the first is enough. False: equal ones stay,
	 * as they would in a whole, and a contradiction is told. */
	bool	 joins;
	/* A piece is a container and all that it holds: one of those that a format_series writes. */
	bool	 containers;
	/* Up to so many bytes it costs little to read all of it at once. */
	size_t	 window;
};

/* A document written object by object: begin, look at all of them, head, put all of them, tail, end.
 * The objects have a header and bytes, but o->tree may be NULL. What goes out must be what `write` would
 * give. */
struct writing;
struct format_stream {
	/* `job` stays and has no adv. NULL and *e: it cannot be. */
	struct writing	*(*begin)(const struct write_job *job, struct err *e);
	void	(*look)(struct writing *w, const struct object *o);	/* NULL: there is no need to */
	int	(*head)(struct writing *w, struct strbuf *out, struct err *e);
	int	(*put)(struct writing *w, const struct object *o, struct strbuf *out, struct err *e);
	int	(*tail)(struct writing *w, struct strbuf *out, struct err *e);
	void	(*end)(struct writing *w);
};

/* A document of containers (Incidents, events), written a few at a time: begin, look at every object,
 * head, put every batch, then what no container took, tail, end. What goes out must be what `write` would
 * give for all of it (a marking-definition that its own container does not name may stand in another). */
struct batch {
	const struct advisory	*adv;
	size_t			 own;	/* the first of its objects; the others are written elsewhere */
	bool			*rest;	/* of the own: set for those that no container takes */
	bool			 last;	/* these are they: take them all */
};
struct format_series {
	struct writing	*(*begin)(const struct write_job *job, struct err *e);
	/* A header without a tree, of the latest version of each. */
	void	(*look)(struct writing *w, const struct object *o);
	/* 1: there is nothing to be gained, write it as a whole. */
	int	(*head)(struct writing *w, struct strbuf *out, struct err *e);
	int	(*put)(struct writing *w, const struct batch *b, struct strbuf *out, struct err *e);
	int	(*tail)(struct writing *w, struct strbuf *out, struct err *e);
	void	(*end)(struct writing *w);
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
	const struct format_split	*split;		/* NULL: an input is read as a whole only */
	/* Both NULL: a document is written as a whole only. */
	const struct format_stream	*stream;
	const struct format_series	*series;
};

/* The rows; format_mapped is one of them and needs job->mapping. */
extern const struct format_ops *const formats[];	/* ends with NULL */
extern const struct format_ops format_stix21, format_iodef2, format_mapped;
extern const struct format_ops format_iodef1, format_iodef_json, format_rid;
extern const struct format_ops format_misp;
extern const struct format_ops format_stix1, format_taxii11;
extern const struct format_ops format_misp_feed;	/* for feeds alone: in no list (misp_feed.c) */
extern const struct format_ops format_stix20;
extern const struct format_ops format_csaf;
extern const struct format_ops format_csv, format_jsonl, format_txt, format_hosts, format_suricata,
    format_dataset, format_zeek, format_wazuh;

/* Flat outputs (flat.h): no sniff, no read; `tocsin convert --to`. */
extern const struct format_ops *const format_writers[];	/* ends with NULL */

/* What `write` does for a format that has `stream`: all of job->adv, through it. */
int			 format_stream_all(const struct format_stream *s, const struct write_job *job,
			    struct strbuf *out, struct err *e);
/* Give a verdict, or a path of an account (made in `mem` if it changes), the place that it has in the
 * whole. False if it is not about this piece, and was told by the first. */
bool			 format_piece_verdict(const struct read_piece *piece, struct arena *mem,
			    struct verdict *v);
bool			 format_piece_path(const struct read_piece *piece, struct arena *mem,
			    const char **path);
/* SHA-256 of the input: the caller's, or computed here. */
void			 format_digest(const struct read_job *job, uint8_t out[32]);
const struct format_ops	*format_find(struct slice name);	/* NULL if unknown */
/* The names of formats[], NULL behind the last. */
enum { FORMATS_MAX = 32 };
void			 formats_list(const char *names[FORMATS_MAX]);
/* Of both lists, "txt:ip" by what stands before the colon; NULL if unknown. */
const struct format_ops	*format_find_writer(struct slice name);
/* For sniffers of JSON: does this quoted name, or beginning of a text, stand there? What is escaped is
 * part of another text, such as an original that is carried along, and does not count. */
bool			 format_head_has(struct slice head, const char *quoted);
/* The surest sniffer, NULL if none is surer than 0. `mapped` never sniffs. */
const struct format_ops	*format_sniff(struct slice head);

#endif
