#include "gateway/cmd_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_answer.h"
#include "gateway/config.h"

enum { WAIT_SECONDS = 60, PIECE = 16384 };

static int
dial(const char *path)
{
	const struct timeval limit = { WAIT_SECONDS, 0 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path))
		return cmd_complain("%s: longer than a socket's path may be", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cmd_complain("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		cmd_complain("no node answers on %s (%s); is `tocsin serve` running?", path,
		    strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int
cmd_exchange(const char *path, struct slice request, struct strbuf *answer)
{
	int fd = dial(path), rc = -1;
	char piece[PIECE];
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	while (request.n > 0 && (n = send(fd, request.p, request.n, MSG_NOSIGNAL)) > 0)
		request = slice_from(request.p + n, request.n - (size_t)n);
	while (n > 0) {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n > 0)
			strbuf_add(answer, piece, (size_t)n);
	}
	if (n < 0)
		cmd_complain("%s: %s", path, errno == EAGAIN ? "no answer in time" : strerror(errno));
	else if (answer->n == 0)
		cmd_complain("%s: the node closed the connection without an answer; only its own "
		    "user and root may ask", path);
	else
		rc = 0;
	close(fd);
	return rc;
}

char *
cmd_socket_path(const struct args *a)
{
	struct complaints c = { .mem = NULL };
	const char *path = args_get(a, "socket");
	struct config *conf;
	char *found = NULL;

	if (path != NULL)
		return xstrdup(path);
	conf = config_load(cmd_config_path(a), &c);
	if (conf != NULL) {
		found = xstrdup(conf->control);
	} else {
		cmd_complaints(&c);
		cmd_complain("a running node can be asked all the same: say --socket "
		    "STATE/control.sock");
	}
	config_free(conf);
	arena_free(c.mem);
	return found;
}

json *
cmd_ask(const struct args *a, json *request, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT, answer = STRBUF_INIT;
	struct json_doc doc = { .root = NULL };
	struct err e = ERR_INIT;
	char *path = cmd_socket_path(a);

	json_print(&text, request);
	strbuf_addc(&text, '\n');
	if (path != NULL && cmd_exchange(path, strbuf_slice(&text), &answer) == 0 &&
	    json_parse(slice_trim(strbuf_slice(&answer)), NULL, mem, &doc, &e) < 0) {
		err_input(&e, "answer of the node");
		cmd_fail_err(&e);
		doc.root = NULL;
	}
	if (doc.root != NULL && !json_bool(json_get(doc.root, "ok"))) {
		cmd_complain("%s", json_str(json_get(doc.root, "error")) == NULL ? "the node says no" :
		    json_str(json_get(doc.root, "error")));
		doc.root = NULL;
	}
	free(path);
	secret_wipe(answer.p, answer.cap);
	strbuf_fini(&text);
	strbuf_fini(&answer);
	return doc.root;
}
