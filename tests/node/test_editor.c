/* node/editor: which program runs, and what became of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "node/editor.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct errmsg msg;
};

static int set_up(void **state)
{
	static struct world w;

	tempdir_new(w.dir, sizeof(w.dir));
	tempdir_path(w.path, sizeof(w.path), w.dir, "it's a \"text\" $1.txt");
	unsetenv("VISUAL");
	unsetenv("EDITOR");
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	tempdir_remove(((struct world *)*state)->dir);
	return 0;
}

static enum err run_as(struct world *w, const char *program)
{
	setenv("EDITOR", program, 1);
	w->msg.text[0] = 0;
	return editor_run(w->path, &w->msg);
}

static void the_file_is_named_as_it_is(void **state)
{
	struct world *w = *state;

	assert_int_equal(run_as(w, "touch"), OK);
	assert_int_equal(access(w->path, F_OK), 0);
}

static void a_program_may_have_arguments(void **state)
{
	struct world *w = *state;

	assert_int_equal(run_as(w, "sh -c 'test \"$0\" = \"a b\" && touch \"$1\"' 'a b'"), OK);
	assert_int_equal(access(w->path, F_OK), 0);
}

static void visual_comes_before_editor(void **state)
{
	struct world *w = *state;

	setenv("VISUAL", "touch", 1);
	assert_int_equal(run_as(w, "false"), OK);
	setenv("VISUAL", "", 1);
	assert_int_equal(run_as(w, "false"), ERR_IO);
}

static void what_failed_is_named(void **state)
{
	static const struct {
		const char *program, *said;
	} cases[] = {
		{ "exit 3;", "\"exit 3;\" ended with exit code 3" },
		{ "no-such-program -w", "\"no-such-program -w\" can't be run" },
		{ "/dev/null", "\"/dev/null\" can't be run" },
		{ "kill -9 $$;", "was ended by signal 9" },
		{ "sh -c 'kill -15 $$'", "was ended by signal 15" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(run_as(w, cases[i].program), ERR_IO);
		if (!strstr(w->msg.text, cases[i].said))
			fail_msg("%s: %s", cases[i].program, w->msg.text);
	}
}

static void a_long_command_line_is_not_cut(void **state)
{
	struct world *w = *state;
	char program[2000];

	memset(program, ' ', sizeof(program));
	memcpy(program + sizeof(program) - sizeof("touch"), "touch", sizeof("touch"));
	assert_int_equal(run_as(w, program), OK);
	assert_int_equal(access(w->path, F_OK), 0);
}

/* As Ctrl-C does to all who run in the terminal. */
static void signals_of_the_terminal_are_the_editors(void **state)
{
	struct world *w = *state;
	struct sigaction after;

	signal(SIGINT, SIG_DFL); /* who runs us in the background has it ignored */
	signal(SIGQUIT, SIG_DFL);
	assert_int_equal(run_as(w, "kill -INT $PPID; kill -QUIT $PPID; touch"), OK);
	assert_int_equal(access(w->path, F_OK), 0);
	assert_int_equal(sigaction(SIGINT, NULL, &after), 0);
	assert_true(after.sa_handler == SIG_DFL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_is_named_as_it_is),     TEST(a_program_may_have_arguments),
		TEST(visual_comes_before_editor),     TEST(what_failed_is_named),
		TEST(a_long_command_line_is_not_cut), TEST(signals_of_the_terminal_are_the_editors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
