#include "core/record_meta.h"

#include "core/limits.h"
#include "core/wire.h"

/* Of one array in a row; its bytes bound it, too. */
enum { META_ITEMS_MAX = 1 << 24 };

/* The distinct stamps of a record, in order of first use. */
struct stamps {
	const struct stamp **list;
	uint32_t count;
};

static uint32_t stamps_place(const struct stamps *s, const struct stamp *stamp)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->list[i]->dot.seq == stamp->dot.seq &&
		    replica_id_cmp(&s->list[i]->dot.replica, &stamp->dot.replica) == 0)
			return i;
	return s->count;
}

static void stamps_add(struct stamps *s, const struct stamp *stamp)
{
	if (stamps_place(s, stamp) == s->count)
		s->list[s->count++] = stamp;
}

static enum err stamps_collect(struct stamps *s, const struct record *rec)
{
	s->list = arena_array(rec->arena, rec->count + rec->void_count, sizeof(*s->list));
	if (!s->list)
		return ERR_NOMEM;
	for (size_t i = 0; i < rec->count; i++)
		stamps_add(s, &rec->entries[i].stamp);
	for (size_t i = 0; i < rec->void_count; i++)
		stamps_add(s, &rec->voids[i].stamp);
	return OK;
}

static bool is_first_of_field(const struct record *rec, size_t i)
{
	return i == 0 || rec->entries[i - 1].field != rec->entries[i].field;
}

static uint64_t present_bits(const struct record *rec, uint32_t *count)
{
	uint64_t present = 0;

	*count = 0;
	for (size_t i = 0; i < rec->count; i++) {
		if (!is_first_of_field(rec, i))
			continue;
		present |= UINT64_C(1) << (rec->entries[i].field - 1);
		++*count;
	}
	return present;
}

static void put_dot(struct buf *out, const struct dot *dot, struct intern *replicas)
{
	wire_put_uint(out, intern_find(replicas, &dot->replica));
	wire_put_uint(out, dot->seq);
}

static void put_stamps(struct buf *out, const struct stamps *s, struct intern *replicas)
{
	wire_put_array(out, 3 * s->count);
	for (uint32_t i = 0; i < s->count; i++) {
		wire_put_uint(out, s->list[i]->hlc.bits);
		put_dot(out, &s->list[i]->dot, replicas);
	}
}

static void put_siblings(struct buf *out, const struct record *rec, const struct stamps *s,
			 uint32_t shown)
{
	wire_put_array(out, 3 * (uint32_t)(rec->count - shown));
	for (size_t i = 0; i < rec->count; i++) {
		if (is_first_of_field(rec, i))
			continue;
		wire_put_uint(out, rec->entries[i].field);
		wire_put_uint(out, stamps_place(s, &rec->entries[i].stamp));
		value_encode(out, &rec->entries[i].value);
	}
}

static void put_voids(struct buf *out, const struct record *rec, const struct stamps *s,
		      struct intern *replicas)
{
	wire_put_array(out, 2 * (uint32_t)rec->void_count);
	for (size_t i = 0; i < rec->void_count; i++) {
		const struct void_mark *mark = &rec->voids[i];

		wire_put_uint(out, stamps_place(s, &mark->stamp));
		wire_put_array(out, 2 * (uint32_t)mark->observed_count);
		for (size_t k = 0; k < mark->observed_count; k++)
			put_dot(out, &mark->observed[k], replicas);
	}
}

enum err record_meta_encode(struct buf *out, const struct record *rec, struct intern *replicas)
{
	struct stamps s = { 0 };
	uint32_t shown;
	uint64_t present = present_bits(rec, &shown);
	bool plain;

	if (stamps_collect(&s, rec) != OK)
		return ERR_NOMEM;
	plain = s.count <= 1 && rec->void_count == 0 && shown == rec->count && !rec->reread;
	wire_put_array(out, plain ? 2 : rec->reread ? 6 : 5);
	put_stamps(out, &s, replicas);
	wire_put_uint(out, present);
	if (plain)
		return buf_check(out);

