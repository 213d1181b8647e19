#include "gateway/redis_proto.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "gateway/base/arena.h"

struct redis_proto {
	redisReader		*reader;
	size_t			 max;
	size_t			 kept;		/* bytes of the reply being built */
	bool			 too_much;
	struct redis_reply	 root;		/* the reply being built, or handed out */
};

/* --- what hiredis' reader calls: replies are built as ours, inside their parent ------------------ */

static struct redis_proto *
proto_of(const redisReadTask *task)
{
	return task->privdata;
}

/* Where the reply of this task goes. */
static struct redis_reply *
place_of(const redisReadTask *task)
{
	struct redis_reply *parent;

	if (task->parent == NULL)
		return &proto_of(task)->root;
	parent = task->parent->obj;
	return &parent->items[task->idx];
}

/* Room for n bytes more within the limit; false ends the parse. */
static bool
keep(struct redis_proto *p, size_t n)
{
	if (n > p->max || p->kept > p->max - n) {
		p->too_much = true;
		return false;
	}
	p->kept += n;
	return true;
}

static void *
make_text(const redisReadTask *task, char *text, size_t n)
{
	struct redis_reply *r = place_of(task);
	char *copy;

	if (!keep(proto_of(task), n))
		return NULL;
	copy = xmalloc(n + 1);
	memcpy(copy, text, n);
	copy[n] = '\0';
	r->kind = task->type == REDIS_REPLY_ERROR ? REDIS_ERROR :
	    task->type == REDIS_REPLY_STATUS ? REDIS_STATUS : REDIS_TEXT;
	r->text = slice_from(copy, n);
	return r;
}

static void *
make_list(const redisReadTask *task, int n)
{
	struct redis_reply *r = place_of(task);

	if (n < 0 || !keep(proto_of(task), (size_t)n * sizeof(*r)))
		return NULL;
	r->kind = REDIS_LIST;
	r->nitems = (size_t)n;
	r->items = n == 0 ? NULL : xcalloc((size_t)n, sizeof(*r));
	return r;
}

static void *
make_integer(const redisReadTask *task, long long value)
{
	struct redis_reply *r = place_of(task);

	r->kind = REDIS_INT;
	r->integer = value;
	return r;
}

static void *
make_nil(const redisReadTask *task)
{
	struct redis_reply *r = place_of(task);

	r->kind = REDIS_NIL;
	return r;
}

/* Empty a reply; lists nest at most seven deep, the reader sees to that. */
static void
clear(void *arg)
{
	struct redis_reply *r = arg;
	size_t i;

	for (i = 0; i < r->nitems; i++)
		clear(&r->items[i]);
	free(r->items);
	if (r->text.p != NULL)
		free((char *)(uintptr_t)r->text.p);
	memset(r, 0, sizeof(*r));
}

static redisReplyObjectFunctions makers = {
	.createString = make_text,
	.createArray = make_list,
	.createInteger = make_integer,
	.createNil = make_nil,
	.freeObject = clear,
};

/* --- the module ---------------------------------------------------------------------------------- */

struct redis_proto *
redis_proto_new(size_t max)
{
	struct redis_proto *p = xcalloc(1, sizeof(*p));

	p->max = max;
	p->reader = redisReaderCreateWithFunctions(&makers);
	if (p->reader == NULL)
		abort();	/* out of memory, as xmalloc */
	p->reader->privdata = p;	/* the macro for it cuts the pointer to an int */
	return p;
}

void
redis_proto_free(struct redis_proto *p)
{
	if (p == NULL)
		return;
	redisReaderFree(p->reader);	/* frees what it holds of an unfinished reply */
	clear(&p->root);
	free(p);
}

static int
broken(struct redis_proto *p, struct err *e)
{
	if (p->too_much)
		return err_set(e, ERR_LIMIT, "a reply of more than %zu bytes", p->max);
	return err_set(e, ERR_SYNTAX, "not Redis' protocol: %s", redisReaderGetError(p->reader));
}

int
redis_proto_feed(struct redis_proto *p, struct slice bytes, struct err *e)
{
	if (redisReaderFeed(p->reader, bytes.p, bytes.n) != REDIS_OK)
		return broken(p, e);
	return 0;
}

int
redis_proto_next(struct redis_proto *p, const struct redis_reply **out, struct err *e)
{
	void *reply = NULL;

	/* `root` still holds the last reply, unless this one has been begun. */
	if (p->reader->ridx == -1) {
		clear(&p->root);
		p->kept = 0;
	}
	if (redisReaderGetReply(p->reader, &reply) != REDIS_OK)
		return broken(p, e);
	if (reply != NULL) {
		*out = reply;
		return 1;
	}
	/* A line without an end, or a long text of which only the beginning is here. */
	if (p->reader->len - p->reader->pos + p->kept > p->max) {
		p->too_much = true;
		return broken(p, e);
	}
	return 0;
}

/* "*3" or "$12", and the end of a line. */
static void
add_count(struct strbuf *out, char sign, size_t n)
{
	char text[24], *p = text + sizeof(text);

	*--p = '\n';
	*--p = '\r';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	*--p = sign;
	strbuf_add(out, p, (size_t)(text + sizeof(text) - p));
}

/* By hand: hiredis prints every number with sprintf into a buffer of its own, which takes longer than all
 * else that a claim costs us. */
void
redis_proto_add(struct strbuf *out, int argc, const struct slice *argv)
{
	add_count(out, '*', (size_t)argc);
	for (int i = 0; i < argc; i++) {
		add_count(out, '$', argv[i].n);
		strbuf_addsl(out, argv[i]);
		strbuf_add(out, "\r\n", 2);
	}
}

struct slice
redis_proto_word(const struct redis_reply *r)
{
	struct slice rest;

	if (r->kind != REDIS_ERROR)
		return SLICE_EMPTY;
	rest = r->text;
	return slice_cut(&rest, ' ');
}

bool
redis_proto_unfit(const struct redis_reply *r)
{
	static const char *const words[] = { "LOADING", "OOM", "READONLY", "MISCONF", "NOAUTH", "BUSY",
	    "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "UNKILLABLE" };
	struct slice word = redis_proto_word(r);
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_is(word, words[i]))
			return true;
	return false;
}

#define TEXT_OF(x)	#x
#define TEXT(x)		TEXT_OF(x)

const char *
redis_library(void)
{
	return TEXT(HIREDIS_MAJOR) "." TEXT(HIREDIS_MINOR) "." TEXT(HIREDIS_PATCH);
}
