#include "gateway/cmd_input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"

enum { PASSED_BYTES = 1 << 20, COPY_BYTES = 256 << 10, NO_MORE = 2 };

struct input {
	char	*name, *map;		/* map NULL: it is empty */
	size_t	 n;
	size_t	 passed;		/* pages before this place were given back */
};

/* The page is not there any more. Only what may be called in a handler is called. */
static void
on_bus_error(int number)
{
	static const char message[] = "tocsin: a file became shorter while it was read\n";
	ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);

	(void)number;
	(void)ignored;
	_exit(NO_MORE);
}

static int
failed(struct err *e, const char *name, const char *verb)
{
	err_set(e, ERR_IO, "cannot %s: %s", verb, strerror(errno));
	err_input(e, name);
	return -1;
}

static int
too_large(struct err *e, const char *name, size_t most)
{
	err_set(e, ERR_LIMIT, "larger than %zu bytes", most);
	err_input(e, name);
	return -1;
}

/* Copy all of standard input to `fd`. */
static int
copy_stdin(int fd, size_t most, struct err *e)
{
	char *buffer = xmalloc(COPY_BYTES);
	size_t total = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && ((n = read(STDIN_FILENO, buffer, COPY_BYTES)) > 0 ||
	    (n < 0 && errno == EINTR))) {
		if (n < 0)
			continue;
		total += (size_t)n;
		if (total > most)
			rc = too_large(e, "stdin", most);
		else if (!fd_write(fd, slice_from(buffer, (size_t)n)))
			rc = failed(e, "stdin", "put it by in a temporary file");
	}
	if (rc == 0 && n < 0)
		rc = failed(e, "stdin", "read");
	free(buffer);
	return rc;
}

/* A file descriptor of standard input that can be mapped. */
static int
open_stdin(size_t most, struct err *e)
{
	struct stat st;
	int fd;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = file_nameless(e);
	if (fd >= 0 && copy_stdin(fd, most, e) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
map_file(struct input *in, int fd, size_t most, struct err *e)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return failed(e, in->name, "look at it");
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_IO, "not a regular file");
		err_input(e, in->name);
		return -1;
	}
	if ((uintmax_t)st.st_size > most)
		return too_large(e, in->name, most);
	if (st.st_size == 0)
		return 0;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return failed(e, in->name, "map");
	in->map = map;
	in->n = (size_t)st.st_size;
	return 0;
}

struct input *
input_open(const char *path, size_t most, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct input *in = xcalloc(1, sizeof(*in));
	int fd, rc = -1;

	in->name = xstrdup(is_stdin ? "stdin" : path);
	signal(SIGBUS, on_bus_error);
	/* O_NONBLOCK: a FIFO among the files must not stop us in open(2). */
	fd = is_stdin ? open_stdin(most, e) :
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && !is_stdin)
		failed(e, path, "open");
	if (fd >= 0) {
		rc = map_file(in, fd, most, e);
		close(fd);
	}
	if (rc == 0)
		return in;
	input_close(in);
	return NULL;
}

void
input_close(struct input *in)
{
	if (in == NULL)
		return;
	if (in->map != NULL)
		munmap(in->map, in->n);
	free(in->name);
	free(in);
}

const char *
input_name(const struct input *in)
{
	return in->name;
}

struct slice
input_text(const struct input *in)
{
	return in->map == NULL ? SLICE_EMPTY : slice_from(in->map, in->n);
}

bool
input_has(const struct input *in, const char *place)
{
	return in->map != NULL && place >= in->map && place < in->map + in->n;
}

void
input_passed(void *arg, const char *place)
{
	struct input *in = arg;
	size_t at;

	if (!input_has(in, place))
		return;
	at = (size_t)(place - in->map) / PASSED_BYTES * PASSED_BYTES;
	if (at < in->passed)
		in->passed = 0;
	if (at == in->passed)
		return;
	madvise(in->map + in->passed, at - in->passed, MADV_DONTNEED);
	in->passed = at;
}

void
input_forget(struct input *in)
{
	if (in->map != NULL)
		madvise(in->map, in->n, MADV_DONTNEED);
	in->passed = 0;
}
