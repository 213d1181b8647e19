#include "gateway/translator.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "formats/mapped.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/ipc.h"
#include "gateway/translate_wire.h"
#include "gateway/translator_parts.h"

enum {
	SNIFF_BYTES = 4096, OPEN_MAX_ = 64,
	LEAN_BYTES = 1 << 20,		/* a larger text is read an object at a time */
	PASSED_BYTES = 4 << 20,		/* of pages given back at once */
	FRAME_MAX = 1 << 30		/* a job: the worker is trusted with its size */
};

struct known_mapping {
	const char	*path;
	struct mapping	*mapping;
};

enum fault { FAULT_NONE, FAULT_CRASH, FAULT_HANG, FAULT_LIE, FAULT_OOM, FAULTS };

struct translator {
	struct arena		*mem;
	struct known_mapping	*mappings;
	size_t			 nmappings, cap;
	struct message		*open;
	size_t			 nopen;
	enum fault		 fault;		/* for tests */
	struct slice		 pattern;
};

/* ---- getting ready ---- */

static int
add_mapping(struct translator *t, const char *path, struct err *e)
{
	struct complaints c = { .mem = t->mem };
	struct mapping *m;

	for (size_t i = 0; i < t->nmappings; i++)
		if (strcmp(t->mappings[i].path, path) == 0)
			return 0;
	m = mapping_load(path, t->mem, &c);
	if (m == NULL)
		return err_set(e, ERR_CONFIG, "%s", c.n > 0 ? c.text[0] : "a mapping does not load");
	t->mappings = arena_grow(t->mem, t->mappings, t->nmappings, &t->cap, sizeof(*t->mappings));
	t->mappings[t->nmappings++] = (struct known_mapping){
		arena_str(t->mem, slice_of(path)), m };
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Let every library fetch its tables while it still may. */
static void
warm_up(void)
{
	static const char *const samples[] = {
		"<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\"/>",
		"{\"type\":\"bundle\",\"objects\":[]}",
	};
	uint8_t digest[SHA256_LEN];
	int many[1024] = { 0 };

	for (size_t i = 0; i < COUNTOF(samples); i++) {
		struct arena *mem = arena_new();
		struct read_job job = { .in = slice_of(samples[i]), .input = "",
		    .received = SLICE_LIT("2024-01-01T00:00:00Z") };
		const struct format_ops *f = format_sniff(job.in);
		struct advisory adv = { .n = 0 };
		struct err e = ERR_INIT;

		if (f != NULL)
			f->read(&job, mem, &adv, &e);
		arena_free(mem);
	}
	digest_sha256(SLICE_EMPTY, digest);
	/* glibc asks how much memory there is when it first sorts more than a kilobyte */
	qsort(many, COUNTOF(many), sizeof(*many), by_number);
}

struct translator *
translator_new(const struct config *conf, struct err *e)
{
	struct translator *t = xcalloc(1, sizeof(*t));

	t->mem = arena_new();
	for (size_t i = 0; conf != NULL && i < conf->nspools; i++)
		if (conf->spools[i].mapping != NULL &&
		    add_mapping(t, conf->spools[i].mapping, e) < 0) {
			translator_free(t);
			return NULL;
		}
	return t;
}

static void
message_free(struct message *m)
{
	bool large = m->in.n > LEAN_BYTES;

	if (m->map != NULL)
		munmap(m->map, m->in.n);
	arena_free(m->mem);
	if (large)
		malloc_trim(0);		/* what it took goes back to the system */
}

void
translator_free(struct translator *t)
{
	struct message *m, *next;

	if (t == NULL)
		return;
	for (m = t->open; m != NULL; m = next) {
		next = m->next;
		message_free(m);
	}
	arena_free(t->mem);
	free(t);
}

/* ---- misbehaviour for tests ---- */

static const char *const fault_words[FAULTS] = {
	[FAULT_NONE] = "", [FAULT_CRASH] = "crash", [FAULT_HANG] = "hang", [FAULT_LIE] = "lie",
	[FAULT_OOM] = "oom",
};

static void
arm(struct translator *t, const char *spec)
{
	struct slice rest = slice_of(spec), word = slice_cut(&rest, ':');

	for (int i = FAULT_CRASH; i < FAULTS; i++)
		if (slice_is(word, fault_words[i]))
			t->fault = (enum fault)i;
	t->pattern = rest;
}

static bool
is_struck(const struct translator *t, struct slice in)
{
	return t->fault != FAULT_NONE && t->pattern.n > 0 &&
	    memmem(in.p, in.n, t->pattern.p, t->pattern.n) != NULL;
}

static void
misbehave(struct translator *t, struct advisory *adv)
{
	switch (t->fault) {
	case FAULT_CRASH:
		raise(SIGKILL);
		break;
	case FAULT_HANG:
		for (;;)
			;
	case FAULT_OOM:			/* address space is what runs out: the pages are not touched */
		for (;;)
			xmalloc(64 << 20);
	case FAULT_LIE:
		for (size_t i = 0; i < adv->n; i++) {
			adv->objects[i].label = LABEL_TLP;
			adv->objects[i].tlp = TLP_CLEAR;
			adv->objects[i].flags ^= OBJECT_REVOKED;
		}
		break;
	default:
		break;
	}
}

/* Of what is written there is nothing to lie about. */
static void
misbehave_over(struct translator *t, struct slice body)
{
	struct advisory none = { .n = 0 };

	if (is_struck(t, body))
		misbehave(t, &none);
}

/* ---- refusing ---- */

static void
send_count(const struct outlet *out, size_t n)
{
	struct strbuf b = STRBUF_INIT;

	translate_put_count(&b, n);
	out->send(out->arg, TRANSLATE_COUNT, out->id, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* ---- reading ---- */

static int
place_of(const struct format_ops *f)
{
	int i = 0;

	while (formats[i] != NULL && formats[i] != f)
		i++;
	return i;
}

/* The format by name or by the first bytes; NULL and *e if there is none. */
static const struct format_ops *
choose(const char *name, struct slice in, struct err *e)
{
	const struct format_ops *f;

	if (name != NULL) {
		f = format_find(slice_of(name));
		if (f == NULL)
			err_set(e, ERR_UNSUPPORTED, "there is no format \"%s\"", name);
		return f;
	}
	f = format_sniff(slice_from(in.p, in.n < SNIFF_BYTES ? in.n : SNIFF_BYTES));
	if (f == NULL)
		err_set(e, ERR_UNSUPPORTED, "this looks like no format we know");
	return f;
}

static const struct mapping *
mapping_of(const struct translator *t, const char *path)
{
	for (size_t i = 0; path != NULL && i < t->nmappings; i++)
		if (strcmp(t->mappings[i].path, path) == 0)
			return t->mappings[i].mapping;
	return NULL;
}

static int
map_input(struct message *m, int fd, struct err *e)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 0)
		return err_set(e, ERR_IO, "the input did not come");
	if (st.st_size == 0)
		return 0;
	m->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		return err_set(e, ERR_IO, "the input cannot be mapped: %s", strerror(errno));
	}
	m->in = slice_from(m->map, (size_t)st.st_size);
	return 0;
}

