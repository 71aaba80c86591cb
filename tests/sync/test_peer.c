/* sync/peer: addresses of the configuration and members of the directory become
 * one list without twins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sync/peer.h"
#include "tests/support/office.h"
#include "tests/sync/revoke.h"

static const uint8_t key_a[NOISE_KEY_BYTES] = { 1 };
static const uint8_t no_key[NOISE_KEY_BYTES];

static void must_add(struct peer_list *l, const char *address)
{
	assert_int_equal(peer_add_address(l, address, NULL), OK);
}

static void same_address_is_one_peer(void **state)
{
	struct peer_list l = { 0 };

	must_add(&l, "a:1");
	must_add(&l, "b:1");
	must_add(&l, "a:1");
	assert_int_equal(l.count, 2);
	assert_string_equal(peer_name(peer_by_address(&l, "b:1")), "b:1");
	peer_list_release(&l);
}

static void addresses_of_one_node_come_together(void **state)
{
	struct peer_list l = { 0 };
	struct peer *p;

	must_add(&l, "a:1");
	must_add(&l, "a.example:1");
	p = peer_identify(&l, peer_by_address(&l, "a:1"), key_a);
	assert_ptr_equal(p, peer_by_key(&l, key_a));
	assert_ptr_equal(peer_identify(&l, peer_by_address(&l, "a.example:1"), key_a), p);
	assert_int_equal(l.count, 1);
	assert_ptr_equal(peer_by_address(&l, "a.example:1"), p);
	/* They take turns. */
	assert_string_equal(peer_next_address(p, true), "a:1");
	p->dial_count++;
	assert_string_equal(peer_next_address(p, true), "a.example:1");
	peer_list_release(&l);
}

static void too_many_and_too_long_are_refused(void **state)
{
	struct peer_list l = { 0 };
	char text[ADDRESS_TEXT_MAX + 2];
	struct peer *p = NULL;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(peer_add_address(&l, text, NULL), ERR_LIMIT);
	for (int i = 0; i < PEERS_MAX; i++) {
		snprintf(text, sizeof(text), "host%d:1", i);
		must_add(&l, text);
	}
	assert_int_equal(peer_add_address(&l, "more:1", NULL), ERR_LIMIT);
	assert_int_equal(peer_add_key(&l, key_a, &p, NULL), ERR_LIMIT);
	assert_null(p);
	peer_list_release(&l);
}

/* Shanghai and Frankfurt; Frankfurt can be dialled. */
static void make_offices(struct office *sha, struct office *fra)
{
	struct space_id directory;
	struct value address = value_str("fra.example:7420");

	office_open(sha, NULL, 1);
	office_open(fra, NULL, 2);
	office_found(sha, "SHA");
	office_join(fra, sha, "FRA");
	directory = replica_directory(sha->replica);
	office_add(sha, &directory, KIND_NODE,
		   &replica_member_by_noise_key(sha->replica, fra->identity.noise_key)->node,
		   NODE_ADDRESSES, &address);
}

static void members_are_listed_without_ourselves(void **state)
{
	struct office sha, fra;
	struct peer_list l = { 0 };
	const struct peer *p;

	make_offices(&sha, &fra);
	assert_int_equal(peer_list_refresh(&l, sha.replica, sha.identity.noise_key, NULL), OK);
	assert_int_equal(l.count, 1);
	p = peer_by_key(&l, fra.identity.noise_key);
	assert_string_equal(peer_name(p), "FRA");
	assert_string_equal(peer_next_address(p, true), "fra.example:7420");
	assert_null(peer_next_address(p, false));
	peer_list_release(&l);
	office_close(&sha);
	office_close(&fra);
}

static void configured_address_of_a_member_is_that_member(void **state)
{
	struct office sha, fra;
	struct peer_list l = { 0 };

	make_offices(&sha, &fra);
	must_add(&l, "fra.example:7420");
	assert_int_equal(peer_list_refresh(&l, sha.replica, sha.identity.noise_key, NULL), OK);
	assert_int_equal(l.count, 1);
	assert_non_null(peer_by_key(&l, fra.identity.noise_key));
	/* It is dialled whatever is said of members. */
	assert_non_null(peer_next_address(l.peers[0], false));
	peer_list_release(&l);
	office_close(&sha);
	office_close(&fra);
}

static void who_left_goes_unless_configured_or_connected(void **state)
{
	struct office sha, fra;
	struct peer_list l = { 0 }, configured = { 0 }, connected = { 0 };
	struct peer_list *lists[] = { &l, &configured, &connected };

	make_offices(&sha, &fra);
	must_add(&configured, "fra.example:7420");
	for (int i = 0; i < 3; i++)
		OFFICE_MUST(peer_list_refresh(lists[i], sha.replica, no_key, &msg));
	peer_by_key(&connected, fra.identity.noise_key)->conn_count = 1;
	revoke(&sha, fra.identity.noise_key);
	for (int i = 0; i < 3; i++)
		OFFICE_MUST(peer_list_refresh(lists[i], sha.replica, no_key, &msg));
	assert_null(peer_by_key(&l, fra.identity.noise_key));
	assert_non_null(peer_by_address(&configured, "fra.example:7420"));
	assert_non_null(peer_by_key(&connected, fra.identity.noise_key));
	assert_null(peer_next_address(peer_by_key(&connected, fra.identity.noise_key), true));
	for (int i = 0; i < 3; i++)
		peer_list_release(lists[i]);
	office_close(&sha);
	office_close(&fra);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_address_is_one_peer),
		cmocka_unit_test(addresses_of_one_node_come_together),
		cmocka_unit_test(too_many_and_too_long_are_refused),
		cmocka_unit_test(members_are_listed_without_ourselves),
		cmocka_unit_test(configured_address_of_a_member_is_that_member),
		cmocka_unit_test(who_left_goes_unless_configured_or_connected),
	};

	return cmocka_run_group_tests_name("sync/peer", tests, NULL, NULL);
}
