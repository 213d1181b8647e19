/* What TAXII servers of others answer, and what proxies do: the first byte says which reader. If this fails, one of
 * them takes a worker down, or makes it wait or walk for ever. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "adapters/http_gunzip.h"
#include "adapters/proxy_connect.h"
#include "adapters/pull_walk.h"
#include "adapters/taxii_resources.h"
#include "adapters/taxii_url.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(struct slice in, struct arena *mem)
{
	struct taxii_page p;
	struct pull_walk w = { .mark_us = 0 };

	if (taxii_look_page(in, mem, &p, NULL) < 0)
		return;
	assert(p.list.n <= in.n && p.objects <= in.n);
	assert(p.next == NULL || strlen(p.next) <= TAXII_TOKEN_MAX);
	/* the same page for ever is no endless walk, and moves no mark without dates of its own */
	pull_walk_begin(&w, 7, -1, 1000, 10);
	for (int i = 0; i < 3; i++)
		if (pull_walk_meet(&w, &p, 0) != PULL_GOES_ON || pull_walk_took(&w, &p, 1000) != PULL_GOES_ON)
			break;
	assert(w.pages <= 3 && w.mark_us >= 7 && w.mark_us <= 1010);
	pull_walk_end(&w);
}

static void
choose(struct slice in, struct arena *mem)
{
	const struct taxii_collection *v, *c;
	size_t n;

	if (taxii_read_collections(in, mem, &v, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		assert(v[i].id[0] != '\0' && strpbrk(v[i].id, "/?#% ") == NULL);
		c = taxii_choose(v, n, v[i].id, NULL);
		assert(c != NULL);
		if (i > 8)
			break;
	}
	taxii_choose(v, n, NULL, NULL);
}

static void
understand(struct slice in, struct arena *mem)
{
	const char *text = arena_str(mem, in);
	struct taxii_url u;
	char root[512];

	if (taxii_url_parse(text, &u, NULL) == 0)
		assert(u.root[0] == '\0' || (u.root[0] == '/' && u.root[strlen(u.root) - 1] == '/'));
	assert(taxii_url_parse("https://h.example/", &u, NULL) == 0);
	if (taxii_url_root(&u, in, root, sizeof(root)))
		assert(root[0] == '/' && root[1] != '/' && strpbrk(root, " \r\n?#") == NULL);
}

static void
unpack(struct slice in)
{
	struct http_gunzip *z = http_gunzip_new(1 << 20);
	struct strbuf out = STRBUF_INIT;

	if (http_gunzip_add(z, in, &out, NULL) == 0)
		http_gunzip_end(z, NULL);
	assert(out.n <= 1 << 20);
	strbuf_fini(&out);
	http_gunzip_free(z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_from(data + 1, size == 0 ? 0 : size - 1);
	struct arena *mem = arena_new();
	struct taxii_discovery d;
	struct taxii_root r;
	struct taxii_status s;
	int64_t a, b, c;

	switch (size == 0 ? 0 : data[0]) {
	case 'd': taxii_read_discovery(in, mem, &d, NULL); break;
	case 'r': taxii_read_root(in, mem, &r, NULL); break;
	case 'c': choose(in, mem); break;
	case 's': taxii_read_status(in, mem, &s, NULL); break;
	case 'e': taxii_read_error(in, mem); break;
	case 'p': look(in, mem); break;
	case 'u': understand(in, mem); break;
	case 'x': proxy_connect_read(in, NULL); break;
	case 'z': unpack(in); break;
	case 'i':
		if (taxii_read_range(in, &a, &b, &c))
			assert(a >= 0 && b >= a && (c == -1 || c > b));
		break;
	case 't':
		assert(taxii_read_date(in) >= 0 && taxii_read_retry_after(in, 0) <= INT64_C(86400000000));
		break;
	default: break;
	}
	arena_free(mem);
	return 0;
}
