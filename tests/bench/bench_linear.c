/*
 * Do instructions grow as the input does? Instructions a byte for 50 MB beside those for 5 MB of every kind of object
 * (lib/mix.h): STIX read, checked and fingerprinted; STIX to IODEF; IODEF to STIX.
 * usage: bench_linear [--quick]		0.25 MB and 2.5 MB
 *        bench_linear --once WAY CASES		one conversion; prints "Collected : N" where the kernel lets it count
 *
 * Counted are the instructions of the conversion alone, in user space: by the processor (perf_event_open), else, in
 * virtual machines that hide its counters, by callgrind.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "tests/bench/lib/mix.h"
#include "tests/bench/lib/row.h"

enum { SMALL = 150, LARGE = 1500, QUICK = 20 };

static const char received[] = "2026-11-20T08:00:00.000Z";

static const struct way {
	const char			*name, *what;
	const struct format_ops		*from, *to;	/* to NULL: reading alone */
} ways[] = {
	{ "read", "stix21 read, checked, fingerprinted", &format_stix21, NULL },
	{ "out", "stix21 -> iodef2", &format_stix21, &format_iodef2 },
	{ "in", "iodef2 -> stix21", &format_iodef2, &format_stix21 },
};

/* Not static: callgrind finds it by its name. */
void	once(const struct way *w, struct slice in, struct strbuf *out);

/* Read, and write if that is wanted. */
__attribute__((noinline)) void
once(const struct way *w, struct slice in, struct strbuf *out)
{
	const struct read_job rj = { .in = in, .input = "bench", .received = slice_of(received), .in_stays = true,
	    .limits = { .objects = 1000000 } };
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	const struct write_job wj = { .adv = &adv, .received = slice_of(received), .csirt = "cert.example",
	    .csirt_contact = "team@cert.example" };
	struct err e = ERR_INIT;

	if (w->from->read(&rj, mem, &adv, &e) < 0 || (w->to != NULL && w->to->write(&wj, mem, out, &e) < 0)) {
		fprintf(stderr, "bench: %s: %s\n", w->what, e.reason);
		exit(1);
	}
	arena_free(mem);
}

/* A counter of instructions, -1 if there is none for us. */
static int
open_counter(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE, .size = sizeof(a),
	    .config = PERF_COUNT_HW_INSTRUCTIONS, .disabled = 1, .exclude_kernel = 1, .exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static int
run_once(const char *name, unsigned cases)
{
	struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
	int fd = open_counter();
	uint64_t n = 0;

	mix_make(&in, cases);
	for (size_t i = 0; i < COUNTOF(ways); i++) {
		if (strcmp(ways[i].name, name) != 0)
			continue;
		if (ways[i].from == &format_iodef2) {	/* of what our writer makes */
			const struct way there = { "", "the sample", &format_stix21, &format_iodef2 };
			struct strbuf stix = in;

			in = (struct strbuf)STRBUF_INIT;
			once(&there, strbuf_slice(&stix), &in);
			strbuf_fini(&stix);
		}
		printf("Bytes : %zu\n", in.n);
		fflush(stdout);
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		once(&ways[i], strbuf_slice(&in), &out);
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	}
	if (fd >= 0 && read(fd, &n, sizeof(n)) == sizeof(n))
		printf("Collected : %llu\n", (unsigned long long)n);
	strbuf_fini(&in);
	strbuf_fini(&out);
	return 0;
}

/* What a command says of bytes and instructions; 0 where it says nothing. */
static double
instructions_a_byte(const char *command)
{
	double n = 0, bytes = 0;
	char line[512];
	FILE *f = popen(command, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *said = strstr(line, "Collected : "), *size = strstr(line, "Bytes : ");

		if (said != NULL)
			n = atof(said + strlen("Collected : "));
		if (size != NULL)
			bytes = atof(size + strlen("Bytes : "));
	}
	if (f != NULL)
		pclose(f);
	return bytes > 0 ? n / bytes : 0;
}

/* Instructions a byte of one conversion of so many cases, in a process of its own. */
static double
measure(const char *self, const struct way *w, unsigned cases, const char **how)
{
	char command[1024];
	double n;

	snprintf(command, sizeof(command), "'%s' --once %s %u", self, w->name, cases);
	n = instructions_a_byte(command);
	*how = "counted by the processor";
	if (n > 0)
		return n;
	snprintf(command, sizeof(command), "valgrind --tool=callgrind --toggle-collect=once "
	    "--callgrind-out-file=/dev/null '%s' --once %s %u 2>&1", self, w->name, cases);
	*how = "counted by callgrind";
	return instructions_a_byte(command);
}

int
main(int argc, char **argv)
{
	unsigned part = argc > 1 && strcmp(argv[1], "--quick") == 0 ? QUICK : 1;

	if (argc == 4 && strcmp(argv[1], "--once") == 0)
		return run_once(argv[2], (unsigned)atoi(argv[3]));
	row_title("instructions a byte as the input grows tenfold");
	for (size_t i = 0; i < COUNTOF(ways); i++) {
		const char *how;
		double few = measure(argv[0], &ways[i], SMALL / part, &how);
		double many = few == 0 ? 0 : measure(argv[0], &ways[i], LARGE / part, &how), grown = many / few;
		char what[80], note[80];

		if (many == 0) {
			printf("note\t%s: neither the processor nor callgrind counts\n", ways[i].what);
			continue;
		}
		snprintf(what, sizeof(what), "%s: %s", ways[i].what, part == 1 ? "5 -> 50 MB" : "0.25 -> 2.5 MB");
		snprintf(note, sizeof(note), "%.1f -> %.1f a byte, %s", few, many, how);
		row_print(what, &grown, NULL, 1, "times", "<=1.1", note);
	}
	return 0;
}
