/*
 * mem_kit.h -- an arena for each test.
 *
 * Owns:    `mem`, from setup to teardown.
 * Called:  by tests/unit/test_*.c, as cmocka_unit_test_setup_teardown(test, setup, teardown).
 * Never:   keeps anything from one test to the next.
 */
#ifndef TESTS_MEM_KIT_H
#define TESTS_MEM_KIT_H

#include "gateway/base/arena.h"

static struct arena *mem;

static inline int
setup(void **state)
{
	(void)state;
	mem = arena_new();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

#endif
