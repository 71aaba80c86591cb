/* How the arguments of each type of statement are written and read, and what they
 * must be like. Private to core/statement*.c. */
#ifndef HT_CORE_STATEMENT_FORMAT_H
#define HT_CORE_STATEMENT_FORMAT_H

#include "core/statement.h"
#include "core/wire.h"

struct statement_format {
	const char *name;
	uint32_t argument_count;
	bool has_parents, has_signers;
	void (*put)(struct buf *out, const struct statement *s);
	/* What is wrong fails the reader. */
	void (*get)(struct statement *s, struct wire_reader *r, struct arena *arena);
	/* Order and ranges: what a reader must refuse and a writer may not write. */
	bool (*is_sound)(const struct statement *s);
};

/* NULL for a type that we don't know. */
const struct statement_format *statement_format(enum statement_type type);

/* A list of 32-byte keys or ids, at most `count_max`, into the arena. */
const void *statement_get_list(struct wire_reader *r, struct arena *arena, uint32_t count_max,
			       size_t *count);
void statement_put_list(struct buf *out, const void *list, size_t count);

/* 32-byte elements, each above the one before. */
bool statement_list_ascends(const void *list, size_t count);

/* Of whatever type. */
size_t statement_cut_count(const struct statement *s);
size_t statement_root_count(const struct statement *s);

#endif
