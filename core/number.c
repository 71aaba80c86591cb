/* Readable numbers, issued per kind, office and year: "AI-SHA-2026-0012". */
#include <stdio.h>

#include "core/replica_impl.h"

/* Further nodes of an office have letters of their own: B, C ... Z, BA, BB ... */
enum { BLOCK_LETTERS_MAX = 3 };

#define COUNT_MAX UINT64_C(999999999) /* a counter beyond is damaged */

static void block_letters(char out[BLOCK_LETTERS_MAX + 1], uint32_t block)
{
	char digits[BLOCK_LETTERS_MAX];
	size_t count = 0;

	for (; block > 0; block /= 26)
		digits[count++] = (char)('A' + block % 26);
	while (count > 0)
		*out++ = digits[--count];
	*out = '\0';
}

/* What comes before the count: kind, office, year and the node's letters. */
static enum err number_prefix(struct replica *r, const struct kind *kind, unsigned year,
			      char out[NUMBER_TEXT_MAX], struct errmsg *msg)
{
	const struct member *self = replica_self(r);
	char letters[BLOCK_LETTERS_MAX + 1];

	if (!self)
		return errmsg_set(msg, ERR_NOT_FOUND, "this node is not in the directory yet");
	block_letters(letters, self->block);
	snprintf(out, NUMBER_TEXT_MAX, "%s-%s-%u-%s", kind->prefix, self->office_code, year,
		 letters);
	return OK;
}

static enum err query_int(struct replica *r, const char *sql, const char *arg, int64_t *out,
			  struct errmsg *msg)
{
	struct value value = value_str(arg);
	struct rows *rows;
	enum err rc = store_rows_open(&rows, r->store, sql, &value, 1, msg);

	if (rc != OK)
		return rc;
	*out = rows_next(rows) ? rows_int(rows, 0) : 0;
	return rows_close(rows, msg);
}

static enum err is_taken(struct replica *r, const struct kind *kind, const char *number,
			 int64_t *out, struct errmsg *msg)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT EXISTS (SELECT 1 FROM r_%s WHERE number = ?1)",
		 kind->name);
	return query_int(r, sql, number, out, msg);
}

/* The highest count among the records that have the prefix. */
static enum err highest(struct replica *r, const struct kind *kind, const char *prefix,
			int64_t *out, struct errmsg *msg)
{
	char sql[256];

	/* ':' comes right after '9'; letters, which other nodes have, after that. */
	snprintf(sql, sizeof(sql),
		 "SELECT max(CAST(substr(number, 1 + length(?1)) AS INTEGER)) FROM r_%s "
		 "WHERE number >= ?1 AND number < ?1 || ':'",
		 kind->name);
	return query_int(r, sql, prefix, out, msg);
}

static void format_number(char out[NUMBER_TEXT_MAX], const char *prefix, uint64_t count)
{
	snprintf(out, NUMBER_TEXT_MAX, "%.30s%04llu", prefix, (unsigned long long)count);
}

/* A restored backup has an old counter, and the records come back from the peers:
 * then counting goes on above what is here. */
static enum err count_on(struct replica *r, const struct kind *kind, const char *prefix,
			 char out[NUMBER_TEXT_MAX], struct errmsg *msg)
{
	int64_t top = 0;
	enum err rc = highest(r, kind, prefix, &top, msg);

	if (rc == OK)
		rc = store_counter_set(r->store, prefix, (uint64_t)top + 2, msg);
	if (rc == OK)
		format_number(out, prefix, (uint64_t)top + 1);
	return rc;
}

enum err replica_number(struct replica *r, uint16_t kind_number, unsigned year,
			char out[NUMBER_TEXT_MAX], struct errmsg *msg)
{
	const struct kind *kind = schema_kind(kind_number);
	char prefix[NUMBER_TEXT_MAX], number[NUMBER_TEXT_MAX];
	int64_t taken;
	uint64_t next;
	enum err rc;

	if (!kind || !kind->prefix)
		return errmsg_set(msg, ERR_INVALID, "records of kind %u have no number",
				  kind_number);
	rc = number_prefix(r, kind, year, prefix, msg);
	if (rc == OK)
		rc = store_counter_next(r->store, prefix, &next, msg);
	if (rc != OK)
		return rc;
	format_number(number, prefix, next);
	rc = is_taken(r, kind, number, &taken, msg);
	if (rc == OK && (taken || next == 0 || next > COUNT_MAX))
		rc = count_on(r, kind, prefix, number, msg);
	if (rc == OK)
		memcpy(out, number, NUMBER_TEXT_MAX);
	return rc;
}
