/* If this finds something, one worker that was taken over writes a book that crashes the others, or a status that a terminal
 * obeys. What was read is written, read again and judged. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/consumer_book.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	const char *text = arena_str(mem, slice_from(data, n));
	struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	struct book b, again, all = { .name = "x" };
	struct book_verdict v;

	if (book_read(&b, "x", text)) {
		book_write(&one, &b);
		if (!book_read(&again, "x", one.p))
			__builtin_trap();
		book_write(&two, &again);
		if (!slice_eq(strbuf_slice(&one), strbuf_slice(&two)))
			__builtin_trap();
		book_merge(&all, &b);
		book_merge(&all, &again);
		book_judge(&all, INT64_C(1700000000000000), 7, &v);
		for (const char *p = v.words; *p != '\0'; p++)
			if ((unsigned char)*p < ' ')
				__builtin_trap();
	}
	strbuf_fini(&one);
	strbuf_fini(&two);
	arena_free(mem);
	return 0;
}
