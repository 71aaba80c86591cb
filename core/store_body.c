/* Texts as they are: small ones, and those that were written once, in the row of their record;
 * what is edited and large in pieces, a row each, under a number that stands in the record's row.
 *
 *   key = number << 40 | place
 *
 * Places ascend, with room between them for pieces that come later. */
#include "core/store_impl.h"

#include "core/utf8.h"

enum {
	IN_ROW_MAX = 4096, /* bytes: what takes as many pages either way is in the row */
	PLACE_BITS = 40,
	PLACE_STEP = 1 << 16, /* between two pieces, to begin with */
};

#define PLACE_END  (INT64_C(1) << PLACE_BITS)
#define NUMBER_MAX ((INT64_C(1) << (63 - PLACE_BITS)) - 1)
#define POINTS_MAX UINT16_MAX /* of a piece: more than its bytes ever are */

static int64_t piece_key(int64_t number, uint64_t place)
{
	return number << PLACE_BITS | (int64_t)place;
}

/* ---- Reading --------------------------------------------------------------- */

static bool is_number(int64_t number)
{
	return number > 0 && number <= NUMBER_MAX;
}

static enum err append_piece(void *ctx, sqlite3_stmt *row)
{
	struct bytes text = column_bytes(row, 0);

	buf_append(ctx, text.data, text.size);
	if (!utf8_is_valid(text) || (int64_t)utf8_count(text) != sqlite3_column_int64(row, 1))
		return ERR_CORRUPT;
	return buf_check(ctx);
}

/* The pieces whose keys are in [from, to]. There is at least one. */
static enum err read_pieces(struct store *s, int64_t from, int64_t to, struct buf *out,
			    struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_PIECE_TEXTS, &rc, msg);
	int result = SQLITE_DONE;
	bool is_any = false;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, from);
	sqlite3_bind_int64(stmt, 2, to);
	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = append_piece(out, stmt);
		is_any = true;
	}
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, "read a text", msg);
	sqlite3_reset(stmt);
	if (rc == ERR_CORRUPT || (rc == OK && !is_any))
		rc = store_damaged(s, "a text", msg);
	return rc;
}

enum err store_body_read(struct store *s, int64_t number, struct arena *arena, struct bytes *out,
			 struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = is_number(number) ? OK : store_damaged(s, "a text", msg);

	if (rc == OK)
		rc = read_pieces(s, piece_key(number, 0), piece_key(number, PLACE_END - 1), &text,
				 msg);
	if (rc == OK) {
		*out = arena_copy(arena, buf_bytes(&text));
		rc = out->data ? OK : ERR_NOMEM;
	}
	buf_release(&text);
	return rc;
}

static enum err read_piece(void *ctx, uint64_t place, struct buf *out)
{
	struct store_body *b = ctx;
	int64_t key = piece_key(b->number, place);

	return read_pieces(b->store, key, key, out, b->msg);
}

static enum err add_piece(void *ctx, sqlite3_stmt *row)
{
	struct store_body *b = ctx;
	uint64_t place = (uint64_t)sqlite3_column_int64(row, 0) & (PLACE_END - 1);
	uint64_t points = (uint64_t)sqlite3_column_int64(row, 1);

	if (place == 0 || points > POINTS_MAX)
		return store_damaged(b->store, "a text", b->msg);
	return text_body_add(&b->text, place, (uint32_t)points);
}

static enum err list_pieces(struct store_body *b)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(b->store, QUERY_PIECES, &rc, b->msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, piece_key(b->number, 0));
	sqlite3_bind_int64(stmt, 2, piece_key(b->number, PLACE_END - 1));
	rc = store_each_row(b->store, stmt, "read a text", add_piece, b, b->msg);
	return rc == OK && b->text.count == 0 ? store_damaged(b->store, "a text", b->msg) : rc;
}

/* ---- What is kept ----------------------------------------------------------- */

void store_forget_texts(struct store *s)
{
	for (size_t i = 0; i < BODIES_KEPT; i++) {
		text_body_release(&s->bodies[i].text);
		s->bodies[i].number = 0;
	}
	store_forget_histories(s);
}

enum err store_check_texts(struct store *s, struct errmsg *msg)
{
	uint64_t version;
	enum err rc = store_data_version(s, &version, msg);

	if (rc == OK && version != s->texts_version) {
		store_forget_texts(s);
		s->texts_version = version;
	}
	return rc;
}

