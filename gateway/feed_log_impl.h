/*
 * feed_log_impl.h -- the files of feed_log.h, for feed_take.c (writes) and feed_log.c (reads) alone.
 *
 *	state	head, names one behind the other, then the index: n rows sorted by key
 *	log	head, then blocks: head, changes
 *
 * Owns:    the layout. Numbers are those of this machine: the files do not travel.
 * Called:  by those two files.
 * Never:   included by anyone else: they see feed_log.h.
 */
#ifndef GATEWAY_FEED_LOG_IMPL_H
#define GATEWAY_FEED_LOG_IMPL_H

#include "gateway/base/digest.h"
#include "gateway/feed_log.h"

enum { FEED_SUM = 16 };

struct state_head {
	char			 magic[8];
	uint8_t			 chain[FEED_CHAIN];
	uint64_t		 no;
	int64_t			 at_us;
	uint64_t		 n, index_at;
	uint64_t		 log_gen, log_bytes;
	char			 store[FEED_STORE_ID];
	struct store_epoch	 epoch;
	uint8_t			 sum[SHA256_LEN];	/* of all before */
};

struct state_row {
	uint8_t		 key[FEED_KEY], sum[FEED_SUM];
	uint64_t	 name_at;
	uint32_t	 name_n, unused;
};

struct log_head {
	char		 magic[8];
	uint8_t		 chain[FEED_CHAIN];
	uint64_t	 gen;
	uint64_t	 base_no;	/* the state that the first block changes */
	int64_t		 base_at_us;
};

struct log_block {
	uint32_t	 magic, n;
	uint64_t	 no;
	int64_t		 at_us;
	uint64_t	 bytes;			/* of the changes behind it */
	uint8_t		 sum[FEED_SUM];		/* of those */
};

struct log_change {
	uint8_t		 key[FEED_KEY];
	uint32_t	 op, name_n, json_n, csv_n;	/* then these bytes */
};

enum { BLOCK_MAGIC = 0x626c6b31 };
extern const char feed_state_magic[8], feed_log_magic[8];

/* A file, mapped for reading. */
struct feed_map {
	int		 fd;
	char		*p;
	size_t		 n;
};
bool	feed_map_open(struct feed_map *m, const char *path);
void	feed_map_close(struct feed_map *m);

/* The head and rows of a state that is whole; false: there is none. */
bool	feed_state_open(struct feed_map *m, const char *base, struct state_head *head,
	    const struct state_row **rows);
/* A name of it; empty if the row lies. */
struct slice feed_state_name(const struct feed_map *m, const struct state_row *r);
/* The log that belongs to it, as far as it does. */
bool	feed_log_open(struct feed_map *m, const char *base, const struct state_head *state,
	    struct log_head *head);
/* The block at *at, which moves behind it; false: the end, or what is behind is damaged. */
bool	feed_log_next(struct slice log, size_t *at, struct log_block *b, struct slice *changes);
void	feed_log_path(struct strbuf *out, const char *base, uint64_t gen);
void	feed_head_sum(const struct state_head *h, uint8_t out[SHA256_LEN]);

#endif
