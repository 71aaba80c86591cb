/* node/command: the table of commands, and finding one in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/args.h"
#include "node/help.h"

static const struct command *find(const char *first, const char *second, int *used)
{
	char *const words[] = { (char *)first, (char *)second };

	return command_find(second ? 2 : 1, words, used);
}

static void longest_name_wins(void **state)
{
	int used;

	assert_string_equal(find("conflicts", "show", &used)->name, "conflicts show");
	assert_int_equal(used, 2);
	assert_string_equal(find("conflicts", "AI-1", &used)->name, "conflicts");
	assert_int_equal(used, 1);
	assert_string_equal(find("verify", NULL, &used)->name, "verify");
	assert_null(find("action", NULL, &used));
	assert_null(find("actio", "add", &used));
	assert_null(find("action", "ad", &used));
}

static void groups_are_words_that_begin_commands(void **state)
{
	assert_true(command_is_group("action"));
	assert_true(command_is_group("conflicts"));
	assert_false(command_is_group("verify"));
	assert_false(command_is_group("act"));
}

static void near_names_are_proposed(void **state)
{
	static const struct {
		const char *typed, *proposed;
	} cases[] = {
		{ "statsu", "status" },
		{ "action lst", "action list" },
		{ "acton add", "action add" },
		{ "verfy", "verify" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(command_suggest(cases[i].typed), cases[i].proposed);
	assert_null(command_suggest("xyzzy plugh"));
}

/* Every entry must be usable: a typing error in the table is found here. */
static void table_is_sound(void **state)
{
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = schema_kind(all[i].kind);
		size_t min, max;

		assert_non_null(all[i].run);
		assert_true(all[i].summary && all[i].summary[0]);
		args_arity(all[i].arguments, &min, &max);
		assert_true(min <= max);
		assert_true(!all[i].fields || kind);
		for (uint8_t n = 0; n < 64; n++)
			if (all[i].fields >> n & 1)
				assert_non_null(kind_field(kind, n));
		if (all[i].field)
			assert_non_null(kind_field(kind, all[i].field));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(all[i].name, all[k].name);
	}
}

/* A field and an option of the same name would hide one another. */
static void options_are_distinct(void **state)
{
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = schema_kind(all[i].kind);
		const struct command_option *option = all[i].options;

		for (; option && option->name; option++) {
			const struct command_option *global = command_global_options();

			for (; global->name; global++)
				assert_string_not_equal(option->name, global->name);
			if (kind && kind_field_named(kind, option->name))
				assert_false(command_has_field(
					&all[i], kind_field_named(kind, option->name)));
		}
	}
}

static void every_command_has_help(void **state)
{
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		help_command(out, &all[i]);
		fclose(out);
		assert_non_null(strstr(text, all[i].name));
		assert_non_null(strstr(text, "--replica FOLDER"));
		assert_null(strstr(text, " \n"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_name_wins),
		cmocka_unit_test(groups_are_words_that_begin_commands),
		cmocka_unit_test(near_names_are_proposed),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(options_are_distinct),
		cmocka_unit_test(every_command_has_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