/* The reader of a large text has come so far: the pages before it can be had again from the file. It goes
 * through the text several times. */
static void
on_passed(void *arg, const char *place)
{
	struct message *m = arg;
	size_t at = (size_t)(place - m->in.p) / PASSED_BYTES * PASSED_BYTES;

	if (at < m->passed)
		m->passed = 0;
	if (m->map == NULL || at == m->passed)
		return;
	madvise((char *)m->map + m->passed, at - m->passed, MADV_DONTNEED);
	m->passed = at;
}

/* Everything that can be told of a message; -1 and *e, *ours says whose fault it is. */
static int
read_message(struct translator *t, struct message *m, const struct translate_read *r, struct err *e,
    bool *ours)
{
	const struct format_ops *f = choose(r->format, m->in, e);
	struct read_job job = {
		.in = m->in, .input = "", .received = slice_of(r->received), .limits = r->limits,
		.mapping = mapping_of(t, r->mapping), .strict = r->strict, .envelope = r->envelope,
		.bundle = r->bundle,
		.iodef_amber_strict = r->iodef_amber_strict, .misp_groups = r->misp_groups,
		.in_stays = true, .sha256 = r->sha256,
		.lean = m->in.n > LEAN_BYTES, .passed = on_passed, .passed_arg = m,
		.relay = r->relay ? &m->relay : NULL, .loss = r->account ? &m->loss : NULL,
	};

	m->wants_relay = r->relay;
	if (f == NULL)
		return -1;
	if (r->count) {
		if (f->count == NULL)
			return err_set(e, ERR_UNSUPPORTED, "nobody counts what is in %s", f->name);
		if (is_struck(t, m->in))
			misbehave(t, &m->adv);
		return f->count(&job, m->mem, &m->count, e);
	}
	m->format = place_of(f);
	if (r->mapping != NULL && job.mapping == NULL) {
		*ours = true;		/* a reload is under way */
		return err_set(e, ERR_CONFIG, "the mapping %s is not loaded", r->mapping);
	}
	if (f->read(&job, m->mem, &m->adv, e) < 0)
		return -1;
	if (m->relay.text.n > RELAY_MEMBER_MAX)
		m->relay.text = SLICE_LIT("null");	/* there is one, and it is none that we take */
	if (m->map != NULL && job.lean)	/* from now on only places in it are named */
		madvise(m->map, m->in.n, MADV_DONTNEED);
	if (is_struck(t, m->in))
		misbehave(t, &m->adv);
	return 0;
}

