/* What the lists of each kind look like. */
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/list.h"
#include "node/overdue.h"
#include "node/place.h"
#include "node/ref.h"
#include "node/space.h"
#include "node/sys_error.h"

#define COLUMNS(c) .columns = c, .column_count = sizeof(c) / sizeof((c)[0])

static enum err narrow_to_collab(struct condition *c, struct context *ctx, const struct args *args,
				 struct errmsg *msg)
{
	struct space_id space;
	struct bytes copy;
	enum err rc;

	if (!args_has(args, "collab"))
		return OK;
	rc = space_chosen(ctx, args, &space, msg);
	if (rc != OK)
		return rc;
	copy = arena_copy(&ctx->arena, bytes_of(space.bytes, ID_BYTES));
	if (!copy.data)
		return no_memory(msg);
	condition_narrow_by(c, "s.id = ?", value_bytes(copy));
	return OK;
}

/* ---- People and offices -------------------------------------------------- */

static enum err id_cell(struct listing *l, const char **out, struct errmsg *msg)
{
	struct record_id id = listing_id(l);
	char *text = arena_alloc(&l->row, ID_TEXT_SIZE);

	if (!text)
		return no_memory(msg);
	*out = id_text(id.bytes, text);
	return OK;
}

static const struct table_column person_columns[] = {
	{ N_("NAME") }, { N_("OFFICE") }, { N_("ZONE") }, { N_("ID") }
};

static enum err person_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, PERSON_NAME, &cells[0], msg);

	if (rc == OK)
		rc = listing_text(l, PERSON_OFFICE, &cells[1], msg);
	if (rc == OK)
		rc = listing_text(l, PERSON_ZONE, &cells[2], msg);
	return rc == OK ? id_cell(l, &cells[3], msg) : rc;
}

enum err cmd_person_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_PERSON,
		COLUMNS(person_columns),
		.cells = person_cells,
		.nothing = N_("nobody yet"),
	};
	struct condition c = { .text = "" };

	condition_narrow(&c, NOT_VOID);
	condition_order(&c, "coalesce(r.sort_key, r.name), r.name, r.id");
	return list_print(&list, ctx, args, &c, msg);
}

static const struct table_column office_columns[] = {
	{ N_("CODE") }, { N_("NAME") }, { N_("ZONE") }, { N_("THERE NOW") }
};

static enum err office_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, OFFICE_CODE, &cells[0], msg);

	if (rc == OK)
		rc = listing_text(l, OFFICE_NAME, &cells[1], msg);
	if (rc == OK)
		rc = listing_text(l, OFFICE_ZONE, &cells[2], msg);
	return rc == OK ? place_time(l->ctx, &l->row, cells[2], &cells[3], msg) : rc;
}

enum err cmd_office_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_OFFICE,
		COLUMNS(office_columns),
		.cells = office_cells,
		.nothing = N_("no office yet"),
	};
	struct condition c = { .text = "" };

	condition_order(&c, "r.code");
	return list_print(&list, ctx, args, &c, msg);
}

static const struct table_column node_columns[] = {
	{ N_("OFFICE") }, { N_("NAME") }, { N_("ADDRESSES") }, { N_("ID") }
};

static enum err addresses_cell(struct listing *l, const char **out, struct errmsg *msg)
{
	struct record_id id = listing_id(l);
	struct buf text = BUF_EMPTY;
	struct element *list;
	size_t count;
	enum err rc = replica_elements(l->ctx->replica, KIND_NODE, &id, NODE_ADDRESSES, &l->row,
				       &list, &count, msg);

	for (size_t i = 0; rc == OK && i < count; i++)
		buf_printf(&text, "%s%.*s", i ? " " : "", (int)list[i].value.bytes.size,
			   (const char *)list[i].value.bytes.data);
	if (rc == OK)
		rc = listing_keep(l, &text, out, msg);
	buf_release(&text);
	return rc;
}

