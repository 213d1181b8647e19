/*
 * config_parts.h -- what the table of keys is made of, for config*.c alone.
 *
 * Owns:    the shape of a row (a key), of a section and of a type of value.
 * Called:  by config.c (parses), config_print.c (prints, describes), config_check.c.
 * Never:   included by anyone else: they see config.h.
 *
 * To add a knob: a field in config.h, a row in config_keys.c. Parser, `tocsin check --effective`,
 * conf/README.md and the comparison on reload follow from the row.
 */
#ifndef GATEWAY_CONFIG_PARTS_H
#define GATEWAY_CONFIG_PARTS_H

#include "gateway/config.h"

struct strbuf;
struct config_key;

/* A value being read: the words of a line behind the key, and where complaints go. */
struct config_value {
	struct arena		*mem;
	struct complaints	*c;
	const struct line	*line;		/* NULL: a default */
	const char		*folder;	/* that paths are relative to */
	const char		*state;		/* state folder, for defaults */
	const char		*what;		/* "limits: body" */
	const struct slice	*words;
	size_t			 nwords;
};

/* A type of value: how it is read, how it is written, what the reference says about it. */
struct config_type {
	const char	*name;
	const char	*form;		/* one clause for people */
	bool		 many;		/* takes more than one word */
	/* Reads v->words into `at`; -1 with a complaint. */
	int		(*read)(const struct config_value *v, const struct config_key *k, void *at);
	/* Appends the value as it would be written in the file; nothing when it is unset. */
	void		(*write)(struct strbuf *out, const struct config_key *k, const void *at);
	/* Appends a bound (config_key.min, max); NULL: the type has no range. */
	void		(*bound)(struct strbuf *out, int64_t v);
};

enum config_flag {
	CONFIG_REQUIRED	= 1 << 0,
	CONFIG_RESTART	= 1 << 1	/* a reload refuses to change it: it takes a restart */
};

struct config_key {
	const char			*name;		/* NULL ends a table */
	const struct config_type	*type;
	size_t				 offset, size;	/* of the field in its struct */
	const char			*initial;	/* default as written in a file; NULL: none */
	int64_t				 min, max;	/* 0, 0: no range */
	unsigned			 flags;
	const char			*help;		/* one sentence */
	const char *const		*words;		/* choices */
};

/* A kind of section. Its struct is part of struct config, or an element of a list there. */
struct config_section {
	const char		*name;		/* NULL ends the table */
	struct config_key	 arg;		/* word behind the name; arg.type NULL: none */
	bool			 many;		/* may occur often */
	size_t			 base;		/* of the struct, or of the list's pointer */
	size_t			 count, element;	/* lists: offset of the count, size of one */
	size_t			 file, line;	/* lists: offsets in the element */
	const struct config_key	*keys;
	const char		*help;
};

extern const struct config_section config_sections[];

extern const struct config_type config_name, config_mapping, config_text, config_path,
    config_path_or_memory, config_address, config_address_or_off, config_base_url,
    config_host, config_mail, config_uuid, config_segment, config_header, config_format, config_redis_url,
    config_prefix, config_yes_no, config_choice, config_flip, config_count,
    config_count_or_auto, config_bytes,
    config_span, config_share, config_limit, config_names, config_sources, config_kinds, config_tlps,
    config_sectors_of, config_phases, config_level, config_time,
    config_feed_formats, config_feed_kinds;

/* Complete the API roots and check what belongs in them, when all lines are read. */
void	config_finish_roots(struct config *conf, struct complaints *c);

/* Complain "WHAT: 'WORD' ..." about the first word. Always returns -1. */
int	config_refuse(const struct config_value *v, const char *why);

/* Where a value came from; defaults have no entry. */
struct config_origin {
	size_t			 section, element, key;	/* key SIZE_MAX: the section itself */
	const char		*file;
	uint32_t		 line;
};
struct config_origins {
	struct config_origin	*v;
	size_t			 n, cap;
};
const struct config_origin *config_origin_of(const struct config *conf, size_t section,
		    size_t element, size_t key);

/* A line to complain at: where the key of that element was written, else where its section opens, else
 * the file as a whole (number 0). `key` NULL: the section. */
struct line config_place(const struct config *conf, const char *section, size_t element,
		    const char *key);

/* The element of a section (0 for those that occur once). */
void	*config_element(const struct config *conf, const struct config_section *s, size_t i);
/* How many there are; 1 for those that occur once. */
size_t	 config_elements(const struct config *conf, const struct config_section *s);

/* Splits "IP:port" ("[IP]:port" for IPv6); port 0 is legal. */
bool	 config_address_split(struct slice text, uint8_t ip[16], int *family, unsigned *port);
/* True for 127.0.0.0/8 and ::1. */
bool	 config_address_is_loopback(const char *text);

#endif
