/*
 * feed_log_impl.h -- the files of feed_log.h, for feed_take.c, feed_commit.c and feed_log.c alone.
 *
 *	state	head, names one behind the other, then the index: n rows sorted by key
 *	log	head, then blocks: head, changes
 *
 * Owns:    the layout. Numbers are those of this machine: the files do not travel.
 * Called:  by those three files.
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

/* One record that was noted. */
struct mark {
	uint8_t		 key[FEED_KEY], sum[FEED_SUM];
	uint64_t	 name_at, json_at, csv_at;
	uint32_t	 name_n, json_n, csv_n;
};

struct feed_take {
	char		*temp;		/* path of the file */
	int		 fd;
	uint64_t	 bytes;		/* in it and waiting */
	struct strbuf	 waiting;
	struct mark	*v;
	size_t		 n, cap;
	uint64_t	 names_end;	/* where the names end in the file */
	uint32_t	*slots;		/* 1 + place in v, by key; a power of two */
	size_t		 nslots;
	/* the places in v by key: runs that are sorted, until there is one */
	uint32_t	*order, *spare;
	size_t		 room;		/* of both */
	size_t		*ends, nends, ends_cap;	/* of the runs */
	size_t		 nsorted;	/* that are in runs */
	struct { size_t run, nruns, start, i, j, to; } merge;	/* of a level that is under way */
	struct commit	*commit;	/* under way, or NULL */
};

/* Sort so many records more; true once all are. */
bool	feed_take_sort(struct feed_take *t, size_t some);
int	feed_take_put(struct feed_take *t, struct slice s, struct err *e);
int	feed_take_flush(struct feed_take *t, struct err *e);
int	feed_write_all(int fd, struct slice s, struct err *e);
void	feed_commit_free(struct commit *c);		/* NULL is fine */

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
