#include "core/schema.h"

#include <stdlib.h>

#include "core/i18n.h"
#include "core/limits.h"
#include "core/position.h"
#include "core/utf8.h"
#include "core/walltime.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)        (1u << (n))

enum { MINUTES_A_DAY = 24 * 60, MINUTES_A_WEEK = 7 * MINUTES_A_DAY };

static const char *const action_states[] = { N_("open"), N_("doing"),     N_("blocked"),
					     N_("done"), N_("cancelled"), NULL };

static const struct machine action_machine = {
	.states = action_states,
	.next = { [ACTION_OPEN] = BIT(ACTION_DOING) | BIT(ACTION_BLOCKED) | BIT(ACTION_DONE) |
				  BIT(ACTION_CANCELLED),
		  [ACTION_DOING] = BIT(ACTION_BLOCKED) | BIT(ACTION_DONE) | BIT(ACTION_CANCELLED),
		  [ACTION_BLOCKED] = BIT(ACTION_DOING) | BIT(ACTION_DONE) | BIT(ACTION_CANCELLED),
		  [ACTION_DONE] = BIT(ACTION_OPEN),
		  [ACTION_CANCELLED] = BIT(ACTION_OPEN) },
	/* Blocked beats doing; reopen beats close. */
	.rank = { [ACTION_OPEN] = 4,
		  [ACTION_DOING] = 1,
		  [ACTION_BLOCKED] = 2,
		  [ACTION_DONE] = 3,
		  [ACTION_CANCELLED] = 3 },
	.final = BIT(ACTION_DONE) | BIT(ACTION_CANCELLED),
};

static const char *const meeting_states[] = { N_("planned"), N_("held"), N_("cancelled"), NULL };

static const struct machine meeting_machine = {
	.states = meeting_states,
	.next = { BIT(1) | BIT(2), 0, BIT(0) },
	.rank = { 1, 2, 2 },
	.final = BIT(1) | BIT(2),
};

static const char *const minutes_states[] = { N_("draft"),    N_("review"), N_("distributed"),
					      N_("feedback"), N_("final"),  NULL };

static const struct machine minutes_machine = {
	.states = minutes_states,
	.next = { BIT(1), BIT(0) | BIT(2), BIT(3) | BIT(4), BIT(1) | BIT(4), 0 },
	.rank = { 0, 1, 2, 3, 4 },
	.final = BIT(4),
};

static const char *const phases[] = { N_("requested"),  N_("approved"),
				      N_("kick-off"),   N_("running"),
				      N_("acceptance"), N_("retrospective"),
				      N_("archived"),   NULL };

static const struct machine phase_machine = {
	.states = phases,
	.next = { BIT(1), BIT(2), BIT(3), BIT(4), BIT(3) | BIT(5), BIT(6), BIT(3) },
	.rank = { 0, 1, 2, 3, 4, 5, 6 },
	.final = BIT(6),
};

static const char *const priorities[] = { N_("low"), N_("medium"), N_("high"), NULL };
static const char *const meeting_kinds[] = {
	N_("kick-off"),   N_("weekly"),        N_("monthly"), N_("special"),
	N_("acceptance"), N_("retrospective"), NULL
};
static const char *const block_kinds[] = { N_("note"),  N_("conclusion"), N_("basis"),
					   N_("to-do"), N_("dissent"),    NULL };
static const char *const collaboration_kinds[] = { N_("project"), N_("process"), N_("customer"),
						   N_("internal"), NULL };

static const struct field organisation_fields[] = {
	{ ORGANISATION_NAME, "name", MERGE_LWW, FORMAT_NAME, .required = true },
};

static const struct field office_fields[] = {
	{ OFFICE_CODE, "code", MERGE_LWW, FORMAT_NAME, .required = true },
	{ OFFICE_NAME, "name", MERGE_LWW, FORMAT_NAME, .required = true },
	{ OFFICE_ZONE, "zone", MERGE_MV, FORMAT_ZONE },
	{ OFFICE_CLOSES, "closes", MERGE_MV, FORMAT_CLOCK },
};

