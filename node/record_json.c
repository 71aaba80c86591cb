#include "node/record_view.h"

#include <time.h>

#include "node/field_text.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/overdue.h"
#include "node/sys_error.h"

json_t *instant_json(uint64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm parts;
	char text[64];

	gmtime_r(&s, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return json_string(text);
}

json_t *record_json_head(const struct kind *kind, const struct record_id *id,
			 const uint8_t space[ID_BYTES], enum record_life life, bool conflict)
{
	char id_hex[ID_TEXT_SIZE], space_hex[ID_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "type", kind->name, "id",
			 id_text(id->bytes, id_hex), "space", id_text(space, space_hex), "life",
			 record_life_name(life), "conflict", conflict);
}

static struct value json_to_value(const json_t *json)
{
	return json_is_string(json) ? value_str(json_string_value(json)) : value_nil();
}

enum err record_json_derive(struct context *ctx, const struct kind *kind, json_t *object,
			    struct errmsg *msg)
{
	const char *state_name = json_string_value(json_object_get(object, "state"));
	struct value due = json_to_value(json_object_get(object, "due"));
	const struct when_reader *reader;
	struct value step;
	struct due late;
	bool is_late;
	int state;
	enum err rc;

	if (kind->number != KIND_ACTION)
		return OK;
	state = names_find(kind_field(kind, ACTION_STATE)->machine->states, state_name);
	step = state_step(0, state < 0 ? 0 : (unsigned)state);
	rc = context_reader(ctx, &reader, msg);
	if (rc != OK)
		return rc;
	is_late = overdue_of(reader, &due, &step, &late);
	if (json_object_set_new(object, "overdue", json_boolean(is_late)) != 0 ||
	    json_object_set_new(object, "days_late",
				is_late ? json_integer(late.days) : json_null()) != 0)
		return no_memory(msg);
	return OK;
}

static enum err register_json(struct context *ctx, const struct record *rec,
			      const struct field *field, json_t **out, struct errmsg *msg)
{
	const struct entry *shown = record_shown(rec, field->number);
	struct value value = shown ? shown->value : value_nil();

	if (field->merge == MERGE_STATE)
		value = state_step(0, record_state(rec, field));
	return field_json(ctx, field, &value, out, msg);
}

static enum err element_json(struct context *ctx, const struct field *field,
			     const struct element *e, json_t **out, struct errmsg *msg)
{
	json_t *value = NULL;
	json_t *author = NULL;
	enum err rc = field_json(ctx, field, &e->value, &value, msg);

	if (rc != OK || field->merge == MERGE_SET) {
		*out = value;
		return rc;
	}
	rc = author_json(ctx, &e->author, &author, msg);
	if (rc != OK) {
		json_decref(value);
		return rc;
	}
	*out = json_pack("{s:o, s:o, s:o}", "at", instant_json(hlc_wall_ms(e->stamp.hlc)), "author",
			 author, "value", value);
	return *out ? OK : no_memory(msg);
}

static enum err elements_json(struct context *ctx, const struct record *rec,
			      const struct field *field, json_t **out, struct errmsg *msg)
{
	json_t *array = json_array();
	struct element *elements;
	size_t count;
	enum err rc = replica_elements(ctx->replica, rec->kind->number, &rec->id, field->number,
				       &ctx->arena, &elements, &count, msg);

	for (size_t i = 0; rc == OK && i < count; i++) {
		json_t *one = NULL;

		rc = element_json(ctx, field, &elements[i], &one, msg);
		if (rc == OK && json_array_append_new(array, one) != 0)
			rc = no_memory(msg);
	}
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}

static enum err fields_json(struct context *ctx, const struct record *rec, json_t *object,
			    struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; i < rec->kind->field_count && rc == OK; i++) {
		const struct field *field = &rec->kind->fields[i];
		json_t *json = NULL;

		if (merge_is_register(field->merge))
			rc = register_json(ctx, rec, field, &json, msg);
		else
			rc = elements_json(ctx, rec, field, &json, msg);
		if (rc == OK && json_object_set_new(object, field->name, json) != 0)
			rc = no_memory(msg);
	}
	return rc;
}

enum err record_json(struct context *ctx, uint16_t kind, const struct record_id *id, json_t **out,
		     struct errmsg *msg)
{
	struct space_id space;
	struct record rec;
	uint8_t conflict;
	json_t *object;
	enum err rc = record_load(ctx, kind, id, &rec, &space, msg);

	if (rc != OK)
		return rc;
	object = record_json_head(rec.kind, id, space.bytes, record_life(&rec),
				  record_conflicts(&rec, &conflict, 1) > 0);
	rc = fields_json(ctx, &rec, object, msg);
	if (rc == OK)
		rc = record_json_derive(ctx, rec.kind, object, msg);
	if (rc == OK)
		*out = object;
	else
		json_decref(object);
	return rc;
}
