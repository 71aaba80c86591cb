/* node/exit: every error has an exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/exit.h"

static void only_ok_ends_with_zero(void **state)
{
	assert_int_equal(exit_code_of(OK), 0);
	for (int code = OK + 1; code < ERR_COUNT + 3; code++)
		assert_int_not_equal(exit_code_of((enum err)code), 0);
}

static void codes_are_those_of_the_documents(void **state)
{
	static const struct {
		enum err err;
		int code;
	} cases[] = {
		{ ERR_IO, 1 },         { ERR_FULL, 1 },      { ERR_CORRUPT, 1 },
		{ ERR_KEY, 1 },        { ERR_NOT_FOUND, 3 }, { ERR_AMBIGUOUS, 3 },
		{ ERR_BUSY, 4 },       { ERR_INVALID, 5 },   { ERR_LIMIT, 5 },
		{ ERR_EXISTS, 5 },     { ERR_AUTHORITY, 5 }, { ERR_REVOKED, 5 },
		{ ERR_SUPERSEDED, 5 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(exit_code_of(cases[i].err), cases[i].code);
}

static void what_the_machine_does_comes_with_advice(void **state)
{
	static const enum err errors[] = { ERR_FULL,    ERR_READONLY,  ERR_BUSY,  ERR_CORRUPT,
					   ERR_KEY,     ERR_CLOCK,     ERR_NOMEM, ERR_AUTHORITY,
					   ERR_REVOKED, ERR_SUPERSEDED };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_non_null(exit_advice(errors[i]));
	assert_null(exit_advice(ERR_INVALID));
	assert_null(exit_advice((enum err)ERR_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ok_ends_with_zero),
		cmocka_unit_test(codes_are_those_of_the_documents),
		cmocka_unit_test(what_the_machine_does_comes_with_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