static bool take_kept(struct store_body *b)
{
	struct store *s = b->store;

	for (size_t i = 0; i < BODIES_KEPT; i++) {
		if (s->bodies[i].number != b->number)
			continue;
		b->text = s->bodies[i].text;
		b->text.ctx = b;
		s->bodies[i] = (struct kept_body){ 0 };
		return true;
	}
	return false;
}

/* All of it is stored. In place of the one that was kept first. */
static void keep(struct store_body *b)
{
	struct kept_body *kept = &b->store->bodies[b->store->next_body++ % BODIES_KEPT];

	text_body_forget(&b->text);
	text_body_release(&kept->text);
	*kept = (struct kept_body){ b->number, b->text };
	b->text = TEXT_BODY_EMPTY;
}

struct point_count {
	struct store *store;
	uint64_t points;
	struct errmsg *msg;
};

static enum err add_points(void *ctx, sqlite3_stmt *row)
{
	struct point_count *c = ctx;
	uint64_t points = (uint64_t)sqlite3_column_int64(row, 1);

	if (points > POINTS_MAX)
		return store_damaged(c->store, "a text", c->msg);
	c->points += points;
	return OK;
}

static enum err count_points(struct store *s, int64_t number, uint64_t *out, struct errmsg *msg)
{
	struct point_count count = { s, 0, msg };
	sqlite3_stmt *stmt;
	enum err rc =
		is_number(number) ? store_check_texts(s, msg) : store_damaged(s, "a text", msg);

	for (size_t i = 0; rc == OK && i < BODIES_KEPT; i++)
		if (s->bodies[i].number == number) {
			*out = s->bodies[i].text.points;
			return OK;
		}
	if (rc != OK)
		return rc;
	stmt = store_query(s, QUERY_PIECES, &rc, msg);
	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, piece_key(number, 0));
	sqlite3_bind_int64(stmt, 2, piece_key(number, PLACE_END - 1));
	rc = store_each_row(s, stmt, "read a text", add_points, &count, msg);
	*out = count.points;
	return rc;
}

enum err store_body_points(struct store *s, const struct value *value, uint64_t *out,
			   struct errmsg *msg)
{
	if (value->type == VALUE_INT)
		return count_points(s, value->number, out, msg);
	*out = value->type == VALUE_TEXT ? utf8_count(value->bytes) : 0;
	return OK;
}

/* ---- Life ------------------------------------------------------------------- */

static enum err open_pieces(struct store_body *b)
{
	enum err rc = is_number(b->number) ? store_check_texts(b->store, b->msg)
					   : store_damaged(b->store, "a text", b->msg);

	if (rc != OK)
		return rc;
	return take_kept(b) ? OK : list_pieces(b);
}

enum err store_body_open(struct store_body *b, struct store *s, uint32_t space,
			 const struct value *value, struct errmsg *msg)
{
	*b = (struct store_body){ .store = s, .space = space, .msg = msg };
	b->text.read = read_piece;
	b->text.ctx = b;
	switch (value->type) {
	case VALUE_INT: b->number = value->number; return open_pieces(b);
	case VALUE_TEXT: return text_body_append(&b->text, value->bytes);
	default: return OK;
	}
}

static enum err checked(const struct store_body *b, enum err rc)
{
	return rc == ERR_CORRUPT ? store_damaged(b->store, "a text", b->msg) : rc;
}

static enum err insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	struct store_body *b = ctx;

	return checked(b, text_body_insert(&b->text, pos, text, count));
}

static enum err take_out(void *ctx, uint32_t pos, uint32_t count)
{
	struct store_body *b = ctx;

	return checked(b, text_body_remove(&b->text, pos, count));
}

struct text_sink store_body_sink(struct store_body *b)
{
	return (struct text_sink){ insert, take_out, b };
}

enum err store_body_text(struct store_body *b, struct arena *arena, struct bytes *out)
{
	struct buf text = BUF_EMPTY;
	enum err rc = OK;

	for (uint32_t i = 0; i < b->text.count && rc == OK; i++) {
		rc = text_body_need(&b->text, i);
		buf_append(&text, b->text.pieces[i].text.data, b->text.pieces[i].text.size);
	}
	if (rc == OK)
		rc = buf_check(&text);
	if (rc == OK) {
		*out = arena_copy(arena, buf_bytes(&text));
		rc = out->data ? OK : ERR_NOMEM;
	}
	buf_release(&text);
	return checked(b, rc);
}

