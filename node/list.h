/* Lists of records: which rows, in which order, as which columns.
 *
 * What a list of one kind looks like is data, struct list; which of its rows
 * are wanted is put together from the command's options, struct condition. */
#ifndef HT_NODE_LIST_H
#define HT_NODE_LIST_H

#include "node/args.h"
#include "node/listing.h"
#include "node/table.h"

enum { CONDITION_MAX = 512, CONDITION_ARGS_MAX = 8 };

/* WHERE, its arguments, and ORDER BY. Start from an empty text. */
struct condition {
	char text[CONDITION_MAX];
	struct value args[CONDITION_ARGS_MAX];
	size_t arg_count;
};

/* One more thing that must hold, in SQL over r and s (node/listing.h). */
void condition_narrow(struct condition *c, const char *sql);
/* The same with one "?" in it. */
void condition_narrow_by(struct condition *c, const char *sql, struct value arg);
/* After all of those. */
void condition_order(struct condition *c, const char *sql);

/* How the rows of one kind become lines. */
struct list {
	uint16_t kind;
	const struct table_column *columns; /* titles N_() */
	size_t column_count;
	enum err (*cells)(struct listing *l, const char **cells, struct errmsg *msg);
	/* Whether a row is wanted beyond what SQL can tell; NULL: all are. */
	bool (*wants)(struct listing *l, const struct args *args, const struct when_reader *reader);
	const char *nothing; /* N_(), said to people when the list is empty */
};

/* Print the table, or with --json an array. */
MUST_CHECK enum err list_print(const struct list *list, struct context *ctx,
			       const struct args *args, const struct condition *c,
			       struct errmsg *msg);

#endif
