/* An issuer, its ticket, and whoever comes with it. */
#ifndef HT_TESTS_SYNC_ADMISSION_H
#define HT_TESTS_SYNC_ADMISSION_H

#include "tests/sync/world.h"

enum { VALID_S = 3600 };

/* An issuer whose engine runs, its ticket, and a machine that may become Frankfurt. */
struct admission_world {
	struct world world;
	struct site *sha, *fra;
	struct ticket ticket;
};

static inline void aw_init(struct admission_world *a)
{
	struct dice dice;

	world_init(&a->world);
	a->sha = world_add_office(&a->world, "SHA");
	a->fra = world_add(&a->world);
	dice = prng_dice(&a->sha->dice);
	a->ticket = (struct ticket){ .office_code = "FRA",
				     .zone = "Europe/Berlin",
				     .expires_s = OFFICE_NOW_MS / 1000 + VALID_S,
				     .address_count = 1 };
	memcpy(a->ticket.issuer_key, a->sha->office.identity.noise_key, NOISE_KEY_BYTES);
	loopnet_address(a->sha->host, a->ticket.addresses[0]);
	OFFICE_MUST(ticket_issue(a->sha->office.replica, &a->ticket, false, &dice, &msg));
	site_start(a->sha);
}

MUST_CHECK static inline enum err enrol_try(struct site *s, const struct ticket *ticket)
{
	struct enrol_config config = { .port = s->port,
				       .dice = prng_dice(&s->dice),
				       .ticket = ticket,
				       .noise_secret = s->noise_secret,
				       .sign_secret = s->office.sign_secret,
				       .replica = s->office.replica,
				       .office_name = "法兰克福",
				       .person_name = "Anna",
				       .address = "host1:1" };

	enrol_free(s->enrol);
	s->enrol = NULL;
	return enrol_new(&s->enrol, &config, site_now(s), NULL);
}

static inline void enrol_begin(struct site *s, const struct ticket *ticket)
{
	OFFICE_MUST(enrol_try(s, ticket));
}

static inline enum enrol_state enrol_with(struct site *s, const struct ticket *ticket)
{
	enrol_begin(s, ticket);
	world_run(s->world);
	return enrol_state(s->enrol);
}

static inline size_t member_count(const struct site *s)
{
	size_t count;

	replica_members(s->office.replica, &count);
	return count;
}

#endif
