/* SQL that follows from the schema: tables and views per kind, and the
 * queries that read and write them. */
#include "core/store_impl.h"

#include <stdio.h>

static bool is_register(const struct field *f)
{
	return merge_is_register(f->merge);
}

static void put_table(struct buf *out, const struct kind *kind)
{
	buf_printf(out,
		   "CREATE TABLE r_%s(id BLOB NOT NULL, space INTEGER NOT NULL, "
		   "life INTEGER NOT NULL",
		   kind->name);
	for (size_t i = 0; i < kind->field_count; i++)
		if (is_register(&kind->fields[i]))
			buf_printf(out, ", \"%s\"", kind->fields[i].name);
	buf_append_str(out, ", meta BLOB NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(id, space)) "
			    "WITHOUT ROWID;\n");
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].indexed)
			buf_printf(out, "CREATE INDEX r_%s_%s ON r_%s(\"%s\");\n", kind->name,
				   kind->fields[i].name, kind->name, kind->fields[i].name);
}

void store_put_column(struct buf *out, const struct field *f)
{
	if (f->merge != MERGE_TEXT) {
		buf_printf(out, "r.\"%s\"", f->name);
		return;
	}
	buf_printf(out,
		   "CASE typeof(r.\"%s\") WHEN 'integer' THEN (SELECT group_concat(text, '') FROM "
		   "(SELECT text FROM text_piece WHERE key >= r.\"%s\" << 40 AND key < "
		   "(r.\"%s\" + 1) << 40 ORDER BY key)) ELSE r.\"%s\" END",
		   f->name, f->name, f->name, f->name);
}

static void put_names(struct buf *out, const char *expression, const char *const *names)
{
	buf_printf(out, "CASE %s", expression);
	for (unsigned i = 0; names[i]; i++)
		buf_printf(out, " WHEN %u THEN '%s'", i, names[i]);
	buf_append_str(out, " END");
}

/* A column as people read it: names for numbers, hex for ids. */
static void put_readable(struct buf *out, const struct field *f)
{
	char expression[128];

	if (f->format == FORMAT_CHOICE) {
		snprintf(expression, sizeof(expression), "r.\"%s\"", f->name);
		put_names(out, expression, f->choices);
	} else if (f->format == FORMAT_STATE) {
		snprintf(expression, sizeof(expression), "coalesce(r.\"%s\", 0) & 255", f->name);
		put_names(out, expression, f->machine->states);
	} else if (f->format == FORMAT_REF || f->format == FORMAT_BYTES ||
		   f->format == FORMAT_POSITION) {
		buf_printf(out,
			   "CASE WHEN r.\"%s\" IS NULL THEN NULL ELSE lower(hex(r.\"%s\")) END",
			   f->name, f->name);
	} else {
		store_put_column(out, f);
	}
	buf_printf(out, " AS \"%s\"", f->name);
}

static void put_record_view(struct buf *out, const struct kind *kind)
{
	buf_printf(out,
		   "CREATE VIEW %s AS SELECT lower(hex(r.id)) AS id, lower(hex(s.id)) AS space",
		   kind->name);
	for (size_t i = 0; i < kind->field_count; i++) {
		if (!is_register(&kind->fields[i]))
			continue;
		buf_append_str(out, ", ");
		put_readable(out, &kind->fields[i]);
	}
	buf_printf(out,
		   ", r.life = %d AS voided, EXISTS (SELECT 1 FROM conflict c WHERE "
		   "c.space = r.space AND c.record = r.id AND c.kind = %u) AS conflict "
		   "FROM r_%s r JOIN \"space_index\" s ON s.idx = r.space;\n",
		   RECORD_VOID, kind->number, kind->name);
}

