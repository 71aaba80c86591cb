/* What people type on a command line, of any bytes, at an office with a few records: it is
 * refused in words, or means something that is there and can be shown.
 *
 *   byte 0   what is typed: a record, a node, a space, offices and roles, a duration, a field's
 *            value, a command, where a feed is cut, a version of a text
 *   byte 1   of which kind, which field, of which command
 * the rest is the text, of a command its words, a line each */
#include <string.h>

#include "core/utf8.h"
#include "node/args.h"
#include "node/context.h"
#include "node/cut_choice.h"
#include "node/duration.h"
#include "node/field_text.h"
#include "node/member_ref.h"
#include "node/office_roles.h"
#include "node/ref.h"
#include "node/space.h"
#include "node/text_subject.h"
#include "tests/fuzz/target.h"
#include "tests/support/office.h"

enum { WORDS_MAX = 16 };

static struct {
	struct office office;
	struct context ctx;
	struct space_id space;
	struct record_id action;
} world;

static void make_world(void)
{
	struct value number = value_str("AI-SHA-2026-0001"), name = value_str("Lei 雷");
	struct value text = value_str("A report.");
	struct office *o = &world.office;
	struct space_id directory;

	unsetenv("HUITONG_PERSON");
	setenv("TZ", "Asia/Shanghai", 1);
	office_open(o, NULL, 1);
	office_found(o, "SHA");
	directory = replica_directory(o->replica);
	world.space = office_share(o);
	office_create(o, &directory, KIND_PERSON, PERSON_NAME, &name);
	world.action = office_create(o, &world.space, KIND_ACTION, ACTION_NUMBER, &number);
	office_set(o, &world.space, KIND_ACTION, &world.action, ACTION_DELIVERABLE, &text);
	text = value_str("A signed report.");
	office_set(o, &world.space, KIND_ACTION, &world.action, ACTION_DELIVERABLE, &text);
	world.ctx.replica = o->replica;
	world.ctx.now_ms = OFFICE_NOW_MS;
	OFFICE_MUST(zone_db_new(&world.ctx.zones, NULL, &msg));
}

static void require_words(enum err rc, const struct errmsg *why)
{
	require(rc == OK || rc == ERR_NOMEM || why->text[0]);
}

/* ---- What is named ------------------------------------------------------------------- */

static void read_ref(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct buf label = BUF_EMPTY;
	struct ref ref;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	uint16_t kind = which % (count + 1) ? kinds[which % (count + 1) - 1].number : 0;
	enum err rc = ref_find(&world.ctx, kind, text, &ref, &why);

	require_words(rc, &why);
	if (rc == OK) {
		require(schema_kind(ref.kind) && (kind == 0 || ref.kind == kind));
		OFFICE_MUST(ref_label(&world.ctx, ref.kind, &ref.id, &label, &msg));
		require(label.size > 0);
	}
	buf_release(&label);
}

static void read_member(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	const struct member *found;
	struct record_id *nodes;
	size_t count;
	enum err rc = member_find(&world.ctx, text, &found, &why);

	require_words(rc, &why);
	if (rc == OK)
		require(member_by_node(&world.ctx, &found->node) == found);
	why.text[0] = 0;
	rc = member_find_all(&world.ctx, text, &nodes, &count, &why);
	require_words(rc, &why);
	for (size_t i = 0; rc == OK && i < count; i++)
		require(member_by_node(&world.ctx, &nodes[i]));
}

static void read_space(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct space_id directory = replica_directory(world.office.replica), space;
	enum err rc = space_find(&world.ctx, text, &space, &why);

	require_words(rc, &why);
	if (rc == OK)
		require(space_id_cmp(&space, &directory) == 0 ||
			space_id_cmp(&space, &world.space) == 0);
}

static void read_roles(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct office_roles roles = { .count = 0 };
	enum err rc = office_roles_parse(&roles, &world.ctx, text, &why);

	require_words(rc, &why);
	for (size_t i = 0; rc == OK && i < roles.count; i++) {
		require(office_code_is_valid(roles.list[i].office_code));
		require(roles.list[i].role < ROLE_COUNT);
		require(i == 0 ||
			strcmp(roles.list[i - 1].office_code, roles.list[i].office_code) < 0);
	}
}

static void read_cut(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct record_id self = replica_self(world.office.replica)->node;
	struct cut *cuts;
	size_t count, before;
	enum err rc;

	OFFICE_MUST(replica_cuts_of(world.office.replica, &self, NULL, &world.ctx.arena, &cuts,
				    &count, &msg));
	before = count;
	rc = cut_choose(&world.ctx, text, cuts, &count, &why);
	require_words(rc, &why);
	require(count == before || (rc == OK && count == before - 1));
}

static void read_version(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct text_subject subject = { .ctx = &world.ctx,
					.ref = { KIND_ACTION, world.action },
					.space = world.space,
					.kind = schema_kind(KIND_ACTION),
					.name = "AI-SHA-2026-0001" };
	struct text_version v;
	enum err rc;

	subject.field = kind_field(subject.kind, ACTION_DELIVERABLE);
	rc = text_subject_version(&subject, text, &v, &why);
	require_words(rc, &why);
	if (rc == OK)
		require(utf8_is_valid(v.text));
}

/* ---- What is said --------------------------------------------------------------------- */

static void read_duration(uint8_t which, char *text)
{
	uint64_t seconds;

	if (duration_parse(text, &seconds))
		require(seconds <= DURATION_S_MAX);
}

/* Files and the standard input are for others to read. */
static void read_value(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	struct buf shown = BUF_EMPTY;
	size_t kind_count;
	const struct kind *kinds = schema_kinds(&kind_count);
	const struct kind *kind = &kinds[which % kind_count];
	const struct field *field = &kind->fields[which / kind_count % kind->field_count];
	struct value value;
	json_t *json = NULL;
	enum err rc;

	if (text[0] == '@' || text[0] == '-')
		return;
	rc = field_parse(&world.ctx, field, text, &value, &why);
	require_words(rc, &why);
	if (rc == OK) {
		require(field_validate(field, &value, NULL) == OK);
		OFFICE_MUST(field_show(&world.ctx, field, &value, &shown, &msg));
		OFFICE_MUST(field_json(&world.ctx, field, &value, &json, &msg));
	}
	json_decref(json);
	buf_release(&shown);
}

static void read_command(uint8_t which, char *text)
{
	struct errmsg why = { .text = "" };
	size_t command_count;
	const struct command *commands = commands_all(&command_count);
	char *words[WORDS_MAX], *word;
	struct args args;
	int count = 0;
	enum err rc;

	while (count < WORDS_MAX && (word = strsep(&text, "\n")))
		words[count++] = word;
	rc = args_parse(&args, &commands[which % command_count], count, words, &why);
	require_words(rc, &why);
	if (rc == OK)
		require(args.word_count + args.option_count <= (size_t)count);
	command_suggest(words[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(uint8_t which, char *text) = {
		read_ref,   read_member,  read_space, read_roles,   read_duration,
		read_value, read_command, read_cut,   read_version,
	};
	struct buf text = BUF_EMPTY;

	if (size < 2)
		return 0;
	if (!world.office.replica)
		make_world();
	buf_append(&text, data + 2, size - 2);
	buf_append_byte(&text, 0);
	readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](data[1], (char *)text.data);
	buf_release(&text);
	buf_clear(&world.ctx.advice);
	arena_reset(&world.ctx.arena);
	return 0;
}
