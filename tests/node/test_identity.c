/* node/identity: the key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/identity.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct identity id;
	struct errmsg msg;
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .msg.text = "" };
	tempdir_new(w.dir, sizeof(w.dir));
	tempdir_path(w.path, sizeof(w.path), w.dir, "identity.key");
	identity_generate(&w.id);
	*state = &w;
	return sodium_init() < 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	tempdir_remove(w->dir);
	return 0;
}

static void what_was_saved_is_loaded(void **state)
{
	struct world *w = *state;
	struct identity loaded = { 0 };
	struct stat st;

	assert_int_equal(identity_save(&w->id, w->path, &w->msg), OK);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(identity_load(&loaded, w->path, &w->msg), OK);
	assert_memory_equal(&loaded, &w->id, sizeof(loaded));
}

static void keys_belong_together(void **state)
{
	struct world *w = *state;
	uint8_t link[LINK_BYTES] = { 7 }, signature[SIGNATURE_BYTES], noise[NOISE_KEY_BYTES];

	changeset_sign(signature, link, w->id.sign_secret);
	assert_true(changeset_is_signed_by(signature, link, w->id.sign_public));
	crypto_scalarmult_base(noise, w->id.noise_secret);
	assert_memory_equal(noise, w->id.noise_public, sizeof(noise));
}

static void key_is_never_overwritten(void **state)
{
	struct world *w = *state;
	struct identity other, loaded;

	assert_int_equal(identity_save(&w->id, w->path, &w->msg), OK);
	identity_generate(&other);
	assert_int_equal(identity_save(&other, w->path, &w->msg), ERR_EXISTS);
	assert_int_equal(identity_load(&loaded, w->path, &w->msg), OK);
	assert_memory_equal(&loaded, &w->id, sizeof(loaded));
}

/* As a process that was killed leaves it. */
static void half_a_file_is_in_nobodys_way(void **state)
{
	struct world *w = *state;
	char part[TEMPDIR_BYTES_MAX];
	struct identity loaded;
	FILE *file;

	file = fopen(tempdir_path(part, sizeof(part), w->dir, "identity.key.part"), "w");
	assert_non_null(file);
	fputs("huitong-iden", file);
	fclose(file);
	assert_int_equal(identity_save(&w->id, w->path, &w->msg), OK);
	assert_int_equal(identity_load(&loaded, w->path, &w->msg), OK);
	assert_int_equal(access(part, F_OK), -1);
}

static void key_that_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0644 };
	struct world *w = *state;
	struct identity loaded = { 0 }, empty = { 0 };

	assert_int_equal(identity_save(&w->id, w->path, &w->msg), OK);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(w->path, modes[i]), 0);
		assert_int_equal(identity_load(&loaded, w->path, &w->msg), ERR_KEY);
		assert_non_null(strstr(w->msg.text, "chmod 600"));
	}
	assert_memory_equal(&loaded, &empty, sizeof(loaded));
}

static void missing_key_is_named(void **state)
{
	struct world *w = *state;
	struct identity loaded;

	assert_int_equal(identity_load(&loaded, w->path, &w->msg), ERR_KEY);
	assert_non_null(strstr(w->msg.text, w->path));
	assert_int_equal(identity_load(&loaded, w->dir, &w->msg), ERR_KEY);
}

/* Whatever byte of the file is damaged, it is no key any more or another one. */
static void damaged_file_is_refused(void **state)
{
	struct world *w = *state;
	struct identity loaded = { 0 }, empty = { 0 };
	struct stat st;

	assert_int_equal(identity_save(&w->id, w->path, &w->msg), OK);
	assert_int_equal(stat(w->path, &st), 0);
	for (long at = 0; at < st.st_size; at++) {
		FILE *file = fopen(w->path, "r+");
		int before;

		fseek(file, at, SEEK_SET);
		before = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc('!', file);
		fclose(file);
		assert_int_equal(identity_load(&loaded, w->path, &w->msg), ERR_KEY);
		file = fopen(w->path, "r+");
		fseek(file, at, SEEK_SET);
		fputc(before, file);
		fclose(file);
	}
	assert_memory_equal(&loaded, &empty, sizeof(loaded));
	assert_int_equal(truncate(w->path, st.st_size - 1), 0);
	assert_int_equal(identity_load(&loaded, w->path, &w->msg), ERR_KEY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_saved_is_loaded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_belong_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_is_never_overwritten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(half_a_file_is_in_nobodys_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_that_others_can_read_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(missing_key_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_file_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
