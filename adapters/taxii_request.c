/* taxii_request.c -- the life of a request, and how it is answered. Part of taxii_request.h. */
#include "adapters/taxii_request.h"

#include <stdio.h>

#include "adapters/taxii_pages.h"
#include "adapters/taxii_routes.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

void
taxii_hold(struct taxii_request *rq)
{
	rq->holds++;
}

void
taxii_let_go(struct taxii_request *rq)
{
	if (--rq->holds > 0)
		return;
	taxii_page_free(rq->shown);
	trust_free(rq->trust);
	config_free(rq->config);
	arena_free(rq->mem);
}

const char *
taxii_status_user(struct taxii_request *rq)
{
	if (rq->match.root == NULL || rq->match.root == config_root_at(rq->config, 0))
		return rq->reader.name;
	return arena_fmt(rq->mem, "%s/%s", rq->match.root->name, rq->reader.name);
}

void
taxii_answer_as(struct taxii_request *rq, int status, const char *media_type, struct strbuf *body,
    const struct http_header *headers, size_t nheaders)
{
	struct http_answer a = {
		.status = status, .content_type = media_type, .headers = headers,
		.nheaders = nheaders, .take = body, .may_gzip = true,
	};

	if (rq->x != NULL && !rq->answered) {
		rq->answered = true;
		http_respond(rq->x, &a);
	}
	strbuf_fini(body);
}

void
taxii_answer(struct taxii_request *rq, int status, struct strbuf *body,
    const struct http_header *headers, size_t nheaders)
{
	taxii_answer_as(rq, status, taxii_families[rq->match.family].media_type, body, headers,
	    nheaders);
}

static void
sent(void *arg)
{
	taxii_page_free(arg);
}

void
taxii_answer_page_as(struct taxii_request *rq, int status, const char *media_type,
    struct taxii_page *p, const struct http_header *headers, size_t nheaders)
{
	struct http_answer a = {
		.status = status, .content_type = media_type, .headers = headers,
		.nheaders = nheaders, .body = strbuf_slice(&p->body), .may_gzip = true,
		.release = sent, .release_arg = p, .gzip = &p->gzip,
	};
	struct taxii_pages *pages = rq->pages;

	if (rq->x == NULL || rq->answered)
		return;
	rq->answered = true;
	taxii_page_hold(taxii_page_hold(p));
	http_respond(rq->x, &a);
	taxii_pages_weigh(pages, p);
	taxii_page_free(p);
}

void
taxii_answer_page(struct taxii_request *rq, struct taxii_page *p, const struct http_header *headers,
    size_t nheaders)
{
	taxii_answer_page_as(rq, 200, taxii_families[rq->match.family].media_type, p, headers,
	    nheaders);
}

void
taxii_refuse_with(struct taxii_request *rq, int status, const char *detail,
    const struct http_header *headers, size_t nheaders)
{
	if (rq->x == NULL || rq->answered)
		return;
	rq->answered = true;
	http_refuse(rq->x, status, detail, headers, nheaders);
}

void
taxii_refuse(struct taxii_request *rq, int status, const char *detail)
{
	static const struct http_header who = { "WWW-Authenticate",
	    "Basic realm=\"tocsin\", charset=\"UTF-8\"" };

	taxii_refuse_with(rq, status, detail, status == 401 ? &who : NULL, status == 401);
}

void
taxii_later(struct taxii_request *rq, int status, int64_t wait_us, const char *detail)
{
	char seconds[24];
	struct http_header after = { "Retry-After", seconds };
	int64_t wait = (wait_us + 999999) / 1000000;

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait < 1 ? 1 : wait));
	taxii_refuse_with(rq, status, detail, &after, 1);
}