static const struct field node_fields[] = {
	{ NODE_OFFICE, "office", MERGE_LWW, FORMAT_REF, .ref = KIND_OFFICE },
	{ NODE_ADDRESSES, "addresses", MERGE_SET, FORMAT_NAME },
	{ NODE_NAME, "name", MERGE_LWW, FORMAT_NAME },
};

static const struct field person_fields[] = {
	{ PERSON_NAME, "name", MERGE_LWW, FORMAT_NAME, .required = true },
	{ PERSON_SORT_KEY, "sort_key", MERGE_LWW, FORMAT_NAME },
	{ PERSON_OFFICE, "office", MERGE_LWW, FORMAT_REF, .ref = KIND_OFFICE },
	{ PERSON_ZONE, "zone", MERGE_LWW, FORMAT_ZONE },
	{ PERSON_CONTACTS, "contacts", MERGE_SET, FORMAT_NAME },
	{ PERSON_ACTIVE, "active", MERGE_LWW, FORMAT_INT, .max = 1 },
};

static const struct field space_fields[] = {
	{ SPACE_NAME, "name", MERGE_LWW, FORMAT_NAME, .required = true },
	{ SPACE_ID, "space_id", MERGE_LWW, FORMAT_BYTES, .indexed = true },
};

static const struct field collaboration_fields[] = {
	{ COLLABORATION_NUMBER, "number", MERGE_LWW, FORMAT_NAME, .indexed = true },
	{ COLLABORATION_TITLE, "title", MERGE_MV, FORMAT_NAME, .required = true },
	{ COLLABORATION_KIND, "kind", MERGE_LWW, FORMAT_CHOICE, .choices = collaboration_kinds },
	{ COLLABORATION_GOAL, "goal", MERGE_TEXT, FORMAT_TEXT },
	{ COLLABORATION_BACKGROUND, "background", MERGE_TEXT, FORMAT_TEXT },
	{ COLLABORATION_SCOPE_IN, "scope_in", MERGE_TEXT, FORMAT_TEXT },
	{ COLLABORATION_SCOPE_OUT, "scope_out", MERGE_TEXT, FORMAT_TEXT },
	{ COLLABORATION_PHASE, "phase", MERGE_STATE, FORMAT_STATE, .machine = &phase_machine },
	{ COLLABORATION_TAGS, "tags", MERGE_SET, FORMAT_NAME },
	{ COLLABORATION_LEAD, "lead", MERGE_MV, FORMAT_REF, .ref = KIND_PERSON },
};

static const struct field meeting_fields[] = {
	{ MEETING_NUMBER, "number", MERGE_LWW, FORMAT_NAME, .indexed = true },
	{ MEETING_TITLE, "title", MERGE_MV, FORMAT_NAME, .required = true },
	{ MEETING_KIND, "kind", MERGE_LWW, FORMAT_CHOICE, .choices = meeting_kinds },
	{ MEETING_START, "start", MERGE_MV, FORMAT_WALLTIME },
	{ MEETING_DURATION, "duration", MERGE_MV, FORMAT_INT, .min = 1, .max = MINUTES_A_WEEK },
	{ MEETING_PLACE, "place", MERGE_LWW, FORMAT_NAME },
	{ MEETING_GOAL, "goal", MERGE_TEXT, FORMAT_TEXT },
	{ MEETING_PARTICIPANTS, "participants", MERGE_SET, FORMAT_REF, .ref = KIND_PERSON },
	{ MEETING_CHAIR, "chair", MERGE_MV, FORMAT_REF, .ref = KIND_PERSON },
	{ MEETING_RECORDER, "recorder", MERGE_MV, FORMAT_REF, .ref = KIND_PERSON },
	{ MEETING_TIMEKEEPER, "timekeeper", MERGE_MV, FORMAT_REF, .ref = KIND_PERSON },
	{ MEETING_STATE, "state", MERGE_STATE, FORMAT_STATE, .machine = &meeting_machine },
};

