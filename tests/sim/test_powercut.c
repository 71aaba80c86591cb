/* The replica over power cuts at every write: nothing acknowledged is lost, nothing is damaged;
 * and two controls in which the same test must find just that. `huitong-sim --cuts N` is the
 * same at length.
 * ctest: labels=slow timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/powercut.h"
#include "tests/support/prng.h"

enum { CUTS = 1200, CONTROL_CUTS = 700, CONTROL_SEED = 1 };

static struct powercut_report cut(enum powercut_disk disk, uint64_t seed, uint64_t cuts)
{
	struct powercut_plan plan = { .disk = disk, .seed = seed, .cuts = cuts };
	struct powercut_report report;

	powercut_run(&plan, &report);
	if (report.first.text[0])
		print_message("%s\n", report.first.text);
	assert_int_equal(report.cuts, cuts);
	assert_true(report.acknowledged > 0);
	return report;
}

static void a_power_cut_at_any_write_loses_and_damages_nothing(void **state)
{
	struct powercut_report report = cut(POWERCUT_HONEST, prng_seed_from_environment(), CUTS);

	assert_int_equal(report.lossy, 0);
	assert_int_equal(report.damaging, 0);
}

static void with_synchronous_normal_acknowledged_edits_are_lost(void **state)
{
	assert_true(cut(POWERCUT_NORMAL, CONTROL_SEED, CONTROL_CUTS).lossy > 0);
}

static void with_a_sync_that_lies_edits_are_lost_and_replicas_damaged(void **state)
{
	struct powercut_report report = cut(POWERCUT_LYING, CONTROL_SEED, CONTROL_CUTS);

	assert_true(report.lossy > 0);
	assert_true(report.damaging > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_write_loses_and_damages_nothing),
		cmocka_unit_test(with_synchronous_normal_acknowledged_edits_are_lost),
		cmocka_unit_test(with_a_sync_that_lies_edits_are_lost_and_replicas_damaged),
	};

	return cmocka_run_group_tests_name("sim/powercut", tests, NULL, NULL);
}
