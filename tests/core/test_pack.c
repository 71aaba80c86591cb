/* Packing keeps bytes as they are, and frames from elsewhere can't cost memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pack.h"
#include "core/wire.h"
#include "tests/support/prng.h"

struct world {
	struct pack pack;
	struct arena arena;
	struct buf input;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){ 0 };
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	pack_release(&w->pack);
	arena_release(&w->arena);
	buf_release(&w->input);
	return 0;
}

/* An array of equal texts: it packs well. */
static struct bytes repetitive(struct world *w, uint32_t count)
{
	wire_put_array(&w->input, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_str(&w->input, bytes_of_str("提交验收报告"));
	return buf_bytes(&w->input);
}

static void frame_restores_what_was_packed(void **state)
{
	struct world *w = *state;
	struct bytes input = repetitive(w, 1000), frame, output;

	assert_int_equal(pack_shrink(&w->pack, input, &frame), OK);
	assert_true(pack_is_frame(frame));
	assert_true(frame.size < input.size / 10);
	assert_int_equal(pack_restore(&w->pack, frame, input.size, &w->arena, &output), OK);
	assert_true(bytes_equal(input, output));
}

static void small_and_random_bytes_stay_as_they_are(void **state)
{
	struct world *w = *state;
	uint8_t noise[4096];
	struct prng prng;
	struct bytes out;

	assert_int_equal(pack_shrink(&w->pack, repetitive(w, 2), &out), OK);
	assert_ptr_equal(out.data, w->input.data);

	prng_init(&prng, 1);
	prng_fill(&prng, noise, sizeof(noise));
	buf_clear(&w->input);
	wire_put_array(&w->input, 1);
	wire_put_bin(&w->input, bytes_of(noise, sizeof(noise)));
	assert_int_equal(pack_shrink(&w->pack, buf_bytes(&w->input), &out), OK);
	assert_ptr_equal(out.data, w->input.data);
	assert_false(pack_is_frame(out));
}

static void frame_over_the_limit_is_refused_before_it_costs_memory(void **state)
{
	struct world *w = *state;
	struct bytes input = repetitive(w, 1000), frame, output;

	assert_int_equal(pack_shrink(&w->pack, input, &frame), OK);
	assert_int_equal(pack_restore(&w->pack, frame, input.size - 1, &w->arena, &output),
			 ERR_LIMIT);
	assert_int_equal(w->arena.total, 0);
}

static void damaged_frames_are_refused(void **state)
{
	struct world *w = *state;
	struct bytes input = repetitive(w, 1000), frame, output;
	struct buf damaged = BUF_EMPTY;

	assert_int_equal(pack_shrink(&w->pack, input, &frame), OK);
	for (size_t size = 1; size < frame.size; size++)
		assert_int_not_equal(pack_restore(&w->pack, bytes_of(frame.data, size), input.size,
						  &w->arena, &output),
				     OK);
	buf_append(&damaged, frame.data, frame.size);
	buf_append(&damaged, frame.data, frame.size);
	assert_int_equal(
		pack_restore(&w->pack, buf_bytes(&damaged), input.size, &w->arena, &output),
		ERR_FORMAT);
	buf_release(&damaged);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frame_restores_what_was_packed),
		TEST(small_and_random_bytes_stay_as_they_are),
		TEST(frame_over_the_limit_is_refused_before_it_costs_memory),
		TEST(damaged_frames_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