static const struct field topic_fields[] = {
	{ TOPIC_MEETING, "meeting", MERGE_LWW, FORMAT_REF, .ref = KIND_MEETING, .indexed = true },
	{ TOPIC_POSITION, "position", MERGE_LWW, FORMAT_POSITION },
	{ TOPIC_TITLE, "title", MERGE_MV, FORMAT_NAME, .required = true },
	{ TOPIC_MINUTES, "minutes", MERGE_LWW, FORMAT_INT, .max = MINUTES_A_WEEK },
	{ TOPIC_OUTPUT, "output", MERGE_LWW, FORMAT_NAME },
};

static const struct field minutes_fields[] = {
	{ MINUTES_MEETING, "meeting", MERGE_LWW, FORMAT_REF, .ref = KIND_MEETING, .indexed = true },
	{ MINUTES_NUMBER, "number", MERGE_LWW, FORMAT_NAME, .indexed = true },
	{ MINUTES_STATE, "state", MERGE_STATE, FORMAT_STATE, .machine = &minutes_machine },
	{ MINUTES_CONFIRM_BY, "confirm_by", MERGE_MV, FORMAT_WALLTIME },
};

static const struct field block_fields[] = {
	{ BLOCK_MINUTES, "minutes", MERGE_LWW, FORMAT_REF, .ref = KIND_MINUTES, .indexed = true },
	{ BLOCK_POSITION, "position", MERGE_LWW, FORMAT_POSITION },
	{ BLOCK_KIND, "kind", MERGE_LWW, FORMAT_CHOICE, .choices = block_kinds },
	{ BLOCK_TEXT, "text", MERGE_TEXT, FORMAT_TEXT },
};

static const struct field action_fields[] = {
	{ ACTION_NUMBER, "number", MERGE_LWW, FORMAT_NAME, .indexed = true },
	{ ACTION_TITLE, "title", MERGE_MV, FORMAT_NAME, .required = true },
	{ ACTION_OWNER, "owner", MERGE_MV, FORMAT_REF, .ref = KIND_PERSON },
	{ ACTION_DUE, "due", MERGE_MV, FORMAT_WALLTIME },
	{ ACTION_DELIVERABLE, "deliverable", MERGE_TEXT, FORMAT_TEXT },
	{ ACTION_PRIORITY, "priority", MERGE_MV, FORMAT_CHOICE, .choices = priorities },
	{ ACTION_MEETING, "meeting", MERGE_LWW, FORMAT_REF, .ref = KIND_MEETING },
	{ ACTION_TOPIC, "topic", MERGE_LWW, FORMAT_REF, .ref = KIND_TOPIC },
	{ ACTION_STATE, "state", MERGE_STATE, FORMAT_STATE, .machine = &action_machine },
	{ ACTION_HELPERS, "helpers", MERGE_SET, FORMAT_REF, .ref = KIND_PERSON },
	{ ACTION_CC, "cc", MERGE_SET, FORMAT_REF, .ref = KIND_PERSON },
	{ ACTION_PROGRESS, "progress", MERGE_LOG, FORMAT_TEXT },
};

#define FIELDS(f) .fields = f, .field_count = ARRAY_SIZE(f)

static const struct kind kinds[] = {
	{ KIND_ORGANISATION, "organisation", .directory = true, FIELDS(organisation_fields) },
	{ KIND_OFFICE, "office", .directory = true, FIELDS(office_fields) },
	{ KIND_NODE, "node", .directory = true, FIELDS(node_fields) },
	{ KIND_PERSON, "person", .directory = true, FIELDS(person_fields) },
	{ KIND_SPACE, "space", .directory = true, FIELDS(space_fields) },
	{ KIND_COLLABORATION, "collaboration", .prefix = "CO", FIELDS(collaboration_fields) },
	{ KIND_MEETING, "meeting", .prefix = "MT", FIELDS(meeting_fields) },
	{ KIND_TOPIC, "topic", FIELDS(topic_fields) },
	{ KIND_MINUTES, "minutes", .prefix = "MN", FIELDS(minutes_fields) },
	{ KIND_BLOCK, "block", FIELDS(block_fields) },
	{ KIND_ACTION, "action_item", .prefix = "AI", FIELDS(action_fields) },
};