	wire_put_array(out, shown);
	for (size_t i = 0; i < rec->count; i++)
		if (is_first_of_field(rec, i))
			wire_put_uint(out, stamps_place(&s, &rec->entries[i].stamp));
	put_siblings(out, rec, &s, shown);
	put_voids(out, rec, &s, replicas);
	if (rec->reread)
		wire_put_uint(out, rec->reread);
	return buf_check(out);
}

void value_decode(struct wire_reader *r, struct value *out)
{
	switch (wire_next_type(r)) {
	case WIRE_NIL:
		wire_is_nil(r);
		*out = value_nil();
		break;
	case WIRE_INT: *out = value_int(wire_int(r)); break;
	case WIRE_STR: *out = value_text(wire_str(r, TEXT_BYTES_MAX)); break;
	case WIRE_BIN: *out = value_bytes(wire_bin(r, TEXT_BYTES_MAX)); break;
	case WIRE_ARRAY:
		*out = (struct value){ .type = VALUE_REF };
		wire_array(r, 1);
		wire_bin_exact(r, out->ref.bytes, ID_BYTES);
		break;
	default: wire_fail(r, ERR_FORMAT); break;
	}
}

struct meta_reader {
	struct wire_reader r;
	struct record *rec;
	const struct intern *replicas;
	struct stamp *stamps;
	uint32_t stamp_count;
};

static struct dot get_dot(struct meta_reader *m)
{
	struct dot dot = { 0 };
	uint64_t number = wire_uint(&m->r, UINT32_MAX);

	if (number < m->replicas->count)
		dot.replica = m->replicas->ids[number];
	else
		wire_fail(&m->r, ERR_FORMAT);
	dot.seq = wire_uint(&m->r, SEQ_MAX);
	return dot;
}

static void *meta_array(struct meta_reader *m, size_t count, size_t size)
{
	void *array = arena_array(m->rec->arena, count, size);

	if (!array)
		wire_fail(&m->r, ERR_NOMEM);
	return array;
}

static void get_stamps(struct meta_reader *m)
{
	uint32_t count = wire_array(&m->r, META_ITEMS_MAX) / 3;

	m->stamps = meta_array(m, count, sizeof(*m->stamps));
	for (uint32_t i = 0; i < count && wire_is_ok(&m->r); i++) {
		m->stamps[i].hlc.bits = wire_uint(&m->r, UINT64_MAX);
		m->stamps[i].dot = get_dot(m);
	}
	m->stamp_count = wire_is_ok(&m->r) ? count : 0;
}

static const struct stamp *get_stamp(struct meta_reader *m)
{
	uint64_t place = wire_uint(&m->r, UINT32_MAX);

	if (place >= m->stamp_count) {
		wire_fail(&m->r, ERR_FORMAT);
		return NULL;
	}
	return &m->stamps[place];
}

/* A register of this kind. Values are as good as the column they come from,
 * but states are indices into their machine's tables. */
static bool is_usable(const struct field *field, const struct value *value)
{
	if (!field || !merge_is_register(field->merge))
		return false;
	return field->merge != MERGE_STATE || field_validate(field, value, NULL) == OK;
}

static void add_entry(struct meta_reader *m, const struct field *field, const struct stamp *stamp,
		      const struct value *value)
{
	struct record *rec = m->rec;

	if (wire_is_ok(&m->r) && is_usable(field, value))
		rec->entries[rec->count++] = (struct entry){ field->number, *stamp, *value };
	else
		wire_fail(&m->r, ERR_FORMAT);
}

/* Siblings follow the shown values in the column; entries are kept by field. */
static void sort_by_field(struct record *rec)
{
	for (size_t i = 1; i < rec->count; i++) {
		struct entry moved = rec->entries[i];
		size_t k = i;

		for (; k > 0 && rec->entries[k - 1].field > moved.field; k--)
			rec->entries[k] = rec->entries[k - 1];
		rec->entries[k] = moved;
	}
}

