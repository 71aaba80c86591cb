/* drafts: what was typed in an editor and is not stored. */
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/left_over.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/sys_error.h"
#include "node/writing.h"

static enum err print(struct context *ctx, const struct left_over *list, size_t count,
		      struct errmsg *msg)
{
	const struct table_column columns[] = { { _("TYPED") }, { _("GO ON WITH IT") } };
	const struct when_reader *reader;
	struct table table;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	table_init(&table, columns, 2);
	for (size_t i = 0; i < count; i++) {
		char when[WHEN_TEXT_BYTES], command[DRAFT_FOLDER_MAX + DRAFT_COMMAND_MAX];

		when_instant(reader, (uint64_t)list[i].written_s * 1000, when);
		if (*list[i].command)
			snprintf(command, sizeof(command), "%s --" WRITING_RESUME, list[i].command);
		else
			snprintf(command, sizeof(command), _("by hand: %s"), list[i].path);
		table_add(&table, (const char *const[]){ when, command });
	}
	rc = output_table(stdout, &table, msg);
	table_release(&table);
	if (rc == OK)
		fprintf(stderr, "%s\n",
			_("With --discard in place of --resume it is thrown away."));
	return rc;
}

static enum err print_json(const struct left_over *list, size_t count, struct errmsg *msg)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(
			    array, json_pack("{s:o, s:s, s:s?}", "at",
					     instant_json((uint64_t)list[i].written_s * 1000),
					     "path", list[i].path, "command",
					     *list[i].command ? list[i].command : NULL))) {
			json_decref(array);
			return no_memory(msg);
		}
	return output_json(stdout, array, msg);
}

enum err cmd_drafts(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct left_over *list;
	size_t count;
	enum err rc = left_over_list(ctx, &list, &count, msg);

	if (rc != OK)
		return rc;
	if (ctx->is_json)
		return print_json(list, count, msg);
	if (count)
		return print(ctx, list, count, msg);
	fprintf(stderr, "%s\n", _("all that was typed is stored"));
	return OK;
}