static void put_element_view(struct buf *out, const struct kind *kind, const struct field *f)
{
	const char *value = f->format == FORMAT_REF ? "lower(hex(e.value))" : "e.value";

	buf_printf(out,
		   "CREATE VIEW %s_%s AS SELECT lower(hex(e.record)) AS id, %s AS value, "
		   "e.hlc >> 16 AS hlc_ms, e.n AS n, CASE WHEN e.author IS NULL THEN NULL ELSE "
		   "lower(hex(e.author)) END AS author FROM element e WHERE e.kind = %u AND "
		   "e.field = %u;\n",
		   kind->name, f->name, value, kind->number, f->number);
}

void schema_sql_create(struct buf *out, const struct kind *kind)
{
	put_table(out, kind);
	put_record_view(out, kind);
	for (size_t i = 0; i < kind->field_count; i++)
		if (!is_register(&kind->fields[i]))
			put_element_view(out, kind, &kind->fields[i]);
}

void schema_sql_drop(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "DROP TABLE IF EXISTS r_%s;\nDROP VIEW IF EXISTS %s;\n", kind->name,
		   kind->name);
	for (size_t i = 0; i < kind->field_count; i++)
		if (!is_register(&kind->fields[i]))
			buf_printf(out, "DROP VIEW IF EXISTS %s_%s;\n", kind->name,
				   kind->fields[i].name);
}

/* The parameters are the columns: id, space, life, registers, meta, sum. */
static void put_insert(struct buf *out, const struct kind *kind)
{
	unsigned columns = 5;

	for (size_t i = 0; i < kind->field_count; i++)
		columns += is_register(&kind->fields[i]);
	buf_printf(out, "INSERT INTO r_%s VALUES(", kind->name);
	for (unsigned i = 1; i <= columns; i++)
		buf_printf(out, i > 1 ? ",?%u" : "?%u", i);
	buf_append_str(out, ") ON CONFLICT DO NOTHING");
}

/* Parameters are those of the insert. */
static void put_update_of(struct buf *out, const struct kind *kind, bool indexed)
{
	int parameter = 3;

	buf_printf(out, "UPDATE r_%s SET life = ?3", kind->name);
	for (size_t i = 0; i < kind->field_count; i++) {
		if (!is_register(&kind->fields[i]))
			continue;
		parameter++;
		if (indexed || !kind->fields[i].indexed)
			buf_printf(out, ", \"%s\" = ?%d", kind->fields[i].name, parameter);
	}
	buf_printf(out, ", meta = ?%d, sum = ?%d WHERE id = ?1 AND space = ?2", parameter + 1,
		   parameter + 2);
}

static void put_update(struct buf *out, const struct kind *kind)
{
	put_update_of(out, kind, false);
}

static void put_update_indexed(struct buf *out, const struct kind *kind)
{
	put_update_of(out, kind, true);
}

static void put_load(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "SELECT * FROM r_%s WHERE id = ?1 AND space = ?2", kind->name);
}

static void put_all(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "SELECT * FROM r_%s ORDER BY id, space", kind->name);
}

static void put_part(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "SELECT * FROM r_%s WHERE id > ?1 AND id <= ?2 ORDER BY id, space",
		   kind->name);
}

static void put_nth(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "SELECT id FROM r_%s WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2",
		   kind->name);
}

static void put_space_of(struct buf *out, const struct kind *kind)
{
	buf_printf(out, "SELECT space FROM r_%s WHERE id = ?1 ORDER BY space LIMIT 1", kind->name);
}

void schema_sql_query(struct buf *out, const struct kind *kind, enum kind_query which)
{
	static void (*const writers[KIND_QUERY_COUNT])(struct buf *, const struct kind *) = {
		[KIND_INSERT] = put_insert,
		[KIND_UPDATE] = put_update,
		[KIND_UPDATE_INDEXED] = put_update_indexed,
		[KIND_LOAD] = put_load,
		[KIND_ALL] = put_all,
		[KIND_PART] = put_part,
		[KIND_NTH] = put_nth,
		[KIND_SPACE_OF] = put_space_of,
	};

	writers[which](out, kind);
}