static enum err node_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, NODE_OFFICE, &cells[0], msg);

	if (rc == OK)
		rc = listing_text(l, NODE_NAME, &cells[1], msg);
	if (rc == OK)
		rc = addresses_cell(l, &cells[2], msg);
	return rc == OK ? id_cell(l, &cells[3], msg) : rc;
}

enum err cmd_node_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_NODE,
		COLUMNS(node_columns),
		.cells = node_cells,
		.nothing = N_("no node yet"),
	};
	struct condition c = { .text = "" };

	condition_narrow(&c, NOT_VOID);
	condition_order(&c, "(SELECT o.code FROM r_office o WHERE o.id = r.office), r.id");
	return list_print(&list, ctx, args, &c, msg);
}

/* ---- Collaborations and meetings ----------------------------------------- */

/* The title, with a mark in front when somebody must look at the record. */
static enum err title_cell(struct listing *l, uint8_t field, const char **out, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	const char *title;
	enum err rc = listing_text(l, field, &title, msg);

	if (rc != OK)
		return rc;
	if (listing_life(l) == RECORD_VOID)
		buf_append_str(&text, _("[voided] "));
	else if (listing_has_conflict(l))
		buf_append_str(&text, "! ");
	buf_append_str(&text, title);
	rc = listing_keep(l, &text, out, msg);
	buf_release(&text);
	return rc;
}

static const struct table_column collab_columns[] = {
	{ N_("NUMBER") }, { N_("PHASE") }, { N_("OFFICES") }, { N_("TITLE") }
};

static enum err offices_cell(struct listing *l, const char **out, struct errmsg *msg)
{
	struct record_id space = listing_space(l);
	struct buf text = BUF_EMPTY;
	enum err rc = space_offices(l->ctx, space.bytes, &text, msg);

	if (rc == OK)
		rc = listing_keep(l, &text, out, msg);
	buf_release(&text);
	return rc;
}

static enum err collab_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, COLLABORATION_NUMBER, &cells[0], msg);

	if (rc == OK)
		rc = listing_text(l, COLLABORATION_PHASE, &cells[1], msg);
	if (rc == OK)
		rc = offices_cell(l, &cells[2], msg);
	return rc == OK ? title_cell(l, COLLABORATION_TITLE, &cells[3], msg) : rc;
}

enum err cmd_collab_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_COLLABORATION,
		COLUMNS(collab_columns),
		.cells = collab_cells,
		.nothing = N_("no collaboration: huitong collab new TITLE"),
	};
	struct condition c = { .text = "" };

	condition_narrow(&c, NOT_VOID);
	condition_order(&c, "r.number, r.id");
	return list_print(&list, ctx, args, &c, msg);
}

static const struct table_column meeting_columns[] = {
	{ N_("NUMBER") }, { N_("START") }, { N_("STATE") }, { N_("KIND") }, { N_("TITLE") }
};

static enum err meeting_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, MEETING_NUMBER, &cells[0], msg);

	if (rc == OK)
		rc = place_when(l->ctx, &l->row, listing_value(l, MEETING_START), &cells[1], msg);
	if (rc == OK)
		rc = listing_text(l, MEETING_STATE, &cells[2], msg);
	if (rc == OK)
		rc = listing_text(l, MEETING_KIND, &cells[3], msg);
	return rc == OK ? title_cell(l, MEETING_TITLE, &cells[4], msg) : rc;
}

enum err cmd_meeting_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_MEETING,
		COLUMNS(meeting_columns),
		.cells = meeting_cells,
		.nothing = N_("no meetings"),
	};
	struct condition c = { .text = "" };
	enum err rc;

	if (!args_has(args, "all"))
		condition_narrow(&c, NOT_VOID);
	rc = narrow_to_collab(&c, ctx, args, msg);
	condition_order(&c, "r.start DESC, r.number DESC, r.id");
	return rc == OK ? list_print(&list, ctx, args, &c, msg) : rc;
}

/* ---- Action items -------------------------------------------------------- */

