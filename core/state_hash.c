/* A hash over the state that does not depend on how it came about: canonical
 * encodings of every record in (kind, id, space) order. Numbers local to a
 * store (spaces, replicas) are spelt out. */
#include <sodium.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/replica_impl.h"
#include "core/wire.h"

struct hasher {
	struct store *store;
	crypto_generichash_state state;
	struct buf buf;
	struct arena arena;      /* one field's elements or edits */
	struct space_id *spaces; /* by the store's number */
	uint32_t space_count;
	uint64_t element_count, edit_count;
	struct errmsg *msg;
};

static enum err note_space(void *ctx, uint32_t idx, const struct space_id *id)
{
	struct hasher *h = ctx;

	if (idx >= h->space_count) {
		uint32_t count = 2 * idx + 1;

		if (array_resize(&h->spaces, count, sizeof(*h->spaces)))
			return ERR_NOMEM;
		h->space_count = count;
	}
	h->spaces[idx] = *id;
	return OK;
}

static void put_dot(struct buf *out, const struct dot *dot)
{
	wire_put_bin(out, bytes_of(dot->replica.bytes, ID_BYTES));
	wire_put_uint(out, dot->seq);
}

static void put_stamp(struct buf *out, const struct stamp *stamp)
{
	wire_put_uint(out, stamp->hlc.bits);
	put_dot(out, &stamp->dot);
}

static int compare_dots(const void *a, const void *b)
{
	return dot_cmp(a, b);
}

static enum err put_registers(struct buf *out, const struct record *rec)
{
	wire_put_uint(out, rec->count);
	for (size_t i = 0; i < rec->count; i++) {
		wire_put_uint(out, rec->entries[i].field);
		put_stamp(out, &rec->entries[i].stamp);
		value_encode(out, &rec->entries[i].value);
	}
	wire_put_uint(out, rec->reread);
	wire_put_uint(out, record_life(rec)); /* elements have a say in it, too */
	wire_put_uint(out, rec->void_count);
	for (size_t i = 0; i < rec->void_count; i++) {
		const struct void_mark *mark = &rec->voids[i];
		struct dot *dots = arena_array(rec->arena, mark->observed_count, sizeof(*dots));

		if (!dots)
			return ERR_NOMEM;
		if (mark->observed_count) {
			memcpy(dots, mark->observed, mark->observed_count * sizeof(*dots));
			qsort(dots, mark->observed_count, sizeof(*dots), compare_dots);
		}
		put_stamp(out, &mark->stamp);
		for (size_t k = 0; k < mark->observed_count; k++)
			put_dot(out, &dots[k]);
	}
	return OK;
}

static enum err put_elements(struct hasher *h, uint32_t space, const struct record *rec,
			     const struct field *field)
{
	struct element *list;
	size_t count;
	enum err rc;

	arena_reset(&h->arena);
	rc = store_elements(h->store, space, rec->kind, &rec->id, field, &h->arena, &list, &count,
			    h->msg);
	if (rc != OK)
		return rc;
	h->element_count += count;
	wire_put_uint(&h->buf, count);
	for (size_t i = 0; i < count; i++) {
		put_stamp(&h->buf, &list[i].stamp);
		wire_put_uint(&h->buf, list[i].n);
		wire_put_bin(&h->buf, bytes_of(list[i].author.bytes, ID_BYTES));
		value_encode(&h->buf, &list[i].value);
	}
	return OK;
}

static enum err put_history(struct hasher *h, uint32_t space, const struct record *rec,
			    const struct field *field)
{
	struct text_ref ref = { space, rec->kind->number, field->number, rec->id };
	uint8_t hash[TEXT_HASH_BYTES];
	enum err rc;

	arena_reset(&h->arena);
	rc = store_text_hash(h->store, &ref, &h->arena, hash, &h->edit_count, h->msg);
	if (rc == OK)
		wire_put_bin(&h->buf, bytes_of(hash, sizeof(hash)));
	return rc;
}

static enum err put_field(struct hasher *h, uint32_t space, const struct record *rec,
			  const struct field *field)
{
	if (field->merge == MERGE_TEXT)
		return put_history(h, space, rec, field);
	return merge_is_register(field->merge) ? OK : put_elements(h, space, rec, field);
}

static enum err hash_record(void *ctx, uint32_t space, const struct record *rec)
{
	struct hasher *h = ctx;
	enum err rc;

	if (space >= h->space_count)
		return errmsg_set(h->msg, ERR_CORRUPT, "a record in a space that does not exist");
	buf_clear(&h->buf);
	wire_put_uint(&h->buf, rec->kind->number);
	wire_put_bin(&h->buf, bytes_of(rec->id.bytes, ID_BYTES));
	wire_put_bin(&h->buf, bytes_of(h->spaces[space].bytes, ID_BYTES));
	rc = put_registers(&h->buf, rec);
	for (size_t i = 0; rc == OK && i < rec->kind->field_count; i++)
		rc = put_field(h, space, rec, &rec->kind->fields[i]);
	if (rc == OK)
		rc = buf_check(&h->buf);
	if (rc == OK)
		crypto_generichash_update(&h->state, h->buf.data, h->buf.size);
	return rc;
}

