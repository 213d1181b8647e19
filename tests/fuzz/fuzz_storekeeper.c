/* If this finds something, a worker that was taken over can crash the storekeeper, or a storekeeper his workers, or one
 * of them can make a message that the other takes for more than it holds.
 * First byte: 0 a frame of questions as it comes; 1 one question of the kind in the second byte; 2 an answer to
 * such a question; 3 a frame of answers. Questions go into a storekeeper over a store in memory. */
#include <event2/event.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/ipc.h"
#include "gateway/store_ask.h"
#include "gateway/storekeeper.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MESSAGE_MAX = 64 << 10, TURNS = 12 };

static void
on_message(void *arg, struct ipc *c, struct ipc_message *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

/* Say it to a storekeeper and let him work. */
static void
ask(struct slice message)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	struct event_base *base = event_base_new();
	struct store_conf conf = { .audit_key = slice_from(key, 32), .base = base };
	struct store *s = store_open(&conf, NULL);
	struct storekeeper *k = storekeeper_new(base, s);
	struct ipc_conf ic = { .name = "fuzz", .on_message = on_message };
	struct ipc *c;
	char uuid[37];
	int fds[2];

	store_collection(s, "alpha", NULL, uuid, NULL);
	if (ipc_pair(fds, NULL) < 0)
		__builtin_trap();
	storekeeper_add_client(k, fds[0], "fuzz");
	c = ipc_new(base, fds[1], &ic);
	ipc_send(c, FRAME_ASKS, 0, message, -1);
	for (int i = 0; i < TURNS; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ipc_free(c);
	storekeeper_free(k);
	store_close(s);
	event_base_free(base);
}

/* What is taken as a question is written as the same question. */
static void
write_again(uint8_t kind, struct slice body)
{
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct ask *a = arena_alloc(mem, sizeof(*a));
	enum ask_kind told;
	struct slice again;
	struct wire w;
	uint64_t id;

	if (ask_read(a, (enum ask_kind)(kind % ASK_KINDS), body, mem) == NULL) {
		if (ask_put(&b, 7, a, NULL) < 0)
			__builtin_trap();
		wire_open(&w, strbuf_slice(&b));
		if (!ask_next(&w, &id, &told, &again) || id != 7 || !wire_done(&w) ||
		    !slice_eq(again, body))
			__builtin_trap();
	}
	strbuf_fini(&b);
	arena_free(mem);
}

/* One question of this kind, as a frame. */
static void
ask_one(uint8_t kind, struct slice body)
{
	struct strbuf b = STRBUF_INIT;

	wire_put_u64(&b, 1);
	wire_put_u8(&b, kind % ASK_KINDS);
	wire_put_text(&b, body);
	ask(strbuf_slice(&b));
	strbuf_fini(&b);
}

/* A frame of answers, as far as it goes; figures come first. */
static void
answers(struct slice body)
{
	struct store_figures f = { 0 };
	struct strbuf b = STRBUF_INIT;
	enum err_code code;
	struct slice one;
	struct wire w;
	uint64_t id;

	wire_open(&w, body);
	ask_read_figures(&w, &f);
	while (ask_next_answer(&w, &id, &code, &one))
		if (one.p < body.p || one.p + one.n > body.p + body.n || code >= ERR_CODES)
			__builtin_trap();
	ask_put_figures(&b, &f);
	strbuf_fini(&b);
}

/* What a worker makes of an answer; what was taken can be written again. */
static void
answer(uint8_t kind, struct slice body)
{
	struct arena *mem = arena_new();
	struct store_put puts[2] = { { .lane = 0 } };
	struct store_txn t = { .puts = puts, .nputs = 2 };
	struct ask a = { .kind = (enum ask_kind)(kind % ASK_KINDS), .txn = &t };
	struct strbuf b = STRBUF_INIT;

	if (ask_read_answer(&a, body, mem) && ask_put_answer(&b, 1, &a, NULL) < 0)
		__builtin_trap();
	strbuf_fini(&b);
	arena_free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	log_setup(2, false, LOG_OFF);
	if (n < 2 || n > MESSAGE_MAX)
		return 0;
	switch (data[0] % 4) {
	case 0:
		ask(slice_from(data + 1, n - 1));
		break;
	case 1:
		write_again(data[1], slice_from(data + 2, n - 2));
		ask_one(data[1], slice_from(data + 2, n - 2));
		break;
	case 2:
		answer(data[1], slice_from(data + 2, n - 2));
		break;
	default:
		answers(slice_from(data + 1, n - 1));
	}
	return 0;
}