const struct kind *schema_kinds(size_t *count)
{
	*count = ARRAY_SIZE(kinds);
	return kinds;
}

const struct kind *schema_kind(uint16_t number)
{
	size_t low = 0, high = ARRAY_SIZE(kinds);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (kinds[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ARRAY_SIZE(kinds) && kinds[low].number == number ? &kinds[low] : NULL;
}

size_t schema_kind_index(const struct kind *kind)
{
	return (size_t)(kind - kinds);
}

const struct field *kind_field(const struct kind *kind, uint8_t number)
{
	/* As long as none was dropped before it, field n is the nth. */
	if (number && number <= kind->field_count && kind->fields[number - 1].number == number)
		return &kind->fields[number - 1];
	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].number == number)
			return &kind->fields[i];
	return NULL;
}

const struct field *kind_field_named(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->field_count; i++)
		if (strcmp(kind->fields[i].name, name) == 0)
			return &kind->fields[i];
	return NULL;
}

enum err kind_check_place(const struct kind *kind, bool is_directory, struct errmsg *msg)
{
	if (kind->directory == is_directory)
		return OK;
	return errmsg_set(msg, ERR_INVALID, "%s: a record of this kind lives in %s", kind->name,
			  kind->directory ? "the directory" : "a collaboration");
}

int names_find(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

unsigned names_count(const char *const *names)
{
	unsigned count = 0;

	while (names[count])
		count++;
	return count;
}

bool machine_is_legal(const struct machine *machine, unsigned from, unsigned to)
{
	return from < STATES_MAX && to < STATES_MAX && (machine->next[from] & BIT(to));
}

static enum err refuse(const struct field *field, struct errmsg *msg, const char *why)
{
	return errmsg_set(msg, ERR_INVALID, "%s: %s", field->name, text_lookup(why));
}

static enum err over(const struct field *field, struct errmsg *msg, size_t size, size_t max)
{
	return errmsg_set(msg, ERR_LIMIT, "%s: %zu bytes, the limit is %zu", field->name, size,
			  max);
}

/* No control characters, those of ISO 6429 beyond ASCII and the line and paragraph
 * separators included: they would break every list, log and terminal. */
static bool is_one_line(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		const uint8_t *at = text.data + i;
		size_t left = text.size - i;

		if (*at < 0x20 || *at == 0x7f)
			return false;
		/* U+0080 to U+009F; then U+2028 and U+2029. */
		if (*at == 0xc2 && left > 1 && at[1] < 0xa0)
			return false;
		if (*at == 0xe2 && left > 2 && at[1] == 0x80 && (at[2] | 1) == 0xa9)
			return false;
	}
	return true;
}

static enum err check_name(const struct field *f, const struct value *v, struct errmsg *msg)
{
	if (v->bytes.size > NAME_BYTES_MAX)
		return over(f, msg, v->bytes.size, NAME_BYTES_MAX);
	if (!utf8_is_valid(v->bytes))
		return refuse(f, msg, N_("not valid UTF-8"));
	if (!is_one_line(v->bytes))
		return refuse(f, msg, N_("must be one line without control characters"));
	return OK;
}

/* Where a long text has what it may not have. */
static enum err refuse_line(const struct field *f, const struct value *v, size_t at,
			    struct errmsg *msg, const char *why)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += v->bytes.data[i] == '\n';
	return errmsg_set(msg, ERR_INVALID, "%s: line %zu: %s", f->name, line, text_lookup(why));
}

static enum err check_text(const struct field *f, const struct value *v, struct errmsg *msg)
{
	struct bytes rest = v->bytes;
	uint32_t cp;