/* The inbox follows from the records; a mark too many or too few is damage. */
static const char conflicts_sql[] = "SELECT c.record, c.kind, c.field, s.id FROM conflict c LEFT "
				    "JOIN space_index s ON s.idx = c.space ORDER BY 1, 2, 3, 4";

static enum err hash_conflicts(struct hasher *h)
{
	struct rows *rows;
	enum err rc = store_rows_open(&rows, h->store, conflicts_sql, NULL, 0, h->msg);
	enum err closed;

	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows)) {
		buf_clear(&h->buf);
		wire_put_bin(&h->buf, rows_bytes(rows, 0));
		wire_put_int(&h->buf, rows_int(rows, 1));
		wire_put_int(&h->buf, rows_int(rows, 2));
		wire_put_bin(&h->buf, rows_bytes(rows, 3));
		rc = buf_check(&h->buf);
		if (rc == OK)
			crypto_generichash_update(&h->state, h->buf.data, h->buf.size);
	}
	closed = rows_close(rows, h->msg);
	return rc == OK ? closed : rc;
}

static enum err count_rows(struct hasher *h, const char *sql, uint64_t *out)
{
	struct rows *rows;
	enum err rc = store_rows_open(&rows, h->store, sql, NULL, 0, h->msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows))
		*out = (uint64_t)rows_int(rows, 0);
	return rows_close(rows, h->msg);
}

/* What hangs on records: [0] elements, [1] edits of texts. */
static enum err count_all(struct hasher *h, uint64_t counts[2])
{
	enum err rc = count_rows(h, "SELECT count(*) FROM element", &counts[0]);

	if (rc != OK)
		return rc;
	return count_rows(h,
			  "SELECT (SELECT count(*) FROM text_edit) + "
			  "(SELECT coalesce(sum(last - first + 1), 0) FROM text_pack)",
			  &counts[1]);
}

/* They are read by their records: any others belong to none. */
static enum err check_counts(struct hasher *h)
{
	uint64_t counts[2] = { 0, 0 };
	enum err rc = count_all(h, counts);

	if (rc == OK && counts[0] != h->element_count)
		rc = errmsg_set(h->msg, ERR_CORRUPT, "elements that belong to no record");
	if (rc == OK && counts[1] != h->edit_count)
		rc = errmsg_set(h->msg, ERR_CORRUPT, "edits of texts that belong to no record");
	return rc;
}

static void hasher_release(struct hasher *h)
{
	arena_release(&h->arena);
	buf_release(&h->buf);
	free(h->spaces);
}

enum err store_state_hash(struct store *s, uint8_t out[STATE_HASH_BYTES], struct errmsg *msg)
{
	struct hasher h = { .store = s, .msg = msg };
	struct arena arena = ARENA_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc = store_each_space(s, note_space, &h, msg);

	crypto_generichash_init(&h.state, NULL, 0, STATE_HASH_BYTES);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = store_each_record(s, &kinds[i], &arena, hash_record, &h, msg);
	if (rc == OK)
		rc = hash_conflicts(&h);
	if (rc == OK)
		rc = check_counts(&h);
	if (rc == OK)
		crypto_generichash_final(&h.state, out, STATE_HASH_BYTES);
	arena_release(&arena);
	hasher_release(&h);
	return rc;
}

enum err store_records_hash(struct store *s, const struct kind *kind, const struct id_range *range,
			    uint8_t out[STATE_HASH_BYTES], struct errmsg *msg)
{
	struct hasher h = { .store = s, .msg = msg };
	struct arena arena = ARENA_EMPTY;
	enum err rc = store_each_space(s, note_space, &h, msg);

	crypto_generichash_init(&h.state, NULL, 0, STATE_HASH_BYTES);
	if (rc == OK)
		rc = store_each_record_of(s, kind, range, &arena, hash_record, &h, msg);
	if (rc == OK)
		crypto_generichash_final(&h.state, out, STATE_HASH_BYTES);
	arena_release(&arena);
	hasher_release(&h);
	return rc;
}

enum err store_marks_hash(struct store *s, uint8_t out[STATE_HASH_BYTES], struct errmsg *msg)
{
	struct hasher h = { .store = s, .msg = msg };
	uint64_t counts[2] = { 0, 0 };
	enum err rc;

	crypto_generichash_init(&h.state, NULL, 0, STATE_HASH_BYTES);
	rc = hash_conflicts(&h);
	if (rc == OK)
		rc = count_all(&h, counts);
	crypto_generichash_update(&h.state, (const uint8_t *)counts, sizeof(counts));
	if (rc == OK)
		crypto_generichash_final(&h.state, out, STATE_HASH_BYTES);
	hasher_release(&h);
	return rc;
}
