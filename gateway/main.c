/* main.c -- `tocsin` and its verbs: the table, and nothing else. */
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http_server.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "gateway/cmd.h"
#include "gateway/process.h"
#include "gateway/redis.h"
#include "gateway/serve.h"
#include "gateway/store.h"
#include "formats/xml.h"

extern const struct command command_init, command_check, command_status, command_reload, command_upgrade,
    command_consumer_add, command_consumer_list, command_consumer_show, command_consumer_status,
    command_consumer_test, command_consumer_reset, command_consumer_revoke, command_peer_list,
    command_peer_show, command_peer_doctor, command_peer_login, command_peer_retry, command_pull,
    command_push, command_feed_list, command_feed_show, command_explain, command_quarantine_list,
    command_quarantine_show, command_quarantine_retry, command_quarantine_drop, command_convert,
    command_validate, command_mapping_check, command_key_pin, command_key_public, command_audit_verify,
    command_audit_export, command_backup, command_completion;

static int
run_serve(const struct args *a)
{
	return serve(cmd_config_path(a), args_get(a, "one") != NULL);
}

static const struct cmd_option serve_options[] = {
	CMD_CONFIG,
	{ "one", 0, NULL, "everything in one process: for tests and small machines" },
	{ .name = NULL }
};

static const struct command command_serve = {
	"serve", "", 0, 0, "run the node",
	"Serves TAXII, takes in what spools and peers bring, relays. A master starts workers, a "
	"translator for each, and one storekeeper, and starts again what dies. SIGHUP reloads all or "
	"nothing, SIGUSR2 hands over to the binary on disk, SIGTERM finishes what is in hand and ends.",
	serve_options, run_serve
};

/* The verbs, in the order that --help shows. */
const struct command *const cmd_commands[] = {
	&command_init,
	&command_check,
	&command_serve,
	&command_status,
	&command_reload,
	&command_upgrade,
	&command_consumer_add,
	&command_consumer_list,
	&command_consumer_show,
	&command_consumer_status,
	&command_consumer_test,
	&command_consumer_reset,
	&command_consumer_revoke,
	&command_peer_list,
	&command_peer_show,
	&command_peer_doctor,
	&command_peer_login,
	&command_peer_retry,
	&command_pull,
	&command_push,
	&command_feed_list,
	&command_feed_show,
	&command_explain,
	&command_quarantine_list,
	&command_quarantine_show,
	&command_quarantine_retry,
	&command_quarantine_drop,
	&command_convert,
	&command_validate,
	&command_mapping_check,
	&command_key_pin,
	&command_key_public,
	&command_audit_verify,
	&command_audit_export,
	&command_backup,
	&command_completion,
	NULL
};

static void
print_overview(FILE *out)
{
	fputs("usage: tocsin VERB [options] ...\n\n", out);
	for (size_t i = 0; cmd_commands[i] != NULL; i++)
		fprintf(out, "    %-20s %s\n", cmd_commands[i]->name, cmd_commands[i]->summary);
	fputs("\ntocsin VERB --help says more. Exit status: 0 done, 1 done and the answer is no or "
	    "partial, 2 not done.\n", out);
}

/* How many words of argv the name takes; 0 if it is another verb. */
static int
matches(const char *name, int argc, char **argv)
{
	struct slice rest = slice_of(name);
	int n = 0;

	while (rest.n > 0) {
		struct slice word = slice_cut(&rest, ' ');

		if (n >= argc || !slice_is(word, argv[n]))
			return 0;
		n++;
	}
	return n;
}

/* The verbs that begin with this word ("peer" of "peer list"); false if none does. */
static bool
print_family(FILE *out, const char *word)
{
	size_t n = strlen(word);
	char usage[64];
	bool any = false;

	for (size_t i = 0; cmd_commands[i] != NULL; i++) {
		if (strncmp(cmd_commands[i]->name, word, n) != 0 || cmd_commands[i]->name[n] != ' ')
			continue;
		if (!any)
			fputs("usage:\n", out);
		snprintf(usage, sizeof(usage), "%s %s", cmd_commands[i]->name, cmd_commands[i]->operands);
		fprintf(out, "    tocsin %-30s %s\n", usage, cmd_commands[i]->summary);
		any = true;
	}
	return any;
}

static int
unknown_verb(const char *word)
{
	const char *names[sizeof(cmd_commands) / sizeof(cmd_commands[0])] = { NULL };
	const char *near;

	if (print_family(stderr, word))
		return CMD_FAILED;
	for (size_t i = 0; cmd_commands[i] != NULL; i++)
		names[i] = cmd_commands[i]->name;
	near = nearest_word(slice_of(word), names);
	if (near == NULL)
		return cmd_fail("there is no verb '%s'; tocsin --help lists them", word);
	return cmd_fail("there is no verb '%s', did you mean '%s'?", word, near);
}

/* The versions of the libraries that run, which need not be those that it was built with. */
static void
print_version(void)
{
	printf("tocsin %s\n%s\nlibevent %s\nlibxml2 %s\ncJSON %s\nSQLite %s\nzlib %s\nhiredis %s\n",
	    TOCSIN_VERSION, digest_library(), event_get_version(), xml_library(), json_library(),
	    store_library(), http_library(), redis_library());
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
run(const struct command *c, int used, int argc, char **argv)
{
	struct args a;
	int status;

	if (asks_for_help(argc - used, argv + used)) {
		cmd_help(stdout, c);
		return CMD_DONE;
	}
	status = args_parse(&a, c, argc - used, argv + used) < 0 ? CMD_FAILED : c->run(&a);
	args_fini(&a);
	return status;
}

/* Pages and envelopes come and go by the megabyte: what the kernel gets back at each free comes again as
 * page faults, a tenth of the time of a large page. */
static void
keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

/* A want of memory ends the process at once, in whichever library it is met: nothing is acknowledged
 * before it is on the disk, so that a fresh start is the safest way on. SQLite alone has an answer of its
 * own: the transaction fails. */
static void
share_memory(void)
{
	event_set_mem_functions(xmalloc, xrealloc, free);
	digest_share_memory();
	xml_share_memory();
}

int
main(int argc, char **argv)
{
	const struct command *best = NULL;
	int used = 0;

	signal(SIGPIPE, SIG_IGN);
	keep_memory();
	share_memory();
	if (argc > 0 && strcmp(argv[0], "tocsin:") == 0)
		return process_main(argc - 1, argv + 1);	/* a child of a master */
	argc--;
	argv++;
	if (argc == 0) {
		print_overview(stderr);
		return CMD_FAILED;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    strcmp(argv[0], "help") == 0) {
		print_overview(stdout);
		return CMD_DONE;
	}
	if (strcmp(argv[0], "--version") == 0) {
		print_version();
		return CMD_DONE;
	}
	for (size_t i = 0; cmd_commands[i] != NULL; i++) {
		int n = matches(cmd_commands[i]->name, argc, argv);

		if (n > used) {
			best = cmd_commands[i];
			used = n;
		}
	}
	if (best == NULL) {
		if (asks_for_help(argc, argv) && print_family(stdout, argv[0]))
			return CMD_DONE;
		return unknown_verb(argv[0]);
	}
	return run(best, used, argc, argv);
}