static void get_shown(struct meta_reader *m, uint64_t present, bool plain,
		      struct value (*shown)(void *, const struct field *), void *ctx)
{
	if (!plain)
		wire_array(&m->r, 64);
	for (uint8_t n = 1; n <= 64; n++) {
		const struct field *field;
		const struct stamp *stamp;
		struct value value;

		if (!(present & UINT64_C(1) << (n - 1)))
			continue;
		stamp = plain && m->stamp_count ? &m->stamps[0] : get_stamp(m);
		field = kind_field(m->rec->kind, n);
		if (!field || !merge_is_register(field->merge) || !wire_is_ok(&m->r)) {
			wire_fail(&m->r, ERR_FORMAT);
			return;
		}
		value = shown(ctx, field);
		add_entry(m, field, stamp, &value);
	}
}

static void get_siblings(struct meta_reader *m, uint32_t count)
{
	for (uint32_t i = 0; i < count && wire_is_ok(&m->r); i++) {
		const struct field *field = kind_field(m->rec->kind, (uint8_t)wire_uint(&m->r, 64));
		const struct stamp *stamp = get_stamp(m);
		struct value value = value_nil();

		value_decode(&m->r, &value);
		add_entry(m, field, stamp, &value);
	}
	sort_by_field(m->rec);
}

static void get_voids(struct meta_reader *m)
{
	uint32_t count = wire_array(&m->r, META_ITEMS_MAX) / 2;
	struct void_mark *voids = meta_array(m, count, sizeof(*voids));

	for (uint32_t i = 0; i < count && wire_is_ok(&m->r); i++) {
		const struct stamp *stamp = get_stamp(m);
		uint32_t dots = wire_array(&m->r, UINT32_MAX) / 2;
		struct dot *observed = meta_array(m, dots, sizeof(*observed));

		for (uint32_t k = 0; k < dots && wire_is_ok(&m->r); k++)
			observed[k] = get_dot(m);
		if (wire_is_ok(&m->r))
			voids[i] = (struct void_mark){ *stamp, observed, dots };
	}
	m->rec->voids = voids;
	m->rec->void_count = m->rec->void_cap = wire_is_ok(&m->r) ? count : 0;
}

/* Only of texts. */
static void get_reread(struct meta_reader *m)
{
	uint64_t bits = wire_uint(&m->r, UINT64_MAX), texts = 0;

	for (size_t i = 0; i < m->rec->count; i++) {
		const struct field *field = kind_field(m->rec->kind, m->rec->entries[i].field);

		if (field->merge == MERGE_TEXT)
			texts |= UINT64_C(1) << (field->number - 1);
	}
	if (bits == 0 || bits & ~texts)
		wire_fail(&m->r, ERR_FORMAT);
	m->rec->reread = bits;
}

enum err record_meta_decode(struct record *rec, struct bytes meta, const struct intern *replicas,
			    struct value (*shown)(void *ctx, const struct field *field), void *ctx)
{
	struct meta_reader m = { wire_reader_of(meta), rec, replicas, NULL, 0 };
	uint32_t parts = wire_array(&m.r, 6);
	struct wire_reader ahead;
	uint32_t siblings = 0;
	uint64_t present;
	enum err rc;

	get_stamps(&m);
	present = wire_uint(&m.r, UINT64_MAX);
	if (parts >= 5) {
		ahead = m.r;
		wire_skip(&ahead);
		siblings = wire_array(&ahead, META_ITEMS_MAX) / 3;
	}
	rec->cap = (size_t)__builtin_popcountll(present) + siblings;
	rec->entries = meta_array(&m, rec->cap, sizeof(*rec->entries));
	get_shown(&m, present, parts < 5, shown, ctx);
	if (parts >= 5) {
		wire_array(&m.r, META_ITEMS_MAX);
		get_siblings(&m, siblings);
		get_voids(&m);
	}
	if (parts == 6)
		get_reread(&m);
	rc = wire_end(&m.r);
	return rc == OK || rc == ERR_NOMEM ? rc : ERR_CORRUPT;
}