static const struct table_column action_columns[] = { { N_("NUMBER") },
						      { N_("STATE") },
						      { N_("OWNER") },
						      { N_("DUE") },
						      { N_("LATE"), TABLE_RIGHT },
						      { N_("PRIO") },
						      { N_("TITLE") } };

static bool action_is_late(struct listing *l, const struct when_reader *reader, struct due *late)
{
	struct value due = listing_value(l, ACTION_DUE);
	struct value state = listing_value(l, ACTION_STATE);

	return listing_life(l) != RECORD_VOID && overdue_of(reader, &due, &state, late);
}

static enum err late_cell(struct listing *l, const char **out, struct errmsg *msg)
{
	const struct when_reader *reader;
	struct due late;
	char *text = arena_alloc(&l->row, 32);
	enum err rc = context_reader(l->ctx, &reader, msg);

	if (rc == OK && !text)
		rc = no_memory(msg);
	if (rc != OK || !action_is_late(l, reader, &late))
		return rc;
	if (late.days)
		snprintf(text, 32, P_("%d day", "%d days", late.days), late.days);
	else
		snprintf(text, 32, "%s", _("today"));
	*out = text;
	return OK;
}

static enum err action_cells(struct listing *l, const char **cells, struct errmsg *msg)
{
	enum err rc = listing_text(l, ACTION_NUMBER, &cells[0], msg);

	if (rc == OK)
		rc = listing_text(l, ACTION_STATE, &cells[1], msg);
	if (rc == OK)
		rc = listing_text(l, ACTION_OWNER, &cells[2], msg);
	if (rc == OK)
		rc = place_when(l->ctx, &l->row, listing_value(l, ACTION_DUE), &cells[3], msg);
	if (rc == OK)
		rc = late_cell(l, &cells[4], msg);
	if (rc == OK)
		rc = listing_text(l, ACTION_PRIORITY, &cells[5], msg);
	return rc == OK ? title_cell(l, ACTION_TITLE, &cells[6], msg) : rc;
}

static bool wants_action(struct listing *l, const struct args *args,
			 const struct when_reader *reader)
{
	struct due late;

	return !args_has(args, "overdue") || action_is_late(l, reader, &late);
}

static enum err narrow_to_state(struct condition *c, const char *state, struct errmsg *msg)
{
	const struct field *field = kind_field(schema_kind(KIND_ACTION), ACTION_STATE);
	int number = names_find(field->machine->states, state);

	if (number < 0)
		return errmsg_set(msg, ERR_INVALID,
				  _("no state \"%s\": open, doing, blocked, done or cancelled"),
				  state);
	condition_narrow_by(c, "(coalesce(r.state, 0) & 255) = ?", value_int(number));
	return OK;
}

enum err cmd_action_list(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct list list = {
		.kind = KIND_ACTION,
		COLUMNS(action_columns),
		.cells = action_cells,
		.wants = wants_action,
		.nothing = N_("nothing to do"),
	};
	const char *owner = args_option(args, "owner");
	const char *state = args_option(args, "state");
	struct condition c = { .text = "" };
	struct record_id person;
	enum err rc = OK;

	if (!args_has(args, "all"))
		condition_narrow(&c, NOT_VOID);
	if (!args_has(args, "all") && !state)
		condition_narrow(&c, "(coalesce(r.state, 0) & 255) NOT IN (3, 4)");
	if (state)
		rc = narrow_to_state(&c, state, msg);
	if (rc == OK && owner)
		rc = ref_find_id(ctx, KIND_PERSON, owner, &person, msg);
	if (rc == OK && owner)
		condition_narrow_by(&c, "r.owner = ?", value_ref(&person));
	if (rc == OK)
		rc = narrow_to_collab(&c, ctx, args, msg);
	condition_order(&c, "r.due IS NULL, r.due, r.priority DESC, r.number, r.id");
	return rc == OK ? list_print(&list, ctx, args, &c, msg) : rc;
}
