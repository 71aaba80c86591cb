/* core/trust: how far each feed counts, and what is adopted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/org.h"

/* ---- M-14: cuts ------------------------------------------------------------ */

static void a_feed_of_a_member_counts_as_a_whole(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	assert_cut(&o, &o.cat, &o.directory, UINT64_MAX, "none");
	assert_int_equal(o.t->cut_count, 0);
	org_release(&o);
}

static void a_feed_that_nobody_named_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.dan, &o.directory, 0, "void");
	org_release(&o);
}

static void a_revocation_cuts_where_it_says_and_else_everything(void **state)
{
	struct trust_cut got;
	struct cut named;
	struct org o;

	org_init(&o, 1);
	named = cut_at(&o.bob, &o.space, 7, 0);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, CUTS(named));
	got = cut_of(&o, &o.bob, &o.space);
	assert_int_equal(got.seq, 7);
	assert_true(got.has_link);
	assert_memory_equal(got.link, named.link, LINK_BYTES);
	assert_cut(&o, &o.bob, &o.directory, 0, "revoked");
	assert_false(cut_of(&o, &o.bob, &o.directory).has_link);
	org_release(&o);
}

static void the_lowest_of_several_cuts_counts(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.cat, CUTS(cut_at(&o.cat, &o.directory, 7, 0)));
	say_revoke(&o.w, BY(&o.bob), BASE, &o.cat, CUTS(cut_at(&o.cat, &o.directory, 5, 0)));
	assert_cut(&o, &o.cat, &o.directory, 5, "revoked");
	org_release(&o);
}

static void an_epoch_closes_those_before_it_if_it_says_so(void **state)
{
	struct cut named;
	struct cuts cuts = { &named, 1 };
	struct actor next, last;
	struct org o;

	org_init(&o, 1);
	named = cut_at(&o.bob, &o.space, 9, 0);
	next = actor_restored(&o.bob, 12);
	last = actor_rotated(&o.bob, 13);
	say_epoch(&o.w, BY(&o.bob), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	say_epoch(&o.w, BY(&o.bob, &last), AFTER_ALL, &last, EPOCH_ROTATED, &cuts);
	assert_cut(&o, &o.bob, &o.space, 9, "closed");
	assert_cut(&o, &next, &o.space, 0, "closed");
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

/* Bob goes on `times` times. */
static struct actor goes_on(struct org *o, unsigned times)
{
	struct actor now = o->bob;

	for (unsigned i = 0; i < times; i++) {
		struct actor next = actor_restored(&now, 300 + i);

		say_epoch(&o->w, BY(&now), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
		now = next;
	}
	return now;
}

static void an_epoch_too_many_counts_nowhere(void **state)
{
	struct actor last, next;
	struct org o;

	org_init(&o, 1);
	last = goes_on(&o, EPOCHS_MAX - 1);
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	next = actor_restored(&last, 12);
	assert_verdict(&o, say_epoch(&o.w, BY(&last), AFTER_ALL, &next, EPOCH_RESTORED, NULL),
		       "stands");
	assert_cut(&o, &next, &o.space, 0, "surplus");
	assert_cut(&o, &last, &o.space, UINT64_MAX, "none");
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	assert_int_equal(trust_node(o.t, &o.bob.node)->epoch_count, EPOCHS_MAX + 1);
	org_release(&o);
}

static void nobody_adopts_of_an_epoch_too_many(void **state)
{
	struct actor last;
	struct org o;

	org_init(&o, 1);
	o.epochs_max = 2;
	last = goes_on(&o, 2);
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&last, &o.space, 5, 0)));
	say_adopt(&o.w, BY(&last), AFTER_ALL, CUTS(cut_at(&last, &o.directory, 5, 0)));
	assert_cut(&o, &last, &o.space, 0, "surplus");
	assert_cut(&o, &last, &o.directory, 0, "surplus");
	org_release(&o);
}

/* Who has a key that was replaced can say EPOCH with it, and that uses up nothing. */
static void only_epochs_that_stand_are_counted(void **state)
{
	struct actor fresh, next;
	struct org o;

	org_init(&o, 1);
	o.epochs_max = 3;
	fresh = actor_rotated(&o.bob, 13);
	say_epoch(&o.w, BY(&o.bob, &fresh), AFTER_ALL, &fresh, EPOCH_ROTATED, &(struct cuts){ 0 });
	goes_on(&o, 4);
	next = actor_restored(&fresh, 14);
	say_epoch(&o.w, BY(&fresh), AFTER_ALL, &next, EPOCH_RESTORED, NULL);
	assert_cut(&o, &next, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

static void a_fork_cuts_before_it_in_its_space_alone(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_fork(&o.w, &o.bob, &o.space, 5);
	assert_cut(&o, &o.bob, &o.space, 4, "forked");
	assert_false(cut_of(&o, &o.bob, &o.space).has_link);
	assert_cut(&o, &o.bob, &o.directory, UINT64_MAX, "none");
	org_release(&o);
}

static void who_may_not_write_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	assert_cut(&o, &o.cat, &o.space, 0, "role");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "CCC", ROLE_EDITOR, NO_CUTS);
	assert_cut(&o, &o.cat, &o.space, UINT64_MAX, "none");
	org_release(&o);
}

static void who_loses_its_role_counts_up_to_there_until_it_is_given_again(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER,
		  CUTS(cut_at(&o.bob, &o.space, 6, 0)));
	assert_cut(&o, &o.bob, &o.space, 6, "role");
	/* It took nothing more that could be written. */
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_NONE, NO_CUTS);
	assert_cut(&o, &o.bob, &o.space, 6, "role");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_EDITOR, NO_CUTS);
	assert_cut(&o, &o.bob, &o.space, UINT64_MAX, "none");
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_NONE,
		  CUTS(cut_at(&o.bob, &o.space, 8, 0)));
	assert_cut(&o, &o.bob, &o.space, 8, "role");
	org_release(&o);
}