	if (v->bytes.size > TEXT_BYTES_MAX)
		return over(f, msg, v->bytes.size, TEXT_BYTES_MAX);
	if (utf8_is_valid(rest) && !(rest.size && memchr(rest.data, 0, rest.size)))
		return OK;
	while (utf8_next(&rest, &cp))
		if (cp == 0)
			return refuse_line(f, v, v->bytes.size - rest.size - 1, msg,
					   N_("contains a NUL byte"));
	return refuse_line(f, v, v->bytes.size - rest.size, msg, N_("not valid UTF-8"));
}

static enum err check_range(const struct field *f, int64_t number, int64_t min, int64_t max,
			    struct errmsg *msg)
{
	if (number >= min && number <= max)
		return OK;
	return errmsg_set(msg, ERR_INVALID, "%s: %lld is not from %lld to %lld", f->name,
			  (long long)number, (long long)min, (long long)max);
}

static enum err check_int(const struct field *f, const struct value *v, struct errmsg *msg)
{
	return check_range(f, v->number, f->min, f->max, msg);
}

static enum err check_clock(const struct field *f, const struct value *v, struct errmsg *msg)
{
	return check_range(f, v->number, 0, MINUTES_A_DAY - 1, msg);
}

static enum err check_choice(const struct field *f, const struct value *v, struct errmsg *msg)
{
	if (v->number < 0 || v->number >= (int64_t)names_count(f->choices))
		return refuse(f, msg, N_("no such choice"));
	return OK;
}

static enum err check_state(const struct field *f, const struct value *v, struct errmsg *msg)
{
	unsigned count = names_count(f->machine->states);

	if (v->number < 0 || v->number > 0xffff || state_from(v) >= count || state_to(v) >= count)
		return refuse(f, msg, N_("no such state"));
	return OK;
}

static enum err check_ref(const struct field *f, const struct value *v, struct errmsg *msg)
{
	return OK;
}

static enum err check_walltime(const struct field *f, const struct value *v, struct errmsg *msg)
{
	struct walltime when;

	if (walltime_parse(&when, v->bytes) != OK)
		return refuse(f, msg, N_("not a date or date-time with its zone"));
	return OK;
}

static enum err check_zone(const struct field *f, const struct value *v, struct errmsg *msg)
{
	if (!walltime_zone_is_valid(v->bytes))
		return refuse(f, msg, N_("not a time zone's name"));
	return OK;
}

static enum err check_position(const struct field *f, const struct value *v, struct errmsg *msg)
{
	if (!position_is_valid(v->bytes))
		return refuse(f, msg, N_("not a list position"));
	return OK;
}

static enum err check_bytes(const struct field *f, const struct value *v, struct errmsg *msg)
{
	if (v->bytes.size > NAME_BYTES_MAX)
		return over(f, msg, v->bytes.size, NAME_BYTES_MAX);
	return OK;
}

static const struct {
	enum value_type type;
	enum err (*check)(const struct field *, const struct value *, struct errmsg *);
} formats[] = {
	[FORMAT_NAME] = { VALUE_TEXT, check_name },
	[FORMAT_TEXT] = { VALUE_TEXT, check_text },
	[FORMAT_INT] = { VALUE_INT, check_int },
	[FORMAT_CLOCK] = { VALUE_INT, check_clock },
	[FORMAT_CHOICE] = { VALUE_INT, check_choice },
	[FORMAT_STATE] = { VALUE_INT, check_state },
	[FORMAT_REF] = { VALUE_REF, check_ref },
	[FORMAT_WALLTIME] = { VALUE_TEXT, check_walltime },
	[FORMAT_ZONE] = { VALUE_TEXT, check_zone },
	[FORMAT_POSITION] = { VALUE_BYTES, check_position },
	[FORMAT_BYTES] = { VALUE_BYTES, check_bytes },
};

enum err field_validate(const struct field *field, const struct value *value, struct errmsg *msg)
{
	if (value->type == VALUE_NIL && (field->merge == MERGE_LWW || field->merge == MERGE_MV))
		return OK;
	if (value->type != formats[field->format].type)
		return refuse(field, msg, N_("a value of the wrong type"));
	return formats[field->format].check(field, value, msg);
}
