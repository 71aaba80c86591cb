/* Commands run within a test, in offices without a folder. Include it after cmocka.h. */
#ifndef HT_TESTS_NODE_RUN_H
#define HT_TESTS_NODE_RUN_H

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "node/args.h"
#include "node/context.h"
#include "tests/support/office.h"

enum { RUN_WORDS_MAX = 12 };

/* Run a command in an office; NULL ends the words. Its JSON goes to *json. */
static inline enum err run(struct office *o, json_t **json, const char *first, ...)
{
	char *words[RUN_WORDS_MAX] = { (char *)first };
	const struct command *command;
	struct context ctx = { .replica = o->replica, .now_ms = o->now_ms++, .is_json = true };
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO), count = 1, used;
	struct errmsg msg = { .text = "" };
	struct args args;
	va_list more;
	enum err rc;

	va_start(more, first);
	while (count < RUN_WORDS_MAX && (words[count] = va_arg(more, char *)))
		count++;
	va_end(more);
	command = command_find(count, words, &used);
	assert_non_null(command);
	assert_int_equal(args_parse(&args, command, count - used, words + used, &msg), OK);
	assert_int_equal(zone_db_new(&ctx.zones, NULL, &msg), OK);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	rc = command->run(&ctx, &args, &msg);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	if (json)
		*json = json_loadf(file, 0, NULL);
	fclose(file);
	if (rc != OK)
		fprintf(stderr, "%s: %s\n", command->name, msg.text);
	zone_db_free(ctx.zones);
	arena_release(&ctx.arena);
	buf_release(&ctx.advice);
	return rc;
}

/* The string under a key, borrowed from the object; NULL: none. */
static inline const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Open two offices, SHA and FRA, that share a space of which both know. */
static inline struct space_id open_two_offices(struct office *sha, struct office *fra)
{
	struct value title = value_str("Go-live");
	struct space_id space;

	setenv("TZ", "UTC", 1);
	office_open(sha, NULL, 1);
	office_open(fra, NULL, 2);
	office_found(sha, "SHA");
	office_join(fra, sha, "FRA");
	space = office_share(sha);
	office_create(sha, &space, KIND_COLLABORATION, COLLABORATION_TITLE, &title);
	office_sync(sha, fra);
	return space;
}

#endif