static void a_space_made_in_vain_gives_no_roles(void **state)
{
	const struct statement *space;
	struct space_id id;
	struct org o;

	org_init(&o, 1);
	space = say_space(&o.w, BY(&o.dan), BASE, OFFICES({ "AAA", ROLE_EDITOR }));
	id = statement_space(&space->id);
	say_grant(&o.w, BY(&o.ann), AFTER(space), &id, "BBB", ROLE_MANAGER, NO_CUTS);
	assert_cut(&o, &o.bob, &id, 0, "role");
	assert_cut(&o, &o.ann, &id, 0, "role");
	assert_int_equal(trust_role(o.t, &id, "BBB"), ROLE_NONE);
	org_release(&o);
}

static void what_was_admitted_in_vain_does_not_count(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false);
	assert_cut(&o, &o.dan, &o.directory, 0, "void");
	assert_cut(&o, &o.dan, &o.space, 0, "role"); /* comes before void in M-14 */
	org_release(&o);
}

/* ---- M-15, M-16: adoption -------------------------------------------------- */

static void an_adoption_lifts_what_it_has_seen(void **state)
{
	struct trust_cut got;
	struct cut adopted;
	struct org o;

	org_init(&o, 1);
	adopted = cut_at(&o.bob, &o.space, 8, 1);
	say_revoke(&o.w, BY(&o.ann), BASE, &o.bob, CUTS(cut_at(&o.bob, &o.space, 5, 0)));
	say_adopt(&o.w, BY(&o.ann), BASE, CUTS(adopted)); /* has not seen it */
	assert_cut(&o, &o.bob, &o.space, 5, "revoked");
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(adopted));
	got = cut_of(&o, &o.bob, &o.space);
	assert_int_equal(got.seq, 8);
	assert_memory_equal(got.link, adopted.link, LINK_BYTES);
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	assert_cut(&o, &o.bob, &o.space, 8, "revoked");
	say_revoke(&o.w, BY(&o.ann), AFTER_ALL, &o.bob, CUTS(cut_at(&o.bob, &o.space, 6, 0)));
	assert_cut(&o, &o.bob, &o.space, 6, "revoked");
	org_release(&o);
}

static void an_adoption_settles_a_fork_and_says_which_branch(void **state)
{
	struct cut a, b;
	struct org o;

	org_init(&o, 1);
	a = cut_at(&o.bob, &o.space, 8, 1);
	b = cut_at(&o.bob, &o.space, 8, 2);
	say_adopt(&o.w, BY(&o.bob), BASE, CUTS(a));
	say_fork(&o.w, &o.bob, &o.space, 5);
	assert_cut(&o, &o.bob, &o.space, 8, "forked");
	assert_memory_equal(cut_of(&o, &o.bob, &o.space).link, a.link, LINK_BYTES);
	say_adopt(&o.w, BY(&o.bob), BASE, CUTS(b));
	assert_memory_equal(cut_of(&o, &o.bob, &o.space).link,
			    memcmp(a.link, b.link, LINK_BYTES) < 0 ? a.link : b.link, LINK_BYTES);
	org_release(&o);
}

static void who_lost_its_role_adopts_nothing_of_its_own(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admin(&o.w, BY(&o.ann), AFTER_ALL, &o.bob, false);
	say_grant(&o.w, BY(&o.ann), AFTER_ALL, &o.space, "BBB", ROLE_READER, NO_CUTS);
	say_adopt(&o.w, BY(&o.bob), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 9, 0)));
	assert_cut(&o, &o.bob, &o.space, 0, "role");
	say_adopt(&o.w, BY(&o.ann), AFTER_ALL, CUTS(cut_at(&o.bob, &o.space, 7, 0)));
	assert_cut(&o, &o.bob, &o.space, 7, "role");
	org_release(&o);
}

static void what_was_admitted_in_vain_can_be_adopted(void **state)
{
	struct org o;

	org_init(&o, 1);
	say_admit(&o.w, BY(&o.cat), BASE, &o.dan, false);
	say_adopt(&o.w, BY(&o.ann), BASE, CUTS(cut_at(&o.dan, &o.directory, 3, 0)));
	assert_cut(&o, &o.dan, &o.directory, 3, "void");
	org_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_of_a_member_counts_as_a_whole),
		cmocka_unit_test(a_feed_that_nobody_named_does_not_count),
		cmocka_unit_test(a_revocation_cuts_where_it_says_and_else_everything),
		cmocka_unit_test(the_lowest_of_several_cuts_counts),
		cmocka_unit_test(an_epoch_closes_those_before_it_if_it_says_so),
		cmocka_unit_test(an_epoch_too_many_counts_nowhere),
		cmocka_unit_test(nobody_adopts_of_an_epoch_too_many),
		cmocka_unit_test(only_epochs_that_stand_are_counted),
		cmocka_unit_test(a_fork_cuts_before_it_in_its_space_alone),
		cmocka_unit_test(who_may_not_write_does_not_count),
		cmocka_unit_test(who_loses_its_role_counts_up_to_there_until_it_is_given_again),
		cmocka_unit_test(a_space_made_in_vain_gives_no_roles),
		cmocka_unit_test(what_was_admitted_in_vain_does_not_count),
		cmocka_unit_test(an_adoption_lifts_what_it_has_seen),
		cmocka_unit_test(an_adoption_settles_a_fork_and_says_which_branch),
		cmocka_unit_test(who_lost_its_role_adopts_nothing_of_its_own),
		cmocka_unit_test(what_was_admitted_in_vain_can_be_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