static void
do_read(struct translator *t, struct slice body, int fd, const struct outlet *out)
{
	struct arena *mem = arena_new();
	struct message *m = arena_alloc(mem, sizeof(*m));
	struct translate_read r;
	struct err e = ERR_INIT;
	uint64_t skip;
	bool by_fd, ours = true, kept = false;
	int rc = -1;

	m->id = out->id;
	m->mem = mem;
	m->in = SLICE_EMPTY;
	m->format = -1;
	if (!translate_get_read(body, mem, &r, &skip, &by_fd)) {
		err_set(&e, ERR_SYNTAX, "this is no job");
	} else if (!by_fd || map_input(m, fd, &e) == 0) {
		if (!by_fd)
			m->in = arena_slice(mem, r.in);
		ours = false;
		rc = read_message(t, m, &r, &e, &ours);
	}
	if (rc < 0) {
		translator_send_failed(out, &e, m->format, ours);
	} else if (r.count) {
		send_count(out, m->count);
	} else {
		parts_prepare(m, r.from, skip);
		kept = !parts_send(m, out) && t->nopen < OPEN_MAX_;
	}
	if (!kept) {
		message_free(m);
		return;
	}
	m->next = t->open;
	t->open = m;
	t->nopen++;
}

/* Take a message off the list; NULL if it is not there. */
static struct message *
close_message(struct translator *t, uint64_t id)
{
	struct message **at, *m;

	for (at = &t->open; (m = *at) != NULL; at = &m->next) {
		if (m->id != id)
			continue;
		*at = m->next;
		t->nopen--;
		return m;
	}
	return NULL;
}

static void
do_more(struct translator *t, const struct outlet *out)
{
	struct message *m = close_message(t, out->id);
	struct err e = ERR_INIT;

	if (m == NULL) {
		err_set(&e, ERR_REFERENCE, "no such message is open");
		translator_send_failed(out, &e, -1, true);
		return;
	}
	if (parts_send(m, out)) {
		message_free(m);
		return;
	}
	m->next = t->open;
	t->open = m;
	t->nopen++;
}

static void
do_drop(struct translator *t, const struct outlet *out)
{
	struct message *m = close_message(t, out->id);

	if (m != NULL)
		message_free(m);
}

static void
do_hash(struct slice body, const struct outlet *out)
{
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct password_key key = { .bytes = { 0 } };
	struct slice password;
	const char *recipe;
	bool good = translate_get_hash(body, mem, &password, &recipe) &&
	    password_derive(password, recipe, &key);

	translate_put_key(&b, &key, good);
	out->send(out->arg, TRANSLATE_KEY, out->id, strbuf_slice(&b));
	secret_wipe(&key, sizeof(key));
	secret_wipe(b.p, b.cap);
	strbuf_fini(&b);
	arena_free(mem);
}

void
translator_do(struct translator *t, uint16_t type, uint64_t id, struct slice body, int fd,
    translator_send_fn *send, void *arg)
{
	const struct outlet out = { send, arg, id };

	switch (type) {
	case TRANSLATE_READ:
		do_read(t, body, fd, &out);
		break;
	case TRANSLATE_MORE:
		do_more(t, &out);
		break;
	case TRANSLATE_DROP:
		do_drop(t, &out);
		break;
	case TRANSLATE_HASH:
		do_hash(body, &out);
		break;
	case TRANSLATE_WRITE:
		misbehave_over(t, body);
		translator_write(body, &out);
		break;
	case TRANSLATE_ASK:
		misbehave_over(t, body);
		translator_ask(body, &out);
		break;
	default:
		break;
	}
}

/* ---- a process of its own ---- */

struct far_end {
	int		 fd;
	bool		 broken;
	struct err	*e;
};

static void
send_frame(void *arg, uint16_t type, uint64_t id, struct slice body)
{
	struct far_end *l = arg;

	if (!l->broken && ipc_write_frame(l->fd, type, id, body, -1, l->e) < 0)
		l->broken = true;
}

/* The worker closed the channel between two frames: that is how a translator ends. */
static bool
is_over(int fd)
{
	char c;
	struct iovec v = { .iov_base = &c, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &m, MSG_PEEK);
	while (n < 0 && errno == EINTR);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static int
serve(struct translator *t, int fd, struct err *e)
{
	struct far_end line = { .fd = fd, .e = e };

	while (!line.broken && !is_over(fd)) {
		struct ipc_message m = { .fd = -1 };

		if (ipc_read_frame(fd, FRAME_MAX, 0, &m, e) < 0)
			return -1;
		translator_do(t, m.type, m.id, m.body, m.fd, send_frame, &line);
		if (m.type == TRANSLATE_HASH && m.body.n > 0)
			secret_wipe((void *)(uintptr_t)m.body.p, m.body.n);
		free((void *)(uintptr_t)m.body.p);
		if (m.fd >= 0)
			close(m.fd);
	}
	return line.broken ? -1 : 0;
}

int
translator_run(int fd, const struct config *conf, int (*confine)(void *ctx, struct err *e), void *ctx,
    struct err *e)
{
	struct translator *t = translator_new(conf, e);
	int rc = -1;

	if (t == NULL)
		return -1;
	warm_up();
	arm(t, getenv("TOCSIN_CAGE_FAULT"));
	if ((confine == NULL || confine(ctx, e) == 0) &&
	    ipc_write_frame(fd, TRANSLATE_READY, 0, SLICE_EMPTY, -1, e) == 0)
		rc = serve(t, fd, e);
	translator_free(t);
	return rc;
}
