/* If this fails, a hostile value forges a line of the log or moves the cursor of who reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"

static int pipes[2];
static char text[8192];

static int
set_up(void **state)
{
	(void)state;
	clock_fake(INT64_C(1795255200120000));
	return pipe2(pipes, O_NONBLOCK);
}

static int
tear_down(void **state)
{
	(void)state;
	close(pipes[0]);
	close(pipes[1]);
	clock_real();
	log_setup(STDERR_FILENO, false, LOG_INFO);
	return 0;
}

/* All that was logged since the last call. */
static const char *
logged(void)
{
	ssize_t n = read(pipes[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

#define HEAD "t=2026-11-21T10:00:00.120000Z level=info ev=relay.sent "
#define JSON_HEAD "{\"t\":\"2026-11-21T10:00:00.120000Z\",\"level\":\"info\",\"ev\":\"relay.sent\","

static void
test_logfmt(void **state)
{
	(void)state;
	log_setup(pipes[1], false, LOG_INFO);
	log_event(LOG_INFO, "relay.sent", LF_S("peer", "cert-b"), LF_I("objects", 3),
	    LF_D("ms", 12.5));
	assert_string_equal(logged(), HEAD "peer=cert-b objects=3 ms=12.5\n");
	log_event(LOG_INFO, "relay.sent", LF_S("a", NULL), LF_S("b", ""), LF_S("c", "x y"),
	    LF_S("d", "k=v"), LF_S("e", "say \"x\""), LF_S("f", "C:\\n"), LF_S("g", "https://x/?q"),
	    LF_I("h", INT64_MIN), LF_D("i", NAN), LF_D("j", 1e300));
	assert_string_equal(logged(), HEAD "a=\"\" b=\"\" c=\"x y\" d=\"k=v\" e=\"say \\\"x\\\"\" "
	    "f=\"C:\\\\n\" g=https://x/?q h=-9223372036854775808 i=nan j=1e+300\n");
}

static void
test_hostile_values(void **state)
{
	(void)state;
	log_setup(pipes[1], false, LOG_INFO);
	log_event(LOG_INFO, "relay.sent", LF_S("a", "x\nt=2026 level=error"),
	    LF_S("b", "\x1b[2J\r\t"), LF_S("c", "\xff\xc0\x80"), LF_S("d", "caf\xc3\xa9"),
	    LF_S("e", "\xc2\x9b" "2J\x7f"),
	    LF_S("f", "\xe2\x80\xae" "abc"), LF_SL("g", slice_from("a\0b", 3)),
	    LF_S("h", "\xe2\x82"));
	assert_string_equal(logged(), HEAD "a=\"x\\nt=2026 level=error\" b=\"\\x1B[2J\\r\\t\" "
	    "c=\"\\xFF\\xC0\\x80\" d=\"caf\xc3\xa9\" e=\"\\xC2\\x9B2J\\x7F\" "
	    "f=\"\\xE2\\x80\\xAEabc\" g=\"a\\x00b\" h=\"\\xE2\\x82\"\n");
}

static void
test_json(void **state)
{
	(void)state;
	log_setup(pipes[1], true, LOG_INFO);
	log_event(LOG_INFO, "relay.sent", LF_S("a", "plain"),
	    LF_S("b", "q\" \\ \n\x1b\xff\xc3\xa9"), LF_S("c", NULL), LF_I("d", -1),
	    LF_D("e", INFINITY), LF_D("f", 0.25));
	assert_string_equal(logged(), JSON_HEAD "\"a\":\"plain\","
	    "\"b\":\"q\\\" \\\\ \\n\\\\x1B\\\\xFF\xc3\xa9\","
	    "\"c\":\"\",\"d\":-1,\"e\":null,\"f\":0.25}\n");
}

static void
test_levels(void **state)
{
	static const char *const words[] = { "debug", "info", "warn", "error", "off" };
	enum log_level level;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(log_level_parse(slice_of(words[i]), &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse(SLICE_LIT("INFO"), &level));
	assert_false(log_level_parse(SLICE_LIT("inf"), &level));
	assert_false(log_level_parse(SLICE_EMPTY, &level));
	for (int least = LOG_DEBUG; least <= LOG_OFF; least++) {
		log_setup(pipes[1], false, (enum log_level)least);
		for (int l = LOG_DEBUG; l <= LOG_OFF; l++) {
			log_event((enum log_level)l, "x", LF_I("n", l));
			assert_int_equal(logged()[0] == 't', l >= least && l < LOG_OFF);
		}
	}
}

/* A line stays under 4096 bytes, so that two processes' lines never mix in a pipe. */
static void
test_long(void **state)
{
	char value[600], quoted[4000];

	(void)state;
	log_setup(pipes[1], false, LOG_INFO);
	memset(value, 'v', sizeof(value));
	/* The 512th byte falls into a character: it goes whole or not at all. */
	memcpy(value + 511, "\xc3\xa9", 2);
	log_event(LOG_INFO, "x", LF_SL("a", slice_from(value, 510)),
	    LF_SL("b", slice_from(value, 600)));
	logged();
	assert_non_null(strstr(text, "b=\"vvv"));
	assert_non_null(strstr(text, "vvv\xc3\xa9...\"\n"));
	memset(quoted, '"', sizeof(quoted));
#define Q LF_SL("q", slice_from(quoted, sizeof(quoted)))
	log_event(LOG_INFO, "x", Q, Q, Q, Q, Q, Q, LF_I("last", 1));
#undef Q
	assert_true(strlen(logged()) < 4096);
	assert_non_null(strstr(text, "\" fields_cut=4\n"));
	assert_null(strstr(text, "last=1"));
}

/* A stream that takes nothing stops nobody, and errno of the caller survives. */
static void
test_lost(void **state)
{
	char fill[4096] = { 0 };

	(void)state;
	log_setup(pipes[1], false, LOG_INFO);
	while (write(pipes[1], fill, sizeof(fill)) > 0)
		;
	errno = ENOENT;
	log_event(LOG_INFO, "x", LF_I("n", 1));
	log_event(LOG_INFO, "x", LF_I("n", 2));
	assert_int_equal(errno, ENOENT);
	while (read(pipes[0], fill, sizeof(fill)) > 0)
		;
	log_event(LOG_INFO, "x", LF_I("n", 3));
	assert_non_null(strstr(logged(), " lost=2 n=3\n"));
	log_event(LOG_INFO, "x", LF_I("n", 4));
	assert_null(strstr(logged(), "lost="));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