void store_body_close(struct store_body *b)
{
	text_body_release(&b->text);
}

/* ---- Writing --------------------------------------------------------------- */

static enum err delete_piece(void *ctx, uint64_t place)
{
	struct store_body *b = ctx;
	enum err rc;
	sqlite3_stmt *stmt = store_query(b->store, QUERY_PIECE_DELETE, &rc, b->msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, piece_key(b->number, place));
	return store_run(b->store, stmt, "remove a part of a text", b->msg);
}

static enum err put_piece(struct store_body *b, struct text_piece *p)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(b->store, QUERY_PIECE_PUT, &rc, b->msg);
	struct value text = value_text(buf_bytes(&p->text));

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, piece_key(b->number, p->place));
	sqlite3_bind_int64(stmt, 2, b->space);
	sqlite3_bind_int64(stmt, 3, p->points);
	bind_value(stmt, 4, &text);
	rc = store_run(b->store, stmt, "write a part of a text", b->msg);
	p->is_changed = rc != OK;
	return rc;
}

/* Where there is no room between two others, one of them takes part. */
static enum err give_up_place(struct store_body *b, uint32_t piece)
{
	struct text_piece *p = &b->text.pieces[piece];
	enum err rc = text_body_need(&b->text, piece);

	if (rc == OK)
		rc = delete_piece(b, p->place);
	p->place = 0;
	p->is_changed = true;
	return rc;
}

/* Places for pieces [from, to), which have none. */
static enum err give_places(struct store_body *b, uint32_t from, uint32_t to)
{
	struct text_piece *list = b->text.pieces;
	enum err rc = OK;

	while (rc == OK) {
		uint64_t low = from ? list[from - 1].place : 0;
		uint64_t high = to < b->text.count ? list[to].place : PLACE_END;
		uint64_t step = (high - low) / (to - from + 1);

		if (step > 0) {
			step = step < PLACE_STEP ? step : PLACE_STEP;
			for (; from < to; from++)
				list[from].place = low += step;
			return OK;
		}
		rc = to < b->text.count ? give_up_place(b, to++) : give_up_place(b, --from);
	}
	return rc;
}

static enum err place_pieces(struct store_body *b)
{
	enum err rc = OK;

	for (uint32_t i = b->text.from, end; i < b->text.to && rc == OK; i = end + 1) {
		for (end = i; end < b->text.to && !b->text.pieces[end].place; end++)
			;
		if (end > i)
			rc = give_places(b, i, end);
	}
	return rc;
}

/* Numbers that nobody has any more may be given again. */
static enum err draw_number(struct store_body *b)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(b->store, QUERY_PIECE_NEWEST, &rc, b->msg);
	int64_t newest = 0;

	if (rc == OK)
		rc = store_step_int(b->store, stmt, "number a text", &newest, b->msg);
	newest >>= PLACE_BITS;
	if (rc == OK && !is_number(newest + 1))
		rc = store_damaged(b->store, "the numbers of texts", b->msg);
	if (rc == OK)
		b->number = newest + 1;
	return rc;
}

static enum err save_pieces(struct store_body *b)
{
	enum err rc = b->number ? OK : draw_number(b);

	if (rc == OK)
		rc = text_body_tidy(&b->text, delete_piece, b);
	if (rc == OK)
		rc = place_pieces(b);
	for (uint32_t i = b->text.from; i < b->text.to && rc == OK; i++)
		if (b->text.pieces[i].is_changed)
			rc = put_piece(b, &b->text.pieces[i]);
	if (rc == OK)
		keep(b);
	return rc;
}

static bool fits_into_row(const struct store_body *b)
{
	size_t size = 0;

	for (uint32_t i = 0; i < b->text.count; i++)
		size += b->text.pieces[i].text.size;
	return !b->number && size <= IN_ROW_MAX;
}

enum err store_body_save(struct store_body *b, struct arena *arena, struct value *out)
{
	bool is_in_row = fits_into_row(b);
	struct bytes text;
	enum err rc = is_in_row ? store_body_text(b, arena, &text) : save_pieces(b);

	if (rc == OK)
		*out = is_in_row ? value_text(text) : value_int(b->number);
	return rc == ERR_CORRUPT ? checked(b, rc) : rc;
}
