/* node/args: a command line against its command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/args.h"

static const struct command_option options[] = {
	{ "collab", "COLLAB", "where" },
	{ "all", NULL, "everything" },
	{ NULL },
};

static const struct command plain = { .name = "thing do",
				      .arguments = "REF [TEXT]",
				      .options = options };

static const struct command about_actions = {
	.name = "action edit",
	.arguments = "ACTION",
	.kind = KIND_ACTION,
	.fields = 1u << ACTION_TITLE | 1u << ACTION_HELPERS,
	.edits = true,
};

static const struct command about_scopes = {
	.name = "collab edit",
	.arguments = "",
	.kind = KIND_COLLABORATION,
	.fields = 1u << COLLABORATION_SCOPE_IN,
};

static const struct command_option needed[] = { { "org", "NAME", "whose", true }, { NULL } };
static const struct command founding = { .name = "init", .arguments = "", .options = needed };

enum { WORDS_MAX = 8 };

/* Parse a line whose words are separated by blanks; "~" stands for an empty word. */
static enum err parse(struct args *args, const struct command *command, const char *line,
		      struct errmsg *msg)
{
	static char copy[256];
	char *words[WORDS_MAX];
	int count = 0;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
		words[count++] = strcmp(word, "~") == 0 ? word + 1 : word;
	return args_parse(args, command, count, words, msg);
}

static void options_stand_anywhere_in_either_form(void **state)
{
	static const char *const lines[] = { "x --collab C --all", "--collab=C x --all",
					     "--all --collab C -- x" };
	struct errmsg msg;
	struct args args;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(&args, &plain, lines[i], &msg), OK);
		assert_string_equal(args_option(&args, "collab"), "C");
		assert_true(args_has(&args, "all"));
		assert_false(args_has(&args, "json"));
		assert_int_equal(args.word_count, 1);
		assert_string_equal(args_word(&args, 0), "x");
		assert_null(args_word(&args, 1));
	}
}

static void last_of_equal_options_counts(void **state)
{
	struct errmsg msg;
	struct args args;

	assert_int_equal(parse(&args, &plain, "x --collab A --collab B", &msg), OK);
	assert_string_equal(args_option(&args, "collab"), "B");
}

static void a_dash_alone_and_all_after_two_dashes_are_words(void **state)
{
	struct errmsg msg;
	struct args args;

	assert_int_equal(parse(&args, &plain, "- -- --all", &msg), OK);
	assert_string_equal(args_word(&args, 0), "-");
	assert_string_equal(args_word(&args, 1), "--all");
	assert_false(args_has(&args, "all"));
}

static void fields_of_the_schema_are_options(void **state)
{
	struct errmsg msg;
	struct args args;

	assert_int_equal(parse(&args, &about_actions, "x --title T --no-helpers H", &msg), OK);
	assert_true(args_has_fields(&args));
	assert_int_equal(args.options[0].field->number, ACTION_TITLE);
	assert_false(args.options[0].is_removal);
	assert_int_equal(args.options[1].field->number, ACTION_HELPERS);
	assert_true(args.options[1].is_removal);
	assert_int_equal(parse(&args, &about_scopes, "--scope-in all", &msg), OK);
	assert_string_equal(args_option(&args, "scope_in"), "all");
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const struct command *command;
		const char *line, *says;
	} cases[] = {
		{ &plain, "x --frob", "--frob" },
		{ &plain, "x --frob=1", "--frob" },
		{ &plain, "x --colla C", "--colla" },
		{ &plain, "x -a", "-a" },
		{ &plain, "x --collab", "--collab needs a value" },
		{ &plain, "x --all=1", "takes no value" },
		{ &plain, "", "needs: REF [TEXT]" },
		{ &plain, "a b c", "\"c\" is too much" },
		{ &about_actions, "x", "nothing to change" },
		{ &about_actions, "x --owner P", "--owner" },
		{ &about_actions, "x --no-title T", "--no-title" },
		{ &founding, "", "--org NAME" },
		{ &founding, "--org ~", "--org NAME" },
		{ &founding, "--org A extra", "takes no argument" },
	};
	struct args before, args;

	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errmsg msg = { .text = "" };

		memcpy(&args, &before, sizeof(args));
		assert_int_equal(parse(&args, cases[i].command, cases[i].line, &msg), ERR_INVALID);
		assert_non_null(strstr(msg.text, cases[i].says));
		assert_memory_equal(&args, &before, sizeof(args));
	}
}

static void help_asks_for_nothing_else(void **state)
{
	struct errmsg msg;
	struct args args;

	assert_int_equal(parse(&args, &founding, "-h", &msg), OK);
	assert_true(args_has(&args, "help"));
}

static void arity_follows_from_the_usage(void **state)
{
	static const struct {
		const char *arguments;
		size_t min, max;
	} cases[] = {
		{ "", 0, 0 },
		{ "REF", 1, 1 },
		{ "[REF]", 0, 1 },
		{ "REF FIELD [N]", 2, 3 },
		{ "WORD...", 1, ARGS_MAX },
	};
	size_t min, max;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		args_arity(cases[i].arguments, &min, &max);
		assert_int_equal(min, cases[i].min);
		assert_int_equal(max, cases[i].max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere_in_either_form),
		cmocka_unit_test(last_of_equal_options_counts),
		cmocka_unit_test(a_dash_alone_and_all_after_two_dashes_are_words),
		cmocka_unit_test(fields_of_the_schema_are_options),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(help_asks_for_nothing_else),
		cmocka_unit_test(arity_follows_from_the_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
