#include "node/list.h"

#include "node/i18n.h"
#include "node/output.h"
#include "node/sys_error.h"

void condition_narrow(struct condition *c, const char *sql)
{
	size_t used = strlen(c->text);

	snprintf(c->text + used, sizeof(c->text) - used, "%s %s", used ? " AND" : "WHERE", sql);
}

void condition_narrow_by(struct condition *c, const char *sql, struct value arg)
{
	c->args[c->arg_count++] = arg;
	condition_narrow(c, sql);
}

void condition_order(struct condition *c, const char *sql)
{
	size_t used = strlen(c->text);

	snprintf(c->text + used, sizeof(c->text) - used, " ORDER BY %s", sql);
}

/* Rows go straight out as JSON, or into the table, which has to see all to be aligned. */
static enum err add_row(const struct list *list, struct listing *l, struct table *table, size_t row,
			struct errmsg *msg)
{
	const char *cells[TABLE_COLUMNS_MAX] = { NULL };
	json_t *json = NULL;
	enum err rc;

	if (!l->ctx->is_json) {
		rc = list->cells(l, cells, msg);
		if (rc == OK)
			table_add(table, cells);
		return rc;
	}
	rc = listing_json(l, &json, msg);
	if (rc == OK)
		fputs(row ? "," : "[\n", stdout);
	return rc == OK ? output_json(stdout, json, msg) : rc;
}

static enum err add_rows(const struct list *list, struct context *ctx, const struct args *args,
			 const struct condition *c, struct table *table, size_t *count,
			 struct errmsg *msg)
{
	const struct when_reader *reader;
	struct listing l;
	enum err rc, closed;

	rc = context_reader(ctx, &reader, msg);
	if (rc == OK)
		rc = listing_open(&l, ctx, list->kind, c->text, c->args, c->arg_count, msg);
	if (rc != OK)
		return rc;
	while (rc == OK && listing_next(&l)) {
		if (list->wants && !list->wants(&l, args, reader))
			continue;
		rc = add_row(list, &l, table, *count, msg);
		(*count)++;
	}
	closed = listing_close(&l, rc == OK ? msg : NULL);
	return rc == OK ? closed : rc;
}

enum err list_print(const struct list *list, struct context *ctx, const struct args *args,
		    const struct condition *c, struct errmsg *msg)
{
	struct table_column columns[TABLE_COLUMNS_MAX];
	struct table table;
	size_t count = 0;
	enum err rc;

	for (size_t i = 0; i < list->column_count; i++) {
		columns[i] = list->columns[i];
		columns[i].title = _(columns[i].title);
	}
	table_init(&table, columns, list->column_count);
	rc = add_rows(list, ctx, args, c, &table, &count, msg);
	if (rc == OK && ctx->is_json)
		puts(count ? "]" : "[]");
	else if (rc == OK && count == 0)
		fprintf(stderr, "%s\n", _(list->nothing));
	else if (rc == OK)
		rc = output_table(stdout, &table, msg);
	table_release(&table);
	return rc;
}
